import json

import pytest

from gate.document import parse
from gate.errors import UsageError
from gate.policy.given import from_file, is_stored, of_decision, typed, written
from gate.request import Intent


def facts(text):
    return written(parse(text, "facts.yaml"))


def test_facts_get_the_types_that_rules_read():
    assert facts(
        "analysis.safe: true\nrollout.minutes: 30\nchange.lines: 3\nrisk.level: low\n"
        "budget.page_firing: [availability]\nservice.labels: {team: pay}\n"
    ) == {
        "analysis.safe": True,
        "rollout.minutes": 30.0,
        "change.lines": 3,
        "risk.level": "low",
        "budget.page_firing": ("availability",),
        "service.labels": {"team": "pay"},
    }
    assert type(facts("rollout.minutes: 30")["rollout.minutes"]) is float


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget.remainig: 0.4", "facts.yaml:1:1: unknown fact 'budget.remainig'; did you mean"),
        ("analysis.safe: 1", "1:1: analysis.safe should be true or false, not 1"),
        ("rollout.minutes: true", "rollout.minutes should be a number, not True"),
        ("budget.remaining: .nan", "budget.remaining should be a number, not nan"),
        ("change.lines: 3.5", "change.lines should be a whole number, not 3.5"),
        ("risk.level: 3", "risk.level should be a text, not 3"),
        ("analysis.worse: errors", "analysis.worse should be a list of texts"),
        ("service.labels: [a]", "service.labels should be a mapping of texts"),
        ("risk.level: null", "risk.level has no value; a fact that is not known"),
        ("risk.level: extreme", "risk.level is never 'extreme'; it is one of: low, medium"),
        ("[]", "should be a mapping of facts to their values"),
    ],
)
def test_what_is_no_fact_is_named_with_its_place(text, said):
    with pytest.raises(UsageError) as error:
        facts(text)
    assert said in str(error.value)


def test_all_complaints_come_at_once():
    with pytest.raises(UsageError) as error:
        facts("a.b: 1\nanalysis.safe: 2\n")
    assert len(str(error.value).splitlines()) == 2


def test_a_report_a_stored_decision_and_plain_facts_are_all_read(tmp_path):
    path = tmp_path / "x.json"
    known = {"analysis.worse": ["errors"], "rollout.minutes": 30.0}
    request = {"intent": "rollback"}
    told = {"analysis.worse": ("errors",), "rollout.minutes": 30.0}
    path.write_text(json.dumps({"schema": "gate.report/v1", "facts": known, "request": request}))
    assert of_decision(path) == (told, Intent.ROLLBACK)
    assert not is_stored(path)
    stored = {"schema": "gate.decision/v1", "conclusion": {"facts": known}, "request": request}
    path.write_text(json.dumps(stored))
    assert from_file(path) == (told, Intent.ROLLBACK)
    assert is_stored(path)
    for plain in (known, {"facts": known}):
        path.write_text(json.dumps(plain))
        assert of_decision(path) is None
        assert from_file(path) == (told, Intent.RELEASE)


@pytest.mark.parametrize(
    "body", [{"schema": "gate.decision/v1"}, {"schema": "gate.report/v1", "facts": 3}]
)
def test_half_a_decision_is_none(tmp_path, body):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(body))
    with pytest.raises(UsageError, match="not a whole decision"):
        of_decision(path)


def test_facts_of_another_gate_are_refused_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"unknown fact 'weather\.rain'"):
        typed({"weather.rain": True}, "decision 1")
    with pytest.raises(UsageError, match=r"none\.json: cannot be read"):
        of_decision(tmp_path / "none.json")
