"""Freezes to closures: schedules and local dates resolved to seconds around one moment.

Why cronsim for schedules: it follows Debian's cron where clocks change (a start that does not exist
comes when the clock has jumped, one that exists twice comes once), works with zoneinfo, refuses
dates that never come, and is one file without dependencies. croniter steps in local seconds and
leaves the clock changes to its caller. Why icalendar with recurring-ical-events: together they read
RRULE, RDATE, EXDATE and moved occurrences; rules of recurrence are nothing to write again.

All of it is imported when a policy has a freeze.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from gate.closure import Closure, Moment, Spell
from gate.policy.freeze import AHEAD, Freeze, Kind
from gate.service import Service

Span = tuple[float, float]  # Unix seconds, the end excluded
# Starts are looked for from here before the earliest that could still last: where clocks change,
# cron is sure of its order from one day to the next, not within one.
MARGIN = 2 * 86_400.0
KEPT = 2  # spells of each closure that a decision carries: the present one and the next


def closures(freezes: Iterable[Freeze], service: Service, at: float) -> tuple[Closure, ...]:
    """The freezes that concern the service as they stand at `at`; deny each, allow together."""
    ours = [one for one in freezes if concerns(one, service)]
    denied = [_denied(one, at) for one in ours if one.kind is Kind.DENY]
    allowed = [one for one in ours if one.kind is Kind.ALLOW]
    every = [*denied, *([_outside(allowed, at)] if allowed else [])]
    return tuple(one for one in every if one.spells)


def concerns(freeze: Freeze, service: Service) -> bool:
    """Whether the freeze is about the service: all that it names must fit."""
    return (
        (not freeze.services or any(fnmatchcase(service.name, one) for one in freeze.services))
        and (not freeze.tiers or service.tier in freeze.tiers)
        and all(service.labels.get(key) == value for key, value in freeze.labels.items())
    )


def windows(freeze: Freeze, start: float, end: float) -> list[Span]:
    """The freeze's windows that touch `start` to `end`, in order, overlapping ones made one.

    A window that reaches beyond `end` keeps its own end.
    """
    if freeze.cron:
        spans = _scheduled(freeze, start, end)
    elif freeze.event:
        spans = _recurring(freeze, start, end)
    else:
        spans = iter([fixed(freeze)])
    return merged(span for span in spans if span[1] > start and span[0] <= end)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as can be, in order.

    >>> merged([(5.0, 7.0), (0.0, 2.0), (2.0, 3.0), (6.0, 6.5)])
    [(0.0, 3.0), (5.0, 7.0)]
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def fixed(freeze: Freeze) -> Span:
    """The one window of a freeze with dates.

    A local time that does not exist, or exists twice, makes a freeze longer and the window of an
    allow shorter: the safe reading of what was written.
    """
    starts = _instants(datetime.fromisoformat(freeze.start), ZoneInfo(freeze.zone))
    ends = _instants(datetime.fromisoformat(freeze.end), ZoneInfo(freeze.zone))
    if freeze.kind is Kind.ALLOW:
        return max(starts), min(ends)
    return min(starts), max(ends)


def moment(at: float, zone: str) -> Moment:
    """The moment as the zone writes it."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return Moment(at, local.isoformat(), f"{local:%a %Y-%m-%d %H:%M %Z}")


def _denied(freeze: Freeze, at: float) -> Closure:
    until = at + AHEAD
    spans = windows(freeze, at, until)
    if not freeze.start:  # what begins again beyond `until` may go on without a gap
        spans = [(start, math.inf if end > until else end) for start, end in spans]
    spells = _spells(spans, freeze.zone, at)
    return Closure(name=freeze.name, spells=spells, excepts=freeze.excepts)


def _outside(allowed: Sequence[Freeze], at: float) -> Closure:
    """The time outside of all these windows, named after them."""
    until = at + AHEAD
    open_ = merged(span for one in allowed for span in windows(one, at, until))
    return Closure(
        name=", ".join(one.name for one in allowed),
        spells=_spells(list(_between(open_, at)), allowed[0].zone, at),
        excepts=tuple(dict.fromkeys(word for one in allowed for word in one.excepts)),
        outside=True,
    )


def _between(open_: list[Span], at: float) -> Iterator[Span]:
    """The time from `at` on that no span covers; the last such time has no end in sight."""
    closed = at
    for start, end in open_:
        if start > closed:
            yield closed, start
        closed = max(closed, end)
    yield closed, math.inf


def _spells(spans: Sequence[Span], zone: str, at: float) -> tuple[Spell, ...]:
    """The present spell and the next."""
    return tuple(
        Spell(moment(start, zone), None if end == math.inf else moment(end, zone))
        for start, end in [one for one in spans if one[1] > at][:KEPT]
        if start <= at + AHEAD
    )


def _scheduled(freeze: Freeze, start: float, end: float) -> Iterator[Span]:
    from cronsim import CronSim

    zone = ZoneInfo(freeze.zone)
    since = datetime.fromtimestamp(start - freeze.duration - MARGIN, zone)
    for begins in CronSim(freeze.cron, since):
        begin = begins.timestamp()
        if begin > end:
            return
        yield begin, begin + freeze.duration


def _recurring(freeze: Freeze, start: float, end: float) -> Iterator[Span]:
    from gate.policy.ics import occurrences

    first, last = (datetime.fromtimestamp(one, UTC) for one in (start - MARGIN, end))
    for begins, ends in occurrences(freeze.event, first, last):
        yield _instant(begins, freeze, early=True), _instant(ends, freeze, early=False)


def _instant(value: date | datetime, freeze: Freeze, *, early: bool) -> float:
    """Unix seconds of a day's beginning or a time; what names no zone is local to the freeze."""
    local = value if isinstance(value, datetime) else datetime.combine(value, time())
    if local.tzinfo is not None:
        return local.timestamp()
    either = _instants(local, ZoneInfo(freeze.zone))
    return min(either) if early is (freeze.kind is Kind.DENY) else max(either)


def _instants(local: datetime, zone: ZoneInfo) -> tuple[float, float]:
    """The moments a local time may mean: the same twice, but where the clocks change."""
    return (
        local.replace(tzinfo=zone, fold=0).timestamp(),
        local.replace(tzinfo=zone, fold=1).timestamp(),
    )
