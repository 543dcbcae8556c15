"""Calendars as other programs write them become freezes, or are refused with the line."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gate.errors import UsageError
from gate.policy.calendar import windows
from gate.policy.load import from_text, load
from gate.surfaces.cli.policy_file import policy_yaml

EVENT = """\
BEGIN:VEVENT
UID:1@x
DTSTAMP:20260101T000000Z
SUMMARY:Christmas\\, and after
DESCRIPTION:nobody's business
DTSTART;VALUE=DATE:20201224
DTEND;VALUE=DATE:20201227
RRULE:FREQ=YEARLY
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
"""
LAUNCH = """\
BEGIN:VEVENT
UID:2@x
DTSTAMP:20260101T000000Z
SUMMARY:Launch
DTSTART;TZID=America/New_York:20261201T100000
DURATION:PT3H
END:VEVENT
"""
POLICY = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: web
extends: standard
freezes:
  - {ics: days.ics, zone: Europe/Berlin, except: [hotfix]}
"""


def freezes(folder, *events, text=None):
    calendar = text if text is not None else a_calendar(*events)
    (folder / "days.ics").write_bytes(calendar.replace("\n", "\r\n").encode())
    (folder / "web.yaml").write_text(POLICY)
    return load(folder / "web.yaml").freezes


def a_calendar(*events):
    return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n" + "".join(events) + "END:VCALENDAR\n"


def told(freeze, year=2026):
    start, end = (datetime(one, 11, 1, tzinfo=UTC).timestamp() for one in (year, year + 1))
    return [
        tuple(f"{datetime.fromtimestamp(one, ZoneInfo(freeze.zone)):%m-%d %H:%M}" for one in span)
        for span in windows(freeze, start, end)
    ]


def test_events_become_freezes_with_their_days_zones_and_repetition(tmp_path):
    christmas, launch = freezes(tmp_path, EVENT, LAUNCH)
    assert (christmas.name, christmas.excepts) == ("Christmas, and after", ("hotfix",))
    assert told(christmas) == [("12-24 00:00", "12-27 00:00")]
    assert told(christmas, 2031) == [("12-24 00:00", "12-27 00:00")]
    assert told(launch) == [("12-01 16:00", "12-01 19:00")]


def test_of_an_event_only_its_times_are_kept(tmp_path):
    (christmas,) = freezes(tmp_path, EVENT)
    assert "business" not in christmas.event
    assert "VALARM" not in christmas.event


def test_exceptions_moved_and_cancelled_occurrences(tmp_path):
    weekly = LAUNCH.replace("DURATION", "RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=America/New_York:"
                            "20261208T100000\nDURATION")  # fmt: skip
    moved = LAUNCH.replace("T100000\n", "T120000\nRECURRENCE-ID;TZID=America/New_York:"
                           "20261215T100000\n").replace("20261201T12", "20261216T12")  # fmt: skip
    off = LAUNCH.replace("DURATION", "RECURRENCE-ID;TZID=America/New_York:20261222T100000\n"
                         "STATUS:CANCELLED\nDURATION")  # fmt: skip
    (launch,) = freezes(tmp_path, weekly, moved, off)
    assert told(launch) == [
        ("12-01 16:00", "12-01 19:00"),
        ("12-16 18:00", "12-16 21:00"),
        ("12-29 16:00", "12-29 19:00"),
    ]


def test_an_event_named_as_a_rule_is_refused(tmp_path):
    with pytest.raises(UsageError, match="5:1: a freeze and a rule are both named 'blind'"):
        freezes(tmp_path, LAUNCH.replace("Launch", "blind"))


def test_a_name_is_that_of_all_events(tmp_path):
    named = POLICY.replace("{ics", "{name: holidays, ics")
    freezes(tmp_path, EVENT, LAUNCH)
    (tmp_path / "web.yaml").write_text(named)
    assert [one.name for one in load(tmp_path / "web.yaml").freezes] == ["holidays", "holidays"]


