"""The action judging in the job itself, run as a runner runs it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.action.judging import ACTION, BAD, GOOD, LOCAL, RECORDED, YOUNG, installed
from tests.parts.broken import answering, failed
from tests.parts.workflow import run

pytestmark = pytest.mark.slow


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
    assert not re.search(r"@all|(?<!\\)[<`]", done.summary)
    assert set(done.outputs) == {"outcome", "exit-code", "decision-id", "decision-url", "report"}


def test_two_steps_of_a_job_share_the_install_and_the_ledger(step):
    first, second = step(GOOD), step(GOOD)
    assert "installed in" not in first.log
    assert first.outputs["report"] != second.outputs["report"]
    assert re.search(r"decision `[0-9a-f]{16}`", second.summary)
