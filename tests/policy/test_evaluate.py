import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import GateError
from gate.policy.evaluate import GOING_BACK, GUARD, SILENCE, evaluate, fill
from gate.policy.policy import Mode, OnUnknown, Policy, Rule, Stance, Then
from gate.request import Intent
from gate.verdict import Outcome, Remark
from tests.parts.rollouts import STANDARD

SAFE = {"analysis.safe": True}
CHANGES = ("wait ten minutes",)


def a_rule(name, when="true", then=Outcome.HOLD, message="m", **said):
    return Rule(name=name, when=when, then=Then(then), message=message, **said)


def verdict(*rules, facts=SAFE, intent=Intent.RELEASE):
    return evaluate(Policy(name="p", rules=rules, sha256=""), facts, intent, CHANGES)


PROMOTE = a_rule("safe", "analysis.safe", Outcome.PROMOTE, "shown")


def voices(given_):
    return [(reason.rule, reason.outcome) for reason in given_.reasons]


def test_every_rule_that_holds_speaks_and_the_strictest_wins():
    answer = verdict(
        PROMOTE,
        a_rule("frozen"),
        a_rule("silent", "false", Outcome.ROLLBACK),
        a_rule("on fire", "true", Outcome.ROLLBACK),
    )
    assert answer.outcome is Outcome.ROLLBACK
    assert voices(answer) == [
        ("on fire", Outcome.ROLLBACK),
        ("frozen", Outcome.HOLD),
        ("safe", Outcome.PROMOTE),
    ]
    assert answer.changes == CHANGES


def test_promote_says_nothing_about_what_would_change_it():
    answer = verdict(PROMOTE)
    assert (answer.outcome, answer.changes) == (Outcome.PROMOTE, ())


def test_when_nothing_spoke_nothing_is_done():
    for facts in (SAFE, {}):
        answer = verdict(a_rule("silent", "false", Outcome.PROMOTE), facts=facts)
        assert (answer.outcome, answer.reasons) == (Outcome.HOLD, (SILENCE,))


@pytest.mark.parametrize("facts", [{"analysis.safe": False}, {}, {"analysis.safe": 1}])
def test_no_policy_promotes_what_was_not_shown_safe(facts):
    answer = verdict(a_rule("always", "true", Outcome.PROMOTE), facts=facts)
    assert answer.outcome is Outcome.HOLD
    assert GUARD in answer.reasons
    assert ("always", Outcome.PROMOTE) in voices(answer)


@pytest.mark.parametrize(
    ("on_unknown", "outcome", "spoke"),
    [
        (OnUnknown.HOLD, Outcome.HOLD, True),
        (OnUnknown.ROLLBACK, Outcome.ROLLBACK, True),
        (OnUnknown.IGNORE, Outcome.PROMOTE, False),
    ],
)
def test_a_rule_that_misses_a_fact_takes_its_on_unknown(on_unknown, outcome, spoke):
    spent = a_rule("spent", "budget.remaining <= 0.0", on_unknown=on_unknown, docs="https://x")
    answer = verdict(PROMOTE, spent)
    assert answer.outcome is outcome
    said = [reason for reason in answer.reasons if reason.rule == "spent"]
    assert bool(said) is spoke
    for reason in said:
        assert reason.message == "cannot be told: budget.remaining is not known"
        assert (reason.unknown, reason.docs) == (("budget.remaining",), "https://x")


def test_a_promote_that_misses_a_fact_holds():
    answer = verdict(a_rule("well funded", "budget.remaining > 0.0", Outcome.PROMOTE))
    assert voices(answer) == [("well funded", Outcome.HOLD)]


def test_a_rule_that_cannot_be_computed_holds_and_says_why():
    facts = {**SAFE, "change.lines": 7, "change.files": 0}
    answer = verdict(PROMOTE, a_rule("dense", "change.lines / change.files > 99"), facts=facts)
    assert answer.outcome is Outcome.HOLD
    assert answer.reasons[0].message == "cannot be told: INVALID_ARGUMENT: divide by zero"
    assert answer.reasons[0].unknown == ()


def test_going_back_is_never_blocked():
    forbidding = [
        a_rule("frozen", "true", Outcome.HOLD),
        a_rule("on fire", "true", Outcome.ROLLBACK),
        a_rule("spent", "budget.remaining < 0.0", on_unknown=OnUnknown.ROLLBACK),
    ]
    for facts in ({}, {"analysis.safe": False, "budget.remaining": -3.0}):
        answer = verdict(*forbidding, facts=facts, intent=Intent.ROLLBACK)
        assert (answer.outcome, answer.reasons) == (Outcome.PROMOTE, (GOING_BACK,))


WHENS = ["true", "false", "analysis.safe", "!analysis.safe", "budget.remaining > 0.5", "1/0 == 1"]
rules = st.builds(
    a_rule,
    name=st.text(min_size=1, max_size=3),
    when=st.sampled_from(WHENS),
    then=st.sampled_from(Outcome),
    on_unknown=st.sampled_from(OnUnknown),
)
facts_known = st.fixed_dictionaries(
    {}, optional={"analysis.safe": st.booleans(), "budget.remaining": st.floats(-2, 1)}
)


