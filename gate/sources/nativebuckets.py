"""Prometheus native histograms as buckets with upper edges.

Native buckets carry both boundaries, leave empty buckets out, and change their resolution over
time (a server merges neighbours when there are too many). Counts that lie in one coarse bucket
cannot be told apart, so boundaries strictly inside any seen bucket are dropped: coarser, and
never wrong. Whether a boundary itself belongs left or right is kept as the server counted it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from gate.series import Array, Buckets, array
from gate.sources import shaping
from gate.sources.promanswer import Histogram, Line, malformed


def native_buckets(lines: Iterable[Line], rows: int) -> Buckets:
    """The sum of all lines, one row for each of `rows` times; NaN where none had a histogram.

    Raises MALFORMED for counts below zero or not finite, and where there is no finite boundary.
    """
    lines = tuple(lines)
    edges = _common_edges(one for line in lines for one in line.histograms.values())
    pods = shaping.by_pod(lines, lambda line: line.labels)
    return Buckets(
        edges,
        _counted(lines, rows, edges),
        {pod: Buckets(edges, _counted(own, rows, edges)) for pod, own in sorted(pods.items())},
    )


def _counted(lines: Iterable[Line], rows: int, edges: Array) -> Array:
    counts = np.full((rows, len(edges) + 1), math.nan)
    for line in lines:
        for row, histogram in line.histograms.items():
            counts[row] = np.nan_to_num(counts[row])
            for _, right, observed in histogram.buckets:
                counts[row, np.searchsorted(edges, right)] += _checked(observed)
    return array(counts)


def _common_edges(histograms: Iterable[Histogram]) -> Array:
    ranges = {(left, right) for one in histograms for left, right, _ in one.buckets}
    finite = sorted({edge for pair in ranges for edge in pair if math.isfinite(edge)})
    if not finite:
        raise malformed("the native histograms have no buckets: nothing was observed")
    boundaries = np.array(finite)
    inside = np.zeros(len(boundaries), dtype=np.bool_)
    for left, right in ranges:
        first = np.searchsorted(boundaries, left, side="right")
        inside[first : np.searchsorted(boundaries, right, side="left")] = True
    return array(boundaries[~inside])


def _checked(observed: float) -> float:
    if not (math.isfinite(observed) and observed >= 0):
        raise malformed(f"a native histogram bucket counts {observed}")
    return observed
