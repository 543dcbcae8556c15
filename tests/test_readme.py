"""The README is the product's front page: what it shows and names is what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gate.policy.demand import Settle
from gate.policy.load import from_text
from gate.surfaces.cli.main import COMMANDS, run
from gate.surfaces.http.tokens_file import load as load_tokens

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


SERVICE = "apiVersion: gate/v1\nkind: Service"


def yaml(start: str) -> str:
    (found,) = (block for block in blocks("yaml") if block.startswith(start))
    return found


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_verdict_it_shows_is_the_one_the_demo_gives(capfd, tmp_path):
    assert run(["demo", "--ledger", str(tmp_path / "ledger.db")]) == 0
    out = capfd.readouterr().out
    (shown,) = (block for block in blocks("text") if block.startswith("ROLLBACK"))
    for line in shown.splitlines():
        # The digest of the policy changes with each of its edits; a wrapped line goes on below.
        text = re.sub(r" \([0-9a-f]{8}\)$", "", line)
        assert " ".join(text.split()) in " ".join(out.split()), line


@pytest.mark.parametrize("name", ["plan", "budget"])
def test_the_page_it_shows_is_the_one_its_command_prints(capfd, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    (command,) = (block for block in blocks("sh") if block.startswith(f"gate {name}"))
    assert run(shlex.split(command.replace("\\\n", ""))[1:]) == 0
    out = capfd.readouterr().out
    (shown,) = (block for block in blocks("text") if block.startswith(name.upper()))
    for line in shown.splitlines():
        assert line in out.splitlines(), line


def test_the_commands_it_names_exist_with_their_flags(capfd):
    named = set(re.findall(r"`?gate ([a-z]+(?:-[a-z]+)*)", "\n".join(blocks("sh")))) | {
        "replay",
        "show",
    }
    assert named <= set(COMMANDS)
    helps = ""
    below = ["import kayenta", "override add", "risk evaluate", "risk fit", "ledger list"]
    below.append("token new")
    below.append("github report")
    below += [f"policy {one}" for one in ("lint", "test", "explain", "check")]
    for command in (*COMMANDS, *below):
        assert run([*command.split(), "--help"]) == 0
        helps += capfd.readouterr().out
    assert run(["--help"]) == 0
    helps += capfd.readouterr().out
    bench = [sys.executable, "-m", "bench.verdicts", "--help"]
    gunicorn = [sys.executable, "-m", "gunicorn", "--help"]
    for other in (bench, gunicorn):
        helps += subprocess.run(other, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for flag in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)):
        assert flag in helps, flag


def test_the_service_file_it_shows_is_one(capfd, tmp_path):
    shown, pulled, margin = (yaml(start) for start in (SERVICE, "sources:", "    margin"))
    (tmp_path / "gate.yaml").write_text(shown)
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    assert "http_request_duration_seconds_bucket" in capfd.readouterr().out
    metric = "  - preset: http\n    only: [errors]\n"
    (tmp_path / "gate.yaml").write_text(
        shown.replace("slos:\n", f"{metric}{margin}slos:\n").replace(
            "  - preset: http           #", "  - preset: http\n    only: [latency]  #"
        )
    )
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    assert "within: 86400.0" in capfd.readouterr().out
    added, change = pulled.split("change:")
    (tmp_path / "gate.yaml").write_text(
        shown.replace("sources:\n", added)
        .replace("  - preset: http", "  - preset: http\n    source: prom")
        .replace("    objective:", "    source: prom\n    objective:")
        + f"change:{change}"
    )
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    assert "number: '{{pr}}'" in capfd.readouterr().out


def test_the_freezes_it_shows_are_some():
    (shown,) = (block for block in blocks("yaml") if block.startswith("freezes:"))
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: web\nextends: standard\n"
    assert [one.name for one in from_text(head + shown, "web.yaml").freezes] == [
        "weekend",
        "black friday",
        "office hours",
    ]


def test_the_file_of_tokens_it_shows_is_one(tmp_path):
    shown = yaml("oidc:")
    for start in ("41af", "9c0e"):
        shown = shown.replace(f"{start}...", start * 16)
    for word in ("one", "two"):
        shown = shown.replace('"gate_..."', f'"gate_{word * 16}"', 1)
    (tmp_path / "tokens.yaml").write_text(shown)
    assert load_tokens(tmp_path / "tokens.yaml").caller("gate_unknown") is None


def test_the_evidence_table_it_shows_is_one():
    (table,) = (one for one in blocks("yaml") if one.startswith("evidence:"))
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: shown\nextends: standard\n"
    policy = from_text(head + table, "readme.yaml")
    assert policy.evidence[-1].settle == Settle(after=7200.0, beta=0.2)


def test_the_policy_it_shows_is_clean_under_lint(capfd, tmp_path):
    (shown,) = (block for block in blocks("yaml") if "kind: ReleasePolicy" in block)
    (tmp_path / "release.yaml").write_text(shown)
    assert run(["policy", "lint", str(tmp_path / "release.yaml")]) == 0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("command", re.findall(r"^gate policy .*$", README, re.MULTILINE))
def test_the_commands_about_policies_run(capfd, command):
    assert run(shlex.split(command)[1:]) == 0


def test_the_change_it_shows_is_part_of_one(capfd, tmp_path):
    change = yaml("change:").replace("source: clone", "source: prom")
    (tmp_path / "gate.yaml").write_text(yaml(SERVICE) + change)
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    assert "dependents: 2" in capfd.readouterr().out


def test_the_targets_it_names_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)$", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`?(?:policies|examples|bench)/[\w./-]+\w", README)))
)
def test_the_files_it_names_are_there(path):
    assert (ROOT / path.strip("`")).exists()
