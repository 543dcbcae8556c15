from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import UsageError
from gate.evidence.period import period
from gate.slo import Calendar, TimeWindow

DAY = 86_400.0


def window(calendar, start="2026-01-01", zone="UTC", count=1):
    return TimeWindow(length=30 * DAY, calendar=calendar, start=start, zone=zone, count=count)


def around(calendar, text, **more):
    """The window around a local moment, as local dates and times."""
    zone = ZoneInfo(more.get("zone", "UTC"))
    found = period(window(calendar, **more), datetime.fromisoformat(text).timestamp())
    return tuple(
        f"{datetime.fromtimestamp(one, zone):%Y-%m-%d %H:%M}" for one in (found.start, found.end)
    )


@pytest.mark.parametrize(
    ("calendar", "more", "expected"),
    [
        (Calendar.DAY, {}, ("2026-11-02 00:00", "2026-11-03 00:00")),
        (Calendar.MONTH, {}, ("2026-11-01 00:00", "2026-12-01 00:00")),
        (Calendar.QUARTER, {}, ("2026-10-01 00:00", "2027-01-01 00:00")),
        (Calendar.YEAR, {}, ("2026-01-01 00:00", "2027-01-01 00:00")),
        # A start on a weekday with a time of day, as in OpenSLO's text on calendar windows.
        (Calendar.WEEK, {"start": "2020-01-21 12:30:00", "zone": "America/New_York"},
            ("2026-10-27 12:30", "2026-11-03 12:30")),
        (Calendar.MONTH, {"start": "2026-01-31"}, ("2026-10-31 00:00", "2026-11-30 00:00")),
        (Calendar.WEEK, {"count": 2}, ("2026-10-22 00:00", "2026-11-05 00:00")),
        (Calendar.YEAR, {"start": "2030-02-28"}, ("2026-02-28 00:00", "2027-02-28 00:00")),
    ],
)  # fmt: skip
def test_the_window_around_a_moment(calendar, more, expected):
    assert around(calendar, "2026-11-02T10:00:00+00:00", **more) == expected


def test_the_first_second_belongs_to_the_new_month():
    start = datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    berlin = window(Calendar.MONTH, zone="Europe/Berlin")
    assert period(berlin, start).start == start
    assert period(berlin, start - 1).end == start
    assert period(berlin, start).elapsed(start) == 0


def test_a_day_is_as_long_as_the_clocks_make_it():
    berlin = window(Calendar.DAY, zone="Europe/Berlin")
    for date, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)):
        found = period(berlin, datetime.fromisoformat(f"{date}T10:00:00+00:00").timestamp())
        assert (found.end - found.start) / 3600 == hours


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"zone": "Europe/Berlyn"}, "unknown time zone 'Europe/Berlyn'"),
        ({"zone": "../etc"}, "unknown time zone"),
        ({"start": "tomorrow"}, "'tomorrow' is no local date"),
        ({"start": "2026-01-01T00:00:00Z"}, "is no local date"),
    ],
)
def test_what_is_no_calendar_is_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        period(window(Calendar.MONTH, **wrong), 0.0)


@given(
    st.sampled_from(list(Calendar)),
    st.dates(min_value=datetime(1990, 1, 1).date(), max_value=datetime(2035, 1, 1).date()),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    st.integers(1, 5),
    st.floats(
        datetime(1995, 1, 1, tzinfo=UTC).timestamp(), datetime(2040, 1, 1, tzinfo=UTC).timestamp()
    ),
)
def test_windows_follow_each_other_without_a_gap(calendar, start, zone, count, moment):
    one = window(calendar, start=start.isoformat(), zone=zone, count=count)
    found = period(one, moment)
    assert found.start <= moment < found.end
    assert period(one, found.end).start == found.end
    assert period(one, found.start - 1).end == found.start