@given(
    st.lists(rules, max_size=6, unique_by=lambda rule: rule.name),
    facts_known,
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rules_means_nothing(written, facts, chance: random.Random):
    shuffled = chance.sample(written, len(written))
    assert verdict(*shuffled, facts=facts) == verdict(*written, facts=facts)


@given(st.lists(rules, max_size=6, unique_by=lambda rule: rule.name), facts_known)
def test_promote_is_given_only_when_safe_and_unopposed(written, facts):
    answer = verdict(*written, facts=facts)
    assert answer.reasons
    if answer.outcome is Outcome.PROMOTE:
        assert facts.get("analysis.safe") is True
        assert {reason.outcome for reason in answer.reasons} == {Outcome.PROMOTE}
    else:
        assert answer.reasons[0].outcome is answer.outcome


@given(st.lists(rules, max_size=6, unique_by=lambda rule: rule.name), facts_known)
def test_one_more_rule_never_makes_an_answer_milder(written, facts):
    before = verdict(*written, facts=facts)
    after = verdict(*written, a_rule("one more"), facts=facts)
    if before.reasons != (SILENCE,):
        assert after.outcome.strictness >= before.outcome.strictness


@pytest.mark.parametrize(
    ("message", "filled"),
    [
        ("{budget.remaining:.0%} left", "40% left"),
        ("{analysis.worse}", "errors, latency p99"),
        ("{analysis.unclear}", "none"),
        ("{analysis.worse:.6}", "errors"),
        ("{service.name:>6}|", "  shop|"),
        ("{service.labels}", "team=pay, zone=eu"),
        ("{change.lines:,}", "1,200"),
        ("{risk.level} at {risk.likelihood:.1f}", "unknown at unknown"),
        ("{{as is}}", "{as is}"),
        ("no facts", "no facts"),
    ],
)
def test_messages_are_filled_in(message, filled):
    facts = {
        "budget.remaining": 0.4,
        "analysis.worse": ("errors", "latency p99"),
        "analysis.unclear": (),
        "service.name": "shop",
        "service.labels": {"zone": "eu", "team": "pay"},
        "change.lines": 1200,
    }
    assert fill(message, facts) == filled


def test_a_fact_that_looks_like_a_template_stays_text():
    assert fill("by {service.owner}", {"service.owner": "{budget.remaining}"}) == (
        "by {budget.remaining}"
    )


def test_what_the_standard_policy_says_is_filled_in():
    answer = evaluate(STANDARD, {**SAFE, "rollout.seen_minutes": 29.7}, Intent.RELEASE, ())
    said = {reason.rule: reason.message for reason in answer.reasons}
    assert said["shown safe"] == "every critical metric was shown not worse over 30 minutes"


def test_a_rule_that_warns_or_is_audited_is_told_and_does_not_count():
    answer = verdict(
        PROMOTE,
        a_rule("big", then=Then.WARN, message="a big change", owner="sre"),
        a_rule("frozen", mode=Mode.WARN),
        a_rule("on fire", then=Outcome.ROLLBACK, mode=Mode.AUDIT, docs="https://x"),
    )
    assert (answer.outcome, voices(answer)) == (Outcome.PROMOTE, [("safe", Outcome.PROMOTE)])
    assert answer.warnings == (
        Remark("big", None, "a big change", owner="sre"),
        Remark("frozen", Outcome.HOLD, "m"),
    )
    assert answer.audited == (Remark("on fire", Outcome.ROLLBACK, "m", docs="https://x"),)


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.AUDIT])
def test_a_promote_rule_that_is_not_enforced_promotes_nothing(mode):
    answer = verdict(a_rule("safe", "analysis.safe", Outcome.PROMOTE, mode=mode))
    assert (answer.outcome, answer.reasons) == (Outcome.HOLD, (SILENCE,))
    assert [one.outcome for one in (*answer.warnings, *answer.audited)] == [Outcome.PROMOTE]


def test_a_warning_that_cannot_be_told_is_a_warning():
    thin = a_rule("thin", "budget.remaining < 0.1", Then.WARN)
    fast = a_rule("fast", "budget.burn_1h > 9.0", mode=Mode.AUDIT, on_unknown=OnUnknown.ROLLBACK)
    answer = verdict(PROMOTE, thin, fast)
    assert answer.outcome is Outcome.PROMOTE
    assert [(one.rule, one.outcome, one.unknown) for one in answer.warnings] == [
        ("thin", None, ("budget.remaining",))
    ]
    assert [(one.rule, one.outcome) for one in answer.audited] == [("fast", Outcome.ROLLBACK)]


@pytest.mark.parametrize("intent", Intent)
@given(written=st.lists(rules, max_size=4, unique_by=lambda rule: rule.name), facts=facts_known)
def test_a_policy_that_observes_says_what_it_would_and_that_it_is_not_enforced(
    intent, written, facts
):
    policy = Policy(name="p", rules=tuple(written), sha256="")
    enforced = evaluate(policy, facts, intent, CHANGES)
    observed = evaluate(replace(policy, mode=Stance.OBSERVE), facts, intent, CHANGES)
    assert enforced.enforced
    assert observed == replace(enforced, enforced=False)
    assert observed.headline == f"OBSERVED {enforced.headline} (not enforced)"


def test_a_rule_that_cannot_be_asked_at_all_is_no_verdict():
    with pytest.raises(GateError, match="rule 'old' cannot be asked: unknown fact"):
        verdict(PROMOTE, a_rule("old", "gone.away"))
