"""What a workflow leaves on GitHub, written to a server that takes what GitHub takes."""

from __future__ import annotations

import json

import pytest

from gate.surfaces.cli.main import run
from tests.parts.broken import Reply, answering
from tests.parts.hub import REPO, account, sha
from tests.parts.hubwriting import ROOT, Board, a_comment
from tests.parts.ports import free_port
from tests.parts.rollouts import RECORDED

MARK = "<!-- release-gate/checkout -->"
RELEASES = {"promote": ("v1.9.0", "02"), "rollback": ("v1.9.1", "03"), "hold": ("v1.9.2", "04")}


@pytest.fixture
def decided(tmp_path, monkeypatch, capfd):
    """The id of a stored decision with this outcome, in a workflow about pull request 7."""
    event = tmp_path / "event.json"
    pull = {"number": 7, "head": {"sha": sha("head"), "repo": {"full_name": REPO}}}
    event.write_text(json.dumps({"pull_request": pull}))
    for name, value in {
        "GATE_LEDGER": str(tmp_path / "ledger.db"), "GITHUB_REPOSITORY": REPO,
        "GITHUB_SHA": sha("merge"), "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": "42",
        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "ghs_secret",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    def decide(outcome):
        canary, day = RELEASES[outcome]
        hour = "10:08" if outcome == "hold" else "11:00"
        run(["check", "-f", str(RECORDED), "--canary", canary, "--baseline", "v1.8.0", "--since",
             f"2026-11-{day}T10:00:00Z", "--as-of", f"2026-11-{day}T{hour}:00Z",
             "--format", "json"])  # fmt: skip
        return json.loads(capfd.readouterr().out)["id"]

    decide.event = event
    return decide


def report(board, monkeypatch, capfd, *arguments, command="report"):
    with answering(board) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        assert run(["github", command, *arguments]) == 0
    assert {one.headers.get("Authorization") for one in server.asked} <= {"token ghs_secret"}
    return capfd.readouterr()


ALL = ("--status", "--check", "--deployment", "5", "--comment", "always")


@pytest.mark.parametrize(
    ("outcome", "state", "conclusion"),
    [
        ("promote", "success", "success"),
        ("hold", "failure", "failure"),
        ("rollback", "failure", "failure"),
    ],
)
def test_everything_there_is_to_write(decided, monkeypatch, capfd, outcome, state, conclusion):
    board, id_ = Board(), decided(outcome)
    report(board, monkeypatch, capfd, *ALL, id_)
    written = dict(board.written)
    status = written[f"{ROOT}/statuses/{sha('head')}"]  # not the merge that was tried
    assert (status["state"], status["context"]) == (state, "release-gate/checkout")
    assert status["target_url"] == f"https://github.com/{REPO}/actions/runs/42"
    assert status["description"].startswith(f"{outcome.upper()}: ")
    assert len(status["description"]) <= 140
    check = written[f"{ROOT}/check-runs"]
    assert (check["name"], check["head_sha"]) == ("release-gate/checkout", sha("head"))
    assert (check["status"], check["conclusion"]) == ("completed", conclusion)
    assert "| over time |" in check["output"]["summary"]
    deployed = written[f"{ROOT}/deployments/5/statuses"]
    assert deployed["state"] == state
    assert deployed["log_url"] == status["target_url"]
    comment = written[f"{ROOT}/issues/7/comments"]["body"]
    assert comment.startswith(f"{MARK}\n### ")
    assert id_ in comment


def test_a_report_at_hand_is_written_like_a_decision_of_the_ledger(
    decided, monkeypatch, capfd, tmp_path
):
    id_, written = decided("rollback"), []
    for form in ("json", "markdown"):
        run(["ledger", "show", id_, "--format", form])
        (tmp_path / form).write_text(capfd.readouterr().out)
    files = ("--report", str(tmp_path / "json"), "--page", str(tmp_path / "markdown"))
    for which in ([id_], files, files[:2]):
        board = Board()
        report(board, monkeypatch, capfd, *ALL, *which)
        written.append(board.written)
    assert written[0] == written[1]
    assert written[0][0] == written[2][0]
    assert written[2][-1][1]["body"].startswith(f"{MARK}\nROLLBACK: ")


def told(**said):
    report = {"schema": "gate.report/v1", "service": {"name": "checkout"}, "verdict": "rollback",
              "exit_code": 20, "enforced": True, "headline": "ROLLBACK",
              "reasons": [{"message": "worse"}]}  # fmt: skip
    return json.dumps(report | said)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "this is no report"),
        ("[]", "this is no report of a decision: TypeError"),
        ('{"service": {"name": "checkout"}}', "this is no report of a decision: KeyError"),
        (None, "cannot be read: No such file"),
        (told(exit_code=0), "contradicts itself: 'rollback' with exit code 0"),
        (told(exit_code=False), "contradicts itself: 'rollback' with exit code False"),
        (told(exit_code=7), "contradicts itself: 'rollback' with exit code 7"),
        (told(schema="gate.plan/v1"), "schema 'gate.plan/v1', not 'gate.report/v1'"),
        (told(service={"name": "x --> @team"}), "'x --> @team' is no name of a service"),
    ],
)
def test_what_is_no_report_is_written_nowhere(monkeypatch, capfd, tmp_path, text, why):
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    assert run(["github", "report", "--status", "--report", str(file)]) == 2
    assert why in capfd.readouterr().err


