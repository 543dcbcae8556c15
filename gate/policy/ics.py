"""iCalendar files (RFC 5545) as freezes: one for each event, with its exceptions.

Only what says when is kept of an event: every decision carries the policy it was made by, and a
calendar's descriptions and guests are nobody's business there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gate.errors import UsageError
from gate.policy.freeze import Freeze
from gate.reading import noted

# A public calendar of decades of holidays has some hundred events.
MOST_EVENTS = 1_000
MOST_BYTES = 1_000_000
# What begins several times a day is no freeze, and would be slow to list for years.
_SLOW_ENOUGH = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_EARLIEST, _LATEST = 1970, 2200
_ONCE = ("UID", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
# What the two libraries raise at text that only looks like a calendar.
BROKEN = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, OverflowError,
)  # fmt: skip
_WHEN = (
    "UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
)  # fmt: skip

Occurrence = tuple[date | datetime, date | datetime]


def events(text: str, path: Path, pattern: Freeze) -> tuple[Freeze, ...]:
    """A freeze like `pattern` for each event, by its name, or else the event's summary.

    Raises UsageError with `file:line` for what cannot be read as when a freeze is: an event without
    a length, a time zone nobody knows, a rule that repeats within a day. Cancelled events are left
    out; transparent ones are not, as public calendars write holidays so.
    """
    calendar = _calendar(path, text)
    found = _placed(path, text, calendar.walk("VEVENT"))
    if not found:
        raise UsageError(f"{path}:1: no event is in this calendar", "an .ics file with VEVENTs")
    if len(found) > MOST_EVENTS:
        raise UsageError(f"{path}:1: {len(found)} events; {MOST_EVENTS} are the most")
    grouped: dict[str, list[Any]] = {}
    lines: dict[str, int] = {}
    for number, (event, line) in enumerate(found):
        _refuse(path, text, event, line)
        key = str(event.get("UID", f"event {number + 1}"))
        grouped.setdefault(key, []).append(event)
        lines.setdefault(key, line)
    return tuple(
        _freeze(path, held, lines[key], pattern)
        for key, group in grouped.items()
        if (held := _held(group))
    )


def occurrences(text: str, start: datetime, end: datetime) -> Iterator[Occurrence]:
    """The times of an event (as `Freeze.event` holds it) that touch `start` to `end`."""
    return ((one.start, one.end) for one in _repeated(text).between(start, end))


@lru_cache(maxsize=MOST_EVENTS)
def _repeated(text: str) -> Any:
    """The event, read once for all the decisions of a server."""
    import recurring_ical_events
    from icalendar import Calendar

    return recurring_ical_events.of(Calendar.from_ical(text))


def read(path: Path) -> bytes:
    """The bytes of a calendar; raises UsageError for one that is not there, readable or small."""
    try:
        data = noted(path).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path}: {len(data)} bytes; {MOST_BYTES} are the most")
    return data


def text_of(data: bytes, path: Path) -> str:
    """The text of those bytes; raises UsageError where they are none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None


def _calendar(path: Path, text: str) -> Any:
    from icalendar import Calendar

    try:
        return Calendar.from_ical(text)
    except BROKEN as error:
        told = str(error).splitlines()[0][:120] if str(error) else "not closed"
        raise UsageError(f"{path}:{_line_of(text, told)}: not an iCalendar file: {told}") from None


def _placed(path: Path, text: str, events: Sequence[Any]) -> list[tuple[Any, int]]:
    """Each event with the line, from 1, where it begins."""
    lines = enumerate(text.splitlines(), 1)
    begins = [number for number, line in lines if line.strip().upper() == "BEGIN:VEVENT"]
    if len(begins) != len(events):
        raise UsageError(f"{path}:1: not an iCalendar file: its events are not closed in order")
    return list(zip(events, begins, strict=True))


