"""A cold canary is not a bad canary: what a metric shows while it warms up is not judged.

Caches fill, code is compiled, pools open: for some minutes a new process is slower and busier than
one that has run for days, whatever is in it. Those minutes would convict every release, and a
margin wide enough to forgive them would acquit any, so they count for neither claim. Errors are no
part of warming up and are judged from the first interval.
"""

from __future__ import annotations

import math

from gate.metric import Metric
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, Series
from gate.units import duration


def warm(series: Series, metric: Metric, window: Window) -> Series:
    """The series without the warm-up; rows stay in place, but gauges start after it."""
    cold = cold_intervals(metric, window)
    match series:
        case Levels(pods, values):
            return Levels(pods, values[cold:])
        case Samples(times, values):
            late = times > window.start + cold * window.step
            return Samples(times[late], values[late])
        case Buckets() | Counts():
            return series.without_first(cold)


def cold_intervals(metric: Metric, window: Window) -> int:
    """How many of the first intervals are not judged."""
    return math.ceil(metric.warmup / window.step)


def warming_up(metric: Metric) -> str:
    """Why nothing is judged yet."""
    return f"warming up: its first {duration(metric.warmup)} are not judged"


def still_cold(metric: Metric, window: Window) -> bool:
    """Whether nothing but warm-up has passed."""
    return metric.warmup > 0 and window.step * window.count <= metric.warmup
