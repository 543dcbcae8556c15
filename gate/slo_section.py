"""The `slos:` of a Service file: what may be written, and the objective it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Discriminator, Field, Tag

from gate.document import Document, Duration, Name, Place, Section, Share, Text, refuse
from gate.errors import UsageError
from gate.evidence.period import period
from gate.slo import Budgeting, Calendar, Indicator, Slo, TimeWindow
from gate.units import duration

USUAL_WINDOW = 30 * 86_400.0
# Seconds of a unit, nominal where the calendar has several: for burn rates and for the eye.
NOMINAL = {
    Calendar.DAY: 86_400.0,
    Calendar.WEEK: 7 * 86_400.0,
    Calendar.MONTH: 30 * 86_400.0,
    Calendar.QUARTER: 90 * 86_400.0,
    Calendar.YEAR: 365 * 86_400.0,
}
QUERIES = ("bad", "good", "total", "error_ratio")


class StatedSection(Section):
    """An indicator given as numbers."""

    window: Duration = Field(gt=0)
    bad: float | None = Field(None, ge=0, allow_inf_nan=False)
    total: float | None = Field(None, gt=0, allow_inf_nan=False)
    error_ratio: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)


class CalendarSection(Section):
    """A window that begins anew with each `unit` (or `count` of them), from a local `start` on."""

    unit: Calendar
    count: int = Field(1, ge=1, le=1000)
    start: Text = "2001-01-01"  # a Monday, and the first of a year
    zone: Text = "UTC"


class SlicesSection(Section):
    """The slices of time that a budget of slices is made of; a good one is `target` good."""

    length: Duration = Field(60.0, ge=1)
    target: Share | None = None


class SloSection(Section):
    """An objective and how it is measured: by queries, by recordings, or by `stated` numbers."""

    name: Name
    objective: Share
    window: Duration | None = Field(None, gt=0)
    calendar: CalendarSection | None = None
    budgeting: Budgeting = Budgeting.OCCURRENCES
    slices: SlicesSection | None = None
    source: str | None = None
    bad: Text | None = None
    good: Text | None = None
    total: Text | None = None
    error_ratio: Text | None = None
    recorded: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = Field(
        default_factory=dict
    )
    stated: list[StatedSection] = Field(default_factory=list)


class FilesSection(Section):
    """A file of objectives, or a folder of them, in OpenSLO, Sloth or Pyrra form.

    `source`: who answers their queries where they do not name one of the service's own. `period`:
    the window of Sloth's, whose specs have none.
    """

    files: Text
    source: str | None = None
    period: Duration = Field(USUAL_WINDOW, gt=0)


# Told apart by shape, so that a mistake in one is not also reported as not being the other.
AnySlo = Annotated[
    Annotated[SloSection, Tag("an SLO")] | Annotated[FilesSection, Tag("files")],
    Discriminator(
        lambda value: (
            "files"
            if isinstance(value, FilesSection) or (isinstance(value, Mapping) and "files" in value)
            else "an SLO"
        )
    ),
]


class Sourced(Protocol):
    """Which source is meant at this place: the one named, or the only one; raises UsageError."""

    def __call__(self, document: Document, place: Place, source: str | None) -> str: ...


def objectives(
    document: Document, sections: Sequence[SloSection | FilesSection], sourced: Sourced
) -> tuple[tuple[Slo, ...], tuple[str, ...]]:
    """Every objective, inline or from files beside the document, and warnings about the files."""
    slos: list[Slo] = []
    warnings: list[str] = []
    for index, one in enumerate(sections):
        place: Place = ("slos", index)
        if isinstance(one, FilesSection):
            from gate.objectives.reader import read  # a twentieth of a check's start

            declared = read(Path(document.file).parent / one.files, period=one.period)
            slos += (_answered(document, place, slo, one, sourced) for slo in declared.slos)
            warnings += declared.warnings
        else:
            source = "" if one.stated else sourced(document, place, one.source)
            slos.append(objective(document, place, one, source))
    return tuple(slos), tuple(warnings)


def _answered(
    document: Document, place: Place, slo: Slo, section: FilesSection, sourced: Sourced
) -> Slo:
    """By the source that its file names, if the service has it; else by the section's."""
    if slo.source:
        try:
            return replace(slo, source=sourced(document, place, slo.source))
        except UsageError:  # a DataSource of another tool's world
            pass
    return replace(slo, source=sourced(document, place, section.source))


