"""The states that conditions can tell apart, and a search for one in which they are as wanted.

Between two numbers that a condition compares a fact with, it cannot change its mind; so one state
in each gap, and on each number, stands for all. Where facts are computed with (`change.lines /
change.files > 9`) or matched by patterns, the states are only examples: `exact` tells.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import TypeGuard

from gate.policy.conditions import ask, parsed
from gate.policy.expression import Form, Node
from gate.policy.words import WORDS, Facts, Type, Value

MOST = 100_000  # conditions asked in one search; about half a second
_LONGEST = 100  # items of a list that is tried
_COMPARED = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in")
_LOGIC = ("_&&_", "_||_", "!_", "_?_:_", "@not_strictly_false")
_STRIDE = 2_654_435_761  # a prime beside the golden ratio of 2**32: visits all, spread out
_TEXTS = 6  # of more, a list is tried with one at a time and with all
OTHER = "another"  # a text that no condition names

Values = Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """A state that is as wanted, or None; `whole` is false where the bound ended the search."""

    facts: Facts | None
    whole: bool = True


def values(conditions: Iterable[str]) -> Values:
    """For each fact that these conditions mention, the values they can tell apart."""
    numbers: dict[str, set[float]] = defaultdict(set)
    sizes: dict[str, set[int]] = defaultdict(set)
    texts: dict[str, set[str]] = defaultdict(set)
    for condition in dict.fromkeys(conditions):
        _collect(parsed(condition), numbers, sizes, texts)
    return {word: tuple(_values(word, numbers[word], sizes[word], texts[word])) for word in texts}


def states(tried: Values, most: int = MOST, *, unknown: bool = True) -> Iterator[Facts]:
    """Every combination of the values, and of each fact being unknown; at most `most` of them.

    Where there are more, those tried are spread over all, no two alike.
    """
    words = list(tried)
    choices: list[tuple[Value | None, ...]] = [
        (*tried[word], None) if unknown else tried[word] for word in words
    ]
    total = count(tried, unknown=unknown)
    for step in range(min(total, most)):
        at = step if total <= most else step * _STRIDE % total
        chosen: list[Value | None] = []
        for options in choices:
            at, place = divmod(at, len(options))
            chosen.append(options[place])
        yield {word: one for word, one in zip(words, chosen, strict=True) if one is not None}


def count(tried: Values, *, unknown: bool = True) -> int:
    """How many states there are."""
    return math.prod(len(options) + unknown for options in tried.values())


def search(
    wanted: Sequence[tuple[str, bool]], tried: Values, most: int = MOST, known: Facts | None = None
) -> Found:
    """A state in which each condition holds or does not, as wanted, beside what is `known`.

    Facts are chosen one at a time, those first that an open condition misses: what the others are
    does not matter once all are settled, which is what keeps the search short.
    """
    searching = _Search(tried, most)
    facts = searching.grow(list(wanted), dict(known or {}))
    return Found(facts, whole=searching.left > 0)


def exact(condition: str) -> bool:
    """Whether `values` stand for all there are, so that what no state shows cannot be."""
    nodes = list(parsed(condition).walk())
    texts = {node.value for node in nodes if isinstance(node.value, str)}
    return len(texts) <= _TEXTS and all(map(_plain, nodes))


class _Search:
    """Depth first; `left`: how many conditions may still be asked."""

    def __init__(self, tried: Values, most: int) -> None:
        self.tried, self.left = tried, most

    def grow(self, wanted: list[tuple[str, bool]], known: dict[str, Value]) -> Facts | None:
        """The facts known, and what they need in addition."""
        open_, word = [], ""
        for condition, wish in wanted:
            self.left -= 1
            answer = ask(condition, known)
            if answer.holds is None and answer.missing:
                open_.append((condition, wish))
                word = word or answer.missing[0]
            elif answer.holds is not wish:
                return None
        if not open_:
            return known
        for value in self.tried[word]:
            if self.left <= 0:
                return None
            if found := self.grow(open_, {**known, word: value}):
                return found
        return None


def _collect(
    root: Node,
    numbers: dict[str, set[float]],
    sizes: dict[str, set[int]],
    texts: dict[str, set[str]],
) -> None:
    """What a condition compares each of its facts with; a condition's texts go to all of them."""
    written = [one.value for one in root.walk() if one.form is Form.CONSTANT]
    named = [one.name for one in root.walk() if one.form is Form.FIELD]
    said = {one for one in (*written, *named) if isinstance(one, str)}
    for node in root.walk():
        if node.form is Form.WORD and node.name in WORDS:
            texts[node.name] |= said
        if node.form is Form.CALL and node.name in _COMPARED:
            for one, other in pairwise((*node.parts, node.parts[0])):
                _compare(one, other, numbers, sizes)
    if not all(_plain(node) for node in root.walk()):
        # Computed with: every number of the condition may matter to every fact of it.
        for word in {one.name for one in root.walk() if one.name in WORDS}:
            numbers[word] |= set(filter(_is_number, written))


