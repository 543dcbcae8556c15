"""One simulated rollout as a judge may see it: nothing of what was meant, all that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gate.evidence.evidence import Evidence, Pair
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels

MINUTES = 60
BEFORE = 60  # minutes of history that the baseline has when the canary starts
PODS = 10  # in each arm, whatever the weight: the canary is a full set behind a traffic split
START = 1_700_000_040.0
# Seconds. The edges of a Prometheus native histogram with bucket factor 1.1 (schema 3).
EDGES = 2.0 ** (np.arange(-40, 25) / 8)  # 31 ms to 8 s

_Series = Counts | Buckets | Levels


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One arm: requests, failed ones, CPU and memory of each pod (minutes, pods), latency counts.

    `latencies` has shape (minutes, pods, edges + 1) and holds the answers that a pod gave; NaN in a
    gauge means that the pod exported nothing.
    """

    requests: Array
    bad: Array
    latencies: Array
    cpu: Array
    memory: Array

    @property
    def latency(self) -> Array:
        """Of the pods together, (minutes, edges + 1)."""
        return np.asarray(self.latencies.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Rollout:
    """Both arms over the hour, and the baseline in the hour `before`."""

    baseline: Measured
    canary: Measured
    before: Measured

    def evidence(self, minute: int) -> Evidence:
        """What was seen in the first `minute` minutes, and the baseline's hour before them."""
        window = Window(START, 60.0, minute)
        return Evidence(window, tuple(pair.until(window) for pair in self._pairs))

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        arms = (("baseline", self.baseline), ("canary", self.canary), ("baseline", self.before))
        baseline, canary, before = (_shown(name, one) for name, one in arms)
        return tuple(
            Pair(name, baseline[name], canary[name], history=before[name]) for name in baseline
        )

    @cached_property
    def series(self) -> dict[str, tuple[Array, Array]]:
        """Both arms as a dashboard draws them, a number a minute: what simple judges compare."""
        baseline, canary = dashboard(self.baseline), dashboard(self.canary)
        return {name: (baseline[name], canary[name]) for name in baseline}

    def bad_served(self, minutes: int) -> int:
        """Failed requests on the canary in the first minutes."""
        return int(self.canary.bad[:minutes].sum())


def dashboard(arm: Measured) -> dict[str, Array]:
    """Errors in percent, latency in milliseconds, gauges as the mean of the pods; (minutes,)."""
    requests = arm.requests.sum(axis=1)
    bad = arm.bad.sum(axis=1)
    return {
        "errors": 100 * np.divide(bad, requests, out=np.full(len(bad), np.nan), where=requests > 0),
        "p50": 1000 * quantile(arm.latency, 0.50),
        "p99": 1000 * quantile(arm.latency, 0.99),
        "cpu": np.nanmean(arm.cpu, axis=1),
        "memory": np.nanmean(arm.memory, axis=1),
    }


def quantile(counts: Array, level: float) -> Array:
    """Straight within a bucket, as `histogram_quantile` reads it; NaN in a minute without any."""
    total = counts.sum(axis=1)
    below = np.concatenate([np.zeros((len(counts), 1)), counts.cumsum(axis=1)], axis=1)
    bucket = (below[:, 1:] < (level * total)[:, None]).sum(axis=1).clip(max=len(EDGES) - 1)
    row = np.arange(len(counts))
    inside = counts[row, bucket]
    way = np.divide(level * total - below[row, bucket], inside, out=np.zeros_like(total),
                    where=inside > 0).clip(0, 1)  # fmt: skip
    low = np.concatenate([[0.0], EDGES])[bucket]
    return np.where(total > 0, low + way * (EDGES[bucket] - low), np.nan)


def _shown(arm: str, measured: Measured) -> dict[str, _Series]:
    pods = tuple(f"{arm}-{pod}" for pod in range(PODS))
    errors = {
        pod: Counts(measured.bad[:, own], measured.requests[:, own]) for own, pod in enumerate(pods)
    }
    latency = {pod: Buckets(EDGES, measured.latencies[:, own]) for own, pod in enumerate(pods)}
    return {
        "errors": Counts(measured.bad.sum(axis=1), measured.requests.sum(axis=1), errors),
        "latency": Buckets(EDGES, measured.latency, latency),
        "cpu": Levels(pods, measured.cpu),
        "memory": Levels(pods, measured.memory),
    }
