"""The keys of a Service file that tell the arms apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from gate.document import Document, Duration, Name, Section, Text, refuse
from gate.service import Arms


class OffsetSection(Section):
    """A historical baseline: the canary's own query, this much earlier."""

    offset: Duration = Field(gt=0)


class EarlierSection(Section):
    """The service as it was this much earlier, whatever version it then ran."""

    selector: Text
    offset: Duration = Field(gt=0)


# Told apart by shape, so that a mistake in one is not also reported as not being the other.
_Baseline = Annotated[
    Annotated[Text, Tag("a selector")] | Annotated[OffsetSection, Tag("an offset")],
    Discriminator(lambda value: "an offset" if isinstance(value, Mapping) else "a selector"),
]


class ArmsSection(Section):
    """How the two versions are told apart, by label selectors or by an Argo rollout's name.

    `earlier`: a second baseline beside a concurrent one, see `Service.earlier`.
    """

    rollout: Name | None = None
    canary: Text | None = None
    baseline: _Baseline | None = None
    health: str = "up{ {{selector}} }"
    earlier: EarlierSection | None = None


def arms(document: Document, section: ArmsSection) -> Arms:
    """The canary and its baseline."""
    if section.rollout:
        if section.canary or section.baseline:
            raise refuse(
                document, ("arms",), "`rollout` already tells the arms apart", "drop it or the rest"
            )
        # Argo Rollouts names pods <rollout>-<pod template hash>-<random>.
        pods = f'pod=~"{section.rollout}-{{{{%s}}}}-.*"'
        return Arms(canary=pods % "canary", baseline=pods % "baseline", health=section.health)
    if not section.canary or not section.baseline:
        missing = "baseline" if section.canary else "canary"
        raise refuse(
            document,
            ("arms",),
            f"arms.{missing} is missing",
            "write `rollout: NAME`, or two selectors such as canary: 'version=\"{{canary}}\"'",
        )
    if isinstance(section.baseline, OffsetSection):
        offset = section.baseline.offset
        return Arms(
            canary=section.canary, baseline=section.canary, offset=offset, health=section.health
        )
    return Arms(canary=section.canary, baseline=section.baseline, health=section.health)


def earlier(document: Document, section: ArmsSection) -> Arms | None:
    """The canary and the service of an earlier time; None where none is asked for."""
    if section.earlier is None:
        return None
    own = arms(document, section)
    if own.offset is not None:
        raise refuse(
            document,
            ("arms", "earlier"),
            "the baseline is historical already; `earlier` stands beside a concurrent one",
            "drop one of them",
        )
    return Arms(canary=own.canary, baseline=section.earlier.selector, offset=section.earlier.offset)
