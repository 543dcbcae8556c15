"""The action asking a running gate, run as a runner runs it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import orjson
import pytest

from tests.action.judging import ACTION, BAD, GOOD, RECORDED, YOUNG, installed
from tests.action.judging import part as of_the_action
from tests.http.test_serve import started
from tests.parts.broken import HTML, Reply, answering
from tests.parts.hubwriting import Board
from tests.parts.ports import free_port
from tests.parts.workflow import has, run

pytestmark = pytest.mark.slow

PYTHON = Path(sys.executable)
ASK = {"service": "checkout", "baseline": "v1.8.0"}


def ask(folder, url, *given, **more):
    inputs = {name: text for part in (ASK, *given) for name, text in part.items()}
    return run(ACTION, folder, {"server-url": url, **inputs}, python=PYTHON, **more)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    with started(tmp_path_factory.mktemp("gate"), RECORDED) as server:
        yield server.url


@pytest.mark.parametrize(
    ("release", "given", "outcome", "exit_code", "code"),
    [
        (GOOD, {}, "promote", 0, 0),
        (BAD, {}, "rollback", 20, 20),
        (BAD, {"dry-run": "true"}, "rollback", 20, 0),
        (YOUNG, {}, "hold", 10, 10),
        (YOUNG, {"fail-on": "rollback"}, "hold", 10, 0),
    ],
)
def test_the_verdict_of_the_server_passes_or_fails_the_job(
    gate, tmp_path, release, given, outcome, exit_code, code
):
    done = ask(tmp_path, gate, release, given)
    assert done.code == code, done.log
    assert (done.outputs["outcome"], done.outputs["exit-code"]) == (outcome, str(exit_code))
    id_ = done.outputs["decision-id"]
    assert done.outputs["decision-url"] == f"{gate}/v1/decisions/{id_}"
    assert json.loads(Path(done.outputs["report"]).read_text())["id"] == id_
    assert f"decision `{id_}`" in done.summary
    assert "| over time |" in done.summary


def test_it_waits_for_a_verdict_until_its_time_is_up(gate, tmp_path):
    now = {"canary": "v7", "wait": "2s", "poll-interval": "1s", "fail-on": "rollback"}
    done = ask(tmp_path, gate, now)
    assert done.code == 0, done.log
    assert done.outputs["outcome"] == "hold"
    assert "asking again" in done.log


def test_a_service_that_is_not_served_is_a_mistake_and_fails_a_dry_run(gate, tmp_path):
    given = {"service": "chekout", "dry-run": "true", "on-unreachable": "warn"}
    done = ask(tmp_path, gate, GOOD, given)
    assert done.code == 2
    assert "did you mean 'checkout'" in done.annotations[0][1]


@pytest.mark.parametrize(
    ("given", "code", "level"), [("fail", 30, "error"), ("warn", 0, "warning")]
)
def test_a_server_out_of_reach_fails_or_warns_as_told(tmp_path, given, code, level):
    url = f"http://127.0.0.1:{free_port()}"
    told = {"on-unreachable": given, "timeout": "1s", "wait": "0s"}
    done = ask(tmp_path, url, GOOD, told)
    assert done.code == code, done.log
    assert (done.outputs["outcome"], done.outputs["exit-code"]) == ("error", "30")
    ((found, message),) = done.annotations
    assert found == level
    assert f"on-unreachable: {given}" in message
    assert "Connection refused" in message


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (HTML, "no JSON"),
        (Reply(302, headers={"Location": "https://login.example/"}), "answered 302"),
        (Reply(200, b'{"verdict": "promote"}'), "without a report"),
        (Reply(200, b"[]"), "without a report"),
        (Reply(204), "answered 204"),
        (Reply(503, b'{"error": {"reason": "no room", "hint": "", "status": 503}}'), "no room"),
        (Reply(200, b"{}", pieces=2, pauses=30.0), "no whole answer within"),
        (Reply(200, b'{"report": {"verdict": "promote"}}'), "not as it should be"),
        (Reply(200, orjson.dumps({"report": {
            "verdict": "promote", "exit_code": 10, "id": "x", "enforced": True,
            "reasons": [{"message": "m"}]}})), "'promote' with exit code 10"),
    ],
)  # fmt: skip
def test_whatever_is_no_verdict_passes_no_job(tmp_path, reply, said):
    with answering(lambda _: reply) as server:
        done = ask(tmp_path, server.url, GOOD, {"timeout": "1s", "wait": "0s"})
    assert done.code == 30, done.log
    assert said in done.annotations[0][1]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"verdict": "rollback", "exit_code": 10}, "'rollback' with exit code 10"),
        ({"verdict": "rollback", "exit_code": 0}, "'rollback' with exit code 0"),
        ({"verdict": "promote", "exit_code": False}, "'promote' with exit code False"),
        ({"verdict": "promote", "exit_code": [0]}, "'promote' with exit code [0]"),
        ({"verdict": ["promote"]}, "['promote'] with exit code 0"),
        ({"verdict": "observed", "enforced": False}, "'observed' with exit code 0"),
        ({"verdict": "promote", "enforced": False, "exit_code": 30}, "'promote' with exit code 30"),
        ({"reasons": []}, "not as it should be"),
        ({"request": {"canary": "v0"}}, "the report is about 'v0'"),
        ({"service": {"name": "cart"}}, "the report is about 'cart'"),
    ],
)
def test_what_contradicts_itself_is_not_out_of_reach(tmp_path, said, why):
    with answering(answers(report=a_report(**said))) as server:
        done = ask(tmp_path, server.url, GOOD, {"wait": "0s", "on-unreachable": "warn"})
    assert done.code == 30, done.log
    assert done.outputs["outcome"] == "error"
    assert why in done.annotations[0][1]


def test_a_policy_that_only_observes_passes_and_is_told_apart_from_a_promote(tmp_path):
    report = a_report(verdict="rollback", enforced=False)
    with answering(answers(report=report)) as server:
        done = ask(tmp_path, server.url, GOOD, {"wait": "0s"})
    assert (done.code, done.outputs["outcome"]) == (0, "rollback"), done.log
    assert done.annotations == [
        ("warning", "the policy only observes; it would say ROLLBACK: shown safe"),
    ]  # fmt: skip


def test_nobody_waits_for_what_is_only_observed(tmp_path):
    asked = []

    def gate(one):
        asked.append(one.path)
        held = a_report(verdict="hold", exit_code=0, enforced=False)
        return Reply(200, orjson.dumps({"report": held, "url": "u", "markdown": "# told"}))

    with answering(gate) as server:
        now = {"canary": "v9", "wait": "1s", "poll-interval": "100ms"}
        done = ask(tmp_path, server.url, now)
    assert (done.code, done.outputs["outcome"]) == (0, "hold"), done.log
    assert asked == ["/v1/decisions", "/v1/decisions/0123456789abcdef/markdown"]


def test_a_fault_of_the_action_itself_leaves_its_outputs_and_passes_nothing(tmp_path):
    nested = Reply(200, b'{"report": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    with answering(lambda _: nested) as server:
        done = ask(tmp_path, server.url, GOOD, {"wait": "0s", "on-unreachable": "warn"})
    assert done.code == 30, done.log
    assert (done.outputs["outcome"], done.outputs["exit-code"]) == ("error", "30")
    assert "RecursionError" in done.annotations[0][1]


def test_half_a_character_in_a_report_is_shown_as_a_question(tmp_path):
    body = orjson.dumps({"id": "x", "markdown": "HALF"}).replace(b"HALF", b"\\ud800|")
    verdict = Reply(200, orjson.dumps({"report": a_report(), "url": "u"}))
    told = [verdict, Reply(200, body)]
    with answering(lambda _: told.pop(0)) as server:
        done = ask(tmp_path, server.url, GOOD, {"wait": "0s"})
    assert done.code == 0, done.log
    assert done.summary == "?|"


@pytest.mark.parametrize(("status", "reason"), [(401, "no valid token"), (403, "lacks the verb")])
def test_who_may_not_ask_is_told_at_once(tmp_path, status, reason):
    body = orjson.dumps({"error": {"status": status, "reason": reason, "hint": "a hint"}})
    with answering(lambda _: Reply(status, body)) as server:
        done = ask(tmp_path, server.url, GOOD, {"token": "gate_secret", "on-unreachable": "warn"})
    assert done.code == 2
    assert f"{status}: {reason} (a hint)" in done.annotations[0][1]
    assert len(server.asked) == 1
    assert "gate_secret" not in done.log.replace("::add-mask::gate_secret", "")


def answers(*before, report):
    """A gate that answers these, and then this report, and tells it as markdown."""
    left = list(before)

    def reply(asked):
        if asked.path.endswith("/markdown"):
            return Reply(
                200, orjson.dumps({"id": "x", "markdown": report.pop("markdown", "# told")})
            )
        return left.pop(0) if left else Reply(200, orjson.dumps({"report": report, "url": "u"}))

    return reply


def a_report(**said):
    return {"verdict": "promote", "exit_code": 0, "id": "0123456789abcdef", "enforced": True,
            "reasons": [{"message": "shown safe"}], **said}  # fmt: skip


def test_a_passing_fault_is_asked_again_with_the_same_key_and_later_with_another(tmp_path):
    busy = Reply(503, b"{}", headers={"Retry-After": "0"})
    judging = Reply(200, b'{"report": null, "verdict": "hold", "id": null}')
    with answering(answers(busy, judging, report=a_report())) as server:
        done = ask(tmp_path, server.url, GOOD, {"timeout": "9s", "wait": "0s"})
    assert done.code == 0, done.log
    keys = [one.headers["Idempotency-Key"] for one in server.asked if "/markdown" not in one.path]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("42-1-deploy-")
    assert server.asked[0].headers["X-Gate-Timeout"] == "9s"


def test_without_a_token_the_jobs_own_is_sent_and_masked(tmp_path):
    def github(asked):
        assert asked.headers["Authorization"] == "Bearer runner"
        return Reply(200, orjson.dumps({"value": f"jwt-for-{asked.form['audience']}"}))

    with answering(github) as hub, answering(answers(report=a_report())) as server:
        environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{hub.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
        }
        done = ask(tmp_path, server.url, GOOD, {"oidc-audience": "gates"}, environ=environ)
    assert done.code == 0, done.log
    assert {one.headers["Authorization"] for one in server.asked} == {"Bearer jwt-for-gates"}
    assert "::add-mask::jwt-for-gates" in done.log


@pytest.mark.parametrize(("fail_on", "code"), [("hold", 10), ("rollback", 0)])
def test_a_server_that_held_and_went_away_has_held(tmp_path, fail_on, code):
    hold = a_report(verdict="hold", exit_code=10, reasons=[{"message": "too early"}])
    gone = [Reply(503, b"{}", headers={"Retry-After": "1"})] * 9
    now = {"canary": "v9", "wait": "3s", "timeout": "1s", "poll-interval": "100ms"}
    with answering(answers(Reply(200, orjson.dumps({"report": hold})), *gone, report={})) as server:
        given = {"on-unreachable": "warn", "fail-on": fail_on}
        done = ask(tmp_path, server.url, now, given)
    assert (done.code, done.outputs["outcome"]) == (code, "hold"), done.log
    assert done.outputs["exit-code"] == "10"
    assert re.search("too early; since then .* could not be asked", done.annotations[-1][1])


@pytest.mark.parametrize(
    ("url", "readers"),
    [
        ("http://gate.internal:8080", True),
        ("http://10.0.0.7", True),
        ("https://gate.example.com", False),
        ("http://localhost:8080", False),
        ("http://[::1]:8080", False),
    ],
)
def test_a_token_past_this_machine_wants_https(url, readers):
    assert of_the_action("server_mode")._open_to_readers(url) is readers


IN_A_WORKFLOW = {"GITHUB_SHA": "a" * 40}
WRITES = {"status": "true", "deployment-id": "5", "comment": "always", "pull-request": "7",
          "github-token": "ghs_x"}  # fmt: skip


def test_what_a_server_says_is_written_to_github_too(gate, tmp_path):
    installed(tmp_path)
    board = Board()
    with answering(board) as hub:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": hub.url}
        done = ask(tmp_path, gate, BAD, WRITES, {"check": "true"}, environ=environ)
    assert done.code == 20, done.log
    assert [body.get("state") for _, body in board.written] == [
        "pending", "in_progress", "failure", "failure", None, None,
    ]  # fmt: skip
    (*_, (_, check), (_, comment)) = board.written
    assert check["name"] == "release-gate/checkout"
    assert f"decision `{done.outputs['decision-id']}`" in comment["body"]
    assert [level for level, _ in done.annotations] == ["error"]


def test_a_server_out_of_reach_leaves_nothing_pending(tmp_path):
    installed(tmp_path)
    board = Board()
    with answering(board) as hub:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": hub.url}
        now = {"timeout": "1s", "wait": "0s"}
        done = ask(tmp_path, "http://127.0.0.1:9", GOOD, WRITES, now, environ=environ)
    assert done.code == 30, done.log
    (*following, (_, comment)) = board.written
    assert [body["state"] for _, body in following] == [
        "pending", "in_progress", "error", "error",
    ]  # fmt: skip
    head, _, why = comment["body"].partition("\n\n")
    assert head.endswith("Nothing was decided: checkout")
    assert "could not be asked" in why


def test_a_report_that_cannot_be_written_leaves_nothing_pending(tmp_path):
    installed(tmp_path)
    board = Board()
    with answering(board) as hub, answering(answers(report=a_report())) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": hub.url}
        done = ask(tmp_path, server.url, GOOD, WRITES, environ=environ)
    assert (done.code, done.outputs["outcome"]) == (0, "promote"), done.log
    assert "this is no report of a decision: KeyError('schema')" in done.log
    assert [body["state"] for _, body in board.written] == [
        "pending", "in_progress", "error", "error",
    ]  # fmt: skip


def test_what_cannot_be_installed_writes_nothing_and_changes_no_verdict(gate, tmp_path):
    environ = {**IN_A_WORKFLOW, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = ask(tmp_path, gate, BAD, WRITES, environ=environ)
    assert (done.code, done.outputs["outcome"]) == (20, "rollback"), done.log
    (warning, _) = done.annotations
    assert warning[0] == "warning"
    assert warning[1].startswith("nothing is written to GitHub: the gate could not be installed")


def test_a_cancelled_job_stops_within_moments(gate, tmp_path):
    now = {"canary": "v8", "wait": "20m", "poll-interval": "10m"}
    done = ask(tmp_path, gate, now, interrupt=has("asking again"))
    assert done.code == 130, done.log
    assert done.outputs["outcome"] == "cancelled"
    assert done.seconds < 30


FORGED = "../../x\ngate_0\noutcome=promote\noutcome<<E\npromote\nE\n::error::forged %0A"
# Within a line, where `::` is nothing; to a runner these are one line, to Python three.
FORGED += " ##[set-output name=outcome]promote\x85outcome=promote\u2028::error::again"


def test_nothing_a_server_says_forges_an_output_or_a_command(tmp_path):
    report = a_report(verdict="rollback", exit_code=20, id=FORGED, reasons=[{"message": FORGED}])
    with answering(answers(report={**report, "markdown": FORGED})) as server:
        done = ask(tmp_path, server.url, BAD, {"wait": "0s"})
    assert done.code == 20, done.log
    assert done.outputs["outcome"] == "rollback"
    assert done.outputs["decision-id"] == FORGED
    assert done.annotations == [("error", f"ROLLBACK: {FORGED}")]


def test_no_complaint_or_reason_on_the_way_is_a_command(tmp_path):
    body = {"error": {"status": 503, "reason": FORGED, "hint": FORGED}}
    busy = Reply(503, orjson.dumps(body), headers={"Retry-After": "0"})
    hold = a_report(verdict="hold", exit_code=10, reasons=[{"message": FORGED}])
    holding = Reply(200, orjson.dumps({"report": hold, "url": "u"}))
    now = {"canary": "v9", "wait": "5s", "poll-interval": "100ms"}
    with answering(answers(busy, holding, report=a_report())) as server:
        done = ask(tmp_path, server.url, now)
    assert done.code == 0, done.log
    assert done.log.count("asking again") == 2
    assert done.annotations == []


def test_a_report_that_cannot_be_read_changes_no_verdict(tmp_path):
    def reply(asked):
        if asked.path.endswith("/markdown"):
            return Reply(404, b"{}")
        return Reply(200, orjson.dumps({"report": a_report(reasons=[{"message": "`a` @b"}])}))

    with answering(reply) as server:
        done = ask(tmp_path, server.url, GOOD)
    assert (done.code, done.outputs["outcome"]) == (0, "promote")
    assert done.summary == "### Release gate: promote\n\n`'a' @b`\n"
    assert done.annotations[0][0] == "warning"


def test_a_huge_report_is_cut_at_a_line_and_the_step_goes_on(tmp_path):
    row = f"| {'metric' * 20} | 1 |\n"
    report = a_report(markdown=row * 20_000)
    with answering(answers(report=report)) as server:
        done = ask(tmp_path, server.url, GOOD, {"wait": "0s"})
    assert done.code == 0
    assert len(row) * 20_000 > 2**20
    size = len(done.summary.encode())
    assert 2**20 - len(row) - 200 < size <= 2**20
    *rows, _, last = done.summary.splitlines()
    assert {f"{one}\n" for one in rows} == {row}
    assert "cut here" in last


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dry-run": "yes"}, "dry-run is 'yes'; write one of: true, false"),
        ({"wait": "20"}, "wait is '20'; write a duration"),
        ({"fail-on": "never"}, "fail-on is 'never'; write one of: hold, rollback"),
        ({"poll-interval": "0s"}, "poll-interval must be longer than nothing"),
        ({"server-url": "gate.example"}, "server-url is no http:// or https:// address"),
        ({"server-url": "http://["}, "server-url is no http:// or https:// address"),
        ({"server-url": "http://gate:abc"}, "server-url is no http:// or https:// address"),
        ({"server-url": f"http://{'a' * 64}.x"}, "server-url is no http:// or https:// address"),
        ({"wait": "36d"}, "wait is '36d'; no job runs so long"),
        ({"since": "99999999w"}, "since or as-of is further away than any calendar"),
        ({"service-file": "other.yaml"}, "service-file means nothing beside server-url"),
        ({"server-url": "https://u:p@x"}, "a token goes in token"),
        ({"service": ""}, "service is empty"),
        ({"policy": "tier-0"}, "policy means nothing beside server-url"),
        ({"canary": ""}, "canary is empty"),
        ({"canary": "a\nb"}, "canary holds a line break"),
        ({"since": ""}, "as-of needs since"),
        ({"since": "yesterday"}, "since is 'yesterday'; write 20m, or 2026-11-03T10:00:00Z"),
        ({"as-of": "2026-11-03T10:00:00"}, "as-of is '2026-11-03T10:00:00'"),
        ({"variables": "a b"}, "variables: 'a b' is not name=value"),
        ({"variables": "a=1\nb=2\na=2"}, "variables names 'a' twice"),
        ({"pull-request": "7"}, "pull-request means nothing without comment"),
        ({"deployment-id": "0"}, "deployment-id is '0'; write its number"),
        ({"token": "gate\u20ac"}, "token holds what no token has"),
        ({"github-token": "ghs x"}, "github-token holds what no token has"),
        ({"server-url": "http://gate/a b"}, "server-url is no http:// or https:// address"),
        ({"server-url": "http://gate/\u00e9"}, "server-url is no http:// or https:// address"),
        ({"ca-file": "/nowhere.pem"}, "ca-file /nowhere.pem cannot be used: No such file"),
    ],
)
def test_what_is_written_wrongly_is_refused_by_name(tmp_path, given, said):
    done = ask(tmp_path, "http://127.0.0.1:9", GOOD, given)
    assert done.code == 2, done.log
    assert done.outputs == {
        "outcome": "error", "exit-code": "2", "decision-id": "", "report": "",
        "decision-url": "https://github.com/acme/shop/actions/runs/42",
    }  # fmt: skip
    ((level, message),) = done.annotations
    assert level == "error"
    assert said in message


def test_an_input_of_a_server_is_refused_without_one(tmp_path):
    done = run(ACTION, tmp_path, {"canary": "v2", "service": "checkout"}, python=PYTHON)
    assert (done.code, done.annotations) == (
        2, [("error", "service means nothing without server-url")],
    )  # fmt: skip


def test_nothing_of_the_repository_is_imported(tmp_path):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("json", "inputs", "answer", "ssl"):
        (checkout / f"{name}.py").write_text("raise SystemExit(0)")
    environ = {"PYTHONPATH": str(checkout), "PYTHONSTARTUP": str(checkout / "json.py")}
    with answering(answers(report=a_report(verdict="rollback", exit_code=20))) as server:
        done = ask(tmp_path, server.url, BAD, {"wait": "0s"}, cwd=checkout, environ=environ)
    assert (done.code, done.outputs["outcome"]) == (20, "rollback"), done.log


def test_an_old_python_is_told(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", "python", *(f"python3.{n}" for n in range(11, 15))):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    environ = {"PATH": f"{old}:/usr/bin:/bin"}
    done = run(ACTION, tmp_path, {"canary": "v2"}, environ=environ)
    assert done.code == 2
    assert done.outputs == {"outcome": "error", "exit-code": "2"}
    assert "Python 3.11 or newer was not found" in done.annotations[0][1]
