"""The API's own words: ask, read again, list."""

from __future__ import annotations

import pytest

from gate.ledger.ledger import Kind
from gate.surfaces.http.asking import FRESH, REPEATED
from tests.http.parts import BAD, GOOD, HOUR, STARTED, ask, past


def test_a_past_moment_is_judged_as_the_command_line_does(server):
    server.clock.now = STARTED[BAD] + 10 * HOUR
    for release, verdict, code in ((GOOD, "promote", 0), (BAD, "rollback", 20)):
        status, told = server.post("/v1/decisions", past(release))
        assert (status, told["verdict"]) == (200, verdict)
        assert told["report"]["exit_code"] == code
        assert told["reason"] == told["report"]["reasons"][0]["message"]
        assert told["url"].endswith(f"/v1/decisions/{told['id']}")
        assert server.ledger.entry(told["id"]).record.outcome == verdict


def test_the_window_starts_when_the_rollout_was_first_seen(server):
    status, told = server.post("/v1/decisions", ask())
    assert (status, told["verdict"]) == (200, "hold")
    assert told["report"]["window"]["intervals"] == 0
    server.clock.now += HOUR
    status, told = server.post("/v1/decisions", ask())
    assert (status, told["verdict"]) == (200, "rollback")
    assert told["report"]["window"]["intervals"] == 60


def test_who_asks_again_within_seconds_gets_the_same_decision(server):
    first = server.post("/v1/decisions", ask())[1]["id"]
    assert server.post("/v1/decisions", ask())[1]["id"] == first
    assert server.post("/v1/decisions", ask(step="2"))[1]["id"] != first
    server.clock.now += FRESH + 1
    assert server.post("/v1/decisions", ask())[1]["id"] != first


