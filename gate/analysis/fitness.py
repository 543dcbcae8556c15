"""Can these numbers carry an answer at all.

Two degrees. *Unusable*: nothing is computed. *Doubts*: the numbers may convict (what was seen to be
worse was seen), but they may not acquit, because what was not seen could have been worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gate.evidence.evidence import Evidence, Pair
from gate.metric import Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series

Seen = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# A target that stopped answering looks healthy for as long as its last numbers do; two silent
# intervals at the end are more than a late scrape.
SILENT_AT_END = 2
# Below four fifths, what is missing could outweigh a shift of the size of the usual margins.
LEAST_COVERAGE = 0.8
# Silence where this many events were to be expected is not chance: e^-10 is 1 in 22,000.
TOO_MANY_TO_MISS = 10.0
# What extrapolation of each pod's counts alone may add to or take from the sum over the arm.
NOT_ADDED_UP = 0.05
# Beyond this, sums and squares leave what a double can hold; no measurement is as large.
LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Fitness:
    """`unusable`: why nothing can be computed, or empty. `doubts`: why nothing may be acquitted."""

    unusable: str = ""
    doubts: tuple[str, ...] = ()


def fitness(pair: Pair, window: Window) -> Fitness:
    """What the pair can carry; each reason is one sentence without the metric's name."""
    if window.count == 0:
        return Fitness("no whole interval has passed since the canary started")
    for arm, series in (("baseline", pair.baseline), ("canary", pair.canary)):
        if fault := _fault(series, window):
            return Fitness(f"{arm}: {fault}")
    both = {"baseline": seen(pair.baseline, window), "canary": seen(pair.canary, window)}
    for arm, intervals in both.items():
        if not intervals.any():
            return Fitness(f"{arm}: no data in {window.count} intervals")
    doubts = (f"{gap.cause}: {gap.detail}" for gap in pair.doubts)
    return Fitness("", (*doubts, *_missing(both), *_quiet(pair)))


def unseen(metric: Metric, evidence: Evidence) -> str:
    """Why there is no pair for the metric."""
    about = f"metric {metric.name}"
    gaps = [f"{gap.cause}: {gap.detail}" for gap in evidence.gaps if gap.about == about]
    return "; ".join(gaps) or "not seen, and nothing says why"


def fit_history(pair: Pair, before: Window) -> Series | None:
    """The pair's history, if it is what it should be; judging goes on without one that is not."""
    history = pair.history
    if history is None or before.count == 0 or _fault(history, before):
        return None
    return history


def _missing(both: dict[str, Seen]) -> Iterator[str]:
    for arm, intervals in both.items():
        silent = int(np.argmax(intervals[::-1]))
        if silent >= SILENT_AT_END:
            yield f"{arm}: no data in the last {silent} intervals"
    covered = (both["baseline"] & both["canary"]).mean()
    if covered < LEAST_COVERAGE:
        yield f"only {covered:.0%} of the intervals were seen in both arms"


def _quiet(pair: Pair) -> Iterator[str]:
    """An arm that counts on but is no longer asked anything: it hangs, or was taken out."""
    for arm, series in (("baseline", pair.baseline), ("canary", pair.canary)):
        if isinstance(series, (Counts, Buckets)):
            events = _events(series)
            busy = np.flatnonzero(events > 0)
            after = events[busy[-1] + 1 :] if len(busy) else events
            quiet = int((after == 0).sum())
            usual = np.nansum(events) / max(len(events) - len(after), 1)
            if quiet >= SILENT_AT_END and usual * quiet > TOO_MANY_TO_MISS:
                yield f"{arm}: no traffic in the last {quiet} intervals"


