"""Four levels, by where a change stands among others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum


class Level(StrEnum):
    """Four steps, from the least risky."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


# A repository's own changes need no labels: half of them are low, one in twenty is critical.
PERCENTILES = (50.0, 80.0, 95.0)
WINDOW = 500  # a repository's trailing changes that one is compared with
# Among fewer the 95th percentile is hardly the third highest.
FEWEST = 50


def percentile(score: float, others: Sequence[float]) -> float:
    """Percent of the others, ascending, that score lower: an ordinary change stands out of none.

    >>> percentile(3.0, [1.0, 2.0, 3.0, 3.0])
    50.0
    """
    return 100.0 * bisect_left(others, score) / len(others)


def by_percentile(found: float) -> Level:
    """The level of a change that scores higher than this percent of the others."""
    return tuple(Level)[sum(found >= step for step in PERCENTILES)]


def by_reference(score: float, reference: Sequence[float]) -> Level:
    """The level where only the scores at `PERCENTILES` are known."""
    return tuple(Level)[sum(score >= step for step in reference)]
