"""What judging costs, as a ratio to reading the same numbers: `python -m bench.judge`.

100 metrics, both arms, 120 points. The yardstick is orjson parsing the two arms' range answers as
Prometheus sends them, which a gate has to do in any case. It takes a few seconds.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import orjson

from gate.analysis.judge import judge
from gate.evidence.evidence import Evidence, Pair
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Series, array
from gate.service import Arms, Service

METRICS, POINTS = 100, 120
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
WINDOW = Window(1_700_000_040.0, 60.0, POINTS)
MIX = (Kind.EVENTS, Kind.EVENTS, Kind.HISTOGRAM, Kind.GAUGE)  # histograms ask two questions


def main() -> None:
    print(f"{METRICS} metrics, 2 arms, {POINTS} points; medians of {RUNS} runs")
    print(f"{'':18}{'JSON':>9}{'parse':>11}{'judge':>11}{'ratio':>8}{'judge, peak memory':>20}")
    row("all events", (Kind.EVENTS,))
    row("a mix of kinds", MIX)


def row(name: str, kinds: Sequence[Kind]) -> None:
    rng = np.random.default_rng(1)
    service, evidence = release([kinds[i % len(kinds)] for i in range(METRICS)], rng)
    arms = [arm for pair in evidence.pairs for arm in (pair.baseline, pair.canary)]
    body = orjson.dumps([matrix(arm) for arm in arms])
    parsing = median(lambda: orjson.loads(body))
    judging = median(lambda: judge(service, evidence))
    memory = peak(lambda: judge(service, evidence))
    print(
        f"{name:18}{len(body) / 1e6:6.1f} MB{1e3 * parsing:8.1f} ms{1e3 * judging:8.1f} ms"
        f"{judging / parsing:7.1f}x{memory / 1e6:17.1f} MB"
    )


def release(kinds: Sequence[Kind], rng: np.random.Generator) -> tuple[Service, Evidence]:
    """A healthy canary with a tenth of the traffic."""
    metrics = [metric(f"{kind} {i}", kind) for i, kind in enumerate(kinds)]
    pairs = [
        Pair(one.name, arm(one.kind, 9_000, rng), arm(one.kind, 1_000, rng)) for one in metrics
    ]
    service = Service(
        name="web", tier=1, arms=Arms(canary="", baseline=""), metrics=tuple(metrics),
        policy="", step=WINDOW.step, lag=0.0,
    )  # fmt: skip
    return service, Evidence(WINDOW, tuple(pairs))


def metric(name: str, kind: Kind) -> Metric:
    return Metric(
        name=name, kind=kind, queries={}, source="", worse=Direction.HIGHER, critical=True,
        margin=DEFAULT_MARGINS[kind], quantiles=(0.5, 0.99) if kind is Kind.HISTOGRAM else (),
    )  # fmt: skip


def arm(kind: Kind, requests: int, rng: np.random.Generator) -> Series:
    total = rng.poisson(requests, POINTS)
    if kind is Kind.EVENTS:
        return Counts(array(rng.binomial(total, 0.002)), array(total))
    if kind is Kind.GAUGE:
        pods = tuple(f"pod-{i}" for i in range(PODS))
        return Levels(pods, array(rng.normal(1.0, 0.05, (POINTS, PODS))))
    shares = np.diff([0.0, 0.0, 0.01, 0.08, 0.25, 0.5, 0.9, 0.97, 0.99, 0.999, 1.0, 1.0, 1.0])
    return Buckets(array(EDGES), array([rng.multinomial(n, shares) for n in total]))


def matrix(series: Series) -> list[dict[str, object]]:
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
                [end, repr(float(value))] for end, value in zip(WINDOW.ends, column, strict=True)
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
