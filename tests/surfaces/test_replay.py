"""`gate replay` as people call it: one decision, or all of them under another policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml")
RELEASES = (
    ["--canary", "v1.9.0", "--since", "1h", "--as-of", "2026-11-02T11:00:00Z"],
    ["--canary", "v1.9.1", "--since", "1h", "--as-of", "2026-11-03T11:00:00Z"],
    ["--canary", "v1.9.2", "--since", "8m", "--as-of", "2026-11-04T10:08:00Z"],
)
CAREFUL = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: careful
extends: standard
evidence:
  - {name: ordinary, minutes: 120}
  - {name: thin, when: budget.remaining < 0.7, beta: 4%}
"""


@pytest.fixture(autouse=True)
def three(tmp_path, monkeypatch, capfd):
    """The ledger of three releases; the present folder holds a policy of one's own."""
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.chdir(tmp_path)
    Path("careful.yaml").write_text(CAREFUL)
    codes = [run(["check", "-f", EXAMPLE, "--baseline", "v1.8.0", *one]) for one in RELEASES]
    assert codes == [0, 20, 10]
    capfd.readouterr()


def test_another_policy_over_all_of_them(capfd):
    assert run(["replay", "--policy", "careful.yaml", "--since", "1d"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "3 decisions since" in out
    assert "1 would have come out otherwise" in out
    # The young one holds either way; the bad one goes back whatever is asked.
    assert " promote   0       1    0        0         1\n" in out
    assert "checkout v1.9.0: promote -> hold: hold: evidence by" in " ".join(out.split())


def test_json_is_complete_and_markdown_a_table(capfd):
    assert run(["replay", "--policy", "careful.yaml", "--format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["schema"] == "gate.replay/v1"
    assert (told["decisions"], told["changes"], told["rejudged"]) == (3, 1, 3)
    (one,) = told["changed"]
    assert (one["before"], one["after"], one["version"]) == ("promote", "hold", "v1.9.0")
    assert one["why"] == [
        "hold: evidence by risk and budget: the policy asks for 120 minutes, 60 judged"
    ]
    assert run(["replay", "--policy", "careful.yaml", "--format", "markdown"]) == 0
    assert "| promote | 0 | 1 | 0 | 0 | 1 |" in capfd.readouterr().out


def test_a_shipped_policy_has_a_name_and_the_limit_lists_less(capfd):
    assert run(["replay", "--policy", "standard", "--service", "checkout"]) == 0
    assert "3 decisions since" in capfd.readouterr().out
    assert run(["replay", "--policy", "careful.yaml", "--limit", "0"]) == 0
    out = capfd.readouterr().out
    assert "1 would have come out otherwise" in out
    assert "Changed" not in out


def test_nothing_of_that_time_or_service_is_no_error(capfd):
    assert run(["replay", "--policy", "standard", "--service", "other"]) == 0
    assert "0 decisions since" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "name one stored decision, or a policy"),
        (["3f9c", "--policy", "standard"], "name one stored decision, or a policy"),
        (["--policy", "standrd"], "did you mean 'standard'?"),
        (["--policy", "./none.yaml"], "no such file"),
    ],
)
def test_what_is_asked_wrongly_is_told(capfd, flags, told):
    assert run(["replay", *flags]) == 2
    assert told in capfd.readouterr().err


def test_a_changed_entry_ends_it(tmp_path, capfd):
    import sqlite3

    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("DROP TRIGGER never_changed")
        db.execute("UPDATE entries SET outcome = 'promote' WHERE number = 2")
    assert run(["replay", "--policy", "standard"]) == 30
    assert "was changed" in capfd.readouterr().err
