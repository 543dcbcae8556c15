"""`gate policy check`: faults are examples with their facts, and have an exit code."""

from __future__ import annotations

import json

import pytest

from gate.surfaces.cli.main import run

HEAD = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: web\nrules:\n"
SAFE = '  - {name: safe, when: analysis.safe, then: promote, message: "m"}\n'
UNSURE = '  - {name: unsure, when: "!analysis.safe", then: hold, message: "m"}\n'
EXCUSED = (
    '  - {name: worse, when: "size(analysis.critical_worse) > 0 && budget.remaining > 0.2", '
    "then: rollback, on_unknown: rollback, message: m}\n"
)


@pytest.fixture
def policy(tmp_path):
    def write(*rules):
        path = tmp_path / "web.yaml"
        path.write_text(HEAD + "".join(rules))
        return str(path)

    return write


def test_a_clean_policy_exits_0_and_says_how_much_was_looked_at(policy, capfd):
    assert run(["policy", "check", policy(SAFE, UNSURE)]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert told.startswith("POLICY CHECK web (")
    assert "no faults 2 states of 2 combinations of 1 facts: every one that can be" in told
    assert "Taken for granted - what is critical and worse is worse, and not safe" in told


def test_bad_news_that_make_it_milder_exit_30_with_the_pair(policy, capfd):
    assert run(["policy", "check", policy(SAFE, UNSURE, EXCUSED)]) == 30
    told = " ".join(capfd.readouterr().out.split())
    assert "): 1 fault " in told
    assert "Fault: bad news make the verdict milder" in told
    assert "rollback: worse, unsure - with budget.remaining = 0.2 - hold: unsure" in told


def test_json_holds_the_examples_and_what_was_taken_for_granted(policy, capfd):
    assert run(["policy", "check", policy(SAFE, UNSURE, EXCUSED), "--format", "json"]) == 30
    told = json.loads(capfd.readouterr().out)
    assert told["schema"] == "gate.policy_check/v1"
    assert told["faults"] == 1
    milder = next(one for one in told["found"] if one["fault"])
    assert milder["kind"] == "milder"
    assert milder["news"] == {"budget.remaining": 0.2}
    assert (milder["outcome"], milder["outcome_after"]) == ("rollback", "hold")
    assert told["whole"] is True
    assert told["taken_for_granted"]


def test_a_sample_is_told_as_one_and_what_it_found_is_to_be_looked_at(capfd):
    assert run(["policy", "check", "standard", "--states", "800", "--seed", "3"]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "a sample; --states looks at more" in told
    assert "To look at: only a missing fact decides" in told


def test_a_policy_that_cannot_be_read_is_exit_2(policy, capfd):
    assert run(["policy", "check", policy("  - {name: a}\n")]) == 2
    assert "web.yaml:5:5: rules.0.when is missing" in capfd.readouterr().err
