"""Freezes as a policy file writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from gate.document import Document, Duration, Place, Section, Text, refuse
from gate.errors import UsageError, did_you_mean
from gate.policy.calendar import fixed
from gate.policy.freeze import Freeze, Kind
from gate.units import duration

LONGEST = 366 * 86_400.0
# Any fixed moment: whether a schedule ever comes does not depend on today. Before a 29 February.
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class FreezeSection(Section):
    """One freeze as written: cron and duration, from and until, or a calendar.

    `ics` is the path of a file, or what would stand in it; `name` then names all its events, which
    are otherwise named by their summaries.
    """

    name: Text | None = None
    kind: Kind = Kind.DENY
    cron: Text | None = None
    duration: Duration | None = None
    from_: Text | None = Field(default=None, alias="from")
    until: Text | None = None
    ics: Text | None = None
    zone: Text = "UTC"
    excepts: list[Text] = Field(default_factory=list, alias="except")
    services: list[Text] = Field(default_factory=list)
    tiers: list[Annotated[int, Field(ge=0, le=2)]] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)


_INLINE = "BEGIN:VCALENDAR"
# What is written together, and what each must come with.
_WAYS = (("cron", "duration"), ("from", "until"), ("ics",))


@dataclass
class Read:
    """The freezes of a document, the complaints about them, and the calendar files they are in."""

    freezes: list[Freeze] = field(default_factory=list)
    complaints: list[UsageError] = field(default_factory=list)
    calendars: list[bytes] = field(default_factory=list)


def freezes(
    document: Document, sections: Sequence[FreezeSection], place: Place = ("freezes",)
) -> Read:
    """What the sections at `place` say; a relative `ics` path is one beside the document.

    Each calendar is read once: the policy's digest is of the bytes it was made from.
    """
    told = Read()
    for index, section in enumerate(sections):
        wrong = list(_complaints(document, section, (*place, index)))
        if section.name and section.name in [one.name for one in sections[:index]]:
            at = (*place, index, "name")
            wrong.append(refuse(document, at, f"two freezes are named {section.name!r}"))
        told.complaints += wrong
        if not wrong:
            try:
                told.freezes += _read(document, section, (*place, index), told.calendars)
            except UsageError as error:
                told.complaints.append(error)
    return told


def inherited(own: Sequence[Freeze], parents: Sequence[Sequence[Freeze]]) -> tuple[Freeze, ...]:
    """The policy's own freezes, and those of what it extends but for the names written again."""
    names = {one.name for one in own}
    above = [one for parent in parents for one in parent if one.name not in names]
    return (*(one for index, one in enumerate(above) if one not in above[:index]), *own)


def _complaints(document: Document, section: FreezeSection, place: Place) -> Iterator[UsageError]:
    written = {word for way in _WAYS for word in way if _value(section, word) is not None}
    ways = [way for way in _WAYS if written & set(way)]
    if len(ways) != 1 or written != set(ways[0]):
        told = ", ".join(sorted(written)) or "nothing"
        hint = "write cron and duration, or from and until, or ics"
        yield refuse(document, place, f"a freeze needs to know when; here is {told}", hint)
        return
    if section.name is None and section.ics is None:
        yield refuse(document, place, "a freeze needs a name", "its hold is quoted by it")
    if not _is_zone(section.zone):
        guess = did_you_mean(section.zone, available_timezones())
        yield refuse(document, (*place, "zone"), f"unknown time zone {section.zone!r}{guess}")
        return
    if section.cron is not None:
        yield from _of_schedule(document, section, place)
    if section.from_ is not None:
        yield from _of_dates(document, section, place)


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (KeyError, OSError, ValueError):  # not found, or a name like `../x` or `Europe`
        return False


def _value(section: FreezeSection, word: str) -> object:
    return section.from_ if word == "from" else getattr(section, word)


def _of_schedule(document: Document, section: FreezeSection, place: Place) -> Iterator[UsageError]:
    from cronsim import CronSim, CronSimError

    at = (*place, "cron")
    written = str(section.cron)
    try:
        schedule = CronSim(written, _ANY_DAY)
        comes = next(schedule, None)
    except CronSimError as error:
        hint = "five fields: minute, hour, day of month, month, day of week"
        yield refuse(document, at, f"cron {written!r}: {str(error).lower()}", hint)
        return
    if len(written.split()) != 5:
        yield refuse(document, at, f"cron {written!r}: has seconds; five fields are known")
    elif comes is None:
        yield refuse(document, at, f"cron {written!r} comes on no day of the next 50 years")
    elif len(schedule.minutes) != 1:
        hint = "a longer duration says the same"
        yield refuse(document, at, f"cron {written!r} starts several times an hour", hint)
    if not 0 < (section.duration or 0.0) <= LONGEST:
        yield refuse(document, (*place, "duration"), "duration must lie between 0s and 366d")


def _of_dates(document: Document, section: FreezeSection, place: Place) -> Iterator[UsageError]:
    wrong = [(word, told) for word in ("from", "until") if (told := _no_local_time(section, word))]
    for word, told in wrong:
        hint = "write 2026-11-27 or 2026-11-27T18:00"
        yield refuse(document, (*place, word), f"{word} {_value(section, word)!r} {told}", hint)
    if not wrong:
        start, end = fixed(_plain(section))
        if not start < end:
            yield refuse(document, (*place, "until"), "until must lie after from")


def _no_local_time(section: FreezeSection, word: str) -> str:
    try:
        moment = datetime.fromisoformat(str(_value(section, word)))
    except ValueError:
        return "is not a date or a local time"
    if not 1970 <= moment.year < 2200:
        return "lies outside of 1970 to 2200"
    return "is local to `zone`; leave the offset away" if moment.tzinfo else ""


def _read(
    document: Document, section: FreezeSection, place: Place, calendars: list[bytes]
) -> tuple[Freeze, ...]:
    """A calendar file that it reads is added to `calendars`."""
    if section.ics is None:
        return (_plain(section),)
    from gate.policy import ics

    folder = Path(document.file).parent
    try:
        if section.ics.startswith(_INLINE):
            return ics.events(section.ics, folder / "ics", _plain(section))
        path = folder / section.ics
        calendars.append(ics.read(path))
        return ics.events(ics.text_of(calendars[-1], path), path, _plain(section))
    except UsageError as error:
        where = document.where((*place, "ics"))
        raise UsageError(f"{where}: {error.message}", error.hint) from None


def _plain(section: FreezeSection) -> Freeze:
    return Freeze(
        name=section.name or "",
        kind=section.kind,
        zone=ZoneInfo(section.zone).key,
        cron=section.cron or "",
        duration=section.duration or 0.0,
        start=section.from_ or "",
        end=section.until or "",
        excepts=tuple(section.excepts),
        services=tuple(section.services),
        tiers=tuple(section.tiers),
        labels=dict(section.labels),
    )


def as_written(freeze: Freeze) -> dict[str, Any]:
    """The freeze as a file may write it, with nothing that says no more than leaving it out."""
    said = {
        "name": freeze.name,
        "kind": str(freeze.kind),
        "cron": freeze.cron,
        "duration": duration(freeze.duration) if freeze.cron else "",
        "from": freeze.start,
        "until": freeze.end,
        "ics": freeze.event.replace("\r\n", "\n"),
        "zone": freeze.zone,
        "except": list(freeze.excepts),
        "services": list(freeze.services),
        "tiers": list(freeze.tiers),
        "labels": dict(freeze.labels),
    }
    return {key: value for key, value in said.items() if value}
