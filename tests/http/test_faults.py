"""What breaks at the worst moment: Prometheus, the clock, the order of the webhooks, the gate."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from gate.ledger.ledger import Kind
from gate.ledger.sqlite import SqliteLedger
from tests.http.parts import BAD, BASELINE, GOOD, HOUR, STARTED, Clock, ask, past, running
from tests.http.test_serve import started
from tests.http.test_strict import strict
from tests.parts import versions
from tests.parts.broken import HEALTHY, Asked, Reply, answering
from tests.parts.prometheus import prometheus
from tests.parts.proxy import way
from tests.parts.services import service_file

PATIENT = {"X-Gate-Timeout": "25s"}
DAY = 24 * HOUR


@dataclass
class Clocks:
    """The time of day, which somebody may set, and seconds that only go on."""

    day: Clock
    ticks: Clock

    def goes_on(self, seconds: float) -> None:
        self.day.now += seconds
        self.ticks.now += seconds


@pytest.fixture
def clocks(tmp_path):
    ticks = Clock(1_000.0)
    server = running(tmp_path, ticks=ticks)
    return server, Clocks(server.clock, ticks)


def measured(server, release: str = GOOD) -> dict:
    """Argo's answer about a recorded release."""
    body = {"service": "checkout", "canaryHash": release, "stableHash": BASELINE}
    return strict_but_promote(server.client.post("/v1/argo/verdict", json=body, headers=PATIENT))


def strict_but_promote(response) -> dict:
    assert response.content_type == "application/json"
    return response.get_json()


def promoted(server, clocks) -> dict:
    clocks.day.now = STARTED[GOOD]
    assert measured(server)["verdict"] == "hold"
    clocks.goes_on(HOUR)
    told = measured(server)
    assert told["verdict"] == "promote"
    return told


@pytest.mark.parametrize("back", [60.0, HOUR, DAY])
def test_a_clock_set_back_lets_no_promote_live_longer(clocks, back):
    server, clocks = clocks
    first = promoted(server, clocks)
    clocks.day.now -= back + 1.0
    clocks.goes_on(1.0)
    assert measured(server)["id"] == first["id"]  # a second old
    clocks.goes_on(10.0)
    later = measured(server)
    assert later["id"] != first["id"]
    assert later["verdict"] == ("promote" if back == 60.0 else "hold")


def test_a_clock_set_back_lets_no_key_answer_longer(clocks):
    server, clocks = clocks
    body, key = ask(BAD), {"Idempotency_Key": "k"}
    first = server.post("/v1/decisions", body, **key)[1]["id"]
    clocks.day.now -= 1.0
    clocks.ticks.now += 59.0
    assert server.post("/v1/decisions", body, **key)[1]["id"] == first
    clocks.ticks.now += 2.0
    assert server.post("/v1/decisions", body, **key)[1]["id"] != first


def test_a_clock_set_forward_sees_nothing_and_holds(clocks):
    server, clocks = clocks
    promoted(server, clocks)
    clocks.day.now += DAY
    clocks.goes_on(11.0)
    assert measured(server)["verdict"] == "hold"


def test_a_rollout_first_seen_by_a_clock_that_was_ahead_waits_until_then(clocks):
    server, clocks = clocks
    clocks.day.now = STARTED[GOOD] + 2 * HOUR
    assert measured(server)["verdict"] == "hold"
    clocks.day.now = STARTED[GOOD] + HOUR
    clocks.ticks.now += 11.0
    told = measured(server)
    assert (told["verdict"], told["id"] is None) == ("hold", False)


def test_a_moment_in_the_future_is_refused(clocks):
    server, clocks = clocks
    clocks.day.now = STARTED[GOOD]
    status, told = server.post("/v1/decisions", past(GOOD))
    assert (status, "verdict" in told) == (400, False)
    assert "future" in told["error"]["reason"]


def ended(event: str, release: str = GOOD) -> dict:
    return {"event": event, "name": "checkout", "canaryHash": release, "stableHash": BASELINE}


