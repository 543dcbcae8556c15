"""How the difference went over time, against the margin, in one line of text a comparison.

Block letters, because GitHub shows them in summaries and comments alike, and so does any terminal;
it shows no inline SVG. The picture claims nothing: each mark is the plain difference in its own
slice of time, where the finding rests on all of it.
"""

from __future__ import annotations

import math

import numpy as np

from gate.analysis.comparison import Comparison
from gate.analysis.judge import EARLIER
from gate.decision import Decision
from gate.evidence.evidence import Pair
from gate.metric import Direction
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series
from gate.units import duration

MOST_MARKS = 30
UNSEEN, EQUAL = "·", "▁"
# A mark, and the difference, as a share of the margin, up to which it stands.
WITHIN = (("▂", 1 / 3), ("▃", 2 / 3), ("▄", 1.0))
BEYOND = (("▅", 1.5), ("▆", 2.0), ("▇", 3.0), ("█", math.inf))
LEGEND = f"{EQUAL} no worse, ▄ up to the margin, ▅ to █ beyond it, {UNSEEN} not seen"


def trends(decision: Decision) -> tuple[tuple[str, str], ...]:
    """The label and the marks of each comparison of which some mark was seen."""
    window = decision.evidence.window
    evidence = decision.evidence
    pairs = {pair.metric: pair for pair in evidence.pairs}
    earlier = {pair.metric: pair for pair in evidence.earlier}
    found = (
        (one, (earlier if one.aspect.endswith(EARLIER) else pairs).get(one.metric))
        for one in decision.conclusion.analysis.comparisons
    )
    marked = ((one.label, _marks(one, pair, window)) for one, pair in found if pair)
    return tuple((label, marks) for label, marks in marked if marks.strip(UNSEEN))


def scale(window: Window) -> str:
    """What a mark is: its length, and how to read it."""
    return f"{duration(_intervals(window) * window.step)} a mark: {LEGEND}"


def _intervals(window: Window) -> int:
    return max(1, math.ceil(window.count / MOST_MARKS))


def _marks(one: Comparison, pair: Pair, window: Window) -> str:
    width = _intervals(window)
    slices = [range(i, min(i + width, window.count)) for i in range(0, window.count, width)]
    quantile = _quantile(one.aspect)
    baseline, canary = (
        [_level(series, rows, window, quantile) for rows in slices]
        for series in (pair.baseline, pair.canary)
    )
    return "".join(_mark(one, *ends) for ends in zip(baseline, canary, strict=True))


def _mark(one: Comparison, baseline: float | None, canary: float | None) -> str:
    if baseline is None or canary is None:
        return UNSEEN
    sign, margin = (
        (1.0, one.margin) if one.worse is Direction.HIGHER else (-1.0, one.margin.mirrored())
    )
    room = margin.limit(sign * baseline) - sign * baseline
    worse_by = sign * (canary - baseline)
    if worse_by <= 0.0:
        return EQUAL
    share = worse_by / room if room > 0.0 else math.inf
    return next(mark for mark, most in (*WITHIN, *BEYOND) if share <= most)


def _quantile(aspect: str) -> float | None:
    """0.99 of `p99`; None for an aspect that is no quantile."""
    aspect = aspect.removesuffix(EARLIER).rstrip()
    percent = aspect.removeprefix("p")
    known = aspect.startswith("p") and percent.replace(".", "", 1).isdecimal()
    return float(percent) / 100 if known else None


def _level(series: Series, rows: range, window: Window, quantile: float | None) -> float | None:
    """Of these intervals together; None where nothing was seen, or there is no one number."""
    part = slice(rows.start, rows.stop)
    match series:
        case Counts(bad, total):
            both = np.isfinite(bad[part]) & np.isfinite(total[part])
            events = total[part][both].sum()
            return float(bad[part][both].sum() / events) if events > 0 else None
        case Buckets(edges, counts):
            return None if quantile is None else _of_buckets(edges, counts[part], quantile)
        case Levels(_, values):
            return _mean(values[part])
        case Samples(times, values):
            start, end = (window.start + window.step * at for at in (rows.start, rows.stop))
            seen = values[(times > start) & (times <= end) & np.isfinite(values)]
            return float(np.quantile(seen, quantile)) if quantile and seen.size else None


def _mean(values: Array) -> float | None:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if seen.size else None


def _of_buckets(edges: Array, counts: Array, quantile: float) -> float | None:
    """Interpolated in its bucket, as PromQL's `histogram_quantile`; the last edge above that."""
    seen = counts[np.isfinite(counts).all(axis=1)].sum(axis=0)
    total = seen.sum()
    if total <= 0 or not edges.size:
        return None
    below = np.cumsum(seen)
    at = int(np.searchsorted(below, quantile * total))
    if at >= edges.size:
        return float(edges[-1])
    low = float(edges[at - 1]) if at else min(0.0, float(edges[0]))
    before = float(below[at - 1]) if at else 0.0
    inside = (quantile * total - before) / seen[at] if seen[at] > 0 else 1.0
    return float(low + inside * (edges[at] - low))
