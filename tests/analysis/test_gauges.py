import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import t, ttest_ind

from gate.analysis import gauges
from gate.analysis.comparison import Finding
from gate.analysis.gauges import _log_calibrated, _Pods
from gate.analysis.judge import judge
from gate.analysis.question import Unfit
from gate.analysis.student import log_upper_tail, upper_quantile
from gate.metric import Direction, Kind, Margin
from gate.series import Levels, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import an_hour_of, levels
from tests.parts.rollouts import a_metric, a_service

ALPHA, BETA = 0.02, 0.05
CPU = a_metric("cpu", Kind.GAUGE)
MARGIN = CPU.margin.ratio
EQUAL = Margin(1.0, 0.0)


def answer(pair, metric=CPU):
    return gauges.compare(
        metric, pair.baseline, pair.canary, -math.log(ALPHA / 2), -math.log(BETA / 2)
    )


def compared(pods, higher, releases, seed=1, **said):
    """How often worse, and not worse, was called by the end, and the interval was wrong.

    The evidence only grows with time, so that the end tells of every look before.
    """
    rng, worse, not_worse, missed = np.random.default_rng(seed), 0, 0, 0
    for _ in range(releases):
        one = answer(levels(rng, 45, pods=pods, higher=higher, **said))
        worse += one.log_e_worse >= -math.log(ALPHA)
        not_worse += one.log_e_not_worse >= -math.log(BETA)
        missed += not one.effect.low <= higher - 1 <= one.effect.high
    return worse, not_worse, missed


@pytest.mark.parametrize(
    ("pods", "higher"),
    [
        ((3, 3), 1.0),
        ((3, 3), MARGIN),
        ((5, 5), MARGIN),
        ((10, 10), 1.0),
        ((10, 10), MARGIN),
        ((10, 3), MARGIN),
        ((20, 2), MARGIN),
        ((2, 20), MARGIN),
    ],
)
def test_slow_noise_and_unlike_pods_keep_both_promises(pods, higher):
    # Memory 0.9: a minute's reading says little that the one before did not.
    releases = 500
    worse, not_worse, missed = compared(pods, higher, releases)
    assert at_most(worse, releases) <= ALPHA
    if higher == MARGIN:
        assert at_most(not_worse, releases) <= BETA
    assert at_most(missed, releases) <= 0.03  # alpha / 2 + beta / 2


def test_evidence_never_falls_with_time():
    rng = np.random.default_rng(2)
    for higher in (1.0, 1.5):
        pair = levels(rng, 45, higher=higher)
        ends = [
            answer(replace(pair, baseline=first(pair.baseline, n), canary=first(pair.canary, n)))
            for n in range(5, 46)
        ]
        for earlier, later in pairwise(ends):
            assert later.log_e_worse >= earlier.log_e_worse
            assert later.log_e_not_worse >= earlier.log_e_not_worse


def first(series, n):
    return Levels(series.pods, series.values[:n])


def test_lopsided_arms_of_unlike_spread_do_not_exceed_alpha():
    # Pod means drawn directly: what Welch's degrees of freedom alone get wrong most.
    rng, releases, level = np.random.default_rng(3), 4_000, 0.002
    bold = 0
    for _ in range(releases):
        pods = _Pods(rng.normal(1.0, 0.05, 20), rng.normal(1.0, 0.15, 2))
        bold += _log_calibrated(log_upper_tail(*pods.score(EQUAL))) >= -math.log(level)
    assert at_most(bold, releases) <= level


def test_clear_regressions_are_called_worse():
    worse, not_worse, _ = compared((10, 10), 1.6, 150)
    assert at_least(worse, 150) >= 0.95
    assert not_worse == 0


def test_healthy_canaries_with_ten_pods_are_called_not_worse():
    worse, not_worse, _ = compared((10, 10), 1.0, 150)
    assert at_least(not_worse, 150) >= 0.9
    assert worse == 0


def test_the_score_is_welchs():
    # scipy.stats.ttest_ind(equal_var=False): statistic, df and p-value
    rng = np.random.default_rng(4)
    baseline, canary = rng.normal(5, 1, 8), rng.normal(5.5, 2, 7)
    score, freedom = _Pods(baseline, canary).score(EQUAL)
    theirs = ttest_ind(canary, baseline, equal_var=False, alternative="greater")
    assert score == pytest.approx(theirs.statistic)
    assert freedom == pytest.approx(theirs.df)
    assert math.exp(log_upper_tail(score, freedom)) == pytest.approx(theirs.pvalue)
    shifted, _ = _Pods(baseline, canary).score(Margin(1.2, 0.3))
    against = ttest_ind(canary, 1.2 * baseline + 0.3, equal_var=False)
    assert shifted == pytest.approx(against.statistic)


def test_few_pods_keep_welch_from_trusting_the_many():
    rng = np.random.default_rng(5)
    _, freedom = _Pods(rng.normal(5, 1, 20), np.array([5.0, 5.0001])).score(EQUAL)
    assert freedom == 2.0


@pytest.mark.parametrize("freedom", [1.0, 1.7, 4.0, 18.3, 200.0])
@pytest.mark.parametrize("score", [-40.0, -1.2, 0.0, 0.3, 2.0, 9.0, 300.0])
def test_the_tail_is_students(score, freedom):
    # scipy.stats.t.logsf, itself of Boost's
    assert log_upper_tail(score, freedom) == pytest.approx(
        t.logsf(score, freedom), rel=1e-9, abs=1e-13
    )


