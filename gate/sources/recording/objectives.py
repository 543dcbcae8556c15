"""What a recording shows of an objective: indicators written in it, or measured from its series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.request import Window
from gate.series import Counts
from gate.slo import Budgeting, Indicator, Slo, whole
from gate.sources import shaping
from gate.sources.recording import intervals
from gate.sources.recording.recording import Recording
from gate.sources.recording.selection import Selection, select
from gate.sources.steps import FINE, pages, span, started, windows
from gate.template import render
from gate.units import duration


def recorded(recording: Recording, slo: Slo) -> tuple[Indicator, ...]:
    """The indicators written down for the objective, the longest window first.

    Raises EMPTY when none is written over the objective's own window.
    """
    own = [indicator for indicator in recording.indicators if indicator.slo == slo.name]
    if not any(whole(slo, indicator) for indicator in own):
        windows = ", ".join(duration(indicator.window) for indicator in own) or "none"
        raise SourceError(
            Cause.EMPTY,
            f"{recording.file}: no indicator of {slo.name} over {_named(slo)} (written: {windows})",
        )
    return tuple(sorted(own, key=lambda indicator: -indicator.window))


def measured(
    recording: Recording, slo: Slo, asked: Asked, *, cumulative: bool
) -> tuple[Indicator, ...]:
    """Bad and all events over the objective's windows, each ending where the judged one ends.

    Raises EMPTY where nothing happened in its own window, BAD_QUERY for an objective that is not
    asked by `bad` and `total`, or whose budget is of slices.
    """
    queries = slo.queries or {}
    if not {"bad", "total"} <= set(queries) or slo.budgeting is not Budgeting.OCCURRENCES:
        raise SourceError(
            Cause.BAD_QUERY,
            f"slo {slo.name}: a recorded file needs the queries bad and total, and a budget of "
            "occurrences",
        )
    bad, total = (
        select(recording, render(queries[name], asked.words), f"slo {slo.name}: {name}")
        for name in ("bad", "total")
    )
    end, own = asked.window.end, span(slo, asked.window.end)
    long = _indicator(slo.name, bad, total, end, own.length, cumulative=cumulative)
    if not long.total:
        raise SourceError(
            Cause.EMPTY, f"{total.where}: no events in the last {duration(own.length)}"
        )
    until = started(asked, FINE)
    shorter = {(window, 0.0) for window in (*windows(slo), until) if 0 < window < own.length}
    before = {(window, until) for window in pages(slo) if until}
    found = [replace(long, elapsed=own.elapsed)]
    for window, ago in sorted(shorter | before, reverse=True):
        try:
            one = _indicator(slo.name, bad, total, end - ago, window, cumulative=cumulative)
        except SourceError as error:
            one = Indicator(slo.name, window, None, coverage=0.0, unknown=error.message)
        found.append(replace(one, until=ago))
    return tuple(found)


def _named(slo: Slo) -> str:
    calendar = slo.window.calendar
    return duration(slo.window.length) if calendar is None else f"the calendar's {calendar}"


def _indicator(
    slo: str, bad: Selection, total: Selection, end: float, length: float, *, cumulative: bool
) -> Indicator:
    within = total.within(Window(end - length, length, 1))
    spacing = _spacing(within)
    window = _cut(end, length, spacing)
    part = intervals.counted(bad.series, window, cumulative=cumulative)
    every = intervals.counted(within.series, window, cumulative=cumulative)
    covered = _covered(within, end - length, end, spacing, cumulative=cumulative)
    covered *= 1 - float((part.void | every.void).mean())
    counts = shaping.counts(np.where(part.void, np.nan, every.values), part.values, within.where)
    return _summed(slo, length, counts, covered)


def _summed(slo: str, length: float, counts: Counts, covered: float) -> Indicator:
    bad, total = float(np.nansum(counts.bad)), float(np.nansum(counts.total))
    share = bad / total if total else 0.0
    return Indicator(slo, length, share, bad, total, coverage=covered, method="recorded counts")


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
