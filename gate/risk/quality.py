"""How well scores tell bug-introducing commits from others."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gate.additive import Additive, Model
from gate.risk.commits import Commit
from gate.risk.features import HISTORY
from gate.risk.level import FEWEST, WINDOW, Level, by_percentile, by_reference, percentile
from gate.risk.model import likelihood
from gate.series import Array

EFFORT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """`auc`, `pr_auc`: by order alone. `brier`: mean squared error of the likelihood.

    `recall`: share of the bug-introducing commits among those that a reader reaches who reads 20 %
    of all changed lines, likeliest for its size first (Kamei et al. 2013, section 4.4).
    `lift`: rate of bug-introducing commits in a level over that of all. None: not defined.
    """

    auc: float
    pr_auc: float
    brier: float | None = None
    recall: float | None = None
    lift: Mapping[Level, float] | None = None


def quality(commits: Sequence[Commit], fit: Additive) -> Quality:
    """Of a fit on these commits, oldest first."""
    scores = np.array([fit.log_odds(one.features) for one in commits])
    chances = np.array([likelihood(one) for one in scores])
    buggy = labels(commits)
    return Quality(
        auc=auc(scores, buggy),
        pr_auc=pr_auc(scores, buggy),
        brier=float(np.mean((chances - buggy) ** 2)),
        recall=recall(chances, np.array([one.lines for one in commits]), buggy),
        lift=lift(levels(commits, scores.tolist(), fit.reference), buggy),
    )


def evaluated(commits: Sequence[Commit], model: Model) -> dict[str, Quality]:
    """Of counting lines and of both fits; that with history only where the commits tell it."""
    found = {"lines alone": of_lines(commits), "size and spread": quality(commits, model.sizes)}
    if set(HISTORY) <= set(commits[0].features):
        found["with history"] = quality(commits, model.history)
    return found


def of_lines(commits: Sequence[Commit]) -> Quality:
    """Of counting lines: an order, no likelihood."""
    lines, buggy = np.array([one.lines for one in commits]), labels(commits)
    return Quality(auc=auc(lines, buggy), pr_auc=pr_auc(lines, buggy))


def labels(commits: Sequence[Commit]) -> Array:
    """1 for each that introduced a bug, else 0."""
    return np.array([float(one.buggy) for one in commits])


def auc(scores: Array, buggy: Array) -> float:
    """Probability that a bug-introducing commit scores higher than another; a tie counts half.

    By the rank sum (Mann-Whitney), as in Hanley and McNeil, Radiology 143(1), 1982.
    """
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    bad = buggy.sum()
    return float((ranks[buggy > 0].sum() - bad * (bad + 1) / 2) / (bad * (len(buggy) - bad)))


def pr_auc(scores: Array, buggy: Array) -> float:
    """Average precision: precision at each score that adds recall, weighted by what it adds."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, [True])  # ties are taken together
    found = np.cumsum(buggy[order])[last]
    seen = (np.arange(len(scores)) + 1)[last]
    return float(np.sum(found / seen * np.diff(found, prepend=0.0)) / buggy.sum())


def recall(chances: Array, lines: Array, buggy: Array) -> float:
    """Share of the bug-introducing commits found in `EFFORT` of the lines; see `Quality`."""
    order = np.argsort(-chances / (lines + 1.0), kind="stable")
    reached = np.cumsum(lines[order]) <= EFFORT * lines.sum()
    return float(buggy[order][reached].sum() / buggy.sum())


def levels(
    commits: Sequence[Commit], scores: Sequence[float], reference: Sequence[float]
) -> list[Level]:
    """Of each commit, oldest first, among its project's `WINDOW` commits before it."""
    trailing: dict[str, deque[float]] = defaultdict(deque)
    ordered: dict[str, list[float]] = defaultdict(list)
    found = []
    for commit, score in zip(commits, scores, strict=True):
        before, ascending = trailing[commit.project], ordered[commit.project]
        if len(ascending) >= FEWEST:
            found.append(by_percentile(percentile(score, ascending)))
        else:
            found.append(by_reference(score, reference))
        before.append(score)
        insort(ascending, score)
        if len(before) > WINDOW:
            ascending.remove(before.popleft())
    return found


def lift(found: Sequence[Level], buggy: Array) -> Mapping[Level, float]:
    """Rate in each level that occurs, over the rate of all."""
    levels_ = np.array(found)
    return {
        level: float(buggy[levels_ == level].mean() / buggy.mean())
        for level in Level
        if (levels_ == level).any()
    }
