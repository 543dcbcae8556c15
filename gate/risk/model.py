"""The additive model: one curve a feature, whose log-odds add up; so its reasons are exact.

Why additive: on the commits it was fitted to, gradient boosting separates bug-introducing commits
no better by more than 0.01 of AUC, and cannot say why; points set by hand do no better than
counting lines. `python -m bench.risk` makes `model.json` and prints the figures.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gate.risk.features import HISTORY, Features


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

    `medians` of the features over the commits of the fit; `data`: their SHA-256.
    """

    sizes: Additive
    history: Additive
    medians: Features
    data: str

    def fit_for(self, features: Features) -> Additive:
        """The fit for what is known."""
        return self.history if set(HISTORY) <= set(features) else self.sizes


def likelihood(log_odds: float) -> float:
    """The probability with these log-odds.

    >>> likelihood(0.0)
    0.5
    """
    return 1.0 / (1.0 + math.exp(-log_odds))


def parse(text: str) -> Model:
    """The model in the JSON that `bench.risk` writes."""
    raw = json.loads(text)

    def additive(part: Any) -> Additive:
        curves = {
            name: Curve(tuple(raw["knots"][name]), tuple(values))
            for name, values in part["values"].items()
        }
        return Additive(part["intercept"], curves, tuple(part["reference"]))

    return Model(additive(raw["sizes"]), additive(raw["history"]), raw["medians"], raw["data"])


@cache
def shipped() -> Model:
    """The model that comes with the gate."""
    return parse(Path(__file__).with_name("model.json").read_text("utf-8"))
