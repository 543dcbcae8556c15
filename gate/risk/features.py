"""What is counted of a change, under the names of Kamei et al. 2013, and how each count is told.

Kamei et al., "A Large-Scale Empirical Study of Just-in-Time Quality Assurance", IEEE TSE 39(6),
2013, table 1: `la` and `ld` lines added and deleted, `nf` files, `nd` directories, `ns` subsystems
(top-level directories), `ent` the entropy of the lines over the files, `age` days since a touched
file last changed, `nuc` earlier changes of a touched file; the last two are means over the files,
where a new file counts 0. Their features of the author's experience are left out on purpose: they
score people, and they do not carry over from one project to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gate.additive import Features
from gate.change import Change, Counted

SIZES = ("la", "ld", "nf", "nd", "ns", "ent")
HISTORY = ("age", "nuc")
ALL = (*SIZES, *HISTORY)


@dataclass(frozen=True, slots=True)
class Telling:
    """How a feature is told: of this change (one, many), and of the median change."""

    one: str
    many: str
    usual: str


TELLING: Mapping[str, Telling] = {
    "la": Telling("{} line was added", "{} lines were added", "adds {}"),
    "ld": Telling("{} line was deleted", "{} lines were deleted", "deletes {}"),
    "nf": Telling("{} file changed", "{} files changed", "touches {}"),
    "nd": Telling("{} directory changed", "{} directories changed", "touches {}"),
    "ns": Telling(
        "{} top-level directory changed", "{} top-level directories changed", "touches {}"
    ),
    "ent": Telling(
        "the lines spread over the files with {} bit of entropy",
        "the lines spread over the files with {} bits of entropy",
        "has {}",
    ),
    "age": Telling(
        "its files last changed {} day before, on average",
        "its files last changed {} days before, on average",
        "comes after {}",
    ),
    "nuc": Telling(
        "its files had changed {} time before, on average",
        "its files had changed {} times before, on average",
        "touches files with {}",
    ),
}


def words(name: str, value: float, usual: float, where: str) -> str:
    """What was counted beside what is usual.

    >>> words("la", 1240, 31, "change here")
    '1,240 lines were added; the median change here adds 31'
    """
    telling = TELLING[name]
    said = (telling.one if value == 1 else telling.many).format(_number(value))
    return f"{said}; the median {where} {telling.usual.format(_number(usual))}"


def entropy(lines: Iterable[int]) -> float:
    """Of the changed lines over the files in bits: -sum p log2 p (Hassan, ICSE 2009; Kamei 2013).

    >>> entropy([10, 10, 10, 10]), entropy([40, 0])
    (2.0, 0.0)
    """
    counts = [count for count in lines if count > 0]
    total = sum(counts)
    return math.fsum(count / total * math.log2(total / count) for count in counts)


def features(change: Change) -> Features:
    """What is known of the change.

    Where the spread of the lines is not known, it is taken as even: the most it can be.
    """
    known = {
        "la": float(change.lines_added),
        "ld": float(change.lines_deleted),
        "nf": float(change.files),
        "nd": float(change.directories),
        "ns": float(change.directories if change.subsystems is None else change.subsystems),
        "ent": math.log2(max(1, change.files)) if change.entropy is None else change.entropy,
    }
    if change.age is not None and change.changes is not None:
        known |= {"age": change.age, "nuc": change.changes}
    return known


def recent(rows: Sequence[Counted]) -> list[Features]:
    """The same of a repository's earlier changes."""
    return [
        {
            name: float(value)
            for name, value in zip(ALL, row, strict=False)  # a shorter row has no history
        }
        for row in rows
    ]


def _number(value: float) -> str:
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    if value < 0.1:
        return "under 0.1"
    return f"{value:.2g}"
