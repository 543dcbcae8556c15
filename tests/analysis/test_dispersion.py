"""Errors that come in clumps: how many there are is measured, and the test is discounted by it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.dispersion import ASSUMED, SAFETY, dispersion
from gate.analysis.judge import judge
from gate.analysis.rates import bets, table
from gate.metric import DEFAULT_MARGINS, Kind
from gate.series import Counts, array
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import an_hour_of, errors, traffic
from tests.parts.rollouts import a_service

MINUTES, RELEASES = 60, 1500
BASELINE, CANARY = 5_400.0, 600.0
MARGIN = DEFAULT_MARGINS[Kind.EVENTS]
ALPHA, BETA = 0.01, 0.05


def clumps(rng, share, total, size):
    """Bad events of whole clumps of this size, shape (releases, minutes)."""
    return rng.poisson(share * total / size, (RELEASES, MINUTES)) * float(size)


def ever(side, level, canary, baseline, index):
    """How many releases ever reached the level, looking every five minutes."""
    reached = np.zeros(RELEASES, dtype=bool)
    for minutes in range(5, MINUTES + 1, 5):
        shape = (RELEASES, minutes)
        seen = table(
            canary[:, :minutes] / index, np.full(shape, CANARY) / index,
            baseline[:, :minutes] / index, np.full(shape, BASELINE) / index,
        )  # fmt: skip
        won = bets(seen, np.full(RELEASES, MARGIN.ratio), side)
        reached |= won.log_e(np.full(RELEASES, MARGIN.absolute)) >= -math.log(level)
    return int(reached.sum())


@pytest.mark.parametrize("size", [1, 5, 20])
@pytest.mark.parametrize("share", [0.001, 0.005])
def test_discounted_both_promises_hold_for_errors_in_clumps(size, share):
    rng = np.random.default_rng(size)
    total = np.full(MINUTES, BASELINE)
    before = clumps(rng, share, BASELINE, size)
    index = np.array([[dispersion(row, total).index] for row in before])
    baseline = clumps(rng, share, BASELINE, size)
    equal = clumps(rng, share, CANARY, size)
    assert at_most(ever(1, ALPHA, equal, baseline, index), RELEASES) <= ALPHA
    on_margin = clumps(rng, MARGIN.limit(share), CANARY, size)
    assert at_most(ever(-1, BETA, on_margin, baseline, index), RELEASES) <= BETA


def test_taken_at_face_value_the_promises_would_be_broken():
    # Without this, the test above could pass for a discount that is not needed.
    rng = np.random.default_rng(10)
    baseline = clumps(rng, 0.001, BASELINE, 10)
    equal, on_margin = (clumps(rng, share, CANARY, 10) for share in (0.001, MARGIN.limit(0.001)))
    assert at_least(ever(1, ALPHA, equal, baseline, 1.0), RELEASES) > ALPHA
    assert at_least(ever(-1, BETA, on_margin, baseline, 1.0), RELEASES) > 0.4


@pytest.mark.parametrize("size", [1, 3, 10])
def test_the_size_of_clumps_is_found(size):
    rng, total = np.random.default_rng(3), np.full(MINUTES, BASELINE)
    found = [dispersion(row, total).index / SAFETY for row in clumps(rng, 0.01, BASELINE, size)]
    assert np.median(found) == pytest.approx(max(size, 1.0), rel=0.1)


def test_a_daily_swing_is_no_clump():
    rng = np.random.default_rng(4)
    rate = 0.01 * (1.5 + np.sin(np.arange(MINUTES) / 10))
    found = [
        dispersion(rng.poisson(rate * BASELINE).astype(float), np.full(MINUTES, BASELINE)).index
        for _ in range(50)
    ]
    assert np.median(found) < 1.4 * SAFETY


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (np.zeros(MINUTES), "discounted by 5 for clumps: 0 bad events before the rollout"),
        (np.eye(1, MINUTES, 30)[0] * 50, "discounted by 64 for clumps: 50 bad events before"),
        (np.full(MINUTES, np.nan), "discounted by 5 for clumps: 0 bad events before"),
    ],
    ids=["none", "one clump of fifty", "not seen"],
)
def test_where_too_little_is_known_clumps_are_assumed_and_it_is_said(bad, told):
    assert dispersion(bad, np.full(MINUTES, BASELINE)).told.startswith(told)


def test_without_history_the_same_numbers_show_less_and_the_report_says_why():
    pair = errors(np.random.default_rng(5), traffic(60, requests=6_000), baseline=0.002,
                  canary=0.002)  # fmt: skip
    (known,) = judge(a_service(), an_hour_of(pair)).comparisons
    (unknown,) = judge(a_service(), an_hour_of(replace(pair, history=None))).comparisons
    assert known.log_e_not_worse > unknown.log_e_not_worse > 0
    assert "for clumps as seen before the rollout" in known.method
    assert unknown.method.endswith(f"discounted by {ASSUMED:g} for clumps: no history")


def test_a_broken_history_is_no_history():
    pair = errors(np.random.default_rng(6), traffic(60, requests=6_000), baseline=0.002,
                  canary=0.002)  # fmt: skip
    broken = Counts(array([-1.0] * 60), array([100.0] * 60))
    (one,) = judge(a_service(), an_hour_of(replace(pair, history=broken))).comparisons
    assert one.method.endswith("no history")
    assert one.finding is not Finding.UNFIT
