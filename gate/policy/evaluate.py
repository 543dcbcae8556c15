"""Policy and facts to a verdict: every rule that holds speaks, the strictest outcome wins.

Two things no policy can do. Nothing spoke: hold. And a promote is not given out while the analysis
did not show every critical metric not worse, whatever a rule says: absence of bad news promotes
nothing. Nor is it while the policy's evidence table asks for more than was seen. Going back to a
known-good version is answered before any rule is asked.

A policy that only observes (`Stance.OBSERVE`) changes nothing of this: its outcome is the honest
one, and the verdict says beside it that it is not enforced. Only the edges, which turn verdicts
into exit codes and replies, let an observed hold pass.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gate.errors import GateError
from gate.policy.conditions import Answer, ConditionError, ask
from gate.policy.policy import Mode, OnUnknown, Policy, Rule, Stance
from gate.policy.shortfall import lacking
from gate.policy.words import Facts
from gate.request import Intent
from gate.verdict import Outcome, Reason, Remark, Verdict

SILENCE = Reason("no rule spoke", Outcome.HOLD, "nothing in the policy applies, so nothing is done")
GUARD = Reason(
    "shown, not assumed",
    Outcome.HOLD,
    "a rule said promote, but not every critical metric was shown not worse",
)
NOT_ENOUGH = "evidence by risk and budget"
GOING_BACK = Reason(
    "going back is never blocked",
    Outcome.PROMOTE,
    "this request returns to a known-good version; budget, risk and freezes do not apply",
)


def evaluate(policy: Policy, facts: Facts, intent: Intent, changes: Sequence[str]) -> Verdict:
    """The verdict; `changes` are the sentences on what would change it.

    Raises GateError for a rule that cannot be asked at all.
    """
    enforced = policy.mode is Stance.ENFORCE
    if intent is Intent.ROLLBACK:
        return Verdict(Outcome.PROMOTE, (GOING_BACK,), enforced=enforced)
    voices = [(rule, said) for rule in policy.rules for said in _spoken(rule, facts)]
    reasons = [_reason(said) for rule, said in voices if rule.counts] or [SILENCE]
    outcome = max((reason.outcome for reason in reasons), key=lambda one: one.strictness)
    withheld = list(_withheld(policy, facts)) if outcome is Outcome.PROMOTE else []
    if withheld:
        reasons, outcome = [*reasons, *withheld], Outcome.HOLD
    return Verdict(
        outcome,
        tuple(sorted(reasons, key=lambda reason: (-reason.outcome.strictness, reason.rule))),
        () if outcome is Outcome.PROMOTE else tuple(changes),
        warnings=_remarks(voices, audited=False),
        audited=_remarks(voices, audited=True),
        enforced=enforced,
    )


def _withheld(policy: Policy, facts: Facts) -> Iterator[Reason]:
    """Why a promote is not given out, whatever the rules say."""
    if facts.get("analysis.safe") is not True:
        yield GUARD
    if short := lacking(policy.evidence, facts):
        yield Reason(NOT_ENOUGH, Outcome.HOLD, short)


def _remarks(voices: Sequence[tuple[Rule, Remark]], *, audited: bool) -> tuple[Remark, ...]:
    told = [
        said for rule, said in voices if not rule.counts and (rule.mode is Mode.AUDIT) is audited
    ]
    return tuple(sorted(told, key=lambda said: said.rule))


def _reason(said: Remark) -> Reason:
    """What counts has an outcome."""
    assert said.outcome is not None  # noqa: S101  a rule that only warns never counts
    return Reason(
        said.rule, said.outcome, said.message, said.unknown, docs=said.docs, owner=said.owner
    )


def _spoken(rule: Rule, facts: Facts) -> Iterator[Remark]:
    """What the rule says, whether or not it counts; silence when it does not hold."""
    answer = asked(rule, facts)
    if answer.holds:
        message = fill(rule.message, facts)
        yield Remark(rule.name, rule.then.outcome, message, docs=rule.docs, owner=rule.owner)
    elif answer.holds is None and rule.on_unknown is not OnUnknown.IGNORE:
        why = answer.fault or f"{', '.join(answer.missing)} is not known"
        outcome = rule.then.outcome and Outcome(rule.on_unknown)
        yield Remark(
            rule.name,
            outcome,
            f"cannot be told: {why}",
            unknown=answer.missing,
            docs=rule.docs,
            owner=rule.owner,
        )


def asked(rule: Rule, facts: Facts) -> Answer:
    """Whether the rule holds; raises GateError for a condition that this gate cannot ask."""
    try:
        return ask(rule.when, facts)
    except ConditionError as error:
        raise GateError(
            f"rule {rule.name!r} cannot be asked: {error.message}",
            "check the policy with: gate policy lint",
        ) from None


def fill(message: str, facts: Facts) -> str:
    """The message with `{fact}` and `{fact:format}` filled in; a missing fact reads `unknown`.

    >>> fill("{budget.remaining:.0%} left, {analysis.worse}", {"budget.remaining": 0.4,
    ...     "analysis.worse": ("errors", "latency p99")})
    '40% left, errors, latency p99'
    """
    return "".join(
        text + ("" if word is None else _filled(word, form or "", facts))
        for text, word, form, _ in string.Formatter().parse(message)
    )


def _filled(word: str, form: str, facts: Facts) -> str:
    value: Any = facts.get(word)
    if value is None:
        return "unknown"
    if isinstance(value, Mapping):
        value = tuple(f"{name}={text}" for name, text in sorted(value.items()))
    if isinstance(value, tuple):
        value = ", ".join(value) or "none"
    return format(value, form)
