"""The values of facts at which a policy may change its mind.

A condition like `budget.remaining <= 0.1` answers alike on either side of its number, so three
values tell all of it: one below, the number itself, one above. Numbers and texts are taken from
the conditions' syntax tree. Where an expression compares two facts or does arithmetic its
boundary is no number in the text; some values far out stand for its sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gate.policy.conditions import atoms
from gate.policy.news import always_known
from gate.policy.policy import Policy
from gate.policy.syntax import Atom, Literal
from gate.policy.words import WORDS, Type, Value

# A number beside a boundary; far above a rounding error, far below what anybody means.
NEAR = 1e-6
FAR = 10.0
# No list is made longer; a policy that counts beyond is not told apart there.
LONGEST = 8


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a fact, and how a person would say it; `value` is None for unknown."""

    value: Value | None
    told: str


UNKNOWN = Point(None, "not known")


def conditions(policy: Policy) -> tuple[str, ...]:
    """The conditions that can change the policy's outcome."""
    return tuple(rule.when for rule in policy.rules if rule.counts)


def grid(asked: Iterable[str]) -> Mapping[str, tuple[Point, ...]]:
    """The points of every fact that the conditions read, in the order of `WORDS`."""
    all_atoms = [atom for condition in asked for atom in atoms(condition)]
    read = {word for atom in all_atoms for word in atom.words}
    return {
        word: tuple(_points(word, [atom for atom in all_atoms if word in atom.words]))
        for word in WORDS
        if word in read
    }


def _points(word: str, beside: Sequence[Atom]) -> Iterator[Point]:
    kind = WORDS[word].type
    texts = sorted({one for atom in beside for one in atom.literals if isinstance(one, str)})
    if kind is Type.BOOL:
        yield from (Point(value=True, told="true"), Point(value=False, told="false"))
    elif kind in (Type.INT, Type.DOUBLE):
        yield from _numbers(word, beside)
    elif kind is Type.STRING:
        yield from (Point(one, one) for one in _words(word, texts))
    elif kind is Type.STRINGS:
        yield from _lists(word, texts, _most(beside))
    else:
        yield from (Point(one, str(one)) for one in _labels(texts))
    if not always_known(word):
        yield UNKNOWN


def _numbers(word: str, beside: Sequence[Atom]) -> Iterator[Point]:
    """From low to high; between two boundaries one point is enough."""
    whole = WORDS[word].type is Type.INT
    edges = sorted({edge for atom in beside for edge in _edges(atom)})
    least, most = WORDS[word].least, WORDS[word].most
    for index, edge in enumerate(edges):
        step = 1 if whole else NEAR * max(1.0, abs(edge))
        for value, told in (
            (edge - step, f"below {edge:g}"), (edge, f"{edge:g}"), (edge + step, f"above {edge:g}")
        ):  # fmt: skip
            between = value < edge and index > 0 and edges[index - 1] < value - step / 2
            if least <= value <= most and not between:
                yield Point(round(value) if whole else value, told)


def _edges(atom: Atom) -> Iterator[float]:
    numbers = [float(one) for one in atom.literals if not isinstance(one, str)]
    yield from numbers
    if len(atom.words) > 1 or len(numbers) != 1:
        far = FAR * max([1.0, *map(abs, numbers)])
        yield from (0.0, 1.0, far)


def _words(word: str, texts: Sequence[str]) -> Iterator[str]:
    yield from (str(one) for one in WORDS[word].known or (*texts, "another"))


def _lists(word: str, texts: Sequence[str], most: int) -> Iterator[Point]:
    """Nothing, then ever more of the fact's own; then what the conditions name, one by one."""
    own = WORDS[word].known or [f"{_own(word)} {number + 1}" for number in range(most)]
    yield Point((), "empty")
    yield Point(tuple(own[:1]), "not empty")
    for length in range(2, min(most, len(own)) + 1):
        yield Point(tuple(own[:length]), f"{length} long")
    for text in texts:
        yield Point((text,), f"[{text}]")


def _own(word: str) -> str:
    """A name that cannot be taken for that of another fact, unless they share their members."""
    last = word.rpartition(".")[2].replace("_", " ")
    return {"critical worse": "worse"}.get(last, last)


def _most(beside: Sequence[Atom]) -> int:
    """One more than any size that is asked about; two where sizes of several are compared."""
    sizes = [one + 1 for atom in beside for one in atom.literals if type(one) is int]
    several = any(len(atom.words) > 1 for atom in beside)
    return min(LONGEST, max([1, 2 if several else 1, *sizes]))


def _labels(texts: Sequence[str]) -> Iterator[Mapping[str, str]]:
    yield {}
    for key in texts:
        yield from ({key: text} for text in (*texts, "another") if text != key)
