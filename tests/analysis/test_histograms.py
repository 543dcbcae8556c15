import math
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis import histograms
from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.analysis.question import Shares, Unfit
from gate.analysis.rates import Bets, bets, table
from gate.analysis.survival import Survival
from gate.metric import Direction, Kind, Margin
from gate.series import Buckets, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import (
    FINE,
    PROMETHEUS,
    an_hour_of,
    findings,
    latencies,
    traffic,
    until,
    wave,
)
from tests.parts.rollouts import a_metric, a_service

ALPHA = BETA = 0.05
P50_P99 = a_metric("latency", Kind.HISTOGRAM, quantiles=(0.5, 0.99))
MARGIN = P50_P99.margin.ratio
SHAPES = {  # median seconds and sigma of lognormal latencies, and the edges they are told in
    "fine": {"edges": FINE, "median": 0.1, "sigma": 0.5},
    "coarse, p50 on an edge": {"edges": PROMETHEUS, "median": 0.1, "sigma": 0.5},
    "coarse, p50 between edges": {"edges": PROMETHEUS, "median": 0.15, "sigma": 0.5},
    "coarse, nearly all in one bucket": {"edges": PROMETHEUS, "median": 0.1, "sigma": 0.2},
    "coarse, long tail": {"edges": PROMETHEUS, "median": 0.04, "sigma": 1.2},
}


def ever(question, side, level):
    """Whether the question's evidence ever reached the level, looking after every minute."""
    claim = question.worse if side > 0 else question.not_worse
    seen = table(*(part[None] for part in (claim.bad_canary, question.canary, claim.bad_baseline,
                                           question.baseline)))  # fmt: skip
    # Minutes as rows: each one's bets, which then add up.
    each = bets(type(seen)(*(part.T for part in (seen.bad_canary, seen.canary, seen.bad_baseline,
                seen.baseline))), np.full(seen.canary.shape[1], question.ratio), side)  # fmt: skip
    summed = Bets(each.won.cumsum(axis=0), each.paid.cumsum(axis=0))
    logs = summed.log_e(np.full(len(each.won), question.absolute))
    return bool((logs >= -math.log(level)).any())


def ever_found(quantile, releases, seed, *, metric=P50_P99, hour=None, **said):
    """How often worse, and not worse, was ever called; unfit releases call neither."""
    rng, worse, not_worse = np.random.default_rng(seed), 0, 0
    for _ in range(releases):
        pair = latencies(rng, hour or traffic(60, requests=2_000, weights=(0.3,)), **said)
        try:
            one = histograms.question(metric, quantile, pair.baseline, pair.canary, None, 60.0)
        except Unfit:
            continue
        worse += ever(one, 1, ALPHA)
        not_worse += ever(one, -1, BETA)
    return worse, not_worse


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quantile", [0.5, 0.99])
def test_equal_arms_are_never_called_worse_more_often_than_alpha(shape, quantile):
    worse, _ = ever_found(quantile, 150, 1, **SHAPES[shape])
    assert at_most(worse, 150) <= ALPHA


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quantile", [0.5, 0.99])
def test_a_canary_on_its_margin_keeps_both_promises(shape, quantile):
    releases = 700 if quantile == 0.99 else 200  # at p50 nothing at all is called
    worse, not_worse = ever_found(quantile, releases, 2, slower=MARGIN, **SHAPES[shape])
    assert at_most(worse, releases) <= ALPHA
    assert at_most(not_worse, releases) <= BETA


@pytest.mark.parametrize("edges", [FINE, PROMETHEUS], ids=["fine", "coarse"])
def test_a_wave_that_both_arms_suffer_while_weights_rise_deceives_nobody(edges):
    # What the first minutes taught of the distribution is wrong for all later ones.
    hour = traffic(60, requests=3_000, weights=(0.05, 0.2, 0.5))
    median = 0.1 * wave(60, high=2.0, period=60.0)
    for slower in (1.0, MARGIN):
        worse, not_worse = ever_found(
            0.5, 150, 3, hour=hour, edges=edges, median=median, slower=slower
        )
        assert at_most(worse, 150) <= ALPHA
        if slower == MARGIN:
            assert at_most(not_worse, 150) <= BETA