def seen(series: Series, window: Window) -> Seen:
    """Which intervals of the window have data, shape (n,)."""
    if isinstance(series, Samples):
        bounds = np.array([window.start, *window.ends])
        interval = np.searchsorted(bounds, series.times[~np.isnan(series.values)], side="left")
        return np.bincount(interval, minlength=window.count + 2)[1 : window.count + 1] > 0
    if isinstance(series, Counts):
        return ~np.isnan(series.bad + series.total)
    values = series.counts if isinstance(series, Buckets) else series.values
    present = ~np.isnan(values)
    rows: Seen = (np.all if isinstance(series, Buckets) else np.any)(present, axis=1)
    return rows


def _fault(series: Series, window: Window) -> str:
    if fault := _misshapen(series, window) or _unsound(series):
        return fault
    if isinstance(series, (Counts, Buckets)):
        if fault := _fault_of_pods(series, window):
            return fault
        if not np.nansum(_events(series)) > 0:
            return "no traffic" if isinstance(series, Counts) else "no observations"
    return ""


def _fault_of_pods(series: Counts | Buckets, window: Window) -> str:
    """Pods that cannot be parts of this arm: what one of them did would be misread."""
    for pod, own in series.by_pod.items():
        if fault := _misshapen(own, window) or _unsound(own):
            return f"pod {pod}: {fault}"
        if isinstance(own, Buckets) and not np.array_equal(own.edges, _edges(series)):
            return f"pod {pod}: other bucket edges than the arm's"
    if series.by_pod:
        whole = _events(series)
        parts = np.nansum([_events(own) for own in series.by_pod.values()], axis=0)
        if (np.abs(parts - whole) > NOT_ADDED_UP * whole + 1.0).any():  # False where not seen
            return "the pods' counts do not add up to the arm's"
    return ""


def _events(series: Counts | Buckets) -> Array:
    """All events of each interval, (n,)."""
    return series.total if isinstance(series, Counts) else np.asarray(series.counts.sum(axis=1))


def _edges(series: Counts | Buckets) -> Array:
    return series.edges if isinstance(series, Buckets) else np.array([])


def _unsound(series: Series) -> str:
    """What no measurement is, of whatever part of the arm."""
    if any(np.isinf(values).any() for values in _arrays(series)):
        return "infinite values"
    if any((np.abs(values) > LARGEST).any() for values in _arrays(series)):
        return f"values beyond {LARGEST:g}"
    if isinstance(series, Samples):
        return "times do not ascend" if (np.diff(series.times) < 0).any() else ""
    return "" if isinstance(series, Levels) else _fault_of_counts(series)


def _misshapen(series: Series, window: Window) -> str:
    if isinstance(series, Samples):
        alike = series.times.ndim == 1 and series.times.shape == series.values.shape
        return "" if alike else "times and values differ in length"
    rows = (series.counts,) if isinstance(series, Buckets) else _arrays(series)
    if any(values.ndim == 0 or len(values) != window.count for values in rows):
        return f"not one row for each of the {window.count} intervals"
    if isinstance(series, Counts):
        return "" if all(values.ndim == 1 for values in rows) else "not one count an interval"
    if isinstance(series, Levels):
        alike = series.values.shape[1:] == (len(series.pods),)
        return "" if alike else "not one column for each pod"
    alike = series.edges.ndim == 1 and series.counts.shape[1:] == (len(series.edges) + 1,)
    return "" if alike else "bucket counts and edges do not match"


def _fault_of_counts(series: Counts | Buckets) -> str:
    if isinstance(series, Counts):
        if (series.bad < 0).any() or (series.total < 0).any():
            return "negative counts"
        if (series.bad > series.total).any():
            return "more bad events than events"
        return ""
    if (series.counts < 0).any():
        return "negative counts"
    if len(series.edges) == 0:
        return "only a +Inf bucket"
    if np.isnan(series.edges).any() or not (np.diff(series.edges) > 0).all():
        return "bucket edges do not ascend"
    return ""


def _arrays(series: Series) -> tuple[Array, ...]:
    match series:
        case Counts():
            return series.bad, series.total
        case Buckets():
            return series.edges, series.counts
        case Samples():
            return series.times, series.values
        case Levels():
            return (series.values,)
