import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.analysis import gauges
from gate.analysis.comparison import Finding
from gate.analysis.gauges import APART, BLOCK, FROM_THE_START, _Arms, _Course, _longer, _starts
from gate.analysis.judge import judge
from gate.analysis.question import Unfit
from gate.evidence.evidence import Pair
from gate.metric import Direction, Kind, Margin
from gate.series import Levels, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import an_hour_of, levels
from tests.parts.rollouts import a_metric, a_service

ALPHA, BETA = 0.05, 0.05
CPU = a_metric("cpu", Kind.GAUGE)
MARGIN = CPU.margin.ratio
MINUTES = 60


def a_rollout(rng, pods=(10, 10), *, memory=0.8, unlike=0.0, noise=0.1, higher=MARGIN, past=True):
    """A gauge whose logarithm wanders.

    `higher` may be a curve over the hour, `unlike` one number for each arm.
    """
    apart = np.broadcast_to(unlike, 2)

    def arm(name, count, unlike, minutes, factor):
        values = rng.normal(size=(minutes, count))
        for i in range(1, minutes):
            values[i] = memory * values[i - 1] + math.sqrt(1 - memory**2) * values[i]
        lasting = unlike * rng.normal(size=count)
        names = tuple(f"{name}-{i}" for i in range(count))
        factors = np.broadcast_to(factor, minutes)[:, None]
        return Levels(names, array(factors * np.exp(noise * values + lasting)))

    baseline = arm("b", pods[0], apart[0], MINUTES * (1 + past), 1.0)
    before, after = rows(baseline, stop=MINUTES * past), rows(baseline, start=MINUTES * past)
    return Pair(
        "cpu", after, arm("c", pods[1], apart[1], MINUTES, higher), history=before if past else None
    )


def rows(series, start=0, stop=None):
    return Levels(series.pods, series.values[start:stop])


def until(pair, n):
    return replace(pair, baseline=rows(pair.baseline, 0, n), canary=rows(pair.canary, 0, n))


def answer(pair, metric=CPU, alpha=ALPHA):
    arms = pair.baseline, pair.canary, pair.history
    return gauges.compare(metric, *arms, -math.log(alpha), -math.log(BETA))


def evidence(pair):
    """Both logs, without the interval and the forecast, which no simulation here needs."""
    arms = _Arms.of(pair.baseline.values, pair.canary.values, CPU.margin)
    return _Course.of(arms, _longer(pair.history, pair.baseline, arms, 1.0)).log_e()


def found(rollouts, looks, seed=1, **said):
    """Of so many rollouts, how many were called worse, and not worse, at any of the looks."""
    rng, worse, not_worse = np.random.default_rng(seed), 0, 0
    for _ in range(rollouts):
        pair = a_rollout(rng, **said)
        logs = np.array([evidence(until(pair, n)) for n in looks])
        worse += (logs[:, 0] >= -math.log(ALPHA)).any()
        not_worse += (logs[:, 1] >= -math.log(BETA)).any()
    return SimpleNamespace(worse=worse, not_worse=not_worse)


SOME_LOOKS = (5, 12, 25, 60)


@pytest.mark.parametrize(
    ("pods", "memory", "unlike", "past"),
    [
        ((10, 10), 0.0, 0.0, True),
        ((10, 10), 0.8, 0.0, False),
        ((3, 3), 0.95, 0.0, False),
        ((3, 3), 0.5, 0.05, True),
        ((2, 2), 0.8, 0.1, False),
        ((20, 2), 0.8, 0.05, True),
        ((2, 20), 0.8, 0.05, False),
        ((10, 1), 0.8, 0.05, True),
    ],
)
def test_on_the_margin_neither_is_claimed_more_often_than_promised(pods, memory, unlike, past):
    rollouts = 250
    seen = found(rollouts, SOME_LOOKS, pods=pods, memory=memory, unlike=unlike, past=past)
    assert at_most(seen.worse, rollouts) <= ALPHA
    assert at_most(seen.not_worse, rollouts) <= BETA


def test_a_canary_whose_pods_differ_twice_as_much_keeps_both_promises():
    # Pods are taken to differ alike in both arms; five show it where they do not, two would not.
    rollouts = 400
    seen = found(rollouts, SOME_LOOKS, pods=(10, 5), memory=0.8, unlike=(0.05, 0.1), noise=0.05)
    assert at_most(seen.worse, rollouts) <= ALPHA
    assert at_most(seen.not_worse, rollouts) <= BETA


