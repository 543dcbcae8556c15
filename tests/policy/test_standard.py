"""The shipped policy `standard`, as stories: what is known, what is answered, who spoke."""

import pytest

from gate.policy.evaluate import evaluate
from gate.policy.words import Facts
from gate.request import Intent
from gate.verdict import Outcome
from tests.parts.rollouts import STANDARD

PROMOTE, HOLD, ROLLBACK = Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK

# Half an hour of a canary that was shown no worse, a healthy budget, a small change.
GOOD: Facts = {
    "analysis.safe": True,
    "analysis.worse": (),
    "analysis.critical_worse": (),
    "analysis.not_worse": ("errors", "latency p99"),
    "analysis.unclear": (),
    "analysis.unfit": (),
    "budget.asked": True,
    "budget.remaining": 0.6,
    "budget.page_firing": (),
    "risk.asked": True,
    "risk.level": "low",
    "change.lines": 53,
    "change.files": 3,
    "rollout.minutes": 31.0,
    "rollout.seen_minutes": 30.0,
}
NO_BUDGET = {"budget.remaining": None, "budget.page_firing": None}
NO_RISK = {"risk.level": None, "change.lines": None, "change.files": None}


STORIES = {
    "shown safe with budget left": ({}, PROMOTE, {"shown safe"}),
    "regression": (
        {"analysis.safe": False, "analysis.worse": ("errors",),
         "analysis.critical_worse": ("errors",)},
        ROLLBACK, {"regression"},
    ),
    "shown worse in the first minutes": (
        {"analysis.safe": False, "analysis.worse": ("errors",),
         "analysis.critical_worse": ("errors",), "rollout.seen_minutes": 3.0},
        ROLLBACK, {"regression", "too early"},
    ),
    "only memory, which is not critical, is worse": (
        {"analysis.worse": ("memory",)}, HOLD, {"shown safe", "regression, not critical"},
    ),
    "a critical one and another are worse": (
        {"analysis.safe": False, "analysis.worse": ("errors", "memory"),
         "analysis.critical_worse": ("errors",)},
        ROLLBACK, {"regression", "regression, not critical"},
    ),
    "too early": ({"rollout.seen_minutes": 5.0}, HOLD, {"too early"}),
    "just long enough": ({"rollout.seen_minutes": 10.0}, PROMOTE, {"shown safe"}),
    "just not long enough": ({"rollout.seen_minutes": 9.99}, HOLD, {"too early"}),
    "not clear yet": (
        {"analysis.safe": False, "analysis.unclear": ("latency p99",)}, HOLD, {"watching"},
    ),
    "an unclear one that is not critical": (
        {"analysis.unclear": ("memory",)}, PROMOTE, {"shown safe"},
    ),
    "unfit": ({"analysis.safe": False, "analysis.unfit": ("errors",)}, HOLD, {"blind"}),
    "an unfit one that is not critical": ({"analysis.unfit": ("memory",)}, PROMOTE, {"shown safe"}),
    "budget spent to the last": ({"budget.remaining": 0.0}, HOLD, {"shown safe", "budget spent"}),
    "budget overspent": ({"budget.remaining": -1.5}, HOLD, {"shown safe", "budget spent"}),
    "budget spent and shown worse": (
        {"budget.remaining": -1.5, "analysis.safe": False, "analysis.worse": ("errors",),
         "analysis.critical_worse": ("errors",)},
        ROLLBACK, {"regression", "budget spent"},
    ),
    "the SLO could not be measured": (NO_BUDGET, HOLD, {"shown safe", "budget spent"}),
    "the service has no SLO": (
        {**NO_BUDGET, "budget.asked": False}, PROMOTE, {"shown safe"},
    ),
    "burning fast": (
        {"budget.page_firing": ("availability",)}, HOLD, {"shown safe", "burning fast"},
    ),
    "no burn rate was stated": ({"budget.page_firing": None}, PROMOTE, {"shown safe"}),
    "a critical change": ({"risk.level": "critical"}, HOLD, {"shown safe", "critical change"}),
    "a critical change, an hour in": (
        {"risk.level": "critical", "rollout.seen_minutes": 60.0}, PROMOTE, {"shown safe"},
    ),
    "a high-risk change": ({"risk.level": "high"}, PROMOTE, {"shown safe"}),
    "the change could not be read": (NO_RISK, HOLD, {"shown safe", "critical change"}),
    "the change could not be read, but an hour has passed": (
        {**NO_RISK, "rollout.seen_minutes": 60.0}, PROMOTE, {"shown safe"},
    ),
    "the service names no source of changes": (
        {**NO_RISK, "risk.asked": False}, PROMOTE, {"shown safe"},
    ),
}  # fmt: skip


def known(changes) -> Facts:
    return {word: value for word, value in {**GOOD, **changes}.items() if value is not None}


@pytest.mark.parametrize("story", STORIES)
def test_the_standard_policy(story):
    changes, outcome, spoke = STORIES[story]
    verdict = evaluate(STANDARD, known(changes), Intent.RELEASE, ())
    assert {reason.rule for reason in verdict.reasons} == spoke
    assert verdict.outcome is outcome
    for reason in verdict.reasons:
        assert "unknown" not in reason.message
        assert "{" not in reason.message


def test_what_could_not_be_measured_is_named():
    verdict = evaluate(STANDARD, known(NO_BUDGET), Intent.RELEASE, ())
    assert verdict.reasons[0].message == "cannot be told: budget.remaining is not known"
    assert verdict.reasons[0].unknown == ("budget.remaining",)


@pytest.mark.parametrize("word", sorted(set(GOOD) - {"budget.page_firing", "budget.asked"}))
def test_no_missing_fact_turns_a_hold_or_rollback_into_promote(word):
    # But for the burn rate, which `burning fast` ignores and says why, and what the file itself
    # says: whether there is an SLO is always known.
    for changes, outcome, _ in STORIES.values():
        verdict = evaluate(STANDARD, known({**changes, word: None}), Intent.RELEASE, ())
        assert outcome is PROMOTE or verdict.outcome is not PROMOTE


def test_every_rule_speaks_in_some_story():
    spoken = set().union(*(spoke for _, _, spoke in STORIES.values()))
    assert spoken == {rule.name for rule in STANDARD.rules}


def test_going_back_is_promoted_whatever_is_known():
    for changes, _, _ in STORIES.values():
        assert evaluate(STANDARD, known(changes), Intent.ROLLBACK, ()).outcome is PROMOTE
