"""Flagger reads the status alone, and to its rollback hook a yes means roll back."""

from __future__ import annotations

import pytest

from gate.ledger.ledger import Kind
from gate.ledger.overrides import grant
from gate.override import Override
from tests.http.parts import (
    BAD,
    BASELINE,
    EVERYTHING,
    EXAMPLE,
    GOOD,
    HOUR,
    STARTED,
    running,
    token,
    tokens,
)

VERDICTS = {"promote": GOOD, "rollback": BAD, "hold": BAD}
HOOKS = {
    # hook: the status for promote, hold, rollback
    "pre-rollout": (200, 200, 409),
    "rollout": (200, 200, 409),
    "confirm-traffic-increase": (200, 409, 409),
    "confirm-promotion": (200, 409, 409),
    "rollback": (409, 409, 200),
}


def hook(release=BAD, **more):
    words = {"canary": release, "baseline": BASELINE, **more.pop("metadata", {})}
    return {
        "name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b",
        "metadata": words, **more,
    }  # fmt: skip


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize(("index", "verdict"), [(0, "promote"), (1, "hold"), (2, "rollback")])
def test_the_status_of_each_hook(server, name, index, verdict):
    release = VERDICTS[verdict]
    server.clock.now = STARTED[release]
    server.post(f"/v1/flagger/{name}", hook(release))
    server.clock.now += 60.0 if verdict == "hold" else HOUR
    status, told = server.post(f"/v1/flagger/{name}", hook(release))
    assert told["verdict"] == verdict
    assert status == HOOKS[name][index]
    assert len(told["reason"]) < 200
    assert "report" not in told


@pytest.mark.parametrize("name", HOOKS)
def test_what_goes_wrong_is_a_no_to_every_hook(tmp_path, name):
    server = running(tmp_path)
    assert server.post(f"/v1/flagger/{name}", b"{")[0] > 202
    assert server.post(f"/v1/flagger/{name}", {**hook(), "name": "nobody"})[0] > 202
    (tmp_path / "ledger.db").write_text("no ledger")
    assert server.post(f"/v1/flagger/{name}", hook())[0] > 202


def test_the_next_release_of_the_same_name_is_another_rollout(server):
    server.post("/v1/flagger/rollout", hook())
    server.clock.now += HOUR
    assert server.post("/v1/flagger/rollout", hook())[1]["verdict"] == "rollback"
    assert server.post("/v1/flagger/rollout", hook(checksum="next"))[1]["verdict"] == "hold"


def test_a_canary_may_start_while_nothing_but_its_own_showing_is_missing(server):
    status, told = server.post("/v1/flagger/confirm-rollout", hook(phase="Succeeded"))
    assert (status, told["reason"]) == (200, "nothing speaks against starting it")
    assert list(server.ledger.entries(kind=Kind.ROLLOUT)) == []


def over(tmp_path, old, new):
    """A server over the recorded example, with one thing written otherwise."""
    (tmp_path / "gate.yaml").write_text(EXAMPLE.read_text().replace(old, new))
    (tmp_path / "recording.json").write_bytes(EXAMPLE.with_name("recording.json").read_bytes())
    return running(tmp_path, tmp_path / "gate.yaml")


def test_that_nothing_of_the_canary_is_seen_does_not_keep_it_from_starting(tmp_path):
    server = over(tmp_path, "policy: standard", "policy: tier-0")  # which wants whole evidence
    server.clock.now = STARTED[GOOD] - HOUR
    status, told = server.post("/v1/flagger/confirm-rollout", hook(GOOD))
    assert (status, told["reason"]) == (200, "nothing speaks against starting it")


def test_a_canary_may_not_start_on_a_spent_budget(tmp_path):
    server = over(tmp_path, "objective: 99.9%", "objective: 99.99%")
    status, told = server.post("/v1/flagger/confirm-rollout", hook())
    assert (status, told["verdict"]) == (409, "hold")
    assert "budget" in told["reason"]


def test_what_an_override_lifts_does_not_keep_it_from_starting(tmp_path):
    server = over(tmp_path, "objective: 99.9%", "objective: 99.99%")
    now = server.clock.now
    granted = Override(
        id="", service="checkout", version=BAD, by="ada", approved_by="grace", reason="a fix",
        ticket="INC-1", created_at=now - 60.0, expires_at=now + 600.0, rules=("budget spent",),
    )  # fmt: skip
    grant(server.ledger, granted)
    status, told = server.post("/v1/flagger/confirm-rollout", hook())
    assert (status, told["reason"]) == (200, "nothing speaks against starting it")


def test_the_token_may_stand_in_the_body_or_the_url(tmp_path):
    server = running(tmp_path, tokens=tokens(EVERYTHING))
    assert server.post("/v1/flagger/rollout", hook())[0] == 401
    within = hook(metadata={"token": token("root")})
    assert server.post("/v1/flagger/rollout", within)[0] == 200
    wrong = hook(metadata={"token": "guessed"})
    assert server.post("/v1/flagger/rollout", wrong)[0] == 401
    basic = server.client.post("/v1/flagger/rollout", json=hook(), auth=("flagger", token("root")))
    assert basic.status_code == 200
    stored = b"".join(entry.record.body for entry in server.ledger.entries(kind=None))
    assert token("root").encode() not in stored


def test_the_end_of_a_release_is_remembered_by_its_checksum(server):
    server.post("/v1/flagger/rollout", hook())
    server.clock.now += HOUR
    for _ in range(2):
        status, told = server.post("/v1/flagger/post-rollout", hook(phase="Failed"))
        assert (status, told["stored"], told["result"]) == (200, True, "rolled_back")
    assert len(list(server.ledger.entries(kind=Kind.DEPLOYMENT))) == 1
    assert server.post("/v1/flagger/post-rollout", hook(phase="Progressing"))[1]["stored"] is False
    server.clock.now += HOUR
    assert server.post("/v1/flagger/rollout", hook())[1]["verdict"] == "hold"


def test_an_event_is_logged_and_changes_nothing(server):
    words = {"eventMessage": "New revision detected!", "eventType": "Normal", "timestamp": "1"}
    assert server.post("/v1/flagger/event", hook(metadata=words))[0] == 200
    assert not server.ledger.path.exists()