@pytest.mark.slow
def test_pods_that_differ_for_ever_keep_both_promises():
    # What time cannot average out; pods' means are then all there is, and Student is exact.
    rollouts = 500
    seen = found(rollouts, (5, 12, 25, 60), memory=0.8, unlike=0.15)
    assert at_most(seen.worse, rollouts) <= ALPHA
    assert at_most(seen.not_worse, rollouts) <= BETA


@pytest.mark.slow
def test_a_look_every_minute_keeps_both_promises():
    rollouts = 150
    seen = found(rollouts, range(5, MINUTES + 1), pods=(5, 5), memory=0.8, unlike=0.03)
    assert at_most(seen.worse, rollouts) <= ALPHA
    assert at_most(seen.not_worse, rollouts) <= BETA


@pytest.mark.parametrize(("memory", "minutes"), [(0.0, 5), (0.5, 10), (0.8, 25)])
def test_healthy_canaries_are_shown_to_be(memory, minutes):
    seen = found(80, (minutes,), memory=memory, higher=1.0)
    assert seen.worse == 0
    assert at_least(seen.not_worse, 80) >= 0.75


def test_a_third_more_cpu_is_found_about_half_the_time_through_much_noise():
    # 1.2 is allowed, so 0.1 stands against an error of 0.02 that the hour leaves (equation (2)).
    seen = found(80, (30, 45, 60), memory=0.8, higher=1.3)
    assert at_least(seen.worse, 80) >= 0.45
    assert seen.not_worse == 0


def test_half_as_much_again_is_found_within_minutes():
    seen = found(60, (15,), memory=0.8, higher=1.6)
    assert at_least(seen.worse, 60) >= 0.85


def leak(onset=0):
    return 1.0 + 0.01 * np.maximum(np.arange(MINUTES) - onset, 0)


def test_a_leak_is_found_soon_after_it_passed_the_margin():
    # One percent a minute passes 1.20 in minute 20.
    seen = found(80, (37,), memory=0.8, noise=0.05, higher=leak())
    assert at_least(seen.worse, 80) >= 0.75


def test_a_leak_is_not_acquitted_for_its_past():
    seen = found(60, (18, 20, 25, 30), memory=0.8, noise=0.05, higher=leak())
    whole = found(60, (16,), memory=0.8, noise=0.05, higher=1.1 * np.ones(MINUTES))
    assert seen.not_worse <= 3
    assert whole.not_worse >= 30  # as high all the time, it is within the margin and shown to be


def test_a_slow_leak_is_not_acquitted_before_it_reaches_the_margin():
    # 0.4 % a minute is within 1.20 until minute 50, and at 40 its trend is clear.
    seen = found(40, (40,), memory=0.5, noise=0.03, higher=1 + 0.004 * np.arange(MINUTES))
    assert seen.not_worse <= 2


def test_a_late_onset_is_found_nearly_as_fast_as_an_early_one():
    late = np.where(np.arange(MINUTES) < 40, 1.0, 1.6)
    seen = found(60, (56,), memory=0.8, higher=late)
    assert at_least(seen.worse, 60) >= 0.7


def test_the_interval_holds_the_difference():
    rng, rollouts, missed = np.random.default_rng(3), 250, 0
    for _ in range(rollouts):
        pair = a_rollout(rng, (4, 6), memory=0.8, unlike=0.1, higher=1.1)
        effect = answer(pair).effect
        missed += not (effect.low or -9) <= 0.1 * math.exp(0.01) <= (effect.high or 9)
    assert at_most(missed, rollouts) <= ALPHA + BETA


def test_bounds_and_findings_agree():
    rng = np.random.default_rng(4)
    for higher in (0.9, 1.0, 1.2, 1.4, 1.5):
        one = answer(a_rollout(rng, higher=higher))
        if one.effect.low is not None and one.effect.low > one.effect.limit - one.effect.baseline:
            assert one.log_e_worse >= -math.log(ALPHA) - 1e-3
        if one.log_e_not_worse >= -math.log(BETA):
            assert one.effect.high <= one.effect.limit - one.effect.baseline + 1e-3


