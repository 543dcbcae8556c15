"""A policy asked about every state that matters: where does it answer strangely?

The states are all combinations of the values at which conditions change sides, as far as facts can
be known together. Too many, and a sample of them is taken, always the same one for the same seed:
what differs in one or two facts from a state that promotes, and others from all over.
Four things are looked for. `milder`: bad news is added and the verdict becomes milder.
`unshown`: a rule says promote although not everything critical was shown; only the guard that no
policy can switch off holds it. `unknown`: only a rule's `on_unknown` decides. `silent`: no rule
speaks. The first two are faults. The others hold, as they should, and are told to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gate.policy.consistency import State, consistent, settled
from gate.policy.evaluate import GUARD, SILENCE
from gate.policy.news import BAD, worse
from gate.policy.policy import Policy
from gate.policy.states import States, key_of
from gate.policy.voices import Voices
from gate.policy.words import Value
from gate.verdict import Outcome, Verdict

# `standard` has 207,360 combinations, of which 30,888 can be: so many are all looked at, in some
# seconds. Of more a sample is, the smaller the more rules there are to ask.
MOST_STATES = 250_000
MOST_ASKED = 300_000


class Kind(StrEnum):
    """What is strange about a state."""

    MILDER = "milder"
    UNSHOWN = "unshown"
    UNKNOWN = "unknown"
    SILENT = "silent"

    @property
    def fault(self) -> bool:
        """Whether the policy has to be changed."""
        return self in (Kind.MILDER, Kind.UNSHOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """One example of what was found, as calm as it can be, and of how many `states` it is one.

    `news`: what `milder` adds to the facts, what follows from it included; `rules` and `outcome`
    are those of the facts alone, `rules_after` and `outcome_after` with the news.
    """

    kind: Kind
    facts: Mapping[str, Value | None]
    outcome: Outcome
    rules: tuple[str, ...]
    news: Mapping[str, Value | None] = field(default_factory=dict)
    outcome_after: Outcome | None = None
    rules_after: tuple[str, ...] = ()
    states: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What was found in `states` states of `possible` combinations; `whole`: all were looked at."""

    found: tuple[Strange, ...]
    states: int
    possible: int
    whole: bool
    words: tuple[str, ...]

    @property
    def faults(self) -> tuple[Strange, ...]:
        return tuple(one for one in self.found if one.kind.fault)


def sweep(policy: Policy, most: int | None = None, seed: int = 0) -> Sweep:
    """Ask the policy about every state if there are at most `most` combinations, or a sample.

    The sample is of `most` draws, which `seed` chooses.
    """
    return _Sweeper(policy).sweep(most, seed)


_Key = tuple[Kind, tuple[Any, ...]]


