import math
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis import samples
from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.analysis.question import Unfit
from gate.metric import Direction, Kind, Margin
from gate.series import Samples, array
from tests.analysis.chance import at_least, at_most
from tests.analysis.test_histograms import ever
from tests.parts.releases import T0, an_hour_of, observations, traffic
from tests.parts.rollouts import a_metric, a_service

ALPHA = BETA = 0.05
TIMES = a_metric("latency", Kind.SAMPLES, quantiles=(0.5, 0.9))
HOUR = traffic(40, requests=300, weights=(0.3,))


def ever_found(quantile, slower, releases, seed):
    rng, worse, not_worse = np.random.default_rng(seed), 0, 0
    for _ in range(releases):
        pair = observations(rng, HOUR, slower=slower)
        window = an_hour_of(pair, minutes=HOUR.minutes).window
        one = samples.question(
            TIMES, quantile, (pair.baseline, pair.canary, None), window, window.before(0)
        )
        worse += ever(one, 1, ALPHA)
        not_worse += ever(one, -1, BETA)
    return worse, not_worse


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("slower", [1.0, TIMES.margin.ratio])
def test_both_promises_are_kept(quantile, slower):
    worse, not_worse = ever_found(quantile, slower, 400, 1)
    assert at_most(worse, 400) <= ALPHA
    if slower > 1:
        assert at_most(not_worse, 400) <= BETA


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_clear_cases_are_called(quantile):
    worse, _ = ever_found(quantile, 1.6, 80, 2)
    assert at_least(worse, 80) >= 0.9
    _, not_worse = ever_found(quantile, 1.0, 80, 3)
    assert at_least(not_worse, 80) >= 0.9


def test_the_edge_is_the_first_observations_quantile_and_the_canarys_is_on_the_margin():
    pair = observations(np.random.default_rng(4), HOUR)
    window = an_hour_of(pair, minutes=HOUR.minutes).window
    one = samples.question(TIMES, 0.5, (pair.baseline, pair.canary, None), window, window.before(0))
    edge = float(np.quantile(pair.baseline.values[:200], 0.5))
    assert f"above {1.2 * edge:.3g}, in the baseline {edge:.3g}" in one.method
    judged = slice(1, None)  # 210 in the first minute are enough to learn from
    np.testing.assert_array_equal(
        one.worse.bad_baseline[judged], one.not_worse.bad_baseline[judged]
    )
    late = pair.canary.times > T0 + 60
    assert np.nansum(one.worse.bad_canary) == (pair.canary.values[late] > 1.2 * edge).sum()


def test_what_was_observed_outside_the_window_or_not_at_all_does_not_count():
    pair = observations(np.random.default_rng(5), HOUR)
    times = np.concatenate([[T0 - 5.0], pair.canary.times[:50], [math.nan], pair.canary.times[50:],
                            [T0 + 60 * 40 + 5]])  # fmt: skip
    values = np.concatenate([[1e9], pair.canary.values[:50], [1e9], pair.canary.values[50:], [1e9]])
    more = replace(pair, canary=Samples(array(times), array(values)))
    holes = np.array(pair.canary.values)
    holes[7] = math.nan
    less = replace(pair, canary=Samples(pair.canary.times, array(holes)))
    kept = np.arange(len(holes)) != 7
    without = replace(pair, canary=Samples(array(pair.canary.times[kept]), array(holes[kept])))
    for one, other in ((pair, more), (less, without)):
        ours, theirs = (
            judge(a_service(TIMES), an_hour_of(each, minutes=40)).comparisons
            for each in (one, other)
        )
        assert ours == theirs


def test_too_few_observations_are_unfit():
    pair = observations(np.random.default_rng(6), traffic(2, requests=100))
    window = an_hour_of(pair, minutes=2).window
    with pytest.raises(Unfit, match="180 baseline observations, 200 needed to place an edge"):
        samples.question(TIMES, 0.5, (pair.baseline, pair.canary, None), window, window.before(0))


def test_the_unit_changes_no_finding():
    pair = observations(np.random.default_rng(7), HOUR, slower=1.6)
    scaled = replace(
        pair,
        baseline=Samples(pair.baseline.times, array(pair.baseline.values * 1e3)),
        canary=Samples(pair.canary.times, array(pair.canary.values * 1e3)),
    )
    one, other = (
        judge(
            a_service(replace(TIMES, margin=Margin(1.1, absolute))),
            an_hour_of(seen, minutes=40),
        ).comparisons
        for absolute, seen in ((0.002, pair), (2.0, scaled))
    )
    assert [c.finding for c in one] == [c.finding for c in other] == [Finding.WORSE] * 2


def test_lower_may_be_worse():
    service = a_service(replace(TIMES, worse=Direction.LOWER, quantiles=(0.1, 0.5)))
    for slower, finding in ((1.0, Finding.NOT_WORSE), (0.6, Finding.WORSE)):
        pair = observations(np.random.default_rng(8), HOUR, slower=slower)
        found = [
            one for one in judge(service, an_hour_of(pair, minutes=40)).comparisons if one.critical
        ]
        assert {one.finding for one in found} == {finding}
        for one in found:
            assert one.interval.low <= one.difference <= one.interval.high


def test_values_that_repeat_are_no_trouble():
    service = a_service(TIMES)
    pair = observations(np.random.default_rng(9), HOUR)
    rounded = replace(
        pair,
        baseline=Samples(pair.baseline.times, array(np.round(pair.baseline.values, 1))),
        canary=Samples(pair.canary.times, array(np.round(pair.canary.values, 1))),
    )
    for one in judge(service, an_hour_of(rounded, minutes=40)).comparisons:
        assert one.finding in (Finding.UNCLEAR, Finding.NOT_WORSE, Finding.UNFIT)
