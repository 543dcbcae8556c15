"""Kubernetes objects as people write them: any value in them, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gate import units
from gate.document import Document, Place
from gate.errors import UsageError
from gate.finding import Finding, Level, finding

# kubectl reads YAML 1.1, where these are true.
_YES = frozenset({"true", "yes", "on", "y"})


@dataclass(frozen=True, slots=True)
class Part:
    """A value and its place; None is what is not written, and stands where it would."""

    document: Document
    place: Place
    value: Any

    def __getitem__(self, key: str) -> Part:
        inner = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Part(self.document, (*self.place, key), inner)

    def at(self, *keys: str) -> Part:
        """What stands under the keys, one in the other."""
        part = self
        for key in keys:
            part = part[key]
        return part

    @property
    def written(self) -> bool:
        return self.value is not None

    @property
    def text(self) -> str:
        """The text; empty where it is something else."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """A whole number, also as text, as Kubernetes' IntOrString; None for all else."""
        if isinstance(self.value, str) and self.value.lstrip("-").isdecimal():
            return int(self.value)
        return self.value if type(self.value) is int else None

    @property
    def amount(self) -> float | None:
        """Any number; None for all else."""
        return float(self.value) if type(self.value) in (int, float) else None

    @property
    def true(self) -> bool:
        return str(self.value).lower() in _YES

    @property
    def seconds(self) -> float:
        """A duration in seconds; NaN where it is none."""
        try:
            return units.seconds(self.text)
        except UsageError:
            return math.nan

    def items(self) -> Iterator[Part]:
        """The members of a list; none where it is none."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Part(self.document, (*self.place, index), value)

    def entries(self) -> Iterator[tuple[str, Part]]:
        """The keys of a mapping and what they hold; none where it is none."""
        if isinstance(self.value, Mapping):
            for key in self.value:
                yield key, self[key]

    def texts(self) -> Iterator[Part]:
        """Every text in it, however deep."""
        if isinstance(self.value, str):
            yield self
        for _, inner in self.entries():
            yield from inner.texts()
        for inner in self.items():
            yield from inner.texts()

    @property
    def where(self) -> str:
        """`file:line:column`."""
        return self.document.where(self.place)

    def wrong(self, check: str, message: str, hint: str = "", of: str = "") -> Finding:
        """An error about it; `of` names the object or the metric."""
        return finding(check, Level.ERROR, self.where, message, hint, of)

    def odd(self, check: str, message: str, hint: str = "", of: str = "") -> Finding:
        """A warning about it."""
        return finding(check, Level.WARNING, self.where, message, hint, of)

    def note(self, check: str, message: str, hint: str = "", of: str = "") -> Finding:
        """What could not be looked at."""
        return finding(check, Level.NOTE, self.where, message, hint, of)


def objects(documents: tuple[Document, ...]) -> Iterator[Part]:
    """Every object with a `kind`, also those in a `List`."""
    for document in documents:
        root = Part(document, (), document.data)
        if root["kind"].text.endswith("List"):
            yield from root["items"].items()
        elif root["kind"].text:
            yield root


def name(thing: Part) -> str:
    """What the object is called."""
    return thing.at("metadata", "name").text
