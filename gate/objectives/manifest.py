"""The objects that YAML files hold, each with its place for complaints.

Why not `gate.document.parse` alone: it reads one document, and these formats are written with
several in a file (`---`), as a list at the top, or as a Kubernetes `List`. Each document is parsed
by it after as many blank lines as stood before, so that every position is that of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import pydantic
import yaml
from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from gate.document import Document, Place, Section, fit, parse, refuse
from gate.errors import UsageError

Model = TypeVar("Model", bound=pydantic.BaseModel)
Text = Annotated[str, Field(min_length=1)]


def _label(value: Any) -> Any:
    """As text. OpenSLO allows lists; Kubernetes writes text only, people also whole numbers."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise PydanticCustomError("unit", "write the value in quotes, so that it stays as written")


Labels = dict[str, Annotated[str, BeforeValidator(_label)]]


class CamelSection(Section):
    """A section whose keys are written `likeThis`."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel)


class Metadata(pydantic.BaseModel):
    """Who an object is; what else Kubernetes writes there is no concern of the gate."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    name: Text
    display_name: str = ""
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object at a place of a document; what it warns of is added to `warnings`."""

    document: Document
    place: Place
    data: Mapping[str, Any] = field(repr=False)
    warnings: list[str] = field(repr=False)

    @property
    def version(self) -> str:
        """`apiVersion`, or `version` where Sloth writes that; empty if there is none."""
        return str(self.data.get("apiVersion") or self.data.get("version") or "")

    @property
    def kind(self) -> str:
        return str(self.data.get("kind") or "")

    @property
    def name(self) -> str:
        """`metadata.name`, empty if there is none."""
        metadata = self.data.get("metadata")
        return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""

    def fit(self, model: type[Model]) -> Model:
        """The object as the model; raises UsageError with one line for each complaint."""
        return fit(self.document, model, self.place)

    def origin(self, at: Place = ()) -> str:
        """`file:line` of a place inside the object."""
        return self.document.where((*self.place, *at)).rpartition(":")[0]

    def refuse(self, at: Place, message: str, hint: str = "") -> UsageError:
        return refuse(self.document, (*self.place, *at), message, hint)

    def warn(self, at: Place, sentence: str) -> None:
        """Adds `file:line: sentence`; an empty one says nothing."""
        if sentence:
            self.warnings.append(f"{self.origin(at)}: {sentence}")

    @contextmanager
    def blaming(self, at: Place) -> Iterator[None]:
        """What is refused within is refused at this place."""
        try:
            yield
        except UsageError as error:
            raise self.refuse(at, error.message, error.hint) from None


def manifests(text: str, file: str, warnings: list[str]) -> Iterator[Manifest]:
    """The objects in the text of a file; raises UsageError with the place of what is not YAML.

    What is no mapping is an object without keys, and so without a version.
    """
    for document in _documents(text, file):
        for place, data in _objects(document.data, ()):
            keys = data if isinstance(data, Mapping) else {}
            yield Manifest(document, place, keys, warnings)


def _documents(text: str, file: str) -> Iterator[Document]:
    lines = text.splitlines(keepends=True)
    starts = list(_starts(text))
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield parse("\n" * start + "".join(lines[start:end]), file)


def _starts(text: str) -> Iterator[int]:
    """The lines on which documents begin; where the text is no YAML, those before that place."""
    yield 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            mark = event.start_mark
            if isinstance(event, yaml.DocumentStartEvent) and mark is not None and mark.line:
                yield mark.line
    except yaml.YAMLError:
        return  # `parse` tells of it, with its place


def _objects(data: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(data, Mapping) and str(data.get("kind")).endswith("List"):
        place, data = (*place, "items"), data.get("items")
    if isinstance(data, list):
        for index, one in enumerate(data):
            yield (*place, index), one
    elif data is not None:
        yield place, data
