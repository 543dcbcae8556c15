"""Freezes as a policy declares them, and what they say about a release.

The meaning is that of Argo CD's sync windows
(https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/): `deny` closes, `allow` closes
all time outside of it, deny beats allow, and without an allow window all time is open. A freeze
holds by itself; no rule has to ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gate.closure import Closure, Spell
from gate.verdict import Outcome, Reason

# How far ahead the calendar is looked at: a quarter.
AHEAD = 92 * 86_400.0


class Kind(StrEnum):
    """Whether releases are closed within the windows, or outside of all of them."""

    DENY = "deny"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Windows of one name: by `cron` and `duration` (elapsed seconds), by dates, or by an event.

    `start` and `end`: local to `zone`, ISO 8601 without an offset. `event`: iCalendar text of one
    event with its exceptions. `excepts`: types and labels of changes that may pass. `services`
    (globs), `tiers` and `labels` (of the service) each narrow down whom it concerns.
    """

    name: str
    kind: Kind = Kind.DENY
    zone: str = "UTC"
    cron: str = ""
    duration: float = 0.0
    start: str = ""
    end: str = ""
    event: str = ""
    excepts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What the calendar says: reasons to hold, and notes on what let the release pass."""

    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


def calendar_facts(
    calendar: Sequence[Closure] | None, at: float, known: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """`calendar.*` for a release with these types and labels; nothing where nobody looked.

    What does not hold is told by its zero (no name, no minutes left, a quarter to go), not left
    out: a rule about the next freeze must not become unknown because none is near.
    """
    if calendar is None:
        return
    closed = list(_holding(calendar, at, known))
    yield "calendar.frozen", bool(closed)
    name, ends, left = "", "", 0.0
    if closed:
        closure, spell = max(closed, key=lambda one: _end(one[1], at))
        name, left = closure.name, (_end(spell, at) - at) / 60.0
        ends = spell.ends.local if spell.ends else "none in sight"
    yield "calendar.freeze", name
    yield "calendar.freeze_ends", ends
    yield "calendar.minutes_left", left
    coming = [
        (following.starts.at, closure.name)
        for closure in calendar
        if not passed_by(closure, known) and (following := closure.next(at))
    ]
    begins, next_name = min(coming, default=(at + AHEAD, ""))
    yield "calendar.next_freeze", next_name
    yield "calendar.minutes_to_freeze", min(begins - at, AHEAD) / 60.0


def frozen(calendar: Sequence[Closure] | None, at: float, known: Mapping[str, Any]) -> Said:
    """A reason to hold for each freeze that holds; a note for each that lets this release pass.

    Where nobody looked at a calendar the facts are asked, if there are any: as in a policy's test.
    """
    if calendar is None:
        return Said(tuple(_by_facts(known)))
    reasons, notes = [], []
    for closure, spell in _covering(calendar, at):
        if passed := passed_by(closure, known):
            notes.append(f"freeze {closure.name!r} lets this pass: {', '.join(passed)}")
        else:
            reasons.append(Reason(closure.name, Outcome.HOLD, _message(closure, spell, at)))
    return Said(tuple(reasons), tuple(notes))


def passed_by(closure: Closure, known: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels, or else the types, by which the freeze lets a change pass.

    One label is enough: somebody put it there. Of types every one must be excepted: ten features
    beside a fix are no fix. What is not known lets nothing pass.
    """
    labels = {*known.get("change.labels", ()), *known.get("rollout.labels", ())}
    if by_label := tuple(one for one in closure.excepts if one in labels):
        return by_label
    types = tuple(known.get("change.types", ()))
    return types if set(types) <= set(closure.excepts) else ()


def _holding(
    calendar: Sequence[Closure], at: float, known: Mapping[str, Any]
) -> Iterator[tuple[Closure, Spell]]:
    return ((one, spell) for one, spell in _covering(calendar, at) if not passed_by(one, known))


def _covering(calendar: Sequence[Closure], at: float) -> Iterator[tuple[Closure, Spell]]:
    return ((one, spell) for one in calendar if (spell := one.now(at)))


def _end(spell: Spell, at: float) -> float:
    return spell.ends.at if spell.ends else at + AHEAD


def _by_facts(known: Mapping[str, Any]) -> Iterator[Reason]:
    if known.get("calendar.frozen") is True:
        name = known.get("calendar.freeze") or "frozen"
        ends = known.get("calendar.freeze_ends")
        until = f" until {ends}" if ends else ""
        yield Reason(name, Outcome.HOLD, f"frozen by {name!r}{until}")


def _message(closure: Closure, spell: Spell, at: float) -> str:
    where = "outside of the window" if closure.outside else "frozen by"
    told = f"{where} {closure.name!r}"
    if spell.ends is None:
        told += "; no end is in sight"
    else:
        told += f" until {spell.ends.words} (in {rough(spell.ends.at - at)})"
    if closure.excepts:
        told += f"; {' and '.join(closure.excepts)} may pass"
    return told


def rough(seconds: float) -> str:
    """A length in one unit, never told as nothing.

    >>> rough(37 * 3600), rough(5400), rough(20), rough(12 * 86400)
    ('37 h', '90 min', '1 min', '12 d')
    """
    for unit, size, least in (("d", 86_400.0, 4), ("h", 3_600.0, 2)):
        if seconds >= least * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(1.0, seconds / 60.0):.0f} min"