@pytest.mark.parametrize("given", [[], ["3f9c", "--report", "x"], ["3f9c", "--page", "x"]])
def test_what_to_write_about_is_named_one_way(capfd, given):
    assert run(["github", "report", "--status", *given]) == 2
    assert "name either ID, or --report" in capfd.readouterr().err


def test_that_it_has_begun_is_told_before_the_verdict(decided, monkeypatch, capfd):
    board = Board()
    flags = ["-f", str(RECORDED), "--status", "--deployment", "5"]
    report(board, monkeypatch, capfd, *flags, command="begin")
    assert [body["state"] for _, body in board.written] == ["pending", "in_progress"]
    report(board, monkeypatch, capfd, "--service", "cart", "--status", command="begin")
    assert board.written[-1][1]["context"] == "release-gate/cart"


def test_an_end_without_a_decision_takes_the_place_of_an_earlier_answer(
    decided, monkeypatch, capfd
):
    board = Board()
    report(board, monkeypatch, capfd, "--comment", "always", decided("promote"))
    flags = ["-f", str(RECORDED), *ALL, "--reason", "the server said @all <b>no</b>"]
    report(board, monkeypatch, capfd, *flags, command="give-up")
    (comment,) = board.comments
    assert comment["body"].startswith(f"{MARK}\n### ⚠️ Nothing was decided: checkout\n")
    assert "PROMOTE" not in comment["body"]
    assert "@all" not in comment["body"]
    written = dict(board.written)
    assert written[f"{ROOT}/statuses/{sha('head')}"]["state"] == "error"
    assert written[f"{ROOT}/check-runs"]["conclusion"] == "action_required"


def test_the_comment_is_one_and_ours(decided, monkeypatch, capfd):
    stranger = a_comment(1, f"{MARK}\nPROMOTE, says mallory", account("mallory"))
    about_another = a_comment(2, "<!-- release-gate/cart -->\nx")
    board = Board(stranger, about_another, *(a_comment(n, "chat") for n in range(10, 150)))
    report(board, monkeypatch, capfd, "--comment", "always", decided("hold"))
    report(board, monkeypatch, capfd, "--comment", "always", decided("promote"))
    ours = [one["body"] for one in board.comments if one["body"].startswith(MARK)]
    assert len(ours) == 2  # the stranger's, and one of ours
    assert "says mallory" in ours[0]
    assert "PROMOTE: checkout" in ours[1]
    assert [path for path, _ in board.written] == [
        f"{ROOT}/issues/7/comments",
        f"{ROOT}/issues/comments/{board.comments[-1]['id']}",
    ]


