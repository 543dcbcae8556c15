"""What Kayenta's judge does to each series before it compares them."""

from __future__ import annotations

import numpy as np

from gate.analysis.kayenta.words import Stats
from gate.kayenta import NanStrategy, Rule
from gate.series import Array


def transformed(values: Array, rule: Rule) -> Array:
    """Without NaN and outliers, each series by itself, in that order."""
    missing = np.isnan(values)
    if rule.nan_strategy is NanStrategy.REPLACE:
        filled = np.where(missing, 0.0, values)
    else:
        filled = values[~missing]
    return filled if rule.outlier_factor is None else _inliers(filled, rule.outlier_factor)


def _inliers(values: Array, factor: float) -> Array:
    """What lies within the fences, or else within the 1st and 99th percentile.

    Tukey's fences, widened to those percentiles; percentiles of R's type 7 (Hyndman & Fan, 1996).
    """
    if not len(values):
        return values
    lowest, quarter, three_quarters, highest = np.percentile(values, [1, 25, 75, 99])
    reach = factor * (three_quarters - quarter)
    below, above = min(lowest, quarter - reach), max(highest, three_quarters + reach)
    inside: Array = values[~((values < below) | (values > above))]
    return inside


def stats(values: Array) -> Stats:
    """`std` is that of a sample (n - 1); 0 for one value."""
    if not len(values):
        return Stats(0, 0.0, 0.0, 0.0, 0.0)
    return Stats(
        count=len(values),
        mean=float(values.mean()),
        std=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        min=float(values.min()),
        max=float(values.max()),
    )
