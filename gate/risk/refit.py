"""The shipped model moved towards a team's own labels, and whether that is any better.

Few labels carry few numbers. So the curves keep their shapes; each is stretched by a factor of its
own, and the intercept is fitted anew: log-odds = a + sum b_j curve_j, b_j >= 0 (no size may make a
change safer), the factors shrunk to 1. This is the revision with shrinkage of Steyerberg et al.,
"Validation and updating of predictive logistic regression models", Statistics in Medicine 23, 2004.

It is judged as it will be used: fitted to the older changes, compared on the newest with the model
it would replace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from gate.additive import Additive, Curve, Model
from gate.risk.commits import Commit
from gate.risk.features import ALL, HISTORY
from gate.risk.level import PERCENTILES
from gate.risk.quality import Quality, auc, labels, pr_auc, quality, recall
from gate.series import Array

# With fewer the held-out part cannot tell a better model from luck.
FEWEST_CHANGES = 200
FEWEST_BAD = 30
FEWEST_BAD_HELD_OUT = 5
OLDER = 0.7  # share of the changes, oldest first, that is fitted to
SPREAD = 0.5  # standard deviation of a factor around 1 before any label was seen
RESAMPLES = 500
PLACES = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Refitted minus shipped on the held-out changes, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Both models on the newest changes. `refusal`: why the shipped one stays; empty if it goes."""

    fitted: int
    held_out: int
    bad_held_out: int
    shipped: Quality
    refitted: Quality
    differences: Mapping[str, Difference]
    refusal: str


def too_few(commits: Sequence[Commit]) -> str:
    """Why no model can be told from another by these changes, oldest first; empty if it can."""
    bad = sum(one.buggy for one in commits)
    if len(commits) < FEWEST_CHANGES or bad < FEWEST_BAD:
        return (
            f"{len(commits)} changes are labelled, {bad} of them bad; "
            f"{FEWEST_CHANGES} with {FEWEST_BAD} bad ones are needed"
        )
    late = sum(one.buggy for one in commits[_cut(commits) :])
    if late < FEWEST_BAD_HELD_OUT or late == len(commits) - _cut(commits) or late == bad:
        return f"of the newest {1 - OLDER:.0%} of the changes {late} are bad: too few to compare by"
    return ""


def trial(commits: Sequence[Commit], model: Model, rng: np.random.Generator) -> Trial:
    """The model refitted to the older changes beside itself on the newest; oldest first.

    `too_few` has been asked. `rng` draws the bootstrap.
    """
    older, newest = commits[: _cut(commits)], commits[_cut(commits) :]
    fit = model.fit_for(commits[0].features)
    other = refitted(fit, older)
    differences = _differences(newest, fit, other, rng)
    return Trial(
        fitted=len(older),
        held_out=len(newest),
        bad_held_out=sum(one.buggy for one in newest),
        shipped=quality(newest, fit),
        refitted=quality(newest, other),
        differences=differences,
        refusal=_refusal(differences),
    )


def moved(model: Model, commits: Sequence[Commit], data: str) -> Model:
    """Both fits of the model refitted to all the changes; `data`, the SHA-256 of their file.

    Where the history of the files is not known of them, one fit by size stands for both.
    """
    known = set(HISTORY) <= set(commits[0].features)
    sizes = refitted(model.sizes, commits)
    names = [name for name in ALL if name in commits[0].features]
    return Model(
        sizes=sizes,
        history=refitted(model.history, commits) if known else sizes,
        medians={name: median(one.features[name] for one in commits) for name in names},
        data=data,
    )


def refitted(fit: Additive, commits: Sequence[Commit]) -> Additive:
    """The fit with its intercept and the factors of its curves fitted to these labels."""
    columns = np.array(
        [[curve.at(one.features[name]) for name, curve in fit.curves.items()] for one in commits]
    )
    intercept, *factors = _factors(columns, labels(commits), fit.intercept)
    curves = {
        name: _stretched(curve, factor)
        for (name, curve), factor in zip(fit.curves.items(), factors, strict=True)
    }
    found = Additive(round(intercept, PLACES), curves, ())
    scores = [found.log_odds(one.features) for one in commits]
    reference = np.percentile(scores, PERCENTILES).round(PLACES)
    return replace(found, reference=tuple(reference.tolist()))


