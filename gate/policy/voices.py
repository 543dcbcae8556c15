"""What rules say, remembered: a search asks for the same values of the same facts again and again.

A rule depends on nothing but the facts that its condition reads, so it is asked once for each of
their combinations, and of a policy of many rules few are asked at all. Messages are left out: a
search wants to know who spoke for what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gate.policy.conditions import words
from gate.policy.consistency import State
from gate.policy.evaluate import evaluate, spoken
from gate.policy.policy import Policy, Rule
from gate.policy.situation import NOWHERE, Situation
from gate.policy.words import WORDS, Facts, Type
from gate.request import Intent
from gate.verdict import Remark, Verdict

_Said = dict[tuple[Any, ...], tuple[Remark, ...]]


class Voices:
    """One policy, asked often; its rules that do not count are not asked.

    The calendar of the situation `found` is left to the facts `calendar.*`, which a search moves.
    """

    def __init__(self, policy: Policy, found: Situation = NOWHERE) -> None:
        self._found = replace(found, calendar=None)
        rules = tuple(replace(rule, message="") for rule in policy.rules if rule.counts)
        self._policy = replace(policy, rules=rules)
        self._rules = {rule.name: (words(rule.when), _Said()) for rule in rules}

    def verdict(self, state: State) -> Verdict:
        """What `evaluate` says of the facts that are known in the state, without its messages."""
        facts: Facts = state  # type: ignore[assignment]  # None reads as missing, see `_speak`
        return evaluate(self._policy, facts, Intent.RELEASE, (), self._found, self._speak)

    def reads(self, rule: str) -> tuple[str, ...]:
        """The facts that a rule depends on; none for what no rule of the policy said."""
        return self._rules[rule][0] if rule in self._rules else ()

    def _speak(self, rule: Rule, facts: Facts) -> tuple[Remark, ...]:
        read, said = self._rules[rule.name]
        key = tuple([_hashable(word, facts.get(word)) for word in read])
        if key not in said:
            known = {word: facts[word] for word in read if facts.get(word) is not None}
            said[key] = tuple(spoken(rule, known))
        return said[key]


_LABELS = frozenset(word for word, what in WORDS.items() if what.type is Type.LABELS)


def _hashable(word: str, value: Any) -> Any:
    return tuple(sorted(value.items())) if word in _LABELS and value is not None else value