def test_the_capital_is_spent_once():
    _, shares = _starts(np.arange(100_000))
    assert shares[0] == FROM_THE_START
    assert shares[1] == (1 - FROM_THE_START) / 2 / BLOCK
    assert sum(shares) <= 1.0
    at, _ = _starts(np.arange(60))
    assert at.tolist() == list(range(0, 56, APART))


# Properties

ARMS = st.tuples(st.integers(2, 5), st.integers(2, 5))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), ARMS, st.integers(5, 60))
def test_what_comes_later_changes_nothing_earlier(seed, pods, n):
    rng = np.random.default_rng(seed)
    pair, other = a_rollout(rng, pods), a_rollout(rng, pods, higher=3.0)
    arms = {
        arm: Levels(series.pods, array(np.vstack([series.values[:n], later.values[n:]])))
        for arm, series, later in (
            ("baseline", pair.baseline, other.baseline), ("canary", pair.canary, other.canary)
        )
    }  # fmt: skip
    assert answer(until(replace(pair, **arms), n)) == answer(until(pair, n))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), ARMS, st.floats(0.0, 3.0), st.booleans())
def test_a_higher_canary_is_never_milder(seed, pods, more, past):
    pair = a_rollout(np.random.default_rng(seed), pods, unlike=0.05, past=past)
    shifted = Levels(pair.canary.pods, array(pair.canary.values + more))
    one, other = answer(pair), answer(replace(pair, canary=shifted))
    assert other.log_e_worse >= one.log_e_worse - 1e-6
    assert other.log_e_not_worse <= one.log_e_not_worse + 1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), ARMS)
def test_swapping_the_arms_turns_the_interval_round(seed, pods):
    pair = a_rollout(np.random.default_rng(seed), pods, unlike=0.05, past=False)
    equal = replace(CPU, margin=Margin(1.0, 0.0))
    # The lower bound stakes half the capital, the upper one all of it.
    one = answer(pair, equal, alpha=BETA / FROM_THE_START)
    swapped = replace(pair, baseline=pair.canary, canary=pair.baseline)
    other = answer(swapped, equal, alpha=BETA / FROM_THE_START)
    for bound, opposite in (
        (one.effect.low, other.effect.high),
        (one.effect.high, other.effect.low),
    ):
        assert (bound is None) == (opposite is None)
        assert bound is None or bound == pytest.approx(-opposite)


@pytest.mark.parametrize("unit", [1e-90, 1e-12, 1e9, 1e90])
def test_the_unit_of_a_gauge_changes_no_finding(unit):
    rng = np.random.default_rng(6)
    for higher in (1.0, 1.2, 2.0):
        pair = a_rollout(rng, unlike=0.05, higher=higher)
        one = answer(pair, replace(CPU, margin=Margin(1.1, 0.1)))
        scaled = replace(
            pair,
            **{
                arm: Levels(series.pods, array(series.values * unit))
                for arm, series in (
                    ("baseline", pair.baseline), ("canary", pair.canary), ("history", pair.history)
                )
            },
        )  # fmt: skip
        other = answer(scaled, replace(CPU, margin=Margin(1.1, 0.1 * unit)))
        assert other.log_e_worse == pytest.approx(one.log_e_worse)
        assert other.log_e_not_worse == pytest.approx(one.log_e_not_worse)
        assert other.effect.high == pytest.approx(one.effect.high * unit)


def test_lower_is_worse_is_higher_is_worse_of_the_negated_values():
    rng = np.random.default_rng(7)
    for higher in (1.0, 0.5):
        pair = a_rollout(rng, unlike=0.02, higher=higher)
        one = answer(pair, replace(CPU, worse=Direction.LOWER))
        negated = replace(
            pair,
            **{
                arm: Levels(series.pods, array(-series.values))
                for arm, series in (
                    ("baseline", pair.baseline), ("canary", pair.canary), ("history", pair.history)
                )
            },
        )  # fmt: skip
        other = answer(negated, replace(CPU, margin=CPU.margin.mirrored()))
        assert one.log_e_worse == pytest.approx(other.log_e_worse)
        assert one.log_e_not_worse == pytest.approx(other.log_e_not_worse)
        assert (one.effect.low, one.effect.high) == pytest.approx(
            (-other.effect.high, -other.effect.low)
        )
        assert (one.log_e_worse > 5) == (higher == 0.5)
        assert one.effect.limit == pytest.approx(one.effect.baseline / MARGIN)


