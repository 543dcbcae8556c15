"""The smallest change of facts that would turn a verdict: searched for, not guessed.

Facts are moved to the values at which the policy's conditions change sides: one at a time, then two
together, and so on. The first size at which something turns is the smallest, and all that turn
at that size are told. For a hold or a rollback only changes for the better are tried, of facts
that can change; for a promote only those for the worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from gate.policy.conditions import words
from gate.policy.consistency import State, broken, settled
from gate.policy.news import BAD, passes, stands, worse
from gate.policy.points import Point, conditions, points
from gate.policy.policy import Policy
from gate.policy.situation import NOWHERE, Situation
from gate.policy.voices import Voices
from gate.policy.words import Facts, Value
from gate.verdict import Outcome, Verdict

# What was shown worse is three facts by itself; one more may stand in the way. So many tries take
# about a second.
MOST_FACTS = 4
MOST_TRIES = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One fact moved; `value` is None where it would no longer be known, `was` where it is not."""

    word: str
    was: Value | None
    value: Value | None
    told: str


@dataclass(frozen=True, slots=True)
class Flip:
    """Changes that together turn the verdict."""

    changes: tuple[Change, ...]
    outcome: Outcome
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flips:
    """Every smallest flip, the nearest values first; `bounded` when the search was cut off."""

    found: tuple[Flip, ...]
    tried: int
    bounded: bool = False


def flips(policy: Policy, facts: Facts, found: Situation = NOWHERE) -> Flips:
    """The smallest changes of these facts that would turn the policy's verdict on a release."""
    return _Search(policy, facts, found).smallest()


class _Search:
    def __init__(self, policy: Policy, facts: Facts, found: Situation) -> None:
        self.facts = facts
        self.voices = Voices(policy, found)
        self.verdict = self.voices.verdict(facts)
        self.for_worse = self.verdict.outcome is Outcome.PROMOTE
        self.already_broken = broken(facts)
        self.tried = 0
        tried = points(conditions(policy))
        self.read = tuple(tried)
        self.clocks = tuple(word for word in tried if passes(word))
        self.moves = {
            word: moves
            for word, options in tried.items()
            if (moves := tuple(self._moves(word, options)))
        }
        self.reads = {rule.name: frozenset(words(rule.when)) for rule in policy.rules}
        self.promoting = [
            self.reads[rule.name]
            for rule in policy.rules
            if rule.counts and rule.then.outcome is Outcome.PROMOTE
        ]

    def smallest(self) -> Flips:
        for size in range(1, MOST_FACTS + 1):
            found = list(self._of_size(size))
            if found or self.tried >= MOST_TRIES:
                return Flips(tuple(found), self.tried, self.tried >= MOST_TRIES)
        return Flips((), self.tried)

    def _of_size(self, size: int) -> Iterator[Flip]:
        """One flip for each set of facts: that with the nearest values."""
        for chosen in combinations(self.moves, size):
            # Where one clock is moved the others go along.
            clocks = self.clocks if any(map(passes, chosen)) else ()
            if not self._could_turn(frozenset((*chosen, *clocks))):
                continue
            for changes in product(*(self.moves[word] for word in chosen)):
                if self.tried >= MOST_TRIES:
                    return
                if flip := self._turned(changes):
                    yield flip
                    break

    def _could_turn(self, moved: frozenset[str]) -> bool:
        """Every rule in the way of a promote must read one of the words, and so must a promoter."""
        if self.for_worse:
            return True
        voices = self.verdict.reasons
        blockers = [one.rule for one in voices if one.outcome is not Outcome.PROMOTE]
        ways = [self.reads[rule] for rule in blockers if rule in self.reads]
        if not any(one.outcome is Outcome.PROMOTE for one in voices):
            ways.append(frozenset[str]().union(*self.promoting))
        return all(moved & way for way in ways)

    def _turned(self, changes: tuple[Change, ...]) -> Flip | None:
        self.tried += 1
        moved = self._moved(changes)
        if moved is None:
            return None
        verdict = self.voices.verdict(moved)
        if not self._is_turn(verdict.outcome):
            return None
        return Flip(changes, verdict.outcome, _deciding(verdict))

    def _moved(self, changes: tuple[Change, ...]) -> State | None:
        """The facts after these changes and what follows from them; None where that cannot be.

        Time passes for all facts. Bad news may bring others with them; good news may not, but for
        facts that no condition reads: every other change has to be told.
        """
        moved: dict[str, Any] = {**self.facts, **{one.word: one.value for one in changes}}
        moved.update(_waited(self.facts, changes))
        implied = settled(moved, without=self.already_broken)
        fixed = [one.word for one in changes] if self.for_worse else self.read
        return implied if all(implied.get(word) == moved.get(word) for word in fixed) else None

    def _is_turn(self, outcome: Outcome) -> bool:
        return self.for_worse is not (outcome is Outcome.PROMOTE)

    def _moves(self, word: str, options: Sequence[Point]) -> Iterator[Change]:
        """The points that the fact could move to, the nearest first."""
        was = self.facts.get(word)
        values = [point.value for point in options]
        for point in sorted(options, key=lambda point: _distance(was, point.value, values)):
            if point.value != was and self._may(word, was, point.value):
                yield Change(word, was, point.value, point.told)

    def _may(self, word: str, was: Value | None, value: Value | None) -> bool:
        if stands(word):
            return False
        if was is None or value is None:
            return (value is None) is self.for_worse
        if passes(word):
            return bool(value > was)  # type: ignore[operator]
        if word not in BAD:
            return True
        return worse(word, value, was) if self.for_worse else worse(word, was, value)


def _waited(facts: Facts, changes: tuple[Change, ...]) -> dict[str, float]:
    """What the clocks that were not moved themselves show when those that were show their value."""
    ahead = [_later(one) for one in changes if passes(one.word) and one.was is not None]
    moved = {one.word for one in changes}
    return {
        word: minutes + max(ahead)
        for word, minutes in facts.items()
        if ahead and passes(word) and word not in moved and isinstance(minutes, float)
    }


def _later(change: Change) -> float:
    value: Any = change.value
    return float(value - change.was)


def _deciding(verdict: Verdict) -> tuple[str, ...]:
    return tuple(one.rule for one in verdict.reasons if one.outcome is verdict.outcome)


def _distance(was: Any, value: Any, values: Sequence[Any]) -> float:
    """How far a value lies from the present one; no longer knowing it is the farthest."""
    if value is None:
        return math.inf
    if isinstance(was, tuple):
        return float(len(set(was) ^ set(value)))
    if _is_number(was):
        return abs(float(value) - float(was))
    # In the order of the points, and from their end where nothing is known: the least is claimed.
    return float(abs(values.index(value) - (values.index(was) if was in values else len(values))))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
