"""`*_test.yaml`: what a policy is expected to answer, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gate.document import Document, Place, Section, Text, fit, read, refuse
from gate.errors import UsageError, did_you_mean
from gate.policy.direction import GOING_BACK, KNOWN_GOOD
from gate.policy.evaluate import GUARD, NOT_ENOUGH, SILENCE
from gate.policy.given import known_words, of_decision, written
from gate.policy.load import named
from gate.policy.policy import Policy
from gate.policy.words import Facts, Value
from gate.request import Intent
from gate.verdict import Outcome

SUFFIX = "_test.yaml"
# What speaks without being a rule of the policy.
_OTHER_VOICES = (SILENCE.rule, GUARD.rule, NOT_ENOUGH, GOING_BACK.rule, KNOWN_GOOD.rule)


class ExpectSection(Section):
    """What should be answered.

    `rules` must have spoken, whether or not they count; `only` these and no others; `warnings`:
    exactly these have warned.
    """

    outcome: Outcome
    rules: list[Text] = Field(default_factory=list)
    only: list[Text] | None = None
    warnings: list[Text] | None = None


class CaseSection(Section):
    """One case: facts on top of the base and of a stored decision's, less those `unknown`."""

    name: Text
    facts: dict[str, Any] = Field(default_factory=dict)
    decision: Text | None = None
    unknown: list[Text] = Field(default_factory=list)
    intent: Intent | None = None
    expect: ExpectSection


class SuiteSection(Section):
    """A whole PolicyTest file."""

    apiVersion: Literal["gate/v1"]  # noqa: N815  the spelling of Kubernetes files
    kind: Literal["PolicyTest"]
    policy: Text | None = None
    base: dict[str, Any] = Field(default_factory=dict)
    cases: list[CaseSection] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case with all its facts; `where` is its file:line:column.

    None for `only` and `warnings`: whatever others spoke or warned.
    """

    name: str
    where: str
    facts: Facts
    intent: Intent
    outcome: Outcome
    rules: tuple[str, ...]
    only: tuple[str, ...] | None
    warnings: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The cases of one file and the policy they are about."""

    file: str
    policy: Policy
    cases: tuple[Case, ...]


def load_suite(path: Path) -> Suite:
    """The suite in a file, with its policy; raises UsageError, whatever is wrong with either."""
    document = read(path)
    section = fit(document, SuiteSection)
    policy = _policy(document, section, path)
    base = written(document, ("base",)) if section.base else {}
    names = [case.name for case in section.cases]
    cases = []
    for index, case in enumerate(section.cases):
        place: Place = ("cases", index)
        if names.index(case.name) != index:
            raise refuse(document, (*place, "name"), f"two cases are named {case.name!r}")
        _check_rules(document, place, case.expect, policy)
        cases.append(_case(document, place, case, base))
    return Suite(file=str(path), policy=policy, cases=tuple(cases))


def suites_in(path: Path) -> Iterator[Path]:
    """The test files that a path means: all in a folder, that beside a policy, or itself.

    Raises UsageError where there are none.
    """
    if path.is_dir():
        found = sorted(path.rglob(f"*{SUFFIX}"))
        if not found:
            raise UsageError(f"{path}: no *{SUFFIX} in it or below")
        yield from found
        return
    beside = path.with_name(f"{path.stem}{SUFFIX}")
    if path.name.endswith(SUFFIX) or not path.is_file():
        yield path
    elif beside.is_file():
        yield beside
    else:
        raise UsageError(f"{path}: has no tests", f"write them in {beside}")


def _policy(document: Document, section: SuiteSection, path: Path) -> Policy:
    reference = section.policy or f"./{path.name.removesuffix(SUFFIX)}.yaml"
    try:
        return named(reference, path.parent).policy
    except UsageError as error:
        raise refuse(document, ("policy",), error.message, error.hint) from None


def _case(document: Document, place: Place, case: CaseSection, base: dict[str, Value]) -> Case:
    known_words(document, (*place, "unknown"), case.unknown)
    facts, intent = dict(base), Intent.RELEASE
    if case.decision:
        stored, intent = _decision(document, (*place, "decision"), case.decision)
        facts.update(stored)
    if case.facts:
        facts.update(written(document, (*place, "facts")))
    return Case(
        name=case.name,
        where=document.where(place),
        facts={word: value for word, value in facts.items() if word not in case.unknown},
        intent=case.intent or intent,
        outcome=case.expect.outcome,
        rules=tuple(case.expect.rules),
        only=_names(case.expect.only),
        warnings=_names(case.expect.warnings),
    )


def _decision(document: Document, place: Place, name: str) -> tuple[dict[str, Value], Intent]:
    """The facts and the intent of a decision in a file beside the suite."""
    try:
        found = of_decision(Path(document.file).parent / name)
    except UsageError as error:
        raise refuse(document, place, error.message, error.hint) from None
    if found is None:
        raise refuse(
            document,
            place,
            f"{name} holds no decision",
            "one comes from: gate ledger show ID --format stored",
        )
    return found


def _names(listed: list[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)


def _check_rules(document: Document, place: Place, expect: ExpectSection, policy: Policy) -> None:
    own = [*(rule.name for rule in policy.rules), *(freeze.name for freeze in policy.freezes)]
    known = [*own, *_OTHER_VOICES]
    for key in ("rules", "only", "warnings"):
        for index, name in enumerate(getattr(expect, key) or ()):
            if name not in known:
                raise refuse(
                    document,
                    (*place, "expect", key, index),
                    f"the policy {policy.name} has no rule {name!r}{did_you_mean(name, known)}",
                )