def _line_of(text: str, told: str) -> int:
    """The line that a complaint of the parser quotes; the first where it quotes none."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line and f"'{line}'" in told), 1)


def _refuse(path: Path, text: str, event: Any, line: int) -> None:
    """UsageError for an event that does not say when it is."""
    where = f"{path}:{line}"
    if event.errors:
        name, told = event.errors[0]
        at = _inside(text, line, name) if name else _line_of(text, told)
        raise UsageError(f"{path}:{at}: {name or 'event'}: {told}")
    if twice := [name for name in _ONCE if isinstance(event.get(name), list)]:
        at = _inside(text, line, twice[0])
        raise UsageError(f"{path}:{at}: {twice[0]} is written twice in one event")
    if "DTSTART" not in event:
        raise UsageError(f"{where}: the event has no DTSTART")
    start = event["DTSTART"].dt
    if "DTEND" not in event and "DURATION" not in event and isinstance(start, datetime):
        raise UsageError(f"{where}: the event has no length", "give it a DTEND or a DURATION")
    try:
        lasts = event.start < event.end
    except BROKEN as error:
        raise UsageError(f"{where}: {error}") from None
    if not lasts:
        raise UsageError(f"{where}: the event ends before it begins, or at once")
    if start.year < _EARLIEST or event.end.year >= _LATEST:
        raise UsageError(f"{where}: the event lies outside of {_EARLIEST} to {_LATEST}")
    _refuse_zones(path, text, event, line)
    _refuse_rules(path, text, event, line)


def _refuse_zones(path: Path, text: str, event: Any, line: int) -> None:
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        if name in event and (written := event[name].params.get("TZID")):
            zone = getattr(event[name].dt, "tzinfo", None)
            if not isinstance(zone, ZoneInfo):
                at = _inside(text, line, name)
                raise UsageError(
                    f"{path}:{at}: unknown time zone {str(written)!r}",
                    "a name of the IANA database, such as Europe/Berlin",
                )


def _refuse_rules(path: Path, text: str, event: Any, line: int) -> None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        often = str(rule.get("FREQ", ["none"])[0])
        within_a_day = {"BYHOUR", "BYMINUTE", "BYSECOND"} & set(rule)
        if often not in _SLOW_ENOUGH or within_a_day:
            at = _inside(text, line, "RRULE")
            raise UsageError(
                f"{path}:{at}: the event repeats within a day ({often})",
                "a longer event says the same",
            )


def _inside(text: str, line: int, name: str) -> int:
    """The line of a property of the event that begins at `line`."""
    for number, one in enumerate(text.splitlines()[line - 1 :], line):
        if one.upper().startswith((f"{name}:", f"{name};")):
            return number
    return line


def _held(group: Sequence[Any]) -> list[Any]:
    """The events of one UID that take place; a single occurrence called off becomes an EXDATE."""
    held = [one for one in group if one.get("STATUS") != "CANCELLED"]
    for off in group:
        if off not in held and "RECURRENCE-ID" in off:
            for one in held:
                if "RRULE" in one:
                    one.add("EXDATE", off["RECURRENCE-ID"].dt)
    return held


def _freeze(path: Path, events: Sequence[Any], line: int, pattern: Freeze) -> Freeze:
    """By its dates where there is one event and it comes once: that is quick to read and short.

    Raises UsageError for a rule that cannot be followed.
    """
    name = pattern.name or " ".join(str(events[0].get("SUMMARY", "")).split()) or path.stem
    if len(events) == 1 and not {"RRULE", "RDATE"} & set(events[0]):
        start, end = (_local(one, pattern.zone) for one in (events[0].start, events[0].end))
        return replace(pattern, name=name, start=start, end=end)
    first = events[0]["DTSTART"].dt
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
    try:
        text = _only_when(events)
        list(occurrences(text, begins, begins + timedelta(days=1)))
    except BROKEN as error:
        raise UsageError(f"{path}:{line}: the event cannot be repeated: {error}") from None
    return replace(pattern, name=name, event=text)


def _local(value: date | datetime, zone: str) -> str:
    """By the clocks of the zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return value.isoformat()


def _only_when(events: Sequence[Any]) -> str:
    """A calendar of these events and of nothing but their times."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    for event in events:
        kept = Event()
        for name in _WHEN:
            if name in event:
                kept[name] = event[name]
        calendar.add_component(kept)
    text: str = calendar.to_ical().decode()
    return text
