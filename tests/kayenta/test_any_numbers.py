"""Whatever numbers come, the judge answers, and what it says about them holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.rank import midranks, shift, superiority
from gate.analysis.kayenta.root import TOLERANCE
from gate.analysis.kayenta.words import Label
from gate.errors import UsageError
from gate.kayenta import Direction, EffectSize, Measure, NanStrategy, Rule, Rules
from gate.series import array
from tests.kayenta.asked import USUAL, one, pair

anything = st.lists(st.floats(), max_size=12)
tame = st.lists(st.floats(-1e3, 1e3).map(lambda value: round(value, 2)), min_size=5, max_size=30)
thresholds = st.floats(-10, 10)
rules = st.builds(
    Rule,
    name=st.just("a"),
    groups=st.lists(st.sampled_from("gh"), unique=True).map(tuple),
    direction=st.sampled_from(Direction),
    nan_strategy=st.sampled_from(NanStrategy),
    outlier_factor=st.none() | st.floats(0.01, 10),
    critical=st.booleans(),
    must_have_data=st.booleans(),
    muted=st.booleans(),
    effect=st.builds(
        EffectSize,
        measure=st.sampled_from(Measure),
        allowed_increase=thresholds,
        allowed_decrease=thresholds,
        critical_increase=thresholds,
        critical_decrease=thresholds,
    ),
)
weights = st.dictionaries(st.sampled_from("ghi"), st.floats(-1e6, 1e6))


@settings(deadline=None)
@given(rule=rules, weights=weights, control=anything, experiment=anything)
def test_never_raises_and_never_answers_but_in_its_own_words(rule, weights, control, experiment):
    judgement = judge(
        Rules(metrics=(rule,), group_weights=weights), USUAL, [pair("a", control, experiment)]
    )
    (result,) = judgement.results
    assert math.isfinite(judgement.score)
    assert (result.verdict.ratio is None) == (result.verdict.label is Label.ERROR)
    assert not result.verdict.critical or result.verdict.label is not Label.PASS
    failed = result.verdict.critical and not rule.muted
    assert not failed or judgement.score == 0.0


@settings(deadline=None)
@given(control=tame, experiment=tame)
def test_the_interval_holds_the_estimate_and_mirrors_when_the_arms_are_swapped(control, experiment):
    if len(set(control)) == len(set(experiment)) == 1:  # no test: at one shift all points are tied
        return
    found, other = _shift(experiment, control), _shift(control, experiment)
    assert found.low - TOLERANCE <= found.estimate <= found.high + TOLERANCE
    # Where the score is flat, or an arm steps over zero, either end of the step is a root.
    step = TOLERANCE + max(abs(found.high - found.low), 0.01)
    assert found.estimate == pytest.approx(-other.estimate, abs=step)


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_midranks_are_those_of_scipy(values):
    ranks, ties = midranks(array(values))
    assert ranks.tolist() == scipy_stats.rankdata(values).tolist()
    assert sum(ties) == len(values)


@given(control=tame, experiment=tame)
def test_superiority_is_the_share_of_pairs_the_experiment_wins(control, experiment):
    pairs = [(ours > theirs) + (ours == theirs) / 2 for ours in experiment for theirs in control]
    assert superiority(array(experiment), array(control)) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_ends_where_scipys_test_is_at_one_percent(seed):
    random = np.random.default_rng(seed)
    control, experiment = random.normal(10, 1, 40), random.normal(11, 2, 50)
    found = shift(experiment, control)

    def p(supposed: float, alternative: str) -> float:
        test = scipy_stats.mannwhitneyu(
            experiment - supposed, control, alternative=alternative, method="asymptotic"
        )
        return float(test.pvalue)

    beyond = 2 * TOLERANCE
    assert p(found.low - beyond, "greater") <= 0.01 <= p(found.low + beyond, "greater")
    assert p(found.high + beyond, "less") <= 0.01 <= p(found.high - beyond, "less")
    middle = float(np.median(np.subtract.outer(experiment, control)))  # Hodges and Lehmann
    assert found.estimate == pytest.approx(middle, abs=0.02)


def test_infinite_points_are_an_error_and_no_verdict():
    assert one([1.0, 2.0], [1.0, math.inf]).results[0].verdict.label is Label.ERROR


def test_a_pair_without_a_rule_stops_the_judgement():
    with pytest.raises(UsageError, match="no metric config is named 'b'"):
        judge(Rules(metrics=(Rule(name="a", groups=()),)), USUAL, [pair("b", [1.0], [1.0])])


def _shift(experiment: list[float], control: list[float]):
    return shift(array(experiment), array(control))