def _compare(
    one: Node, other: Node, numbers: dict[str, set[float]], sizes: dict[str, set[int]]
) -> None:
    told = [value for node in other.walk() if _is_number(value := node.value)]
    if one.form is Form.WORD and one.name in WORDS:
        numbers[one.name] |= set(told)
    elif one.name == "size" and one.parts[0].name in WORDS:
        sizes[one.parts[0].name] |= {int(value) for value in told} if told else {0, 1}


def _values(word: str, numbers: set[float], sizes: set[int], texts: set[str]) -> Iterable[Value]:
    what = WORDS[word]
    if what.type is Type.BOOL:
        return (True, False)
    if what.type in (Type.INT, Type.DOUBLE):
        return _numbers(word, numbers)
    if what.type is Type.STRING:
        return what.known or (*sorted(texts), OTHER)
    if what.type is Type.STRINGS:
        said = texts & set(what.known) if what.known else texts
        return _lists(sorted(said), what.known, sizes)
    return _labels(sorted(texts))


def _numbers(word: str, told: set[float]) -> Iterator[Value]:
    """On each number, between two neighbours, and beyond both ends as far as the fact goes."""
    what = WORDS[word]
    whole = what.type is Type.INT
    ends = {end for end in (what.least, what.most) if math.isfinite(end)}
    marks = sorted({*told, *ends} or {0.0})
    between = [(low + high) / 2 for low, high in pairwise(marks)]
    beyond = [marks[0] - 1, marks[-1] + 1]
    near = [one + step for one in marks for step in (-1, 1)] if whole else []
    tried = {float(math.floor(one)) if whole else float(one) for one in (*between, *beyond, *near)}
    for one in sorted(tried | {one for one in marks if not whole or one == int(one)}):
        if what.least <= one <= what.most:
            yield int(one) if whole else one


def _lists(texts: list[str], known: tuple[str, ...], sizes: set[int]) -> Iterator[Value]:
    """None, some and all of the texts, alone, with another, and of every size asked about.

    No item comes twice: the lists among the facts name things.
    """
    others = [one for one in known if one not in texts]
    if not known:
        others = [OTHER, *(f"{OTHER} {number}" for number in range(2, _LONGEST + 1))]
    lengths = {size + step for size in sizes for step in (0, 1)}
    whole = len(texts) <= _TEXTS
    for taken in range(len(texts) + 1) if whole else (0, 1, len(texts)):
        for chosen in combinations(texts, taken):
            wanted = {0, 1, *(length - taken for length in lengths)}
            for more in sorted(one for one in wanted if 0 <= one <= len(others)):
                yield (*chosen, *others[:more])


def _labels(texts: list[str]) -> Iterator[Value]:
    yield {}
    for key, value in product(texts, (*texts, OTHER)):
        yield {key: value}
    yield dict.fromkeys(texts, OTHER)


def _plain(node: Node) -> bool:
    """Whether the values tried for the facts below it stand for all."""
    if node.form in (Form.FIELD, Form.MAP):
        return False
    if node.form is not Form.CALL or node.name in _LOGIC:
        return True
    if node.name == "size":
        return node.parts[0].name in WORDS
    if node.name in _COMPARED:
        return any(_fixed(part) for part in node.parts) or _sizes(node)
    return False


def _fixed(node: Node) -> bool:
    return all(one.form in (Form.CONSTANT, Form.LIST) for one in node.walk())


def _sizes(node: Node) -> bool:
    """Two sizes that are compared: some of each are tried."""
    return all(part.name == "size" for part in node.parts)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