def test_a_person_s_token_finds_its_own_comment(decided, monkeypatch, capfd):
    own = a_comment(3, f"{MARK}\nbefore", account("ada"))
    board = Board(a_comment(2, f"{MARK}\nbot"), own, login="ada")
    report(board, monkeypatch, capfd, "--comment", "always", decided("promote"))
    assert [path for path, _ in board.written] == [f"{ROOT}/issues/comments/3"]


def test_only_an_existing_comment_is_brought_up_to_date(decided, monkeypatch, capfd):
    board, id_ = Board(), decided("promote")
    report(board, monkeypatch, capfd, "--comment", "existing", id_)
    assert board.written == []
    board.comments.append(a_comment(3, f"{MARK}\nROLLBACK"))
    report(board, monkeypatch, capfd, "--comment", "existing", id_)
    assert "PROMOTE" in board.comments[0]["body"]


def test_each_missing_permission_is_named_and_the_rest_is_written(decided, monkeypatch, capfd):
    board, id_ = Board(may={"deployments"}), decided("rollback")
    out, err = report(board, monkeypatch, capfd, *ALL, id_)
    assert out.startswith("deployment status: https://")
    for line in ("commit status: not written; needs `permissions: statuses: write`",
                 "check run: not written; needs `permissions: checks: write`",
                 "comment: not written; needs `permissions: pull-requests: write`"):  # fmt: skip
        assert f"warning: {line}" in err
    assert "ghs_secret" not in out + err


def test_a_fork_s_token_is_told_as_what_it_is(decided, monkeypatch, capfd):
    head = {"sha": sha("head"), "repo": {"full_name": "mallory/shop"}}
    id_ = decided("promote")
    decided.event.write_text(json.dumps({"pull_request": {"number": 7, "head": head}}))
    out, _ = report(
        Board(may=()), monkeypatch, capfd, "--comment", "always", "--format", "json", id_
    )
    told = json.loads(out)
    assert told["schema"] == "gate.github/v1"
    ((one,),) = (told["written"],)
    assert one["done"] is False
    assert "a pull request from a fork has a token that may only read" in one["detail"]


def test_a_push_has_no_pull_request_but_may_name_one(decided, monkeypatch, capfd):
    id_ = decided("promote")
    decided.event.write_text('{"ref": "refs/heads/main"}')
    board = Board()
    _, err = report(board, monkeypatch, capfd, "--status", "--comment", "always", id_)
    assert "this run is of no pull request" in err
    assert board.written[0][0] == f"{ROOT}/statuses/{sha('merge')}"
    report(board, monkeypatch, capfd, "--comment", "always", "--pr", "7", id_)
    assert board.written[-1][0] == f"{ROOT}/issues/7/comments"


def test_a_passing_fault_is_asked_again_only_where_twice_is_once(decided, monkeypatch, capfd):
    board, id_ = Board(), decided("promote")
    board.first = [Reply(502, b"{}")]
    report(board, monkeypatch, capfd, "--status", id_)
    assert len(board.written) == 1
    board.first = [Reply(502, b"{}")]
    _, err = report(board, monkeypatch, capfd, "--check", id_)
    assert "check run: not written: " in err
    assert len(board.written) == 1


def test_github_out_of_reach_is_a_warning(decided, monkeypatch, capfd):
    id_ = decided("promote")
    monkeypatch.setattr("gate.surfaces.cli.github.WITHIN", 1.0)
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{free_port()}")
    assert run(["github", "report", "--status", id_]) == 0
    assert "warning: commit status: not written" in capfd.readouterr().err


def test_outside_of_a_workflow_it_says_so(decided, monkeypatch, capfd):
    id_ = decided("promote")
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert run(["github", "report", "--status", id_]) == 2
    assert "GITHUB_REPOSITORY names no repository" in capfd.readouterr().err
