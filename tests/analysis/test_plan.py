"""A plan is the judge asked beforehand: what it foretells is what the judge then says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.expected import Rollout, expected
from gate.analysis.judge import judge
from gate.analysis.plan import Basis, Never, assumed, curve, rows, wide_enough
from gate.evidence.evidence import Cause, Gap
from gate.metric import Direction, Kind, Margin
from gate.request import Window
from gate.series import Counts, array
from tests.parts.releases import (
    BEFORE,
    FINE,
    STEP,
    T0,
    an_hour_of,
    errors,
    latencies,
    levels,
    observations,
    traffic,
    until,
)
from tests.parts.rollouts import a_metric, a_service

PAST = Window(T0 - BEFORE * STEP, STEP, BEFORE)
AS_BAD = Margin(2.0, 0.0)
ERRORS = a_service(a_metric("errors", margin=Margin(1.25, 0.0005)))


def seen(share: float, a_minute: float = 12_000.0) -> Counts:
    """An hour without chance."""
    return Counts(array([share * a_minute] * BEFORE), array([a_minute] * BEFORE))


def basis(series, service=ERRORS, **said) -> Basis:
    return Basis(service=service, past=PAST, before={service.metrics[0].name: series}, **said)


def planned(one: Basis, weight: float, ratio: float):
    metric = one.service.metrics[0]
    return rows(one, weight, {metric.name: Margin(ratio, 0.0)})


def soonest(service, evidence, finding: Finding) -> float:
    """The first minute in which the judge says so; infinite where it never does."""
    for look in range(1, evidence.window.count + 1):
        one, *_ = judge(service, until(evidence, look)).comparisons
        if one.finding is finding:
            return look
    return float("inf")


@pytest.mark.slow
@pytest.mark.parametrize("a_minute", [3_000, 12_000])
@pytest.mark.parametrize(("canary", "finding"), [(0.02, Finding.WORSE), (0.01, Finding.NOT_WORSE)])
def test_a_planned_time_is_about_the_median_of_real_ones(a_minute, canary, finding):
    rng = np.random.default_rng(20261121)
    hours = traffic(240, requests=a_minute, weights=(0.1,))
    pairs = (errors(rng, hours, baseline=0.01, canary=canary) for _ in range(21))
    times = [soonest(ERRORS, an_hour_of(pair), finding) for pair in pairs]
    (one,) = planned(basis(seen(0.01, a_minute)), 0.1, 2.0)
    foretold = (one.worse if finding is Finding.WORSE else one.safe).after / 60
    ratio = np.median(times) / foretold
    assert 0.65 <= ratio <= 1.35, (foretold, times)


@pytest.mark.slow
@pytest.mark.parametrize("finding", [Finding.WORSE, Finding.NOT_WORSE])
def test_a_planned_time_of_a_quantile_is_too(finding):
    rng, service = np.random.default_rng(11), a_service(a_metric("latency", Kind.HISTOGRAM))
    slower = 1.5 if finding is Finding.WORSE else 1.0
    hours, times = traffic(240, requests=200, weights=(0.1,)), []
    for _ in range(11):
        evidence = an_hour_of(latencies(rng, hours, edges=FINE, slower=slower))
        times.append(soonest(service, evidence, finding))
    past = latencies(rng, hours, edges=FINE).history
    (one,) = planned(basis(past, service), 0.1, 1.5)
    foretold = (one.worse if finding is Finding.WORSE else one.safe).after / 60
    assert 0.65 <= np.median(times) / foretold <= 1.35, (foretold, times)


def test_five_percent_of_ten_requests_a_second_never_tells():
    (one,) = planned(basis(seen(0.002, 600)), 0.05, 2.0)
    assert one.worse.never is Never.TOO_LONG
    assert one.safe.after > 8 * 3600
    (one,) = planned(basis(seen(0.002, 600)), 0.5, 2.0)
    assert one.worse.after < 8 * 3600


def test_what_the_margin_forgives_is_never_called_worse():
    (one,) = planned(basis(seen(0.01)), 0.5, 1.25)
    assert one.worse.never is Never.WITHIN_MARGIN
    assert one.limit == pytest.approx(0.013)
    assert one.canary == pytest.approx(0.0125)


@pytest.mark.parametrize(("margin", "share"), [(Margin(1.0, 0.0), 0.01), (Margin(2.0, 0.0), 0.0)])
def test_without_room_an_equal_canary_is_never_shown_safe(margin, share):
    service = a_service(a_metric("errors", margin=margin))
    (one,) = planned(basis(seen(share), service), 0.5, 3.0)
    assert one.safe.never is Never.NO_MARGIN


def test_a_wider_margin_is_found_where_one_would_do():
    service = a_service(a_metric("errors", margin=Margin(1.05, 0.0)))
    tight = basis(seen(0.001, 600), service)
    (one,) = planned(tight, 0.05, 2.0)
    assert one.safe.never is Never.TOO_LONG
    ratio, answer = wide_enough(tight, 0.05, one, (1.5, 2.0, 5.0, 10.0))
    assert ratio > 1.5
    assert answer.after <= 24 * 3600
    assert wide_enough(tight, 0.05, one, (1.06,)) is None


def test_the_planned_traffic_replaces_what_was_seen_and_proportions_stay():
    service = a_service(a_metric("errors"), a_metric("logins"))
    both = Basis(
        service=service, past=PAST, before={"errors": seen(0.01), "logins": seen(0.01, 1_200)}
    )
    usual, more = (
        rows(replace(both, traffic=traffic), 0.1, {"errors": AS_BAD, "logins": AS_BAD})
        for traffic in (None, 2_000.0)
    )
    assert usual[0].worse.after < usual[1].worse.after
    assert more[0].worse.after <= usual[0].worse.after / 5
    assert more[1].worse.after == pytest.approx(usual[0].worse.after, rel=0.2)


def test_an_assumed_share_needs_no_history():
    (one,) = planned(basis(assumed(0.01, 200.0, PAST), assumed=frozenset({"errors"})), 0.1, 2.0)
    assert one.assumed
    assert one.worse.after == planned(basis(seen(0.01)), 0.1, 2.0)[0].worse.after


def test_a_metric_without_history_is_planned_unfit_and_says_why():
    gap = Gap("metric errors", Cause.TIMEOUT, "no answer within 20 s")
    (one,) = planned(basis(gap), 0.1, 2.0)
    assert one.baseline is one.worse.after is None
    assert one.safe.never is Never.UNKNOWN
    assert one.safe.detail == "timeout: no answer within 20 s"
    (one,) = planned(basis(seen(0.0, 0.0)), 0.1, 2.0)
    assert one.worse.detail == "empty: before the rollout, baseline: no traffic"


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_judge_says_so_at_the_planned_minute_and_not_well_before(ratio):
    (one,) = planned(basis(seen(0.01, 1_000)), 0.1, 2.0)
    rollout = Rollout(
        metric=ERRORS.metrics[0], before=seen(0.01, 1_000), past=PAST, events=1_000, weight=0.1
    )
    evidence = an_hour_of(expected(rollout, Margin(ratio, 0.0), 1_440))
    finding, answer = (Finding.NOT_WORSE, one.safe) if ratio == 1.0 else (Finding.WORSE, one.worse)
    foretold = round(answer.after / 60)
    for minute, said in ((foretold, True), (1_440, True), (round(0.96 * foretold), False)):
        (found,) = judge(ERRORS, until(evidence, minute)).comparisons
        assert (found.finding is finding) is said
    assert answer.events == pytest.approx(100 * foretold)


def test_minutes_nobody_saw_change_nothing():
    holed = np.where(np.arange(BEFORE) % 7, 12_000.0, np.nan)
    one = basis(Counts(array(0.01 * holed), array(holed)))
    (told,) = planned(one, 0.1, 2.0)
    assert told.worse == planned(basis(seen(0.01)), 0.1, 2.0)[0].worse
    nothing = basis(Counts(array(np.nan * holed), array(np.nan * holed)))
    assert planned(nothing, 0.1, 2.0)[0].worse.never is Never.UNKNOWN


def test_no_more_than_all_can_fail():
    (told,) = planned(basis(seen(0.2)), 0.1, 10.0)
    assert told.canary == 1.0
    assert told.worse.after == 60.0
    (told,) = planned(basis(seen(0.9)), 0.1, 10.0)
    assert told.worse.never is Never.WITHIN_MARGIN


def test_a_doubt_about_the_history_keeps_from_safe_and_not_from_worse():
    doubt = Gap("metric errors", Cause.EMPTY, "there is no such counter")
    (one,) = planned(basis(seen(0.01), doubts=(doubt,)), 0.1, 2.0)
    assert one.worse.after is not None
    assert one.safe.never is Never.UNKNOWN
    assert one.safe.detail == "empty: there is no such counter"


QUIET = np.random.default_rng(7)
HOUR = traffic(BEFORE, requests=6_000)
PASTS = {
    Kind.HISTOGRAM: latencies(QUIET, HOUR, edges=FINE).history,
    Kind.SAMPLES: observations(QUIET, traffic(BEFORE, requests=300)).history,
    Kind.GAUGE: levels(QUIET, BEFORE, pods=(8, 8), unlike=0.01, noise=0.01).baseline,
}


@pytest.mark.parametrize("kind", PASTS)
@pytest.mark.parametrize("worse", Direction)
def test_every_kind_is_planned_in_both_directions(kind, worse):
    service = a_service(a_metric("it", kind, worse=worse))
    one = basis(PASTS[kind], service, pods=8)
    found = curve(one, 0.3, (1.1, 1.5, 3.0))
    (answers,) = found.values()
    assert answers[0].never is Never.WITHIN_MARGIN
    assert answers[2].after is not None
    assert answers[1].after is None or answers[1].after >= answers[2].after
    (told,) = planned(one, 0.3, 1.5)
    assert (told.canary > told.baseline) is (worse is Direction.HIGHER)
    assert told.safe.after is not None


@pytest.mark.parametrize("slower", [1.3, 2.0])
def test_a_slower_canary_is_expected_to_fill_the_buckets_as_a_real_one_does(slower):
    rng, edges = np.random.default_rng(8), (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
    hour = traffic(BEFORE, requests=100_000, weights=(0.5,))
    before = latencies(rng, hour, edges=edges).history
    real = latencies(rng, hour, edges=edges, slower=slower).canary
    metric = a_metric("latency", Kind.HISTOGRAM)
    rollout = Rollout(metric=metric, before=before, past=PAST, events=100_000, weight=0.5)
    canary = expected(rollout, Margin(slower, 0.0), 3).canary
    above = [
        1 - np.cumsum(one.counts.sum(axis=0))[:-1] / one.counts.sum() for one in (canary, real)
    ]
    # Straight lines in logarithms lie below a lognormal's tail, but near it.
    assert above[0][1:4] == pytest.approx(above[1][1:4], rel=0.35, abs=0.01)


def test_a_canary_has_the_pods_its_weight_pays_for():
    pods = PASTS[Kind.GAUGE]
    metric = a_metric("cpu", Kind.GAUGE)
    for weight, asked_for, count in ((0.05, None, 1), (0.3, None, 3), (0.05, 4, 4)):
        rollout = Rollout(
            metric=metric, before=pods, past=PAST, events=0, weight=weight, pods=asked_for
        )
        pair = expected(rollout, Margin(1.5, 0.0), 90)
        assert pair.canary.values.shape == (90, count)
        ratio = pair.canary.values[:60].mean() / pair.baseline.values[:60].mean()
        assert ratio == pytest.approx(1.5, rel=1e-9)
