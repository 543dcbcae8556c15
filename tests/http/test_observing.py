"""A policy that only observes blocks nobody who asks over HTTP, and says what it would have."""

from __future__ import annotations

import pytest

from tests.http.parts import BAD, BASELINE, EXAMPLE, HOUR, STARTED, ask, past, running

HOOK = {
    "name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b",
    "metadata": {"canary": BAD, "baseline": BASELINE},
}  # fmt: skip


@pytest.fixture
def server(tmp_path):
    recording = EXAMPLE.with_name("recording.json")
    text = EXAMPLE.read_text().replace("path: recording.json", f"path: {recording}")
    file = tmp_path / "gate.yaml"
    file.write_text(text.replace("policy: standard", "policy: observe-only"))
    return running(tmp_path, file)


def later(server, path, body):
    server.post(path, body)
    server.clock.now = STARTED[BAD] + HOUR
    return server.post(path, body)


def test_the_verdict_lets_it_go_on_and_the_reason_says_what_it_is(server):
    server.clock.now = STARTED[BAD] + HOUR
    status, told = server.post("/v1/decisions", past(BAD))
    assert (status, told["verdict"]) == (200, "promote")
    assert told["reason"].startswith("OBSERVED ROLLBACK (not enforced): shown worse than")
    assert (told["report"]["verdict"], told["report"]["enforced"]) == ("rollback", False)


def test_argo_goes_on(server):
    body = {"service": "checkout", "canaryHash": BAD, "stableHash": BASELINE}
    assert later(server, "/v1/argo/verdict", body)[1]["verdict"] == "promote"


@pytest.mark.parametrize(
    ("hook", "status"),
    [("rollout", 200), ("confirm-promotion", 200), ("confirm-rollout", 200), ("rollback", 409)],
)
def test_flagger_goes_on_and_does_not_roll_back(server, hook, status):
    assert later(server, f"/v1/flagger/{hook}", HOOK)[0] == status


def test_nothing_seen_yet_is_not_in_the_way_either(server):
    server.clock.now = STARTED[BAD]
    status, told = server.post("/v1/decisions", ask(BAD))
    assert (status, told["verdict"]) == (200, "promote")
    assert told["reason"].startswith("OBSERVED HOLD (not enforced): ")
