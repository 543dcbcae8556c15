"""What one arm of one metric was seen to do, per kind of data.

Arrays are float64 and read-only; NaN means *not seen* and never zero. Time runs along axis 0, one
row for each interval of the `Window`, but for `Samples`, which carry their own times.
They are numpy arrays, not tuples, because the judge is arithmetic over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Spelled out: `numpy.typing` is not imported at run time for one alias.
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def array(values: ArrayLike) -> Array:
    """A read-only float64 copy; `None` becomes NaN."""
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def without_first(values: Array, rows: int) -> Array:
    """The values with the first rows not seen."""
    later = np.array(values)
    later[:rows] = np.nan
    later.setflags(write=False)
    return later


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Bad events and all events in each interval, shapes (n,). May be fractional.

    `by_pod`: what each pod counted of them; empty where the pods are not told apart.
    """

    bad: Array
    total: Array
    by_pod: Mapping[str, Counts] = field(default_factory=dict)

    def first(self, rows: int) -> Counts:
        """The first rows alone."""
        own = {pod: one.first(rows) for pod, one in self.by_pod.items()}
        return Counts(self.bad[:rows], self.total[:rows], own)

    def without_first(self, rows: int) -> Counts:
        """The same with the first rows not seen."""
        return Counts(
            without_first(self.bad, rows),
            without_first(self.total, rows),
            {pod: own.without_first(rows) for pod, own in self.by_pod.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """A histogram for each interval.

    `edges`: upper bucket edges, ascending, without +Inf, shape (k,), in the metric's unit.
    `counts`: observations in each bucket (not cumulative), shape (n, k + 1); the last column
    holds what lies above the last edge. `by_pod`: each pod's own, over the same edges; empty
    where the pods are not told apart.
    """

    edges: Array
    counts: Array
    by_pod: Mapping[str, Buckets] = field(default_factory=dict)

    def first(self, rows: int) -> Buckets:
        """The first rows alone."""
        own = {pod: one.first(rows) for pod, one in self.by_pod.items()}
        return Buckets(self.edges, self.counts[:rows], own)

    def without_first(self, rows: int) -> Buckets:
        """The same with the first rows not seen."""
        return Buckets(
            self.edges,
            without_first(self.counts, rows),
            {pod: own.without_first(rows) for pod, own in self.by_pod.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A gauge read on each pod at the end of each interval; `values` has shape (n, pods)."""

    pods: tuple[str, ...]
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Raw observations; `times` (Unix seconds, ascending) and `values` have shape (m,)."""

    times: Array
    values: Array


Series = Counts | Buckets | Levels | Samples
