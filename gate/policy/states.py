"""All states of facts that a policy tells apart, or a sample of them.

A sample looks where faults are: most need no more than one or two facts to be odd and all others as
a promote needs them, which a blind draw among many facts would hardly ever hit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from itertools import chain, combinations, count, islice, product
from typing import Any

from gate.policy.consistency import State, consistent, settled
from gate.policy.grid import search
from gate.policy.news import worse
from gate.policy.points import conditions, points
from gate.policy.policy import Policy, Then
from gate.policy.voices import Voices
from gate.policy.words import Value
from gate.verdict import Outcome

# Without it no promote is given, so no state can leave it out.
_SAFE: Mapping[str, tuple[Value | None, ...]] = {"analysis.safe": (True, False)}


class States:
    """The states of one policy; `values`: of each fact those at which it may change its mind."""

    def __init__(self, policy: Policy, voices: Voices) -> None:
        tried = points(conditions(policy))
        read = {word: tuple(one.value for one in options) for word, options in tried.items()}
        self.values: Mapping[str, tuple[Value | None, ...]] = {**_SAFE, **read}
        self._rules = policy.rules
        self._voices = voices

    @property
    def possible(self) -> int:
        """How many combinations there are, whether or not they can be."""
        return math.prod(map(len, self.values.values()))

    def all(self) -> Iterator[State]:
        """Every state that can be."""
        for values in product(*self.values.values()):
            state = dict(zip(self.values, values, strict=True))
            if consistent(state):
                yield state

    def sample(self, draws: int, seed: int) -> Iterator[State]:
        """Some: half the neighbours of a promote, as far as they go; for the rest drawn ones.

        No more than `draws`, and equal ones for equal seeds.
        """
        seen = set()
        near = islice(self._near(), draws // 2)
        for draft in islice(chain(near, self._drawn(seed)), draws):
            state = settled(draft)
            if (key := key_of(state)) not in seen and consistent(state):
                seen.add(key)
                yield state

    def _near(self) -> Iterator[State]:
        """A state that promotes, with any one or two facts changed: most faults need no more."""
        promotes = self._promotes()
        for size in (1, 2) if promotes else ():
            for words in combinations(self.values, size):
                for values in product(*(self.values[word] for word in words)):
                    yield {**(promotes or {}), **dict(zip(words, values, strict=True))}

    def _promotes(self) -> State | None:
        """A state that promotes, with nothing bad in it that need not be; None if none is found."""
        known = {word: tuple(self.best(word)) for word in self.values}
        counting = [rule for rule in self._rules if rule.counts]
        against = [(rule.when, False) for rule in counting if rule.then is not Then.PROMOTE]
        for rule in (one for one in counting if one.then is Then.PROMOTE):
            facts = search([(rule.when, True), *against], known).facts
            if facts is not None:
                state = settled({word: facts.get(word, known[word][0]) for word in self.values})
                if self._voices.verdict(state).outcome is Outcome.PROMOTE:
                    return state
        return None

    def _drawn(self, seed: int) -> Iterator[State]:
        """States by number, drawn by a digest so that equal seeds draw equal ones."""
        for draw in count():
            number = (
                int.from_bytes(hashlib.sha256(f"{seed}:{draw}".encode()).digest()) % self.possible
            )
            state = {}
            for word, values in self.values.items():
                number, index = divmod(number, len(values))
                state[word] = values[index]
            yield state

    def best(self, word: str) -> list[Value]:
        """The values that can be known, the best news first."""
        known = [one for one in self.values[word] if one is not None]
        return sorted(known, key=lambda one: sum(worse(word, one, than=two) for two in known))


def key_of(state: State) -> tuple[Any, ...]:
    """The same for equal states of the same facts, and hashable."""
    try:
        hash(key := tuple(state.values()))
    except TypeError:  # there are labels among them
        return tuple(
            tuple(sorted(one.items())) if isinstance(one, Mapping) else one
            for one in state.values()
        )
    return key
