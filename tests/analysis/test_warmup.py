"""A cold canary is not a bad canary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.metric import Kind
from gate.series import Levels, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import (
    FINE,
    an_hour_of,
    errors,
    findings,
    latencies,
    levels,
    observations,
    traffic,
    until,
)
from tests.parts.rollouts import a_metric, a_service

# Twice as slow at first, a fifth slower after five minutes, as fast as ever after fifteen.
COLD = 1 + np.exp(-np.arange(30) / 3.0)
HOUR = traffic(30, requests=6_000, weights=(0.2,))
LATENCY = a_metric("latency", Kind.HISTOGRAM, quantiles=(0.5,))


def a_cold_start(rng):
    pair = latencies(rng, HOUR, edges=FINE)
    cold = latencies(rng, HOUR, edges=FINE, median=0.1 * COLD)
    return an_hour_of(replace(pair, canary=cold.canary))


@pytest.mark.parametrize(("warmup", "deceived"), [(0.0, True), (300.0, False)])
def test_a_cold_start_rolls_back_only_who_judges_it(warmup, deceived):
    rng, releases = np.random.default_rng(1), 40
    service = a_service(replace(LATENCY, warmup=warmup))
    worse = sum(
        Finding.WORSE in findings(service, a_cold_start(rng), range(1, 31, 3))["latency p50"]
        for _ in range(releases)
    )
    if deceived:
        assert at_least(worse, releases) > 0.5
    else:
        assert at_most(worse, releases) < 0.2


def test_a_lasting_shift_is_found_after_the_warm_up():
    service = a_service(replace(LATENCY, warmup=300.0))
    seen = an_hour_of(latencies(np.random.default_rng(2), HOUR, edges=FINE, slower=1.5))
    assert judge(service, until(seen, 12)).comparisons[0].finding is Finding.WORSE


@pytest.mark.parametrize("kind", [Kind.HISTOGRAM, Kind.SAMPLES, Kind.GAUGE])
def test_while_it_warms_up_a_metric_shows_nothing_and_says_so(kind):
    rng = np.random.default_rng(3)
    pair = {
        Kind.HISTOGRAM: lambda: latencies(rng, HOUR, slower=9.0, metric="it"),
        Kind.SAMPLES: lambda: observations(rng, traffic(30, requests=300), slower=9.0, metric="it"),
        Kind.GAUGE: lambda: levels(rng, 30, higher=9.0, metric="it"),
    }[kind]()
    quantiles = () if kind is Kind.GAUGE else (0.5,)
    service = a_service(replace(a_metric("it", kind, quantiles=quantiles), warmup=300.0))
    (one,) = judge(service, until(an_hour_of(pair, minutes=30), 5)).comparisons
    assert one.finding is Finding.UNFIT
    assert one.why == "warming up: its first 5m are not judged"


def test_errors_count_from_the_start():
    pair = errors(np.random.default_rng(4), HOUR, baseline=0.001, canary=0.5)
    assert judge(a_service(), until(an_hour_of(pair), 2)).comparisons[0].finding is Finding.WORSE


def test_what_a_gauge_did_while_cold_changes_nothing_later():
    service = a_service(replace(a_metric("cpu", Kind.GAUGE), warmup=300.0))
    pair = levels(np.random.default_rng(5), 30)
    hot = np.array(pair.canary.values)
    hot[:5] *= 10
    other = replace(pair, canary=Levels(pair.canary.pods, array(hot)))
    (one,), (two,) = (judge(service, an_hour_of(seen)).comparisons for seen in (pair, other))
    assert one == two
