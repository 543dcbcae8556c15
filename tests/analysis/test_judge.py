import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gate.analysis.comparison import Analysis, Finding
from gate.analysis.judge import judge
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.metric import Direction, Kind, Margin
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import (
    STEP,
    T0,
    an_hour_of,
    errors,
    findings,
    latencies,
    levels,
    traffic,
    until,
    wave,
)
from tests.parts.rollouts import a_metric, a_pair, a_service, an_evidence

MILDER = (Finding.WORSE, Finding.UNCLEAR, Finding.NOT_WORSE)
SERVICE = a_service(
    a_metric("errors"),
    a_metric("checkout", critical=False),
    a_metric("latency", Kind.HISTOGRAM, quantiles=(0.5,)),
    a_metric("cpu", Kind.GAUGE, critical=False),
)


def a_release(rng, *, worse=1.0, minutes=30, high=1.0):
    """All metrics of the service; the canary is `worse` in each of them."""
    hour = traffic(minutes, requests=5_000, weights=(0.1, 0.3))
    rates = 0.01 * wave(minutes, high=high)
    return an_hour_of(
        errors(rng, hour, baseline=rates, canary=worse * rates),
        errors(rng, hour, baseline=0.0, canary=0.01 * (worse - 1), metric="checkout"),
        latencies(rng, hour, slower=worse, median=0.1 * wave(minutes, high=high)),
        levels(rng, minutes, higher=worse, pods=(6, 6)),
    )


@pytest.mark.slow
def test_a_release_of_equals_is_hardly_ever_rolled_back():
    rng, releases, found, rolled_back = np.random.default_rng(1), 100, 0, 0
    service = replace(SERVICE, alpha=0.08)
    for _ in range(releases):
        release = a_release(rng, high=3.0)
        analyses = [judge(service, until(release, minutes)) for minutes in (10, 20, 30)]
        rolled_back += any(one.log_e_worse >= -math.log(service.alpha) for one in analyses)
        found += any(one.found(Finding.WORSE) for one in analyses)
    assert found <= rolled_back  # a finding is never bolder than the whole
    assert at_most(rolled_back, releases) <= service.alpha


@pytest.mark.slow
def test_a_bad_release_is_found_in_all_its_metrics():
    rng, releases, found = np.random.default_rng(2), 60, 0
    for _ in range(releases):
        analysis = judge(SERVICE, a_release(rng, worse=3.0))
        found += analysis.found(Finding.WORSE) == ("errors", "checkout", "latency p50", "cpu")
    assert at_least(found, releases) >= 0.85


def test_a_good_release_is_shown_to_be():
    rng = np.random.default_rng(3)
    safe = sum(judge(SERVICE, a_release(rng, minutes=60)).safe for _ in range(30))
    assert at_least(safe, 30) >= 0.7


def test_events_on_the_margin_through_the_judge_looking_all_the_time():
    rng, releases, service = np.random.default_rng(4), 60, a_service(alpha=0.25, beta=0.25)
    ever = {Finding.WORSE: 0, Finding.NOT_WORSE: 0}
    for _ in range(releases):
        pair = errors(rng, traffic(30, requests=5_000), baseline=0.02, canary=0.0255)
        (found,) = findings(service, an_hour_of(pair), range(2, 31, 4)).values()
        for one in ever:
            ever[one] += one in found
    assert at_most(ever[Finding.WORSE], releases) <= 0.25
    assert at_most(ever[Finding.NOT_WORSE], releases) <= 0.25


def test_no_metric_is_no_news_and_no_news_is_not_good_news():
    analysis = judge(replace(SERVICE, metrics=()), Evidence(Window(T0, STEP, 30)))
    assert analysis.comparisons == ()
    assert analysis.log_e_worse == 0.0
    assert not analysis.safe


def test_what_is_not_critical_need_not_be_shown():
    service = a_service(a_metric("errors"), a_metric("other", critical=False))
    analysis = judge(service, an_evidence(a_pair("errors")))
    assert analysis.found(Finding.NOT_WORSE) == ("errors",)
    assert analysis.found(Finding.UNFIT, critical_only=True) == ()
    assert analysis.safe