def objective(document: Document, place: Place, section: SloSection, source: str) -> Slo:
    """What the section declares; `source` answers its queries. Raises UsageError."""
    window = _window(document, place, section)
    slices = _slices(document, place, section)
    stated = tuple(_stated(document, place, section, window))
    return Slo(
        name=section.name,
        objective=section.objective,
        window=window,
        source="" if stated else source,
        queries=_queries(document, place, section),
        stated=stated,
        budgeting=section.budgeting,
        slice_length=slices.length,
        slice_target=slices.target,
        recorded=section.recorded,
        origin=document.where(place).rpartition(":")[0],
    )


def _window(document: Document, place: Place, section: SloSection) -> TimeWindow:
    calendar = section.calendar
    if calendar is None:
        return TimeWindow(length=section.window or USUAL_WINDOW)
    if section.window is not None:
        raise refuse(
            document, (*place, "calendar"), "the window either rolls or follows the calendar",
            "drop window or calendar",
        )  # fmt: skip
    window = TimeWindow(
        length=calendar.count * NOMINAL[calendar.unit],
        calendar=calendar.unit,
        count=calendar.count,
        start=calendar.start,
        zone=calendar.zone,
    )
    try:
        period(window, 0.0)
    except UsageError as error:
        raise refuse(document, (*place, "calendar"), error.message, error.hint) from None
    return window


def _slices(document: Document, place: Place, section: SloSection) -> SlicesSection:
    sliced = section.budgeting is not Budgeting.OCCURRENCES
    if section.slices and not sliced:
        raise refuse(
            document, (*place, "slices"), "slices belong to another budgeting",
            f"write budgeting: {Budgeting.TIMESLICES}, or {Budgeting.RATIO_TIMESLICES}",
        )  # fmt: skip
    slices = section.slices or SlicesSection()  # type: ignore[call-arg]
    if section.budgeting is Budgeting.TIMESLICES and slices.target is None:
        raise refuse(
            document, place, "budgeting timeslices needs the share that makes a slice good",
            "write slices: {length: 1m, target: 99%}",
        )  # fmt: skip
    return slices


def _queries(document: Document, place: Place, section: SloSection) -> dict[str, str] | None:
    queries = {name: text for name in QUERIES if (text := getattr(section, name)) is not None}
    if queries and set(queries) not in ({"bad", "total"}, {"good", "total"}, {"error_ratio"}):
        raise refuse(
            document, place, "an SLO is measured by bad (or good) and total, or by error_ratio"
        )
    if queries and section.recorded:
        raise refuse(
            document, (*place, "recorded"), "an SLO is either computed or read from recordings",
            "drop the queries or recorded",
        )  # fmt: skip
    return queries or None


def _stated(
    document: Document, place: Place, section: SloSection, window: TimeWindow
) -> Iterator[Indicator]:
    stated = section.stated
    if not stated:
        return
    at = (*place, "stated")
    if any((section.source, section.bad, section.good, section.total, section.error_ratio)) or (
        section.recorded
    ):
        raise refuse(document, at, "an SLO is either stated or measured", "drop one of them")
    if window.calendar is not None:
        raise refuse(document, at, "stated numbers are of a rolling window", "write window: 30d")
    windows = [one.window for one in stated]
    if window.length not in windows or len(set(windows)) < len(windows):
        raise refuse(
            document, at, "state the SLO's own window, and each window once",
            f"its window is {duration(window.length)}",
        )  # fmt: skip
    for index, one in enumerate(stated):
        if one.window > window.length:
            raise refuse(document, (*at, index), "a stated window is longer than the SLO's own")
        yield _numbers(document, (*at, index), section.name, one)


def _numbers(document: Document, at: Place, slo: str, one: StatedSection) -> Indicator:
    if one.error_ratio is not None and one.bad is None and one.total is None:
        return Indicator(slo, one.window, one.error_ratio, method="stated")
    if one.error_ratio is not None or one.bad is None or one.total is None or one.bad > one.total:
        raise refuse(document, at, "state bad and total with bad <= total, or error_ratio")
    return Indicator(slo, one.window, one.bad / one.total, one.bad, one.total, method="stated")
