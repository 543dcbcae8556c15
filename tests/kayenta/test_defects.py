"""The known defects of Kayenta's judge, reproduced on purpose, one test a defect.

Each was seen on the genuine classes. They are why its score must not promote by itself.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.words import Label
from gate.kayenta import Direction, NanStrategy, Rule, Rules
from tests.kayenta.asked import USUAL, many, one, pair, steady

NAN = math.nan


def label(judgement) -> Label:
    return judgement.results[0].verdict.label


def test_what_cannot_be_judged_scores_100_even_if_critical():
    judgement = one([0.0] * 60, [NAN] * 59 + [5.0], critical=True)
    assert label(judgement) is Label.ERROR
    assert not judgement.results[0].verdict.critical
    assert (judgement.score, judgement.classification) == (100.0, "Pass")


@pytest.mark.parametrize(("unit", "label_there"), [(1.0, Label.HIGH), (1e-6, Label.PASS)])
def test_the_same_data_in_a_smaller_unit_passes(unit, label_there):
    baseline, slower = steady(10.0), steady(12.0, spread=1.2, seed=8)
    arms = [[unit * value for value in arm] for arm in (baseline, slower)]
    assert label(one(*arms)) is label_there


def test_negative_metrics_never_fail():
    assert label(one(steady(-10.0), steady(-5.0, seed=8))) is Label.PASS
    assert label(one(steady(-5.0), steady(-10.0, seed=8))) is Label.PASS


@pytest.mark.parametrize(("points", "needed"), [(60, 27), (10, 8), (180, 68)])
def test_sparse_errors_are_invisible(points, needed):
    found = []
    for errors in (needed - 1, needed):
        canary = np.concatenate([np.arange(1.0, errors + 1), np.zeros(points - errors)])
        found.append(label(one([0.0] * points, canary.tolist())))
    assert found == [Label.PASS, Label.HIGH]


def test_a_failed_metric_without_a_group_does_not_count():
    judgement = many(Rule(name="a", groups=()), Rule(name="b", groups=("g",)), bad="a")
    assert label(judgement) is Label.HIGH
    assert judgement.score == 100.0


@pytest.mark.parametrize(
    "rule", [Rule(name="a", groups=()), Rule(name="a", groups=("g",), muted=True)]
)
def test_nothing_that_counts_scores_0(rule):
    assert many(rule).score == 0.0


@pytest.mark.parametrize(
    ("weights", "score"),
    [({"g": 60.0}, 60.0), ({"g": 150.0}, 150.0), ({"g": 50.0, "nobody's": 50.0}, 50.0)],
)
def test_a_perfect_canary_scores_what_the_weights_sum_to(weights, score):
    assert many(Rule(name="a", groups=("g",)), weights=weights).score == score


def test_a_group_without_a_weight_beside_a_full_one_counts_nothing():
    rules = Rule(name="a", groups=("g",)), Rule(name="b", groups=("other",))
    assert many(*rules, weights={"g": 100.0}, bad="b").score == 100.0


def test_nearly_equal_constants_are_judged_by_chance():
    labels = {label(one([1000.0] * 10, [1000.015] * 10, seed)) for seed in range(40)}
    assert labels == {Label.PASS, Label.HIGH}


def test_but_the_same_seed_gives_the_same_verdict():
    assert len({label(one([1000.0] * 10, [1000.015] * 10)) for _ in range(5)}) == 1


def test_two_points_an_arm_are_enough_to_fail_by_chance():
    arms = np.random.default_rng(1).normal(100.0, 1.0, (2000, 2, 2))
    failed = [label(one(*pair, direction=Direction.INCREASE)) is Label.HIGH for pair in arms]
    # 11.65 % on the genuine judge; 3 points are four standard errors of 2,000 trials.
    assert np.mean(failed) == pytest.approx(0.1165, abs=0.03)


def test_must_have_data_does_nothing_beside_replace():
    without = one([1.0, 2.0], [], must_have_data=True, nan_strategy=NanStrategy.REPLACE)
    assert (label(without), without.score) == (Label.PASS, 100.0)
    assert label(one([1.0, 2.0], [], must_have_data=True)) is Label.NODATA_FAIL


def test_a_group_without_data_counts_as_passed():
    rules = [Rule(name=name, groups=(name,)) for name in "abc"]
    pairs = [pair("a", [], []), pair("b", [1.0], [1.0]), pair("c", [1.0], [1.0])]
    judgement = judge(Rules(metrics=tuple(rules)), USUAL, pairs)
    assert judgement.groups[0].score == 0.0
    assert judgement.score == 100.0
