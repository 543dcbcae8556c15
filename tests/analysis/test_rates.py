import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gate.analysis.rates import (
    SHIFTS,
    Bets,
    Table,
    bets,
    difference_bounds,
    share_bound,
    shares,
    starts,
    table,
)
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import traffic, wave

ALPHA, BETA = 0.01, 0.05
RATIO, ABSOLUTE = 1.25, 0.0005  # the default margin of events
MINUTES, RELEASES = 60, 4_000


def simulated(rng, hour, baseline, canary, releases=RELEASES):
    """One release a row; the rates are one for all minutes or one for each."""
    shape = (releases, hour.minutes)
    ours, theirs = (np.broadcast_to(n, shape) for n in (hour.canary, hour.baseline))
    bad = [rng.binomial(n.astype(int), p) for n, p in ((ours, canary), (theirs, baseline))]
    return table(bad[0], ours, bad[1], theirs)


def minute(seen, i):
    parts = (seen.bad_canary, seen.canary, seen.bad_baseline, seen.baseline)
    return Table(*(part[:, i : i + 1] for part in parts))


def most_ever(seen, side, ratio=RATIO, absolute=ABSOLUTE):
    """The largest log evidence of each row, looking after every minute."""
    rows, minutes = seen.canary.shape
    won = paid = np.zeros((rows, 1, len(SHIFTS)))
    most = np.full(rows, -np.inf)
    for i in range(minutes):
        more = bets(minute(seen, i), np.full(rows, ratio), side)
        won, paid = won + more.won, paid + more.paid
        most = np.maximum(most, Bets(won, paid).log_e(np.full(rows, absolute)))
    return most


def ever_worse(seen, **margin):
    return int((most_ever(seen, 1, **margin) >= -math.log(ALPHA)).sum())


def ever_not_worse(seen, **margin):
    return int((most_ever(seen, -1, **margin) >= -math.log(BETA)).sum())


def test_looking_each_minute_is_looking_at_the_sum_of_the_minutes():
    seen = simulated(np.random.default_rng(1), traffic(7, requests=900), 0.02, 0.03, releases=3)
    whole = bets(seen, np.full(3, RATIO), 1)
    parts = [bets(minute(seen, i), np.full(3, RATIO), 1) for i in range(7)]
    np.testing.assert_allclose(whole.won, sum(part.won for part in parts), rtol=1e-12)
    np.testing.assert_allclose(whole.paid, sum(part.paid for part in parts), rtol=1e-12)


@pytest.mark.parametrize("rate", [0.0005, 0.01, 0.3])
@pytest.mark.parametrize("weight", [0.01, 0.1, 0.5])
def test_equal_arms_are_never_called_worse_more_often_than_alpha(rate, weight):
    hour = traffic(MINUTES, requests=20_000, weights=(weight,))
    seen = simulated(np.random.default_rng(2), hour, rate, rate, 1_000)
    assert at_most(ever_worse(seen), 1_000) <= ALPHA


@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.01, 0.3])
@pytest.mark.parametrize("weight", [0.01, 0.1, 0.5])
def test_a_canary_on_its_margin_keeps_both_promises(rate, weight):
    hour = traffic(MINUTES, requests=20_000, weights=(weight,))
    seen = simulated(np.random.default_rng(3), hour, rate, RATIO * rate + ABSOLUTE)
    assert at_most(ever_worse(seen), RELEASES) <= ALPHA
    assert at_most(ever_not_worse(seen), RELEASES) <= BETA


@pytest.mark.parametrize("high", [3.0, 30.0])
def test_stepped_weights_and_waves_that_both_arms_suffer_deceive_nobody(high):
    # The late steps, where the canary weighs most, meet the crest of the wave.
    hour = traffic(MINUTES, requests=5_000, weights=(0.01, 0.05, 0.25, 0.5))
    rates = 0.002 * wave(MINUTES, high=high, period=2 * MINUTES)
    rng = np.random.default_rng(4)
    equal = simulated(rng, hour, rates, rates)
    on_margin = simulated(rng, hour, rates, RATIO * rates + ABSOLUTE)
    for seen in (equal, on_margin):
        assert at_most(ever_worse(seen), RELEASES) <= ALPHA
    assert at_most(ever_not_worse(on_margin), RELEASES) <= BETA


