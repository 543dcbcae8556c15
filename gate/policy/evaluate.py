"""Policy and facts to a verdict: every rule that holds speaks, the strictest outcome wins.

Two things no policy can do. Nothing spoke: hold. And a promote is not given out while the analysis
did not show every critical metric not worse, whatever a rule says: absence of bad news promotes
nothing. Nor is it while the policy's own evidence table asks for more than was seen. Going back to a known-good version is answered before any rule is asked.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gate.policy.conditions import ask
from gate.policy.facts import Facts
from gate.policy.policy import OnUnknown, Policy, Rule
from gate.policy.shortfall import lacking
from gate.request import Intent
from gate.verdict import Outcome, Reason, Verdict

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
    """The verdict; `changes` are the sentences on what would change it."""
    if intent is Intent.ROLLBACK:
        return Verdict(Outcome.PROMOTE, (GOING_BACK,))
    spoken = [reason for rule in policy.rules for reason in _spoken(rule, facts)]
    reasons = spoken or [SILENCE]
    outcome = max((reason.outcome for reason in reasons), key=lambda one: one.strictness)
    withheld = list(_withheld(policy, facts)) if outcome is Outcome.PROMOTE else []
    if withheld:
        reasons, outcome = [*reasons, *withheld], Outcome.HOLD
    ordered = sorted(reasons, key=lambda reason: (-reason.outcome.strictness, reason.rule))
    return Verdict(outcome, tuple(ordered), () if outcome is Outcome.PROMOTE else tuple(changes))


def _withheld(policy: Policy, facts: Facts) -> Iterator[Reason]:
    """Why a promote is not given out, whatever the rules say."""
    if facts.get("analysis.safe") is not True:
        yield GUARD
    if short := lacking(policy.evidence, facts):
        yield Reason(NOT_ENOUGH, Outcome.HOLD, short)


def _spoken(rule: Rule, facts: Facts) -> Iterator[Reason]:
    answer = ask(rule.when, facts)
    if answer.holds:
        yield Reason(rule.name, rule.then, fill(rule.message, facts), docs=rule.docs)
    elif answer.holds is None and rule.on_unknown is not OnUnknown.IGNORE:
        why = answer.fault or f"{', '.join(answer.missing)} is not known"
        yield Reason(
            rule.name,
            Outcome(rule.on_unknown),
            f"cannot be told: {why}",
            unknown=answer.missing,
            docs=rule.docs,
        )


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
