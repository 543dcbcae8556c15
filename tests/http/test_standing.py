"""A promote is told again only while nothing has come that speaks against it."""

from __future__ import annotations

import pytest

from gate.settings import Settings
from gate.surfaces.http.catalogue import catalogue
from tests.http.parts import EXAMPLE, GOOD, HOUR, STARTED, ask

STANDARD = EXAMPLE.parents[2] / "policies" / "standard.yaml"

GRANT = {
    "service": "checkout", "version": "v2", "by": "ada", "approved_by": "grace",
    "reason": "monitoring is down", "ticket": "INC-1", "for": "2h",
}  # fmt: skip


@pytest.fixture
def lifted(server):
    """A server that lets v2 go on by an override, and how to take that back."""
    (one,) = server.post("/v1/overrides", GRANT)[1]["overrides"]
    server.clock.now += 60
    return server, f"/v1/overrides/{one['id']}/revocation"


def verdict(server, **more):
    status, told = server.post("/v1/decisions", ask("v2"), **more)
    assert status == 200
    return told["verdict"]


def test_a_promote_by_an_override_ends_with_it_also_for_who_repeats_the_request(lifted):
    server, revocation = lifted
    key = {"Idempotency_Key": "k"}
    assert [verdict(server), verdict(server, **key), verdict(server, **key)] == ["promote"] * 3
    assert server.post(revocation, {"by": "ada"})[0] == 200
    server.clock.now += 1
    assert [verdict(server, **key), verdict(server)] == ["hold", "hold"]


def test_a_hold_ends_with_the_override_that_lifts_it_once_it_is_not_fresh(server):
    assert verdict(server) == "hold"
    server.post("/v1/overrides", GRANT)
    server.clock.now += 10
    assert verdict(server) == "promote"


def promoted(server, **more):
    """The recorded good release after an hour, and the first answer about it."""
    server.clock.now = STARTED[GOOD]
    server.post("/v1/decisions", ask(GOOD))
    server.clock.now += HOUR
    told = server.post("/v1/decisions", ask(GOOD), **more)[1]
    assert told["verdict"] == "promote"
    return told


def test_a_repeated_key_is_not_told_a_promote_that_a_later_look_contradicts(server):
    key = {"Idempotency_Key": "k"}
    first = promoted(server, **key)
    server.clock.now += 5
    assert server.post("/v1/decisions", ask(GOOD), **key)[1]["id"] == first["id"]
    server.its.catalogue["checkout"].gate.sources = {}
    server.clock.now += 10
    later = server.post("/v1/decisions", ask(GOOD))[1]
    assert later["verdict"] == "hold"
    assert server.post("/v1/decisions", ask(GOOD), **key)[1]["id"] == later["id"]


def test_word_of_how_the_release_ended_ends_its_promote(server):
    first = promoted(server)
    failed = {"service": "checkout", "version": GOOD, "result": "rolled_back"}
    assert server.post("/v1/outcomes", failed)[0] == 200
    server.clock.now += 1
    again = server.post("/v1/decisions", ask(GOOD))[1]
    assert again["id"] != first["id"]
    assert again["verdict"] == "hold"


def with_policy(server, folder, more):
    """The same server after a reload of its policy with `more` at the end."""
    (folder / "standard.yaml").write_text(STANDARD.read_text() + more)
    server.its.catalogue = catalogue((EXAMPLE,), folder, Settings(ledger=server.ledger.path), {})


def test_a_promote_ends_when_a_freeze_begins(server, tmp_path):
    with_policy(
        server,
        tmp_path,
        "freezes:\n  - {name: noon, from: 2026-11-02T11:00:05, until: 2026-11-03}\n",
    )
    promoted(server, Idempotency_Key="k")
    server.clock.now += 4
    assert server.post("/v1/decisions", ask(GOOD))[1]["verdict"] == "promote"
    server.clock.now += 1
    for key in ({}, {"Idempotency_Key": "k"}):
        told = server.post("/v1/decisions", ask(GOOD), **key)[1]
        assert told["verdict"] == "hold", told["reason"]


def test_a_promote_ends_with_the_policy_it_was_decided_by(server, tmp_path):
    promoted(server, Idempotency_Key="k")
    with_policy(
        server, tmp_path, "freezes:\n  - {name: noon, from: 2026-11-01, until: 2026-11-03}\n"
    )
    for key in ({}, {"Idempotency_Key": "k"}):
        told = server.post("/v1/decisions", ask(GOOD), **key)[1]
        assert told["verdict"] == "hold", told["reason"]


def test_a_namespace_that_is_told_twice_is_asked_about_in_neither(server):
    status, told = server.post(
        "/v1/decisions", ask(namespace="shop", variables={"namespace": "staging"})
    )
    assert (status, "as a variable 'staging'" in told["error"]["reason"]) == (400, True)
    assert not server.ledger.path.exists()


def test_budgets_are_those_of_the_files_in_force(server, tmp_path):
    def objectives():
        return [one["slo"] for one in server.get("/v1/budgets?service=checkout")[1]["budgets"]]

    assert objectives() == ["availability"]
    for name in ("recording.json", "gate.yaml"):
        text = EXAMPLE.with_name(name).read_text()
        (tmp_path / name).write_text(text.replace("availability", "answers"))
    file = tmp_path / "gate.yaml"
    server.its.catalogue = catalogue((file,), None, Settings(ledger=server.ledger.path), {})
    assert objectives() == ["answers"]


def test_word_from_the_future_is_refused(server):
    """It would end every rollout of the version that is yet to begin."""
    told = {"service": "checkout", "version": GOOD, "result": "completed"}
    status, said = server.post("/v1/outcomes", told | {"at": "2999-01-01T00:00:00Z"})
    assert (status, said["error"]["reason"]) == (400, "at lies in the future")
    assert not server.ledger.path.exists()


def test_a_version_that_ran_through_in_staging_is_not_known_good_in_production(server, tmp_path):
    frozen = "freezes:\n  - {name: noon, from: 2026-11-02, until: 2026-11-03}\n"
    with_policy(server, tmp_path, frozen)
    server.clock.now = STARTED[GOOD]
    places = ("production", "staging")
    for place in places:
        server.post("/v1/decisions", ask(GOOD, namespace=place))
    server.clock.now += HOUR
    ended = {"service": "checkout", "version": GOOD, "result": "completed", "namespace": "staging"}
    assert server.post("/v1/outcomes", ended | {"at": "2026-11-01T00:00:00Z"})[0] == 200
    told = {
        place: server.post("/v1/decisions", ask(GOOD, namespace=place))[1]["verdict"]
        for place in places
    }
    assert told == {"production": "hold", "staging": "promote"}
