"""Objectives over thirty days of a real Prometheus, beside what was really spent."""

import math
from dataclasses import replace

import pytest

from gate.budget.budget import burn
from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.request import Window
from gate.slo import Budgeting, Calendar, Slo, TimeWindow
from gate.sources.promclient import pooled_session
from tests.parts.month import DAY, END, HOUR, START, month
from tests.parts.prometheus import History, prometheus, victoria_metrics
from tests.sources.asking import asked as asking
from tests.sources.asking import refused, source

FLAT = month("flat", "flat", 3)
PEAK = month("peak", "swinging", 11)
TROUGH = month("trough", "swinging", 23)
NIGHTLY = month("nightly", "nightly", 12)
YOUNG = month("young", "flat", None, days=2)
BURNING = replace(FLAT, name="burning", bad=FLAT.bad.copy())
BURNING.bad[-90:] = 0.03 * BURNING.total[-90:]  # an incident of an hour and a half, still going on
ODD = replace(month("odd", "swinging", 13 + 37 / 60), late=17.0)
RECORDED = (FLAT, PEAK, TROUGH, NIGHTLY, YOUNG)
MONTHS = (FLAT, ODD, PEAK, TROUGH, NIGHTLY, YOUNG, BURNING)


def pyrra():
    """What Pyrra's rules hold of an objective named `checkout`."""

    def one(name, value, **labels):
        points = [(END - 300.0 * k, value) for k in range(8_640, -1, -1)]
        return History(name, {"slo": "checkout", **labels}, points)

    bare = one("http_requests:burnrate5m", 0.02)
    return [
        History(bare.name, {"slo": "bare"}, bare.points),
        one("pyrra_availability", 0.9996),
        one("http_requests:burnrate5m", 0.02),
        one("http_requests:burnrate1h", 0.02),
        one("http_requests:increase30d", 999_600.0, code="200"),
        one("http_requests:increase30d", 400.0, code="500"),
    ]


@pytest.fixture(scope="module")
def server():
    history = [series for one in MONTHS for series in one.history()]
    recorded = [series for one in RECORDED for series in one.recorded()]
    with prometheus(history=[*history, *recorded, *pyrra()]) as url:
        yield url


@pytest.fixture
def session():
    with pooled_session(4) as session:
        yield session


def objective(name, **said):
    queries = {
        "bad": f'sum(increase(http_requests_total{{app="{name}",code=~"5.."}}[{{{{window}}}}]))',
        "total": f'sum(increase(http_requests_total{{app="{name}"}}[{{{{window}}}}]))',
    }
    usual = {"objective": 0.999, "window": TimeWindow(length=30 * DAY), "queries": queries}
    return Slo(name=name, **{**usual, **said})


def recording(name, **said):
    labels = {"sloth_id": f"{name}-availability"}
    return objective(name, queries=None, recorded=labels, **said)


def asked(moment=END, since=0.0):
    one = asking(window=Window(moment - 1200.0, 60.0, 20))
    return replace(one, request=replace(one.request, since=since))


def budget(server, session, slo, question=None):
    return burn(slo, source(server, session).indicators(slo, question or asked()))


@pytest.mark.parametrize("one", [FLAT, PEAK, TROUGH, NIGHTLY], ids=lambda one: one.name)
def test_a_known_outage_gives_the_known_budget(server, session, one):
    found = budget(server, session, objective(one.name))
    assert found.remaining == pytest.approx(1 - one.share / 0.001, abs=1e-9)
    assert found.total == pytest.approx(one.total.sum(), rel=1e-12)
    assert found.bad == pytest.approx(one.bad.sum(), rel=1e-9)
    assert found.coverage == 1.0


def test_victoria_metrics_counts_the_same(session):
    with victoria_metrics(history=[*PEAK.history(), *ODD.history()]) as url:
        found = budget(url, session, objective("peak"))
        assert found.remaining == pytest.approx(1 - PEAK.share / 0.001, abs=1e-9)
        assert found.coverage == 1.0
        # It counts from the last scrape before a step, so that no edge is lost.
        odd = budget(url, session, objective("odd"))
        assert odd.consumed == pytest.approx(ODD.share / 0.001, rel=1e-5)


