"""`gate policy explain`: what each rule read, and the smallest change that would turn it."""

from __future__ import annotations

import json

import pytest

from gate.surfaces.cli.main import run
from tests.parts.rollouts import RECORDED

CHECK = ["check", "-f", str(RECORDED), "--baseline", "v1.8.0"]
BAD = ["--canary", "v1.9.1", "--since", "1h", "--as-of", "2026-11-03T11:00:00Z"]
EARLY = ["--canary", "v1.9.2", "--since", "8m", "--as-of", "2026-11-04T10:08:00Z"]
FACTS = """\
analysis.safe: true
analysis.worse: []
analysis.critical_worse: []
analysis.unclear: []
analysis.unfit: []
rollout.seen_minutes: 30
budget.asked: true
budget.remaining: -0.2
budget.page_firing: []
risk.asked: false
"""


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))


@pytest.fixture
def facts(tmp_path):
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS)
    return str(path)


def decided(capfd, rollout):
    run([*CHECK, *rollout, "--format", "json"])
    return json.loads(capfd.readouterr().out)["id"]


def explained(capfd, *arguments):
    assert run(["policy", "explain", *arguments]) == 0
    return " ".join(capfd.readouterr().out.split())


def test_a_young_canary_is_told_by_its_metrics_what_they_wait_for(capfd):
    told = explained(capfd, decided(capfd, EARLY))
    assert told.startswith("HOLD ")
    assert "too early: true - when rollout.seen_minutes < 10.0 - rollout.seen_minutes = 8.0" in told
    assert "says hold: 8 minutes were judged" in told
    # The limit is that of `gate check`; how long it takes is what the judge forecasts.
    assert "would promote if errors were shown <= 0.271% (1.1875 x baseline + 0.0375%" in told
    assert "latency p50 were shown <= 91.6ms" in told
    assert "and rollout.seen_minutes were 10 (it is 8.0)" in told
    assert "latency p50: clear in about 15m more at this traffic" in told
    assert "as much were seen as the policy's evidence table asks for" in told
    assert "analysis.safe were" not in told


def test_a_regression_asks_for_a_fixed_version(capfd):
    told = explained(capfd, decided(capfd, BAD))
    assert told.startswith("ROLLBACK ")
    assert "regression: true" in told
    assert "errors: was shown worse; a fixed version is a new rollout" in told


def test_a_file_of_a_stored_decision_is_told_as_from_the_ledger(capfd, tmp_path):
    id_ = decided(capfd, EARLY)
    whole = explained(capfd, id_).partition("policy standard")
    assert run(["ledger", "show", id_, "--format", "stored"]) == 0
    path = tmp_path / "decision.json"
    path.write_text(capfd.readouterr().out)
    assert explained(capfd, str(path)).partition("policy standard")[1:] == whole[1:]


def test_facts_alone_are_told_by_their_own_names(capfd, facts):
    told = explained(capfd, facts)
    assert "budget spent: true" in told
    assert "would promote if budget.remaining were above 0 (it is -0.2)" in told


def test_another_policy_may_be_asked(capfd, facts, tmp_path):
    path = tmp_path / "plain.yaml"
    path.write_text(
        "apiVersion: gate/v1\nkind: ReleasePolicy\nname: plain\nrules:\n"
        '  - {name: safe, when: analysis.safe, then: promote, message: "m"}\n'
        '  - {name: told, when: "!risk.asked", then: warn, message: "not asked"}\n'
        '  - {name: tried, when: "budget.remaining < 0.0", then: hold, mode: audit, message: "m"}\n'
    )
    told = explained(capfd, facts, "--policy", str(path))
    assert told.startswith("PROMOTE ")
    assert "Warnings - told: not asked" in told
    assert "says hold: m (does not count)" in told
    assert "would hold if analysis.safe were false (it is true)" in told


def test_json_holds_every_rule_its_facts_and_the_flips(capfd, facts):
    assert run(["policy", "explain", facts, "--format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["schema"] == "gate.policy_explanation/v1"
    assert told["verdict"] == "hold"
    spent = next(rule for rule in told["rules"] if rule["name"] == "budget spent")
    assert spent["value"] is True
    assert spent["read"] == {"budget.asked": True, "budget.remaining": -0.2}
    (flip,) = told["flips"]
    assert flip["outcome"] == "promote"
    assert [change["word"] for change in flip["changes"]] == ["budget.remaining"]
    assert told["flips_bounded"] is False


def test_markdown_and_an_unknown_fact(capfd, tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("analysis.safe: true\n")
    told = explained(capfd, str(path), "--format", "markdown")
    assert told.startswith("### HOLD: ")
    assert "**shown safe: unknown**" in told
    assert "rollout.seen\\_minutes = not known" in told


def test_facts_that_contradict_each_other_are_told(capfd, tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text(FACTS.replace("critical_worse: []", "critical_worse: [errors]"))
    told = explained(capfd, str(path))
    assert "these facts contradict each other: what is critical and worse is worse" in told


def test_going_back_cannot_be_turned(capfd, tmp_path):
    path = tmp_path / "report.json"
    body = {"schema": "gate.report/v1", "facts": {}, "request": {"intent": "rollback"}}
    path.write_text(json.dumps(body))
    assert "nothing: going back is never blocked" in explained(capfd, str(path))


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("gone.yaml", 2, "gone.yaml: no such file"),
        ("abc123", 30, "gate: "),
    ],
)
def test_what_is_not_there_is_one_message(capfd, what, code, said):
    assert run(["policy", "explain", what]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