@pytest.mark.parametrize(
    ("shape", "slower"),
    [("fine", 1.5), ("coarse, p50 on an edge", 2.0), ("coarse, long tail", 2.5)],
)
def test_clearly_slower_canaries_are_called_worse(shape, slower):
    worse, not_worse = ever_found(0.99, 100, 4, slower=slower, **SHAPES[shape])
    assert at_least(worse, 100) >= 0.9
    assert not_worse == 0


@pytest.mark.parametrize("shape", ["fine", "coarse, p50 on an edge", "coarse, long tail"])
def test_healthy_canaries_with_decent_traffic_are_called_not_worse(shape):
    hour = traffic(60, requests=10_000, weights=(0.3,))
    for quantile in (0.5, 0.99):
        _, not_worse = ever_found(quantile, 100, 5, hour=hour, **SHAPES[shape])
        assert at_least(not_worse, 100) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("slower", [1.0, MARGIN])
def test_the_judge_itself_keeps_the_promises(slower):
    rng, service = np.random.default_rng(6), a_service(P50_P99, alpha=0.1, beta=0.05)
    releases, wrong = 66, {Finding.WORSE: 0, Finding.NOT_WORSE: 0}
    for _ in range(releases):
        pair = latencies(rng, traffic(40, requests=2_000), slower=slower)
        ever = set().union(*findings(service, an_hour_of(pair), (10, 20, 40)).values())
        for one in wrong:
            wrong[one] += one in ever
    assert at_most(wrong[Finding.WORSE], releases) <= 0.1
    if slower == MARGIN:
        assert at_most(wrong[Finding.NOT_WORSE], releases) <= 0.1  # two questions, 0.05 each


@pytest.mark.slow
@pytest.mark.parametrize("edges", [FINE, PROMETHEUS], ids=["fine", "coarse"])
@pytest.mark.parametrize("slower", [1.0, 1.4])
def test_the_interval_holds_the_true_difference(edges, slower):
    rng, missed, looked = np.random.default_rng(7), {"p50": 0, "p99": 0}, 70
    service = a_service(P50_P99, alpha=0.05, beta=0.05)
    truth = {"p50": 0.13, "p99": 0.13 * math.exp(0.5 * 2.3263478740408408)}
    for _ in range(looked):
        pair = latencies(rng, traffic(40, requests=2_000), slower=slower, edges=edges, median=0.13)
        outside = set()
        for look in (15, 40):
            for one in judge(service, until(an_hour_of(pair), look)).comparisons:
                low, high = (one.interval.low, one.interval.high) if one.interval else (None, None)
                true = truth[one.aspect] * (slower - 1)
                if (low is not None and low > true) or (high is not None and high < true):
                    outside.add(one.aspect)
        for aspect in outside:
            missed[aspect] += 1
    for hits in missed.values():
        assert at_most(hits, looked) <= 0.1  # alpha / 2 + beta, and then some


def test_the_interval_holds_zero_while_a_wave_and_rising_weights_pull_the_arms_apart():
    rng, missed = np.random.default_rng(8), 0
    service = a_service(replace(P50_P99, quantiles=(0.5,)), alpha=0.05, beta=0.05)
    for _ in range(100):
        hour = traffic(60, requests=2_000, weights=(0.05, 0.2, 0.5))
        pair = latencies(rng, hour, edges=FINE, median=0.1 * wave(60, high=2.0, period=120.0))
        (one,) = judge(service, an_hour_of(pair)).comparisons
        missed += not one.interval.low <= 0.0 <= one.interval.high
    assert at_most(missed, 100) <= 0.1


def test_the_edge_is_chosen_without_the_data_it_judges():
    pair = latencies(np.random.default_rng(9), traffic(30, requests=2_000), edges=FINE)
    later = np.random.default_rng(10).permutation(np.arange(10, 30))
    shuffled = np.concatenate([np.arange(10), later])
    for quantile in (0.5, 0.99):
        one, other = (
            histograms.question(P50_P99, quantile, baseline, pair.canary, None, 60.0)
            for baseline in (
                pair.baseline,
                Buckets(pair.baseline.edges, array(pair.baseline.counts[shuffled])),
            )
        )
        assert one.method == other.method  # which names the edges
        for this, that in ((one.worse, other.worse), (one.not_worse, other.not_worse)):
            np.testing.assert_array_equal(this.bad_baseline[shuffled], that.bad_baseline)
            np.testing.assert_array_equal(this.bad_canary, that.bad_canary)


