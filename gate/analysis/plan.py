"""How long a rollout must run until the judge can tell, before it has begun.

A plan is the judge run on the expected rollout: growing windows of `expected` evidence are given to
the same `judge` that will decide, so the two can never disagree about what is enough. Two questions
are asked of every comparison: when is it called worse, if the canary is worse by just this much,
and when is it shown not worse, if the canary is just as good.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from gate.analysis.comparison import Comparison, Finding
from gate.analysis.counting import LONGEST
from gate.analysis.expected import Rollout, events_in, expected, worse_than
from gate.analysis.judge import OVERALL, judge
from gate.analysis.question import Unfit
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.metric import Direction, Margin, Metric
from gate.request import Window
from gate.series import Counts, Samples, Series, array
from gate.service import Service
from gate.units import duration

AS_GOOD = Margin(1.0, 0.0)
# Real rollouts scatter around the mean path far more than this share of its length.
FINENESS = 1.03
# Raw observations are judged one by one; more than these take longer than a plan is worth.
MOST_SAMPLES = 500_000.0
# What else is tried: how much worse, at which weights, with which margins.
RATIOS = (1.05, 1.1, 1.2, 1.5, 2.0, 5.0, 10.0)
WEIGHTS = (0.1, 0.25, 0.5)
WIDER = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)


class Never(StrEnum):
    """Why a finding does not come."""

    UNKNOWN = "unknown"  # the data to plan with is missing, or cannot carry an answer
    WITHIN_MARGIN = "within margin"
    NO_MARGIN = "no margin"
    TOO_LONG = "too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """When a finding comes: `after` seconds from the canary's start, with its `events` by then.

    None where it does not come, and `never` says why, with `detail` where there is more to say.
    """

    after: float | None = None
    events: float | None = None
    never: Never | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One comparison, planned. Values are in `unit`, and None where nothing is known."""

    metric: str
    aspect: str
    unit: str
    critical: bool
    margin: Margin
    assumed: bool
    worsened: Margin
    baseline: float | None
    canary: float | None
    limit: float | None
    counted: str
    worse: Answer
    safe: Answer

    @property
    def label(self) -> str:
        """`latency p99`."""
        return f"{self.metric} {self.aspect}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """What is known before the rollout.

    `before`: each metric's baseline in the window `past`, or why there is none; `assumed` names the
    metrics whose baseline was not seen but given; `doubts` are what was wrong beside those that
    were, and keep their metric from being acquitted. `traffic`: events a second of the first metric
    that counts any, both arms together; the others keep their proportion to it. None for the
    traffic that was seen. `pods` as in `Rollout`.
    """

    service: Service
    past: Window
    before: Mapping[str, Series | Gap]
    assumed: frozenset[str] = frozenset()
    doubts: tuple[Gap, ...] = ()
    traffic: float | None = None
    pods: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One weight planned, and what else might be done.

    `curve`: for each comparison's label an answer for each of `RATIOS`. `elsewhere`: the same rows
    at greater weights. `wider`: for what takes too long to be shown safe, the ratio of the margin
    that would let it, and when.
    """

    weight: float
    rows: tuple[Planned, ...]
    curve: Mapping[str, tuple[Answer, ...]]
    elsewhere: Mapping[float, tuple[Planned, ...]]
    wider: Mapping[str, tuple[float, Answer]]


def plan(basis: Basis, weight: float, worsened: Mapping[str, Margin]) -> Plan:
    """Everything at once; `worsened` says by how much each metric is worse."""
    own = rows(basis, weight, worsened)
    tried = ((one.label, wide_enough(basis, weight, one, WIDER)) for one in own if _slow(one.safe))
    return Plan(
        weight=weight,
        rows=own,
        curve=curve(basis, weight, RATIOS),
        elsewhere={one: rows(basis, one, worsened) for one in WEIGHTS if one > weight},
        wider={label: found for label, found in tried if found},
    )


