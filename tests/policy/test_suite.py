"""`*_test.yaml`: what is read, what is refused, and what a trial says of it."""

from __future__ import annotations

import json

import pytest

from gate.errors import UsageError
from gate.policy.suite import load_suite, suites_in
from gate.policy.trial import Seen, covered, trial
from gate.request import Intent
from gate.verdict import Outcome

POLICY = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: web
rules:
  - {name: safe, when: analysis.safe, then: promote, message: "shown"}
  - {name: spent, when: budget.remaining <= 0.0, then: hold, message: "{budget.remaining:.0%} left"}
  - {name: large, when: change.lines > 500, then: warn, message: "{change.lines} lines"}
  - {name: always, when: "true", then: promote, message: "m"}
"""
HEAD = "apiVersion: gate/v1\nkind: PolicyTest\n"
BASE = "base: {analysis.safe: true, budget.remaining: 0.5, change.lines: 3}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "web.yaml").write_text(POLICY)
    return tmp_path


def suite(folder, cases, head=HEAD + BASE):
    path = folder / "web_test.yaml"
    path.write_text(head + "cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))
    return load_suite(path)


def tried(folder, *cases):
    return trial([suite(folder, cases)])


def test_facts_come_from_the_base_a_decision_and_the_case_less_the_unknown(folder):
    decision = {
        "schema": "gate.report/v1",
        "facts": {"budget.remaining": 0.1, "risk.level": "low"},
        "request": {"intent": "release"},
    }
    (folder / "decision.json").write_text(json.dumps(decision))
    said = "facts: {risk.level: high}, unknown: [change.lines], expect: {outcome: promote}"
    (case,) = suite(folder, [f"name: a, decision: decision.json, {said}"]).cases
    assert case.facts == {"analysis.safe": True, "budget.remaining": 0.1, "risk.level": "high"}
    assert case.intent is Intent.RELEASE
    assert case.where.endswith("web_test.yaml:5:5")


def test_cases_that_hold_pass(folder):
    found = tried(
        folder,
        "name: a, expect: {outcome: promote, only: [safe, always], warnings: []}",
        "name: b, facts: {budget.remaining: 0}, expect: {outcome: hold, rules: [spent]}",
        "name: c, facts: {change.lines: 501}, expect: {outcome: promote, warnings: [large]}",
        "name: d, intent: rollback, unknown: [analysis.safe], expect: {outcome: promote}",
    )
    assert found.failed == ()
    assert [one.verdict.outcome for one in found.tried][1] is Outcome.HOLD


def test_freezes_and_too_little_evidence_speak_by_their_names(folder):
    more = "freezes:\n  - {name: weekend, from: 2026-11-27, until: 2026-12-01}\n"
    table = "evidence:\n  - {name: ordinary, minutes: 10}\n"
    (folder / "web.yaml").write_text(POLICY + more + table)
    found = tried(
        folder,
        "name: a, facts: {calendar.frozen: true, calendar.freeze: weekend, evidence.enough: true}, "
        "expect: {outcome: hold, rules: [weekend]}",
        "name: b, facts: {rollout.seen_minutes: 5}, "
        "expect: {outcome: hold, rules: [evidence by risk and budget]}",
    )
    assert found.failed == ()


def test_a_failure_tells_what_differs_and_the_facts_of_the_differing_rules(folder):
    (one,) = tried(
        folder,
        "name: a, facts: {budget.remaining: -1}, expect: {outcome: promote, rules: [safe]}",
    ).failed
    assert one.complaints == ("expected promote, got hold",)
    assert one.mattered == {"budget.remaining": -1.0}
    assert [reason.rule for reason in one.verdict.reasons] == ["spent", "always", "safe"]


def test_rules_that_should_speak_and_others_that_should_not_are_named(folder):
    (one,) = tried(folder, "name: a, expect: {outcome: promote, only: [safe, spent]}").failed
    assert one.complaints == (
        "expected 'spent' to speak, and it did not",
        "expected 'always' not to speak, and it did",
    )
    assert one.mattered == {"budget.remaining": 0.5}
    (one,) = tried(folder, "name: a, expect: {outcome: promote, warnings: [large]}").failed
    assert one.complaints == ("expected warnings of large, got nobody",)
    assert one.mattered == {"change.lines": 3}


def test_coverage_counts_true_false_and_unknown_of_each_rule(folder):
    found = tried(
        folder,
        "name: a, expect: {outcome: promote}",
        "name: b, unknown: [budget.remaining], expect: {outcome: hold}",
        "name: c, intent: rollback, unknown: [analysis.safe], expect: {outcome: promote}",
    )
    assert found.seen == (
        Seen("safe", true=True, false=False, unknown=False),
        Seen("spent", true=False, false=True, unknown=True),
        Seen("large", true=False, false=True, unknown=False),
        Seen("always", true=True, false=None, unknown=None),
    )
    assert found.unused == ("spent", "large")
    assert covered([found]) == pytest.approx(5 / 10)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("name: a", "5:5: cases.0.expect is missing"),
        ("name: a, expect: {outcome: go}", "outcome"),
        ("name: a, expcet: {}", "unknown key 'expcet'; did you mean 'expect'?"),
        (
            "name: a, facts: {budget.remainig: 1}, expect: {outcome: hold}",
            "5:23: unknown fact 'budget.remainig'; did you mean 'budget.remaining'?",
        ),
        (
            "name: a, unknown: [analysis.saf], expect: {outcome: hold}",
            "5:25: unknown fact 'analysis.saf'; did you mean 'analysis.safe'?",
        ),
        (
            "name: a, expect: {outcome: hold, rules: [spend]}",
            "5:47: the policy web has no rule 'spend'; did you mean 'spent'?",
        ),
        ("name: a, decision: gone.json, expect: {outcome: hold}", "5:15: "),
        ("name: a, decision: web.yaml, expect: {outcome: hold}", "web.yaml holds no decision"),
    ],
)
def test_a_wrong_case_is_refused_with_its_place(folder, case, said):
    with pytest.raises(UsageError) as error:
        suite(folder, [case])
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (f"{HEAD}policy: ./gone.yaml\n", "web_test.yaml:3:1: "),
        (f"{HEAD}policy: standart\n", "there is no shipped policy 'standart'; did you mean"),
        (f"{HEAD}base: {{x.y: 1}}\n", "3:8: unknown fact 'x.y'"),
        ("apiVersion: gate/v1\nkind: ReleasePolicy\n", "kind"),
    ],
)
def test_a_wrong_head_is_refused(folder, head, said):
    with pytest.raises(UsageError) as error:
        suite(folder, ["name: a, expect: {outcome: hold}"], head)
    assert said in str(error.value)


def test_two_cases_of_one_name_are_refused(folder):
    with pytest.raises(UsageError, match="two cases are named 'a'"):
        suite(folder, ["name: a, expect: {outcome: hold}"] * 2)


def test_a_shipped_policy_may_be_tested_from_anywhere(folder):
    found = suite(folder, ["name: a, expect: {outcome: hold}"], f"{HEAD}policy: standard\n")
    assert found.policy.name == "standard"


def test_the_tests_of_a_policy_a_file_and_a_folder(folder):
    beside = folder / "web_test.yaml"
    with pytest.raises(UsageError, match="has no tests"):
        list(suites_in(folder / "web.yaml"))
    with pytest.raises(UsageError, match=r"no \*_test.yaml"):
        list(suites_in(folder))
    beside.touch()
    deep = folder / "more" / "x_test.yaml"
    deep.parent.mkdir()
    deep.touch()
    assert list(suites_in(folder / "web.yaml")) == list(suites_in(beside)) == [beside]
    assert list(suites_in(folder)) == [deep, beside]
