"""The series of a recording that a selector picks, and why it picks none."""

from __future__ import annotations

from dataclasses import dataclass

from gate.errors import did_you_mean
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.request import Window
from gate.sources.recording import selector
from gate.sources.recording.recording import Recorded, Recording, clock
from gate.sources.recording.selector import Selector


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What was picked; `where` begins complaints about it."""

    selector: Selector
    series: tuple[Recorded, ...]
    where: str
    recording: Recording

    def within(self, window: Window) -> Selection:
        """Itself, if any of its series has a sample in the window; raises EMPTY saying why not."""
        if not self.series:
            why = unheard_of(self.recording, self.selector) or "no series has such labels"
            raise SourceError(Cause.EMPTY, f"{self.where}: {why}")
        if not any(_touches(one, window) for one in self.series):
            first = min(one.times[0] for one in self.series if one.times.size)
            final = max(one.times[-1] for one in self.series if one.times.size)
            raise SourceError(
                Cause.EMPTY,
                f"{self.where}: recorded from {clock(first)} to {clock(final)}, nothing from "
                f"{clock(window.start)} to {clock(window.end)}",
            )
        return self


def select(recording: Recording, query: str, asker: str) -> Selection:
    """The series that the query selects, perhaps none; raises BAD_QUERY."""
    wanted = selector.parse(query)
    picked = tuple(one for one in recording.series if wanted.matches(one.name, one.labels))
    return Selection(wanted, picked, f"{asker} {wanted.text} in {recording.file}", recording)


def unheard_of(recording: Recording, wanted: Selector) -> str:
    """What the selector asks for that the whole recording never mentions; "" for nothing.

    A series name, or a label that no series of that name has.
    """
    named = [one for one in recording.series if one.name == wanted.name]
    if not named:
        guess = did_you_mean(wanted.name, {one.name for one in recording.series})
        return f"no series is named {wanted.name!r}{guess}"
    labels = {label for one in named for label in one.labels}
    for matcher in wanted.matchers:
        if matcher.label not in labels and not matcher.matches(""):
            return f"no such series has a label {matcher.label!r}" + did_you_mean(
                matcher.label, labels
            )
    return ""


def _touches(series: Recorded, window: Window) -> bool:
    return bool(((series.times > window.start) & (series.times <= window.end)).any())
