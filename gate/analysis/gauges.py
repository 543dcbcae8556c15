r"""Gauges read on several pods (CPU, memory, queue depth): is the canary's mean within the margin?

Three things make a plain comparison of readings wrong. A gauge remembers: a minute's reading says
little that the minute before did not. Pods differ for ever (node, zone), and no length of time
averages that out, only more pods do. And load moves all pods together. So with margin R, d

    D_i = mean of canary pods / R - mean of baseline pods - d / R                              (1)

is taken in each interval i: what moves both arms cancels, both parts of the margin fit, and zeros
and negative values are as good as others (a log-ratio would need all to be positive). Dividing the
canary by R makes pods of both arms differ alike where it matters, on the margin. With noise of
variance s^2 and memory rho and a lasting difference of variance tau^2 between pods (`wandering`),
the best average z of n such D has

    v = tau^2 (1 / pods_c + 1 / pods_b) + s^2 / I (1 / pods_c + 1 / pods_b),
    I = 1 + (n - 1) (1 - rho) / (1 + rho),                                                     (2)

and z / sqrt(v) is scored by Student's normal mixture (`student`). Were v known, the mixture would
be a martingale: it is a mean of likelihood ratios of D_1..D_n, and Ville's inequality would bound
all looks at once. Estimated are rho and s^2, from a thousand readings in the usual hour and its
history, and the mean square M between pods' means, of the few pods there are. M holds tau^2 and
what is left of s^2 over the time it is taken of: the canary's pods over the window, the baseline's
over the window and the hour before. The rest of (2) is added, and the score's degrees of freedom
are Satterthwaite's (1946) of that sum. v is never taken below its part in s^2, nor below what the
arms' own pod means in the window say (Welch 1947), should the noise remember otherwise than AR(1).
That estimates in place of v keep Ville's bound over all looks is not proved but simulated, for
memory 0 to 0.95 and 1 to 20 pods (the tests).

*Worse* is claimed if from some moment on the canary was beyond the margin. Half of the capital is
on a regression from the first interval on; the other half is spread over later starts, each of
which sees only what came after it. The best of all, times its share, is the evidence: by the union
bound some start is wrongly believed with probability at most alpha times the sum of the shares.

*Not worse* is claimed of the mean of the whole window. Its last quarter may veto: moved on by the
window's trend for as long again where that trend is clear, it must show half as much (in
logarithms). So a canary that drifts towards the margin is not acquitted for its past. What is not
claimed: that no drift is under way that the noise of the window still hides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gate.analysis.question import Effect, Unfit, mirrored
from gate.analysis.student import log_evidence, scores_at
from gate.analysis.wandering import Contrasts, Lasting, Noise, averages, weights
from gate.metric import Direction, Margin, Metric
from gate.series import Array, Levels

# A mean of fewer readings is not normal where readings are not; late starts wait as long.
FEWEST_INTERVALS = 5
# Two pods in each arm have 2. With 1, Student's tails are so heavy that no difference seen in life
# would be believed; the half forgives two pods an interval in which one was not seen.
FEWEST_FREEDOM = 1.5
# An arm whose own pods tell this little of their spread is not asked whether it is wider.
OWN_FREEDOM = 0.9
# Differences between pods below this share of the values are the rounding of doubles.
ROUNDING = 1e-9

FROM_THE_START = 0.5  # of the capital: most regressions are there at once
# Later starts: twelve, five intervals apart, share half of the rest; twelve more, ten apart, half
# of what is then left; and so on. In the first hour of minutes a late start costs log 24 more.
APART, BLOCK = 5, 12

LATE, FEWEST_LATE = 4, 3  # the last quarter of the window, and three intervals at least
# From the middle of the last quarter to twice the window's end is one and a half times as far as
# from the middle of the first quarter to that of the last.
ONWARDS = 1.5
# The end of the window claims nothing, it may only veto; of a quarter of the readings half of the
# evidence is asked.
VETO = 2.0
# Standard errors that a trend must exceed, and only what exceeds them counts. With one, a leak that
# crosses the margin in minute 20 is acquitted at minute 14 half as often as with two, and healthy
# canaries are shown as soon.
CLEAR = 1.0

LONGEST = 1440  # intervals; beyond a day of minutes a rollout is not waiting, it is running


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeAnswer:
    """Natural-log evidence both ways, the effect, and what it rests on.

    `clear_in`: intervals until "not worse" is shown if the canary equals the baseline from now on;
    None where it is shown already, or not within a day of minutes.
    """

    log_e_worse: float
    log_e_not_worse: float
    effect: Effect
    pods_baseline: int
    pods_canary: int
    clear_in: int | None
    method: str


def compare(
    metric: Metric,
    baseline: Levels,
    canary: Levels,
    history: Levels | None,
    log_low: float,
    log_high: float,
) -> GaugeAnswer:
    """The pods' answer; raises Unfit. `log_low`, `log_high`: evidence at which bounds hold.

    `history` is the baseline before the window, on whatever pods it had; it teaches the noise.

    >>> from gate.metric import Kind
    >>> wobble = 0.1 * np.sin(np.outer(np.arange(1, 31) ** 2, [0.7, 1.3, 1.9, 2.3]))
    >>> metric = Metric(
    ...     name="cpu", kind=Kind.GAUGE, queries={}, source="", worse=Direction.HIGHER,
    ...     margin=Margin(1.2, 0.0), critical=True,
    ... )
    >>> pods, new = Levels(tuple("abcd"), 1.0 + wobble), Levels(tuple("efgh"), 1.5 + wobble[::-1])
    >>> answer = compare(metric, pods, new, None, 5.0, 3.0)
    >>> answer.log_e_worse > 5.0, answer.log_e_not_worse < 0.0, answer.effect.low > 0.2
    (True, True, True)
    """
    lower = metric.worse is Direction.LOWER
    margin = metric.margin.mirrored() if lower else metric.margin
    sign = -1.0 if lower else 1.0
    arms = _Arms.of(sign * baseline.values, sign * canary.values, margin)
    course = _Course.of(arms, _longer(history, baseline, arms, sign))
    effect = course.effect(margin, log_low, log_high)
    worse, not_worse = course.log_e()
    return GaugeAnswer(
        log_e_worse=worse,
        log_e_not_worse=not_worse,
        effect=mirrored(effect) if lower else effect,
        pods_baseline=int(arms.baseline.present.any(axis=0).sum()),
        pods_canary=int(arms.canary.present.any(axis=0).sum()),
        clear_in=None if not_worse >= log_high else course.clear_in(margin, log_high),
        method=course.method,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Arms:
    """The intervals in which both arms were seen, by number, the canary divided by the ratio."""

    intervals: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    baseline: Contrasts
    canary: Contrasts
    beyond: Array  # D of equation (1)

    @staticmethod
    def of(baseline: Array, canary: Array, margin: Margin) -> _Arms:
        both = ~(np.isnan(baseline).all(axis=1) | np.isnan(canary).all(axis=1))
        if both.sum() < FEWEST_INTERVALS:
            raise Unfit(
                f"{both.sum()} intervals seen in both arms, {FEWEST_INTERVALS} needed for a "
                "pod's mean"
            )
        theirs, ours = Contrasts.of(baseline[both]), Contrasts.of(canary[both] / margin.ratio)
        beyond = ours.mean - theirs.mean - margin.absolute / margin.ratio
        return _Arms(np.flatnonzero(both), theirs, ours, beyond)


@dataclass(frozen=True, slots=True, eq=False)
class _Averages:
    """Averages of D and their noise, each array (averages,).

    `spread`: the variance that one interval would have had, as a multiple of `variance`.
    """

    mean: Array
    variance: Array
    freedom: Array
    spread: Array

    def log_e(self) -> Array:
        """Evidence for a mean above zero."""
        return log_evidence(self.mean / np.sqrt(self.variance), self.freedom, self.spread)


@dataclass(frozen=True, slots=True)
class _Chance:
    """What chance does to an average of D: equation (2) with what is known of its parts.

    `wider`: how much the arms' own pods ask for beyond what all pods together do.
    """

    noise: Noise
    lasting: Lasting
    wider: float

    def averages(
        self,
        mean: Array,
        information: Array,
        each: Array,
        alike: Array,
        wander: Array | float | None = None,
    ) -> _Averages:
        """`each`: 1 / pods_c + 1 / pods_b in an interval; `alike`: the same of the whole average.

        They differ where pods come and go: the lasting differences of more pods cancel better.
        `wander`: what it will be by then, for averages that are only foreseen.
        """
        s2 = self.noise.variance
        lasting = self.lasting.square - s2 * self.lasting.wander
        left = self.lasting.wander if wander is None else wander
        between = alike * (lasting + s2 * left)
        known = s2 * (each / information - alike * left)
        variance = between + known
        # In shares, so that squares of tiny or huge variances stay within a double.
        share = between / variance
        freedom = 1.0 / (share**2 / self.lasting.freedom + (1.0 - share) ** 2 / self.noise.freedom)
        one = alike * lasting + s2 * each
        spread = np.where(one > 0, one / variance, 1.0)
        return _Averages(mean, self.wider * variance, freedom, spread)


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """D over the window: its averages from each start on, the last one that of the late quarter."""

    arms: _Arms
    chance: _Chance
    memory: Array  # of each interval's D from the one before
    scored: _Averages
    log_shares: Array  # of the capital, one for each start
    information: Array  # of the first and of the last average
    pods: tuple[float, float]  # `each` and `alike` of the first
    past: bool

    @staticmethod
    def of(arms: _Arms, longer: Contrasts) -> _Course:
        noise = Noise.of([longer, arms.canary])
        memory = noise.memory ** np.diff(arms.intervals)
        chance = _learnt(arms, longer, noise, memory)
        each = 1.0 / arms.baseline.present.sum(axis=1) + 1.0 / arms.canary.present.sum(axis=1)
        columns = [arms.beyond, each, arms.baseline.shares, arms.canary.shares]
        means, information = averages(np.column_stack(columns), memory)
        starts, shares = _starts(arms.intervals)
        n = len(arms.beyond)
        at = np.append(starts, n - _late(n))
        pods = np.stack([means[at, 1], (means[at, 2:] ** 2).sum(axis=1)])
        scored = chance.averages(means[at, 0], information[at], *pods)
        return _Course(
            arms, chance, memory, scored,
            log_shares=np.log(shares), information=information[at[[0, -1]]],
            pods=(float(pods[0, 0]), float(pods[1, 0])), past=longer is not arms.baseline,
        )  # fmt: skip

    def log_e(self) -> tuple[float, float]:
        """The log evidence for worse and for not worse."""
        n = len(self.log_shares)
        # One pass over: D from each start on, and -D of the whole window and of its end.
        which = [*range(n), 0, n]
        means = np.append(self.scored.mean[:n], [-self.scored.mean[0], -self._end()])
        logs = _Averages(
            means,
            self.scored.variance[which],
            self.scored.freedom[which],
            self.scored.spread[which],
        ).log_e()
        return float((self.log_shares + logs[:n]).max()), float(_both(logs[n], logs[n + 1]))

    def effect(self, margin: Margin, log_low: float, log_high: float) -> Effect:
        """The canary's shifts that the evidence of the whole window does not rule out."""
        baseline = float(self.arms.baseline.mean.mean())
        canary = float(self.arms.canary.mean.mean()) * margin.ratio
        levels = np.array([log_low - math.log(FROM_THE_START), log_high])
        freedom, spread = float(self.scored.freedom[0]), float(self.scored.spread[0])
        scores = scores_at(levels, freedom, spread)
        # In the metric's unit; a ratio below 1 leaves out part of the canary's own noise.
        error = math.sqrt(float(self.scored.variance[0])) * max(margin.ratio, 1.0)
        reach = [error * float(score) if math.isfinite(score) else None for score in scores]
        return Effect(
            baseline,
            canary,
            None if reach[0] is None else canary - baseline - reach[0],
            None if reach[1] is None else canary - baseline + reach[1],
            margin.limit(baseline),
        )

    def clear_in(self, margin: Margin, level: float) -> int | None:
        """Intervals to come until "not worse" is shown, each as an equal canary would have it."""
        baseline = float(self.arms.baseline.mean.mean())
        equal = (baseline - margin.limit(baseline)) / margin.ratio
        ahead = np.unique(np.geomspace(1, LONGEST, 60).astype(int)).astype(np.float64)
        gain = self.chance.noise.gain
        whole = self.information[0] + gain * ahead
        mean = (self.scored.mean[0] * self.information[0] + gain * ahead * equal) / whole
        length = np.maximum((len(self.arms.beyond) + ahead) / LATE, FEWEST_LATE)
        new = np.minimum(ahead / length, 1.0)
        end = (1.0 - new) * self.scored.mean[-1] + new * equal
        left = 1.0 / (1.0 / self.chance.lasting.wander + gain * ahead)
        logs = self.chance.averages(
            -np.concatenate([mean, end]),
            np.concatenate([whole, 1.0 + gain * (length - 1.0)]),
            np.full(2 * len(ahead), self.pods[0]),
            np.full(2 * len(ahead), self.pods[1]),
            np.concatenate([left, left]),
        ).log_e()
        shown = _both(logs[: len(ahead)], logs[len(ahead) :]) >= level
        return int(ahead[np.argmax(shown)]) if shown.any() else None

    @property
    def method(self) -> str:
        noise = self.chance.noise
        source = "the window and its history" if self.past else "the window alone"
        told = "assumed" if noise.assumed else f"learnt from {source}"
        return (
            f"pod means, {self.chance.lasting.freedom:.0f} degrees of freedom, "
            f"autocorrelation {noise.memory:.2f} {told}"
        )

    def _end(self) -> float:
        """The average of the last quarter, moved on by the trend where that is clear."""
        n, late = len(self.arms.beyond), float(self.scored.mean[-1])
        size = _late(n)
        if 2 * size > n:
            return late
        early, information = averages(self.arms.beyond[:size, None], self.memory[: size - 1])
        noise = self.chance.noise.variance * self.pods[0]
        error = math.sqrt(noise * (1.0 / information[0] + 1.0 / self.information[1]))
        return late + ONWARDS * max(late - float(early[0, 0]) - CLEAR * error, 0.0)


