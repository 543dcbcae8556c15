"""What is kept between looks saves work and changes nothing, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gate.analysis import rates
from gate.analysis.judge import judge
from gate.analysis.rates import Memory
from gate.metric import Kind
from gate.policy.demands import Demands, adapted
from gate.series import Counts, array
from tests.parts.releases import (
    an_hour_of,
    errors,
    latencies,
    levels,
    observations,
    traffic,
    until,
)
from tests.parts.rollouts import a_metric, a_service

HOUR = traffic(60, requests=3_000, weights=(0.1,))
SERVICE = a_service(
    a_metric("errors"),
    replace(a_metric("latency", Kind.HISTOGRAM), quantiles=(0.5, 0.99)),
    replace(a_metric("times", Kind.SAMPLES), quantiles=(0.5,)),
    a_metric("cpu", Kind.GAUGE),
    history=3600.0,
)


def a_release(seed=1):
    rng = np.random.default_rng(seed)
    return an_hour_of(
        errors(rng, HOUR, baseline=0.01, canary=0.012),
        latencies(rng, HOUR, slower=1.1),
        observations(rng, HOUR, metric="times"),
        levels(rng, 60),
        minutes=60,
    )


def test_every_look_is_the_same_with_a_memory_and_without():
    evidence, memory = a_release(), Memory()
    for minutes in (7, 10, 11, 25, 59, 60):
        seen = until(evidence, minutes)
        assert judge(SERVICE, seen, memory) == judge(SERVICE, seen)


def test_data_that_came_late_is_judged_anew():
    evidence, memory = a_release(), Memory()
    judge(SERVICE, evidence, memory)
    pair = evidence.pairs[0]
    assert isinstance(pair.canary, Counts)
    bad = np.array(pair.canary.bad)
    bad[3] += 40.0
    late = replace(pair, canary=Counts(array(bad), pair.canary.total))
    changed = replace(evidence, pairs=(late, *evidence.pairs[1:]))
    assert judge(SERVICE, changed, memory) == judge(SERVICE, changed)
    assert judge(SERVICE, changed, memory) != judge(SERVICE, evidence, memory)


def test_a_memory_that_forgets_is_only_slower():
    evidence, memory = a_release(), Memory(most=3)
    for minutes in (30, 60):
        seen = until(evidence, minutes)
        assert judge(SERVICE, seen, memory) == judge(SERVICE, seen)


def test_a_look_sums_what_is_new(monkeypatch):
    summed = []
    genuine = rates._summed
    monkeypatch.setattr(
        rates, "_summed", lambda *given: summed.append(given[0].canary.shape[1]) or genuine(*given)
    )
    service = a_service(a_metric("errors"))
    hour = traffic(1_000, requests=3_000, weights=(0.1,))
    pair = errors(np.random.default_rng(2), hour, baseline=0.01, canary=0.01)
    evidence, memory = an_hour_of(pair), Memory()
    judge(service, until(evidence, 998), memory)
    whole, summed[:] = sum(summed), []
    judge(service, until(evidence, 999), memory)
    assert sum(summed) < whole / 10


def test_looks_that_ask_for_other_evidence_may_share_one_memory():
    """The budget moves: a policy may ask for more at one look than at the next."""
    evidence, memory = a_release(), Memory()
    asked = (
        SERVICE,
        adapted(SERVICE, Demands(margins=0.5, beta=0.01)),
        adapted(SERVICE, Demands(alpha=0.1, margins=0.75)),
    )
    for minutes, service in zip((20, 21, 35, 36, 60, 60), (*asked, *asked), strict=True):
        seen = until(evidence, minutes)
        assert judge(service, seen, memory) == judge(service, seen)
