"""The `change:` of a Service file: where the change is read, and what its files count as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gate.additive import Model
from gate.catalog import dependents
from gate.document import AsWritten, Document, Name, Section, Text, refuse
from gate.errors import UsageError
from gate.model_file import load
from gate.service import ChangeRange, Globs, PullRange


def _glob(value: object) -> object:
    """A pattern that git would take; one that excludes (`!`) has nothing to exclude from."""
    if isinstance(value, str):
        if value.startswith(("!", "#")) or not value.strip():
            raise PydanticCustomError("unit", "write a glob as in .gitignore, such as gen/**")
        from pathspec import GitIgnoreSpec

        try:
            GitIgnoreSpec.from_lines([value])
        except (ValueError, re.error) as error:
            why = str(error).partition("\n")[0]
            raise PydanticCustomError("unit", "not a glob: {why}", {"why": why}) from None
    return value


Patterns = Annotated[list[Annotated[str, BeforeValidator(_glob)]], Field(min_length=1)]


class PullSection(Section):
    """Where reviews, labels and checks of the change are read; `number` for one pull request."""

    source: str
    number: Annotated[AsWritten, Field(min_length=1)] | None = None


class ChangeSection(Section):
    """Where the change between the two versions is read, and globs over the paths it touches.

    `paths`: kinds of files for `change.touches`; one of the gate's own names takes its place.
    `dependents`: how many depend on the service, or their names; or `catalog`, a folder with
    Backstage's `catalog-info.yaml` files, where the service has the name `entity`. `model`: a file
    that `gate risk fit` wrote. `pull`: its pull requests.
    """

    source: str
    base: Text = "{{baseline}}"
    head: Text = "{{canary}}"
    generated: Patterns | None = None
    vendored: Patterns | None = None
    paths: dict[str, Patterns] = Field(default_factory=dict)
    components: dict[str, Patterns] | None = Field(None, min_length=1)
    dependents: Annotated[int, Field(ge=0)] | list[Name] | None = None
    catalog: Text | None = None
    entity: Name | None = None
    model: Text | None = None
    pull: PullSection | None = None


def change(
    document: Document, section: ChangeSection, source: str, service: str, pulls: str | None
) -> ChangeRange:
    """The range that the section asks about, in the checked sources; raises UsageError.

    `pulls`: that of its pull requests, where it asks about them.
    """
    components = None if section.components is None else _frozen(section.components)
    return ChangeRange(
        source=source,
        base=section.base,
        head=section.head,
        globs=Globs(
            uncounted=(*(section.generated or ()), *(section.vendored or ())),
            kinds=_frozen(section.paths),
            components=components,
        ),
        dependents=_dependents(document, section, service),
        pull=_pull(section, pulls) if pulls else None,
    )


def _pull(section: ChangeSection, source: str) -> PullRange:
    number = (section.pull and section.pull.number) or ""
    return PullRange(source=source, base=section.base, head=section.head, number=number)


def model(document: Document, section: ChangeSection | None) -> Model | None:
    """The model of its own that weighs the change; raises UsageError."""
    if section is None or section.model is None:
        return None
    return load(Path(document.file).parent / section.model)


def _frozen(named: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(globs) for name, globs in named.items()}


def _dependents(document: Document, section: ChangeSection, service: str) -> int | None:
    if section.catalog is None:
        if section.entity is not None:
            raise refuse(document, ("change", "entity"), "`entity` names it in a `catalog`")
        told = section.dependents
        return len(set(told)) if isinstance(told, list) else told
    if section.dependents is not None:
        raise refuse(document, ("change", "catalog"), "`dependents` says it already", "drop one")
    folder = Path(document.file).parent / section.catalog
    try:
        return len(dependents(folder, section.entity or service))
    except UsageError as error:
        raise refuse(document, ("change", "catalog"), error.message, error.hint) from None
