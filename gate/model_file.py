"""A file with a fitted model of change risk, as `gate risk fit` writes it: checked, then read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gate.additive import Model
from gate.document import Document, Place, Section, Text, fit, read, refuse
from gate.risk.features import ALL, SIZES
from gate.risk.model import structured

Number = Annotated[float, Field(allow_inf_nan=False)]
Curve = Annotated[list[Number], Field(min_length=2)]


class FitSection(Section):
    """An intercept, the log-odds at three percentiles, and each curve's values at its knots."""

    intercept: Number
    reference: Annotated[list[Number], Field(min_length=3, max_length=3)]
    values: dict[str, Curve] = Field(min_length=1)


class ModelSection(Section):
    """The whole file."""

    trained: Text
    data: Text
    medians: dict[str, Annotated[Number, Field(ge=0)]]
    knots: dict[str, Curve]
    sizes: FitSection
    history: FitSection


def load(path: Path) -> Model:
    """The model in the file, with the file's SHA-256; raises UsageError with the place."""
    document = read(path, "`gate risk fit --out FILE` writes one")
    section = fit(document, ModelSection)
    for name in section.knots:
        _check_rising(document, ("knots", name), section.knots[name], strictly=True)
    _check_fit(document, section, "sizes", SIZES)
    _check_fit(document, section, "history", ALL)
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    return replace(structured(document.data), sha256=digest)


def _check_fit(
    document: Document, section: ModelSection, name: str, known: tuple[str, ...]
) -> None:
    part: FitSection = getattr(section, name)
    _check_rising(document, (name, "reference"), part.reference)
    for feature, values in part.values.items():
        place: Place = (name, "values", feature)
        if feature not in known:
            hint = f"known: {', '.join(known)}"
            raise refuse(document, place, f"unknown feature {feature!r}", hint)
        _check_there(document, place, feature, section.medians, "medians")
        _check_there(document, place, feature, section.knots, "knots")
        if len(values) != len(section.knots[feature]):
            raise refuse(document, place, f"{len(values)} values for another number of knots")
        if feature in SIZES:  # more lines never make a change safer
            _check_rising(document, place, values)


def _check_there(
    document: Document, place: Place, feature: str, among: Mapping[str, object], key: str
) -> None:
    if feature not in among:
        raise refuse(document, place, f"{feature!r} is not among the `{key}`")


def _check_rising(
    document: Document, place: Place, values: list[float], *, strictly: bool = False
) -> None:
    if any(b < a or (strictly and b == a) for a, b in pairwise(values)):
        raise refuse(document, place, f"{'.'.join(map(str, place))}: the numbers should rise")