def test_a_ratio_alone_and_a_difference_alone_keep_the_promises_too():
    hour, rng = traffic(MINUTES, requests=5_000), np.random.default_rng(5)
    for margin, canary in (
        ({"ratio": 1.5, "absolute": 0.0}, 0.03),
        ({"ratio": 1.0, "absolute": 0.01}, 0.03),
    ):
        seen = simulated(rng, hour, 0.02, canary)
        assert at_most(ever_worse(seen, **margin), RELEASES) <= ALPHA
        assert at_most(ever_not_worse(seen, **margin), RELEASES) <= BETA


def test_a_tripled_error_rate_is_called_worse():
    seen = simulated(np.random.default_rng(6), traffic(30, requests=5_000), 0.005, 0.015, 300)
    assert at_least(ever_worse(seen), 300) >= 0.97


def test_errors_beside_a_baseline_without_any_are_called_worse():
    seen = simulated(np.random.default_rng(7), traffic(30, requests=5_000), 0.0, 0.005, 300)
    assert at_least(ever_worse(seen), 300) >= 0.97


@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.01, 0.3])
def test_a_healthy_canary_with_decent_traffic_is_called_not_worse(rate):
    seen = simulated(np.random.default_rng(8), traffic(60, requests=20_000), rate, rate, 300)
    assert at_least(ever_not_worse(seen), 300) >= 0.97


@given(st.integers(0, 60), st.integers(0, 300), st.sampled_from([0.01, 0.1, 0.5]))
def test_without_absolute_margin_it_is_the_mean_of_conditional_likelihood_ratios(
    canary, baseline, weight
):
    # Lindon & Malek, NeurIPS 2022, section 4: given canary + baseline bad events, each is the
    # canary's with odds R Nc / Nb on the boundary. Computed here by math alone.
    odds = RATIO * weight / (1 - weight)
    on_boundary = odds / (1 + odds)
    expected = []
    for shift in (0.05 * (6.0 / 0.05) ** (k / 15) for k in range(16)):
        shifted = odds * math.exp(shift) / (1 + odds * math.exp(shift))
        expected.append(
            canary * math.log(shifted / on_boundary)
            + baseline * math.log((1 - shifted) / (1 - on_boundary))
        )
    seen = table(*(np.array([[float(n)]]) for n in (canary, 1e4 * weight, baseline,
                                                    1e4 * (1 - weight))))  # fmt: skip
    found = bets(seen, np.array([RATIO]), 1).log_e(np.zeros(1))[0]
    mean = math.log(sum(math.exp(one) for one in expected) / 16)
    assert found == pytest.approx(mean, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("side", [1, -1])
def test_each_bet_is_fair_at_most_on_the_boundary(side):
    # The expectation of exp(equation (1)) over all outcomes of one interval, summed exactly.
    canary, baseline, rate = 30, 60, 0.05
    on_margin = RATIO * rate + 0.01
    bad_canary, bad_baseline = np.meshgrid(np.arange(31.0), np.arange(61.0), indexing="ij")
    chance = binom.pmf(bad_canary, canary, on_margin) * binom.pmf(bad_baseline, baseline, rate)
    rows = bad_canary.size
    seen = table(
        bad_canary.reshape(rows, 1), np.full((rows, 1), float(canary)),
        bad_baseline.reshape(rows, 1), np.full((rows, 1), float(baseline)),
    )  # fmt: skip
    each = bets(seen, np.full(rows, RATIO), side)
    grown = np.exp(each.logs(np.full(rows, 0.01)))
    mean = (grown * chance.reshape(rows, 1)).sum(axis=0)
    assert (mean <= 1 + 1e-12).all()
    assert mean[0] >= 0.99  # and not because the bets are small


counts = st.floats(0, 1e6, allow_nan=False)
intervals = st.lists(st.tuples(counts, counts, counts, st.floats(1, 1e6)), min_size=1, max_size=5)


def one_row(rows):
    bad_canary, bad_baseline, canary, baseline = (np.array([part]) for part in zip(*rows))  # noqa: B905
    return table(np.minimum(bad_canary, canary), canary, np.minimum(bad_baseline, baseline),
                 baseline)  # fmt: skip


@given(intervals, st.floats(0.1, 1e4), st.sampled_from([1, -1]))
def test_more_bad_canary_events_only_speak_for_worse(rows, more, side):
    seen = one_row(rows)
    worse = Table(seen.bad_canary + more, seen.canary, seen.bad_baseline, seen.baseline)
    before, after = (
        bets(part, np.array([RATIO]), side).log_e(np.array([ABSOLUTE]))[0] for part in (seen, worse)
    )
    assert side * (after - before) >= -1e-9 * max(1.0, abs(before))


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=6),
    st.sampled_from([1, -1]),
)
def test_merging_intervals_of_one_split_changes_nothing(rows, side):
    bad = np.array(rows, dtype=float).T
    apart = table(bad[:1], np.full((1, len(rows)), 100.0), bad[1:], np.full((1, len(rows)), 900.0))
    merged = Table(*(part.sum(axis=1, keepdims=True) for part in (
        apart.bad_canary, apart.canary, apart.bad_baseline, apart.baseline)))  # fmt: skip
    one, other = (
        bets(part, np.array([RATIO]), side).log_e(np.zeros(1))[0] for part in (apart, merged)
    )
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


