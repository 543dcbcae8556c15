"""The shipped packs: clean under lint, and each rule seen true, false and unknown by its tests."""

from __future__ import annotations

import pytest

from gate.policy.lint import lint
from gate.policy.load import load
from gate.policy.policy import Stance
from gate.policy.suite import load_suite
from gate.policy.trial import trial
from gate.policy.words import WORDS, Type
from tests.parts.rollouts import ROOT

FOLDER = ROOT / "policies"
PACKS = sorted(one.stem for one in FOLDER.glob("*.yaml") if not one.stem.endswith("_test"))
SUITES = {pack: load_suite(FOLDER / f"{pack}_test.yaml") for pack in PACKS}


@pytest.mark.parametrize("pack", PACKS)
def test_every_case_is_answered_as_it_says_and_says_which_rules_speak(pack: str) -> None:
    found = trial([SUITES[pack]])
    assert {one.case.name: one.complaints for one in found.failed} == {}
    assert all(one.case.rules or one.case.only for one in found.tried)
    for tried in found.tried:
        for reason in (*tried.verdict.reasons, *tried.verdict.warnings):
            assert reason.unknown or "unknown" not in reason.message


@pytest.mark.parametrize("pack", PACKS)
def test_each_rule_is_seen_true_false_and_unknown(pack: str) -> None:
    assert [one for one in trial([SUITES[pack]]).seen if not all(one.marks)] == []


@pytest.mark.parametrize("pack", PACKS)
def test_lint_finds_nothing(pack: str) -> None:
    assert lint(FOLDER / f"{pack}.yaml") == ()


@pytest.mark.parametrize("pack", PACKS)
def test_each_is_short_named_as_its_file_and_says_where_it_comes_from(pack: str) -> None:
    path = FOLDER / f"{pack}.yaml"
    policy = load(path)
    assert policy.name == path.stem
    assert policy.description
    assert path.read_text().startswith("# ")
    assert len(path.read_text().splitlines()) < 80
    assert (policy.mode is Stance.OBSERVE) == (pack == "observe-only")


def test_what_a_fact_can_never_be_is_in_no_case() -> None:
    for case in (case for suite in SUITES.values() for case in suite.cases):
        for word, value in case.facts.items():
            what = WORDS[word]
            if what.type in (Type.INT, Type.DOUBLE):
                assert what.least <= value <= what.most
            if what.known:
                given = {value} if isinstance(value, str) else set(value)
                assert given <= set(what.known)
