"""One pod is not the version: incidents are held back, lasting differences widen the margin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.analysis.comparison import Analysis, Finding
from gate.analysis.dispersion import dispersion, with_pods
from gate.analysis.judge import judge
from gate.analysis.pods import Held, Pods, held_back, lasting, lenience
from gate.evidence.evidence import Evidence, Pair
from gate.metric import Kind, Margin
from gate.request import Window
from gate.series import Array, Counts, Series, array
from gate.service import Service
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import T0
from tests.parts.rollouts import a_metric, a_service

MINUTES, PODS = 60, 10
SERVICE = a_service(a_metric("errors", Kind.EVENTS), history=3600.0)
ALPHA = 0.01


def counts(bad: Array, total: Array, arm: str) -> Counts:
    """From (minutes, pods)."""
    own = {
        f"{arm}-{pod}": Counts(array(bad[:, pod]), array(total[:, pod]))
        for pod in range(bad.shape[1])
    }
    return Counts(array(bad.sum(axis=1)), array(total.sum(axis=1)), own)


def rollout(
    seed: int,
    *,
    rate: float = 0.001,
    requests: float = 600.0,
    uneven: float = 0.0,
    canary: Array | None = None,
) -> Pair:
    """`requests` a minute and arm on ten pods; `canary` (minutes, pods) sets its true shares."""
    rng = np.random.default_rng(seed)
    total = np.full((MINUTES, PODS), requests / PODS)
    theirs, ours = (rate * np.exp(uneven * rng.standard_normal(PODS)) for _ in range(2))
    share = np.broadcast_to(ours, total.shape) if canary is None else canary
    return Pair(
        "errors",
        counts(rng.binomial(total.astype(int), theirs).astype(float), total, "baseline"),
        counts(rng.binomial(total.astype(int), share).astype(float), total, "canary"),
        history=counts(rng.binomial(total.astype(int), theirs).astype(float), total, "baseline"),
    )


def blurred(series: Series | None) -> Counts:
    """The same without the pods."""
    assert isinstance(series, Counts)
    return Counts(series.bad, series.total)


def look(
    pair: Pair, minutes: int = MINUTES, *, told_apart: bool = True, service: Service = SERVICE
) -> Analysis:
    window = Window(T0, 60.0, minutes)
    shown = pair.until(window)
    if not told_apart:
        shown = Pair("errors", *map(blurred, (shown.baseline, shown.canary)),
                     history=blurred(shown.history))  # fmt: skip
    return judge(service, Evidence(window, (shown,)))


def first_worse(pair: Pair, *, told_apart: bool = True) -> int | None:
    for minutes in range(1, MINUTES + 1):
        if look(pair, minutes, told_apart=told_apart).comparisons[0].finding is Finding.WORSE:
            return minutes
    return None


def ill(pod: int, first: int, minutes: int, share: float) -> Array:
    """An ordinary canary with one pod that fails this share for some minutes."""
    shares = np.full((MINUTES, PODS), 0.001)
    shares[first : first + minutes, pod] = share
    return shares


def test_a_pod_that_is_ill_for_three_minutes_convicts_nobody() -> None:
    pair = rollout(1, canary=ill(3, 20, 3, 0.5))
    assert first_worse(pair) is None
    assert first_worse(pair, told_apart=False) is not None


def test_the_answer_names_the_pod_and_what_was_held_back() -> None:
    (note,) = look(rollout(1, canary=ill(3, 20, 3, 0.5))).comparisons[0].notes
    assert note.startswith("canary-3 had")
    assert note.endswith("held back")


def test_what_is_shown_is_what_was_seen_not_what_was_counted() -> None:
    pair = rollout(1, canary=ill(3, 20, 3, 0.5))
    assert isinstance(pair.canary, Counts)
    shown = look(pair).comparisons[0].canary
    assert shown == pytest.approx(pair.canary.bad.sum() / pair.canary.total.sum())


@pytest.mark.parametrize("seed", range(3))
def test_a_pod_that_stays_dead_is_found_within_minutes(seed: int) -> None:
    found = first_worse(rollout(seed, canary=ill(0, 10, MINUTES, 1.0)))
    assert found is not None
    assert found - 10 <= 15


def test_an_outage_of_all_pods_is_found_at_once() -> None:
    shares = np.full((MINUTES, PODS), 0.001)
    shares[10:] = 1.0
    found = first_worse(rollout(1, canary=shares))
    assert found is not None
    assert found - 10 <= 2


def test_the_only_pod_of_a_canary_is_its_version() -> None:
    bad = np.array([[0.0], [30.0]])
    assert Pods.of(["a"], [bad[:, 0]], [np.full(2, 60.0)]) is None


def test_a_bad_minute_of_one_baseline_pod_acquits_nobody() -> None:
    """A canary on twice the rate is not made to look good by an incident beside it."""
    bad = rollout(5, canary=np.full((MINUTES, PODS), 0.002), requests=6000.0)
    assert isinstance(bad.baseline, Counts)
    own = {pod: np.array(one.bad) for pod, one in bad.baseline.by_pod.items()}
    own["baseline-4"][20:23] += 300.0
    total = np.stack([one.total for one in bad.baseline.by_pod.values()], axis=1)
    hit = counts(np.stack(list(own.values()), axis=1), total, "baseline")
    pair = Pair("errors", hit, bad.canary, history=bad.history)
    assert look(pair).comparisons[0].finding is not Finding.NOT_WORSE
    assert look(pair, told_apart=False).comparisons[0].finding is Finding.NOT_WORSE


@pytest.mark.slow
def test_incidents_on_either_arm_hold_alpha() -> None:
    """One incident of 30 % for 3 minutes in each arm's hour, a look every six minutes."""
    rollouts, alarms = 300, 0
    for seed in range(rollouts):
        rng = np.random.default_rng(10_000 + seed)
        pair = rollout(
            seed, canary=ill(int(rng.integers(PODS)), int(rng.integers(MINUTES)), 3, 0.3)
        )
        alarms += any(
            look(pair, minutes).comparisons[0].finding is Finding.WORSE
            for minutes in range(6, MINUTES + 1, 6)
        )
    # Not a bound below alpha: an incident is outside the test's null. It must stay near it.
    assert at_least(alarms, rollouts) <= ALPHA