def _longer(history: Levels | None, baseline: Levels, arms: _Arms, sign: float) -> Contrasts:
    """The baseline with its history before it; pods are told apart by name."""
    if history is None:
        return arms.baseline
    seen = sign * history.values[~np.isnan(history.values).all(axis=1)]
    if not seen.size:
        return arms.baseline
    column = {pod: at for at, pod in enumerate(dict.fromkeys((*history.pods, *baseline.pods)))}
    readings = np.full((len(seen) + len(arms.intervals), len(column)), np.nan)
    readings[: len(seen), [column[pod] for pod in history.pods]] = seen
    window = sign * baseline.values[arms.intervals]
    readings[len(seen) :, [column[pod] for pod in baseline.pods]] = window
    return Contrasts.of(readings)


def _learnt(arms: _Arms, longer: Contrasts, noise: Noise, memory: Array) -> _Chance:
    """How much pods differ; raises Unfit where nothing tells."""
    weight = weights(memory)
    own = [Lasting.of(arm, weight, noise) for arm in (arms.baseline, arms.canary)]
    before = weights(np.full(len(longer.mean) - 1, noise.memory))
    whole = Lasting.pooled([Lasting.of(longer, before, noise), own[1]])
    if whole.freedom < FEWEST_FREEDOM:
        raise Unfit(
            "too few pods to tell how much pods differ: two in each arm, or three in one, needed; "
            "let the query return one series for each pod"
        )
    square = max(whole.square, noise.variance * whole.wander)
    largest = max(np.abs(arms.baseline.mean).max(), np.abs(arms.canary.mean).max())
    # Whole numbers that happen to agree are no proof that the next pod would.
    if square <= (ROUNDING * float(largest)) ** 2:
        raise Unfit("the pods of each arm agree to the last bit")
    wander = Lasting.pooled(own).wander or 1.0 / (1.0 + noise.gain * (len(weight) - 1))
    usual = square + noise.variance * (wander - whole.wander)
    pods = [float(((weight @ arm.shares) ** 2).sum()) for arm in (arms.baseline, arms.canary)]
    apart = sum(
        share * (one.square if one.freedom >= OWN_FREEDOM else usual)
        for share, one in zip(pods, own, strict=True)
    )
    wider = max(apart / (sum(pods) * usual), 1.0)
    return _Chance(noise, Lasting(square, whole.freedom, whole.wander), wider)


def _both(whole: Array, end: Array) -> Array:
    """Evidence of not worse: the whole window's, unless its end forbids."""
    return np.minimum(whole, np.where(end > 0, VETO * end, end))


def _late(intervals: int) -> int:
    return min(max(FEWEST_LATE, -(-intervals // LATE)), intervals)


def _starts(
    intervals: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.intp]], Array]:
    """Which of these intervals are starts, and the share of the capital on each."""
    begins, shares = [0], [FROM_THE_START]
    apart, share = APART, (1.0 - FROM_THE_START) / 2
    while begins[-1] <= intervals[-1]:
        begins += [begins[-1] + apart * k for k in range(1, BLOCK + 1)]
        shares += [share / BLOCK] * BLOCK
        apart, share = 2 * apart, share / 2
    reached = np.array(begins) <= intervals[-FEWEST_INTERVALS]
    return np.searchsorted(intervals, np.array(begins)[reached]), np.array(shares)[reached]
