"""What judging costs, as a ratio to reading the same numbers: `python -m bench.judge`.

The yardstick is orjson parsing both arms' range answers as Prometheus sends them, which a gate has
to do in any case. `new look`: one interval later, with the memory of the look before. It takes a
minute or so.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import orjson

from gate.analysis.judge import judge
from gate.analysis.rates import Memory
from gate.evidence.evidence import Evidence, Pair
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Series, array
from gate.service import Arms, Service

METRICS, POINTS = (1, 10, 100), (60, 1_440)
PODS = 10
EDGES = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)  # client_golang's DefBuckets
RUNS = 7
START, STEP = 1_700_000_040.0, 60.0
MIX = (Kind.EVENTS, Kind.EVENTS, Kind.HISTOGRAM, Kind.GAUGE)  # histograms ask two questions


def main() -> None:
    print(f"2 arms; medians of {RUNS} runs")
    print(
        f"{'':16}{'points':>7}{'metrics':>8}{'JSON':>10}{'parse':>11}{'judge':>11}"
        f"{'of parse':>9}{'new look':>11}{'peak memory':>13}"
    )
    for name, kinds in (("all events", (Kind.EVENTS,)), ("a mix of kinds", MIX)):
        for points in POINTS:
            for metrics in METRICS:
                row(name, [kinds[i % len(kinds)] for i in range(metrics)], points)


def row(name: str, kinds: Sequence[Kind], points: int) -> None:
    service, evidence = release(kinds, points, np.random.default_rng(1))
    arms = [arm for pair in evidence.pairs for arm in (pair.baseline, pair.canary)]
    body = orjson.dumps([matrix(arm, evidence.window) for arm in arms])
    parsing = median(lambda: orjson.loads(body))
    judging = median(lambda: judge(service, evidence))
    peak_memory = peak(lambda: judge(service, evidence))
    print(
        f"{name:16}{points:7,}{len(kinds):8}{len(body) / 1e6:7.2f} MB{1e6 * parsing:8,.0f} µs"
        f"{1e6 * judging:8,.0f} µs{judging / parsing:8.1f}x"
        f"{1e6 * next_look(service, evidence):8,.0f} µs"
        f"{peak_memory / 1e6:10.1f} MB"
    )


def next_look(service: Service, evidence: Evidence) -> float:
    """Seconds of a look one interval after another."""
    count = evidence.window.count
    before, now = (until(evidence, points) for points in (count - 1, count))

    def seconds() -> float:
        memory = Memory()
        judge(service, before, memory)
        start = time.perf_counter()
        judge(service, now, memory)
        return time.perf_counter() - start

    return statistics.median(seconds() for _ in range(RUNS))


def until(evidence: Evidence, points: int) -> Evidence:
    window = replace(evidence.window, count=points)
    return replace(
        evidence, window=window, pairs=tuple(one.until(window) for one in evidence.pairs)
    )


def release(
    kinds: Sequence[Kind], points: int, rng: np.random.Generator
) -> tuple[Service, Evidence]:
    """A healthy canary with a tenth of the traffic."""
    metrics = [metric(f"{kind} {i}", kind) for i, kind in enumerate(kinds)]
    pairs = [
        Pair(one.name, *(arm(one.kind, requests, points, rng) for requests in (9_000, 1_000)))
        for one in metrics
    ]
    service = Service(
        name="web", tier=1, arms=Arms(canary="", baseline=""), metrics=tuple(metrics),
        policy="", step=STEP, lag=0.0,
    )  # fmt: skip
    return service, Evidence(Window(START, STEP, points), tuple(pairs))


def metric(name: str, kind: Kind) -> Metric:
    return Metric(
        name=name, kind=kind, queries={}, source="", worse=Direction.HIGHER, critical=True,
        margin=DEFAULT_MARGINS[kind], quantiles=(0.5, 0.99) if kind is Kind.HISTOGRAM else (),
    )  # fmt: skip


def arm(kind: Kind, requests: int, points: int, rng: np.random.Generator) -> Series:
    total = rng.poisson(requests, points)
    if kind is Kind.EVENTS:
        return Counts(array(rng.binomial(total, 0.002)), array(total))
    if kind is Kind.GAUGE:
        pods = tuple(f"pod-{i}" for i in range(PODS))
        return Levels(pods, array(rng.normal(1.0, 0.05, (points, PODS))))
    shares = np.diff([0.0, 0.0, 0.01, 0.08, 0.25, 0.5, 0.9, 0.97, 0.99, 0.999, 1.0, 1.0, 1.0])
    return Buckets(array(EDGES), array([rng.multinomial(n, shares) for n in total]))


def matrix(series: Series, window: Window) -> list[dict[str, object]]:
    """As the HTTP API of Prometheus tells it: times as numbers, values as text."""
    columns: list[Array] = []
    if isinstance(series, Counts):
        columns = [series.bad, series.total]
    elif isinstance(series, Buckets):
        columns = list(series.counts.T)
    elif isinstance(series, Levels):
        columns = list(series.values.T)
    return [
        {
            "metric": {"job": "web", "series": str(index)},
            "values": [
                [end, repr(float(value))] for end, value in zip(window.ends, column, strict=True)
            ],
        }
        for index, column in enumerate(columns)
    ]


def median(work: Callable[[], object]) -> float:
    """Seconds."""
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def peak(work: Callable[[], object]) -> int:
    """Bytes allocated at most at once."""
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    main()
