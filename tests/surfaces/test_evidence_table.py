"""`gate check` under a policy with an evidence table, as people and pipelines call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml")
CHECK = ["check", "-f", EXAMPLE, "--baseline", "v1.8.0", "--policy", "table.yaml"]
GOOD = ["--canary", "v1.9.0", "--since", "1h", "--as-of", "2026-11-02T11:00:00Z"]
BAD = ["--canary", "v1.9.1", "--since", "1h", "--as-of", "2026-11-03T11:00:00Z"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(*rows):
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: table\nextends: standard\nevidence:\n"
    Path("table.yaml").write_text(head + "".join(f"  - {{{row}}}\n" for row in rows))


def test_more_minutes_hold_a_good_release_and_never_a_rollback(capfd):
    table("name: thin, when: budget.remaining < 0.7, minutes: 90")
    assert run([*CHECK, *GOOD]) == 10
    out = " ".join(capfd.readouterr().out.split())
    assert "hold: evidence by risk and budget: the policy asks for 90 minutes, 60 judged" in out
    assert "thin: applies because budget.remaining is 0.6" in out
    assert "60 of 90 minutes judged: 30 more" in out
    assert run([*CHECK, *BAD]) == 20


def test_json_holds_what_was_asked_for_and_the_decision_replays(capfd):
    table("name: sure, beta: 4%", "name: long, when: service.tier < 0, minutes: 600")
    assert run([*CHECK, *GOOD, "--format", "json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["analysis"]["beta"] == 0.04
    assert report["demands"]["beta"] == 0.04
    assert report["demands"]["rows"] == [{"name": "sure", "because": "it always does"}]
    assert report["facts"]["evidence.enough"] is True
    assert run(["replay", report["id"]]) == 0
    assert "every number is the same" in capfd.readouterr().out


def test_a_metric_that_the_service_has_not_is_told_before_anything_is_asked(here, capfd):
    table("name: strict, required: [latncy]")
    assert run([*CHECK, *GOOD]) == 2
    assert capfd.readouterr().err == (
        "gate: evidence 'strict' requires 'latncy', which is no metric of checkout; did you mean "
        "'latency'?; its metrics: errors, latency, memory\n"
    )
    assert not (here / "ledger.db").exists()
    assert run([*CHECK, *GOOD, "--rollback"]) == 0  # but nothing stands in the way of going back