def test_the_bounds_of_one_share_hold_at_every_look():
    rng, level = np.random.default_rng(9), math.log(20)
    for share in (0.001, 0.05, 0.6):
        bad = rng.binomial(500, share, (RELEASES, 40)).cumsum(axis=1).astype(float)
        low_missed, high_missed = (np.zeros(RELEASES, dtype=bool) for _ in range(2))
        for look, total in ((9, 5_000), (19, 10_000), (39, 20_000)):
            low_missed |= share_bound(bad[:, look], total, level, 1) > share
            high_missed |= share_bound(bad[:, look], total, level, -1) < share
        assert at_most(low_missed.sum(), RELEASES) <= 0.05
        assert at_most(high_missed.sum(), RELEASES) <= 0.05


def test_the_interval_of_the_difference_holds_at_every_look():
    hour = traffic(MINUTES, requests=5_000, weights=(0.05, 0.5))
    rates = 0.01 * wave(MINUTES, high=5.0, period=2 * MINUTES)
    seen = simulated(np.random.default_rng(10), hour, rates, rates + 0.01)
    missed = np.zeros(RELEASES, dtype=bool)
    for until in (5, 10, 20, 30, 40, 50, 60):
        parts = (seen.bad_canary, seen.canary, seen.bad_baseline, seen.baseline)
        early = Table(*(part[:, :until] for part in parts))
        low, high = difference_bounds((early, early), *(np.full(RELEASES, math.log(40)),) * 2)
        missed |= (low > 0.01) | (high < 0.01)
    assert at_most(missed.sum(), RELEASES) <= 0.05


def test_the_interval_narrows_with_traffic():
    widths = []
    for requests in (1_000, 100_000):
        seen = simulated(np.random.default_rng(11), traffic(60, requests=requests), 0.02, 0.02, 1)
        low, high = difference_bounds((seen, seen), *(np.array([math.log(100)]),) * 2)
        widths.append(high[0] - low[0])
    assert widths[1] < widths[0] / 4


def test_shares_are_compared_over_the_same_hours():
    # The canary weighs most when errors are most common; both arms fail alike in each minute.
    seen = table(*(np.array([row]) for row in ([1.0, 250.0], [100.0, 500.0], [9.0, 250.0],
                                               [900.0, 500.0])))  # fmt: skip
    baseline, canary = shares(seen)
    assert canary[0] == pytest.approx(251 / 600)
    assert baseline[0] == pytest.approx(251 / 600)  # not 259 / 1400


