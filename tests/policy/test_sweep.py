"""Strange answers are found in planted policies, and in the shipped one there are none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.policy.load import load
from gate.policy.sweep import Kind, sweep
from gate.verdict import Outcome
from tests.parts.rollouts import ROOT, STANDARD, a_policy
from tests.policy.test_packs import PACKS

SAFE = 'name: safe, when: analysis.safe, then: promote, message: "m"'
WORSE = 'name: worse, when: size(analysis.critical_worse) > 0, then: rollback, message: "m"'
UNSURE = 'name: unsure, when: "!analysis.safe", then: hold, message: "m"'


def found(*rules, **said):
    return {one.kind: one for one in sweep(a_policy(*rules), **said).found}


@pytest.mark.slow
def test_the_standard_policy_has_no_faults_in_any_state():
    whole = sweep(STANDARD)
    assert whole.whole
    assert whole.faults == ()
    # What is left to look at: its SLO or its change could not be measured, and so it holds.
    assert {one.kind for one in whole.found} == {Kind.UNKNOWN}
    rules = {rule for one in whole.found for rule in one.rules}
    assert rules == {"shown safe", "budget spent", "critical change"}


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
def test_no_shipped_pack_has_a_fault_that_a_sample_shows(pack):
    found = sweep(load(ROOT / "policies" / f"{pack}.yaml"), 6_000)
    assert found.faults == ()
    assert Kind.SILENT not in {one.kind for one in found.found}


def test_a_plain_policy_is_clean():
    assert found(SAFE, WORSE, UNSURE) == {}


def test_a_budget_that_excuses_a_regression_is_found_at_its_boundary():
    milder = found(
        SAFE, UNSURE,
        'name: worse, when: "size(analysis.critical_worse) > 0 && budget.remaining > 0.2", '
        "then: rollback, on_unknown: rollback, message: m",
    )[Kind.MILDER]  # fmt: skip
    assert milder.outcome is Outcome.ROLLBACK
    assert milder.outcome_after is Outcome.HOLD
    assert milder.news == {"budget.remaining": 0.2}
    assert milder.rules == ("worse", "unsure")
    assert milder.rules_after == ("unsure",)
    assert set(milder.facts) == {
        "analysis.safe", "analysis.critical_worse", "budget.remaining",
    }  # fmt: skip


def test_news_bring_what_they_imply():
    milder = found(
        SAFE, UNSURE, 'name: odd, when: "analysis.safe", then: rollback, message: "m"'
    )[Kind.MILDER]  # fmt: skip
    assert milder.news == {"analysis.safe": False}
    many = found(
        'name: safe, when: "analysis.safe && size(analysis.critical_worse) == 0", then: rollback, '
        "message: m",
        'name: rest, when: "true", then: promote, message: "m"',
    )[Kind.MILDER]
    assert many.news["analysis.safe"] is False


def test_an_improvement_that_is_not_needed_is_no_fault():
    # More minutes are no news: a policy may roll back late and hold early.
    late = 'name: late, when: "!analysis.safe && rollout.seen_minutes > 30.0", then: rollback'
    assert Kind.MILDER not in found(SAFE, UNSURE, f'{late}, message: "m"')


def test_a_promote_that_rests_on_nothing_shown_is_caught_and_told():
    unshown = found(
        WORSE, UNSURE, 'name: lucky, when: "size(analysis.worse) == 0", then: promote, message: "m"'
    )
    assert Kind.UNSHOWN not in unshown  # `unsure` holds it by itself
    caught = found('name: lucky, when: "true", then: promote, message: "m"')[Kind.UNSHOWN]
    assert caught.rules == ("shown, not assumed", "lucky")
    assert caught.outcome is Outcome.HOLD
    assert caught.kind.fault


def test_silence_and_the_unknown_are_to_be_looked_at_and_no_faults():
    strange = found(SAFE, 'name: spent, when: "budget.remaining <= 0.0", then: hold, message: "m"')
    assert set(strange) == {Kind.SILENT, Kind.UNKNOWN}
    assert strange[Kind.UNKNOWN].facts["budget.remaining"] is None
    assert strange[Kind.UNKNOWN].rules == ("spent", "safe")
    assert strange[Kind.SILENT].facts["analysis.safe"] is False
    assert not any(kind.fault for kind in strange)


def test_what_does_not_count_is_not_asked():
    odd = 'name: odd, when: "analysis.safe", then: rollback, mode: audit, message: "m"'
    assert found(SAFE, WORSE, UNSURE, odd) == {}


def test_too_many_states_are_sampled_and_the_same_seed_draws_the_same():
    policy = a_policy(
        SAFE, WORSE, UNSURE, 'name: n, when: "change.lines > 9", then: hold, message: m'
    )
    first, again, other = (sweep(policy, 10, seed) for seed in (1, 1, 2))
    assert not first.whole
    assert first.states <= 10 < first.possible
    assert first == again
    assert first.states != other.states or first.found != other.found or first == other


@pytest.mark.slow
@pytest.mark.parametrize(
    "excuse", ["change.approvals < 2", "budget.coverage < 0.5", "history.failure_rate > 0.3"]
)
def test_one_fault_in_a_policy_of_many_facts_is_found_in_a_small_sample(excuse):
    # Of 20 facts and more, all but two have to be as a promote needs them.
    odd = f'name: excused, when: "analysis.safe && !({excuse})", then: hold, message: m'
    regulated = load(ROOT / "policies" / "regulated.yaml")
    policy = replace(regulated, rules=(*regulated.rules, *a_policy(SAFE, odd).rules[1:]))
    whole = sweep(policy, 4_000)
    assert not whole.whole
    (milder,) = whole.faults
    assert milder.rules[0] == "excused"
    assert milder.outcome_after is Outcome.PROMOTE