def test_webhooks_that_come_twice_and_in_any_order_end_the_rollout_once_each(clocks):
    """Word of the end that comes first is about a release that nobody asked about."""
    server, clocks = clocks
    clocks.day.now = STARTED[GOOD] - HOUR
    for event in ("aborted", "aborted", "paused", "completed", "completed", "aborted"):
        assert server.post("/v1/argo/outcome", ended(event))[0] == 200
        clocks.goes_on(1.0)
    told = [one.record.outcome for one in server.ledger.entries(kind=Kind.DEPLOYMENT)]
    assert told == ["aborted", "completed", "aborted"]
    clocks.day.now = STARTED[GOOD]
    assert measured(server)["verdict"] == "hold"


def test_late_word_of_an_end_makes_the_version_show_itself_anew(clocks):
    server, clocks = clocks
    promoted(server, clocks)
    clocks.goes_on(11.0)
    for _ in range(2):
        assert server.post("/v1/argo/outcome", ended("aborted"))[1]["stored"]
    clocks.goes_on(1.0)
    assert measured(server)["verdict"] == "hold"


@pytest.fixture(scope="module")
def watching() -> Iterator[tuple[str, float]]:
    now = time.time()
    with prometheus(history=versions.histories(now)) as url:
        yield url, now


def through(folder, url: str, now: float) -> tuple[requests.Response, ...]:
    """Argo's, a Prometheus's and Flagger's answer about a good version, an hour after its start."""
    server = running(folder, service_file(folder, url))
    body = {"service": "shop", "canaryHash": versions.GOOD, "stableHash": versions.BASELINE}
    hook = {"name": "shop", "metadata": {"canary": versions.GOOD, "baseline": versions.BASELINE}}
    label = f'service="shop",canary="{versions.GOOD}",baseline="{versions.BASELINE}"'
    query = {"query": f"gate_verdict{{{label}}}"}
    answers = ()
    for server.clock.now in (now - HOUR, now):
        answers = (
            server.client.post("/v1/argo/verdict", json=body, headers=PATIENT),
            server.client.post("/api/v1/query", data=query, headers=PATIENT),
            server.client.post("/v1/flagger/confirm-promotion", json=hook, headers=PATIENT),
        )
    return answers


@pytest.mark.slow
def test_wherever_prometheus_dies_nothing_is_promoted(watching, tmp_path):
    url, now = watching
    (tmp_path / "whole").mkdir()
    with way(url) as whole:
        argo, sample, flagger = through(tmp_path / "whole", whole.url, now)
    assert argo.get_json()["verdict"] == "promote"
    assert sample.get_json()["data"]["result"][0]["value"][1] == "1"
    for share in (0.0, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99):
        folder = tmp_path / str(share)
        folder.mkdir()
        with way(url, lasts=share * whole.passed) as dying:  # the three answers share one look
            argo, sample, flagger = through(folder, dying.url, now)
        assert strict(argo)["verdict"] == "hold", share
        assert [one["value"][1] for one in strict(sample)["data"]["result"]] == ["0"]
        assert (flagger.status_code, strict(flagger)["verdict"]) == (409, "hold")


@pytest.mark.slow
def test_killed_while_it_judges_it_goes_on_with_the_rollout_after_the_restart(tmp_path):
    asked, free = threading.Event(), threading.Event()

    def slowly(question: Asked) -> Reply:
        asked.set()
        free.wait(20)
        return HEALTHY.reply(question)

    body = {"service": "shop", "canaryHash": "v2", "stableHash": "v1"}
    with answering(slowly) as source:
        file = service_file(tmp_path, source.url, step="1s")
        with started(tmp_path, file) as server:
            assert server.ask(body, "/v1/argo/verdict").json()["verdict"] == "hold"
            time.sleep(2.0)
            hold = server.ask(
                {**body, "step": "2"}, "/v1/argo/verdict", **{"X-Gate-Timeout": "1s"}
            ).json()
            assert (hold["verdict"], hold["id"], asked.is_set()) == ("hold", None, True)
            server.stop(signal.SIGKILL)
        ledger = SqliteLedger(tmp_path / "ledger.db")
        (seen,) = ledger.entries(kind=Kind.ROLLOUT)
        free.set()
        with started(tmp_path, file) as server:
            again = server.ask({**body, "step": "2"}, "/v1/argo/verdict").json()
    assert ledger.verify().faults == ()
    assert [one.record.id for one in ledger.entries(kind=Kind.ROLLOUT)] == [seen.record.id]
    request = ledger.entry(again["id"]).record
    assert request.at > seen.record.at + 2.0
