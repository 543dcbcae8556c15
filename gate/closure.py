"""When releases are closed: freezes as they stand around one moment, resolved to seconds.

Why resolved: schedules and local dates need a clock's rules and the time zone database, which
change and differ between machines. What they came to is evidence, so a stored decision stays as it
was decided.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """Unix seconds, and how the freeze's zone writes them.

    `local`: RFC 3339 with the zone's offset; `words`: `Mon 2026-11-23 08:00 CET`.
    """

    at: float
    local: str
    words: str


@dataclass(frozen=True, slots=True)
class Spell:
    """Closed from `starts` (included) to `ends` (excluded).

    `ends` is None where no end is in sight: none within the time that was looked at.
    """

    starts: Moment
    ends: Moment | None

    def covers(self, at: float) -> bool:
        return self.starts.at <= at and (self.ends is None or at < self.ends.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """One freeze that concerns the service: its spells in order, none that ended before.

    `outside`: it is the time outside of every window in which releases may ship. `excepts`: change
    types and labels that it lets pass.
    """

    name: str
    spells: tuple[Spell, ...]
    excepts: tuple[str, ...] = ()
    outside: bool = False

    def now(self, at: float) -> Spell | None:
        """The spell that covers the moment."""
        return next((one for one in self.spells if one.covers(at)), None)

    def next(self, at: float) -> Spell | None:
        """The first spell that begins after the moment."""
        return next((one for one in self.spells if one.starts.at > at), None)
