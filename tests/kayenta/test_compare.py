"""`judge: kayenta`: the genuine judge's labels, read with care."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.comparison import Analysis, Finding
from gate.analysis.kayenta.compare import METHOD, compare
from gate.analysis.kayenta.words import Classification
from gate.decision import decided, from_json, redo, to_json
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.kayenta import Direction as Fails
from gate.kayenta import EffectSize, Kayenta, NanStrategy, Rule, Rules, Thresholds
from gate.kayenta_config import parse
from gate.metric import Direction, Kind, Margin, Metric
from gate.policy.evaluate import evaluate
from gate.request import Intent, Window
from gate.series import Buckets, Counts, Levels, Samples, array
from gate.verdict import Outcome
from tests.kayenta.asked import USUAL, steady
from tests.kayenta.genuine import CASES, Case
from tests.parts.rollouts import STANDARD, T0, a_metric, a_policy, a_request, a_service

HOUR = Window(T0, 60.0, 60)
WIDE = Margin(1.2, 0.0)


def levels(values) -> Levels:
    """A gauge of one pod."""
    return Levels(pods=("a",), values=array([[value] for value in values]))


def pair(name="a", control=None, experiment=None, **said) -> Pair:
    control = steady(10.0, seed=1) if control is None else control
    experiment = steady(10.0, seed=2) if experiment is None else experiment
    return Pair(name, baseline=levels(control), canary=levels(experiment), **said)


def a_gauge(name="a", **said) -> Metric:
    return a_metric(name, Kind.GAUGE, **{"critical": False, "margin": WIDE, **said})


def a_rule(name="a", **said) -> Rule:
    return Rule(**{"name": name, "groups": (name,), "direction": Fails.INCREASE, **said})


def of_rules(*rules: Rule, weights: dict[str, float] | None = None) -> Kayenta:
    return Kayenta(Rules(metrics=rules, group_weights=weights or {}), USUAL)


def judged(*pairs: Pair, rules=None, metrics=None, weights=None, window=HOUR, gaps=()) -> Analysis:
    rules = rules or [a_rule(one.metric) for one in pairs]
    metrics = metrics or [a_gauge(rule.name, critical=rule.critical) for rule in rules]
    service = a_service(*metrics, kayenta=of_rules(*rules, weights=weights))
    return compare(service, service.kayenta, Evidence(window, pairs, gaps=gaps))


def one(control=None, experiment=None, *, metric=None, window=HOUR, doubts=(), **rule):
    """The comparison of one metric, and that of the score."""
    found = judged(
        pair("a", control, experiment, doubts=doubts),
        rules=[a_rule(**rule)],
        metrics=[metric or a_gauge(critical=rule.get("critical", False))],
        window=window,
    )
    score, comparison = found.comparisons
    return comparison, score


# -- one metric ----------------------------------------------------------------------------------


def test_two_like_arms_are_shown_not_worse():
    comparison, score = one()
    assert (comparison.finding, comparison.why) == (Finding.NOT_WORSE, "Pass")
    assert comparison.interval.high < 0.2 * comparison.baseline
    assert comparison.interval.level == 0.98
    assert comparison.limit == pytest.approx(1.2 * comparison.baseline)
    assert (comparison.counted, comparison.events_canary) == ("points", 60.0)
    assert comparison.log_e_worse is comparison.log_e_not_worse is None
    assert comparison.method == METHOD
    assert (score.finding, score.why) == (Finding.NOT_WORSE, "Kayenta score 100 of 95 needed")


def test_a_doubled_canary_is_worse_and_so_is_the_score():
    comparison, score = one(steady(10.0), steady(20.0))
    assert comparison.finding is Finding.WORSE
    assert comparison.why == "High, 2.02 times the baseline's mean, 1 allowed"
    assert (score.finding, score.canary, score.limit) == (Finding.WORSE, 0.0, 95.0)
    assert score.why == "Kayenta score 0 of 95 needed, and from 75 on it is marginal"


def test_a_fall_is_worse_only_where_the_rule_says_so():
    halved = steady(5.0)
    assert one(steady(10.0), halved)[0].finding is Finding.NOT_WORSE
    low, _ = one(steady(10.0), halved, direction=Fails.EITHER)
    assert (low.finding, low.worse) == (Finding.WORSE, Direction.LOWER)
    assert low.limit == pytest.approx(low.baseline / 1.2)
    falls = a_gauge(worse=Direction.LOWER)
    low, _ = one(steady(10.0), halved, metric=falls, direction=Fails.DECREASE)
    assert low.finding is Finding.WORSE
    high, _ = one(steady(10.0), steady(20.0), metric=falls, direction=Fails.DECREASE)
    assert high.finding is Finding.NOT_WORSE


@pytest.mark.parametrize("must_have_data", [False, True])
@pytest.mark.parametrize("strategy", NanStrategy)
def test_nothing_but_nan_is_unfit_and_no_pass(strategy, must_have_data):
    comparison, score = one(
        experiment=[np.nan] * 60, nan_strategy=strategy, must_have_data=must_have_data
    )
    assert (comparison.finding, comparison.why) == (
        Finding.UNFIT, "canary: no data in 60 intervals",
    )  # fmt: skip
    assert comparison.canary is comparison.interval is None
    assert score.finding is Finding.UNFIT


def test_an_error_label_is_unfit_though_kayenta_scores_100():
    few = [np.nan] * 59 + [5.0]
    comparison, score = one([0.0] * 60, few, critical=True)
    assert comparison.finding is Finding.UNFIT
    assert comparison.critical
    assert "Error, which its score ignores" in comparison.why
    assert (score.canary, score.finding) == (100.0, Finding.UNFIT)
    assert score.why == (
        "Kayenta score 100 of 95 needed; 0 if all that was not shown not worse had failed"
    )


def test_a_metric_nobody_answered_for_has_its_gap_as_the_reason():
    gap = Gap("metric a", Cause.TIMEOUT, "no answer within 20 s")
    found = judged(rules=[a_rule()], gaps=(gap,))
    assert found.comparisons[1].why == "timeout: no answer within 20 s"
    assert found.comparisons[0].finding is Finding.UNFIT
    assert not found.safe


def test_doubts_convict_and_do_not_acquit():
    down = (Gap("metric a", Cause.PARTIAL, "pod b is down"),)
    assert one(doubts=down)[0].finding is Finding.UNFIT
    assert one(steady(10.0), steady(20.0), doubts=down)[0].finding is Finding.WORSE


def test_a_hole_in_the_baseline_is_no_regression_though_kayenta_reads_it_as_zeros():
    holes = [np.nan] * 40 + steady(10.0, points=20, seed=1)
    comparison, score = one(holes, nan_strategy=NanStrategy.REPLACE)
    assert (score.canary, score.finding) == (0.0, Finding.UNCLEAR)
    assert comparison.finding is Finding.UNCLEAR
    assert comparison.why.endswith("but only with 40 points that were not seen and read as 0")
    doubled, _ = one(holes, steady(20.0), nan_strategy=NanStrategy.REPLACE)
    assert doubled.finding is Finding.WORSE


def test_a_warm_up_is_no_point_not_even_a_zero():
    cold = [100.0] * 5 + steady(10.0, points=55, seed=2)
    warmed = a_gauge(warmup=300.0)
    comparison, _ = one(None, cold, metric=warmed, nan_strategy=NanStrategy.REPLACE)
    assert (comparison.finding, comparison.events_canary) == (Finding.NOT_WORSE, 55.0)
    early, _ = one([10.0] * 5, [10.0] * 5, metric=warmed, window=Window(T0, 60.0, 5))
    assert early.why == "warming up: its first 5m are not judged"


@pytest.mark.parametrize(
    ("control", "experiment", "rule", "why"),
    [
        (steady(10.0, points=49, seed=1), steady(10.0, points=49, seed=2), {},
         "on 49 points an arm; 50 needed"),
        (steady(10.0, seed=1), [np.nan] * 3 + steady(10.0, points=57, seed=2),
         {"nan_strategy": NanStrategy.REPLACE}, "with 3 points that were not seen and read as 0"),
        # Kayenta's judge never fails a metric below zero: the ratio points the other way.
        (steady(-10.0), steady(-5.0), {}, "it may be higher by 5.38, and 0 is allowed"),
        # Its tolerance is 0.0001 in any unit: here all it could see is ten times too small.
        ([1e-5] * 30 + [1.1e-5] * 30, [1e-5] * 29 + [1.1e-5] * 31, {}, "it may be higher by 0.0"),
    ],
)  # fmt: skip
def test_a_pass_that_shows_nothing_is_unclear(control, experiment, rule, why):
    window = Window(T0, 60.0, len(control))
    comparison, score = one(control, experiment, window=window, **rule)
    assert comparison.finding is Finding.UNCLEAR
    assert comparison.why.startswith(f"Pass, but {why}")
    assert (score.canary, score.finding) == (100.0, Finding.UNCLEAR)


def test_a_margin_narrower_than_the_interval_is_not_shown():
    narrow = a_gauge(margin=Margin(1.01, 0.0))
    comparison, _ = one(metric=narrow)
    assert comparison.finding is Finding.UNCLEAR
    either = a_gauge(margin=WIDE)
    assert one(metric=either, direction=Fails.EITHER)[0].finding is Finding.NOT_WORSE


def test_errors_in_a_third_of_the_points_pass_in_kayenta_and_are_not_shown_here():
    sparse = [0.0] * 38 + [1.0] * 22
    comparison, score = one([0.0] * 60, sparse, metric=a_gauge(margin=Margin(1.2, 0.01)))
    assert score.canary == 100.0
    assert comparison.finding is Finding.UNCLEAR
    assert comparison.why == "Pass, but its mean is higher by more than the 0.01 that is allowed"


def test_four_points_an_arm_are_never_worse():
    comparison, score = one(
        [1.0, 2.0, 3.0, 4.0], [15.0, 16.0, 17.0, 18.0], window=Window(T0, 60.0, 4)
    )
    assert comparison.finding is Finding.UNCLEAR
    assert comparison.why.endswith("on 4 points; 5 needed to fail")
    assert (score.canary, score.finding) == (0.0, Finding.UNCLEAR)


def test_numbers_that_overflow_are_unfit():
    assert one([1e200] * 60, [1.0] * 60)[0].finding is Finding.UNFIT


# Plain, missing, and what no source should send.
numbers = st.floats(-1e3, 1e3) | st.just(float("nan")) | st.floats() | st.sampled_from([0.0, 1.0])


@given(
    control=st.lists(numbers, min_size=60, max_size=60),
    experiment=st.lists(numbers, min_size=60, max_size=60),
    strategy=st.sampled_from(NanStrategy),
    direction=st.sampled_from(Fails),
    factor=st.none() | st.floats(0.1, 5.0),
)
def test_any_numbers_get_a_finding_and_no_number_that_is_none(
    control, experiment, strategy, direction, factor
):
    comparison, score = one(
        control, experiment, nan_strategy=strategy, direction=direction, outlier_factor=factor
    )
    told = (comparison.baseline, comparison.canary, comparison.difference, comparison.limit)
    assert all(np.isfinite(number) for number in (*told, score.canary) if number is not None)
    shown = comparison.finding is Finding.NOT_WORSE
    assert (score.finding is Finding.NOT_WORSE) is shown
    if shown:
        assert comparison.canary <= comparison.limit or direction is Fails.DECREASE
        assert min(np.isfinite(control).sum(), np.isfinite(experiment).sum()) >= 48


# -- every kind of series ------------------------------------------------------------------------

ROWS = np.array([[50.0, 40.0, 10.0]] * 60)
TIMES = T0 + 30.0 + 30.0 * np.arange(120)
ARMS = {
    Kind.EVENTS: (Counts(array([10.0] * 60), array([5000.0] * 60)), 0.002),
    Kind.HISTOGRAM: (Buckets(array([0.1, 0.2]), array(ROWS)), 0.15),
    Kind.GAUGE: (Levels(("a", "b"), array([[1.0, 3.0]] * 59 + [[np.nan, 2.0]])), 2.0),
    Kind.SAMPLES: (Samples(array(TIMES), array([1.0, 5.0] * 60)), 3.0),
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_becomes_points(kind):
    series, mean = ARMS[kind]
    metric = a_metric("it", kind, quantiles=(0.7,) if kind is Kind.HISTOGRAM else ())
    found = judged(Pair("it", series, series), rules=[a_rule("it")], metrics=[metric])
    comparison = found.comparisons[1]
    assert comparison.finding is Finding.NOT_WORSE, comparison.why
    assert comparison.canary == pytest.approx(mean)
    assert comparison.events_canary == 60.0
    assert comparison.aspect == ("p70" if kind is Kind.HISTOGRAM else "")


def test_no_errors_in_a_trickle_of_requests_shows_nothing():
    trickle = Counts(array([0.0] * 60), array([10.0] * 60))
    errors = a_metric("it")
    found = judged(Pair("it", trickle, trickle), rules=[a_rule("it")], metrics=[errors])
    assert found.comparisons[1].finding is Finding.UNCLEAR
    assert "600 canary events are too few to show a share of 0.0005" in found.comparisons[1].why


def test_a_quantile_lies_where_prometheus_puts_it():
    rows = [[10.0, 0.0, 0.0], [0.0, 0.0, 10.0], [0.0, 0.0, 0.0], [np.nan] * 3, [0.0, 10.0, 0.0]]
    series = Buckets(array([0.1, 0.2]), array(rows * 12))
    metric = a_metric("it", Kind.HISTOGRAM)
    found = judged(Pair("it", series, series), rules=[a_rule("it")], metrics=[metric])
    # 0.05 and 0.15 by the line, 0.2 above the last edge; nothing where nothing was observed.
    assert found.comparisons[1].canary == pytest.approx((0.05 + 0.2 + 0.15) / 3)
    assert found.comparisons[1].events_canary == 36.0


# -- the score -----------------------------------------------------------------------------------

GOOD, BAD = pair("good"), pair("bad", steady(10.0), steady(20.0))


def verdict_of(found: Analysis, policy=STANDARD) -> Outcome:
    known = {
        "analysis.safe": found.safe, "analysis.score": found.score,
        "analysis.critical_worse": found.found(Finding.WORSE, critical_only=True),
        "rollout.seen_minutes": found.minutes, "budget.asked": False, "risk.asked": False,
        **{f"analysis.{one}": found.found(one) for one in Finding},
    }  # fmt: skip
    return evaluate(policy, known, Intent.RELEASE, ()).outcome


def test_a_score_between_the_thresholds_holds():
    found = judged(GOOD, BAD, weights={"good": 80.0, "bad": 20.0})
    score = found.comparisons[0]
    assert (found.score, score.finding, score.critical) == (80.0, Finding.UNCLEAR, True)
    assert score.label == "score (Kayenta)"
    assert score.why.startswith("Kayenta score 80 of 95 needed")
    assert not found.safe
    assert verdict_of(found) is Outcome.HOLD


@pytest.mark.parametrize(
    ("weight", "finding", "outcome"),
    [
        (4.0, Finding.NOT_WORSE, Outcome.HOLD),  # a metric that is worse holds for a look
        (6.0, Finding.UNCLEAR, Outcome.HOLD),
        (26.0, Finding.WORSE, Outcome.ROLLBACK),
    ],
)
def test_the_score_decides_where_no_metric_is_critical(weight, finding, outcome):
    found = judged(GOOD, BAD, weights={"good": 100.0 - weight, "bad": weight})
    assert found.comparisons[0].finding is finding
    assert verdict_of(found) is outcome


def test_a_policy_may_promote_on_the_score_as_kayenta_does_and_no_further():
    by_score = a_policy("name: score, when: analysis.score >= 95.0, then: promote, message: m")
    assert verdict_of(judged(GOOD, BAD, weights={"good": 96.0, "bad": 4.0}), by_score) is (
        Outcome.PROMOTE
    )
    blind = pair("bad", [0.0] * 60, [np.nan] * 59 + [5.0])
    found = judged(GOOD, blind)
    assert found.score == 100.0
    assert verdict_of(found, by_score) is Outcome.HOLD


def test_a_critical_metric_rolls_back_from_its_critical_effect_on():
    rules = a_rule("good"), a_rule("bad", critical=True)
    found = judged(GOOD, BAD, rules=rules, weights={"good": 99.0, "bad": 1.0})
    assert found.score == 0.0
    assert "Canary Failed: The metric bad was classified as High (Critical)" in (
        found.comparisons[0].why
    )
    assert found.found(Finding.WORSE, critical_only=True) == ("score (Kayenta)", "bad")
    assert verdict_of(found) is Outcome.ROLLBACK


def test_short_of_it_the_score_decides_but_nothing_promotes():
    ordinary = a_rule("bad", critical=True, effect=EffectSize(critical_increase=3.0))
    found = judged(GOOD, BAD, rules=(a_rule("good"), ordinary), weights={"good": 99.0, "bad": 1.0})
    assert found.score == 99.0
    assert found.comparisons[2].why.endswith("short of a critical failure")
    assert not found.comparisons[2].critical
    assert verdict_of(found) is Outcome.HOLD
    anything = a_policy("name: any, when: analysis.score > 0.0, then: promote, message: m")
    assert verdict_of(found, anything) is Outcome.HOLD


def test_a_muted_metric_is_compared_and_does_not_count():
    found = judged(GOOD, BAD, rules=(a_rule("good"), a_rule("bad", muted=True)))
    assert (found.score, found.comparisons[0].finding) == (100.0, Finding.NOT_WORSE)
    assert found.comparisons[2].finding is Finding.WORSE
    assert verdict_of(found) is Outcome.HOLD


def test_missing_data_neither_promotes_nor_rolls_back():
    gone = pair("bad", None, [np.nan] * 60)
    rules = a_rule("good"), a_rule("bad")
    found = judged(GOOD, gone, rules=rules)
    assert found.score == 0.0  # half of the metrics without data fail a canary in Kayenta
    assert found.comparisons[0].finding is Finding.UNFIT
    assert verdict_of(found) is Outcome.HOLD


# -- the recorded requests -----------------------------------------------------------------------


def through_the_gate(case: Case) -> Analysis:
    """A recorded request as a service and its evidence: one metric for each pair, an hour each."""
    config = parse(json.dumps(case.request["canaryConfig"]), case.label)
    by_name: dict[str, Rule] = {one.name: one for one in reversed(config.rules.metrics)}
    pairs, rules = [], []
    for number, one in enumerate(case.request["metricSetPairList"]):
        name, values = f"{number} {one['name']}", one["values"]
        length = max(len(values["control"]), len(values["experiment"]))
        arms = [
            levels([*map(float, values[arm]), *[np.nan] * (length - len(values[arm]))])
            for arm in ("control", "experiment")
        ]
        pairs.append((name, arms, length))
        rules.append(replace(by_name[one["name"]], name=name))
    limits = case.request["scoreThresholds"]
    kayenta = Kayenta(
        Rules(metrics=tuple(rules), group_weights=config.classifier.group_weights),
        Thresholds(limits["pass"], limits["marginal"]),
    )
    (length,) = {length for _, _, length in pairs}
    evidence = Evidence(
        Window(T0, 60.0, length), tuple(Pair(name, *arms) for name, arms, _ in pairs)
    )
    metrics = [a_gauge(rule.name, critical=rule.critical) for rule in rules]
    return compare(a_service(*metrics, kayenta=kayenta), kayenta, evidence)


def fits(case: Case) -> bool:
    """Series of one length, missing points removed, and nothing that hangs on the noise's seed."""
    if case.died or "replace" in json.dumps(case.request["canaryConfig"]):
        return False
    arms = [one["values"].values() for one in case.request["metricSetPairList"]]
    lengths = {max(map(len, pair)) for pair in arms}
    ours = replace(case, request={**case.request, "seed": 0}).judged().results
    labels = [one["classification"] for one in case.response["results"]]
    return len(lengths) == 1 and min(lengths) > 0 and [x.verdict.label for x in ours] == labels


