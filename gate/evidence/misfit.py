"""Whether what a source answered is an answer to what it was asked.

A source may be a stranger's. What does not fit is refused here, with a sentence, before anything is
computed from it; whether fitting numbers can carry a verdict is for the judge to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from gate.change import Change
from gate.evidence.evidence import Pair
from gate.metric import Kind, Metric
from gate.pull import PullRequests
from gate.series import Buckets, Counts, Levels, Samples
from gate.service import ChangeRange, PullRange
from gate.slo import Indicator, Slo, whole
from gate.units import duration

Wanted = Metric | Slo | ChangeRange | PullRange

# Kind of metric -> its series, and how many dimensions each of its arrays has.
_SERIES: Mapping[Kind, tuple[type, Mapping[str, int]]] = {
    Kind.EVENTS: (Counts, {"bad": 1, "total": 1}),
    Kind.HISTOGRAM: (Buckets, {"edges": 1, "counts": 2}),
    Kind.GAUGE: (Levels, {"values": 2}),
    Kind.SAMPLES: (Samples, {"times": 1, "values": 1}),
}

_COUNTS = (
    "commits", "files", "directories", "lines_added", "lines_deleted",
    "subsystems", "entropy", "age", "changes",
)  # fmt: skip


def misfit(wanted: Wanted, answer: object) -> str:
    """Why this is no answer to what was wanted; empty for one that is."""
    faults: Iterator[str]
    if isinstance(wanted, Metric) and isinstance(answer, Pair):
        faults = _of_pair(wanted, answer)
    elif isinstance(wanted, Slo) and isinstance(answer, tuple):
        faults = _of_indicators(wanted, answer)
    elif isinstance(wanted, ChangeRange) and isinstance(answer, Change):
        faults = _of_change(answer)
    elif isinstance(wanted, PullRange) and isinstance(answer, PullRequests):
        faults = _of_pulls(answer)
    else:
        return f"the source answered with {type(answer).__name__}"
    return next(faults, "")


def _of_pair(metric: Metric, pair: Pair) -> Iterator[str]:
    if pair.metric != metric.name:
        yield f"the source answered for metric {pair.metric!r}"
    for part in ("baseline", "canary", "history"):
        series = getattr(pair, part)
        if part != "history" or series is not None:
            yield from (f"{part}: {fault}" for fault in _of_series(metric.kind, series))
    yield from _of_texts(*(gap.detail for gap in pair.doubts))


def _of_series(wanted: Kind, series: object) -> Iterator[str]:
    kind, arrays = _SERIES[wanted]
    if not isinstance(series, kind):
        yield f"{wanted} are {kind.__name__}, not {type(series).__name__}"
    for name, dimensions in arrays.items():
        values = getattr(series, name, None)
        if not isinstance(values, np.ndarray) or values.dtype != np.float64:
            yield f"{name} is no array of float64"
        elif values.ndim != dimensions:
            yield f"{name} has {values.ndim} dimensions, not {dimensions}"
    if isinstance(series, Levels):
        yield from _of_texts(*series.pods)
    if isinstance(series, (Counts, Buckets)):
        yield from _of_texts(*series.by_pod)
        for pod, own in series.by_pod.items():
            yield from (f"pod {pod}: {fault}" for fault in _of_series(wanted, own))


def _of_indicators(slo: Slo, indicators: tuple[object, ...]) -> Iterator[str]:
    own = [one for one in indicators if isinstance(one, Indicator) and one.slo == slo.name]
    if len(own) < len(indicators):
        yield "the source answered with something that is no indicator of this objective"
    numbers = ("bad_share", "bad", "total", "coverage", "elapsed", "until", "window")
    for one in own:
        for name in numbers:
            value = getattr(one, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                yield f"a {name.replace('_', ' ')} is no number from 0 upwards"
        if one.bad_share is None and not one.unknown:
            yield "a bad share is not known, and nothing says why"
        yield from _of_texts(one.method, one.unknown)
    if not any(whole(slo, one) for one in own):
        length = duration(slo.window.length)
        yield f"nothing was measured over the objective's own window, {length}"


def _of_change(change: Change) -> Iterator[str]:
    counts = [getattr(change, name) for name in _COUNTS]
    counts += [value for row in change.recent for value in row]
    if any(value is not None and not 0 <= value < math.inf for value in counts):
        yield "a count of the change is no number from 0 upwards"
    if any(len(row) not in (6, 8) for row in change.recent):
        yield "an earlier change has neither 6 nor 8 counts"
    yield from _of_texts(change.base, change.head, *change.notes)
    yield from _of_texts(*(change.touches or ()), *(change.types or ()))


def _of_pulls(pulls: PullRequests) -> Iterator[str]:
    counts = (*pulls.numbers, pulls.direct, pulls.stale, pulls.approvals or 0)
    if any(count < 0 for count in counts) or not (pulls.numbers or pulls.direct):
        yield "a count of the pull requests is no number from 0 upwards"
    yield from _of_texts(pulls.base, pulls.head, *pulls.labels, *pulls.notes)
    for names in (pulls.types, pulls.failing, pulls.pending, pulls.missing):
        yield from _of_texts(*(names or ()))


def _of_texts(*texts: str) -> Iterator[str]:
    """Text that cannot be stored: half a surrogate pair, as broken JSON can hold."""
    for text in texts:
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            yield f"{text!r} is not valid Unicode"
