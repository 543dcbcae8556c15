"""The action judging in the job itself, run as a runner runs it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gate.units import seconds
from tests.action.judging import (
    ACTION,
    BAD,
    GOOD,
    LOCAL,
    RECORDED,
    ROOT,
    YOUNG,
    installed,
    with_metrics,
)
from tests.action.judging import part as of_the_action
from tests.parts.broken import answering, failed
from tests.parts.hubwriting import Board
from tests.parts.workflow import run

pytestmark = pytest.mark.slow

IN_A_WORKFLOW = {"GITHUB_SHA": "a" * 40}


@pytest.fixture
def step(tmp_path):
    installed(tmp_path)

    def judged(*given, **more):
        inputs = {name: text for part in (LOCAL, *given) for name, text in part.items()}
        return run(ACTION, tmp_path, inputs, python=Path(sys.executable), **more)

    return judged


@pytest.mark.parametrize(
    ("release", "given", "outcome", "exit_code", "code", "level"),
    [
        (GOOD, {}, "promote", 0, 0, None),
        (BAD, {}, "rollback", 20, 20, "error"),
        (BAD, {"dry-run": "true"}, "rollback", 20, 0, "warning"),
        (YOUNG, {}, "hold", 10, 10, "error"),
        (YOUNG, {"fail-on": "rollback"}, "hold", 10, 0, "warning"),
    ],
)
def test_the_verdict_passes_or_fails_the_job(step, release, given, outcome, exit_code, code, level):
    done = step(release, given)
    assert done.code == code, done.log
    assert done.outputs["outcome"] == outcome
    assert done.outputs["exit-code"] == str(exit_code)
    report = json.loads(Path(done.outputs["report"]).read_text())
    assert report["verdict"] == outcome
    assert report["id"] == done.outputs["decision-id"]
    assert done.outputs["decision-url"] == "https://github.com/acme/shop/actions/runs/42"
    assert [one for one, _ in done.annotations] == ([level] if level else [])
    for part in (
        f"{outcome.upper()}: checkout",
        "| metric | baseline |",
        "| over time |",
        "**Error budget**",
        "**Change risk**",
        "bug-introducing likelihood",
    ):
        assert part in done.summary
    assert ("**What would change this**" in done.summary) == (outcome != "promote")


def test_a_wrong_file_is_told_where_and_fails_even_a_dry_run(step, tmp_path):
    file = tmp_path / "gate.yaml"
    file.write_text(RECORDED.read_text().replace("metrics:", "metricks:"))
    done = step(GOOD, {"service-file": str(file), "dry-run": "true", "on-unreachable": "warn"})
    assert done.code == 2
    assert done.outputs["outcome"] == "error"
    assert done.outputs["exit-code"] == "2"
    assert f"{file}:" in done.log
    assert "did you mean 'metrics'?" in done.log


@pytest.mark.parametrize(
    ("given", "code", "level"), [("fail", 30, "error"), ("warn", 0, "warning")]
)
def test_metrics_out_of_reach_fail_or_warn_as_told(step, tmp_path, given, code, level):
    file = tmp_path / "gate.yaml"
    file.write_text(RECORDED.read_text().replace("path: recording.json", "path: gone.json"))
    done = step(GOOD, {"service-file": str(file), "on-unreachable": given})
    assert done.code == code, done.log
    assert done.outputs["exit-code"] == "30"
    ((told, message),) = done.annotations
    assert told == level
    assert f"on-unreachable: {given}" in message


def test_what_cannot_be_installed_is_no_gate_out_of_reach(tmp_path):
    environ = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    given = {**LOCAL, **GOOD, "on-unreachable": "warn"}
    done = run(ACTION, tmp_path, given, python=Path(sys.executable), environ=environ)
    assert (done.code, done.outputs["exit-code"]) == (30, "30"), done.log
    ((level, message),) = done.annotations
    assert level == "error"
    assert "the gate could not be installed" in message


def test_a_cancelled_job_leaves_its_outputs_and_no_process(step, tmp_path):
    # Its moment is now, and the recording has no now: it holds until it is cancelled.
    now = {"canary": "v1.9.1", "wait": "10m", "poll-interval": "1m"}
    ledger = tmp_path / "temp" / "release-gate" / "ledger.db"
    done = step(now, interrupt=lambda _: ledger.exists())
    assert done.code == 130, done.log
    assert done.outputs["outcome"] == "cancelled"
    assert done.outputs["exit-code"] == "130"
    assert done.seconds < 60
    assert done.annotations == [("error", "cancelled; nothing was decided")]
    assert done.summary == ""


def test_a_cancelled_job_leaves_no_status_pending(step, tmp_path):
    now = {"canary": "v1.9.1", "wait": "10m", "status": "true", "deployment-id": "5"}
    ledger = tmp_path / "temp" / "release-gate" / "ledger.db"
    board = Board()
    with answering(board) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": server.url}
        given = {**now, "github-token": "ghs_x"}
        done = step(given, interrupt=lambda _: ledger.exists(), environ=environ)
    assert done.outputs["outcome"] == "cancelled", done.log
    assert [body["state"] for _, body in board.written] == [
        "pending", "in_progress", "error", "error",
    ]  # fmt: skip


def test_a_job_cancelled_while_it_begins_leaves_no_status_pending(step):
    board = Board()
    with answering(board) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": server.url}
        given = {"canary": "v1.9.1", "wait": "10m", "status": "true", "github-token": "ghs_x"}
        done = step(given, interrupt=lambda _: bool(board.written), environ=environ)
    assert done.outputs["outcome"] == "cancelled", done.log
    assert [body["state"] for _, body in board.written] == ["pending", "error"]


def test_a_full_disk_under_the_summary_changes_no_verdict(step):
    done = step(GOOD, environ={"GITHUB_STEP_SUMMARY": "/dev/full"})
    assert (done.code, done.outputs["outcome"]) == (0, "promote"), done.log
    assert done.annotations == [
        ("warning", "the job summary could not be written: [Errno 28] No space left on device")
    ]


def test_a_promote_that_cannot_be_told_passes_nothing(step):
    done = step(GOOD, environ={"GITHUB_OUTPUT": "/dev/full"})
    assert (done.code, done.outputs) == (30, {}), done.log
    ((level, message),) = done.annotations
    assert level == "error"
    assert "PROMOTE" in message
    assert "outputs could not be written" in message


MALICIOUS = "::error::x @all <img src=x> `b` $a$"
BY_PROMETHEUS = """\
apiVersion: gate/v1
kind: Service
name: shop
sources: {{prom: {{kind: prometheus, url: "{url}", attempts: 1}}}}
arms: {{rollout: shop}}
metrics: [{{preset: http, only: [errors]}}]
"""


def test_a_name_that_is_a_command_is_refused_and_not_obeyed(step, tmp_path):
    file = tmp_path / "gate.yaml"
    file.write_text(RECORDED.read_text().replace("name: errors", f'name: "{MALICIOUS}"'))
    done = step(BAD, {"service-file": str(file)})
    assert done.code == 2
    assert MALICIOUS in done.log
    assert [one for one, _ in done.annotations] == ["error"]


def test_what_a_server_says_is_obeyed_nowhere(step, tmp_path):
    said = f"{MALICIOUS}\n::set-env name=PATH::/evil\n::error::again"
    file = tmp_path / "gate.yaml"
    with answering(lambda _: failed(400, "bad_data", said)) as server:
        file.write_text(BY_PROMETHEUS.format(url=server.url))
        done = step(BAD, {"service-file": str(file)})
    assert done.code == 30, done.log
    ((level, _),) = done.annotations
    assert level == "error"
    assert "img src" in done.summary
    assert not re.search(r"@all|(?<!\\)(<img|`b)", done.summary)
    assert set(done.outputs) == {"outcome", "exit-code", "decision-id", "decision-url", "report"}


MANY = 50


def test_a_report_of_fifty_metrics_fits_the_summary_and_is_cut_for_the_comment(step, tmp_path):
    file = with_metrics(tmp_path, MANY)
    board = Board()
    with answering(board) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": server.url}
        given = {"service-file": str(file), "comment": "always", "pull-request": "7"}
        done = step(BAD, {**given, "timeout": "60s", "github-token": "ghs_x"}, environ=environ)
    assert done.code == 20, done.log
    assert done.summary.count("latency of route") > 3 * 4 * MANY
    assert "cut here" not in done.summary
    ((_, comment),) = board.written
    assert len(comment["body"].encode()) <= 65_536
    assert "cut here; all of it: https://github.com/acme/shop/actions/runs/42" in comment["body"]


def test_what_the_inputs_ask_for_is_written_to_github(step):
    board = Board(may={"statuses", "deployments"})
    with answering(board) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": server.url}
        given = {"status": "true", "check": "true", "deployment-id": "5", "github-token": "ghs_x"}
        done = step(BAD, given, environ=environ)
    assert done.code == 20, done.log
    assert [body["state"] for _, body in board.written] == [
        "pending", "in_progress", "failure", "failure",
    ]  # fmt: skip
    (check, _) = done.annotations
    assert check[0] == "warning"
    assert check[1].startswith("check run: not written; needs `permissions: checks: write`")


def test_the_token_of_the_input_writes_whatever_token_the_job_has(step):
    with answering(Board()) as server:
        environ = {**IN_A_WORKFLOW, "GITHUB_API_URL": server.url, "GITHUB_TOKEN": "ghs_of_the_job"}
        done = step(GOOD, {"status": "true", "github-token": "ghs_given"}, environ=environ)
    assert done.code == 0, done.log
    assert {one.headers["Authorization"] for one in server.asked} == {"token ghs_given"}


def test_a_repository_that_holds_a_gate_of_its_own_is_judged_by_ours(step, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "gate").mkdir(parents=True)
    for name in ("gate/__init__", "gate/__main__", "orjson"):
        (checkout / f"{name}.py").write_text("print('forged'); raise SystemExit(0)")
    done = step(BAD, cwd=checkout, environ={"PYTHONPATH": str(checkout)})
    assert (done.code, done.outputs["outcome"]) == (20, "rollback"), done.log
    assert "forged" not in done.log


@pytest.mark.parametrize("ledger", ["/dev/full", "/proc/nowhere/ledger.db"])
def test_what_could_not_be_stored_passes_nothing(step, ledger):
    done = step(BAD, {"on-unreachable": "warn"}, environ={"GATE_LEDGER": ledger})
    assert (done.code, done.outputs["exit-code"]) == (30, "30"), done.log
    assert "and no report" in done.annotations[0][1]


def some_inputs(**given):
    told = yaml.safe_load(ACTION.read_text())["inputs"]
    texts = {name: one.get("default", "") for name, one in told.items()}
    texts |= {"canary": "v2", "github-token": "", **given}
    environ = {f"GATE_ACTION_{name.replace('-', '_').upper()}": one for name, one in texts.items()}
    return of_the_action("inputs").inputs(environ, datetime.now(UTC))


def judged_by(gate, folder, **given):
    return of_the_action("local_mode").answered(gate, some_inputs(**given), folder)


@pytest.mark.parametrize("code", [0, 1, 20, 30, -9])
def test_a_judge_that_ends_without_a_report_is_not_out_of_reach(tmp_path, code):
    with pytest.raises(of_the_action("answer").BrokenError, match="and no report"):
        judged_by(lambda *_: code, tmp_path)


def test_a_judge_that_never_ends_is_not_out_of_reach(tmp_path):
    installed(tmp_path)
    environ = {**os.environ, "GITHUB_ACTION_PATH": str(ROOT)}
    folder = tmp_path / "temp" / "release-gate"
    gate = of_the_action("installed").Gate(folder, some_inputs(), environ)
    gate.install()
    with pytest.raises(of_the_action("answer").BrokenError, match="the time was up"):
        gate(["demo"], 0.01)


@pytest.mark.parametrize("fault", ["BrokenError", "OSError"])
def test_a_verdict_outlives_the_making_of_its_report(tmp_path, fault, capsys):
    def gate(arguments, within, out):
        if arguments[0] == "ledger":
            raise getattr(of_the_action("answer"), fault, OSError)("the disk is full")
        said = {"verdict": "rollback", "exit_code": 20, "id": "x", "enforced": True}
        out.write_text(json.dumps({**said, "reasons": [{"message": "worse"}]}))
        return 20

    assert judged_by(gate, tmp_path).outcome == "rollback"
    assert "only the verdict: the disk is full" in capsys.readouterr().out


def test_a_long_wait_is_told_as_the_gate_reads_it(tmp_path):
    asked = []
    with pytest.raises(of_the_action("answer").BrokenError):
        judged_by(lambda arguments, *_: asked.extend(arguments), tmp_path, wait="12d")
    (wait,) = (one.removeprefix("--wait=") for one in asked if one.startswith("--wait="))
    assert seconds(wait) == 12 * 86_400


def test_the_judge_writes_utf_8_on_every_machine():
    latin = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    told = [sys.executable, *of_the_action("installed").PYTHON, "-c", "print('\\u2581')"]
    done = subprocess.run(told, env=latin, capture_output=True, check=True)
    assert done.stdout.decode() == "▁\n"


def test_two_steps_of_a_job_share_the_install_and_the_ledger(step):
    first, second = step(GOOD), step(GOOD)
    assert "installed in" not in first.log
    assert first.outputs["report"] != second.outputs["report"]
    assert re.search(r"decision `[0-9a-f]{16}`", second.summary)


def reachable() -> bool:
    try:
        with socket.create_connection(("pypi.org", 443), timeout=3):
            return True
    except OSError:
        names = ("PIP_INDEX_URL", "https_proxy", "HTTPS_PROXY")
        return any(os.environ.get(name) for name in names)


indexed = pytest.mark.skipif(
    not reachable(), reason="PyPI is out of reach, from which the action installs"
)


@indexed
def test_it_installs_itself_from_locked_packages_once_a_job(tmp_path):
    # As the machine reaches its index, which a bare runner does by itself.
    names = ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "https_proxy", "HTTPS_PROXY",
             "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # fmt: skip
    environ = {name: os.environ[name] for name in names if name in os.environ}
    # What a job may have set for packages of its own is not about these.
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("numpy==1.0\n")
    environ |= {"PIP_CONSTRAINT": str(constraints), "PIP_NO_DEPS": "1", "PIP_USER": "1",
                "PIP_TARGET": str(tmp_path / "elsewhere")}  # fmt: skip
    python = Path(getattr(sys, "_base_executable", sys.executable))
    first = run(ACTION, tmp_path, {**LOCAL, **GOOD}, python=python, environ=environ)
    assert (first.code, first.outputs["outcome"]) == (0, "promote"), first.log
    assert "installed in" in first.log
    second = run(ACTION, tmp_path, {**LOCAL, **BAD}, python=python)
    assert second.outputs["outcome"] == "rollback", second.log
    assert "installed in" not in second.log
