import math
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.alerts import ALERTS, Severity, alerts_over
from gate.budget.budget import allowed, burn
from gate.slo import Calendar, Indicator, Slo, TimeWindow

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
SLO = Slo(name="availability", objective=0.999, window=TimeWindow(length=30 * DAY))
MONTH = Slo(
    name="availability",
    objective=0.999,
    window=TimeWindow(length=30 * DAY, calendar=Calendar.MONTH, start="2026-01-01"),
)


def seen(window, bad_share, **more):
    return Indicator("availability", window, bad_share, **more)


def budget(month=0.0, slo=SLO, **windows):
    """With the bad share over the month, and over windows named as `_1h`."""
    lengths = {"_5m": 5 * MINUTE, "_30m": 30 * MINUTE, "_1h": HOUR, "_2h": 2 * HOUR,
               "_6h": 6 * HOUR, "_1d": DAY, "_3d": 3 * DAY}  # fmt: skip
    short = [seen(lengths[name], share) for name, share in windows.items()]
    return burn(slo, (seen(30 * DAY, month), *short))


def test_the_workbooks_figures():
    # SRE Workbook, chapter 5: over a 30 day window a burn rate of 14.4 for an hour is 2 % of the
    # budget; a 99.9 % objective with 1.44 % errors burns at 14.4.
    found = budget(month=0.02 * 0.001, _1h=0.0144)
    assert found.rate(HOUR) == pytest.approx(14.4)
    assert found.consumed == pytest.approx(0.02)
    assert found.remaining == pytest.approx(0.98)
    # a burn rate of 14.4 spends a whole budget in 30 days / 14.4 = 50 hours
    assert found.exhausted_in == pytest.approx(0.98 * 50 * HOUR)


@pytest.mark.parametrize(
    ("rate", "errors", "hours"),
    # SRE Workbook, chapter 5, table "Burn rates and time to complete budget exhaustion", for an
    # objective of 99.9 % over 30 days.
    [(1, 0.001, 30 * 24), (2, 0.002, 15 * 24), (10, 0.01, 3 * 24), (1000, 1.0, 43 / 60)],
)
def test_the_workbooks_times_to_exhaustion(rate, errors, hours):
    found = budget(_1h=errors)
    assert found.rate(HOUR) == pytest.approx(rate)
    assert found.exhausted_in / HOUR == pytest.approx(hours, rel=0.01)  # 43 minutes are 43.2


def test_a_fifth_of_a_percent_over_the_window_is_the_workbooks_error_budget_policy():
    # SRE Workbook, appendix "Example Error Budget Policy": 99.9 % of 1,000,000 requests in four
    # weeks allow 1,000 errors.
    four_weeks = Slo(name="availability", objective=0.999, window=TimeWindow(length=28 * DAY))
    spent = burn(four_weeks, (seen(28 * DAY, 1e-3, bad=1_000, total=1_000_000),))
    assert spent.remaining == 0.0
    assert spent.exhausted_in == 0


def test_an_objective_is_read_as_it_is_written():
    assert 1 - 0.999 != 0.001
    assert allowed(0.999) == 0.001
    assert [allowed(one) for one in (0.9, 0.95, 0.9995, 0.99999)] == [0.1, 0.05, 0.0005, 0.00001]


def test_the_alerts_of_the_workbook_are_among_ours():
    # SRE Workbook, chapter 5, table 5-8, for 99.9 % over 30 days: severity, long window, short
    # window, burn rate, share of the budget.
    table = {
        ("page", 1 * HOUR, 5 * MINUTE, 14.4, 0.02),
        ("page", 6 * HOUR, 30 * MINUTE, 6, 0.05),
        ("ticket", 3 * DAY, 6 * HOUR, 1, 0.10),
    }
    ours = {
        (str(one.severity), one.long, one.short, round(one.threshold(30 * DAY), 9), one.share)
        for one in ALERTS
    }
    assert table <= ours


def test_the_ratio_of_openslos_text():
    # OpenSLO v1, README, "Ratio Metric": 1 error of 100 requests is an indicator of 0.99, as are 99
    # good ones of 100; and its "Foo Total Errors" has a target of 0.98, so half is spent.
    foo = Slo(name="availability", objective=0.98, window=TimeWindow(length=28 * DAY))
    found = burn(foo, (seen(28 * DAY, 1 / 100, bad=1, total=100),))
    assert 1 - found.consumed * found.allowed == 0.99
    assert found.remaining == 0.5


@pytest.mark.parametrize(
    ("days", "thresholds"),
    [
        (30, [14.4, 6, 3, 1.5, 1]),
        (28, [13.44, 5.6, 2.8, 1.4, 14 / 15]),
        (90, [43.2, 18, 9, 4.5, 3]),
        (7, [3.36, 1.4]),  # more than that in a day or three is what a week allows
    ],
)
def test_thresholds_follow_from_the_window(days, thresholds):
    found = [one.threshold(days * DAY) for one in alerts_over(days * DAY)]
    assert found == pytest.approx(thresholds)


def test_the_short_window_is_a_twelfth():
    assert {one.long / one.short for one in ALERTS} == {12.0}


def test_a_page_needs_both_windows():
    fast = {"_5m": 0.02, "_1h": 0.02}
    assert budget(**fast, _30m=0.0, _6h=0.0).firing(Severity.PAGE) is True
    assert budget(**{**fast, "_5m": 0.0}, _30m=0.0, _6h=0.0).firing(Severity.PAGE) is False
    assert budget(**{**fast, "_1h": 0.0}, _30m=0.0, _6h=0.0).firing(Severity.PAGE) is False


