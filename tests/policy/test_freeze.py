"""Freezes: as written, what is wrong with them, and what they say about a release."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gate.decision import conclude, decided, from_json, redo, to_json
from gate.errors import UsageError
from gate.policy.calendar import closures
from gate.policy.freeze import Freeze, Kind, calendar_facts, frozen
from gate.policy.load import from_text, load
from gate.verdict import Outcome
from tests.parts.rollouts import a_request, a_service, an_evidence

SATURDAY = datetime(2026, 11, 21, 19, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
HEAD = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: web
extends: standard
freezes:
"""
WEEKEND = """\
  - name: weekend
    cron: "0 18 * * 5"
    duration: 62h
    zone: Europe/Berlin
    except: [hotfix, security]
"""


def a_policy(*freezes):
    return from_text(HEAD + "".join(freezes), "web.yaml")


def complaint(freeze):
    with pytest.raises(UsageError) as caught:
        a_policy(f"  - {freeze}\n")
    return str(caught.value).removeprefix("web.yaml:")


def test_a_freeze_as_read():
    (weekend, friday) = a_policy(
        WEEKEND,
        "  - {name: black friday, kind: allow, from: 2026-11-27T00:00, until: 2026-12-01, "
        "zone: America/New_York, services: ['pay-*'], tiers: [0], labels: {team: pay}}\n",
    ).freezes
    assert weekend == Freeze(
        name="weekend", cron="0 18 * * 5", duration=62 * 3600.0, zone="Europe/Berlin",
        excepts=("hotfix", "security"),
    )  # fmt: skip
    assert friday == Freeze(
        name="black friday", kind=Kind.ALLOW, start="2026-11-27T00:00", end="2026-12-01",
        zone="America/New_York", services=("pay-*",), tiers=(0,), labels={"team": "pay"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        ('{name: w, cron: "0 18 * * 5", duration: 62h, zone: Europe/Berln}',
            "6:50: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ('{name: w, cron: "0 18 30 2 *", duration: 62h}', ("6:15: cron '0 18 30 2 *': bad "
            "day-of-month\n  five fields: minute, hour, day of month, month, day of week")),
        ('{name: w, cron: "0 18 * *", duration: 1h}', ("6:15: cron '0 18 * *': wrong number of "
            "fields\n  five fields: minute, hour, day of month, month, day of week")),
        ('{name: w, cron: "0 0 18 * * *", duration: 1h}',
            "6:15: cron '0 0 18 * * *': has seconds; five fields are known"),
        ('{name: w, cron: "* * * * *", duration: 1h}', ("6:15: cron '* * * * *' starts several "
            "times an hour\n  a longer duration says the same")),
        ('{name: w, cron: "0 18 * * 5", duration: 400d}',
            "6:35: duration must lie between 0s and 366d"),
        ('{name: w, cron: "0 18 * * 5"}', ("6:5: a freeze needs to know when; here is cron\n"
            "  write cron and duration, or from and until, or ics")),
        ("{name: w, from: 2026-11-27, duration: 1h}", ("6:5: a freeze needs to know when; here is "
            "duration, from\n  write cron and duration, or from and until, or ics")),
        ("{from: 2026-11-27, until: 2026-11-28}",
            "6:5: a freeze needs a name\n  its hold is quoted by it"),
        ("{name: w, from: 2026-11-27T00:00Z, until: 2026-13-01}", (
            "6:15: from '2026-11-27T00:00Z' is local to `zone`; leave the offset away\n"
            "  write 2026-11-27 or 2026-11-27T18:00\n"
            "web.yaml:6:40: until '2026-13-01' is not a date or a local time\n"
            "  write 2026-11-27 or 2026-11-27T18:00")),
        ("{name: w, from: 0001-01-01, until: 2026-11-27}", (
            "6:15: from '0001-01-01' lies outside of 1970 to 2200\n"
            "  write 2026-11-27 or 2026-11-27T18:00")),
        ("{name: w, from: 2026-11-27, until: 2026-11-27}", "6:33: until must lie after from"),
        ("{name: blind, from: 2026-11-27, until: 2026-11-28}",
            "6:6: a freeze and a rule are both named 'blind'"),
        ("{name: w, from: 2026-11-27, until: 2026-11-28, tiers: [3]}",
            "6:60: freezes.0.tiers.0: should be less than or equal to 2, not 3"),
        ("{ics: ./none.ics}", "6:6: none.ics: no such file"),
        ("{name: w, from: 2026-11-27, until: 2026-11-28, exept: [x]}", (
            "6:52: unknown key 'exept'; did you mean 'except'?\n  known here: cron, duration, "
            "except, from, ics, kind, labels, name, services, tiers, until, zone")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(freeze, said):
    assert complaint(freeze) == said


def test_two_freezes_of_one_name_are_refused():
    with pytest.raises(UsageError, match=r"web.yaml:11:5: two freezes are named 'weekend'"):
        a_policy(WEEKEND, WEEKEND)


def test_freezes_are_inherited_and_replaced_by_name(tmp_path):
    (tmp_path / "above.yaml").write_text(
        HEAD + WEEKEND + "  - {name: launch, from: 2026-11-27, until: 2026-11-28}\n"
    )
    (tmp_path / "web.yaml").write_text(
        HEAD.replace("standard", "./above.yaml")
        + "  - {name: launch, from: 2026-12-01, until: 2026-12-02}\n"
    )
    policy = load(tmp_path / "web.yaml")
    assert [(one.name, one.start) for one in policy.freezes] == [
        ("weekend", ""),
        ("launch", "2026-12-01"),
    ]


def voices(policy=None, known=None, now=SATURDAY):
    policy = policy or a_policy(WEEKEND)
    return frozen(closures(policy.freezes, a_service(), now), now, known or {})


def test_a_freeze_says_when_it_ends_and_who_may_pass():
    (reason,) = voices().reasons
    assert (reason.rule, reason.outcome) == ("weekend", Outcome.HOLD)
    assert reason.message == (
        "frozen by 'weekend' until Mon 2026-11-23 08:00 CET (in 37 h); hotfix and security may pass"
    )


@pytest.mark.parametrize(
    ("known", "passed"),
    [
        ({}, ""),
        ({"change.types": ("fix",)}, ""),
        ({"change.types": ()}, ""),
        ({"change.types": ("hotfix",)}, "hotfix"),
        ({"change.types": ("hotfix", "security")}, "hotfix, security"),
        ({"change.types": ("feat", "hotfix")}, ""),  # a feature beside a fix is no fix
        ({"change.labels": ("security", "size/M"), "change.types": ("feat",)}, "security"),
        ({"rollout.labels": ("hotfix",)}, "hotfix"),
        ({"rollout.labels": ("emergency",)}, ""),
    ],
)
def test_what_may_pass_passes_and_is_noted(known, passed):
    said = voices(known=known)
    assert bool(said.reasons) is not bool(passed)
    assert said.notes == ((f"freeze 'weekend' lets this pass: {passed}",) if passed else ())


def test_deny_beats_allow():
    always = "  - {name: always, kind: allow, from: 2026-01-01, until: 2027-01-01}\n"
    assert [one.rule for one in voices(a_policy(WEEKEND, always)).reasons] == ["weekend"]


def test_outside_of_the_windows_it_says_when_the_next_opens():
    office = "  - {name: office, kind: allow, cron: '0 9 * * 1-5', duration: 8h}\n"
    (reason,) = voices(a_policy(office)).reasons
    assert reason.message == (
        "outside of the window 'office' until Mon 2026-11-23 09:00 UTC (in 39 h)"
    )


def facts(policy, now=SATURDAY, **known):
    return dict(calendar_facts(closures(policy.freezes, a_service(), now), now, known))


def test_the_facts_of_a_freeze():
    launch = "  - {name: launch, from: 2026-11-22T18:00, until: 2026-11-24}\n"
    assert facts(a_policy(WEEKEND, launch)) == {
        "calendar.frozen": True,
        "calendar.freeze": "weekend",
        "calendar.freeze_ends": "2026-11-23T08:00:00+01:00",
        "calendar.minutes_left": 37 * 60.0,
        "calendar.next_freeze": "launch",
        "calendar.minutes_to_freeze": 24 * 60.0,
    }


def test_where_nothing_is_frozen_no_fact_is_unknown():
    assert facts(a_policy("  []\n".replace("  []", "  - {name: past, from: 2026-01-01, "
                          "until: 2026-01-02}"))) == {
        "calendar.frozen": False,
        "calendar.freeze": "",
        "calendar.freeze_ends": "",
        "calendar.minutes_left": 0.0,
        "calendar.next_freeze": "",
        "calendar.minutes_to_freeze": 92 * 1440.0,
    }  # fmt: skip
    assert dict(calendar_facts(None, SATURDAY, {})) == {}


def test_in_the_test_of_a_policy_the_facts_freeze():
    said = frozen(None, 0.0, {"calendar.frozen": True, "calendar.freeze": "weekend"})
    assert [(one.rule, one.outcome) for one in said.reasons] == [("weekend", Outcome.HOLD)]
    assert frozen(None, 0.0, {"calendar.frozen": False}).reasons == ()


def test_a_frozen_decision_is_decided_again_without_a_calendar():
    policy = a_policy(WEEKEND)
    request = a_request(as_of=SATURDAY)
    evidence = an_evidence(calendar=closures(policy.freezes, a_service(), SATURDAY))
    decision = decided(request, a_service(), policy, evidence, at=SATURDAY, gate_version="0")
    assert decision.verdict.outcome is Outcome.HOLD
    # Another machine's zones, or none: what they came to is in the evidence.
    stored = replace(from_json(to_json(decision)), policy=replace(policy, freezes=()))
    assert to_json(redo(stored)) == to_json(decision.conclusion)
    assert from_json(to_json(decision)).policy == policy


def test_a_freeze_ends():
    policy = a_policy(WEEKEND)
    outcomes = []
    for hours in (36.99, 37.0):
        now = SATURDAY + 3600 * hours
        evidence = an_evidence(calendar=closures(policy.freezes, a_service(), now))
        verdict = conclude(a_request(as_of=now), a_service(), policy, evidence).verdict
        outcomes.append(verdict.outcome)
    assert outcomes == [Outcome.HOLD, Outcome.PROMOTE]