def test_the_minutes_that_chose_the_edge_are_not_judged():
    pair = latencies(np.random.default_rng(11), traffic(30, requests=1_000), edges=FINE)
    one = histograms.question(P50_P99, 0.99, pair.baseline, pair.canary, None, 60.0)
    # 900 a minute in the baseline, 20 beyond p99 wanted: 2000 observations, so three minutes
    assert np.flatnonzero(~np.isnan(one.canary)).tolist() == list(range(3, 30))
    assert np.flatnonzero(~np.isnan(one.baseline)).tolist() == list(range(3, 30))


def test_an_edge_exactly_on_the_margin_hides_nothing():
    pair = latencies(np.random.default_rng(12), traffic(9, requests=4_000), edges=(0.1, 0.12, 0.2))
    one = histograms.question(P50_P99, 0.5, pair.baseline, pair.canary, None, 60.0)
    for claim in (one.worse, one.not_worse):
        # above 0.1 s in the baseline, above 1.2 times that in the canary
        assert claim.bad_baseline[-1] == pair.baseline.counts[-1, 1:].sum()
        assert claim.bad_canary[-1] == pair.canary.counts[-1, 2:].sum()
    assert "coarse" not in one.method


def test_edges_too_far_apart_are_said_to_be():
    pair = latencies(np.random.default_rng(13), traffic(9, requests=4_000), median=0.15)
    assert "; coarse, bucket edges near 0.15 and 0.18 would show more" in (
        histograms.question(P50_P99, 0.5, pair.baseline, pair.canary, None, 60.0).method
    )


def test_arms_with_different_edges_are_compared():
    rng, hour = np.random.default_rng(14), traffic(30, requests=10_000, weights=(0.3,))
    baseline = latencies(rng, hour, edges=FINE).baseline
    for slower, finding in ((1.0, Finding.NOT_WORSE), (1.5, Finding.WORSE)):
        canary = latencies(rng, hour, edges=FINE[::2], slower=slower).canary
        pair = replace(latencies(rng, hour), baseline=baseline, canary=canary)
        service = a_service(replace(P50_P99, quantiles=(0.5,)))
        assert {one.finding for one in judge(service, an_hour_of(pair)).comparisons} == {finding}


@pytest.mark.parametrize(
    ("edges", "median"),
    [((0.005, 0.01), 0.001), ((0.005, 0.01), 1.0), ((0.1,), 0.1)],
    ids=["all below the first edge", "all above the last", "one edge"],
)
def test_edges_that_say_nothing_of_the_quantile_are_unfit(edges, median):
    pair = latencies(np.random.default_rng(15), traffic(9, requests=4_000), edges=edges,
                     median=median, sigma=0.3)  # fmt: skip
    with pytest.raises(Unfit, match="no bucket edges near its value"):
        histograms.question(P50_P99, 0.5, pair.baseline, pair.canary, None, 60.0)


def test_too_few_observations_are_unfit():
    pair = latencies(np.random.default_rng(16), traffic(9, requests=30))
    with pytest.raises(Unfit, match="243 baseline observations, 2,000 needed to place an edge"):
        histograms.question(P50_P99, 0.99, pair.baseline, pair.canary, None, 60.0)


@pytest.mark.parametrize("unit", [1e-9, 1e3])
def test_the_unit_of_a_histogram_changes_no_finding(unit):
    rng, hour = np.random.default_rng(17), traffic(40, requests=3_000)
    margin = Margin(1.1, 0.01)
    for slower in (1.0, 1.2, 2.0):
        pair = latencies(rng, hour, edges=FINE, slower=slower)
        scaled = replace(
            pair,
            **{arm: Buckets(array(np.array(FINE) * unit), getattr(pair, arm).counts)
               for arm in ("baseline", "canary", "history")},
        )  # fmt: skip
        one, other = (
            judge(a_service(replace(P50_P99, margin=m)), an_hour_of(seen)).comparisons
            for m, seen in ((margin, pair), (Margin(1.1, 0.01 * unit), scaled))
        )
        assert [c.finding for c in one] == [c.finding for c in other]
        for ours, theirs in zip(one, other, strict=True):
            assert theirs.log_e_worse == pytest.approx(ours.log_e_worse, rel=1e-6)
            assert theirs.difference == pytest.approx(ours.difference * unit, rel=1e-6)


