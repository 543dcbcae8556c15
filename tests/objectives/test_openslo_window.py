import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.objectives.openslo_window import LENGTHS, shorthand, slice_length
from gate.slo import Calendar, TimeWindow
from tests.objectives.writing import OPENSLO, changed, complaint, only, warnings

DAY = 86_400.0
WINDOW = "duration: 4w\n      isRolling: true"
CALENDAR = "calendar: {startTime: 2026-01-01 12:30:00, timeZone: America/New_York}"


def rolling(duration: str) -> str:
    return changed(OPENSLO, "duration: 4w", f"duration: {duration}")


def of_calendar(duration: str, calendar: str = CALENDAR) -> str:
    return changed(OPENSLO, WINDOW, f"duration: {duration}\n      {calendar}")


@pytest.mark.parametrize(
    ("written", "length"),
    [("120m", 7_200), ("12h", DAY / 2), ("28d", 28 * DAY), ("4w", 28 * DAY), ("365d", 365 * DAY)],
)
def test_a_rolling_window_is_so_long(tmp_path, written, length):
    assert only(tmp_path, rolling(written)).window == TimeWindow(length=length)


@pytest.mark.parametrize(
    ("written", "days", "told"), [("1M", 30, "30d"), ("1Q", 90, "90d"), ("1Y", 365, "365d")]
)
def test_a_rolling_month_has_the_length_of_the_sdk_and_says_so(tmp_path, written, days, told):
    text = rolling(written)
    assert warnings(tmp_path, text) == [
        f"slo.yaml:13: a rolling window of {written} is taken as {told}"
    ]


@pytest.mark.parametrize(
    ("written", "length", "unit", "count"),
    [
        ("1d", DAY, Calendar.DAY, 1),
        ("1w", 7 * DAY, Calendar.WEEK, 1),
        ("1M", 30 * DAY, Calendar.MONTH, 1),
        ("2M", 60 * DAY, Calendar.MONTH, 2),
        ("1Q", 90 * DAY, Calendar.QUARTER, 1),
        ("1Y", 365 * DAY, Calendar.YEAR, 1),
    ],
)
def test_a_calendar_window_begins_at_a_local_time(tmp_path, written, length, unit, count):
    assert only(tmp_path, of_calendar(written)).window == TimeWindow(
        length=length,
        calendar=unit,
        count=count,
        start="2026-01-01T12:30:00",
        zone="America/New_York",
    )


def test_minutes_of_a_calendar_are_meant_as_months(tmp_path):
    # the standard's own examples/budgeting-method/timeslices-slo.yaml
    assert warnings(tmp_path, of_calendar("1m")) == [
        "slo.yaml:13: `1m` is minutes in OpenSLO; read as months, which it writes `1M`"
    ]


def test_one_rolling_minute_is_meant_as_a_month(tmp_path):
    first, second = warnings(tmp_path, rolling("1m"))
    assert "read as months" in first
    assert second == "slo.yaml:13: a rolling window of 1M is taken as 30d"


def test_a_time_slice_may_be_a_minute():
    assert slice_length("1m") == 60


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (rolling("30m"), "slo.yaml:13:7: a window of 30m is 30m, too short to hold a budget"),
        (rolling("30days"), "slo.yaml:13:7: '30days' is not a duration of OpenSLO"),
        (rolling("4W"), "slo.yaml:13:7: '4W' is not a duration of OpenSLO"),
        (rolling("0w"), "slo.yaml:13:7: '0w' is not a duration of OpenSLO"),
        (rolling("28"), "slo.yaml:13:7: spec.timeWindow.0.duration: should be a valid string"),
        (of_calendar("24h"), "slo.yaml:13:7: a calendar does not count in 'h'"),
        (
            of_calendar("1M", "isRolling: false"),
            "slo.yaml:14:7: a window that is not rolling needs a calendar",
        ),
        (
            of_calendar("1M", f"isRolling: true\n      {CALENDAR}"),
            "slo.yaml:14:7: a rolling window has no calendar",
        ),
        (
            of_calendar("1M", "calendar: {startTime: 2026-01-01 00:00:00}"),
            "slo.yaml:14:7: spec.timeWindow.0.calendar.timeZone is missing",
        ),
        (
            of_calendar("1M", "calendar: {startTime: soon, timeZone: UTC}"),
            "slo.yaml:14:18: 'soon' is not a date and time",
        ),
        (
            of_calendar("1M", "calendar: {startTime: 2026-01-01T00:00:00Z, timeZone: UTC}"),
            "slo.yaml:14:18: '2026-01-01T00:00:00Z' names a zone",
        ),
        (
            of_calendar("1M", "calendar: {startTime: 2026-01-01, timeZone: Europe/Berlim}"),
            "slo.yaml:14:41: unknown time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        (
            of_calendar("1M", "calendar: {startTime: 2026-01-01, timeZone: ../../etc/passwd}"),
            "slo.yaml:14:41: unknown time zone '../../etc/passwd'",
        ),
        (
            changed(OPENSLO, f"timeWindow:\n    - {WINDOW}", "timeWindow: []"),
            "slo.yaml:12:3: spec.timeWindow is missing, and a budget is a share of a window",
        ),
        (
            changed(OPENSLO, WINDOW, "duration: 4w\n    - duration: 1w"),
            "slo.yaml:12:3: spec.timeWindow: list should have at most 1 item",
        ),
    ],
)
def test_a_window_that_is_none_is_refused_in_its_place(tmp_path, text, told):
    assert complaint(tmp_path, text).startswith(told)


@given(st.integers(min_value=1, max_value=99_999), st.sampled_from(sorted(LENGTHS)))
def test_every_duration_of_the_standard_is_read(count, unit):
    assert shorthand(f"{count}{unit}") == (count, unit)
    assert slice_length(f"{count}{unit}") == count * LENGTHS[unit]
