"""A root of a function of one variable, to the tolerance of R's `uniroot`.

Why not a better one: the judge's answers hang on where this search stops. Its tolerance is an
absolute 1e-4 in the metric's own unit, which is why Kayenta sees nothing in metrics around 1e-4.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

TOLERANCE = 1e-4  # in the metric's unit
ITERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """A place and the function's value there."""

    x: float
    y: float


def root(function: Callable[[float], float], low: Point, high: Point) -> float:
    """Where the function crosses zero between the two points, by Brent's method.

    Brent, Algorithms for Minimization without Derivatives (1973), chapter 4. An end whose value
    is 0 is the answer. `opposite` is kept on the other side of zero than `best`.
    """
    if low.y == 0.0:
        return low.x
    before, best, opposite = low, high, low
    for _ in range(ITERATIONS):
        last_step = best.x - before.x
        if abs(opposite.y) < abs(best.y):
            before, best, opposite = best, opposite, best
        reach = 2.0 * sys.float_info.epsilon * abs(best.x) + TOLERANCE / 2.0
        half = (opposite.x - best.x) / 2.0
        if abs(half) <= reach or best.y == 0.0:
            break
        step = half
        if abs(last_step) >= reach and abs(before.y) > abs(best.y):
            step = _interpolated(before, best, opposite, last_step, reach)
        if abs(step) < reach:
            step = reach if step > 0 else -reach
        x = best.x + step
        before, best = best, Point(x, function(x))
        if best.y * opposite.y > 0.0:
            opposite = before
    return best.x


def _interpolated(
    before: Point, best: Point, opposite: Point, last_step: float, reach: float
) -> float:
    """The step to the zero of a line or parabola through the points; half way if it is too far."""
    whole = opposite.x - best.x
    ratio = best.y / before.y
    if before.x == opposite.x:
        over, under = whole * ratio, 1.0 - ratio
    else:
        slope, share = before.y / opposite.y, best.y / opposite.y
        over = ratio * (whole * slope * (slope - share) - (best.x - before.x) * (share - 1.0))
        under = (slope - 1.0) * (share - 1.0) * (ratio - 1.0)
    over, under = (over, -under) if over > 0.0 else (-over, under)
    near = over < 0.75 * whole * under - abs(reach * under) / 2.0
    return over / under if near and over < abs(last_step * under / 2.0) else whole / 2.0
