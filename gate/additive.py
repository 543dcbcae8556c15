"""An additive model of change risk: one curve a feature, whose log-odds add up."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

# Values under the names of `gate.risk.features`.
Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """Log-odds by one feature: linear in log(1 + value) between knots, level beyond them."""

    knots: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, value: float) -> float:
        """The log-odds at a value of the feature."""
        if value <= self.knots[0]:
            return self.values[0]
        if value >= self.knots[-1]:
            return self.values[-1]
        i = bisect_right(self.knots, value) - 1
        low, high = math.log1p(self.knots[i]), math.log1p(self.knots[i + 1])
        share = (math.log1p(value) - low) / (high - low)
        return self.values[i] + share * (self.values[i + 1] - self.values[i])


@dataclass(frozen=True, slots=True)
class Additive:
    """An intercept and curves.

    `reference`: log-odds at the 50th, 80th and 95th percentile of the commits it was fitted to.
    """

    intercept: float
    curves: Mapping[str, Curve]
    reference: tuple[float, ...]

    def log_odds(self, features: Features) -> float:
        """The sum of the curves and the intercept."""
        return self.intercept + math.fsum(
            curve.at(features[name]) for name, curve in self.curves.items()
        )


@dataclass(frozen=True, slots=True)
class Model:
    """Two fits: by size alone, and with the history of the touched files.

    `medians` of the features over the commits of the fit; `data`: their SHA-256. `sha256`: of the
    file it was read from; empty for the one that comes with the gate.
    """

    sizes: Additive
    history: Additive
    medians: Features
    data: str
    sha256: str = ""

    def fit_for(self, features: Features) -> Additive:
        """The fit for what is known."""
        return self.history if set(self.history.curves) <= set(features) else self.sizes
