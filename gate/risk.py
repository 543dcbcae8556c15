"""How likely a change is to be a bad one, told from its size and spread; with every reason.

A rule of thumb, not a measurement: nothing here was fitted to your incidents, and the points are
no probability. It holds that larger and wider changes fail more often, which studies find over
and over (Kamei et al., "A Large-Scale Empirical Study of Just-in-Time Quality Assurance", IEEE
TSE 39(6), 2013: size and diffusion among the predictors of defect-inducing changes), and turns
that into steps a person can check. It stands until a model fitted to a team's own history replaces
it, and never lowers the risk of a change that grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.change import Change


class Level(StrEnum):
    """Four steps, from the least risky."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason: what was counted, the points it gave, and the sentence that says so."""

    name: str
    value: int
    points: float
    words: str


@dataclass(frozen=True, slots=True)
class Risk:
    """The level, the points it comes from, and every factor, also those that gave none."""

    level: Level
    points: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """More than `over` of something gives `points`."""

    over: int
    points: float


# "Review fewer than 200 to 400 lines of code at a time": beyond, reviewers find fewer of the
# defects. SmartBear, Best Kept Secrets of Peer Code Review, 2006, on 2500 reviews at Cisco.
# The third step is five sittings' worth: nobody has read such a change as a whole.
LINES = (_Step(200, 1.0), _Step(400, 2.0), _Step(2000, 3.0))
# Files and directories stand for how many things must be held in mind at once. Where the steps
# lie is judgement: ten files fit on one screen of a review, thirty need a plan for reading.
FILES = (_Step(10, 1.0), _Step(30, 2.0))
# A directory is roughly a component. Up to three is one component with its tests and docs.
DIRECTORIES = (_Step(3, 1.0), _Step(10, 2.0))

# One small step is a remark (medium); two things at once, or a change far too large to review, is
# high; critical needs all three of size, files and spread to be large.
LEVELS = ((6.0, Level.CRITICAL), (3.0, Level.HIGH), (1.0, Level.MEDIUM), (0.0, Level.LOW))


def assess(change: Change) -> Risk:
    """The risk of the change by its lines (added and deleted), files and directories.

    >>> small = Change(base='a', head='b', commits=1, files=2, directories=1,
    ...                lines_added=30, lines_deleted=4)
    >>> assess(small).level
    <Level.LOW: 'low'>
    >>> large = Change(base='a', head='b', commits=9, files=12, directories=2,
    ...                lines_added=1000, lines_deleted=240)
    >>> [factor.words for factor in assess(large).factors][:2]
    ['+2 because 1,240 lines changed (over 400)', '+1 because 12 files changed (over 10)']
    >>> assess(large).level
    <Level.HIGH: 'high'>
    """
    factors = (
        _factor("lines", change.lines_added + change.lines_deleted, LINES),
        _factor("files", change.files, FILES),
        _factor("directories", change.directories, DIRECTORIES, one="directory"),
    )
    points = sum(factor.points for factor in factors)
    level = next(level for least, level in LEVELS if points >= least)
    return Risk(level, points, factors)


def _factor(name: str, value: int, steps: tuple[_Step, ...], one: str = "") -> Factor:
    passed = [step for step in steps if value > step.over]
    points = passed[-1].points if passed else 0.0
    beyond = f"over {passed[-1].over:,}" if passed else f"not over {steps[0].over:,}"
    counted = f"{value:,} {name}" if value != 1 else f"1 {one or name.removesuffix('s')}"
    return Factor(name, value, points, f"+{points:g} because {counted} changed ({beyond})")