def _slow(answer: Answer) -> bool:
    return answer.never is Never.TOO_LONG


def rows(basis: Basis, weight: float, worsened: Mapping[str, Margin]) -> tuple[Planned, ...]:
    """Both questions for every comparison; `worsened` says by how much each metric is worse."""
    return tuple(
        planned
        for metric in basis.service.metrics
        for planned in _planned(basis, metric, weight, worsened[metric.name])
    )


def curve(basis: Basis, weight: float, ratios: Sequence[float]) -> dict[str, tuple[Answer, ...]]:
    """For each comparison's label, when it is called worse if the canary is so many times worse."""
    answers: dict[str, list[Answer]] = {}
    for metric in basis.service.metrics:
        for ratio in ratios:
            looks = _Looks(basis, metric, weight, Margin(ratio, 0.0))
            for index, one in enumerate(looks.longest):
                answers.setdefault(one.label, []).append(looks.when(index, Finding.WORSE))
    return {label: tuple(found) for label, found in answers.items()}


def wide_enough(
    basis: Basis, weight: float, planned: Planned, ratios: Sequence[float]
) -> tuple[float, Answer] | None:
    """The first wider ratio of a margin that lets an equal canary be shown not worse, and when."""
    for ratio in (one for one in ratios if one > planned.margin.ratio):
        wider = _with_ratio(basis, planned.metric, ratio)
        metric = next(one for one in wider.service.metrics if one.name == planned.metric)
        looks = _Looks(wider, metric, weight, AS_GOOD)
        for index, one in enumerate(looks.longest):
            if one.aspect == planned.aspect and one.finding is Finding.NOT_WORSE:
                return ratio, looks.when(index, Finding.NOT_WORSE)
    return None


def _with_ratio(basis: Basis, name: str, ratio: float) -> Basis:
    metrics = tuple(
        replace(one, margin=replace(one.margin, ratio=ratio)) if one.name == name else one
        for one in basis.service.metrics
    )
    return replace(basis, service=replace(basis.service, metrics=metrics))


def _planned(basis: Basis, metric: Metric, weight: float, worsened: Margin) -> Iterator[Planned]:
    as_good, worse = (_Looks(basis, metric, weight, shift) for shift in (AS_GOOD, worsened))
    for index, one in enumerate(as_good.longest):
        yield Planned(
            metric=metric.name,
            aspect=one.aspect,
            unit=metric.unit,
            critical=metric.critical,
            margin=metric.margin,
            assumed=metric.name in basis.assumed,
            worsened=worsened,
            baseline=one.baseline,
            canary=worse_than(metric, worsened, one.baseline) if one.baseline is not None else None,
            limit=one.limit,
            counted=one.counted,
            worse=worse.when(index, Finding.WORSE),
            safe=as_good.when(index, Finding.NOT_WORSE),
        )


