import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.multiplicity import combined, weights
from tests.analysis.chance import at_most

ALPHA = 0.05


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_shares_of_alpha_sum_to_one_and_critical_ones_are_twice_as_large(critical):
    shares = weights(critical)
    assert sum(shares) == pytest.approx(1.0)
    assert {round(share / min(shares)) for share in shares} <= {1, 2}
    assert (len(set(critical)) == 1) == (len(set(shares)) == 1)


def test_the_average_is_over_the_values_not_over_their_logarithms():
    # (1/3) * 2 + (1/3) * 8 + (1/3) * 1, the last unseen
    found = combined([math.log(2), math.log(8), None], [1 / 3] * 3)
    assert math.exp(found) == pytest.approx(11 / 3)


def test_the_largest_evidence_does_not_overflow():
    assert combined([5_000.0, -5_000.0, None], [0.5, 0.25, 0.25]) == pytest.approx(
        5_000.0 + math.log(0.5)
    )


def test_nothing_compared_is_no_evidence():
    assert combined([], []) == 0.0
    assert combined([None, None], [0.5, 0.5]) == pytest.approx(0.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(-50, 50)), min_size=1, max_size=8))
def test_one_comparison_found_worse_takes_the_average_there(rows):
    # A finding needs log_e >= -log(alpha * share); its share of the average then is 1 / alpha.
    shares = weights([critical for critical, _ in rows])
    logs = [log_e for _, log_e in rows]
    found = any(
        log_e >= -math.log(ALPHA * share) for log_e, share in zip(logs, shares, strict=True)
    )
    if found:
        assert combined(logs, shares) >= -math.log(ALPHA) - 1e-9


@pytest.mark.parametrize("alike", [True, False])
def test_the_average_of_fair_bets_keeps_alpha_whether_they_go_together_or_not(alike):
    rng, releases, metrics = np.random.default_rng(1), 4_000, 10
    won = rng.normal(size=(releases, 1 if alike else metrics)) * np.ones(metrics)
    logs = 2.0 * won - 2.0  # lognormal with mean 1: a fair bet of great variance
    shares = weights([i < 3 for i in range(metrics)])
    bold = sum(combined(row, shares) >= -math.log(ALPHA) for row in logs.tolist())
    assert at_most(bold, releases) <= ALPHA
