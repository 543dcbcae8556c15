"""The evidence table of a policy file, as written; every complaint with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from gate.document import Document, Duration, Place, Section, Share, Text, refuse
from gate.errors import UsageError
from gate.policy.conditions import faults, words
from gate.policy.demand import Demand, Settle, Untold
from gate.policy.policy import Policy
from gate.policy.words import JUDGED

# A gate that rolls back more than every fifth good release is soon switched off; and from a half on
# "shown not worse" says no more than a coin.
MOST_ALPHA, MOST_BETA = 0.2, 0.5
QUANTITIES = ("alpha", "beta", "margins", "minutes", "events", "required", "settle")

Alpha = Annotated[Share, Field(le=MOST_ALPHA)]
Beta = Annotated[Share, Field(lt=MOST_BETA)]


class SettleSection(Section):
    """When less is enough, and how much less."""

    after: Duration
    beta: Beta


class DemandSection(Section):
    """One row as written."""

    name: Text
    when: Text | None = None
    on_unknown: Untold = Untold.APPLY
    alpha: Alpha | None = None
    beta: Beta | None = None
    margins: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    events: Annotated[int, Field(ge=1)] | None = None
    required: list[Text] = Field(default_factory=list)
    settle: (
        Annotated[
            Annotated[Literal["never"], Tag("never")] | Annotated[SettleSection, Tag("settle")],
            Discriminator(lambda value: "never" if isinstance(value, str) else "settle"),
        ]
        | None
    ) = None


def merged(
    document: Document, rows: Sequence[DemandSection], parents: Sequence[Policy]
) -> tuple[Demand, ...]:
    """The rows of the policy and of those it extends; raises UsageError.

    A row replaces an inherited one of the same name.
    """
    own = {one.name: _row(one) for one in rows}
    inherited: dict[str, Demand] = {}
    for one in (each for parent in parents for each in parent.evidence):
        if inherited.setdefault(one.name, one) != one and one.name not in own:
            raise refuse(
                document,
                ("extends",),
                f"two of these have an evidence row {one.name!r}, and they differ",
                "write the row here",
            )
    return tuple({**inherited, **own}.values())


def _row(section: DemandSection) -> Demand:
    """The row that was written."""
    said: dict[str, Any] = section.model_dump(exclude={"settle", "when", "required"})
    soft = section.settle
    return Demand(
        **said,
        when=section.when or "",
        required=tuple(section.required),
        settle=Settle(after=soft.after, beta=soft.beta)
        if isinstance(soft, SettleSection)
        else None,
        never_settle=soft == "never",
    )


def complaints(
    document: Document, rows: Sequence[DemandSection], place: Place = ("evidence",)
) -> Iterator[UsageError]:
    """What is wrong with the table beyond its shape."""
    names = [one.name for one in rows]
    for index, one in enumerate(rows):
        at = (*place, index)
        if names.index(one.name) != index:
            yield refuse(document, (*at, "name"), f"two rows are named {one.name!r}")
        if not any(getattr(one, quantity) for quantity in QUANTITIES):
            yield refuse(
                document,
                at,
                f"evidence {one.name!r} asks for nothing",
                f"name one of {', '.join(QUANTITIES)}",
            )
        if one.when is None and "on_unknown" in one.model_fields_set:
            yield refuse(
                document,
                (*at, "on_unknown"),
                f"evidence {one.name!r} always applies: on_unknown means nothing without `when`",
            )
        yield from _of_condition(document, one, at)
        yield from _of_settling(document, one, at)


def _of_condition(document: Document, one: DemandSection, at: Place) -> Iterator[UsageError]:
    if one.when is None:
        return
    place = (*at, "when")
    wrong = list(faults(one.when))
    for error in wrong:
        where = document.inside(place, error.line, error.column)
        yield UsageError(f"{where}: evidence {one.name!r}: {error.message}")
    if wrong:
        return
    for word in words(one.when):
        if word.startswith(JUDGED):
            before = one.when[: one.when.find(word)]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            yield UsageError(
                f"{document.inside(place, line, column)}: evidence {one.name!r}: {word} is not "
                f"known yet when it is asked how much must be seen",
                "a row may read budget.*, risk.*, change.*, service.* and rollout.*; what the "
                "analysis shows is for rules",
            )


def _of_settling(document: Document, one: DemandSection, at: Place) -> Iterator[UsageError]:
    soft = one.settle
    if isinstance(soft, SettleSection) and one.beta is not None and soft.beta <= one.beta:
        yield refuse(
            document,
            (*at, "settle", "beta"),
            f"evidence {one.name!r}: settle.beta must be larger than beta, or it settles nothing",
        )
