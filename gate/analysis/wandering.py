"""How a gauge wanders from minute to minute, and how pods differ for ever.

A pod's reading is taken as: what all pods of its arm do + the pod's own lasting difference + noise
that remembers, AR(1) with `memory` (the correlation of neighbouring intervals) and `variance`. Pods
of both arms are taken to differ alike: node and zone make them differ, not the version.

All is learnt from contrasts, pod minus mean of the arm's pods in the same interval. Load moves all
pods alike and drops out; and for normal readings contrasts are independent of the arm means, which
are what is judged. So learning from the judged window itself costs no validity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gate.series import Array

# Beyond this an hour holds little more than one independent reading, and what is learnt from an
# hour no longer tells memory from a trend.
MOST_MEMORY = 0.98
# Intervals: subtracting a pod's mean biases its memory, by (1 + 3 memory) / length to first order
# (Marriott & Pope, Bias in the estimation of autocorrelations, Biometrika 1954). In shorter series
# the first order does not describe it.
SHORTEST = 6
# A share of an arm left over by rounding is that of no pod.
NO_SHARE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """One arm's pods against their mean: `values` (n, pods), 0 where `present` is 0 and not 1.

    `mean` is the arm's, shape (n,), and `shares` what each pod has of it, (n, pods).
    """

    mean: Array
    values: Array
    present: Array
    shares: Array

    @staticmethod
    def of(readings: Array) -> Contrasts:
        """From readings (n, pods), NaN where a pod was not seen; each row was seen on some pod."""
        seen = ~np.isnan(readings)
        present = seen.astype(np.float64)
        shares = present / present.sum(axis=1, keepdims=True)
        top = np.where(seen, readings, -np.inf).max(axis=1, keepdims=True)
        # Summed below the highest, so that the mean of equal numbers is that number.
        below = np.where(seen, readings - top, 0.0)
        mean = (below * shares).sum(axis=1, keepdims=True)
        return Contrasts((top + mean)[:, 0], (below - mean) * present, present, shares)

    @property
    def free(self) -> float:
        """The share of the readings that is not spent on the arm's mean: 1 - 1 / pods."""
        return 1.0 - len(self.present) / float(self.present.sum())


@dataclass(frozen=True, slots=True)
class Noise:
    """AR(1) noise of one pod; `freedom`: degrees of freedom of its variance.

    `assumed`: whether there was too little to learn the memory from, and the longest is assumed.
    """

    memory: float
    variance: float
    freedom: float
    assumed: bool

    @staticmethod
    def of(arms: Sequence[Contrasts]) -> Noise:
        """Pooled over arms, each pod about its own mean."""
        cross = square = count = pairs = series = 0.0
        lengths = [arm.present.sum(axis=0) for arm in arms]
        for arm, length in zip(arms, lengths, strict=True):
            lasting = arm.values.sum(axis=0) / np.maximum(length, 1.0)
            values = (arm.values - lasting) * arm.present
            cross += float(np.vdot(values[1:], values[:-1]))
            square += float(np.vdot(values, values))
            count += arm.free * float(length.sum())
            pairs += arm.free * float(np.vdot(arm.present[1:], arm.present[:-1]))
            series += arm.free * np.count_nonzero(length)
        long = series > 0 and count >= SHORTEST * series and square > 0 and pairs > 0
        memory = (
            _memory(cross / pairs * count / square, count / series, pairs) if long else MOST_MEMORY
        )
        kept = sum(
            arm.free * float((length * (1.0 - _of_mean(np.maximum(length, 1.0), memory))).sum())
            for arm, length in zip(arms, lengths, strict=True)
        )
        return Noise(
            memory=memory,
            variance=square / kept if kept > 0 else 0.0,
            # Squares of AR(1) noise are correlated by memory^2 from one interval to the next.
            freedom=max(kept * (1 - memory**2) / (1 + memory**2), 1.0),
            assumed=not long,
        )

    @property
    def gain(self) -> float:
        """What one more interval adds to the information of the first."""
        return (1.0 - self.memory) / (1.0 + self.memory)


