"""`gate policy test`: what a person, a program and CI are told."""

from __future__ import annotations

import json
from xml.etree.ElementTree import fromstring

import pytest

from gate.surfaces.cli.main import run
from tests.policy.test_suite import BASE, HEAD, POLICY

FIRES = "  - {name: too little, facts: {budget.remaining: -1}, expect: {outcome: promote}}\n"
FINE = "  - {name: fine, expect: {outcome: promote}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "web.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "policies"


def cases(folder, *written):
    (folder / "web_test.yaml").write_text(f"{HEAD}{BASE}cases:\n{''.join(written)}")


def test_cases_that_pass_exit_0_and_tell_what_was_never_seen(folder, capfd):
    cases(folder, FINE)
    assert run(["policy", "test"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("POLICY TEST  1 of 1 cases passed\npolicies/web_test.yaml\n")
    assert "Coverage of web: 40%" in out
    assert "held in no case: spent, large" in out
    assert "always seen cannot be cannot be" in " ".join(out.split())
    assert err == ""


def test_a_failing_case_exits_30_with_every_voice_and_what_mattered(folder, capfd):
    cases(folder, FINE, FIRES)
    assert run(["policy", "test", "policies/web.yaml"]) == 30
    out, err = capfd.readouterr()
    told = " ".join(out.split())
    assert "Failed: too little" in out
    assert "policies/web_test.yaml:6:5" in told
    assert "expected promote, got hold" in told
    assert "spent said hold: -100% left" in told
    assert "what mattered: budget.remaining = -1.0" in told
    assert err == "gate: 1 of the cases failed\n"


def test_json_is_versioned_and_complete(folder, capfd):
    cases(folder, FINE, FIRES)
    assert run(["policy", "test", "--format", "json"]) == 30
    told = json.loads(capfd.readouterr().out)
    assert told["schema"] == "gate.policy_test/v1"
    assert told["passed"] is False
    assert told["coverage"] == pytest.approx(0.5)
    (policy,) = told["policies"]
    assert policy["unused"] == ["large"]
    assert policy["rules"][3] == {"rule": "always", "true": True, "false": None, "unknown": None}
    assert [case["passed"] for case in policy["cases"]] == [True, False]
    assert policy["cases"][1]["mattered"] == {"budget.remaining": -1.0}


def test_junit_names_the_failure_and_its_line(folder, capfd):
    cases(folder, FINE, FIRES)
    assert run(["policy", "test", "--format", "junit"]) == 30
    root = fromstring(capfd.readouterr().out)
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("web", "2", "1")
    fine, bad = suite
    assert len(fine) == 0
    assert bad.get("line") == "6"
    assert bad.get("file") == "policies/web_test.yaml"
    assert bad[0].get("message") == "expected promote, got hold"
    assert "what mattered" in bad[0].text


def test_too_little_coverage_fails(folder, capfd):
    cases(folder, FINE)
    assert run(["policy", "test", "--fail-under", "40"]) == 0
    assert run(["policy", "test", "--fail-under", "50"]) == 30
    assert "40% of the marks were seen, 50% are asked for" in capfd.readouterr().err


def test_the_shipped_policies_pass_their_own_tests_and_are_covered(capfd, folder):
    assert run(["policy", "test", "standard", "--fail-under", "100"]) == 0
    assert "Coverage of standard: 100%" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.yaml"], "gone.yaml: no such file"),
        (["standart"], "there is no shipped policy 'standart'; did you mean 'standard'?"),
        (["policies"], "no *_test.yaml in it or below"),
        (["policies/web.yaml"], "policies/web.yaml: has no tests"),
        (["--fail-under", "101"], "--fail-under"),
    ],
)
def test_what_cannot_be_tested_is_one_message_and_exit_2(folder, capfd, arguments, said):
    assert run(["policy", "test", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
