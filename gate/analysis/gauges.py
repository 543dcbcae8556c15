"""Gauges read on several pods (CPU, memory, queue depth): the pods are the sample.

A gauge is autocorrelated: a minute's reading says little that the minute before did not. And pods
differ for ever (node, zone). Taking readings for independent turns both into false alarms, so here
the unit is the pod: its mean over the window so far is one observation, and the arms' pod means
are compared by Welch's t test (no equal variances assumed; pod means taken as about normal).

To stay valid however often one looks, the test is done only at fixed times (after 5, 10, 20, 40,
... intervals), the p-value of each is turned into an e-value by the calibrator
f(p) = (1 - p + p ln p) / (p ln(p)^2)  (Vovk & Wang, E-values: calibration, combination and
applications, Annals of Statistics 2021, eq. (2)), and the e-values are added with weights
1/2, 1/6, 1/12, ... that sum to one. The sum only grows with time, so its value at any look is below
its value at the end, whose mean is at most 1: Markov's inequality bounds every look at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gate.analysis.question import Effect, Unfit, mirrored
from gate.analysis.student import log_upper_tail, upper_quantile
from gate.metric import Direction, Margin, Metric
from gate.series import Array, Levels

METHOD = "Welch's t over pod means at doubling times"
FIRST_LOOK = 5  # intervals; a pod's mean over fewer is mostly its start-up
# With one pod an arm has no spread to compare against.
FEWEST_PODS = 2
# A pod seen in less than half the time has another mean than the others for that reason alone.
LEAST_PRESENCE = 0.5
# Degrees of freedom count at most twice the smaller arm's, which is all they can be where the arms
# are of one size. With 20 pods against 2, two pods that happen to agree make Welch's estimate trust
# the 20, and p = 0.00001 comes up 30 times too often (a million simulated pairs; 0.1 times capped).
MOST_FREEDOM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeAnswer:
    """Natural-log evidence both ways, the effect, and the pods it rests on."""

    log_e_worse: float
    log_e_not_worse: float
    effect: Effect
    pods_baseline: int
    pods_canary: int


def compare(
    metric: Metric, baseline: Levels, canary: Levels, log_low: float, log_high: float
) -> GaugeAnswer:
    """The pods' answer; raises Unfit. `log_low`, `log_high`: evidence at which bounds hold."""
    lower = metric.worse is Direction.LOWER
    margin = metric.margin.mirrored() if lower else metric.margin
    sign = -1.0 if lower else 1.0
    looks = _looks(len(baseline.values))
    if not looks:
        raise Unfit(f"{len(baseline.values)} intervals, {FIRST_LOOK} needed for a pod's mean")
    worse, not_worse = [-math.inf], [-math.inf]
    for index, length in enumerate(looks):
        pods = _Pods.of(sign * baseline.values[:length], sign * canary.values[:length])
        if pods.unfit:  # nothing is staked on that look; later ones may be fit
            continue
        score, freedom = pods.score(margin)
        weight = -math.log((index + 1) * (index + 2))
        worse.append(weight + _log_calibrated(log_upper_tail(score, freedom)))
        not_worse.append(weight + _log_calibrated(log_upper_tail(-score, freedom)))
    if pods.unfit:
        raise Unfit(pods.unfit)
    spent = math.log(len(looks) * (len(looks) + 1))
    effect = pods.effect(margin, log_low + spent, log_high + spent)
    return GaugeAnswer(
        log_e_worse=float(np.logaddexp.reduce(worse)),
        log_e_not_worse=float(np.logaddexp.reduce(not_worse)),
        effect=mirrored(effect) if lower else effect,
        pods_baseline=len(pods.baseline),
        pods_canary=len(pods.canary),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pods:
    """The mean of each pod, one array an arm."""

    baseline: Array
    canary: Array

    @staticmethod
    def of(baseline: Array, canary: Array) -> _Pods:
        return _Pods(_means(baseline), _means(canary))

    @property
    def unfit(self) -> str:
        """Why the pods cannot be compared, or empty."""
        for arm, means in (("baseline", self.baseline), ("canary", self.canary)):
            if len(means) < FEWEST_PODS:
                return (
                    f"{arm}: {len(means)} pods seen long enough, {FEWEST_PODS} needed; "
                    "let the query return one series for each pod"
                )
        # Whole numbers that happen to agree are no proof that the next pod would.
        return "" if self._error(1.0)[0] > 0 else "the pods of each arm agree to the last bit"

    def score(self, margin: Margin) -> tuple[float, float]:
        """Welch's t of canary - ratio * baseline - absolute, and its degrees of freedom."""
        gap = self.canary.mean() - margin.limit(float(self.baseline.mean()))
        error, freedom = self._error(margin.ratio)
        return float(gap / error), freedom

    def effect(self, margin: Margin, log_low: float, log_high: float) -> Effect:
        means = float(self.baseline.mean()), float(self.canary.mean())
        difference = means[1] - means[0]
        error, freedom = self._error(1.0)
        reach = [
            error * upper_quantile(_log_p_for(level), freedom) for level in (log_low, log_high)
        ]
        return Effect(*means, difference - reach[0], difference + reach[1], margin.limit(means[0]))

    def _error(self, ratio: float) -> tuple[float, float]:
        """Standard error and Welch-Satterthwaite degrees of freedom, capped."""
        parts = [
            float(means.var(ddof=1)) * scale**2 / len(means)
            for means, scale in ((self.baseline, ratio), (self.canary, 1.0))
        ]
        degrees = [len(self.baseline) - 1, len(self.canary) - 1]
        whole = sum(parts)
        if whole == 0.0:
            return 0.0, 0.0
        # In shares of the whole, so that squares of tiny variances do not vanish.
        shares = [part / whole for part in parts]
        freedom = 1.0 / sum(
            share**2 / degree for share, degree in zip(shares, degrees, strict=True)
        )
        return math.sqrt(whole), min(freedom, MOST_FREEDOM * min(degrees))


def _looks(intervals: int) -> list[int]:
    looks, length = [], FIRST_LOOK
    while length <= intervals:
        looks.append(length)
        length *= 2
    return looks


def _means(values: Array) -> Array:
    present = ~np.isnan(values)
    enough = present.mean(axis=0) >= LEAST_PRESENCE
    means: Array = np.nanmean(values[:, enough], axis=0)
    return means


def _log_calibrated(log_p: float) -> float:
    """Natural log of f(p), from that of p; f falls from infinity at 0 to 1/2 at 1.

    >>> f = (1 - 0.05 + 0.05 * math.log(0.05)) / (0.05 * math.log(0.05) ** 2)
    >>> round(math.exp(_log_calibrated(math.log(0.05))) / f, 12)
    1.0
    """
    if log_p > -1e-4:  # the quotient is 0/0 at p = 1, and 1/2 is its limit
        return -math.log(2.0)
    p = math.exp(log_p)
    return math.log(1 - p + p * log_p) - log_p - 2 * math.log(-log_p)


def _log_p_for(log_e: float) -> float:
    """Natural log of the p-value that is worth this much evidence."""
    low, high = -1500.0, -1e-6
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _log_calibrated(middle) >= log_e else (low, middle)
    return low