def test_zeros_and_negative_values_are_as_good_as_others():
    # An absolute margin does not care where zero is.
    metric = replace(CPU, margin=Margin(1.0, 0.3))
    pair = a_rollout(np.random.default_rng(8), unlike=0.05, higher=1.1, past=False)
    lowered = replace(
        pair,
        baseline=Levels(pair.baseline.pods, array(pair.baseline.values - 1.0)),
        canary=Levels(pair.canary.pods, array(pair.canary.values - 1.0)),
    )
    assert answer(lowered, metric).log_e_not_worse == pytest.approx(
        answer(pair, metric).log_e_not_worse
    )


def test_load_that_moves_all_pods_is_no_difference():
    rng = np.random.default_rng(9)
    metric = replace(CPU, margin=Margin(1.0, 0.2))
    pair, load = a_rollout(rng, unlike=0.05, higher=1.0, past=False), 5 * rng.normal(size=(60, 1))
    moved = replace(
        pair,
        baseline=Levels(pair.baseline.pods, array(pair.baseline.values + load)),
        canary=Levels(pair.canary.pods, array(pair.canary.values + load)),
    )
    one, other = answer(pair, metric), answer(moved, metric)
    assert other.log_e_worse == pytest.approx(one.log_e_worse)
    assert other.log_e_not_worse == pytest.approx(one.log_e_not_worse)


# Pods that come and go


def test_pods_that_come_late_count_from_then_on():
    pair = levels(np.random.default_rng(8), 40, pods=(10, 10), higher=2.0)
    values = np.array(pair.canary.values)
    values[:10, 1:] = math.nan  # one pod at first, ten later
    late = replace(pair, canary=Levels(pair.canary.pods, array(values)))
    (one,) = judge(a_service(CPU), an_hour_of(late)).comparisons
    assert one.finding is Finding.WORSE
    assert one.events_canary == 10


def restarted(series, pod, at, factor):
    """The pod ends at that row, and another one goes on, with a gap of one row between them."""
    values = np.column_stack([series.values, factor * series.values[:, pod]])
    values[at:, pod] = math.nan
    values[: at + 1, -1] = math.nan
    return Levels((*series.pods, f"new-{pod}-{at}"), array(values))


def test_restarts_on_unlike_nodes_keep_both_promises():
    rng, rollouts, worse, not_worse = np.random.default_rng(10), 150, 0, 0
    for _ in range(rollouts):
        pair = a_rollout(rng, (4, 4), unlike=0.1)
        for _ in range(2):
            pair = replace(
                pair,
                baseline=restarted(pair.baseline, *_a_restart(rng)),
                canary=restarted(pair.canary, *_a_restart(rng)),
            )
        logs = np.array([evidence(until(pair, n)) for n in (8, 15, 30, 45, 60)])
        worse += (logs[:, 0] >= -math.log(ALPHA)).any()
        not_worse += (logs[:, 1] >= -math.log(BETA)).any()
    assert at_most(worse, rollouts) <= ALPHA
    assert at_most(not_worse, rollouts) <= BETA


def _a_restart(rng):
    return rng.integers(4), rng.integers(5, 55), math.exp(0.1 * rng.normal())


def test_a_column_that_was_never_seen_changes_nothing():
    pair = a_rollout(np.random.default_rng(11), (4, 4))
    empty = np.column_stack([pair.canary.values, np.full(MINUTES, math.nan)])
    one = answer(replace(pair, canary=Levels((*pair.canary.pods, "gone"), array(empty))))
    assert one.pods_canary == 4
    assert one.log_e_worse == pytest.approx(answer(pair).log_e_worse)
    assert one.log_e_not_worse == pytest.approx(answer(pair).log_e_not_worse)


def test_intervals_seen_in_one_arm_only_are_left_out():
    pair = a_rollout(np.random.default_rng(12), (4, 4))
    values = np.array(pair.baseline.values)
    values[10:20] = math.nan
    holes = replace(pair, baseline=Levels(pair.baseline.pods, array(values)))
    wild = np.array(pair.canary.values)
    wild[10:20] = 1e6
    other = replace(holes, canary=Levels(pair.canary.pods, array(wild)))
    assert answer(other) == answer(holes)


