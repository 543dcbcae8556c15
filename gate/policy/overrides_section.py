"""What a policy file says about overrides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic import Field

from gate.document import Document, Duration, Section, Text, refuse
from gate.errors import UsageError, did_you_mean
from gate.override import LONGEST, Overriding
from gate.units import duration


class OverridesSection(Section):
    """How long one may last at most, who may approve, and which rules it may lift by name."""

    longest: Duration = LONGEST
    approvers: list[Text] = Field(default_factory=list)
    rules: list[Text] = Field(default_factory=list)


def as_written(said: Overriding) -> dict[str, Any]:
    """The terms as a file may write them."""
    return {
        "longest": duration(said.longest),
        "approvers": list(said.approvers),
        "rules": list(said.rules),
    }


def terms(
    document: Document, section: OverridesSection | None, parents: Sequence[Overriding]
) -> Overriding:
    """The policy's own terms, or else those of what it extends, which must then agree."""
    if section is not None:
        return Overriding(
            longest=section.longest,
            approvers=tuple(section.approvers),
            rules=tuple(section.rules),
        )
    said = list(dict.fromkeys(one for one in parents if one != Overriding()))
    if len(said) > 1:
        raise refuse(
            document,
            ("extends",),
            "two of these have `overrides`, and they differ",
            "write `overrides` here",
        )
    return said[0] if said else Overriding()


def complaints(
    document: Document, section: OverridesSection | None, rules: Collection[str]
) -> Iterator[UsageError]:
    """What is wrong with the section in a policy of these rules."""
    if section is None:
        return
    if not 0 < section.longest <= LONGEST:
        most = duration(LONGEST)
        place = ("overrides", "longest")
        yield refuse(document, place, f"longest must lie between 0s and {most}: it may shorten")
    for index, name in enumerate(section.rules):
        if name not in rules:
            guess = did_you_mean(name, rules)
            place_of = ("overrides", "rules", index)
            yield refuse(document, place_of, f"no rule is named {name!r}{guess}")
