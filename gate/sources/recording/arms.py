"""Both arms of a metric, read from a recording."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gate.evidence.evidence import Cause, Gap, Pair
from gate.evidence.source import Asked, SourceError
from gate.metric import Arm, Kind, Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series
from gate.sources import shaping
from gate.sources.recording import intervals
from gate.sources.recording.recording import Recorded, Recording
from gate.sources.recording.selection import Selection, select, unheard_of
from gate.template import render


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """One arm: where its series are, and how to read them.

    `window` is the arm's own; a historical baseline's lies `earlier` seconds before the canary's.
    """

    arm: Arm
    recording: Recording
    window: Window
    earlier: float
    words: dict[str, str]
    cumulative: bool

    def select(self, query: str) -> Selection:
        return select(self.recording, render(query, self.words), str(self.arm))

    def events(self, series: Sequence[Recorded]) -> intervals.Counted:
        return intervals.counted(series, self.window, cumulative=self.cumulative)

    def by_pod(self, series: Sequence[Recorded]) -> dict[str, Array]:
        pods = shaping.by_pod(series, lambda one: one.labels)
        return {pod: self.events(own).values for pod, own in pods.items()}


Reader = Callable[[Metric, _Side], Series]


def pair(recording: Recording, metric: Metric, asked: Asked, *, cumulative: bool) -> Pair:
    """What the recording shows of the metric; raises SourceError where an arm is not there.

    Beside unhealthy targets it is a doubt when the query for bad (or good) events asks for a
    name or label that is nowhere in the recording: no errors, or a mistyped query?
    """
    read = _READERS[metric.kind]
    canary = _side(Arm.CANARY, recording, asked, cumulative=cumulative)
    baseline = _side(Arm.BASELINE, recording, asked, cumulative=cumulative)
    return Pair(
        metric.name,
        baseline=read(metric, baseline),
        canary=read(metric, canary),
        concurrent=asked.arms.offset is None,
        doubts=(
            *shaping.health_doubts(metric.name, _health(canary, asked), _health(baseline, asked)),
            *_spelling_doubts(metric, canary),
        ),
        history=_history(read, metric, baseline, asked.history),
    )


def _history(read: Reader, metric: Metric, side: _Side, window: Window) -> Series | None:
    """The baseline before the canary started; None where the recording does not show it."""
    earlier = Window(window.start - side.earlier, window.step, window.count)
    try:
        return read(metric, replace(side, window=earlier)) if window.count else None
    except SourceError:
        return None


def _side(arm: Arm, recording: Recording, asked: Asked, *, cumulative: bool) -> _Side:
    earlier = (asked.arms.offset or 0.0) if arm is Arm.BASELINE else 0.0
    selector = asked.arms.baseline if arm is Arm.BASELINE else asked.arms.canary
    window = asked.window
    return _Side(
        arm=arm,
        recording=recording,
        window=Window(window.start - earlier, window.step, window.count),
        earlier=earlier,
        words=asked.words | {"selector": render(selector, asked.words)},
        cumulative=cumulative,
    )


def _counts(metric: Metric, side: _Side) -> Counts:
    part = "good" if "good" in metric.queries else "bad"
    selected = side.select(metric.queries["total"]).within(side.window)
    whole = side.events(selected.series)
    parts = side.select(metric.queries[part]).series
    counted = side.events(parts)
    total = np.where(counted.void, np.nan, whole.values)
    of_pods = side.by_pod(selected.series), side.by_pod(parts)
    pods = shaping.counts_by_pod(*of_pods, good=part == "good")
    if part == "good":
        return shaping.counts_of_good(total, counted.values, side.arm, selected.where, pods)
    return shaping.counts(total, counted.values, selected.where, pods)


def _buckets(metric: Metric, side: _Side) -> Buckets:
    selected = side.select(metric.queries["buckets"]).within(side.window)
    for one in selected.series:
        if "le" not in one.labels:
            raise SourceError(Cause.MALFORMED, f"{selected.where}: {one} has no label le")
    pods = shaping.by_pod(selected.series, lambda one: one.labels)
    return shaping.buckets_by_le(
        _by_le(side, selected.series),
        selected.where,
        {pod: _by_le(side, own) for pod, own in pods.items()},
    )


def _by_le(side: _Side, series: Sequence[Recorded]) -> dict[str, Array]:
    by_le: dict[str, list[Recorded]] = defaultdict(list)
    for one in series:
        by_le[one.labels["le"]].append(one)
    counted = {le: side.events(same) for le, same in by_le.items()}
    # One bucket of one pod unseen, and the sums over all buckets no longer belong together.
    void = np.any([one.void for one in counted.values()], axis=0)
    return {le: np.where(void, np.nan, one.values) for le, one in counted.items()}


def _levels(metric: Metric, side: _Side) -> Levels:
    selected = side.select(metric.queries["value"]).within(side.window)
    rows = [(one.labels, intervals.last(one, side.window)) for one in selected.series]
    return shaping.levels(rows, selected.where)


def _samples(metric: Metric, side: _Side) -> Samples:
    selected = side.select(metric.queries["values"]).within(side.window)
    window = side.window
    parts = [intervals.within(one, window.start, window.end) for one in selected.series]
    times = np.concatenate([part[0] for part in parts]) + side.earlier
    return shaping.samples(times, np.concatenate([part[1] for part in parts]), selected.where)


_READERS: dict[Kind, Reader] = {
    Kind.EVENTS: _counts,
    Kind.HISTOGRAM: _buckets,
    Kind.GAUGE: _levels,
    Kind.SAMPLES: _samples,
}


def _health(side: _Side, asked: Asked) -> dict[str, float]:
    """The last health value of each target up to the moment asked about; the worst of two."""
    health: dict[str, float] = {}
    if not asked.arms.health:
        return health
    for one in side.select(asked.arms.health).series:
        known = one.values[one.times <= side.window.end + asked.tail]
        name = shaping.pod_name(one.labels)
        if known.size and (name not in health or not known[-1] > 0):
            health[name] = float(known[-1])
    return health


def _spelling_doubts(metric: Metric, side: _Side) -> tuple[Gap, ...]:
    query = metric.queries.get("bad")
    if query is None:
        return ()
    selection = side.select(query)
    why = unheard_of(side.recording, selection.selector)
    return (Gap(f"metric {metric.name}", Cause.EMPTY, f"{selection.where}: {why}"),) if why else ()