@pytest.mark.parametrize("freedom", [1.0, 3.6, 30.0])
@pytest.mark.parametrize("p", [0.4, 0.01, 1e-7, 1e-30])
def test_the_quantile_is_the_tails_inverse(p, freedom):
    assert upper_quantile(math.log(p), freedom) == pytest.approx(t.isf(p, freedom), rel=1e-7)


def test_the_calibrator_is_vovk_and_wangs():
    # Vovk & Wang, Annals of Statistics 2021, eq. (2), by hand: at p = 1/e, ln p = -1,
    # f = (1 - 1/e - 1/e) / (1/e) = e - 2.
    assert math.exp(_log_calibrated(-1.0)) == pytest.approx(math.e - 2)
    # at p = e^-2: f = (1 - 3 e^-2) / (4 e^-2) = (e^2 - 3) / 4
    assert math.exp(_log_calibrated(-2.0)) == pytest.approx((math.e**2 - 3) / 4)
    assert math.exp(_log_calibrated(0.0)) == 0.5


def test_the_calibrator_integrates_to_one():
    # In x = -ln p, where f(p) dp = f e^-x dx falls as 1 / x^2; the integral beyond 700 is 1 / 700.
    whole, _ = quad(lambda x: math.exp(_log_calibrated(-x) - x), 0, 700, limit=200)
    assert whole == pytest.approx(1.0 - 1 / 700, abs=1e-4)


def test_the_calibrator_falls_and_does_not_jump():
    places = np.geomspace(1e-9, 1400, 2_000)  # of -ln p
    steps = np.diff([_log_calibrated(-place) for place in places])
    assert (steps >= -1e-7).all()  # the cancellation near p = 1 is no larger
    assert (steps <= np.diff(places) + 1e-4).all()  # f grows no faster than 1 / p


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_the_unit_of_a_gauge_changes_no_finding(unit):
    rng = np.random.default_rng(6)
    for higher in (1.0, 1.2, 2.0):
        pair = levels(rng, 30, pods=(10, 10), higher=higher)
        one = answer(pair, replace(CPU, margin=Margin(1.1, 0.1)))
        scaled = replace(
            pair,
            baseline=Levels(pair.baseline.pods, array(pair.baseline.values * unit)),
            canary=Levels(pair.canary.pods, array(pair.canary.values * unit)),
        )
        other = answer(scaled, replace(CPU, margin=Margin(1.1, 0.1 * unit)))
        assert other.log_e_worse == pytest.approx(one.log_e_worse)
        assert other.log_e_not_worse == pytest.approx(one.log_e_not_worse)
        assert other.effect.high == pytest.approx(one.effect.high * unit)


def test_lower_is_worse_is_higher_is_worse_of_the_negated_values():
    rng = np.random.default_rng(7)
    for higher in (1.0, 0.5):
        pair = levels(rng, 30, pods=(10, 10), higher=higher)
        lower = replace(CPU, worse=Direction.LOWER)
        one = answer(pair, lower)
        negated = replace(
            pair,
            baseline=Levels(pair.baseline.pods, array(-pair.baseline.values)),
            canary=Levels(pair.canary.pods, array(-pair.canary.values)),
        )
        other = answer(negated, replace(CPU, margin=CPU.margin.mirrored()))
        assert one.log_e_worse == pytest.approx(other.log_e_worse)
        assert one.log_e_not_worse == pytest.approx(other.log_e_not_worse)
        assert (one.effect.low, one.effect.high) == pytest.approx(
            (-other.effect.high, -other.effect.low)
        )
        assert (one.log_e_worse > 5) == (higher == 0.5)
        assert one.effect.limit == pytest.approx(one.effect.baseline / MARGIN)


def test_pods_that_come_late_do_not_spoil_the_later_looks():
    pair = levels(np.random.default_rng(8), 40, pods=(10, 10), higher=2.0)
    values = np.array(pair.canary.values)
    values[:10, 1:] = math.nan  # one pod at first, ten later
    late = replace(pair, canary=Levels(pair.canary.pods, array(values)))
    (one,) = judge(a_service(CPU), an_hour_of(late)).comparisons
    assert one.finding is Finding.WORSE
    assert one.events_canary == 10


@pytest.mark.parametrize(
    ("pods", "minutes", "said"),
    [
        ((5, 1), 30, "canary: 1 pods seen long enough, 2 needed"),
        ((1, 5), 30, "baseline: 1 pods seen long enough, 2 needed"),
        ((5, 5), 4, "4 intervals, 5 needed for a pod's mean"),
    ],
)
def test_too_little_to_compare_is_unfit(pods, minutes, said):
    with pytest.raises(Unfit, match=said):
        answer(levels(np.random.default_rng(9), minutes, pods=pods))


def test_pods_that_agree_to_the_last_bit_prove_nothing():
    flat = Levels(("a", "b"), array(np.ones((20, 2))))
    higher = Levels(("c", "d"), array(np.full((20, 2), 3.0)))
    with pytest.raises(Unfit, match="agree to the last bit"):
        gauges.compare(CPU, flat, higher, 5.0, 3.0)