class _Looks:
    """One metric's expected rollout, judged after any number of intervals, and each once."""

    def __init__(self, basis: Basis, metric: Metric, weight: float, worsened: Margin) -> None:
        self._service, self._metric, self._worsened = basis.service, metric, worsened
        self._start, self._most = basis.past.end, _most(basis, metric)
        self._pair = _pair(basis, metric, weight, worsened, self._most)
        self._judged: dict[int, tuple[Comparison, ...]] = {}

    @property
    def longest(self) -> tuple[Comparison, ...]:
        """What the judge says of each aspect at the end of the day."""
        return self.after(self._most)

    def after(self, intervals: int) -> tuple[Comparison, ...]:
        if intervals not in self._judged:
            window = Window(self._start, self._service.step, intervals)
            analysis = judge(self._service, _until(self._pair, window))
            self._judged[intervals] = tuple(
                one
                for one in analysis.comparisons
                if one.metric == self._metric.name and one.aspect != OVERALL
            )
        return self._judged[intervals]

    def when(self, index: int, finding: Finding) -> Answer:
        """The soonest the judge says so of that aspect: what it then says, it goes on saying."""
        last = self.longest[index]
        if last.finding is not finding:
            return self._never(last, finding)
        low, high = 0, self._most
        while high - low > 1 and high > FINENESS * low:
            middle = min(max(math.isqrt(max(low, 1) * high), low + 1), high - 1)
            said = self.after(middle)[index].finding is finding
            low, high = (low, middle) if said else (middle, high)
        return Answer(
            after=high * self._service.step + self._service.lag,
            events=self.after(high)[index].events_canary,
        )

    def _never(self, last: Comparison, finding: Finding) -> Answer:
        if last.finding is Finding.UNFIT or last.baseline is None or last.limit is None:
            return Answer(never=Never.UNKNOWN, detail=last.why)
        if finding is Finding.WORSE:
            canary = worse_than(self._metric, self._worsened, last.baseline)
            if _within(canary, last.limit, self._metric.worse):
                return Answer(never=Never.WITHIN_MARGIN)
        elif last.limit == last.baseline:
            return Answer(never=Never.NO_MARGIN)
        return Answer(never=Never.TOO_LONG, detail=duration(self._most * self._service.step))


def _within(canary: float, limit: float, worse: Direction) -> bool:
    sign = 1.0 if worse is Direction.HIGHER else -1.0
    return sign * (canary - limit) <= 1e-9 * abs(limit)


def _most(basis: Basis, metric: Metric) -> int:
    """How many intervals a plan looks ahead."""
    intervals = max(1, int(LONGEST / basis.service.step))
    if isinstance(basis.before.get(metric.name), Samples):
        return max(1, min(intervals, int(MOST_SAMPLES / max(rates(basis)[metric.name], 1e-9))))
    return intervals


def _pair(
    basis: Basis, metric: Metric, weight: float, worsened: Margin, intervals: int
) -> Pair | Gap:
    about = f"metric {metric.name}"
    before = basis.before.get(metric.name, Gap(about, Cause.NOT_ASKED, "nothing is known of it"))
    if isinstance(before, Gap):
        return before
    rollout = Rollout(
        metric=metric,
        before=before,
        past=basis.past,
        events=rates(basis).get(metric.name, 0.0),
        weight=weight,
        pods=basis.pods,
    )
    doubts = tuple(one for one in basis.doubts if one.about == about)
    try:
        return replace(expected(rollout, worsened, intervals), doubts=doubts)
    except Unfit as why:
        return Gap(about, Cause.EMPTY, str(why))


def _until(pair: Pair | Gap, window: Window) -> Evidence:
    if isinstance(pair, Gap):
        return Evidence(window, gaps=(pair,))
    return Evidence(window, (pair.until(window),))


def rates(basis: Basis) -> dict[str, float]:
    """Events of each counted metric in an interval, both arms together."""
    usual = {
        name: count
        for name, series in basis.before.items()
        if not isinstance(series, Gap) and (count := events_in(series, basis.past))
    }
    first = next((usual[one] for one in _seen(basis) if one in usual), 0.0)
    factor = basis.traffic * basis.service.step / first if basis.traffic and first else 1.0
    return {
        name: count if name in basis.assumed else factor * count for name, count in usual.items()
    }


def traffic(basis: Basis) -> float | None:
    """Events a second of the first metric that counts any; None where none does."""
    if basis.traffic is not None:
        return basis.traffic
    counted = rates(basis)
    events = next((counted[one] for one in _seen(basis) if one in counted), None)
    return events / basis.service.step if events else None


def assumed(share: float, a_second: float, past: Window) -> Counts:
    """A baseline's history nobody saw: this share of bad events, each failing alone."""
    total = np.full(past.count, a_second * past.step)
    return Counts(array(share * total), array(total))


def _seen(basis: Basis) -> Iterator[str]:
    return (one.name for one in basis.service.metrics if one.name not in basis.assumed)