def test_a_historical_baseline_is_told():
    pair = replace(a_pair(), concurrent=False)
    assert not judge(a_service(), an_evidence(pair)).concurrent
    assert judge(a_service(), an_evidence()).concurrent
    assert judge(a_service(), an_evidence()).minutes == 30.0


def test_arms_of_different_kinds_are_unfit():
    pair = replace(a_pair(), canary=Levels(("a",), array(np.ones((30, 1)))))
    (one,) = judge(a_service(), an_evidence(pair)).comparisons
    assert (one.finding, one.why) == (Finding.UNFIT, "the arms hold different kinds of data")


def test_the_limit_is_the_margin_beside_the_baseline():
    (one,) = judge(a_service(), an_evidence(a_pair(canary=0.004, baseline=0.002))).comparisons
    assert one.baseline == pytest.approx(0.002)
    assert one.difference == pytest.approx(0.002)
    assert one.limit == pytest.approx(1.25 * 0.002 + 0.0005)
    # critical and alone: alpha 0.01 below, beta 0.05 above
    assert one.interval.level == pytest.approx(1 - 0.01 - 0.05)


def test_a_difference_that_changes_with_time_still_lies_in_its_interval():
    n = np.full(30, 10_000.0)
    bad = np.where(np.arange(30) < 15, 0.0, 2_000.0)
    pair = Pair("errors", Counts(array(n * 0.05), array(n)), Counts(array(bad), array(n)))
    (one,) = judge(a_service(), an_evidence(pair)).comparisons
    assert one.interval.low <= one.difference <= one.interval.high


def test_a_canary_that_turned_bad_is_found_though_it_was_the_better_before():
    rates = np.where(np.arange(60) < 30, 0.001, 0.05)
    hour = traffic(60, requests=5_000)
    pair = errors(np.random.default_rng(5), hour, baseline=0.01, canary=rates)
    (one,) = judge(a_service(), an_hour_of(pair)).comparisons
    assert one.finding is Finding.WORSE


amounts = st.integers(0, 300)
row = st.tuples(amounts, st.integers(300, 3_000), amounts, st.integers(300, 3_000))
rows = st.lists(row, min_size=1, max_size=12)


def from_rows(rows, extra=0):
    bad_canary, canary, bad_baseline, baseline = np.array(rows, dtype=float).T
    pair = Pair(
        "errors",
        Counts(array(bad_baseline), array(baseline)),
        Counts(array(np.minimum(bad_canary + extra, canary)), array(canary)),
    )
    return judge(a_service(), an_hour_of(pair)).comparisons[0]


@given(rows, st.integers(1, 300))
def test_more_bad_canary_events_never_make_the_finding_milder(rows, extra):
    one, other = from_rows(rows), from_rows(rows, extra)
    assert other.log_e_worse >= one.log_e_worse - 1e-9
    assert MILDER.index(other.finding) <= MILDER.index(one.finding)


@given(rows)
def test_the_interval_holds_the_estimate(rows):
    one = from_rows(rows)
    assert one.interval.low is None or one.interval.low <= one.difference
    assert one.interval.high is None or one.difference <= one.interval.high
    assert one.difference == pytest.approx(one.canary - one.baseline)


@given(rows, st.lists(st.integers(0, 11), min_size=1, max_size=12))
def test_what_was_not_seen_acquits_no_one(rows, holes):
    bad_canary, canary, bad_baseline, baseline = np.array(rows, dtype=float).T
    unseen = [hole for hole in holes if hole < len(rows)]
    bad_canary[unseen] = math.nan
    pair = Pair("errors", Counts(array(bad_baseline), array(baseline)),
                Counts(array(bad_canary), array(canary)))  # fmt: skip
    (one,) = judge(a_service(), an_hour_of(pair)).comparisons
    if len(set(unseen)) > 0.2 * len(rows):
        assert one.finding is not Finding.NOT_WORSE


@given(rows, st.sampled_from(list(Cause)))
def test_doubts_never_go_with_not_worse(rows, cause):
    bad_canary, canary, bad_baseline, baseline = np.array(rows, dtype=float).T
    pair = Pair(
        "errors",
        Counts(array(bad_baseline), array(baseline)),
        Counts(array(bad_canary), array(canary)),
        doubts=(Gap("metric errors", cause, "something"),),
    )
    (one,) = judge(a_service(), an_hour_of(pair)).comparisons
    assert one.finding in (Finding.WORSE, Finding.UNFIT)


