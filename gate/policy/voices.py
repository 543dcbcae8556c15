"""What rules say, remembered: a search asks for the same values of the same facts again and again.

A rule depends on nothing but the facts in its condition and its message, so it is asked once for
each of their combinations, and of a policy of many rules few are asked at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gate.policy.consistency import State
from gate.policy.evaluate import evaluate, spoken, words_filled
from gate.policy.policy import Policy, Rule
from gate.policy.syntax import words_read
from gate.policy.words import Facts
from gate.request import Intent
from gate.verdict import Remark, Verdict


class Voices:
    """One policy, asked often."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._reads = {
            rule.name: tuple(dict.fromkeys((*words_read(rule.when), *words_filled(rule.message))))
            for rule in policy.rules
        }
        self._said: dict[tuple[str, tuple[Any, ...]], tuple[Remark, ...]] = {}

    def verdict(self, state: State, intent: Intent = Intent.RELEASE) -> Verdict:
        """What `evaluate` says of the facts that are known in the state."""
        facts: Facts = state  # type: ignore[assignment]  # None reads as missing, see `_speak`
        return evaluate(self.policy, facts, intent, (), self._speak)

    def reads(self, rule: str) -> tuple[str, ...]:
        """The facts that a rule depends on; none for what no rule of the policy said."""
        return self._reads.get(rule, ())

    def _speak(self, rule: Rule, facts: Facts) -> tuple[Remark, ...]:
        values = tuple(map(facts.get, self._reads[rule.name]))
        key = (rule.name, tuple(map(_hashable, values)))
        if key not in self._said:
            read = zip(self._reads[rule.name], values, strict=True)
            known = {word: value for word, value in read if value is not None}
            self._said[key] = tuple(spoken(rule, known))
        return self._said[key]


def _hashable(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value
