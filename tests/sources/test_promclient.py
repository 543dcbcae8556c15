"""The client against a server that misbehaves: what it says, how often it asks, when it stops."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import requests

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.promclient import MOST_POINTS, PromClient, pooled_session
from tests.parts.broken import (
    BROKEN,
    HEALTHY,
    Asked,
    Behaviour,
    Reply,
    answer_of,
    answering,
    failed,
    sent,
    times_of,
)

T0 = 1_700_000_040.0  # a multiple of 60


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with pooled_session(8) as session:
        yield session


def soon(seconds: float = 2.0) -> float:
    return time.monotonic() + seconds


def impatient(url: str, session: requests.Session, **how) -> PromClient:
    """A client for tests: its pauses are real but short."""
    return PromClient(url, session, **{"timeout": 0.5, "jitter": lambda: 0.01, **how})


def refused(answer: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        answer()
    return caught.value


def vector_of(result: list, kind: str = "vector") -> Callable[[Asked], Reply]:
    return lambda _: sent({"status": "success", "data": {"resultType": kind, "result": result}})


def told_by(broken: Behaviour, session: requests.Session, **how) -> SourceError:
    with broken.serve() as url:
        client = impatient(url, session, **how)
        return refused(lambda: client.range("sum(bad)", T0, T0 + 120, 60, soon(1)))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, one in BROKEN.items()
        if one.cause and name not in {"nan", "inf", "negative", "contradictory", "empty", "huge"}
    ],
)
def test_every_misbehaviour_is_named_for_what_it_is_and_never_read(name, session):
    error = told_by(BROKEN[name], session)
    assert error.cause is BROKEN[name].cause
    assert "asked: sum(bad)" in error.message


def test_the_servers_own_words_reach_the_person(session):
    assert "1:5: parse error: unexpected end of input" in told_by(BROKEN["400"], session).message
    assert "many-to-many matching not allowed" in told_by(BROKEN["422"], session).message
    assert "store-3: connection refused" in told_by(BROKEN["warnings"], session).message
    assert "Sign in to continue" in told_by(BROKEN["html"], session).message
    assert "https://login.example/" in told_by(BROKEN["redirect"], session).message
    assert "Connection refused" in told_by(BROKEN["down"], session).message
    assert "prefix" in told_by(BROKEN["404"], session).message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 302, 204, 418])
def test_what_asking_again_cannot_mend_is_asked_once(status, session):
    with answering(lambda _: failed(status, "bad_data", "no")) as server:
        client = impatient(server.url, session)
        refused(lambda: client.instant("up", T0, soon()))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_but_not_for_ever(status, session):
    with answering(lambda _: failed(status, "busy", "come back")) as server:
        client = impatient(server.url, session, attempts=3)
        error = refused(lambda: client.instant("up", T0, soon()))
    assert len(server.asked) == 3
    assert error.cause is Cause.SERVER_ERROR
    assert "come back" in error.message


@pytest.mark.parametrize("name", ["503 then fine", "429 then fine"])
def test_a_passing_failure_costs_a_moment_and_no_evidence(name, session):
    with BROKEN[name].serve() as url:
        vector = impatient(url, session).instant("sum(total)", T0, soon())
    assert len(vector.points) == 1


def test_pauses_double_up_to_four_seconds_with_full_jitter(session):
    pauses: list[float] = []
    with BROKEN["500"].serve() as url:
        client = PromClient(url, session, attempts=7, sleep=pauses.append, jitter=lambda: 0.5)
        refused(lambda: client.instant("up", T0, soon(60)))
    assert pauses == [0.125, 0.25, 0.5, 1.0, 2.0, 2.0]


def test_retry_after_is_waited_for_in_seconds_or_until_a_date(session):
    wishes = [{"Retry-After": "3"}, {"Retry-After": "Wed, 21 Oct 2015 07:28:05 GMT"}]
    pauses: list[float] = []

    def reply(asked: Asked) -> Reply:
        if asked.number < 2:
            return Reply(503, headers=wishes[asked.number])
        return sent(answer_of(asked))

    with answering(reply) as server:
        client = PromClient(server.url, session, sleep=pauses.append)
        client.instant("up", T0, soon(60))
    # The date lies before the server's own Date, so nothing is left to wait for.
    assert pauses == [3.0, 0.0]


def test_a_wish_to_wait_beyond_the_deadline_ends_the_asking_now(session):
    with answering(lambda _: failed(429, "rate", "slow down", Retry_After="3600")) as server:
        began = time.monotonic()
        error = refused(lambda: impatient(server.url, session).instant("up", T0, soon(5)))
    assert time.monotonic() - began < 1
    assert error.cause is Cause.SERVER_ERROR


@pytest.mark.parametrize("name", ["slow", "slow drip", "500", "down", "429"])
def test_the_deadline_holds_whatever_the_server_does(name, session):
    with BROKEN[name].serve() as url:
        client = PromClient(url, session, timeout=30, attempts=100, jitter=lambda: 0.1)
        began = time.monotonic()
        refused(lambda: client.range("sum(bad)", T0, T0 + 60, 60, soon(0.7)))
        assert time.monotonic() - began < 2.0  # rather than 30


def test_headers_that_drip_do_not_outlive_the_deadline_either(session):
    with dripping_headers() as url:
        began = time.monotonic()
        client = PromClient(url, session, timeout=30)
        error = refused(lambda: client.instant("up", T0, soon(0.6)))
        assert time.monotonic() - began < 2.0  # rather than for ever
    assert error.cause is Cause.TIMEOUT


@contextmanager
def dripping_headers() -> Iterator[str]:
    """The URL of a server that sends one header letter each 50 ms and never comes to the body."""
    done = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not done.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def test_no_time_left_means_no_question_asked(session):
    with HEALTHY.serving() as server:
        client = PromClient(server.url, session)
        error = refused(lambda: client.instant("up", T0, time.monotonic() - 1))
    assert error.cause is Cause.TIMEOUT
    assert not server.asked


def test_an_answer_too_large_is_dropped_while_it_comes(session):
    error = told_by(BROKEN["huge"], session, most_bytes=2**20, timeout=5)
    assert error.cause is Cause.TOO_LARGE
    many = [{"metric": {"pod": str(k)}, "value": [T0, "1"]} for k in range(50)]
    with answering(vector_of(many)) as server:
        client = PromClient(server.url, session, most_series=49)
        error = refused(lambda: client.instant("up", T0, soon()))
    assert error.cause is Cause.TOO_LARGE


def test_a_compressed_answer_is_measured_as_it_unfolds(session):
    bomb = gzip.compress(b" " * (8 * 2**20))
    zipped = {"Content-Encoding": "gzip"}
    with answering(lambda _: Reply(body=bomb, headers=zipped)) as server:
        client = PromClient(server.url, session, most_bytes=2**20)
        error = refused(lambda: client.instant("up", T0, soon()))
    assert error.cause is Cause.TOO_LARGE


def test_a_compressed_answer_is_read(session):
    def reply(asked: Asked) -> Reply:
        body = gzip.compress(json.dumps(answer_of(asked)).encode())
        return Reply(body=body, headers={"Content-Encoding": "gzip"})

    with answering(reply) as server:
        assert PromClient(server.url, session).instant("sum(total)", T0, soon()).points


def test_a_question_says_that_half_answers_are_not_wanted(session):
    with HEALTHY.serving() as server:
        client = PromClient(server.url, session, params={"max_source_resolution": "0s"})
        client.instant("sum(total)", T0, soon(10))
    (asked,) = server.asked
    assert asked.path == "/api/v1/query"
    assert asked.form["partial_response"] == "false"
    assert asked.form["dedup"] == "true"
    assert asked.form["max_source_resolution"] == "0s"
    assert asked.form["time"] == "1700000040.000"
    # Nine tenths of the ten seconds of one attempt, so that the server can say why it gave up.
    assert 8900 <= int(asked.form["timeout"].removesuffix("ms")) <= 9000
    assert asked.headers["User-Agent"].startswith("releasegate/")


def test_a_server_that_only_allows_reading_is_asked_with_get(session):
    with HEALTHY.serving() as server:
        PromClient(server.url + "/", session, method="GET").instant("sum(total)", T0, soon())
    assert "Content-Type" not in server.asked[0].headers
    assert server.asked[0].form["query"] == "sum(total)"


def test_a_long_range_is_asked_in_pieces_without_overlap(session):
    points = 2 * MOST_POINTS + 7
    with answering(lambda asked: sent(answer_of(asked))) as server:
        client = PromClient(server.url, session)
        matrix = client.range("sum(total)", T0, T0 + (points - 1) * 15, 15, soon(20))
    grids = [times_of(asked) for asked in server.asked]
    assert [len(grid) for grid in grids] == [MOST_POINTS, MOST_POINTS, 7]
    assert [at for grid in grids for at in grid] == list(matrix.times)
    (line,) = matrix.lines
    assert line.seen.all()
    assert len(line.values) == points


def test_a_series_that_lives_in_one_piece_is_absent_in_the_others(session):
    def reply(asked: Asked) -> Reply:
        late = [[at, "2"] for at in times_of(asked) if at > T0 + MOST_POINTS]
        result = [{"metric": {"pod": "b"}, "values": late}] if late else []
        return sent({"status": "success", "data": {"resultType": "matrix", "result": result}})

    with answering(reply) as server:
        client = PromClient(server.url, session)
        matrix = client.range("x", T0, T0 + MOST_POINTS + 3, 1, soon(10))
    (line,) = matrix.lines
    assert line.seen.sum() == 3
    assert np.isnan(line.values[:-3]).all()
    assert line.values[-3:].tolist() == [2, 2, 2]


def test_an_absent_time_and_a_nan_are_told_apart(session):
    values = [[T0, "NaN"], [T0 + 120, "+Inf"], [T0 + 180, "-1e+06"]]
    with answering(vector_of([{"metric": {}, "values": values}], "matrix")) as server:
        client = PromClient(server.url, session)
        (line,) = client.range("x", T0, T0 + 180, 60, soon()).lines
    assert line.seen.tolist() == [True, False, True, True]
    assert np.isnan(line.values[:2]).all()
    assert line.values[2:].tolist() == [np.inf, -1e6]


def test_a_scalar_is_a_number_and_infos_are_no_warning(session):
    body = {"status": "success", "infos": ["metric might not be a counter"]}
    body["data"] = {"resultType": "scalar", "result": [T0, "0.25"]}
    with answering(lambda _: sent(body)) as server:
        vector = PromClient(server.url, session).instant("scalar(x)", T0, soon())
    assert [(point.labels, point.value) for point in vector.points] == [({}, 0.25)]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ([{"metric": {}}], "vector"),
        ([{"metric": {}, "value": [T0, 1]}], "vector"),
        ([{"metric": {}, "value": [T0, "1_0"]}], "vector"),
        ([{"metric": {}, "value": [T0, "five"]}], "vector"),
        ([{"metric": {}, "value": [True, "1"]}], "vector"),
        ([{"metric": {"pod": 1}, "value": [T0, "1"]}], "vector"),
        ([{"metric": None, "value": [T0, "1"]}], "vector"),
        ([{"value": [T0, "1"]}], "vector"),
        ([{"metric": {}, "value": [T0 - 300, "1"]}], "vector"),
        ([{"metric": {}, "value": [T0, "1"]}] * 2, "vector"),
        ({"metric": {}}, "vector"),
        ([[T0, "1"]], "vector"),
        ([T0, "1"], "string"),
        ([], "matrix"),
        ([], "table"),
        ([], None),
    ],
)
def test_an_answer_of_the_wrong_shape_is_not_guessed_at(result, kind, session):
    with answering(vector_of(result, kind)) as server:
        client = PromClient(server.url, session)
        assert refused(lambda: client.instant("x", T0, soon())).cause is Cause.MALFORMED


@pytest.mark.parametrize(
    "values",
    [
        [[T0, "1"], [T0, "2"]],
        [[T0 + 60, "1"], [T0, "2"]],
        [[T0 + 30, "1"]],
        [[T0 + 240, "1"]],
        [[T0 - 60, "1"]],
        [["now", "1"]],
    ],
)
def test_times_that_were_not_asked_for_are_refused(values, session):
    with answering(vector_of([{"metric": {}, "values": values}], "matrix")) as server:
        client = PromClient(server.url, session)
        error = refused(lambda: client.range("x", T0, T0 + 180, 60, soon()))
    assert error.cause is Cause.MALFORMED


def test_certificates_that_are_not_there_are_said_to_be(session):
    client = PromClient("https://127.0.0.1:1", session, verify="/nowhere/ca.pem")
    error = refused(lambda: client.instant("up", T0, soon()))
    assert error.cause is Cause.UNREACHABLE
    assert "/nowhere/ca.pem" in error.message


def test_many_threads_share_one_client(session):
    with HEALTHY.serving() as server, ThreadPoolExecutor(16) as pool:
        client = PromClient(server.url, session)
        asked = [f"sum(total{{shard='{k}'}})" for k in range(100)]
        answers = list(pool.map(lambda query: client.instant(query, T0, soon(10)), asked))
    assert all(len(vector.points) == 1 for vector in answers)
    assert sorted(one.form["query"] for one in server.asked) == sorted(asked)
