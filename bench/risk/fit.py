"""Fitting: logistic regression on increasing segments, so that slopes can be kept from falling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize

from gate.additive import Additive, Curve
from gate.risk.commits import Commit
from gate.risk.features import HISTORY
from gate.risk.level import PERCENTILES
from gate.risk.quality import labels
from gate.series import Array

# About equal steps in log(1 + value), the last one near the 99.5th percentile of the data.
KNOTS: Mapping[str, tuple[float, ...]] = {
    "la": (0, 1, 3, 10, 30, 100, 300, 1000, 3000),
    "ld": (0, 1, 3, 10, 30, 100, 300, 1000),
    "nf": (1, 2, 4, 8, 16, 32, 64),
    "nd": (1, 2, 4, 8, 16),
    "ns": (1, 2, 4),
    "ent": (0, 0.5, 1, 1.5, 2, 3, 4),
    "age": (0, 0.03, 0.3, 1, 3, 10, 30, 100, 300, 1000),
    "nuc": (0, 1, 3, 10, 30, 100, 300),
}
# Of the squared slopes: between 5 and 50 no AUC moves by more than 0.001.
PENALTY = 20.0
PLACES = 3


def fitted(commits: Sequence[Commit], names: Sequence[str]) -> Additive:
    """The likeliest curves of these features; those of size never fall."""
    columns = [_segments(commits, name) for name in names]
    free = [name in HISTORY for name, part in zip(names, columns, strict=True) for _ in part.T]
    weights = _regression(np.hstack(columns), labels(commits), free)
    slopes = iter(weights[1:])
    curves = {name: _curve(name, slopes) for name in names}
    fit = Additive(round(float(weights[0]), PLACES), curves, ())
    scores = [fit.log_odds(one.features) for one in commits]
    reference = np.percentile(scores, PERCENTILES).round(PLACES)
    return Additive(fit.intercept, curves, tuple(reference.tolist()))


def _segments(commits: Sequence[Commit], name: str) -> Array:
    """For each pair of knots how far the value has come between them, in log(1 + value)."""
    values = np.log1p([one.features[name] for one in commits])
    knots = np.log1p(KNOTS[name])
    return np.stack([np.clip(values - a, 0, b - a) for a, b in pairwise(knots)], axis=1)


def _curve(name: str, slopes: Iterator[float]) -> Curve:
    steps = np.diff(np.log1p(KNOTS[name]))
    rises = [float(next(slopes) * step) for step in steps]
    values = np.concatenate([[0.0], np.cumsum(rises)]).round(PLACES)
    return Curve(KNOTS[name], tuple(values.tolist()))


def _regression(columns: Array, buggy: Array, free: Sequence[bool]) -> Array:
    """Penalised logistic regression by bounded L-BFGS; the slopes that are not free are >= 0."""
    matrix = np.hstack([np.ones((len(buggy), 1)), columns])

    def loss(weights: Array) -> tuple[float, Array]:
        scores = matrix @ weights
        slopes = np.concatenate([[0.0], weights[1:]])
        value = np.logaddexp(0, scores).sum() - buggy @ scores + PENALTY / 2 * slopes @ slopes
        return value, matrix.T @ (1 / (1 + np.exp(-scores)) - buggy) + PENALTY * slopes

    bounds = [(None, None), *((None if one else 0.0, None) for one in free)]
    start = np.zeros(matrix.shape[1])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000}
    )
    return np.asarray(found.x)