class _Sweeper:
    def __init__(self, policy: Policy) -> None:
        self.rules = len(policy.rules)
        self.voices = Voices(policy)
        self.states = States(policy, self.voices)
        self.next = {
            word: dict(_next(word, values))
            for word, values in self.states.values.items()
            if word in BAD
        }
        self.verdicts: dict[tuple[Any, ...], Verdict] = {}
        self.found: dict[_Key, tuple[State, str]] = {}
        self.counts: dict[_Key, int] = {}

    def sweep(self, most: int | None, seed: int) -> Sweep:
        whole = self.states.possible <= (most or MOST_STATES)
        draws = most or MOST_ASKED // self.rules
        looked_at = 0
        for state in self.states.all() if whole else self.states.sample(draws, seed):
            looked_at += 1
            for key, word in self._strange(state):
                self.found.setdefault(key, (state, word))
                self.counts[key] = self.counts.get(key, 0) + 1
        found = [self._told(key, *example) for key, example in self.found.items()]
        found.sort(key=lambda one: (tuple(Kind).index(one.kind), one.rules))
        return Sweep(
            found=tuple(found), states=looked_at, possible=self.states.possible, whole=whole,
            words=tuple(self.states.values),
        )  # fmt: skip

    def _strange(self, state: State) -> Iterator[tuple[_Key, str]]:
        """What is strange here, by what makes it the same thing elsewhere; and the fact moved."""
        verdict = self._verdict(state)
        if GUARD in verdict.reasons:
            yield (Kind.UNSHOWN, _rules(verdict, but=GUARD.rule)), ""
        if SILENCE in verdict.reasons:
            yield (Kind.SILENT, ()), ""
        for rule, missing in _only_unknown(verdict):
            yield (Kind.UNKNOWN, (rule, missing)), ""
        for word in self.next:
            after = self._with_news(state, word)
            if after is None:
                continue
            then = self._verdict(after)
            if then.outcome.strictness < verdict.outcome.strictness:
                yield (Kind.MILDER, (word, verdict.outcome, then.outcome)), word

    def _with_news(self, state: State, word: str) -> State | None:
        """The state with the next worse value of the fact; None where there can be none."""
        value = state[word]
        if value is None or value not in self.next[word]:
            return None
        moved = settled({**state, word: self.next[word][value]})
        lost = any(moved[one] is None and state[one] is not None for one in moved)
        if lost or moved[word] == value or not consistent(moved):
            return None
        return moved

    def _verdict(self, state: State) -> Verdict:
        key = key_of(state)
        if key not in self.verdicts:
            self.verdicts[key] = self.voices.verdict(state)
        return self.verdicts[key]

    def _told(self, key: _Key, state: State, word: str) -> Strange:
        state = self._calm(key, state)
        verdict = self._verdict(state)
        after = self._with_news(state, word) if word else None
        then = self._verdict(after) if after else None
        rules, rules_after = _rules(verdict), _rules(then) if then else ()
        news = {one: value for one, value in (after or {}).items() if value != state[one]}
        mattered = {one for rule in (*rules, *rules_after) for one in self.voices.reads(rule)}
        mattered |= set(state) if key[0] is Kind.SILENT else set(news)
        return Strange(
            kind=key[0],
            facts={one: state[one] for one in state if one in mattered},
            outcome=verdict.outcome,
            rules=rules,
            news=news,
            outcome_after=then.outcome if then else None,
            rules_after=rules_after,
            states=self.counts[key],
        )

    def _calm(self, key: _Key, state: State) -> State:
        """The state with as little bad news as shows the same."""
        for word in self.states.values:
            for value in self._calmer(word, state[word]):
                calmer = {**state, word: value}
                if consistent(calmer) and any(one == key for one, _ in self._strange(calmer)):
                    state = calmer
                    break
        return state

    def _calmer(self, word: str, value: Value | None) -> list[Value]:
        """Values that are better news, the best first; where no side is bad, the earlier ones."""
        if word not in BAD:
            values = self.states.values[word]
            return [one for one in values[: values.index(value)] if one is not None]
        best = self.states.best(word)
        return [one for one in best if value is None or worse(word, value, than=one)]


def _next(word: str, values: tuple[Value | None, ...]) -> Iterator[tuple[Value, Value]]:
    """Each value with the one that is next worse to it, where there is one."""
    known = [value for value in values if value is not None]
    for value in known:
        below = [one for one in known if worse(word, one, than=value)]
        for one in below:
            if not any(worse(word, one, than=other) for other in below):
                yield value, one
                break


def _rules(verdict: Verdict, but: str = "") -> tuple[str, ...]:
    return tuple(one.rule for one in verdict.reasons if one.rule != but)


def _only_unknown(verdict: Verdict) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Rules, and the facts they miss, whose `on_unknown` made the verdict as strict as it is.

    None where what is known would be answered as strictly.
    """
    known = [one.outcome.strictness for one in verdict.reasons if not one.unknown]
    if max(known, default=Outcome.HOLD.strictness) < verdict.outcome.strictness:
        strictest = (one for one in verdict.reasons if one.outcome is verdict.outcome)
        yield from ((one.rule, one.unknown) for one in strictest)
