"""Simulated releases: how much traffic, how the arms behave, and what is seen of it.

    rng = np.random.default_rng(1)
    hour = traffic(60, requests=10_000, weights=(0.01, 0.1, 0.5))
    seen = an_hour_of(errors(rng, hour, baseline=0.01, canary=0.02))
    judge(a_service(a_metric("errors")), until(seen, minutes=20))

All chance comes from the generator given, so that a test is the same every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.evidence.evidence import Evidence, Pair
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series, array
from gate.service import Service

T0 = 1_700_000_040.0  # a multiple of 60
STEP = 60.0
BEFORE = 60  # minutes of history, drawn apart so that the judged minutes do not depend on them
# client_golang's DefBuckets, the ones most services have.
PROMETHEUS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# 10 % apart, about a native histogram of schema 3.
FINE = tuple(0.005 * 1.1**k for k in range(80))


@dataclass(frozen=True, eq=False)
class Traffic:
    """Requests of both arms in each minute, shapes (n,)."""

    baseline: Array
    canary: Array

    @property
    def minutes(self) -> int:
        return len(self.canary)


def traffic(minutes: int, *, requests: float, weights: Sequence[float] = (0.1,)) -> Traffic:
    """`requests` a minute, the canary's weight raised in equal steps of time."""
    weight = np.repeat(weights, -(-minutes // len(weights)))[:minutes]
    return Traffic(np.round(requests * (1 - weight)), np.round(requests * weight))


def wave(minutes: int, *, high: float, period: float = 20.0) -> Array:
    """Factors from 1 to `high` and back that both arms suffer together."""
    swing = (1 - np.cos(2 * np.pi * np.arange(minutes) / period)) / 2
    return np.asarray(1 + (high - 1) * swing)


def errors(
    rng: np.random.Generator,
    hour: Traffic,
    *,
    baseline: float | Array,
    canary: float | Array,
    metric: str = "errors",
) -> Pair:
    """Each request fails alone, with its arm's probability in that minute."""
    arms = ((hour.baseline, baseline), (hour.canary, canary))
    before, past = np.full(BEFORE, hour.baseline[0]), rng.spawn(1)[0]
    rate = float(np.ravel(baseline)[0])
    return Pair(
        metric,
        *(Counts(array(rng.binomial(n.astype(int), p)), array(n)) for n, p in arms),
        history=Counts(array(past.binomial(before.astype(int), rate)), array(before)),
    )


def latencies(
    rng: np.random.Generator,
    hour: Traffic,
    *,
    slower: float = 1.0,
    edges: Sequence[float] = PROMETHEUS,
    median: float | Array = 0.1,
    sigma: float = 0.5,
    metric: str = "latency",
) -> Pair:
    """Lognormal seconds in buckets; every request of the canary takes `slower` times as long."""
    arms = ((hour.baseline, 1.0), (hour.canary, slower))
    before, usual = np.full(BEFORE, hour.baseline[0]), np.ravel(median)[0]
    return Pair(
        metric,
        *(_buckets(rng, n, factor * np.asarray(median), sigma, edges) for n, factor in arms),
        history=_buckets(rng.spawn(1)[0], before, usual, sigma, edges),
    )


def _buckets(
    rng: np.random.Generator, requests: Array, median: Array, sigma: float, edges: Sequence[float]
) -> Buckets:
    medians = np.broadcast_to(median, requests.shape)[:, None]
    below = ndtr(np.log(np.array(edges) / medians) / sigma)
    ends = np.ones((len(requests), 1))
    shares = np.diff(np.hstack([0 * ends, below, ends]), axis=1)
    return Buckets(array(edges), array(rng.multinomial(requests.astype(int), shares)))


def observations(
    rng: np.random.Generator,
    hour: Traffic,
    *,
    slower: float = 1.0,
    median: float = 0.1,
    sigma: float = 0.5,
    metric: str = "latency",
) -> Pair:
    """The same seconds, one by one."""
    arms = ((hour.baseline, 1.0), (hour.canary, slower))
    past = _samples(rng.spawn(1)[0], np.full(BEFORE, hour.baseline[0]), median, sigma)
    return Pair(
        metric,
        *(_samples(rng, n, factor * median, sigma) for n, factor in arms),
        history=Samples(array(past.times - BEFORE * STEP), past.values),
    )


def _samples(rng: np.random.Generator, requests: Array, median: float, sigma: float) -> Samples:
    minute = np.repeat(np.arange(len(requests)), requests.astype(int))
    times = np.sort(T0 + STEP * (minute + 1 - rng.random(len(minute))))
    return Samples(array(times), array(median * np.exp(sigma * rng.normal(size=len(minute)))))


def levels(
    rng: np.random.Generator,
    minutes: int,
    *,
    pods: tuple[int, int] = (5, 5),
    higher: float = 1.0,
    unlike: float = 0.05,
    noise: float = 0.05,
    memory: float = 0.9,
    metric: str = "cpu",
) -> Pair:
    """A gauge around 1: pods `unlike` each other for ever, each with AR(1) noise of this memory."""
    return Pair(
        metric,
        *(
            Levels(
                tuple(f"pod-{i}" for i in range(count)),
                array(
                    mean * (1 + unlike * rng.normal(size=count))
                    + _ar1(rng, (minutes, count), noise, memory)
                ),
            )
            for count, mean in zip(pods, (1.0, higher), strict=True)
        ),
    )


def _ar1(rng: np.random.Generator, shape: tuple[int, int], spread: float, memory: float) -> Array:
    values = np.empty(shape)
    values[0] = spread * rng.normal(size=shape[1])
    for i in range(1, shape[0]):
        fresh = spread * np.sqrt(1 - memory**2) * rng.normal(size=shape[1])
        values[i] = memory * values[i - 1] + fresh
    return values


def an_hour_of(*pairs: Pair, minutes: int | None = None) -> Evidence:
    """The evidence of a release; the window is as long as the series, where they tell it."""
    lengths = (_rows(arm) for pair in pairs for arm in (pair.baseline, pair.canary))
    known = minutes if minutes is not None else next(n for n in lengths if n is not None)
    return Evidence(Window(T0, STEP, known), pairs)


def until(evidence: Evidence, minutes: int) -> Evidence:
    """The same release, looked at earlier."""
    window = replace(evidence.window, count=minutes)
    return replace(
        evidence, window=window, pairs=tuple(one.until(window) for one in evidence.pairs)
    )


def findings(service: Service, evidence: Evidence, looks: Iterable[int]) -> dict[str, set[Finding]]:
    """All that was ever found of each comparison, looking after each of these minutes."""
    found: dict[str, set[Finding]] = {}
    for look in looks:
        for one in judge(service, until(evidence, look)).comparisons:
            found.setdefault(one.label, set()).add(one.finding)
    return found


def _rows(series: Series) -> int | None:
    if isinstance(series, Samples):
        return None
    if isinstance(series, Levels):
        return len(series.values)
    return len(series.counts if isinstance(series, Buckets) else series.total)
