"""Going back, and going on with what is known good: held by nothing that surrounds a release."""

import json
from dataclasses import replace

import pytest

from gate.closure import Closure, Moment, Spell
from gate.decide import Gate
from gate.deployment import Deployment, History, Result
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.ledger.memory import history, remember
from gate.ledger.sqlite import SqliteLedger
from gate.policy.direction import GOING_BACK, KNOWN_GOOD, NEW_HERE, of_surroundings
from gate.policy.evaluate import GUARD, evaluate
from gate.policy.policy import OnUnknown, Policy, Rule, Then
from gate.policy.situation import Situation
from gate.request import Intent
from gate.verdict import Outcome
from tests.parts.rollouts import STANDARD, WINDOW, FixedSource, a_pair, a_request, a_service

NOW = WINDOW.end


def told(result, version="v2", at=NOW - 86_400.0):
    return Deployment(service="shop", version=version, result=result, at=at)


@pytest.mark.parametrize(
    ("results", "good"),  # newest first
    [
        ([], False),
        ([Result.COMPLETED], True),
        ([Result.ABORTED], False),
        ([Result.ABORTED, Result.COMPLETED], True),
        ([Result.INCIDENT, Result.COMPLETED], False),
        ([Result.ROLLED_BACK, Result.COMPLETED], False),
        ([Result.COMPLETED, Result.ROLLED_BACK], True),
    ],
)
def test_known_good_is_what_ran_through_with_no_bad_word_since(results, good):
    found = History(tuple(map(told, results)))
    assert found.known_good("v2") is good
    assert found.known_good("v3") is False


def test_a_completion_that_is_told_late_does_not_excuse_what_came_after_it():
    late, hurt = told(Result.COMPLETED, at=NOW - 7_200.0), told(Result.INCIDENT, at=NOW - 3_600.0)
    assert not History((late, hurt)).known_good("v2")  # newest told first
    assert History((hurt, replace(late, at=NOW))).known_good("v2")


def rule(name, when, then=Then.HOLD, **said):
    return Rule(name=name, when=when, then=then, message="m", **said)


ALL = (
    rule("safe", "analysis.safe && budget.remaining > 0.1", Then.PROMOTE),
    rule("spent", "budget.remaining <= 0.0"),
    rule("risky", 'risk.level == "critical" && rollout.seen_minutes < 60.0', Then.ROLLBACK),
    rule("frozen too", "calendar.frozen"),
    rule("large", "change.lines > 500", on_unknown=OnUnknown.ROLLBACK),
)
HARD = {
    "budget.remaining": -0.5, "risk.level": "critical", "rollout.seen_minutes": 30.0,
    "calendar.frozen": True, "analysis.safe": True, "analysis.critical_worse": (),
    "history.known_good": True,
}  # fmt: skip
WEEKEND = Closure(name="weekend", spells=(Spell(Moment(NOW - 60, "", ""), None),))
GOOD = Situation(
    version="v2", at=NOW, calendar=(WEEKEND,), history=History((told(Result.COMPLETED),))
)


def verdict(facts=HARD, rules=ALL, intent=Intent.RELEASE, found=GOOD):
    return evaluate(Policy(name="p", rules=rules, sha256=""), facts, intent, (), found)


def test_a_known_good_version_is_not_held_by_budget_risk_change_or_freeze():
    answer = verdict()
    assert (answer.outcome, answer.reasons[0]) == (Outcome.PROMOTE, KNOWN_GOOD)
    assert {one.rule: one.lifted for one in answer.reasons[1:]} == dict.fromkeys(
        ("spent", "risky", "frozen too", "large", "weekend"), "the version is known good"
    )


def test_any_other_version_is():
    answer = verdict({**HARD, "history.known_good": False})
    assert answer.outcome is Outcome.ROLLBACK
    assert not any(one.lifted for one in answer.reasons)


@pytest.mark.parametrize(
    "more",
    [
        rule("unclear", "!analysis.safe || size(analysis.critical_worse) > 0 || true"),
        rule("early", "rollout.seen_minutes < 60.0"),
        rule("both", "budget.remaining < 0.0 && analysis.safe"),
    ],
)
def test_what_was_shown_still_counts(more):
    assert verdict(rules=(*ALL, more)).outcome is Outcome.HOLD


def test_a_known_good_version_must_be_shown_safe_today():
    facts = {**HARD, "analysis.safe": False}
    always = rule("always", "true", Then.PROMOTE)
    assert verdict(facts, rules=ALL).outcome is Outcome.HOLD
    answer = verdict(facts, rules=(*ALL, always))
    assert (answer.outcome, answer.reasons[0]) == (Outcome.HOLD, GUARD)
    worse = rule("worse", "size(analysis.critical_worse) > 0", Then.ROLLBACK)
    facts = {**facts, "analysis.critical_worse": ("errors",)}
    assert verdict(facts, rules=(*ALL, worse)).outcome is Outcome.ROLLBACK


def test_the_rules_of_the_shipped_policy_by_what_they_read():
    around = {one.name for one in STANDARD.rules if of_surroundings(one.when)}
    assert around == {"budget spent", "burning fast", "critical change"}


@pytest.fixture
def ledger(tmp_path):
    return SqliteLedger(tmp_path / "ledger.db")


def gate(ledger, canary=0.002, clock=lambda: NOW):
    source = FixedSource(errors=a_pair(canary=canary))
    return Gate(
        service=a_service(), policy=STANDARD, sources={"m": source}, ledger=ledger, clock=clock
    )


