"""`gate lint-rollout` as it is called: files in, findings and an exit code out."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from gate.rollout_lint.lint import CHECKS
from gate.surfaces.cli.main import run
from tests.rollout_lint.parts import EXAMPLES, example
from tests.rollout_lint.test_rollouts import in_background

README = Path(__file__).parents[2] / "README.md"
TEMPLATE = EXAMPLES / "argo" / "analysis-template.yaml"


@pytest.mark.parametrize("tool", ["argo", "flagger"])
def test_the_examples_are_clean(capfd, tool):
    files = [str(path) for path in (EXAMPLES / tool).glob("*.yaml")]
    assert run(["lint-rollout", "--strict", *files]) == 0
    assert capfd.readouterr().out == ""


@pytest.fixture
def trap(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text(TEMPLATE.read_text().replace("failureLimit: 0", "failureLimit: -1"))
    return path


def test_an_error_is_exit_code_2_with_place_reason_and_fix(capfd, trap):
    assert run(["lint-rollout", str(trap)]) == 2
    out, err = capfd.readouterr()
    place, fix = out.splitlines()
    line = trap.read_text().splitlines().index("      failureLimit: -1") + 1
    assert place.startswith(f"{trap}:{line}:7: error: failureLimit -1 switches failing off")
    assert place.endswith("[failure-limit-off]")
    assert fix == "  write `failureLimit: 0`"
    assert err == "1 checked: 1 errors, 0 warnings\n"


def test_warnings_are_errors_only_if_strict(capfd, trap):
    trap.write_text(TEMPLATE.read_text().replace("failureLimit: 0", "failureLimit: 2"))
    assert run(["lint-rollout", str(trap)]) == 0
    assert run(["lint-rollout", str(trap), "--strict"]) == 2
    assert "warning" in capfd.readouterr().out


def test_the_readme_shows_what_is_printed(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rollout.yaml").write_text(in_background(example("argo/rollout.yaml")))
    assert run(["lint-rollout", "rollout.yaml", str(TEMPLATE)]) == 2
    assert f"```text\n{capfd.readouterr().out}```" in README.read_text()


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_for_programs(capfd, trap, form):
    assert run(["lint-rollout", str(trap), "--format", form]) == 2
    out = capfd.readouterr().out
    if form == "json":
        told = json.loads(out)
        assert (told["schema"], told["errors"], told["notes"]) == ("gate.rollout_lint/v1", 1, 0)
    elif form == "sarif":
        (driven,) = json.loads(out)["runs"]
        assert [one["id"] for one in driven["tool"]["driver"]["rules"]] == list(CHECKS)
    else:
        assert out.startswith("::error file=")
        assert "title=gate rollout%3A failure-limit-off" in out


def test_a_note_is_a_notice_on_github(capfd):
    path = EXAMPLES / "argo" / "rollout.yaml"
    assert run(["lint-rollout", str(path), "--format", "github"]) == 0
    assert capfd.readouterr().out.startswith("::notice file=")


def test_broken_yaml_is_one_message_beside_the_other_files(capfd, tmp_path, trap):
    chart = tmp_path / "chart.yaml"
    chart.write_text("kind: Rollout\nspec:\n  replicas: {{ .Values.replicas }}\n")
    assert run(["lint-rollout", str(chart), str(trap)]) == 2
    out = capfd.readouterr().out
    assert f"{chart}:3:" in out
    assert "a key must be plain text" in out
    assert "helm template" in out
    assert "[failure-limit-off]" in out


def test_other_kinds_are_passed_over_and_named(capfd, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")
    assert run(["lint-rollout", str(other), str(TEMPLATE)]) == 0
    assert "passed over: Deployment" in capfd.readouterr().err
    assert run(["lint-rollout", str(other)]) == 2
    assert "nothing to look into" in capfd.readouterr().err


def test_a_list_and_a_stream_are_looked_into(capfd, tmp_path, trap, monkeypatch):
    text = f"# nothing\n---\n---\n{trap.read_text()}"
    listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        ("  - " if n == 0 else "    ") + line + "\n"
        for n, line in enumerate(
            trap.read_text()[trap.read_text().index("apiVersion") :].splitlines()
        )
    )
    for told in (text, listed):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(told.encode())))
        assert run(["lint-rollout", "-"]) == 2
        line = told.splitlines().index(next(x for x in told.splitlines() if "Limit: -1" in x)) + 1
        assert f"-:{line}:" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nowhere.yaml"], "no such file"), ([str(TEMPLATE), "--argo-version", "new"], "no version")],
)
def test_what_cannot_be_asked(capfd, arguments, says):
    assert run(["lint-rollout", *arguments]) == 2
    assert says in capfd.readouterr().err
