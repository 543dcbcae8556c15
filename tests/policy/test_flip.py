"""The smallest change that turns a verdict: found, true, and no smaller one was there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.policy import flip
from gate.policy.evaluate import evaluate
from gate.policy.flip import flips
from gate.policy.points import conditions, points
from gate.request import Intent
from gate.verdict import Outcome
from tests.parts.rollouts import STANDARD, a_policy
from tests.policy.test_standard import GOOD, STORIES, known


def told(found):
    return [{change.word: change.told for change in one.changes} for one in found.found]


def turned(policy, facts):
    return flips(policy, facts)


def after(policy, facts, one):
    changed = {**facts, **{change.word: change.value for change in one.changes}}
    facts = {word: value for word, value in changed.items() if value is not None}
    return evaluate(policy, facts, Intent.RELEASE, ()).outcome


@pytest.mark.parametrize(
    ("story", "changes"),
    [
        ("too early", [{"rollout.seen_minutes": "10"}]),
        ("not clear yet", [{"analysis.safe": "true"}]),
        ("budget overspent", [{"budget.remaining": "above 0"}]),
        ("the SLO could not be measured", [{"budget.remaining": "above 0"}]),
        ("burning fast", [{"budget.page_firing": "empty"}]),
        # Less risky by one step is enough, and so is the rest of the hour.
        ("a critical change", [{"risk.level": "high"}, {"rollout.seen_minutes": "60"}]),
        (
            "budget spent and shown worse",
            [{"analysis.safe": "true", "analysis.worse": "empty",
              "analysis.critical_worse": "empty", "budget.remaining": "above 0"}],
        ),
    ],
)  # fmt: skip
def test_what_would_make_the_standard_policy_promote(story, changes):
    facts = known(STORIES[story][0])
    found = turned(STANDARD, facts)
    assert told(found) == changes
    assert not found.bounded
    for one in found.found:
        assert one.outcome is after(STANDARD, facts, one) is Outcome.PROMOTE


def test_what_would_stop_a_promote_is_the_nearest_bad_news_of_each_fact():
    found = turned(STANDARD, GOOD)
    outcomes = {one.changes[0].word: one.outcome for one in found.found}
    assert all(len(one.changes) == 1 for one in found.found)
    assert outcomes["budget.remaining"] is Outcome.HOLD
    assert outcomes["analysis.critical_worse"] is Outcome.ROLLBACK
    assert told(found)[3] == {"budget.remaining": "0"}
    assert "service.tier" not in outcomes
    assert "rollout.seen_minutes" not in outcomes


def test_a_verdict_that_nothing_can_turn_is_told_as_one():
    policy = a_policy(
        'name: a, when: analysis.safe, then: promote, message: "m"',
        'name: b, when: "service.tier == 0", then: hold, message: "m"',
    )
    found = turned(policy, {"analysis.safe": True, "service.tier": 0})
    assert found.found == ()
    assert not found.bounded


def test_time_passes_for_every_clock():
    policy = a_policy(
        'name: a, when: analysis.safe && rollout.seen_minutes >= 60.0, then: promote, message: "m"',
        'name: b, when: "rollout.minutes < 60.0", then: hold, message: "m"',
    )
    facts = {"analysis.safe": True, "rollout.seen_minutes": 29.0, "rollout.minutes": 31.0}
    assert told(turned(policy, facts)) == [{"rollout.seen_minutes": "60"}]


def test_a_search_that_is_cut_off_says_so(monkeypatch):
    monkeypatch.setattr(flip, "MOST_TRIES", 3)
    found = turned(STANDARD, known(STORIES["shown worse in the first minutes"][0]))
    assert found.bounded
    assert found.tried == 3


_STATES = st.fixed_dictionaries(
    {},
    optional={
        word: st.sampled_from([one.value for one in options if one.value is not None])
        for word, options in points(conditions(STANDARD)).items()
    },
)


@settings(max_examples=60, deadline=None)
@given(_STATES)
def test_every_flip_to_promote_is_one_and_no_single_fact_was_overlooked(state):
    before = evaluate(STANDARD, state, Intent.RELEASE, ()).outcome
    found = turned(STANDARD, state)
    if before is Outcome.PROMOTE:
        assert all(one.outcome is not Outcome.PROMOTE for one in found.found)
        return
    assert all(after(STANDARD, state, one) is Outcome.PROMOTE for one in found.found)
    assert len({len(one.changes) for one in found.found}) <= 1