@dataclass(frozen=True, slots=True)
class Lasting:
    """The mean square between pods' means over the window, and its degrees of freedom.

    It holds the lasting variance and `wander` times the noise's.
    """

    square: float
    freedom: float
    wander: float

    @staticmethod
    def of(arm: Contrasts, weights: Array, noise: Noise) -> Lasting:
        """`weights` (n,), of sum 1: of each interval in the arm's mean."""
        share, seen = weights @ arm.shares, weights @ arm.present
        per_pod = np.divide(1.0, seen, out=np.zeros_like(seen), where=seen > 0)
        means = per_pod * (weights @ arm.values)
        # What the lasting differences of all pods do to each pod's mean contrast, and so to the
        # weighted sum of squares; its freedom is Satterthwaite's, pods - 1 where all are seen
        # always.
        against = per_pod[:, None] * ((weights[:, None] * arm.present).T @ arm.shares)
        effect = np.diag((seen > 0).astype(np.float64)) - against
        form = effect.T @ (share[:, None] * effect)
        kept = float(np.trace(form))
        if kept < NO_SHARE:
            return Lasting(0.0, 0.0, 0.0)
        information = 1.0 + np.maximum(arm.present.sum(axis=0) - 1.0, 0.0) * noise.gain
        return Lasting(
            square=float((share * means**2).sum()) / kept,
            freedom=kept**2 / float((form**2).sum()),
            wander=float((share * (effect**2).sum(axis=1) / information).sum()) / kept,
        )

    @staticmethod
    def pooled(parts: Sequence[Lasting]) -> Lasting:
        freedom = sum(part.freedom for part in parts)
        if not freedom:
            return Lasting(0.0, 0.0, 0.0)
        square = sum(part.freedom * part.square for part in parts) / freedom
        wander = sum(part.freedom * part.wander for part in parts) / freedom
        return Lasting(square, freedom, wander)


def averages(values: Array, memory: Array) -> tuple[Array, Array]:
    """The best linear averages of AR(1) rows from each row to the last, and their information.

    `values` (n, q); `memory` (n - 1,): the correlation of each row with the one before. One row has
    information 1. Generalised least squares: with r the correlation, a row adds
    (x_i - r x_(i-1)) / (1 + r) to the sum and (1 - r) / (1 + r) to the information.

    >>> whole, information = averages(np.array([[1.0], [4.0], [1.0]]), np.array([0.5, 0.5]))
    >>> whole[0].round(3).tolist(), information.round(3).tolist()
    ([1.6], [1.667, 1.333, 1.0])
    """
    sums, information = values.copy(), np.ones(len(values))
    fresh = (values[1:] - memory[:, None] * values[:-1]) / (1.0 + memory)[:, None]
    gain = (1.0 - memory) / (1.0 + memory)
    sums[:-1] += fresh[::-1].cumsum(axis=0)[::-1]
    information[:-1] += gain[::-1].cumsum()[::-1]
    return sums / information[:, None], information


def weights(memory: Array) -> Array:
    """What each row weighs in the first of `averages`; of sum 1."""
    weight = np.ones(len(memory) + 1)
    weight[1:] = 1.0 / (1.0 + memory)
    weight[:-1] -= memory / (1.0 + memory)
    return np.asarray(weight / weight.sum())


def _memory(seen: float, length: float, pairs: float) -> float:
    """Unbiased, and then raised by its standard error: too short a memory is the bolder mistake."""
    stretch = length / (length - 3.0)
    unbiased = min(max((seen + 1.0 / length) * stretch, 0.0), MOST_MEMORY)
    return min(unbiased + math.sqrt((1.0 - unbiased**2) / pairs) * stretch, MOST_MEMORY)


def _of_mean(length: Array, memory: float) -> Array:
    """The variance of the plain mean of so many intervals, as a share of one interval's."""
    away = 1.0 - memory
    whole = (1.0 + memory) / away - 2 * memory * (1.0 - memory**length) / (length * away**2)
    return np.asarray(np.minimum(whole / length, 1.0))