@pytest.mark.slow
def test_pods_that_differ_for_ever_are_not_a_version() -> None:
    """A log deviation of 0.5, heavy traffic, a tight margin: told apart, nobody is convicted."""
    tight = replace(SERVICE, metrics=(replace(SERVICE.metrics[0], margin=Margin(1.1, 0.0)),))
    pairs = [rollout(seed, uneven=0.5, rate=0.005, requests=12_000.0) for seed in range(400)]
    alone, blind = (
        sum(
            look(pair, told_apart=known, service=tight).comparisons[0].finding is Finding.WORSE
            for pair in pairs
        )
        for known in (True, False)
    )
    assert at_most(alone, len(pairs)) <= 0.05
    assert at_least(blind, len(pairs)) > 0.05


def test_lasting_differences_are_measured() -> None:
    rng = np.random.default_rng(3)
    shares = 0.01 * np.exp(0.4 * rng.standard_normal(200))
    bad = rng.poisson(1000 * shares, (MINUTES, 200)).astype(float)
    pods = Pods.of([str(n) for n in range(200)], list(bad.T), [np.full(MINUTES, 1000.0)] * 200)
    none = Held(np.zeros_like(bad))
    # 0.4 in logs is sqrt(exp(0.16) - 1) = 0.417 as a share of the mean (log-normal's variance)
    assert lasting(pods, none, 1.0) == pytest.approx(0.417, rel=0.15)
    alike = rng.poisson(10.0, (MINUTES, 200)).astype(float)
    same = Pods.of([str(n) for n in range(200)], list(alike.T), [np.full(MINUTES, 1000.0)] * 200)
    assert lasting(same, none, 1.0) < 0.02


def test_lenience_is_2_5_standard_errors() -> None:
    four = Pods.of(list("abcd"), [np.ones(3)] * 4, [np.ones(3)] * 4)
    assert lenience(0.2, four, four) == pytest.approx(math.exp(2.5 * 0.2 * math.sqrt(0.5)))
    assert lenience(0.2, None, four) == 1.0


def test_an_incident_in_the_history_is_no_clump_of_the_whole_arm() -> None:
    pair = rollout(2)
    assert isinstance(pair.history, Counts)
    bad = np.stack([one.bad for one in pair.history.by_pod.values()], axis=1)
    bad[30:33, 2] += 40.0
    past = counts(bad, np.full_like(bad, 60.0), "baseline")
    blind = dispersion(past.bad, past.total).index
    told_apart = with_pods(past.bad, past.total, Pods.counting(past), 60.0).index
    assert blind > 10
    assert told_apart < blind / 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=6),
    st.floats(0.01, 5.0),
    st.floats(1.0, 10.0),
)
def test_nothing_is_held_back_that_was_not_there(
    rows: list[list[int]], mean: float, index: float
) -> None:
    bad = np.array(rows, dtype=float)
    pods = Pods(("a", "b", "c"), bad, np.full_like(bad, 100.0))
    held = held_back(pods, *(np.full(len(bad), mean),) * 2, index, 60.0)
    assert (held.by_pod >= 0).all()
    assert (held.by_pod <= bad).all()
    alike = Pods(("a", "b", "c"), np.repeat(bad[:, :1], 3, axis=1), np.full_like(bad, 100.0))
    assert held_back(alike, *(np.full(len(bad), mean),) * 2, index, 60.0).events.sum() == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=6),
    st.integers(0, 2),
    st.integers(1, 50),
)
def test_one_more_bad_event_never_counts_for_less(
    rows: list[list[int]], pod: int, more: int
) -> None:
    bad, total = np.array(rows, dtype=float), np.full((len(rows), 3), 100.0)
    mean = (np.full(len(bad), 2.0),) * 2
    worse = bad.copy()
    worse[-1, pod] += more
    counted = [
        (one - held_back(Pods(("a", "b", "c"), one, total), *mean, 1.0, 60.0).by_pod).sum(axis=1)
        for one in (bad, worse)
    ]
    assert (counted[1] >= counted[0] - 1e-9).all()
