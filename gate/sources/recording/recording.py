"""What a file holds: series of values in time, and perhaps indicators and changes beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from gate.change import Change
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.series import array
from gate.slo import Indicator

if TYPE_CHECKING:
    from gate.series import Array

Labels = Mapping[str, str]

# Later than the year 5000 in seconds: such a time is in milliseconds, and every window would
# silently miss it.
LATEST_TIME = 1e11


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One series: `times` (Unix seconds, strictly ascending) and `values`, both of shape (m,).

    A NaN value was written down as *not seen*; that is more than no sample at all.
    """

    name: str
    labels: Labels
    times: Array
    values: Array

    def __str__(self) -> str:
        labels = ",".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()))
        return f"{self.name}{{{labels}}}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A parsed file. `changes` by canary; the one under `None` is for any canary."""

    file: str
    series: tuple[Recorded, ...]
    indicators: tuple[Indicator, ...] = ()
    changes: Mapping[str | None, Change] = field(default_factory=dict)


@dataclass(slots=True)
class _Rows:
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


class Collector:
    """Samples in, whole series out: samples of the same name and labels become one series.

    `place` is a template for complaints, `recording.csv:{}`; each sample brings its number.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._rows: dict[tuple[str, frozenset[tuple[str, str]]], _Rows] = {}

    def add(self, name: str, labels: Labels, time: float, value: float, number: int) -> None:
        """Keep one sample; `number` is where it stands (a line, from 1)."""
        if not 0 <= time < LATEST_TIME:
            raise self.malformed(number, f"time {time:.15g} is not in Unix seconds")
        key = (name, frozenset(labels.items()))
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = _Rows()
        rows.times.append(time)
        rows.values.append(value)
        rows.places.append(number)

    def series(self) -> tuple[Recorded, ...]:
        """All series, each in order of time; MALFORMED where one contradicts itself."""
        return tuple(self._finished())

    def malformed(self, number: int, why: str) -> SourceError:
        return SourceError(Cause.MALFORMED, f"{self._place.format(number)}: {why}")

    def _finished(self) -> Iterator[Recorded]:
        for (name, labels), rows in self._rows.items():
            order = np.argsort(np.array(rows.times), kind="stable")
            times, values = np.array(rows.times)[order], np.array(rows.values)[order]
            again = np.flatnonzero(np.diff(times) == 0)
            series = Recorded(name, dict(sorted(labels)), array(times), array(values))
            for i in again[~_same(values[again], values[again + 1])]:
                raise self.malformed(
                    rows.places[order[i + 1]],
                    f"{series} has two values at {clock(times[i])}: "
                    f"{values[i]:g} and {values[i + 1]:g}",
                )
            keep = np.ones(len(times), dtype=bool)
            keep[again + 1] = False
            yield Recorded(name, series.labels, array(times[keep]), array(values[keep]))


def number(text: str) -> float:
    """The number written in the text, NaN and infinities included; raises ValueError.

    Python alone would read 1_000 as a thousand; no exporter writes that.
    """
    if "_" in text:
        raise ValueError(text)
    return float(text)


def clock(time: float) -> str:
    """Unix seconds as people read them.

    >>> clock(1793613600.0)
    '2026-11-02T10:00:00Z'
    """
    if not math.isfinite(time):
        return str(time)
    return datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")


def _same(one: Array, other: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)), dtype=bool)
