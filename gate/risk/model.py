"""The additive model: one curve a feature, whose log-odds add up; so its reasons are exact.

Why additive: on the commits it was fitted to, gradient boosting separates bug-introducing commits
no better by more than 0.01 of AUC, and cannot say why; points set by hand do no better than
counting lines. `python -m bench.risk` makes `model.json` and prints the figures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from gate.additive import Additive, Curve, Model
from gate.risk.features import ALL


def likelihood(log_odds: float) -> float:
    """The probability with these log-odds.

    >>> likelihood(0.0)
    0.5
    """
    return 1.0 / (1.0 + math.exp(-log_odds))


def parse(text: str) -> Model:
    """The model in the JSON that `to_text` writes."""
    return structured(json.loads(text))


def structured(raw: Any) -> Model:
    """The model in what JSON or YAML made of it."""

    def additive(part: Any) -> Additive:
        curves = {
            name: Curve(_floats(raw["knots"][name]), _floats(values))
            for name, values in part["values"].items()
        }
        return Additive(float(part["intercept"]), curves, _floats(part["reference"]))

    medians = {name: float(value) for name, value in raw["medians"].items()}
    return Model(additive(raw["sizes"]), additive(raw["history"]), medians, raw["data"])


def _floats(numbers: Iterable[float]) -> tuple[float, ...]:
    """JSON has whole numbers too; a decision that carries the model is stored as it is read."""
    return tuple(map(float, numbers))


@cache
def shipped() -> Model:
    """The model that comes with the gate."""
    return parse(Path(__file__).with_name("model.json").read_text("utf-8"))


def to_text(model: Model, trained: str) -> str:
    """The model as `parse` reads it; `trained` says of what it was made."""
    curves = {**model.sizes.curves, **model.history.curves}
    parts = {
        "trained": trained,
        "data": model.data,
        "medians": model.medians,
        "knots": {name: curves[name].knots for name in ALL if name in curves},
        "sizes": _part(model.sizes),
        "history": _part(model.history),
    }
    return json.dumps(parts, separators=(",", ":")) + "\n"


def _part(fit: Additive) -> dict[str, Any]:
    values = {name: curve.values for name, curve in fit.curves.items()}
    return {"intercept": fit.intercept, "reference": fit.reference, "values": values}
