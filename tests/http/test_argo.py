"""Argo Rollouts: what its web provider sends, and what its notifications tell."""

from __future__ import annotations

import orjson
import pytest

from gate.ledger.ledger import Kind
from tests.http.parts import BAD, BASELINE, GOOD, HOUR, STARTED, running

KEYS = {"verdict", "score", "reason", "id", "url"}


def measurement(release=BAD, **more):
    return {
        "service": "checkout", "namespace": "shop", "stableHash": BASELINE, "canaryHash": release,
        "image": "registry.example.com/shop/checkout:1.9.1", **more,
    }  # fmt: skip


def aborted(**more):
    """As the ConfigMap's template renders it, a null message included."""
    return {
        "event": "aborted", "uid": "0f1d", "name": "checkout", "namespace": "shop",
        "canaryHash": BAD, "stableHash": BASELINE, "message": None, **more,
    }  # fmt: skip


def test_a_rollout_from_its_first_measurement_to_its_end(server):
    status, told = server.post("/v1/argo/verdict", measurement())
    assert (status, told["verdict"], set(told)) == (200, "hold", KEYS)
    server.clock.now += HOUR
    status, told = server.post("/v1/argo/verdict", measurement())
    assert (status, told["verdict"], told["score"]) == (200, "rollback", None)
    assert "errors" in told["reason"]


def test_a_good_release_is_promoted(server):
    server.clock.now = STARTED[GOOD]
    server.post("/v1/argo/verdict", measurement(GOOD))
    server.clock.now += HOUR
    assert server.post("/v1/argo/verdict", measurement(GOOD))[1]["verdict"] == "promote"


def test_a_new_analysis_run_after_a_restart_continues_the_window(tmp_path):
    running(tmp_path).post("/v1/argo/verdict", measurement())
    again = running(tmp_path)
    again.clock.now += HOUR
    assert again.post("/v1/argo/verdict", measurement())[1]["verdict"] == "rollback"


def test_a_misspelt_key_is_an_error_and_no_verdict(server):
    status, told = server.post("/v1/argo/verdict", {"service": "checkout", "canaryhash": BAD})
    assert status == 400
    assert "did you mean 'canaryHash'?" in told["error"]["reason"]
    status, told = server.post("/v1/argo/verdict", measurement("{{args.canary-hash}}"))
    assert status == 400


def test_an_end_is_remembered_once_however_often_it_is_sent(server):
    server.post("/v1/argo/verdict", measurement())
    ids = set()
    for _ in range(3):
        server.clock.now += 5.0
        # Argo's sender sets no Content-Type.
        response = server.client.post("/v1/argo/outcome", data=orjson.dumps(aborted()))
        assert response.status_code == 200
        ids.add(orjson.loads(response.data)["id"])
    assert len(ids) == 1
    (entry,) = server.ledger.entries(kind=Kind.DEPLOYMENT)
    assert (entry.record.service, entry.record.outcome) == ("checkout", "aborted")


def test_the_same_version_tried_again_has_an_end_of_its_own(server):
    for _ in range(2):
        server.post("/v1/argo/verdict", measurement())
        server.clock.now += HOUR
        server.post("/v1/argo/outcome", aborted())
        server.clock.now += HOUR
    assert len(list(server.ledger.entries(kind=Kind.DEPLOYMENT))) == 2


def test_an_end_that_comes_before_the_first_measurement_ends_nothing(server):
    """Webhooks may overtake each other: word of the last try is older than this one."""
    server.post("/v1/argo/outcome", aborted())
    server.clock.now += 1.0
    server.post("/v1/argo/verdict", measurement())
    server.clock.now += HOUR
    assert server.post("/v1/argo/verdict", measurement())[1]["verdict"] == "rollback"


@pytest.mark.parametrize("jump", [-HOUR, HOUR, 90 * 24 * HOUR])
def test_a_clock_that_jumps_promotes_nothing(server, jump):
    server.clock.now = STARTED[GOOD]
    server.post("/v1/argo/verdict", measurement("v1.9.2"))
    server.clock.now += jump
    status, told = server.post("/v1/argo/verdict", measurement("v1.9.2"))
    assert (status, told["verdict"]) == (200, "hold")


def test_a_pause_is_no_end(server):
    status, told = server.post("/v1/argo/outcome", aborted(event="paused"))
    assert (status, told["stored"]) == (200, False)
    assert server.post("/v1/argo/outcome", aborted(event="exploded"))[0] == 400
