"""Overrides over HTTP: two people, their policy's terms, the ledger, and the next decision."""

from __future__ import annotations

import json
import time

import pytest

from gate.surfaces.cli.main import run
from gate.surfaces.http.tokens import Caller, Verb
from tests.http.parts import HOUR, ask, running, token, tokens

ADA = Caller("ada", ("checkout",), frozenset({Verb.OVERRIDE, Verb.ASK}))
PORTAL = Caller("portal", ("*",), frozenset({Verb.OVERRIDE}), vouches=True)
READER = Caller("reader", ("*",), frozenset({Verb.ASK}))
STRANGER = Caller("stranger", ("shop-*",), frozenset({Verb.ADMIN}))
GRANT = {
    "service": "checkout", "version": "v2", "approved_by": "grace", "reason": "monitoring is down",
    "ticket": "INC-1", "for": "2h",
}  # fmt: skip


@pytest.fixture
def server(tmp_path):
    return running(tmp_path, tokens=tokens(ADA, PORTAL, READER, STRANGER))


def of(name):
    return {"Authorization": f"Bearer {token(name)}"}


def granted(server, who="ada", **more):
    return server.post("/v1/overrides", GRANT | more, **of(who))


def listed(server):
    status, told = server.get("/v1/overrides?service=checkout", **of("reader"))
    assert status == 200
    return told["overrides"]


def test_the_token_asks_another_person_approves_and_decisions_quote_it(server):
    (one,) = granted(server)[1]["overrides"]
    assert (one["by"], one["approved_by"], one["via"], one["standing"]) == (
        "ada", "grace", "", "in force",
    )  # fmt: skip
    assert listed(server) == [one]
    server.clock.now += 60
    decision = server.post("/v1/decisions", ask("v2"), **of("ada"))[1]
    lifted = f"override {one['id'][:8]}"
    assert decision["verdict"] == "promote"
    assert lifted in json.dumps(decision["report"])
    server.clock.now += 2 * HOUR
    assert listed(server)[0]["standing"] == "expired"


def test_the_command_line_shows_the_same(server, tmp_path, capfd):
    server.clock.now = time.time()
    (one,) = granted(server)[1]["overrides"]
    flags = ["--ledger", str(tmp_path / "ledger.db"), "--format", "json"]
    assert run(["override", "list", *flags]) == 0
    assert json.loads(capfd.readouterr().out)["overrides"] == [one]


def test_a_token_that_vouches_names_who_asks_and_is_recorded_with_them(server):
    (one,) = granted(server, "portal", by="linus")[1]["overrides"]
    assert (one["by"], one["via"]) == ("linus", "portal")
    assert server.post("/v1/decisions", ask("v2"), **of("ada"))[1]["verdict"] == "promote"
    status, told = granted(server, "portal")
    assert (status, told["error"]["reason"]) == (400, "by is missing")


@pytest.mark.parametrize(
    ("who", "said", "status", "complaint"),
    [
        ("ada", {"approved_by": " ADA"}, 400, "ada cannot approve their own override"),
        ("ada", {"by": "linus"}, 403, "speaks for itself alone"),
        ("portal", {"by": "grace"}, 400, "grace cannot approve their own"),
        ("portal", {"by": "linus", "approved_by": "portal"}, 400, "portal cannot approve"),
        ("ada", {"for": "5h"}, 400, "at most 4h"),
        ("ada", {"for": "0s"}, 400, "expired already"),
        ("ada", {"for": "soon"}, 400, "for:"),
        ("ada", {"rules": ["no such"]}, 400, "has no rule 'no such'"),
        ("ada", {"rules": ["regression"]}, 400, "does not let 'regression' be overridden"),
        ("ada", {"ticket": " "}, 400, "needs a ticket"),
        ("ada", {"reason": ""}, 400, "reason:"),
        ("ada", {"service": "shop-1"}, 403, "not for this service"),
        ("reader", {}, 403, "may not override"),
        ("stranger", {}, 403, "not for this service"),
        ("nobody", {}, 401, "no valid token"),
    ],
)
def test_what_may_not_be_granted_is_refused_and_not_stored(server, who, said, status, complaint):
    got, told = granted(server, who, **said)
    assert got == status
    assert complaint in told["error"]["reason"]
    assert listed(server) == []


def test_it_is_taken_back_once_by_who_may_know_of_it(server):
    (one,) = granted(server)[1]["overrides"]
    path = f"/v1/overrides/{one['id']}/revocation"
    assert server.post(path, {}, **of("reader"))[0] == 403
    assert server.post(path, {}, **of("stranger"))[0] == 404
    assert server.post(f"/v1/overrides/{one['id'][:8]}/revocation", {}, **of("ada"))[0] == 404
    server.clock.now += 60
    status, told = server.post(path, {"by": "linus"}, **of("portal"))
    assert (status, told["overrides"][0]["revoked_by"]) == (200, "linus")
    assert listed(server)[0]["standing"] == "revoked"
    status, told = server.post(path, {}, **of("ada"))
    assert status == 400
    assert "was revoked already, by linus" in told["error"]["reason"]
    server.clock.now += 60
    assert server.post("/v1/decisions", ask("v2"), **of("ada"))[1]["verdict"] == "hold"


def test_the_same_word_at_the_same_moment_is_one_override(server):
    assert granted(server) == granted(server)
    assert len(listed(server)) == 1


def test_a_decision_is_no_override_to_take_back(server):
    decision = server.post("/v1/decisions", ask(), **of("ada"))[1]["id"]
    status, told = server.post(f"/v1/overrides/{decision}/revocation", {}, **of("ada"))
    assert (status, told["error"]["reason"]) == (404, "no override has this id")


def test_without_tokens_somebody_must_be_named(tmp_path):
    server = running(tmp_path)
    assert server.post("/v1/overrides", GRANT)[0] == 400
    (one,) = server.post("/v1/overrides", GRANT | {"by": "ada"})[1]["overrides"]
    assert (one["by"], one["via"]) == ("ada", "anybody")