def test_an_objective_is_asked_in_four_requests(server):
    sent = []
    with pooled_session(4) as session:
        session.hooks["response"].append(lambda response, **_: sent.append(response.url))
        budget(server, session, objective("flat"), asked(since=900.0))
        assert len(sent) == 4
        sent.clear()
        budget(server, session, recording("flat"))
        assert len(sent) == 2


def test_where_no_good_event_was_ever_seen_the_query_is_wrong(server, session):
    queries = objective("flat").queries
    none = {"good": queries["total"].replace("flat", "flatt"), "total": queries["total"]}
    ask = source(server, session)
    error = refused(lambda: ask.indicators(objective("flat", queries=none), asked()))
    assert (error.cause, "no good events" in error.message) == (Cause.EMPTY, True)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"queries": {"value": "x"}}, "a raw value needs a threshold, and op: lt, lte, gt, gte"),
        ({"queries": None}, "slo flat has no queries"),
    ],
)
def test_an_objective_that_says_too_little_is_a_mistake_in_the_file(
    server, session, said, complaint
):
    with pytest.raises(UsageError, match=complaint):
        source(server, session).indicators(objective("flat", **said), asked())


def test_scrapes_on_no_grid_cost_no_more_than_a_scrape_in_a_step(server, session):
    # `increase` extrapolates to the edges of each hour; an outage that begins within one is then
    # stretched or cut by at most the minute between two scrapes, of an hour.
    found = budget(server, session, objective("odd"))
    assert found.consumed == pytest.approx(ODD.share / 0.001, rel=1 / 60)


def test_good_and_total_are_the_same_as_bad_and_total(server, session):
    slo = objective("peak")
    good = slo.queries["bad"].replace('code=~"5.."', 'code!~"5.."')
    slo = replace(slo, queries={"good": good, "total": slo.queries["total"]})
    found = budget(server, session, slo)
    assert found.remaining == pytest.approx(1 - PEAK.share / 0.001, abs=1e-9)


def test_the_mean_that_sloth_records_is_told_and_off_both_ways(server, session):
    for one, low, high in ((PEAK, 0.2, 0.7), (TROUGH, 1.5, 5.5)):
        recorded = budget(server, session, recording(one.name))
        assert "unweighted mean" in recorded.method
        ratio = recorded.consumed / (one.share / 0.001)
        assert low < ratio < high
    flat = budget(server, session, recording("flat"))
    assert flat.remaining == pytest.approx(1 - FLAT.share / 0.001, abs=1e-9)


def test_one_empty_slot_makes_the_recording_unknown_and_not_spent(server, session):
    found = budget(server, session, recording("nightly"))
    assert (found.remaining, found.consumed) == (None, None)
    assert "a single slot without events" in found.unknown
    # The same month, counted, is known.
    assert budget(server, session, objective("nightly")).remaining is not None


def test_a_night_without_traffic_spends_nothing_and_is_seen(server, session):
    found = budget(server, session, objective("nightly"), asked(END))
    assert found.rate(HOUR) == 0.0
    assert found.coverage == 1.0


def test_pyrras_burnrate_is_an_error_ratio(server, session):
    slo = objective("checkout", queries=None, recorded={"slo": "checkout"})
    found = budget(server, session, slo)
    assert found.remaining == pytest.approx(0.6)
    assert (found.bad, found.total) == (pytest.approx(400), 1_000_000)
    assert found.rate(HOUR) == pytest.approx(20)  # and not 0.02
    assert found.method == "recorded by Pyrra"


def test_pyrra_without_its_generic_rules_tells_rates_but_not_what_is_left(server, session):
    slo = objective("bare", queries=None, recorded={"slo": "bare"})
    found = budget(server, session, slo)
    assert found.rate(300.0) == pytest.approx(20)
    assert found.remaining is None
    assert "Pyrra's generic rules record it" in found.unknown


def test_a_recording_of_two_days_is_no_month(server, session):
    found = budget(server, session, recording("young"))
    assert found.remaining is None
    assert found.unknown == "6.7% of the time was seen, 90% needed"


def test_labels_that_match_several_recordings_or_none_are_refused(server, session):
    ask = source(server, session)
    both = objective("x", queries=None, recorded={"sloth_window": "5m"})
    assert refused(lambda: ask.indicators(both, asked())).cause is Cause.MALFORMED
    none = objective("x", queries=None, recorded={"sloth_id": 'no"such'})
    assert refused(lambda: ask.indicators(none, asked())).cause is Cause.EMPTY