def test_an_interval_unseen_in_one_arm_counts_for_neither():
    nan = math.nan
    bad_canary, canary = [[1.0, nan, 1.0, 1.0]], [[10.0, 10.0, 10.0, 10.0]]
    bad_baseline, baseline = [[1.0, 1.0, nan, 0.0]], [[90.0, 90.0, 90.0, 0.0]]
    seen = table(*map(np.array, (bad_canary, canary, bad_baseline, baseline)))
    assert seen.canary.tolist() == [[10.0, 0.0, 0.0, 0.0]]
    assert seen.bad_baseline.tolist() == [[1.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("size", [1e-6, 0.3, 1e9, 1e15])
def test_counts_may_be_tiny_fractional_or_huge(size):
    seen = table(*(np.array([[share * size] * 10]) for share in (0.01, 0.5, 0.01, 0.5)))
    for side in (1, -1):
        assert np.isfinite(bets(seen, np.array([RATIO]), side).log_e(np.array([ABSOLUTE]))).all()
    low, high = difference_bounds((seen, seen), *(np.array([math.log(100)]),) * 2)
    assert low[0] <= 0 <= high[0]


# Starting afresh: a late fault, and the promise all the same


def ever_since(seen, block=10):
    """How many rows ever reach the level with capital that starts afresh, a look each 3 minutes."""
    rows, minutes = seen.canary.shape
    reached = np.zeros(rows, dtype=bool)
    for look in range(3, minutes + 1, 3):
        parts = (seen.bad_canary, seen.canary, seen.bad_baseline, seen.baseline)
        early = Table(*(part[:, :look] for part in parts))
        staked = bets(early, np.full(rows, RATIO), 1, block).log_e_since(np.full(rows, ABSOLUTE))
        reached |= np.logaddexp.reduce(staked, axis=1) >= -math.log(ALPHA)
    return int(reached.sum())


@pytest.mark.parametrize("rate", [0.0005, 0.01])
def test_a_canary_on_its_margin_is_not_called_worse_by_starting_afresh(rate):
    hour = traffic(MINUTES, requests=20_000, weights=(0.1,))
    seen = simulated(np.random.default_rng(30), hour, rate, RATIO * rate + ABSOLUTE, 1_500)
    assert at_most(ever_since(seen), 1_500) <= ALPHA


def test_a_late_fault_is_found_about_as_fast_as_an_early_one():
    hour = traffic(20, requests=6_000, weights=(0.1,))
    quiet = simulated(np.random.default_rng(31), traffic(40, requests=6_000), 0.01, 0.01, 300)
    bad = simulated(np.random.default_rng(32), hour, 0.01, 0.025, 300)
    parts = ("bad_canary", "canary", "bad_baseline", "baseline")
    late = Table(*(np.hstack([getattr(quiet, one), getattr(bad, one)]) for one in parts))

    def found(seen, *, afresh):
        made = bets(seen, np.full(300, RATIO), 1, 10)
        absolute = np.full(300, ABSOLUTE)
        log_e = made.log_e_since(absolute) if afresh else made.log_e(absolute)[:, None]
        return int((np.logaddexp.reduce(log_e, axis=1) >= -math.log(ALPHA)).sum())

    assert at_least(found(bad, afresh=True), 300) >= 0.9
    assert at_least(found(late, afresh=True), 300) >= 0.7
    assert at_most(found(late, afresh=False), 300) <= 0.5  # forty good minutes outweigh it


def test_what_is_staked_is_never_more_than_there_is():
    none = Table(*(np.zeros((1, 300)) for _ in range(4)))
    staked = bets(none, np.ones(1), 1, 10).log_e_since(np.zeros(1))
    # All staked, untouched: the capital is whole. (Half from the start, half in later parts.)
    assert math.exp(np.logaddexp.reduce(staked[0])) == pytest.approx(1.0)


@given(st.integers(1, 3000), st.integers(1, 60), st.integers(0, 500))
def test_a_block_begins_where_it_began_at_every_earlier_look(count, block, more):
    early, late = starts(count, block), starts(count + more, block)
    assert early == late[: len(early)]
    assert early[0] == 0
