"""Where a calendar's window stands at a moment, by the clocks of its own time zone.

Why here and not beside the budget: it needs `datetime` and the time zone database, which the pure
rooms do not. What was found goes into the evidence (`Indicator.elapsed`), so that a stored
decision does not change when a parliament moves the clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gate.errors import UsageError
from gate.slo import Calendar, TimeWindow

_MONTHS = {Calendar.MONTH: 1, Calendar.QUARTER: 3, Calendar.YEAR: 12}
_DAYS = {Calendar.DAY: 1, Calendar.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Period:
    """One window of a calendar, in Unix seconds."""

    start: float
    end: float

    def elapsed(self, moment: float) -> float:
        """The share of it that has passed."""
        return (moment - self.start) / (self.end - self.start)


def period(window: TimeWindow, moment: float) -> Period:
    """The window around the moment: `start <= moment < end`, both at the zone's local time.

    Days are as long as the zone has them (23 or 25 hours when the clocks change). A start on the
    31st is the last day of shorter months. Raises UsageError for a start or zone that is none.

    >>> spring = TimeWindow(length=30 * 86400.0, calendar=Calendar.MONTH, start='2026-01-01',
    ...     zone='Europe/Berlin')
    >>> march = period(spring, datetime(2026, 3, 15, tzinfo=UTC).timestamp())
    >>> (march.end - march.start) / 3600  # 31 days less the hour that Berlin skips on the 29th
    743.0
    """
    if window.calendar is None:
        raise ValueError("a rolling window has no period")
    first, zone = _first(window)
    index = _index(window, first, datetime.fromtimestamp(moment, zone).replace(tzinfo=None))
    while _begin(window, first, zone, index) > moment:
        index -= 1
    while _begin(window, first, zone, index + 1) <= moment:
        index += 1
    return Period(_begin(window, first, zone, index), _begin(window, first, zone, index + 1))


def _first(window: TimeWindow) -> tuple[datetime, ZoneInfo]:
    try:
        zone = ZoneInfo(window.zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"unknown time zone {window.zone!r}",
            "write an IANA name such as Europe/Berlin (the package tzdata holds them)",
        ) from None
    try:
        first = datetime.fromisoformat(window.start)
    except ValueError:
        first = None
    if first is None or first.tzinfo is not None:
        raise UsageError(
            f"{window.start!r} is no local date", "write 2026-01-01, or 2026-01-01T09:00:00"
        )
    return first, zone


def _index(window: TimeWindow, first: datetime, local: datetime) -> int:
    """About which window it is, counted from the first; a neighbour at most away."""
    if months := _MONTHS.get(window.calendar or Calendar.MONTH):
        passed = 12 * (local.year - first.year) + local.month - first.month
        return passed // (months * window.count)
    return (local - first).days // (_DAYS[window.calendar or Calendar.DAY] * window.count)


def _begin(window: TimeWindow, first: datetime, zone: ZoneInfo, index: int) -> float:
    calendar = window.calendar or Calendar.MONTH
    if months := _MONTHS.get(calendar):
        count = first.month - 1 + months * window.count * index
        local = _on(first, first.year + count // 12, count % 12 + 1)
    else:
        local = first + timedelta(days=_DAYS[calendar] * window.count * index)
    return local.replace(tzinfo=zone).astimezone(UTC).timestamp()


def _on(first: datetime, year: int, month: int) -> datetime:
    for day in range(first.day, 27, -1):
        try:
            return first.replace(year=year, month=month, day=day)
        except ValueError:  # a shorter month
            continue
    return first.replace(year=year, month=month)
