"""Many who ask, sources that are silent, and more questions than there is room for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.surfaces.http.flights import LATE, Flights
from gate.surfaces.http.lanes import FullError, Lanes
from tests.http.parts import EXAMPLE, ask, running

MANY = 40


class Silent:
    """A source that answers nobody until it is let go; `asked` is set once somebody waits."""

    def __init__(self) -> None:
        self.asked, self.free = threading.Event(), threading.Event()

    def pair(self, metric, asked):
        self.asked.set()
        self.free.wait(10)
        raise SourceError(Cause.UNREACHABLE, "let go")

    indicators = change = pair


@pytest.fixture
def silent(server):
    source = Silent()
    server.its.catalogue["checkout"].gate.sources = {"recording": source}
    yield source
    source.free.set()
    server.its.lanes.close(10)


def test_who_cannot_wait_holds_and_the_next_ask_gets_the_answer(server, silent):
    asked = {"service": "checkout", "canaryHash": "c", "stableHash": "b"}
    status, told = server.post("/v1/argo/verdict", asked, X_Gate_Timeout="100ms")
    assert (status, told["verdict"], told["id"]) == (200, "hold", None)
    assert "still judging" in told["reason"]
    silent.free.set()
    status, told = server.post("/v1/argo/verdict", asked)
    assert (status, told["verdict"]) == (200, "hold")
    assert server.ledger.entry(told["id"]).record.outcome == "hold"


def test_a_verdict_still_being_made_is_no_sample_and_no_complete_canary(server, silent):
    labels = 'service="checkout",canary="c",baseline="b"'
    waits = {"X-Gate-Timeout": "50ms"}
    told = server.client.get(
        "/api/v1/query", query_string={"query": f"gate_verdict{{{labels}}}"}, headers=waits
    )
    assert (told.status_code, told.get_json()["data"]["result"]) == (200, [])
    scopes = {"controlScope": {"scope": "b"}, "experimentScope": {"scope": "c"}}
    start = {"scopes": {"default": scopes}, "thresholds": {"pass": 90, "marginal": 75}}
    run = server.post("/canary/checkout", start, X_Gate_Timeout="50ms")[1]["canaryExecutionId"]
    assert server.get(f"/canary/{run}", X_Gate_Timeout="50ms")[1]["complete"] is False


def test_many_pollers_of_one_rollout_share_one_decision(server, silent):
    app = server.client.application
    with ThreadPoolExecutor(MANY) as pool:
        asks = [
            pool.submit(lambda: app.test_client().post("/v1/decisions", json=ask()).get_json())
            for _ in range(MANY)
        ]
        silent.asked.wait(10)
        silent.free.set()
        ids = {one.result()["id"] for one in asks}
    assert len(ids) == 1
    assert len(list(server.ledger.entries())) == 1


def test_a_silent_source_keeps_no_other_service_waiting(tmp_path):
    text = EXAMPLE.read_text()
    (tmp_path / "recording.json").write_bytes(EXAMPLE.with_name("recording.json").read_bytes())
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for file, name in zip(files, ("checkout", "cart"), strict=True):
        file.write_text(text.replace("name: checkout", f"name: {name}"))
    server = running(tmp_path, *files, lanes=Lanes(workers=4, in_lane=2, waiting=50))
    source = Silent()
    server.its.catalogue["checkout"].gate.sources = {"recording": source}
    for index in range(20):
        held = server.post("/v1/decisions", ask(step=str(index)), X_Gate_Timeout="1ms")
        assert held[1]["reason"].startswith("still judging")
    status, told = server.post("/v1/decisions", ask() | {"service": "cart"})
    assert (status, "still judging" in told["reason"]) == (200, False)
    source.free.set()
    assert server.its.lanes.close(10)


def test_more_than_there_is_room_for_is_503_and_no_verdict(tmp_path):
    server = running(tmp_path, lanes=Lanes(workers=1, in_lane=1, waiting=2))
    source = Silent()
    server.its.catalogue["checkout"].gate.sources = {"recording": source}
    server.post("/v1/decisions", ask(step="first"), X_Gate_Timeout="1ms")
    source.asked.wait(10)
    answers = [
        server.client.post(
            "/v1/decisions", json=ask(step=str(k)), headers={"X-Gate-Timeout": "1ms"}
        )
        for k in range(4)
    ]
    assert [one.status_code for one in answers] == [200, 200, 503, 503]
    assert answers[-1].headers["Retry-After"]
    assert "verdict" not in answers[-1].get_json()
    source.free.set()
    assert server.its.lanes.close(10)
    assert len(list(server.ledger.entries())) == 3


def test_a_poller_who_asks_seldom_is_told_what_came_too_late_for_it_once():
    lanes, now, values = Lanes(), [0.0], iter(range(100))
    flights: Flights[str, int] = Flights(lanes, lambda: now[0])
    free = threading.Semaphore(0)

    def evaluate():
        free.acquire(timeout=10)
        return next(values)

    def poll():
        return flights.get("k", "lane", evaluate, lambda _: 1.0, 0.0)

    def landed(count):
        while len(flights._landed) < count or flights._flying:
            threading.Event().wait(0.01)

    assert poll() is None
    free.release()
    landed(1)
    now[0] += 30.0
    assert poll() == 0  # and the next evaluation has begun
    assert poll() is None  # it is told once
    free.release()
    landed(1)
    now[0] += 1.0 + LATE
    assert poll() is None  # too old to be told
    free.release()
    assert lanes.close(10)


def test_a_failure_is_told_to_all_who_wait_and_then_forgotten():
    lanes = Lanes()
    flights: Flights[str, int] = Flights(lanes, lambda: 0.0)
    answers = iter([ValueError("once"), 7])

    def evaluate():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(ValueError, match="once"):
        flights.get("k", "lane", evaluate, lambda _: 1.0, 10)
    assert flights.get("k", "lane", evaluate, lambda _: 1.0, 10) == 7
    assert flights.get("k", "lane", evaluate, lambda _: 1.0, 10) == 7


def test_a_closed_pool_takes_nothing_more():
    lanes = Lanes()
    assert lanes.close(0.0)
    with pytest.raises(FullError):
        lanes.put("lane", lambda: None)