def test_a_recording_over_another_window_does_not_tell_what_is_left(server, session):
    found = budget(server, session, recording("flat", window=TimeWindow(length=28 * DAY)))
    assert found.remaining is None
    assert "nothing is recorded over its own window (there are 30d, 5m)" in found.unknown
    assert found.rate(300.0) == pytest.approx(0.1)


def test_a_new_service_has_no_budget_yet_but_rates(server, session):
    found = budget(server, session, objective("young"))
    assert found.remaining is None
    assert found.unknown == "6.7% of the time was seen, 90% needed"
    assert found.rate(HOUR) == pytest.approx(0.1)
    assert found.rate(3 * DAY) is None


def test_a_page_fires_on_the_last_hour_and_names_what_is_known_before_the_canary(server, session):
    old = budget(server, session, objective("burning"), asked(since=900.0))
    assert old.rate(HOUR) == pytest.approx(30)
    assert old.alarms[0].firing is True
    assert old.started_before is True
    # The canary that was there before the incident did not come into it.
    first = budget(server, session, objective("burning"), asked(since=7_200.0))
    assert first.started_before is False
    assert first.before.burn == pytest.approx(0.1)
    assert first.since.burn == pytest.approx((90 * 0.03 + 30 * 0.0001) / 120 / 0.001)


def test_the_month_of_the_calendar_so_far(server, session):
    # The second of November, in Berlin: 25 hours and 10 minutes of the month have passed.
    berlin = TimeWindow(
        length=30 * DAY, calendar=Calendar.MONTH, start="2026-01-01", zone="Europe/Berlin"
    )
    found = budget(server, session, objective("peak", window=berlin))
    assert found.elapsed == pytest.approx(25 / (30 * 24))
    assert found.total == pytest.approx(PEAK.total[-25 * 60 :].sum(), rel=1e-9)
    assert found.remaining == pytest.approx(0.9)


def test_slices_of_time_count_minutes_and_not_requests(server, session):
    slices = objective(
        "peak", budgeting=Budgeting.TIMESLICES, slice_length=300.0, slice_target=0.99,
        objective=0.99,
    )  # fmt: skip
    found = budget(server, session, slices)
    # Two hours of 30 days, whatever the traffic was: 24 bad slices of 8640.
    assert (found.bad, found.total) == (24, 8_640)
    assert found.remaining == pytest.approx(1 - 24 / 86.4)
    ratios = replace(slices, budgeting=Budgeting.RATIO_TIMESLICES)
    assert budget(server, session, ratios).consumed == pytest.approx(
        PEAK.mean_of_ratios / 0.01, rel=1e-6
    )


def test_a_night_without_requests_is_made_of_good_slices(server, session):
    slices = objective(
        "nightly", budgeting=Budgeting.TIMESLICES, slice_length=300.0, slice_target=0.99
    )
    found = budget(server, session, slices)
    assert (found.bad, found.total, found.coverage) == (24, 8_640, 1.0)


def test_a_value_is_good_on_its_side_of_the_threshold(server, session):
    rate = 'sum(rate(http_requests_total{app="swing"}[{{window}}]))'.replace("swing", "peak")
    # 600 a minute at the peak and 60 at the trough; half of the day lies above the middle.
    slow = objective(
        "peak", queries={"value": rate}, op="gte", threshold=5.5, slice_length=300.0,
        objective=0.4, budgeting=Budgeting.TIMESLICES,
    )  # fmt: skip
    found = budget(server, session, slow)
    assert found.bad / found.total == pytest.approx(0.5, abs=0.01)


def test_a_ratio_is_asked_over_each_window(server, session):
    queries = objective("peak").queries
    ratio = f"{queries['bad']} / {queries['total']}"
    found = budget(server, session, objective("peak", queries={"error_ratio": ratio}))
    assert found.remaining == pytest.approx(1 - PEAK.share / 0.001, abs=1e-9)
    assert found.coverage == 1.0
    assert found.bad is None
    ratio = ratio.replace("peak", "young")
    young = budget(server, session, objective("young", queries={"error_ratio": ratio}))
    assert young.remaining is None
    assert not math.isnan(young.coverage)
    assert young.coverage < 0.1


def test_before_there_was_anything_nothing_is_known(server, session):
    early = asked(START - DAY)
    error = refused(lambda: source(server, session).indicators(objective("flat"), early))
    assert error.cause is Cause.EMPTY
