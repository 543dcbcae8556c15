"""The values of a fact at which a policy may change its mind, and how a person says them.

They are the values of `gate.policy.grid`, less those that no condition tells from others: between
two numbers that conditions name one is enough, as long as nothing is computed with the fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from gate.policy.conditions import parsed
from gate.policy.grid import exact, values
from gate.policy.news import always_known
from gate.policy.policy import Policy
from gate.policy.words import WORDS, Type, Value


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a fact, and how a person would say it; `value` is None for unknown."""

    value: Value | None
    told: str


UNKNOWN = Point(None, "not known")


def conditions(policy: Policy) -> tuple[str, ...]:
    """The conditions that can change the policy's outcome, its evidence table as one of them."""
    asked = tuple(rule.when for rule in policy.rules if rule.counts)
    return (*asked, "evidence.enough") if policy.evidence else asked


def points(asked: Iterable[str]) -> Mapping[str, tuple[Point, ...]]:
    """The points of every fact that the conditions read, in the order of `WORDS`."""
    asked = tuple(dict.fromkeys(asked))
    tried = values(asked)
    marks = _marks(asked)
    thin = all(map(exact, asked))
    return {
        word: (*_points(word, tried[word], marks, thin=thin), *_unknown(word))
        for word in WORDS
        if word in tried
    }


def _unknown(word: str) -> tuple[Point, ...]:
    return () if always_known(word) else (UNKNOWN,)


def _marks(asked: Iterable[str]) -> list[float]:
    """Every number that is written in the conditions."""
    written = (node.value for one in asked for node in parsed(one).walk())
    return sorted({float(one) for one in written if _is_number(one)})


def _is_number(one: object) -> TypeGuard[float]:
    return isinstance(one, int | float) and not isinstance(one, bool)


def _points(
    word: str, tried: Sequence[Value], marks: Sequence[float], *, thin: bool
) -> Iterator[Point]:
    if WORDS[word].type not in (Type.INT, Type.DOUBLE):
        yield from (Point(value, _said(value)) for value in tried)
        return
    numbers: Sequence[Any] = tried
    shown = set()
    for value in numbers:
        told = _between(value, [mark for mark in marks if mark in numbers])
        if not thin:
            yield Point(value, f"{value:g}")
        elif told not in shown:
            shown.add(told)
            yield Point(value, told)


def _between(value: float, marks: Sequence[float]) -> str:
    """Where a number lies among the marks, which is all that conditions ask of it."""
    if value in marks or not marks:
        return f"{value:g}"
    below = [mark for mark in marks if mark < value]
    return f"above {below[-1]:g}" if below else f"below {marks[0]:g}"


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        named = [one for one in value if not one.startswith("another")]
        return f"[{', '.join(named)}]" if named else _sized(len(value))
    return value if isinstance(value, str) else str(value)


def _sized(length: int) -> str:
    return {0: "empty", 1: "not empty"}.get(length, f"{length} long")