# One pod, and pods that agree


def test_one_pod_is_judged_by_how_much_the_baselines_pods_differ():
    seen = found(60, (25,), pods=(10, 1), memory=0.5, noise=0.03, higher=1.0)
    assert at_least(seen.not_worse, 60) >= 0.8


def test_one_pod_against_one_needs_a_history_of_more():
    rng = np.random.default_rng(13)
    alone = a_rollout(rng, (1, 1), past=False, noise=0.02, higher=1.0)
    with pytest.raises(Unfit, match="too few pods"):
        answer(alone)
    more = a_rollout(rng, (6, 1), noise=0.02).history
    other_pods = Levels(tuple(f"old-{i}" for i in range(6)), more.values)
    assert answer(replace(alone, history=other_pods)).log_e_not_worse > 3
    # Its own hour tells how it wanders, but not how the next pod would differ from it.
    itself = Levels(alone.baseline.pods, more.values[:, :1])
    with pytest.raises(Unfit, match="too few pods"):
        answer(replace(alone, history=itself))


def test_pods_seen_in_the_window_and_before_are_counted_once():
    rng = np.random.default_rng(14)
    pair = a_rollout(rng, (4, 4))
    assert "6 degrees of freedom" in answer(pair).method
    replaced = Levels(tuple("wxyz"), pair.history.values)
    assert "9 degrees of freedom" in answer(replace(pair, history=replaced)).method


def test_four_intervals_are_too_few():
    with pytest.raises(Unfit, match="4 intervals seen in both arms, 5 needed"):
        answer(until(a_rollout(np.random.default_rng(15)), 4))


@pytest.mark.parametrize("level", [1.0, 0.1, 512e6])
def test_pods_that_agree_to_the_last_bit_prove_nothing(level):
    flat = Levels(("a", "b", "c"), array(np.full((20, 3), level)))
    higher = Levels(("d", "e", "f"), array(np.full((20, 3), 3 * level)))
    with pytest.raises(Unfit, match="agree to the last bit"):
        gauges.compare(CPU, flat, higher, None, 5.0, 3.0)


# What is told


def test_the_forecast_comes_true_for_a_canary_that_equals_the_baseline():
    rng, waited = np.random.default_rng(16), []
    for _ in range(40):
        pair = a_rollout(rng, (5, 5), memory=0.5, noise=0.15, higher=1.0)
        soon = answer(until(pair, 8))
        if soon.clear_in is None:
            continue
        shown = [answer(until(pair, n)).log_e_not_worse >= -math.log(BETA) for n in range(8, 61, 2)]
        waited.append((soon.clear_in, 2 * shown.index(True) if any(shown) else 60))
    foretold, true = np.median(np.array(waited), axis=0)
    assert len(waited) > 20
    assert foretold / 3 <= true <= foretold * 3


def test_the_forecast_is_told_in_seconds():
    pair = until(a_rollout(np.random.default_rng(17), (5, 5), higher=1.1), 10)
    (one,) = judge(a_service(CPU), an_hour_of(pair)).comparisons
    assert one.finding is Finding.UNCLEAR
    assert one.clear_in is not None
    assert one.clear_in % 60.0 == 0.0


def test_nothing_is_foretold_where_equal_is_not_within_the_margin():
    pair = a_rollout(np.random.default_rng(18), higher=1.0)
    assert answer(pair, replace(CPU, margin=Margin(1.0, 0.0))).clear_in is None


@pytest.mark.parametrize(
    ("past", "minutes", "told"),
    [
        (True, 30, r"autocorrelation 0\.8\d learnt from the window and its history"),
        (False, 30, r"autocorrelation 0\.8\d learnt from the window alone"),
        (False, 5, r"autocorrelation 0\.98 assumed"),
    ],
)
def test_the_method_tells_how_the_gauge_remembers_and_who_says_so(past, minutes, told):
    pair = a_rollout(np.random.default_rng(19), past=past)
    assert answer(until(pair, minutes)).method.startswith("pod means, 18 degrees of freedom, ")
    assert re.search(told, answer(until(pair, minutes)).method)