RECORDED = [case for case in CASES if fits(case)]


def test_enough_of_the_recorded_requests_fit():
    classes = {case.response["score"]["classification"] for case in RECORDED}
    assert len(RECORDED) >= 20, len(RECORDED)
    assert classes >= {"Pass", "Fail"}


FINDINGS: dict[str, set[Finding]] = {
    "Pass": {Finding.NOT_WORSE, Finding.UNCLEAR, Finding.UNFIT},
    "High": {Finding.WORSE, Finding.UNCLEAR},
    "Low": {Finding.WORSE, Finding.UNCLEAR},
    "Nodata": {Finding.UNFIT},
    "NodataFailMetric": {Finding.UNFIT},
    "Error": {Finding.UNFIT},
}
SCORES = {
    Classification.PASS: {Finding.NOT_WORSE, Finding.UNCLEAR, Finding.UNFIT},
    Classification.MARGINAL: {Finding.UNCLEAR, Finding.UNFIT},
    Classification.FAIL: {Finding.WORSE, Finding.UNCLEAR, Finding.UNFIT},
}


@pytest.mark.parametrize("case", RECORDED, ids=str)
def test_a_recorded_request_has_the_genuine_labels_and_score_and_never_a_bolder_finding(case):
    found = through_the_gate(case)
    assert found.score == pytest.approx(case.response["score"]["score"], abs=0.01)
    assert found.comparisons[0].finding in SCORES[case.response["score"]["classification"]]
    for ours, genuine in zip(found.comparisons[1:], case.response["results"], strict=True):
        label = genuine["classification"]
        assert ours.finding in FINDINGS[label], (label, ours.why)
        if label != "Pass" and ours.events_canary and ours.finding is not Finding.UNFIT:
            assert label in ours.why


