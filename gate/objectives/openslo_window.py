"""Time in OpenSLO v1: duration-shorthand, and the `timeWindow` of an SLO.

https://github.com/OpenSLO/OpenSLO#duration-shorthand and `#notes-slo` there.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from gate.document import Place
from gate.errors import UsageError, did_you_mean
from gate.objectives.manifest import CamelSection, Manifest, Text
from gate.slo import Calendar, TimeWindow
from gate.units import UNITS, duration

DAY = UNITS["d"]
# A month, a quarter and a year have no fixed length; these are the ones of OpenSLO's own SDK
# (go-sdk, pkg/openslo/v1/duration_shorthand.go).
LENGTHS = {
    "m": 60.0,
    "h": UNITS["h"],
    "d": DAY,
    "w": UNITS["w"],
    "M": 30 * DAY,
    "Q": 90 * DAY,
    "Y": 365 * DAY,
}
CALENDARS = {
    "d": Calendar.DAY,
    "w": Calendar.WEEK,
    "M": Calendar.MONTH,
    "Q": Calendar.QUARTER,
    "Y": Calendar.YEAR,
}
# The shortest alert looks at an hour (SRE workbook, ch. 5); a window inside it has no budget.
SHORTEST = 3_600.0
_SHORTHAND = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")


class CalendarSection(CamelSection):
    """When the first window began, and on whose clock."""

    start_time: Text
    time_zone: Text


class WindowSection(CamelSection):
    """The one item of `timeWindow`."""

    duration: str
    is_rolling: bool | None = None
    calendar: CalendarSection | None = None


def shorthand(text: str) -> tuple[int, str]:
    """A number and its unit; raises UsageError.

    >>> shorthand("4w")
    (4, 'w')
    """
    match = _SHORTHAND.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} is not a duration of OpenSLO",
            "write a whole number and one of m (minutes), h, d, w, M (months), Q, Y: 30m, 4w, 1M",
        )
    return int(match[1]), match[2]


def slice_length(given: str | float) -> float:
    """The seconds of `timeSliceWindow`, where a bare number counts minutes; raises UsageError.

    >>> slice_length("5m"), slice_length(5)
    (300.0, 300.0)
    """
    if not isinstance(given, str):
        if given <= 0:
            raise UsageError(f"a time slice of {given:g} minutes has no length", "write 1m or more")
        return given * LENGTHS["m"]
    count, unit = shorthand(given)
    return count * LENGTHS[unit]


def window(manifest: Manifest, at: Place, section: WindowSection) -> TimeWindow:
    """The window of an item of `timeWindow` standing at a place; raises UsageError."""
    rolling = section.calendar is None if section.is_rolling is None else section.is_rolling
    if rolling and section.calendar is not None:
        raise manifest.refuse(
            (*at, "isRolling"), "a rolling window has no calendar", "drop `calendar` or `isRolling`"
        )
    if not rolling and section.calendar is None:
        raise manifest.refuse(
            (*at, "isRolling"),
            "a window that is not rolling needs a calendar",
            "add `calendar` with startTime and timeZone, or write isRolling: true",
        )
    with manifest.blaming((*at, "duration")):
        count, unit = shorthand(section.duration)
    if section.calendar is not None:
        return _of_calendar(manifest, at, section.calendar, (count, unit))
    return _rolling(manifest, (*at, "duration"), (count, unit))


def _rolling(manifest: Manifest, at: Place, given: tuple[int, str]) -> TimeWindow:
    count, unit = given
    if given == (1, "m"):
        unit = "M"
        _warn_month(manifest, at, count)
    length = count * LENGTHS[unit]
    if length < SHORTEST:
        raise manifest.refuse(
            at,
            f"a window of {count}{unit} is {duration(length)}, too short to hold a budget",
            f"for months write {count}M",
        )
    if unit in "MQY":
        manifest.warn(at, f"a rolling window of {count}{unit} is taken as {duration(length)}")
    return TimeWindow(length=length)


def _of_calendar(
    manifest: Manifest, at: Place, calendar: CalendarSection, given: tuple[int, str]
) -> TimeWindow:
    count, unit = given
    if unit == "m":  # the standard's examples/budgeting-method/timeslices-slo.yaml
        unit = "M"
        _warn_month(manifest, (*at, "duration"), count)
    if unit not in CALENDARS:
        raise manifest.refuse(
            (*at, "duration"),
            f"a calendar does not count in {unit!r}",
            f"write one of: {', '.join(CALENDARS)}",
        )
    with manifest.blaming((*at, "calendar", "startTime")):
        start = _start(calendar.start_time)
    with manifest.blaming((*at, "calendar", "timeZone")):
        zone = _zone(calendar.time_zone)
    return TimeWindow(
        length=count * LENGTHS[unit],
        calendar=CALENDARS[unit],
        count=count,
        start=start,
        zone=zone,
    )


def _warn_month(manifest: Manifest, at: Place, count: int) -> None:
    manifest.warn(
        at, f"`{count}m` is minutes in OpenSLO; read as months, which it writes `{count}M`"
    )


def _start(text: str) -> str:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a date and time", "write it like 2026-01-01 00:00:00"
        ) from None
    if start.tzinfo is not None:
        raise UsageError(f"{text!r} names a zone", "write the local time; `timeZone` has the zone")
    return start.isoformat()


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, LookupError):
        known = available_timezones()
    if not known:
        raise UsageError("this machine knows no time zones", "install the package tzdata")
    raise UsageError(
        f"unknown time zone {name!r}{did_you_mean(name, known)}",
        "write a name of the IANA database, such as Europe/Berlin or UTC",
    )