def back(ledger, version, canary=0.02):
    """Going back to the version, which the metrics say is worse."""
    return gate(ledger, canary).decide(a_request(canary=version, intent=Intent.ROLLBACK)).verdict


def test_where_nothing_is_known_of_the_service_the_sender_is_believed(ledger):
    answer = back(ledger, "v1")
    assert (answer.reasons, answer.notes) == ((GOING_BACK,), (NEW_HERE,))


def test_back_to_the_baseline_of_an_earlier_decision(ledger):
    gate(ledger, canary=0.02).decide(a_request(canary="v2", baseline="v1"))
    assert back(ledger, "v1").reasons == (GOING_BACK,)


def test_back_to_a_canary_that_was_let_go_on_unless_it_was_stopped_later(ledger):
    gate(ledger).decide(a_request(canary="v2"))
    assert back(ledger, "v2").reasons == (GOING_BACK,)
    gate(ledger, canary=0.02).decide(a_request(canary="v2"))
    assert back(ledger, "v2").outcome is Outcome.ROLLBACK


def test_back_to_a_version_of_which_an_outcome_was_told(ledger):
    remember(ledger, told(Result.COMPLETED, "v0"))
    remember(ledger, told(Result.INCIDENT, "v-1"))
    assert back(ledger, "v0") == replace(back(ledger, "v0"), notes=())
    answer = back(ledger, "v-1")
    assert answer.outcome is Outcome.PROMOTE
    assert answer.notes == ("of 'v-1' was told: incident",)


def test_back_to_a_canary_that_was_let_go_on_and_undone_later_is_remarked_on(ledger):
    gate(ledger).decide(a_request(canary="v2"))
    remember(ledger, told(Result.ROLLED_BACK))
    assert back(ledger, "v2").notes == ("of 'v2' was told: rolled_back",)


def test_a_canary_that_was_only_stopped_is_nothing_to_go_back_to(ledger):
    gate(ledger).decide(a_request(canary="v2", baseline="v1"))
    for bad in (Result.ABORTED, Result.ROLLED_BACK):
        remember(ledger, told(bad, "v3"))
        assert back(ledger, "v3").outcome is Outcome.ROLLBACK


def test_a_new_version_does_not_get_around_the_gate_by_calling_itself_a_way_back(ledger):
    gate(ledger).decide(a_request(canary="v2", baseline="v1"))
    answer = back(ledger, "v3")
    assert answer.outcome is Outcome.ROLLBACK
    assert answer.notes[0].startswith("'v3' was not seen running before")
    assert "`gate outcome`" in answer.notes[0]
    # And what is judged well goes on as a release.
    assert back(ledger, "v3", canary=0.002).outcome is Outcome.PROMOTE


@pytest.mark.parametrize(
    ("cause", "ran"), [(Cause.EMPTY, ()), (Cause.UNREACHABLE, ("v3",)), (Cause.TIMEOUT, ("v3",))]
)
def test_a_baseline_of_which_there_is_nothing_did_not_run(ledger, cause, ran):
    """Named as one, a new version would pass for one; an outage speaks against nobody."""

    def unseen(_):
        raise SourceError(cause, "as it was")

    asked = gate(ledger)
    asked.sources = {"m": FixedSource(errors=unseen)}
    asked.decide(a_request(canary="v2", baseline="v3"))
    assert history(ledger, "shop", NOW, back_to="v3").ran == ran


def test_back_is_not_held_by_budget_freeze_or_risk(ledger):
    gate(ledger).decide(a_request(canary="v2", baseline="v1"))
    for facts in (HARD, {}, {**HARD, "analysis.safe": False}):
        found = Situation(
            version="v1", at=NOW, calendar=(WEEKEND,),
            history=history(ledger, "shop", NOW, back_to="v1"),
        )  # fmt: skip
        answer = verdict(facts, intent=Intent.ROLLBACK, found=found)
        assert answer.reasons == (GOING_BACK,)


def test_decisions_in_another_form_tell_nothing_and_stop_nobody(ledger):
    decision = gate(ledger).decide(a_request(canary="v2", baseline="v1"))
    record = ledger.entry(decision.id).record
    ledger.append(replace(record, id="old", body=json.dumps({"request": []}).encode()))
    found = history(ledger, "shop", NOW, back_to="v1")
    assert (found.ran, found.decisions) == (("v1", "v2"), 2)


def test_back_to_what_ran_in_another_namespace_is_not_believed(ledger):
    request = a_request(canary="v2", baseline="v1")
    gate(ledger).decide(replace(request, variables={"namespace": "staging"}))

    def ran(place):
        return "v2" in history(ledger, "shop", NOW, back_to="v2", namespace=place).ran

    assert [ran(place) for place in ("staging", "", "production")] == [True, True, False]


def test_no_more_decisions_are_read_than_needed(ledger):
    for at in range(3):
        gate(ledger, clock=lambda at=at: NOW + at).decide(a_request(canary="v2", baseline="v1"))
    assert history(ledger, "shop", NOW, back_to="v1").decisions == 1
    assert history(ledger, "shop", NOW, back_to="v0").decisions == 3


def test_a_version_beside_itself_did_not_run_before(ledger):
    gate(ledger, canary=0.02).decide(a_request(canary="v3", baseline="v3"))
    assert back(ledger, "v3").outcome is Outcome.ROLLBACK


def test_only_going_back_reads_decisions(ledger):
    gate(ledger).decide(a_request())
    assert history(ledger, "shop", NOW).decisions is None
