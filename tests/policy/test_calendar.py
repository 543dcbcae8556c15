"""Freezes come to seconds: cron beside a walk over every minute, clock changes, overlaps."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.policy.calendar import closures, merged, windows
from gate.policy.freeze import AHEAD, Freeze, Kind
from tests.parts.rollouts import a_service

HOUR, DAY = 3_600.0, 86_400.0
BERLIN = "Europe/Berlin"
SHOP = a_service(labels={"team": "pay"})


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def told(spans, zone):
    return [
        tuple(f"{datetime.fromtimestamp(one, ZoneInfo(zone)):%d %H:%M %Z}" for one in span)
        for span in spans
    ]


def scheduled(cron, duration=HOUR, zone="UTC", **said):
    return Freeze(name="f", cron=cron, duration=duration, zone=zone, **said)


def test_a_weekend():
    weekend = scheduled("0 18 * * 5", 62 * HOUR, BERLIN)
    found = windows(weekend, at("2026-11-20"), at("2026-11-24"))
    assert told(found, BERLIN) == [("20 18:00 CET", "23 08:00 CET")]


@pytest.mark.parametrize(
    ("cron", "days", "starts"),
    [
        # The clocks go from 02:00 to 03:00: 02:30 does not exist and begins when they have gone.
        ("30 2 * * *", ("2026-03-28", "2026-03-31"), ["28 02:30", "29 03:00", "30 02:30"]),
        # From 03:00 back to 02:00: 02:30 exists twice, and begins the first time only.
        ("30 2 * * *", ("2026-10-24", "2026-10-27"), ["24 02:30", "25 02:30", "26 02:30"]),
        # A leap day comes every four years.
        ("0 0 29 2 *", ("2026-01-01", "2029-01-01"), ["29 00:00"]),
    ],
)
def test_where_clocks_and_years_change(cron, days, starts):
    found = windows(scheduled(cron, 600.0, BERLIN), *(at(day, BERLIN) for day in days))
    assert [start[:8] for start, _ in told(found, BERLIN)] == starts


def test_twice_the_same_hour_the_first_counts():
    ((start, _),) = windows(
        scheduled("30 2 25 10 *", 600.0, BERLIN), at("2026-10-25"), at("2026-10-26")
    )
    assert datetime.fromtimestamp(start, UTC).isoformat() == "2026-10-25T00:30:00+00:00"


def test_a_window_just_before_the_second_of_two_equal_hours_is_not_lost():
    # At 02:10 for the second time the start at 02:30 was 40 minutes ago.
    again = datetime(2026, 10, 25, 2, 10, tzinfo=ZoneInfo(BERLIN), fold=1).timestamp()
    (closure,) = closures([scheduled("30 2 * * *", HOUR, BERLIN)], SHOP, again)
    assert closure.now(again) is not None


def test_a_duration_is_elapsed_time():
    # 62 hours from Friday 18:00, with an hour that is skipped in between.
    spring = windows(scheduled("0 18 * * 5", 62 * HOUR, BERLIN), at("2026-03-27T20:00"), at(
        "2026-03-29"))  # fmt: skip
    assert told(spring, BERLIN) == [("27 18:00 CET", "30 09:00 CEST")]


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [(Kind.DENY, "00:30", "01:30"), (Kind.ALLOW, "01:30", "00:30")],
)
def test_dates_at_times_that_exist_twice_are_read_on_the_safe_side(kind, first, last):
    one = Freeze(name="f", kind=kind, start="2025-10-26T02:30", end="2026-10-25T02:30", zone=BERLIN)
    ((start, end),) = windows(one, at("2026-01-01"), at("2026-12-01"))
    assert f"{datetime.fromtimestamp(start, UTC):%H:%M}" == first
    assert f"{datetime.fromtimestamp(end, UTC):%H:%M}" == last


def test_long_windows_that_overlap_are_one_without_an_end_in_sight():
    now = at("2026-11-20T12:00")
    (closure,) = closures([scheduled("0 0 * * *", 25 * HOUR)], SHOP, now)
    (spell,) = closure.spells
    assert spell.covers(now)
    assert spell.ends is None


def test_a_freeze_with_dates_ends_when_it_says_however_far_that_is():
    now = at("2026-11-20T12:00")
    (closure,) = closures([Freeze(name="f", start="2026-01-01", end="2030-01-01")], SHOP, now)
    assert closure.now(now).ends.words == "Tue 2030-01-01 00:00 UTC"


def test_only_the_present_spell_and_the_next_are_kept():
    now = at("2026-11-21T12:00")
    (closure,) = closures([scheduled("0 18 * * 5", 62 * HOUR)], SHOP, now)
    assert [one.starts.words[:14] for one in closure.spells] == ["Fri 2026-11-20", "Fri 2026-11-27"]


OFFICE = scheduled("0 9 * * 1-5", 8 * HOUR, BERLIN, kind=Kind.ALLOW, excepts=("hotfix",))
NIGHTS = Freeze(name="nights", kind=Kind.ALLOW, cron="0 22 * * *", duration=2 * HOUR, zone=BERLIN)


def test_outside_of_every_allow_window_it_is_closed():
    evening, morning = at("2026-11-20T19:00", BERLIN), at("2026-11-20T10:00", BERLIN)
    (closure,) = closures([OFFICE, NIGHTS], SHOP, evening)
    assert (closure.name, closure.outside, closure.excepts) == ("f, nights", True, ("hotfix",))
    assert closure.now(evening).ends.words == "Fri 2026-11-20 22:00 CET"
    (closure,) = closures([OFFICE, NIGHTS], SHOP, morning)
    assert closure.now(morning) is None
    assert closure.next(morning).starts.words == "Fri 2026-11-20 17:00 CET"


def test_after_the_last_allow_window_it_is_closed_with_no_end_in_sight():
    launch = Freeze(name="l", kind=Kind.ALLOW, start="2026-11-01", end="2026-11-02")
    now = at("2026-11-20")
    (closure,) = closures([launch], SHOP, now)
    assert closure.now(now).ends is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, True),
        ({"services": ("sh*", "pay")}, True),
        ({"services": ("pay",)}, False),
        ({"tiers": (0, 1)}, True),
        ({"tiers": (0,)}, False),
        ({"labels": {"team": "pay"}}, True),
        ({"labels": {"team": "web"}}, False),
        ({"services": ("shop",), "tiers": (2,)}, False),
    ],
)
def test_whom_a_freeze_concerns(said, meant):
    one = Freeze(name="f", start="2026-11-01", end="2026-12-01", **said)
    assert bool(closures([one], SHOP, at("2026-11-20"))) is meant


numbers = st.integers
fields = st.tuples(
    numbers(0, 59).map(str),
    st.one_of(st.just("*"), numbers(0, 23).map(str), st.just("8-17")),
    st.one_of(st.just("*"), numbers(1, 28).map(str)),  # 31 in February is refused
    st.one_of(st.just("*"), numbers(1, 12).map(str)),
    st.one_of(st.just("*"), numbers(0, 6).map(str), st.just("1-5")),
)


def _fits(field, value):
    if field == "*":
        return True
    low, _, high = field.partition("-")
    return int(low) <= value <= int(high or low)


def _starts(cron, minute):
    """Whether a schedule starts at a minute of UTC, by crontab(5): two days named are an *or*."""
    minutes, hours, day, month, weekday = cron
    of_month, of_week = _fits(day, minute.day), _fits(weekday, (minute.weekday() + 1) % 7)
    both = day == "*" or weekday == "*"
    return (
        _fits(minutes, minute.minute)
        and _fits(hours, minute.hour)
        and _fits(month, minute.month)
        and (of_month and of_week if both else of_month or of_week)
    )


@settings(max_examples=60, deadline=None)
@given(fields, numbers(1, 90), numbers(0, 6 * 525_600))
def test_the_windows_are_those_of_a_walk_over_every_minute(cron, hours, start):
    begin = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    length, walked = timedelta(hours=hours), timedelta(days=3)
    count = (length + walked) // timedelta(minutes=1)
    minutes = [begin - length + timedelta(minutes=k) for k in range(count)]
    begins = [one.timestamp() for one in minutes if _starts(cron, one)]
    found = windows(
        scheduled(" ".join(cron), length.total_seconds()),
        begin.timestamp(),
        (begin + walked).timestamp() - 60,
    )
    for minute in minutes:
        now = minute.timestamp()
        if minute >= begin:
            closed = any(start <= now < start + length.total_seconds() for start in begins)
            assert any(start <= now < end for start, end in found) is closed, minute


spans = st.lists(
    st.tuples(numbers(0, 50), numbers(1, 20)).map(lambda one: (float(one[0]), float(sum(one))))
)


@given(spans)
def test_merging_keeps_the_time_and_leaves_gaps_between(given_):
    found = merged(given_)
    for now in range(75):
        covered = any(start <= now < end for start, end in given_)
        assert any(start <= now < end for start, end in found) is covered
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(st.lists(st.tuples(numbers(0, 200), numbers(1, 60)), min_size=1, max_size=4))
def test_outside_is_all_time_that_no_allow_window_covers(days):
    now = at("2026-01-01")
    open_ = [(now + start * DAY / 4, now + (start + length) * DAY / 4) for start, length in days]
    allowed = [
        Freeze(name="a", kind=Kind.ALLOW, **{
            name: datetime.fromtimestamp(one, UTC).replace(tzinfo=None).isoformat()
            for name, one in zip(("start", "end"), span, strict=True)
        })
        for span in open_
    ]  # fmt: skip
    found = closures(allowed, SHOP, now)
    covered = any(start <= now < end for start, end in open_)
    assert bool(found and found[0].now(now)) is not covered
    if found and (spell := found[0].now(now)):
        ends = min((start for start, _ in open_ if start > now), default=math.inf)
        assert spell.ends is None if ends > now + AHEAD else spell.ends.at == ends
