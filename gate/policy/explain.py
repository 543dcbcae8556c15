"""A verdict taken apart: what each rule read and said, and what would turn the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gate.policy.conditions import ask, words
from gate.policy.consistency import broken
from gate.policy.direction import GOING_BACK
from gate.policy.evaluate import evaluate, spoken
from gate.policy.flip import Flips, flips
from gate.policy.policy import Policy, Rule
from gate.policy.situation import NOWHERE, Situation
from gate.policy.words import Facts, Value
from gate.request import Intent
from gate.verdict import Remark, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One rule: whether it holds (None: unknown), the facts it read, and what it said, if anything.

    A fact that is not known is None.
    """

    rule: Rule
    holds: bool | None
    read: Mapping[str, Value | None]
    said: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The verdict of a policy on some facts, with every rule and the smallest flips.

    `contradictions`: what the facts say that cannot be so; they were then made up.
    """

    policy: Policy
    facts: Facts
    intent: Intent
    verdict: Verdict
    heard: tuple[Heard, ...]
    flips: Flips
    contradictions: tuple[str, ...]


def explain(
    policy: Policy, facts: Facts, intent: Intent, found: Situation = NOWHERE
) -> Explanation:
    """Pure: the same policy, facts and situation are explained in the same words."""
    verdict = evaluate(policy, facts, intent, (), found)
    back = GOING_BACK in verdict.reasons
    return Explanation(
        policy=policy,
        facts=facts,
        intent=intent,
        verdict=verdict,
        heard=() if back else tuple(_heard(one, facts) for one in policy.rules),
        flips=Flips((), 0) if back else flips(policy, facts, found),
        contradictions=tuple(sorted(broken(facts))),
    )


def _heard(rule: Rule, facts: Facts) -> Heard:
    return Heard(
        rule=rule,
        holds=ask(rule.when, facts).holds,
        read={word: facts.get(word) for word in words(rule.when)},
        said=tuple(spoken(rule, facts)),
    )
