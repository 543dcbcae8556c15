"""What a recording shows of an objective: indicators written in it, or measured from its series."""

from __future__ import annotations

import numpy as np

from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.request import Window
from gate.series import Counts
from gate.slo import Indicator, Slo
from gate.sources import shaping
from gate.sources.recording import intervals
from gate.sources.recording.recording import Recording
from gate.sources.recording.selection import Selection, select
from gate.template import render
from gate.units import duration

# A tenth of a window unseen moves a budget by at most about a tenth when errors come evenly;
# more than that and "remaining" would be a guess.
LEAST_COVERAGE = 0.9


def recorded(recording: Recording, slo: Slo) -> tuple[Indicator, ...]:
    """The indicators written down for the objective, the longest window first.

    Raises EMPTY when none is written over the objective's own window.
    """
    own = [indicator for indicator in recording.indicators if indicator.slo == slo.name]
    if not any(indicator.window == slo.window for indicator in own):
        windows = ", ".join(duration(indicator.window) for indicator in own) or "none"
        raise SourceError(
            Cause.EMPTY,
            f"{recording.file}: no indicator of {slo.name} over {duration(slo.window)} "
            f"(written: {windows})",
        )
    return tuple(sorted(own, key=lambda indicator: -indicator.window))


def measured(
    recording: Recording, slo: Slo, asked: Asked, *, cumulative: bool
) -> tuple[Indicator, ...]:
    """Bad and all events over the objective's windows, each ending where the judged one ends.

    Raises PARTIAL where the recording covers less than `LEAST_COVERAGE` of a window, EMPTY where
    nothing happened in it, BAD_QUERY for an objective asked by `error_ratio`.
    """
    queries = slo.queries or {}
    if not {"bad", "total"} <= set(queries):
        raise SourceError(
            Cause.BAD_QUERY, f"slo {slo.name}: a recorded file needs the queries bad and total"
        )
    bad, total = (
        select(recording, render(queries[name], asked.words), f"slo {slo.name}: {name}")
        for name in ("bad", "total")
    )
    windows = sorted({slo.window, slo.burn_window}, reverse=True)
    return tuple(
        _indicator(slo.name, bad, total, asked.window.end, length, cumulative=cumulative)
        for length in windows
    )


def _indicator(
    slo: str, bad: Selection, total: Selection, end: float, length: float, *, cumulative: bool
) -> Indicator:
    within = total.within(Window(end - length, length, 1))
    spacing = _spacing(within)
    window = _cut(end, length, spacing)
    part = intervals.counted(bad.series, window, cumulative=cumulative)
    whole = intervals.counted(within.series, window, cumulative=cumulative)
    covered = _covered(within, end - length, end, spacing, cumulative=cumulative)
    covered *= 1 - float((part.void | whole.void).mean())
    if covered < LEAST_COVERAGE:
        raise SourceError(
            Cause.PARTIAL,
            f"{within.where}: {covered:.0%} of the last {duration(length)} is recorded, "
            f"{LEAST_COVERAGE:.0%} needed",
        )
    counts = shaping.counts(np.where(part.void, np.nan, whole.values), part.values, within.where)
    return _summed(slo, length, counts, within.where)


def _summed(slo: str, length: float, counts: Counts, where: str) -> Indicator:
    bad, total = float(np.nansum(counts.bad)), float(np.nansum(counts.total))
    if total == 0:
        raise SourceError(Cause.EMPTY, f"{where}: no events in the last {duration(length)}")
    return Indicator(slo, length, bad / total, bad, total)


def _spacing(selection: Selection) -> float:
    """The usual time between samples in seconds; infinite where there is but one moment."""
    times = np.unique(np.concatenate([one.times for one in selection.series]))
    return float(np.median(np.diff(times))) if times.size > 1 else np.inf


def _cut(end: float, length: float, spacing: float) -> Window:
    """The window cut about as finely as the recording, so that a hole costs only itself."""
    count = max(1, round(length / spacing))
    return Window(end - length, length / count, count)


def _covered(
    selection: Selection, start: float, end: float, spacing: float, *, cumulative: bool
) -> float:
    """The share of the time that samples stand for, each for one spacing; 0 where it is longer.

    Of cumulative counters only samples with a value count; of others an unseen value is counted
    as void, by `intervals.counted`.
    """
    seen = [
        times[~np.isnan(values)] if cumulative else times
        for times, values in (intervals.within(one, start, end) for one in selection.series)
    ]
    if spacing > end - start:
        return 0.0
    return min(1.0, np.unique(np.concatenate(seen)).size * spacing / (end - start))
