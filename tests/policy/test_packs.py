"""The shipped packs: clean under lint, and each rule seen true, false and unknown by its tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gate.document import read
from gate.policy.conditions import ask
from gate.policy.evaluate import evaluate
from gate.policy.lint import lint
from gate.policy.load import load
from gate.policy.policy import Policy, Stance
from gate.policy.words import WORDS, Facts, Type
from gate.request import Intent
from tests.parts.rollouts import ROOT

FOLDER = ROOT / "policies"
PACKS = sorted(one.stem for one in FOLDER.glob("*.yaml") if not one.stem.endswith("_test"))


def cases(pack: str) -> list[Mapping[str, Any]]:
    told: Mapping[str, Any] = read(FOLDER / f"{pack}_test.yaml").data
    assert (told["kind"], told["policy"]) == ("PolicyTest", f"./{pack}.yaml")
    return list(told["cases"])


def facts(case: Mapping[str, Any]) -> Facts:
    assert set(case["facts"]) <= set(WORDS)
    return {
        word: tuple(one) if isinstance(one, list) else one for word, one in case["facts"].items()
    }


EVERY = [(pack, case["name"]) for pack in PACKS for case in cases(pack)]


@pytest.mark.parametrize(("pack", "name"), EVERY)
def test_a_case(pack: str, name: str) -> None:
    (case,) = [one for one in cases(pack) if one["name"] == name]
    verdict = evaluate(load(FOLDER / f"{pack}.yaml"), facts(case), Intent.RELEASE, ())
    assert verdict.outcome == case["expect"]["outcome"], verdict.reasons
    spoke = {one.rule for one in (*verdict.reasons, *verdict.warnings, *verdict.audited)}
    assert spoke >= set(case["expect"]["rules"])
    for reason in (*verdict.reasons, *verdict.warnings):
        assert reason.unknown or "unknown" not in reason.message


@pytest.mark.parametrize("pack", PACKS)
def test_each_rule_is_seen_true_false_and_unknown(pack: str) -> None:
    policy, seen = load(FOLDER / f"{pack}.yaml"), defaultdict(set)
    for rule, answer in answers(policy, pack):
        seen[rule].add(answer)
    assert {rule: one for rule, one in seen.items() if one != {True, False, None}} == {}


def answers(policy: Policy, pack: str) -> Iterator[tuple[str, bool | None]]:
    for case in cases(pack):
        for rule in policy.rules:
            yield rule.name, ask(rule.when, facts(case)).holds


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
    for pack, name in EVERY:
        (case,) = [one for one in cases(pack) if one["name"] == name]
        for word, value in facts(case).items():
            what = WORDS[word]
            if what.type in (Type.INT, Type.DOUBLE):
                assert what.least <= value <= what.most
            if what.known:
                given = {value} if isinstance(value, str) else set(value)
                assert given <= set(what.known)
