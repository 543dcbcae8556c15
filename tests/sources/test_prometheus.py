"""The source against real servers that remember a release, and servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from numpy.testing import assert_allclose

from gate.evidence.evidence import Cause
from gate.metric import Kind
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples
from gate.service import Arms
from gate.slo import Slo, TimeWindow
from gate.sources.promclient import pooled_session
from tests.parts import broken
from tests.parts.broken import BROKEN, HEALTHY
from tests.parts.prometheus import History, prometheus, victoria_metrics
from tests.sources.asking import ARMS, ERRORS, INTERVALS, T0, asked, metric, refused, source

WEEK = 7 * 86_400.0
NAN = float("nan")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with pooled_session(8) as session:
        yield session


@pytest.fixture(scope="module")
def past() -> Iterator[str]:
    with prometheus(history=release()) as url:
        yield url


@pytest.fixture(
    scope="module", params=[prometheus, victoria_metrics], ids=["prometheus", "victoria"]
)
def either(request) -> Iterator[str]:
    with request.param(history=release()) as url:
        yield url


def release() -> list[History]:
    """What two versions did in twenty minutes, scraped every 15 s from four minutes before.

    v1: pods a and b, 10 requests a second each, 1 in 100 of them bad. A week earlier, v2 (then
    the good one) did the same without errors. Now v2, pod c: 5 requests a second, none bad for
    ten minutes, then one a second. v3 falls silent after ten minutes; v4 misses two scrapes of
    minutes; v5 answers only bad things.
    """
    quiet = lambda at: 300 < at <= 480  # noqa: E731 - beside its use it reads best
    return [
        requests_of("v1", "a", "200", 9.9),
        requests_of("v1", "a", "500", 0.1),
        requests_of("v1", "b", "200", 9.9),
        requests_of("v1", "b", "500", 0.1),
        requests_of("v2", "c", "200", 5.0, since=-WEEK - 240, until=-WEEK + 1200),
        requests_of("v2", "c", "200", 5.0),
        requests_of("v2", "c", "500", 1.0, since=600),
        requests_of("v3", "d", "200", 5.0, until=600),
        requests_of("v4", "e", "200", 5.0, but=quiet),
        requests_of("v5", "f", "500", 5.0),
        *(bucket_of(version, le, rate) for version in ("v1", "v2") for le, rate in RATES.items()),
        *(steady("up", {"version": "v1", "pod": pod}, 1.0) for pod in "ab"),
        steady("up", {"version": "v2", "pod": "c"}, 1.0),
        steady("up", {"version": "v2", "pod": "g"}, 0.0),
        steady("memory_bytes", {"version": "v1", "pod": "a"}, 100.0),
        steady("memory_bytes", {"version": "v1", "pod": "b"}, 110.0),
        steady("memory_bytes", {"version": "v2", "pod": "c"}, 200.0),
        steady("memory_bytes", {"version": "v3", "pod": "d"}, NAN),
    ]


# Observations a second at or below each edge, in seconds.
RATES = {"0.1": 3.0, "0.5": 4.0, "+Inf": 5.0}


def requests_of(
    version: str,
    pod: str,
    code: str,
    rate: float,
    since: float = -240,
    until: float = 1200,
    but: Callable[[float], bool] = lambda at: False,
) -> History:
    """A counter that grows by `rate` a second from zero; times in seconds after T0."""
    labels = {"version": version, "pod": pod, "code": code}
    times = [at for at in np.arange(since, until + 1, 15) if not but(at)]
    return History("http_requests_total", labels, [(T0 + at, rate * (at - since)) for at in times])


def bucket_of(version: str, le: str, rate: float) -> History:
    times = np.arange(-240, 1201, 15)
    return History(
        "request_seconds_bucket",
        {"version": version, "le": le},
        [(T0 + at, rate * (at + 240)) for at in times],
    )


def steady(name: str, labels: dict[str, str], value: float) -> History:
    return History(name, labels, [(T0 + at, value) for at in np.arange(-240, 1201, 15)])


def test_events_are_counted_per_interval_for_each_arm(either, session):
    pair = source(either, session).pair(metric(Kind.EVENTS, **ERRORS), asked())
    assert isinstance(pair.baseline, Counts)
    # 2 pods x 10 a second x 60 s; 1 in 100 of them bad. Steady counters extrapolate exactly.
    assert_allclose(pair.baseline.total, np.full(INTERVALS, 1200.0))
    assert_allclose(pair.baseline.bad, np.full(INTERVALS, 12.0))
    assert isinstance(pair.canary, Counts)
    # No error series for the first ten minutes is no error, since there was traffic; the first
    # error's own interval differs between the servers, and after it there are 60 a minute.
    assert pair.canary.bad[:9].tolist() == [0.0] * 9
    assert_allclose(pair.canary.bad[11:], np.full(9, 60.0))
    assert_allclose(pair.canary.total[11:], np.full(9, 360.0))
    assert pair.concurrent
    assert pair.doubts == ()


def test_pods_are_told_apart_where_the_query_keeps_them(either, session):
    queries = {name: query.replace("sum(", "sum by (pod) (") for name, query in ERRORS.items()}
    pair = source(either, session).pair(metric(Kind.EVENTS, **queries), asked())
    assert isinstance(pair.baseline, Counts)
    assert list(pair.baseline.by_pod) == ["a", "b"]
    assert_allclose(pair.baseline.by_pod["a"].total, np.full(INTERVALS, 600.0))
    assert_allclose(pair.baseline.by_pod["a"].bad, np.full(INTERVALS, 6.0))
    assert isinstance(pair.canary, Counts)
    assert pair.canary.by_pod["c"].bad[:9].tolist() == [0.0] * 9
    assert_allclose(pair.canary.by_pod["c"].bad[11:], pair.canary.bad[11:])


def test_bad_may_be_told_by_the_good(past, session):
    good = 'sum(increase(http_requests_total{ {{selector}},code="200" }[{{step}}]))'
    pair = source(past, session).pair(
        metric(Kind.EVENTS, good=good, total=ERRORS["total"]), asked()
    )
    assert_allclose(pair.baseline.bad, np.full(INTERVALS, 12.0), rtol=1e-6)
    assert_allclose(pair.canary.bad[11:], np.full(9, 60.0), rtol=1e-6)


def test_without_one_good_event_everything_is_bad(past, session):
    good = 'sum(increase(http_requests_total{ {{selector}},code="200" }[{{step}}]))'
    queries = metric(Kind.EVENTS, good=good, total=ERRORS["total"])
    pair = source(past, session).pair(queries, asked("v5"))
    assert_allclose(pair.canary.bad, pair.canary.total)
    assert (
        refused(lambda: source(past, session).pair(queries, asked("v2", "v5"))).cause is Cause.EMPTY
    )


def test_series_that_were_not_aggregated_are_added_up(past, session):
    apart = {name: query.removeprefix("sum(")[:-1] for name, query in ERRORS.items()}
    pair = source(past, session).pair(metric(Kind.EVENTS, **apart), asked())
    assert_allclose(pair.baseline.total, np.full(INTERVALS, 1200.0))


def test_a_canary_that_fell_silent_is_not_seen_to_the_end(past, session):
    pair = source(past, session).pair(metric(Kind.EVENTS, **ERRORS), asked("v3"))
    # The minute after its last scrape at 600 s still holds one sample: too few for an increase.
    assert np.isfinite(pair.canary.total[:10]).all()
    assert np.isnan(pair.canary.total[10:]).all()
    assert np.isnan(pair.canary.bad[10:]).all()


def test_a_gap_in_the_scrapes_is_an_interval_not_seen_rather_than_quiet(past, session):
    pair = source(past, session).pair(metric(Kind.EVENTS, **ERRORS), asked("v4"))
    missing = np.isnan(pair.canary.total)
    # No scrapes in (300, 480]: the minutes that end at 360, 420 and 480.
    assert np.flatnonzero(missing).tolist() == [5, 6, 7]
    assert np.array_equal(np.isnan(pair.canary.bad), missing)


def test_a_canary_without_traffic_is_a_gap_that_shows_its_query(either, session):
    error = refused(
        lambda: source(either, session).pair(metric(Kind.EVENTS, **ERRORS), asked("v9"))
    )
    assert error.cause is Cause.EMPTY
    assert "canary" in error.message
    assert 'version="v9"' in error.message


def test_a_version_is_not_compared_with_itself(past, session):
    same = source(past, session)
    error = refused(lambda: same.pair(metric(Kind.EVENTS, **ERRORS), asked("v1", "v1")))
    assert error.cause is Cause.BAD_QUERY
    deaf = metric(Kind.GAUGE, value="sum(memory_bytes)")
    assert "{{selector}}" in refused(lambda: same.pair(deaf, asked())).message


def test_the_past_is_the_baseline_where_there_is_no_other(either, session):
    historical = Arms(canary=ARMS.canary, baseline=ARMS.canary, offset=WEEK)
    pair = source(either, session).pair(
        metric(Kind.EVENTS, **ERRORS), asked(baseline="", arms=historical)
    )
    assert not pair.concurrent
    # A week before it served 5 a second without an error.
    assert_allclose(pair.baseline.total[1:], np.full(INTERVALS - 1, 300.0))
    assert pair.baseline.bad.tolist() == [0.0] * INTERVALS
    assert_allclose(pair.canary.bad[11:], np.full(9, 60.0))


def test_the_history_is_the_baseline_before_the_canary(either, session):
    wanted = metric(Kind.EVENTS, **ERRORS)
    pair = source(either, session).pair(wanted, asked(history=180.0))
    # v1 serves 20 a second, 1 in 100 bad; scraped from four minutes before the window on.
    assert_allclose(pair.history.total, np.full(3, 1200.0), rtol=1e-6)
    assert_allclose(pair.history.bad, np.full(3, 12.0), rtol=1e-6)
    assert source(either, session).pair(wanted, asked()).history is None


@pytest.mark.parametrize(
    ("earlier", "cause"),
    [
        (broken.failed(500, "internal", "out of luck"), Cause.SERVER_ERROR),
        (broken.HTML, Cause.MALFORMED),
        (broken.Reply(), Cause.MALFORMED),  # it died between the headers and the body
    ],
    ids=["fails", "a web page", "nothing"],
)
def test_a_history_that_cannot_be_asked_for_is_no_history_that_is_not_there(
    session, earlier, cause
):
    """What is assumed in its place may be milder than what it would have shown."""

    def dies_before(question):
        return earlier if float(question.form["start"]) <= T0 else broken.healthy(question)

    without_health = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health="")
    question = asked(history=180.0, arms=without_health)
    with broken.answering(dies_before) as server:
        prom = source(server.url, session, attempts=1)
        error = refused(lambda: prom.pair(metric(Kind.EVENTS, **ERRORS), question))
    assert error.cause is cause


@pytest.mark.parametrize(
    ("bad", "unknown"),
    [
        ('sum(increase(http_requests_total{ {{selector}},cod=~"5.." }[{{step}}]))',
         "there is no label cod of http_requests_total"),
        ("sum(increase(http_errors_total{ {{selector}} }[{{step}}]))",
         "there is no series http_errors_total"),
        ('sum(increase(http_requests_total{ {{selector}},code="503" }[{{step}}]))', ""),
    ],
)  # fmt: skip
def test_no_error_in_either_arm_is_doubted_where_the_query_names_what_is_not(
    either, session, bad, unknown
):
    pair = source(either, session).pair(
        metric(Kind.EVENTS, bad=bad, total=ERRORS["total"]), asked()
    )
    assert not np.nansum(pair.canary.bad)
    assert not np.nansum(pair.baseline.bad)
    details = [doubt.detail for doubt in pair.doubts]
    assert [unknown in detail for detail in details] == ([True] if unknown else [])


def test_a_classic_histogram_comes_in_buckets(either, session):
    query = "sum by (le) (increase(request_seconds_bucket{ {{selector}} }[{{step}}]))"
    pair = source(either, session).pair(metric(Kind.HISTOGRAM, buckets=query), asked())
    assert isinstance(pair.canary, Buckets)
    assert pair.canary.edges.tolist() == [0.1, 0.5]
    # 3, 4 - 3 and 5 - 4 a second, for 60 s.
    assert_allclose(pair.canary.counts, np.tile([180.0, 60.0, 60.0], (INTERVALS, 1)))


def test_a_gauge_is_read_on_every_pod(either, session):
    query = "memory_bytes{ {{selector}} }"
    pair = source(either, session).pair(metric(Kind.GAUGE, value=query), asked())
    assert isinstance(pair.baseline, Levels)
    assert pair.baseline.pods == ("a", "b")
    assert_allclose(pair.baseline.values, np.tile([100.0, 110.0], (INTERVALS, 1)))
    assert pair.canary.pods == ("c",)


def test_values_are_samples_in_order_of_time(either, session):
    query = "memory_bytes{ {{selector}} }"
    pair = source(either, session).pair(metric(Kind.SAMPLES, values=query), asked())
    assert isinstance(pair.baseline, Samples)
    assert len(pair.baseline.values) == 2 * INTERVALS
    assert pair.baseline.times[0] == T0 + 60
    assert (np.diff(pair.baseline.times) >= 0).all()


@pytest.mark.parametrize(("kind", "name"), [(Kind.GAUGE, "value"), (Kind.SAMPLES, "values")])
def test_nothing_but_nan_is_not_a_number(past, session, kind, name):
    query = "memory_bytes{ {{selector}} }"
    error = refused(lambda: source(past, session).pair(metric(kind, **{name: query}), asked("v3")))
    assert error.cause is Cause.NOT_A_NUMBER


def test_a_dead_canary_target_is_a_doubt(either, session):
    arms = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health="up{ {{selector}} }")
    pair = source(either, session).pair(metric(Kind.EVENTS, **ERRORS), asked(arms=arms))
    (doubt,) = pair.doubts
    assert doubt.cause is Cause.STALE
    assert doubt.about == "metric it"
    assert "1 of 2 canary targets is down (g)" in doubt.detail


def test_no_health_series_is_no_doubt_but_a_failing_query_is(past, session):
    def doubts(health: str):
        arms = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health=health)
        return source(past, session).pair(metric(Kind.EVENTS, **ERRORS), asked(arms=arms)).doubts

    assert doubts("up{ {{selector}}, zone='none' }") == ()
    (doubt,) = doubts("up{ {{selector}} ")
    assert doubt.cause is Cause.BAD_QUERY


def test_health_is_asked_once_per_arm_however_many_metrics(session):
    arms = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health="up{ {{selector}} }")
    with HEALTHY.serving() as server, ThreadPoolExecutor(8) as pool:
        one, question = source(server.url, session), asked(arms=arms)
        list(pool.map(lambda _: one.pair(metric(Kind.EVENTS, **ERRORS), question), range(8)))
        health = [x.form["query"] for x in server.asked if x.path.endswith("/query")]
        assert sorted(health) == ['up{ version="v1" }', 'up{ version="v2" }']
        one.pair(metric(Kind.EVENTS, **ERRORS), asked(arms=arms))  # another decision asks anew
    assert len([x for x in server.asked if x.path.endswith("/query")]) == 4


def test_every_query_of_a_decision_reads_the_same_intervals(session):
    with HEALTHY.serving() as server:
        source(server.url, session).pair(metric(Kind.EVENTS, **ERRORS), asked())
    grids = {(x.form["start"], x.form["end"], x.form["step"]) for x in server.asked}
    # Value k is about the interval that ends there, so the first is one step after the start.
    assert grids == {("1700000100.000", "1700001240.000", "60.000")}


def test_a_long_window_is_read_where_it_was_asked(either, session):
    """VictoriaMetrics moves the ends of ranges from 50 points on, unless it is told not to."""
    window = Window(T0 + 7, 17.0, 60)
    total = "sum(increase(http_requests_total{ {{selector}} }[60s]))"
    pair = source(either, session).pair(metric(Kind.GAUGE, value=total), asked(window=window))
    assert_allclose(pair.baseline.values, np.full((60, 1), 1200.0), rtol=0.02)


SLO_QUERIES = {
    "bad": 'sum(increase(http_requests_total{version="v1",code=~"5.."}[{{window}}]))',
    "total": 'sum(increase(http_requests_total{version="v1"}[{{window}}]))',
}


def an_slo(**queries: str) -> Slo:
    window = TimeWindow(length=1200.0)
    return Slo(name="availability", objective=0.999, window=window, queries=queries)


def test_an_objective_is_counted_over_its_window(either, session):
    (long,) = source(either, session).indicators(an_slo(**SLO_QUERIES), asked())
    assert (long.window, long.coverage) == (1200, 1.0)
    assert long.bad_share == pytest.approx(0.01)
    # 2 pods x 10 a second x 1,200 s.
    assert long.total == pytest.approx(24_000)
    assert long.bad == pytest.approx(240)


def test_an_objective_may_come_as_a_ratio(either, session):
    rates = [query.replace("increase", "rate") for query in SLO_QUERIES.values()]
    slo = an_slo(error_ratio=" / ".join(rates))
    (long,) = source(either, session).indicators(slo, asked())
    assert long.bad_share == pytest.approx(0.01)
    assert long.total is None


def test_an_objective_without_errors_has_spent_nothing(past, session):
    queries = {k: q.replace('version="v1"', 'version="v4"') for k, q in SLO_QUERIES.items()}
    (long,) = source(past, session).indicators(an_slo(**queries), asked())
    assert (long.bad, long.bad_share) == (0.0, 0.0)


def test_a_mistyped_query_for_bad_events_has_not_spent_nothing(past, session):
    queries = {k: q.replace("code=~", "cod=~") for k, q in SLO_QUERIES.items()}
    error = refused(lambda: source(past, session).indicators(an_slo(**queries), asked()))
    assert error.cause is Cause.EMPTY
    assert "there is no label cod of http_requests_total" in error.message


@pytest.mark.parametrize(
    ("queries", "cause"),
    [
        ({"bad": "vector(0)", "total": "vector(0)"}, Cause.EMPTY),
        ({"bad": "vector(1)", "total": "vector(0)"}, Cause.MALFORMED),
        ({"bad": "vector(1)", "total": "nothing_of_this_name"}, Cause.EMPTY),
        ({"bad": "vector(9)", "total": "vector(5)"}, Cause.MALFORMED),
        ({"bad": "vector(0)", "total": "vector(-5)"}, Cause.MALFORMED),
        ({"bad": "vector(-9)", "total": "vector(5)"}, Cause.MALFORMED),
        ({"bad": "vector(0)/0", "total": "vector(5)"}, Cause.NOT_A_NUMBER),
        ({"error_ratio": "vector(0) / 0"}, Cause.NOT_A_NUMBER),
        ({"error_ratio": "vector(1) / 0"}, Cause.NOT_A_NUMBER),
        ({"error_ratio": "vector(1.5)"}, Cause.MALFORMED),
        ({"error_ratio": "scalar(vector(-0.1))"}, Cause.MALFORMED),
        ({"error_ratio": "memory_bytes"}, Cause.MALFORMED),
        ({"error_ratio": "nothing_of_this_name"}, Cause.EMPTY),
        ({"error_ratio": "sum(rate(x[{{window}}))"}, Cause.BAD_QUERY),
    ],
)
def test_an_objective_that_cannot_be_measured_is_said_so(past, session, queries, cause):
    error = refused(lambda: source(past, session).indicators(an_slo(**queries), asked()))
    assert error.cause is cause


@pytest.mark.parametrize("name", [name for name, one in BROKEN.items() if one.cause])
def test_no_misbehaviour_of_a_server_shows_numbers(name, session):
    with BROKEN[name].serve() as url:
        broken = source(url, session, timeout="500ms", attempts=2, most_bytes=2**20)
        error = refused(lambda: broken.pair(metric(Kind.EVENTS, **ERRORS), asked()))
    assert error.cause is BROKEN[name].cause


def test_what_recovers_shows_the_numbers_of_the_healthy(session):
    def seen(behaviour: broken.Behaviour) -> np.ndarray:
        with behaviour.serve() as url:
            return source(url, session).pair(metric(Kind.EVENTS, **ERRORS), asked()).canary.total

    assert_allclose(seen(BROKEN["503 then fine"]), seen(HEALTHY))


def test_a_window_without_an_interval_is_too_young_to_ask(session):
    young = asked(window=Window(T0, 60.0, 0))
    nobody = source("http://127.0.0.1:1", session)
    error = refused(lambda: nobody.pair(metric(Kind.EVENTS, **ERRORS), young))
    assert error.cause is Cause.EMPTY
