"""Overrides: who may grant one, how the ledger keeps it, and what it does to a verdict."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.deployment import History
from gate.errors import LedgerError, UsageError
from gate.ledger.ledger import Kind
from gate.ledger.overrides import grant, overrides, revoke
from gate.ledger.sqlite import SqliteLedger
from gate.override import Override, Overriding
from gate.policy.evaluate import GUARD, SILENCE, evaluate
from gate.policy.policy import Policy, Rule, Then
from gate.policy.situation import Situation
from gate.request import Intent
from gate.verdict import Outcome
from tests.ledger.parts import a_record

NOW = 1_700_000_000.0
HOUR = 3_600.0
ADA = Override(
    id="3f9c0a12", service="shop", version="v2", by="ada", approved_by="grace",
    reason="monitoring is down", ticket="INC-1", created_at=NOW, expires_at=NOW + 2 * HOUR,
)  # fmt: skip


_TORN = "{}: write it on one line, without control codes"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"approved_by": ""}, "an override needs who approves it (--approved-by)"),
        ({"approved_by": " ADA "}, "ada cannot approve their own override"),
        ({"approved_by": "@ada"}, "ada cannot approve their own override"),
        ({"approved_by": "\uff41da"}, "ada cannot approve their own override"),
        ({"approved_by": "a\u200bda"}, _TORN.format("who approves it (--approved-by)")),
        ({"reason": "fine\n- promote: all is well"}, _TORN.format("a reason (--reason)")),
        ({"by": " "}, "an override needs who asks for it (--by)"),
        ({"reason": ""}, "an override needs a reason (--reason)"),
        ({"ticket": "\n"}, "an override needs a ticket (--ticket)"),
        ({"version": ""}, "an override needs the version it is for"),
        ({"reason": "x" * 501}, "a reason (--reason): 500 letters are the most"),
        ({"expires_at": NOW + 4 * HOUR + 1}, "an override lasts at most 4h"),
        ({"expires_at": NOW - 1}, "the override would have expired already"),
        ({"expires_at": NOW}, "the override would have expired already"),
    ],
)
def test_one_that_may_not_be_is_refused_and_not_recorded(tmp_path, said, complaint):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    with pytest.raises(UsageError) as caught:
        grant(ledger, replace(ADA, **said))
    assert caught.value.message == complaint
    assert not ledger.path.exists()


def test_it_is_recorded_and_comes_back_as_it_was(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    granted = grant(ledger, replace(ADA, by=" ada ", rules=("weekend",)))
    assert granted.by == "ada"
    assert overrides(ledger, "shop", NOW) == (granted,)
    assert overrides(ledger, "web", NOW) == ()
    assert overrides(ledger, "shop", NOW - 1) == ()
    assert overrides(ledger, "shop", NOW + 31 * 86_400) == ()
    assert ledger.entry(granted.id).record.kind == Kind.OVERRIDE
    assert ledger.verify().faults == ()


def test_one_taken_back_says_by_whom_and_when(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    granted = grant(ledger, ADA)
    back = revoke(ledger, granted.id[:6], by="linus", at=NOW + 60)
    assert (back.revoked_at, back.revoked_by) == (NOW + 60, "linus")
    assert overrides(ledger, "shop", NOW + 61) == (back,)
    assert overrides(ledger, "shop", NOW + 59) == (granted,)
    with pytest.raises(UsageError, match="was revoked already, by linus"):
        revoke(ledger, granted.id, by="ada", at=NOW + 90)


def test_what_cannot_be_taken_back(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.append(a_record("d-1"))
    granted = grant(ledger, ADA)
    with pytest.raises(UsageError, match="'d-1' is a decision, no override"):
        revoke(ledger, "d-1", by="ada", at=NOW)
    with pytest.raises(UsageError, match="has expired"):
        revoke(ledger, granted.id, by="ada", at=NOW + 3 * HOUR)
    with pytest.raises(UsageError, match="needs who revokes"):
        revoke(ledger, granted.id, by=" ", at=NOW)
    with pytest.raises(LedgerError, match="nothing has the id"):
        revoke(ledger, "none", by="ada", at=NOW)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"service": "shop"}'])
def test_an_entry_of_another_form_is_an_error_and_no_override(tmp_path, body):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.append(replace(a_record("x", service="shop", at=NOW, body=body), kind=Kind.OVERRIDE))
    with pytest.raises(LedgerError, match="cannot be read"):
        overrides(ledger, "shop", NOW)


def test_one_that_approves_itself_however_it_came_in_does_nothing_and_stops_nothing(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    body = orjson.dumps(replace(ADA, approved_by="@Ada"))
    ledger.append(replace(a_record("x", service="shop", at=NOW, body=body), kind=Kind.OVERRIDE))
    answer = verdict(*overrides(ledger, "shop", NOW + 60))
    assert answer.outcome is Outcome.HOLD
    assert answer.notes == ("override 3f9c0a12 does nothing: ada approved it for themselves",)


SAFE = Rule(name="safe", when="analysis.safe", then=Then.PROMOTE, message="shown")
BLIND = Rule(name="blind", when="!analysis.safe", then=Then.HOLD, message="not shown")
SPENT = Rule(name="spent", when="budget.remaining <= 0.0", then=Then.HOLD, message="spent")
WORSE = Rule(name="worse", when="size(analysis.critical_worse) > 0", then=Then.ROLLBACK,
             message="worse")  # fmt: skip
NOTHING_SEEN = {"analysis.safe": False, "analysis.critical_worse": (), "budget.remaining": -1.0}
SEEN_SAFE = {"analysis.safe": True, "analysis.critical_worse": (), "budget.remaining": -1.0}
ALLOWED = {"rules": ("worse",)}
SEEN_WORSE = {"analysis.safe": False, "analysis.critical_worse": ("errors",)}


def verdict(*granted, facts=NOTHING_SEEN, rules=(SAFE, BLIND, SPENT, WORSE), terms=None):
    allowed = Overriding(**(terms or {}))
    policy = Policy(name="p", rules=rules, sha256="", overrides=allowed)
    found = Situation(version="v2", at=NOW + 60, history=History(overrides=granted))
    return evaluate(policy, facts, Intent.RELEASE, ("wait",), found)


def test_monitoring_is_down_and_a_hotfix_must_go():
    assert verdict().outcome is Outcome.HOLD
    answer = verdict(ADA)
    assert answer.outcome is Outcome.PROMOTE
    assert [(one.rule, one.outcome, one.lifted) for one in answer.reasons] == [
        ("override 3f9c0a12", Outcome.PROMOTE, ""),
        ("blind", Outcome.HOLD, "override 3f9c0a12"),
        (GUARD.rule, Outcome.HOLD, "override 3f9c0a12"),
        ("spent", Outcome.HOLD, "override 3f9c0a12"),
    ]
    assert answer.reasons[0].message == "INC-1: monitoring is down"
    (note,) = answer.notes
    assert note == (
        "lifted by override 3f9c0a12 of ada, approved by grace, until 00:13 UTC, for every hold: "
        "INC-1: monitoring is down; 1 of this service in 30 days"
    )


def test_a_named_override_lifts_that_rule_and_promote_must_still_be_earned():
    named = replace(ADA, rules=("spent",))
    assert verdict(named, facts=SEEN_SAFE).outcome is Outcome.PROMOTE
    answer = verdict(named)
    assert answer.outcome is Outcome.HOLD
    assert [one.rule for one in answer.reasons if not one.lifted] == ["blind"]


def test_silence_is_lifted_only_by_an_override_of_everything():
    only = (replace(SAFE, when="false"), SPENT)
    answer = verdict(replace(ADA, rules=("spent",)), rules=only)
    assert (answer.outcome, answer.reasons[0]) == (Outcome.HOLD, SILENCE)
    assert verdict(ADA, rules=only).outcome is Outcome.PROMOTE


@pytest.mark.parametrize("granted", [ADA, replace(ADA, rules=("worse",))])
def test_shown_worse_is_rolled_back_whatever_was_approved(granted):
    answer = verdict(granted, facts=SEEN_WORSE)
    assert answer.outcome is Outcome.ROLLBACK
    assert answer.reasons[0].rule == "worse"


def test_without_a_rule_that_rolls_back_shown_worse_still_is_not_promoted():
    answer = verdict(ADA, facts=SEEN_WORSE, rules=(SAFE, BLIND))
    assert (answer.outcome, answer.reasons[0]) == (Outcome.HOLD, GUARD)
    unknown = {name: value for name, value in SEEN_WORSE.items() if "worse" not in name}
    assert verdict(ADA, facts=unknown, rules=(SAFE, BLIND)).outcome is Outcome.HOLD


def test_a_rollback_about_something_else_does_not_open_the_way_for_shown_worse():
    leaking = replace(WORSE, name="leaking", when="budget.remaining < 0.0")
    named = replace(ADA, id="b2b2b2b2", rules=("leaking",))
    facts = {**SEEN_WORSE, "budget.remaining": -1.0}
    terms = {"rules": ("leaking",)}
    answer = verdict(ADA, named, facts=facts, rules=(SAFE, leaking), terms=terms)
    assert (answer.outcome, answer.reasons[0]) == (Outcome.HOLD, GUARD)


def test_a_rollback_for_want_of_data_does_not_open_it_either():
    unseen = replace(WORSE, name="unseen", when="size(analysis.unfit) > 0")
    named = replace(ADA, id="b2b2b2b2", rules=("unseen",))
    facts = {**SEEN_WORSE, "analysis.unfit": ("latency p99",)}
    terms = {"rules": ("unseen",)}
    answer = verdict(ADA, named, facts=facts, rules=(SAFE, unseen), terms=terms)
    assert (answer.outcome, answer.reasons[0]) == (Outcome.HOLD, GUARD)


def test_where_the_policy_lets_the_rule_be_named_it_is_lifted():
    named = replace(ADA, id="b2b2b2b2", rules=("worse",))
    assert (
        verdict(named, facts=SEEN_WORSE, terms=ALLOWED).outcome is Outcome.HOLD
    )  # nothing promotes
    answer = verdict(ADA, named, facts=SEEN_WORSE, terms=ALLOWED)
    assert answer.outcome is Outcome.PROMOTE
    assert ("worse", "override b2b2b2b2") in [(one.rule, one.lifted) for one in answer.reasons]
    # Everything does not name it.
    assert verdict(ADA, facts=SEEN_WORSE, terms=ALLOWED).outcome is Outcome.ROLLBACK


@pytest.mark.parametrize(
    ("said", "terms", "why"),
    [
        ({"version": "v3"}, {}, "it is for v3, not v2"),
        ({"expires_at": NOW - 660}, {}, "it expired 12 min ago"),
        ({"revoked_at": NOW, "revoked_by": "linus"}, {}, "linus took it back 1 min ago"),
        ({"created_at": NOW - HOUR}, {"longest": HOUR},
            "it expired 1 min ago; this policy lets one last no longer"),
        ({"approved_by": "Ada"}, {}, "ada approved it for themselves"),
        ({}, {"approvers": ("linus",)}, "grace is none of this policy's approvers"),
    ],
)  # fmt: skip
def test_one_that_is_not_in_force_does_nothing_and_says_so(said, terms, why):
    answer = verdict(replace(ADA, **said), terms=terms)
    assert answer.outcome is Outcome.HOLD
    assert answer.notes == (f"override 3f9c0a12 does nothing: {why}",)


def test_what_ended_long_ago_is_not_mentioned():
    assert verdict(replace(ADA, expires_at=NOW - 2 * 86_400)).notes == ()


def test_an_override_that_was_not_needed_says_so():
    answer = verdict(ADA, facts={**SEEN_SAFE, "budget.remaining": 0.5})
    assert answer.outcome is Outcome.PROMOTE
    assert answer.notes == ("override 3f9c0a12 is in force, and lifted nothing",)


def test_approvers_are_compared_as_people_write_names():
    assert verdict(ADA, terms={"approvers": (" Grace ",)}).outcome is Outcome.PROMOTE


NAMES = ["safe", "blind", "spent", "worse", GUARD.rule, SILENCE.rule]
rules_written = st.lists(
    st.builds(
        replace,
        st.sampled_from([SAFE, BLIND, SPENT, WORSE]),
        then=st.sampled_from([Then.PROMOTE, Then.HOLD, Then.ROLLBACK]),
    ),
    max_size=4,
    unique_by=lambda rule: rule.name,
)
facts_known = st.fixed_dictionaries(
    {},
    optional={
        "analysis.safe": st.booleans(),
        "analysis.critical_worse": st.sampled_from([(), ("errors",)]),
        "budget.remaining": st.floats(-1, 1),
        "history.known_good": st.booleans(),
    },
)
granted_some = st.lists(
    st.builds(
        replace,
        st.just(ADA),
        id=st.sampled_from(["a" * 8, "b" * 8]),
        version=st.sampled_from(["v2", "v3"]),
        expires_at=st.sampled_from([NOW, NOW + HOUR]),
        rules=st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
    ),
    max_size=3,
)


@given(rules_written, facts_known, granted_some, st.lists(st.sampled_from(NAMES[:4]), max_size=2))
def test_whatever_is_written_and_granted_promote_is_shown_safe_or_lifted(
    rules, facts, granted, listed
):
    answer = verdict(*granted, facts=facts, rules=tuple(rules), terms={"rules": tuple(listed)})
    counting = [one for one in answer.reasons if not one.lifted]
    lifted = {one.rule: one.lifted for one in answer.reasons if one.lifted}
    if answer.outcome is Outcome.PROMOTE:
        assert {one.outcome for one in counting} == {Outcome.PROMOTE}
        if facts.get("analysis.safe") is not True:
            assert lifted[GUARD.rule].startswith("override ")
            if facts.get("analysis.critical_worse") != ():
                named = {
                    one.rule
                    for one in answer.reasons
                    if one.outcome is Outcome.ROLLBACK and one.lifted.startswith("override ")
                }
                assert named
                assert named <= set(listed)
    # Without overrides nothing is milder, and what is not in force changes nothing.
    without = verdict(facts=facts, rules=tuple(rules))
    assert answer.outcome.strictness <= without.outcome.strictness
    if not any(one.version == "v2" and one.expires_at > NOW + 60 for one in granted):
        assert (answer.outcome, answer.reasons) == (without.outcome, without.reasons)


@given(rules_written, facts_known, granted_some)
def test_a_rollback_is_lifted_only_by_its_name_and_where_the_policy_lists_it(rules, facts, granted):
    rolled = verdict(facts=facts, rules=tuple(rules)).outcome is Outcome.ROLLBACK
    if rolled:
        assert verdict(*granted, facts=facts, rules=tuple(rules)).outcome is Outcome.ROLLBACK
