"""`gate check` and its neighbours as people and pipelines call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml")
GOOD = ["--canary", "v1.9.0", "--since", "1h", "--as-of", "2026-11-02T11:00:00Z"]
BAD = ["--canary", "v1.9.1", "--since", "1h", "--as-of", "2026-11-03T11:00:00Z"]
EARLY = ["--canary", "v1.9.2", "--since", "8m", "--as-of", "2026-11-04T10:08:00Z"]
CHECK = ["check", "-f", EXAMPLE, "--baseline", "v1.8.0"]


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    path = tmp_path / "state" / "ledger.db"
    monkeypatch.setenv("GATE_LEDGER", str(path))
    return path


def told(capfd) -> tuple[str, str]:
    captured = capfd.readouterr()
    return captured.out, captured.err


@pytest.mark.parametrize(
    ("release", "code", "verdict"),
    [(GOOD, 0, "promote"), (BAD, 20, "rollback"), (EARLY, 10, "hold")],
)
def test_the_exit_code_is_the_verdict_in_every_format(capfd, release, code, verdict):
    for form in ("text", "json", "markdown"):
        assert run([*CHECK, *release, "--format", form]) == code
        out, err = told(capfd)
        assert verdict in out.lower()
        assert err == ""


def test_json_says_the_exit_code_and_all_that_was_seen(capfd):
    assert run([*CHECK, *BAD, "--format", "json"]) == 20
    report = json.loads(told(capfd)[0])
    assert report["exit_code"] == 20
    findings = {one["label"]: one["finding"] for one in report["analysis"]["comparisons"]}
    assert findings["errors"] == "worse"
    assert report["reasons"][0]["rule"] == "regression"
    assert report["budgets"][0]["remaining"] == pytest.approx(0.6, abs=0.05)
    assert report["risk"]["level"] == "medium"


def test_a_past_moment_is_judged_the_same_whenever_it_is_asked(capfd):
    reports = []
    for _ in range(2):
        run([*CHECK, *GOOD, "--format", "json"])
        report = json.loads(told(capfd)[0])
        reports.append({k: v for k, v in report.items() if k not in ("id", "decided_at")})
    assert reports[0] == reports[1]


def test_every_answer_is_in_the_ledger_and_replays_to_itself(capfd):
    for release in (GOOD, BAD, EARLY):
        run([*CHECK, *release])
    told(capfd)
    assert run(["ledger", "list", "--format", "json"]) == 0
    entries = json.loads(told(capfd)[0])
    assert [entry["verdict"] for entry in entries] == ["hold", "rollback", "promote"]
    for entry in entries:
        assert run(["replay", entry["id"][:8]]) == 0
        assert "every number is the same" in told(capfd)[0]
        assert run(["ledger", "show", entry["id"]]) == 0
        assert entry["verdict"].upper() in told(capfd)[0]
    assert run(["ledger", "verify"]) == 0
    assert "3 entries, the chain is whole" in told(capfd)[0]


def test_without_a_ledger_there_is_no_answer(capfd, monkeypatch, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("GATE_LEDGER", str(in_the_way / "ledger.db"))
    assert run([*CHECK, *GOOD]) == 30
    out, err = told(capfd)
    assert out == ""
    assert str(in_the_way) in err


def test_going_back_is_never_blocked(capfd):
    assert run([*CHECK, *BAD, "--rollback"]) == 0
    assert "going back is never blocked" in told(capfd)[0]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--canary", 'x"} or vector(1) #'], "cannot stand in a query"),
        (["--since", "soon"], "is not a moment"),
        (["--since", "5y"], "is not a moment"),
        (["--as-of", "2026-11-02T11:00:00"], "no time zone"),
        (["--as-of", "2999-01-01T00:00:00Z"], "lies in the future"),
        (["--wait", "1m"], "--wait and --as-of exclude each other"),
        (["--var", "canary"], "is not key=value"),
        (["--var", "canary=v2"], "variable 'canary' is a word of the gate's own"),
        (["--formt", "json"], "No such option"),
        (["--policy", "standrad"], "did you mean 'standard'?"),
        (["--policy", "missing.yaml"], "missing.yaml: no such file"),
        (["-f", "no.yaml"], "no.yaml: no such file"),
    ],
)
def test_a_wrong_flag_is_one_message_and_exit_2(capfd, flags, complaint):
    assert run([*CHECK, *GOOD, *flags]) == 2
    out, err = told(capfd)
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err


def test_a_missing_baseline_is_asked_for(capfd):
    assert run(["check", "-f", EXAMPLE, *GOOD]) == 2
    assert "--baseline is missing" in told(capfd)[1]


def test_an_unknown_command_is_told_its_neighbour(capfd):
    assert run(["chek"]) == 2
    assert "did you mean 'check'?" in told(capfd)[1]


@pytest.mark.parametrize(
    "command",
    ["", "analyze", "check", "freezes", "override", "override add", "override list",
     "override revoke", "ledger", "ledger list", "ledger show", "ledger verify",
     "plan", "replay", "risk", "risk evaluate", "show", "schema", "demo"],
)  # fmt: skip
def test_every_help_has_an_example(capfd, command):
    assert run([*command.split(), "--help"]) == 0
    assert "Example: gate" in told(capfd)[0]


def gate(*arguments: str, **more) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "gate", *arguments], **more)


@pytest.mark.parametrize(("release", "code"), [(GOOD, 0), (BAD, 20), (EARLY, 10)])
def test_a_closed_pipe_does_not_change_the_exit_code(release, code):
    reading, writing = os.pipe()
    os.close(reading)
    process = gate(*CHECK, *release, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == code


def test_a_full_disk_under_the_output_does_not_change_the_exit_code():
    with Path("/dev/full").open("wb") as full:
        process = gate(*CHECK, *BAD, stdout=full, stderr=subprocess.PIPE)
        process.communicate(timeout=30)
    assert process.returncode == 20


def test_show_hides_nothing_of_a_preset(capfd, tmp_path):
    file = tmp_path / "gate.yaml"
    file.write_text(
        "apiVersion: gate/v1\nkind: Service\nname: web\n"
        "sources: {prom: {kind: prometheus, url: 'http://127.0.0.1:9'}}\n"
        "arms: {rollout: web}\nmetrics: [{preset: http}]\n"
    )
    assert run(["show", "-f", str(file)]) == 0
    out = told(capfd)[0]
    assert 'http_requests_total{ {{selector}},code=~"5.." }' in out
    assert "web-{{canary}}-.*" in out
    assert "ratio: 1.25" in out


@pytest.mark.parametrize("kind", ["service", "policy"])
def test_the_schemas_are_json_schema(capfd, kind):
    assert run(["schema", kind]) == 0
    schema = json.loads(told(capfd)[0])
    assert schema["additionalProperties"] is False
    assert "apiVersion" in schema["required"]
