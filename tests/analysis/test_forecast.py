from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.metric import Kind, Margin
from tests.parts.releases import FINE, an_hour_of, errors, latencies, traffic, until
from tests.parts.rollouts import a_metric, a_service

ERRORS = a_service(a_metric("errors"))


def told_after(evidence, minutes, service):
    (one,) = judge(service, until(evidence, minutes)).comparisons
    return one


def first_clear(evidence, service):
    """The first minute that shows it, or past the end."""
    for look in range(1, evidence.window.count + 1):
        if told_after(evidence, look, service).finding is Finding.NOT_WORSE:
            return look
    return evidence.window.count + 1


@pytest.mark.parametrize("rate", [0.0, 0.002, 0.05])
def test_the_forecast_is_of_the_order_of_the_time_it_takes(rate):
    rng, told, took = np.random.default_rng(1), [], []
    for _ in range(15):
        evidence = an_hour_of(errors(rng, traffic(60, requests=8_000), baseline=rate, canary=rate))
        at_five = told_after(evidence, 4, ERRORS)
        if at_five.clear_in is None:
            continue
        told.append(4 + at_five.clear_in / 60)
        took.append(first_clear(evidence, ERRORS))
    assert len(took) >= 10
    assert 0.5 <= np.median(took) / np.median(told) <= 2.0


def test_the_forecast_of_a_quantile_is_too():
    service = a_service(a_metric("latency", Kind.HISTOGRAM, quantiles=(0.9,)))
    rng, told, took = np.random.default_rng(2), [], []
    for _ in range(12):
        evidence = an_hour_of(latencies(rng, traffic(50, requests=400), edges=FINE))
        early = told_after(evidence, 5, service)
        if early.clear_in is not None:
            told.append(5 + early.clear_in / 60)
            took.append(first_clear(evidence, service))
    assert len(took) >= 8
    assert 0.4 <= np.median(took) / np.median(told) <= 2.5


def test_twice_the_traffic_is_twice_as_fast():
    times = []
    for requests in (2_000, 4_000):
        hour = traffic(2, requests=requests)
        pair = errors(np.random.default_rng(3), hour, baseline=0.0, canary=0.0)
        times.append(told_after(an_hour_of(pair), 2, ERRORS).clear_in)
    assert times[0] / times[1] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(
    ("margin", "canary", "why"),
    [
        (Margin(1.25, 0.0), 0.0, "beside no errors a ratio alone allows none"),
        (Margin(1.0, 0.0), 0.02, "an equal canary cannot be shown better than equal"),
    ],
)
def test_what_cannot_be_shown_has_no_time(margin, canary, why):
    service = a_service(replace(a_metric("errors"), margin=margin))
    hour = traffic(10, requests=1_000)
    pair = errors(np.random.default_rng(4), hour, baseline=canary, canary=canary)
    one = told_after(an_hour_of(pair), 10, service)
    assert one.finding is Finding.UNCLEAR
    assert one.clear_in is None, why
    assert ("no margin" in one.why) is (margin == Margin(1.0, 0.0))


def test_what_would_take_more_than_a_day_has_no_time():
    pair = errors(np.random.default_rng(5), traffic(10, requests=20), baseline=0.0, canary=0.0)
    assert told_after(an_hour_of(pair), 10, ERRORS).clear_in is None


def test_only_the_unclear_are_forecast():
    rng, hour = np.random.default_rng(6), traffic(40, requests=20_000)
    for canary, finding in ((0.01, Finding.NOT_WORSE), (0.05, Finding.WORSE)):
        one = told_after(an_hour_of(errors(rng, hour, baseline=0.01, canary=canary)), 40, ERRORS)
        assert one.finding is finding
        assert one.clear_in is None
