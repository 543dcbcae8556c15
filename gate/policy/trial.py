"""Trying a policy on its cases: what differs from what was expected, and what was never tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gate.policy.conditions import ask, words
from gate.policy.evaluate import evaluate
from gate.policy.policy import Policy, Rule
from gate.policy.suite import Case, Suite
from gate.policy.words import Value
from gate.request import Intent
from gate.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One case and its answer; passed where `complaints` is empty.

    `mattered`: what the conditions of the differing rules read; None for a fact not known.
    """

    case: Case
    verdict: Verdict
    complaints: tuple[str, ...]
    mattered: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """In which of its three states a rule was seen.

    A state is None where the rule cannot be in it: one that reads no fact has but one.
    """

    rule: str
    true: bool | None
    false: bool | None
    unknown: bool | None

    @property
    def marks(self) -> tuple[bool, ...]:
        return tuple(one for one in (self.true, self.false, self.unknown) if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """All cases that are about one policy."""

    policy: Policy
    files: tuple[str, ...]
    tried: tuple[Tried, ...]
    seen: tuple[Seen, ...]

    @property
    def failed(self) -> tuple[Tried, ...]:
        return tuple(one for one in self.tried if one.complaints)

    @property
    def unused(self) -> tuple[str, ...]:
        """The rules that held in no case."""
        return tuple(one.rule for one in self.seen if one.true is False)


def trial(suites: Sequence[Suite]) -> Trial:
    """Every case of these suites, which all are about the same policy."""
    policy = suites[0].policy
    cases = [case for suite in suites for case in suite.cases]
    return Trial(
        policy=policy,
        files=tuple(suite.file for suite in suites),
        tried=tuple(_tried(policy, case) for case in cases),
        seen=tuple(_seen(rule, cases) for rule in policy.rules),
    )


def covered(trials: Sequence[Trial]) -> float:
    """The share of all marks that were seen, from 0 to 1.

    A mark is a rule seen true, seen false or seen unknown; a rule that reads no fact has one.
    """
    marks = [mark for one in trials for seen in one.seen for mark in seen.marks]
    return sum(marks) / len(marks)


def _tried(policy: Policy, case: Case) -> Tried:
    verdict = evaluate(policy, case.facts, case.intent, ())
    complaints = tuple(_complaints(case, verdict))
    differing = _differing(policy, case, verdict) if complaints else []
    read = dict.fromkeys(word for rule in differing for word in words(rule.when))
    return Tried(
        case=case,
        verdict=verdict,
        complaints=complaints,
        mattered={word: case.facts.get(word) for word in read},
    )


def _complaints(case: Case, verdict: Verdict) -> Iterator[str]:
    spoke = _spoke(verdict)
    if verdict.outcome is not case.outcome:
        yield f"expected {case.outcome}, got {verdict.outcome}"
    wanted = (*case.rules, *(case.only or ()))
    for name in dict.fromkeys(name for name in wanted if name not in spoke):
        yield f"expected {name!r} to speak, and it did not"
    if case.only is not None:
        for name in sorted(spoke - {*case.only, *case.rules}):
            yield f"expected {name!r} not to speak, and it did"
    warned = {remark.rule for remark in verdict.warnings}
    if case.warnings is not None and warned != set(case.warnings):
        told = ", ".join(sorted(warned)) or "nobody"
        yield f"expected warnings of {', '.join(case.warnings) or 'nobody'}, got {told}"


def _spoke(verdict: Verdict) -> set[str]:
    """Every voice, also those that do not count."""
    remarks = (*verdict.warnings, *verdict.audited)
    return {one.rule for one in verdict.reasons} | {one.rule for one in remarks}


def _differing(policy: Policy, case: Case, verdict: Verdict) -> list[Rule]:
    """The rules that spoke against what was expected, and those expected that did not speak."""
    return [rule for rule in policy.rules if _differs(rule, case, verdict)]


def _differs(rule: Rule, case: Case, verdict: Verdict) -> bool:
    warned = any(remark.rule == rule.name for remark in verdict.warnings)
    if case.warnings is not None and warned is not (rule.name in case.warnings):
        return True
    wanted = {*case.rules, *(case.only or ())}
    wrong = verdict.outcome is not case.outcome
    if rule.name not in _spoke(verdict):
        return rule.name in wanted or (wrong and rule.then.outcome is case.outcome)
    said = [reason.outcome for reason in verdict.reasons if reason.rule == rule.name]
    unwanted = case.only is not None and rule.name not in wanted
    return unwanted or (wrong and verdict.outcome in said)


def _seen(rule: Rule, cases: Sequence[Case]) -> Seen:
    answers = {
        ask(rule.when, case.facts).holds for case in cases if case.intent is not Intent.ROLLBACK
    }
    if words(rule.when):
        return Seen(rule.name, True in answers, False in answers, None in answers)
    always = ask(rule.when, {}).holds
    return Seen(
        rule.name, *(bool(answers) if state is always else None for state in (True, False, None))
    )