def test_lower_is_worse_is_higher_is_worse_of_the_negated_values():
    rng, hour = np.random.default_rng(18), traffic(40, requests=3_000)
    for slower in (1.0, 0.6):  # of a throughput, say
        pair = latencies(rng, hour, edges=FINE, slower=slower)
        negated = replace(
            pair,
            **{arm: Buckets(array(-np.array(FINE)[::-1]),
                            array(getattr(pair, arm).counts[:, ::-1]))
               for arm in ("baseline", "canary", "history")},
        )  # fmt: skip
        lower = replace(P50_P99, worse=Direction.LOWER, quantiles=(0.1,))
        higher = replace(P50_P99, margin=lower.margin.mirrored(), quantiles=(0.9,))
        (one,), (other,) = (
            judge(a_service(metric), an_hour_of(seen)).comparisons
            for metric, seen in ((lower, pair), (higher, negated))
        )
        assert one.finding is (Finding.NOT_WORSE if slower == 1.0 else Finding.WORSE)
        assert one.finding is other.finding
        assert one.log_e_worse == pytest.approx(other.log_e_worse)
        assert one.difference == pytest.approx(-other.difference)
        assert one.interval.low == pytest.approx(-other.interval.high)
        assert one.limit == pytest.approx(-other.limit)


def test_between_two_edges_the_share_is_bracketed():
    from scipy.stats import lognorm

    seconds = lognorm(s=0.5, scale=0.1)
    counts = np.diff([0.0, *seconds.cdf(PROMETHEUS), 1.0]) * 1e6
    survival = Survival.of(Buckets(array(PROMETHEUS), array([counts])))
    for value in np.geomspace(0.006, 4.0, 200):
        least, most = survival.above(survival.split(value))
        assert least - 1e-9 <= seconds.sf(value) <= most + 1e-9
    assert survival.quantile(0.5) == pytest.approx(0.1)
    # histogram_quantile(0.9, ...) draws a straight line: 0.1 + 0.15 * (0.5 - 0.1) / (0.5 - 0.0334)
    assert 0.1 < survival.quantile(0.1) < 0.1 + 0.15 * 0.4 / 0.4666


def test_the_scale_tells_nothing_beyond_the_edges():
    survival = Survival.of(Buckets(array([0.1, 0.2]), array([[0.0, 10.0, 90.0]])))
    scale = histograms.QuantileScale(0.5, Margin(1.2, 0.0), survival, survival)
    found = scale.effect(Shares(baseline=0, canary=0, low=0, high=0, log_low=3.0, log_high=3.0))
    assert (found.baseline, found.canary) == (0.2, 0.2)  # both are somewhere above
    assert (found.low, found.high) == (None, None)


def test_a_fault_between_the_named_quantiles_rings_the_alarm_over_the_whole_distribution():
    """A twentieth of the requests hangs for half a second: p50 and p99.9 do not tell."""
    rng, hour = np.random.default_rng(21), traffic(40, requests=20_000, weights=(0.3,))
    service = a_service(replace(P50_P99, quantiles=(0.5,)))
    pair = latencies(rng, hour, edges=FINE)
    counts = np.array(pair.canary.counts)
    moved = np.floor(0.05 * counts.sum(axis=1))
    at = int(np.searchsorted(FINE, 0.5))
    counts[:, at] += moved
    bulk = np.argmax(counts, axis=1)
    counts[np.arange(len(counts)), bulk] -= np.minimum(moved, counts.max(axis=1))
    hung = replace(pair, canary=Buckets(pair.canary.edges, array(counts)))
    found = judge(service, an_hour_of(hung, minutes=40)).comparisons
    assert [(one.label, one.finding) for one in found] == [
        ("latency p50", Finding.NOT_WORSE), ("latency overall", Finding.WORSE)
    ]  # fmt: skip
    assert not found[1].critical
    quiet = judge(service, an_hour_of(pair, minutes=40)).comparisons
    assert [one.label for one in quiet] == ["latency p50"]