WILD = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 0.0, 0.3, 1.0, 1e9, 5e-324, 1e300]),
    st.floats(0, 1e4),
    st.floats(),
)
TAME = st.one_of(st.just(math.nan), st.floats(0, 1e4), st.integers(0, 10**9).map(float))
# The kinds of trouble: anything at all, or numbers that pass for data but for a hole or two.
TROUBLE = st.sampled_from([WILD, TAME])


@st.composite
def any_series(draw, kind, minutes):
    cells = draw(TROUBLE)
    lengths = st.sampled_from([minutes, minutes, minutes, minutes, minutes + 1, 0])
    n = draw(lengths)

    def block(*shape):
        return array(draw(arrays.arrays(np.float64, shape, elements=cells, fill=st.nothing())))

    if kind is Kind.EVENTS:
        return Counts(block(n), block(draw(lengths)))
    if kind is Kind.GAUGE:
        pods = draw(st.integers(0, 4))
        return Levels(tuple("abcd"[:pods]), block(n, pods))
    if kind is Kind.HISTOGRAM:
        k = draw(st.integers(0, 4))
        edges = np.sort(block(k)) if draw(st.booleans()) else block(k)
        return Buckets(array(edges), block(n, k + draw(st.sampled_from([1, 1, 1, 0, 2]))))
    m = draw(st.sampled_from([0, 1, 250, 600]))
    values = np.resize(block(20), m) if m else np.zeros(0)
    times = T0 + np.linspace(0, STEP * minutes, m)
    return Samples(array(times if draw(st.booleans()) else np.resize(block(7), m)), array(values))


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(list(Kind)), st.integers(0, 14), st.sampled_from(list(Direction)))
def test_whatever_the_arrays_hold_there_is_an_answer(data, kind, minutes, worse):
    margin = data.draw(st.sampled_from([Margin(1.2, 0.0), Margin(1.0, 0.5)]))
    way = Direction.HIGHER if kind is Kind.EVENTS else worse
    metric = a_metric("m", kind, worse=way, margin=margin)
    pair = Pair("m", *(data.draw(any_series(kind, minutes)) for _ in range(2)))
    analysis = judge(a_service(metric), an_hour_of(pair, minutes=minutes))
    assert isinstance(analysis, Analysis)
    for one in analysis.comparisons:
        assert one.why
        told = (one.log_e_worse, one.log_e_not_worse, one.difference, one.baseline)
        if one.finding is Finding.UNFIT:
            continue
        assert not any(value is None or math.isnan(value) for value in told)
        assert sound(pair.baseline, minutes)
        assert sound(pair.canary, minutes)
        if one.finding is Finding.NOT_WORSE:
            assert one.interval.low is None or one.interval.low <= one.difference + 1e-9


def sound(series, minutes):
    """Whether the numbers could have been measured."""
    if isinstance(series, Counts):
        return len(series.bad) == len(series.total) == minutes and not (
            (series.bad < 0).any() or np.isinf(series.total).any()
        )
    if isinstance(series, Buckets):
        return series.counts.shape == (minutes, len(series.edges) + 1) and not (
            (series.counts < 0).any() or np.isinf(series.counts).any()
        )
    values = series.values
    return not np.isinf(values).any() and (isinstance(series, Samples) or len(values) == minutes)


@given(st.floats(0.0, 0.5), st.sampled_from([0.3, 1.0, 1e9]), st.integers(1, 40))
def test_counts_of_any_size_have_a_finite_answer(share, size, minutes):
    assume(size * share == 0 or size * share > 1e-300)
    n = np.full(minutes, size)
    both = Counts(array(n * share), array(n))
    (one,) = judge(a_service(), an_hour_of(Pair("errors", both, both))).comparisons
    assert one.finding is not Finding.WORSE
    assert one.difference == pytest.approx(0.0, abs=1e-12)
    assert math.isfinite(one.log_e_not_worse)
    if size == 1e9:
        assert one.finding is Finding.NOT_WORSE