def _cut(commits: Sequence[Commit]) -> int:
    return int(OLDER * len(commits))


def _stretched(curve: Curve, factor: float) -> Curve:
    return Curve(curve.knots, tuple(round(factor * value, PLACES) for value in curve.values))


def _factors(columns: Array, bad: Array, intercept: float) -> list[float]:
    """The intercept, and a factor for each column: what would fall below 0 is left at it."""
    kept = np.ones(columns.shape[1], dtype=bool)
    while True:
        weights = _newton(columns[:, kept], bad, intercept)
        if (weights[1:] >= 0).all():
            break
        kept[np.flatnonzero(kept)[weights[1:] < 0]] = False
    factors = np.zeros(len(kept))
    factors[kept] = weights[1:]
    return [float(weights[0]), *factors.tolist()]


def _newton(columns: Array, bad: Array, intercept: float) -> Array:
    """Penalised logistic regression by Newton's method, each step halved until it gains."""
    matrix = np.hstack([np.ones((len(bad), 1)), columns])
    usual = np.ones(matrix.shape[1])
    precision = np.full(matrix.shape[1], SPREAD**-2)
    precision[0] = 0.0  # nothing is known of the team's own rate

    def loss(weights: Array) -> float:
        scores = matrix @ weights
        off = weights - usual
        return float(np.logaddexp(0, scores).sum() - bad @ scores + precision @ off**2 / 2)

    weights = np.concatenate([[intercept], usual[1:]])
    for _ in range(100):
        chances = 1 / (1 + np.exp(-np.clip(matrix @ weights, -30, 30)))
        slope = matrix.T @ (chances - bad) + precision * (weights - usual)
        bend = (matrix.T * (chances * (1 - chances))) @ matrix + np.diag(precision)
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(weights)


def _differences(
    commits: Sequence[Commit], fit: Additive, other: Additive, rng: np.random.Generator
) -> dict[str, Difference]:
    """Of every figure; the changes are drawn again with replacement, the same for both models."""
    bad, lines = labels(commits), np.array([one.lines for one in commits])
    scores = [np.array([one.log_odds(c.features) for c in commits]) for one in (fit, other)]
    drawn: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        at = rng.integers(0, len(bad), len(bad))
        if 0 < bad[at].sum() < len(at):
            for name, value in _gains([one[at] for one in scores], lines[at], bad[at]):
                drawn.setdefault(name, []).append(value)
    return {
        name: Difference(value, *np.percentile(drawn[name], (2.5, 97.5)).tolist())
        for name, value in _gains(scores, lines, bad)
    }


def _gains(scores: Sequence[Array], lines: Array, bad: Array) -> Iterator[tuple[str, float]]:
    chances = [1 / (1 + np.exp(-one)) for one in scores]
    yield "auc", auc(scores[1], bad) - auc(scores[0], bad)
    yield "pr_auc", pr_auc(scores[1], bad) - pr_auc(scores[0], bad)
    before, after = (float(np.mean((one - bad) ** 2)) for one in chances)
    yield "brier", after - before
    yield "recall", recall(chances[1], lines, bad) - recall(chances[0], lines, bad)


def _refusal(differences: Mapping[str, Difference]) -> str:
    """The order (AUC) or the likelihood (Brier) must be shown better, and neither shown worse."""
    order, chance = differences["auc"], differences["brier"]
    if order.high < 0:
        return "it orders the newest changes worse"
    if chance.low > 0:
        return "its likelihoods are further from what became of the newest changes"
    if order.low > 0 or chance.high < 0:
        return ""
    return "on the newest changes it is not better by more than chance"
