"""Policy and facts to a verdict: every rule that holds speaks, the strictest outcome wins.

Two things no policy can do. Nothing spoke: hold. And a promote is not given out while the analysis
did not show every critical metric not worse, whatever a rule says: absence of bad news promotes
nothing. Nor is it while the policy's evidence table asks for more than was seen. Only a recorded,
approved override lifts these, as it lifts holds, and not while a critical metric is shown worse,
unless the policy lets that rule be overridden by its name (`gate.policy.lift`). Going back is
answered before any rule is asked (`gate.policy.direction`).

A policy that only observes (`Stance.OBSERVE`) changes nothing of this: its outcome is the honest
one, and the verdict says beside it that it is not enforced. Only the edges, which turn verdicts
into exit codes and replies, let an observed hold pass.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gate.errors import GateError
from gate.policy.conditions import Answer, ConditionError, ask
from gate.policy.direction import GOING_BACK, KNOWN_GOOD, believed, convicts, set_aside
from gate.policy.freeze import frozen
from gate.policy.lift import Overrides, in_force
from gate.policy.policy import Mode, OnUnknown, Policy, Rule, Stance
from gate.policy.shortfall import lacking
from gate.policy.situation import NOWHERE, Situation
from gate.policy.words import Facts
from gate.request import Intent
from gate.verdict import Outcome, Reason, Remark, Verdict

Speak = Callable[[Rule, Facts], Iterable[Remark]]

SILENCE = Reason("no rule spoke", Outcome.HOLD, "nothing in the policy applies, so nothing is done")
GUARD = Reason(
    "shown, not assumed",
    Outcome.HOLD,
    "a rule said promote, but not every critical metric was shown not worse",
)
NOT_ENOUGH = "evidence by risk and budget"


def evaluate(
    policy: Policy,
    facts: Facts,
    intent: Intent,
    changes: Sequence[str],
    found: Situation = NOWHERE,
    speak: Speak | None = None,
) -> Verdict:
    """The verdict; `changes` are the sentences on what would change it, `found` the situation.

    `speak` may answer for `spoken` with the same words: searches remember what rules said. Raises
    GateError for a rule that cannot be asked at all.
    """
    enforced = policy.mode is Stance.ENFORCE
    honoured, doubts = believed(found) if intent is Intent.ROLLBACK else (False, ())
    if honoured:
        return Verdict(Outcome.PROMOTE, (GOING_BACK,), enforced=enforced, notes=doubts)
    voices = [(rule, said) for rule in policy.rules for said in (speak or spoken)(rule, facts)]
    calendar = frozen(found.calendar, found.at, facts)
    counted = [_reason(said) for rule, said in voices if rule.counts]
    overrides = in_force(found, policy.overrides)
    reasons = _settled([*counted, *calendar.reasons], policy, facts, overrides)
    outcome = _outcome(reasons)
    return Verdict(
        outcome,
        tuple(sorted(reasons, key=_order)),
        () if outcome is Outcome.PROMOTE else tuple(changes),
        warnings=_remarks(voices, audited=False),
        audited=_remarks(voices, audited=True),
        enforced=enforced,
        notes=(*doubts, *calendar.notes, *overrides.told(reasons, found.overridden)),
    )


def _settled(
    reasons: list[Reason], policy: Policy, facts: Facts, overrides: Overrides
) -> list[Reason]:
    """The reasons, those without weight marked as lifted, and what the gate itself has to say."""
    if facts.get("history.known_good") is True:
        reasons = _on_known_ground(reasons, policy, facts)
    reasons = overrides.lift(reasons)
    if not _counting(reasons):
        reasons.append(overrides.voice or SILENCE)
    if _outcome(reasons) is Outcome.PROMOTE:
        reasons += list(_withheld(reasons, policy, facts, overrides))
    return reasons


def _withheld(
    reasons: Sequence[Reason], policy: Policy, facts: Facts, overrides: Overrides
) -> Iterator[Reason]:
    """Why a promote is not given out, whatever the rules say; marked where an override lifts it."""
    if facts.get("analysis.safe") is not True:
        convicting = {rule.name for rule in policy.rules if convicts(rule.when)}
        liftable = overrides.may_lift_guard(reasons, facts, convicting)
        yield from overrides.lift([GUARD]) if liftable else [GUARD]
    if short := lacking(policy.evidence, facts):
        yield from overrides.lift([Reason(NOT_ENOUGH, Outcome.HOLD, short)])


def _on_known_ground(reasons: list[Reason], policy: Policy, facts: Facts) -> list[Reason]:
    """What surrounds a known-good version is set aside; shown safe, it needs no rule to go on."""
    conditions = {rule.name: rule.when for rule in policy.rules}
    reasons = list(set_aside(reasons, conditions))
    if not _counting(reasons) and facts.get("analysis.safe") is True:
        reasons.append(KNOWN_GOOD)
    return reasons


def _counting(reasons: Sequence[Reason]) -> list[Reason]:
    return [reason for reason in reasons if not reason.lifted]


def _outcome(reasons: Sequence[Reason]) -> Outcome:
    """The strictest of those that count."""
    return max((one.outcome for one in _counting(reasons)), key=lambda one: one.strictness)


def _order(reason: Reason) -> tuple[bool, int, str]:
    """What counts before what was lifted, the strictest first."""
    return bool(reason.lifted), -reason.outcome.strictness, reason.rule


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


def spoken(rule: Rule, facts: Facts) -> Iterator[Remark]:
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