# -- stored --------------------------------------------------------------------------------------


def a_decision(*pairs: Pair, **said: Any):
    rules = [a_rule(one.metric) for one in pairs]
    service = a_service(
        *(a_gauge(rule.name) for rule in rules),
        kayenta=of_rules(*rules, weights={rules[0].name: 60.0}),
    )
    request = a_request(as_of=HOUR.end, since=3600.0)
    evidence = Evidence(HOUR, pairs)
    usual = {"at": 1_700_002_000.5, "gate_version": "0.1.0"}
    return decided(request, service, STANDARD, evidence, **{**usual, **said})


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (GOOD, Outcome.PROMOTE),
        (BAD, Outcome.ROLLBACK),
        (pair("bad", None, [np.nan] * 60), Outcome.HOLD),
        # Two constants: the judge adds noise, and always the same.
        (pair("bad", [10.0] * 60, [10.0001] * 60), Outcome.ROLLBACK),
    ],
    ids=["good", "bad", "blind", "constant"],
)
def test_a_stored_decision_is_decided_again_byte_for_byte(other, outcome):
    decision = a_decision(pair("a"), replace(other, metric="other"))
    stored = from_json(to_json(decision))
    assert stored.service.kayenta == decision.service.kayenta
    assert to_json(stored) == to_json(decision)
    assert to_json(redo(stored)) == to_json(decision.conclusion)
    assert decision.verdict.outcome is outcome, decision.verdict.reasons
    facts = decision.conclusion.facts
    assert "analysis.score" in facts
    assert "analysis.evidence_worse" not in facts


def test_a_decision_stored_before_there_was_a_choice_reads_as_the_gates_own():
    raw = json.loads(to_json(a_decision(GOOD)))
    del raw["service"]["kayenta"], raw["conclusion"]["analysis"]["score"]
    read = from_json(json.dumps(raw).encode())
    assert read.service.kayenta is read.conclusion.analysis.score is None
