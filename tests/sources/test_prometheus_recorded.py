"""The source against recorded answers: newer servers, native histograms, contradictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import requests

from gate.evidence.evidence import Cause
from gate.metric import Kind
from gate.request import Window
from gate.series import Buckets
from gate.sources.promclient import pooled_session
from tests.parts import broken
from tests.parts.broken import Reply, answering, sent
from tests.sources.asking import ERRORS, T0, asked, metric, refused, source

STEP = 60.0


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with pooled_session(4) as session:
        yield session


def recorded(*series: dict) -> Callable[[object], Reply]:
    body = {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}
    return lambda _: sent(body)


ONE = Window(T0, STEP, 1)
HISTOGRAM = metric(Kind.HISTOGRAM, buckets="increase(x_bucket{ {{selector}} }[{{step}}])")


def buckets(session: requests.Session, *series: dict) -> Buckets:
    with answering(recorded(*series)) as server:
        pair = source(server.url, session).pair(HISTOGRAM, asked(window=ONE))
    assert isinstance(pair.canary, Buckets)
    return pair.canary


def classic(le: str, count: str, **labels: str) -> dict:
    return {"metric": {"le": le, **labels}, "values": [[T0 + 60, count]]}


def native(*rows: list, count: str = "8") -> dict:
    body = {"count": count, "sum": "9", "buckets": list(rows)}
    return {"metric": {}, "histograms": [[T0 + 60, body]]}


def test_prometheus_3_spells_whole_edges_with_a_fraction(session):
    # During an upgrade old and new spellings are both there: "1" from 2.x, "1.0" from 3.x.
    seen = buckets(
        session,
        *(classic("1", "4", pod="a"), classic("+Inf", "5", pod="a")),
        *(classic("1.0", "6", pod="b"), classic("+Inf", "10", pod="b")),
    )
    assert seen.edges.tolist() == [1.0]
    assert seen.counts.tolist() == [[10.0, 5.0]]
    assert seen.by_pod["b"].counts.tolist() == [[6.0, 4.0]]


def test_buckets_that_are_not_a_histogram_are_refused(session):
    contradictions = {
        "no le": [{"metric": {}, "values": [[T0 + 60, "1"]]}],
        "no +Inf": [classic("1", "4")],
        "falling": [classic("1", "9"), classic("+Inf", "4")],
        "le is a word": [classic("one", "4"), classic("+Inf", "4")],
        "two ways at once": [classic("1", "4"), native([0, "1", "2", "4"])],
    }
    for name, series in contradictions.items():
        error = refused(lambda series=series: buckets(session, *series))
        assert error.cause is Cause.MALFORMED, name


def test_native_buckets_become_edges_and_counts(session):
    # Recorded from Prometheus 2.42, schema 0: powers of two, and the zero bucket closed on both
    # sides; the bucket (2, 4] is empty and so not there.
    seen = buckets(
        session,
        native([3, "-0.001", "0.001", "1"], [0, "1", "2", "3"], [0, "4", "8", "4"]),
    )
    assert seen.edges.tolist() == [-0.001, 0.001, 1, 2, 4, 8]
    assert seen.counts.tolist() == [[0, 1, 0, 3, 0, 4, 0]]


def test_native_histograms_of_two_resolutions_meet_at_the_coarser(session):
    fine = native([0, "1", "1.4142", "3"], [0, "1.4142", "2", "2"], [0, "2", "2.8284", "1"])
    coarse = native([0, "1", "2", "10"], [0, "4", "+Inf", "7"])
    fine["metric"], coarse["metric"] = {"pod": "a"}, {"pod": "b"}
    seen = buckets(session, fine, coarse)
    assert seen.edges.tolist() == [1, 2, 2.8284, 4]
    assert seen.counts.tolist() == [[0, 15, 1, 0, 7]]
    assert seen.by_pod["a"].counts.tolist() == [[0, 5, 1, 0, 0]]
    assert seen.by_pod["b"].counts.tolist() == [[0, 10, 0, 0, 7]]


@pytest.mark.parametrize(
    "row", [[0, "2", "1", "3"], [9, "1", "2", "3"], [0, "1", "2", "-3"], [0, "1", "2"], "x"]
)
def test_a_native_histogram_that_makes_no_sense_is_refused(session, row):
    assert refused(lambda: buckets(session, native(row))).cause is Cause.MALFORMED


def test_a_histogram_is_no_count(session):
    with answering(recorded(native([0, "1", "2", "3"]))) as server:
        here = source(server.url, session)
        error = refused(lambda: here.pair(metric(Kind.EVENTS, **ERRORS), asked(window=ONE)))
    assert error.cause is Cause.MALFORMED


def test_two_series_of_one_pod_have_to_be_aggregated(session):
    twice = [{"metric": {"pod": "a", "of": of}, "values": [[T0 + 60, "1"]]} for of in "xy"]
    with answering(recorded(*twice)) as server:
        here = source(server.url, session)
        gauge = metric(Kind.GAUGE, value="memory{ {{selector}} }")
        assert refused(lambda: here.pair(gauge, asked(window=ONE))).cause is Cause.BAD_QUERY


def test_a_nan_among_the_errors_hides_the_interval(session):
    """A bad count that is there and not a number is unknown; only an absent one is zero."""

    def reply(question: broken.Asked) -> Reply:
        text = "NaN" if "5.." in question.form["query"] else "100"
        values = [[T0 + 60, text], [T0 + 120, "3" if text == "NaN" else "100"]]
        return recorded({"metric": {}, "values": values})(question)

    with answering(reply) as server:
        two = Window(T0, STEP, 2)
        pair = source(server.url, session).pair(metric(Kind.EVENTS, **ERRORS), asked(window=two))
    assert np.isnan(pair.canary.total).tolist() == [True, False]
    assert np.isnan(pair.canary.bad).tolist() == [True, False]
    assert pair.canary.bad[1] == 3