def test_a_policy_shown_with_its_calendars_is_the_same_policy(tmp_path):
    found = freezes(tmp_path, EVENT, LAUNCH)
    shown = policy_yaml(load(tmp_path / "web.yaml"))
    again = from_text(shown, "again.yaml").freezes
    assert [told(one) for one in again] == [told(one) for one in found]
    assert [one.name for one in again] == ["Christmas, and after", "Launch"]


def test_a_cancelled_event_is_no_freeze(tmp_path):
    off = LAUNCH.replace("SUMMARY", "STATUS:CANCELLED\nSUMMARY")
    assert [one.name for one in freezes(tmp_path, EVENT, off)] == ["Christmas, and after"]


def test_zones_by_the_names_of_windows_are_known(tmp_path):
    text = LAUNCH.replace("America/New_York", "W. Europe Standard Time")
    assert told(freezes(tmp_path, text)[0]) == [("12-01 10:00", "12-01 13:00")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "days.ics:1: not an iCalendar file: "),
        ("", "days.ics:1: not an iCalendar file: "),
        (a_calendar(), "days.ics:1: no event is in this calendar"),
        (a_calendar(LAUNCH.replace("SUMMARY", "DTSTART:20261201T100000Z\nSUMMARY")),
            "days.ics:7: DTSTART is written twice in one event"),
        (a_calendar(EVENT, LAUNCH).replace("END:VEVENT\nBEGIN", "BEGIN"),
            "days.ics:1: not an iCalendar file: "),
        (a_calendar(EVENT.replace("YEARLY", "SOMETIMES")), "days.ics:11: RRULE: "),
        (a_calendar(EVENT.replace("YEARLY", "HOURLY")),
            "days.ics:11: the event repeats within a day (HOURLY)"),
        (a_calendar(EVENT.replace("YEARLY", "DAILY;BYHOUR=1,2")),
            "days.ics:11: the event repeats within a day (DAILY)"),
        (a_calendar(EVENT, LAUNCH.replace("20261201T", "2026x201T")), "days.ics:21: DTSTART: "),
        (a_calendar(LAUNCH.replace("America/New_York", "Mars/Base")),
            "days.ics:8: unknown time zone 'Mars/Base'"),
        (a_calendar(LAUNCH.replace("DURATION:PT3H\n", "")),
            "days.ics:4: the event has no length"),
        (a_calendar(LAUNCH.replace("DURATION:PT3H", "DURATION PT3H")), "days.ics:9: event: "),
        (a_calendar(EVENT.replace("20201227", "20201220")),
            "days.ics:4: the event ends before it begins"),
        (a_calendar(EVENT.replace("DTEND;VALUE=DATE:20201227", "DTEND:20201227T100000")),
            "days.ics:4: DTSTART and DTEND must be of the same type"),
        (a_calendar(LAUNCH.replace("DTSTART;TZID=America/New_York:20261201T100000\n", "")),
            "days.ics:4: the event has no DTSTART"),
        (a_calendar(EVENT.replace("DATE:2020", "DATE:1020")),
            "days.ics:4: the event lies outside of 1970 to 2200"),
        (a_calendar(LAUNCH.replace("PT3H", "P99999999D")), "days.ics:4: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_file_and_line(tmp_path, text, said):
    with pytest.raises(UsageError) as caught:
        freezes(tmp_path, text=text)
    message = str(caught.value).replace(f"{tmp_path}/", "")
    assert message.startswith(f"web.yaml:6:6: {said}")


def test_a_pin_holds_the_calendar_too(tmp_path):
    freezes(tmp_path, EVENT, LAUNCH)
    digest = load(tmp_path / "web.yaml").sha256
    assert load(tmp_path / "web.yaml").sha256 == digest
    freezes(tmp_path, EVENT)
    assert load(tmp_path / "web.yaml").sha256 != digest