def test_a_repeated_key_gives_the_same_answer_and_no_other_question(server):
    first = server.post("/v1/decisions", ask(), Idempotency_Key="run-1")[1]["id"]
    server.clock.now += REPEATED - 1
    assert server.post("/v1/decisions", ask(), Idempotency_Key="run-1")[1]["id"] == first
    status, told = server.post("/v1/decisions", ask(GOOD), Idempotency_Key="run-1")
    assert status == 409
    assert "another question" in told["error"]["reason"]
    server.clock.now += 2
    assert server.post("/v1/decisions", ask(), Idempotency_Key="run-1")[1]["id"] != first


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"canary": "c"}, "service: field required"),
        (ask(baselin="x"), "unknown key 'baselin'; did you mean 'baseline'?"),
        (ask(canary='x"} or vector(1) #'), "cannot stand in a query"),
        (ask(namespace="a b"), "cannot stand in a query"),
        (ask(baseline=""), "baseline is missing"),
        (ask(canary=""), "at least 1 character"),
        (ask(canary="c" * 300), "at most 253 characters"),
        (ask(variables={"a": "{{canary}}"}), "cannot stand in a query"),
        (ask(variables={"selector": "x"}), "a word of the gate's own"),
        (ask(as_of="2026-11-03T09:00:00Z"), "as_of without since"),
        (ask(since="2026-11-03T09:00:00"), "since: no moment since 1970 with a time zone"),
        (ask(since="1h"), "since: no moment since 1970 with a time zone: write 2026-"),
        (ask(since="2026-11-03T11:00:00Z"), "since lies after the moment judged"),
        (ask(since="2025-11-03T11:00:00Z"), "more than 30 days before"),
        (ask(since="2026-11-03T09:00:00Z", as_of="2999-01-01T00:00:00Z"), "lies in the future"),
        (ask(intent="sideways"), "intent"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_400_and_nothing_is_stored(server, body, complaint):
    status, told = server.post("/v1/decisions", body)
    assert status == 400
    assert complaint in told["error"]["reason"]
    assert not server.ledger.path.exists()


def test_an_unknown_service_is_404_with_its_neighbour(server):
    status, told = server.post("/v1/decisions", {"service": "chekout", "canary": "c"})
    assert status == 404
    assert "did you mean 'checkout'?" in told["error"]["reason"]


def test_nonsense_in_a_header_or_query_is_400(server):
    assert server.post("/v1/decisions", ask(), X_Gate_Timeout="soon")[0] == 400
    for query in ("limit=0", "limit=x", "outcome=maybe", "since=yesterday", "after=-1"):
        assert server.get(f"/v1/decisions?{query}")[0] == 400, query


def test_a_decision_is_read_again_with_its_evidence(server):
    server.clock.now += HOUR
    told = server.post("/v1/decisions", past(BAD))[1]
    assert server.get(f"/v1/decisions/{told['id']}") == (200, told)
    status, seen = server.get(f"/v1/decisions/{told['id']}/evidence")
    assert status == 200
    assert {pair["metric"] for pair in seen["evidence"]["pairs"]} == {"errors", "latency", "memory"}
    for nobody in ("0" * 16, told["id"][:8]):
        assert server.get(f"/v1/decisions/{nobody}")[0] == 404


def test_what_is_no_decision_is_not_read_as_one(server):
    server.post("/v1/decisions", ask())
    (sighting,) = server.ledger.entries(kind=Kind.ROLLOUT)
    assert server.get(f"/v1/decisions/{sighting.record.id}")[0] == 404


def test_decisions_are_listed_page_by_page(server):
    assert server.get("/v1/decisions") == (200, {"decisions": [], "next": None})
    server.clock.now = STARTED[BAD] + HOUR
    ids = [server.post("/v1/decisions", past(BAD, minutes))[1]["id"] for minutes in (1, 1.5, 2, 60)]
    _, page = server.get("/v1/decisions?limit=3&service=checkout")
    assert [one["id"] for one in page["decisions"]] == ids[:0:-1]
    _, rest = server.get(page["next"].removeprefix("http://localhost"))
    assert ([one["id"] for one in rest["decisions"]], rest["next"]) == (ids[:1], None)
    rolled_back = server.get("/v1/decisions?outcome=rollback")[1]["decisions"]
    assert [one["id"] for one in rolled_back] == ids[3:]
    assert server.get("/v1/decisions?since=2999-01-01T00:00:00Z")[1]["decisions"] == []


def test_what_is_declared_can_be_read(server):
    (service,) = server.get("/v1/services")[1]["services"]
    assert (service["name"], service["metrics"]) == ("checkout", ["errors", "latency", "memory"])
    (policy,) = server.get("/v1/policies")[1]["policies"]
    assert (policy["name"], policy["services"]) == ("standard", ["checkout"])
    assert policy["sha256"] == service["policy"]["sha256"]
    assert policy["deadline_seconds"] == 5400.0
    status, budgets = server.get("/v1/budgets?service=checkout")
    assert (status, budgets["schema"]) == (200, "gate.budget/v1")
    assert budgets["budgets"][0]["remaining"] == pytest.approx(0.6)
    assert server.get("/v1/budgets")[0] == 400


def test_what_became_of_a_release_is_evidence_of_the_next_decision(server):
    ended = {"service": "checkout", "version": "v1.8.9", "result": "rolled_back"}
    status, told = server.post("/v1/outcomes", ended)
    assert (status, told["stored"]) == (200, True)
    server.clock.now += 30.0
    assert server.post("/v1/outcomes", ended)[1]["id"] == told["id"]
    decision = server.post("/v1/decisions", ask())[1]["id"]
    evidence = server.get(f"/v1/decisions/{decision}/evidence")[1]["evidence"]
    (remembered,) = evidence["history"]["deployments"]
    assert (remembered["version"], remembered["by"]) == ("v1.8.9", "anybody")


def test_an_outcome_ends_the_rollout_so_that_the_next_begins_anew(server):
    server.post("/v1/decisions", ask())
    server.clock.now += HOUR
    assert server.post("/v1/decisions", ask())[1]["verdict"] == "rollback"
    ended = {"service": "checkout", "version": BAD, "result": "aborted"}
    server.post("/v1/outcomes", ended)
    server.clock.now += HOUR
    told = server.post("/v1/decisions", ask())[1]
    assert (told["verdict"], told["report"]["window"]["intervals"]) == ("hold", 0)


def test_the_report_for_github_is_that_of_the_command_line(server, capfd, monkeypatch):
    from gate.surfaces.cli.main import run

    server.clock.now = STARTED[BAD] + 10 * HOUR
    id_ = server.post("/v1/decisions", past(BAD))[1]["id"]
    status, told = server.get(f"/v1/decisions/{id_}/markdown")
    assert (status, told["id"]) == (200, id_)
    assert run(["ledger", "show", id_, "--format", "markdown",
                "--ledger", str(server.ledger.path)]) == 0  # fmt: skip
    assert capfd.readouterr().out == told["markdown"]
    assert server.get("/v1/decisions/0000000000000000/markdown")[0] == 404