def test_exactly_at_the_threshold_nothing_fires():
    at = {"_5m": 1.0, "_30m": 0.0, "_6h": 0.0}
    assert budget(_1h=0.0144, **at).firing(Severity.PAGE) is False
    assert budget(_1h=0.01441, **at).firing(Severity.PAGE) is True
    # 1.0 has no float noise: exactly the rate that lasts is no ticket.
    exact = budget(_3d=0.001, _6h=0.001).alarms[-1]
    assert (exact.burn_long, exact.threshold, exact.firing) == (1.0, 1.0, False)


def test_what_is_not_known_neither_fires_nor_is_quiet():
    assert budget(_1h=0.02).firing(Severity.PAGE) is None
    assert budget().firing(Severity.TICKET) is None
    # but one quiet window of each pair is enough to know
    assert budget(_1h=0.0, _6h=0.0).firing(Severity.PAGE) is False


def test_a_nan_in_a_recording_is_not_below_and_not_above():
    nan = seen(HOUR, None, unknown="one of its slots was empty")
    found = burn(SLO, (seen(30 * DAY, None, unknown="NaN"), nan, seen(300.0, 1.0)))
    assert (found.remaining, found.consumed, found.exhausted_in) == (None, None, None)
    assert found.unknown == "NaN"
    page = found.alarms[0]
    assert (page.firing, page.why) == (None, "one of its slots was empty")


def test_one_failed_request_at_night_is_no_page():
    quiet = (seen(30 * DAY, 0.0001), seen(6 * HOUR, 0.0), seen(300.0, 1.0, bad=1, total=1))
    few = burn(SLO, (*quiet, seen(HOUR, 0.1, bad=1, total=10)))
    assert few.rate(HOUR) == pytest.approx(100)
    assert few.firing(Severity.PAGE) is False
    assert few.alarms[0].why == "1 bad events, at least 5 needed to fire"
    enough = burn(SLO, (*quiet, seen(HOUR, 0.1, bad=5, total=50)))
    assert enough.firing(Severity.PAGE) is True


def test_an_overspent_budget_is_negative_and_gone_now():
    found = budget(month=0.002)
    assert found.remaining == -1
    assert found.exhausted_in == 0


def test_nothing_burning_never_ends():
    quiet = budget(month=0.0, _1h=0.0)
    assert quiet.rate(HOUR) == 0
    assert quiet.exhausted_in is None
    assert quiet.remaining == 1


def test_an_unknown_rate_is_none_and_not_zero():
    found = budget(month=0.0005)
    assert found.rate(HOUR) is None
    assert found.exhausted_in is None


def test_a_new_service_has_rates_but_no_budget_yet():
    two_days = seen(30 * DAY, 0.0, bad=0, total=10, coverage=2 / 30)
    found = burn(SLO, (two_days, seen(HOUR, 0.02, coverage=1.0)))
    assert found.remaining is None
    assert found.unknown == "6.7% of the time was seen, 90% needed"
    assert found.rate(HOUR) == pytest.approx(20)


def test_nine_tenths_are_enough():
    enough = burn(SLO, (seen(30 * DAY, 0.0, coverage=0.9),))
    assert enough.remaining == 1


def test_a_month_begun_has_the_budget_of_its_days():
    # Ten of thirty days passed with twice the allowed errors: as of today overspent.
    begun = seen(10 * DAY, 0.002, elapsed=1 / 3)
    found = burn(MONTH, (begun, seen(HOUR, 0.0)))
    assert (found.remaining, found.elapsed) == (-1, 1 / 3)
    # The hour's rate that is exhausted within the month, and the one that lasts it out.
    spent_half = seen(10 * DAY, 0.0005, elapsed=1 / 3)
    assert burn(MONTH, (spent_half, seen(HOUR, 0.005))).exhausted_in == pytest.approx(5 * DAY)
    assert burn(MONTH, (spent_half, seen(HOUR, 0.001))).exhausted_in is None


def test_a_rolling_window_of_the_same_length_is_not_the_month():
    with pytest.raises(ValueError, match="no indicator of availability"):
        burn(MONTH, (seen(30 * DAY, 0.0),))


def before(*shares):
    """The windows of the pages, ended when the canary started, ten minutes ago."""
    windows = (5 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR)
    return tuple(
        seen(window, share, until=600.0) for window, share in zip(windows, shares, strict=True)
    )


def test_an_incident_older_than_the_canary():
    now = (seen(30 * DAY, 0.0001), seen(600.0, 0.03), seen(HOUR, 0.03))
    old = burn(SLO, (*now, *before(0.03, 0.03, 0.03, 0.005)))
    assert old.started_before is True
    assert (old.before.burn, old.since.burn) == (pytest.approx(30), pytest.approx(30))
    fresh = burn(SLO, (*now, *before(0.0, 0.0, 0.0, 0.0)))
    assert fresh.started_before is False
    assert burn(SLO, now).started_before is None


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
    slo = Slo(name="availability", objective=objective, window=TimeWindow(length=window))
    indicators = [seen(window, long)]
    if short is not None:
        indicators.append(seen(window / 2, short))
    numbers = [one for one in astuple(burn(slo, tuple(indicators))) if isinstance(one, float)]
    assert all(math.isfinite(number) for number in numbers)
