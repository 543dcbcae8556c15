import math
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget import burn
from gate.slo import Indicator, Slo

DAY, HOUR = 86_400.0, 3_600.0
SLO = Slo(name="availability", objective=0.999, window=30 * DAY, burn_window=HOUR)


def test_the_workbooks_figures():
    # SRE Workbook, table 5-4: over a 30 day window a burn rate of 14.4 for an hour is 2 % of the
    # budget; figure 5-5's 99.9 % objective with 1.44 % errors burns at 14.4.
    budget = burn(
        SLO,
        (
            Indicator("availability", 30 * DAY, 0.02 * 0.001),
            Indicator("availability", HOUR, 0.0144),
        ),
    )
    assert budget.burn_rate == pytest.approx(14.4)
    assert budget.consumed == pytest.approx(0.02)
    assert budget.remaining == pytest.approx(0.98)
    # a burn rate of 14.4 spends a whole budget in 30 days / 14.4 = 50 hours
    assert budget.exhausted_in == pytest.approx(0.98 * 50 * HOUR)


def test_counts_are_passed_on_from_the_long_window():
    long = Indicator("availability", 30 * DAY, 0.0004, bad=400, total=1_000_000)
    short = Indicator("availability", HOUR, 0.001, bad=1, total=1000)
    budget = burn(SLO, (short, long))
    assert (budget.bad, budget.total, budget.window) == (400, 1_000_000, 30 * DAY)
    assert budget.burn_window == HOUR


def test_an_overspent_budget_is_negative_and_gone_now():
    budget = burn(SLO, (Indicator("availability", 30 * DAY, 0.002),))
    assert budget.remaining == pytest.approx(-1)
    assert budget.exhausted_in == 0


def test_nothing_burning_never_ends():
    quiet = burn(
        SLO, (Indicator("availability", 30 * DAY, 0.0), Indicator("availability", HOUR, 0.0))
    )
    assert quiet.burn_rate == 0
    assert quiet.exhausted_in is None
    assert quiet.remaining == 1


def test_an_unknown_rate_is_none_and_not_zero():
    budget = burn(SLO, (Indicator("availability", 30 * DAY, 0.0005),))
    assert budget.burn_rate is None
    assert budget.burn_window is None
    assert budget.exhausted_in is None


def test_other_objectives_do_not_count():
    with pytest.raises(ValueError, match="no indicator of availability"):
        burn(SLO, (Indicator("latency", 30 * DAY, 0.5),))


shares = st.floats(0, 1)


@given(
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    shares,
    st.none() | shares,
    st.floats(min_value=1, max_value=1e9),
)
def test_there_is_never_a_nan_or_an_infinity(objective, long, short, window):
    slo = Slo(name="s", objective=objective, window=window, burn_window=window / 2)
    indicators = [Indicator("s", window, long)]
    if short is not None:
        indicators.append(Indicator("s", window / 2, short))
    numbers = [value for value in astuple(burn(slo, tuple(indicators))) if value is not None][1:]
    assert all(math.isfinite(number) for number in numbers)
