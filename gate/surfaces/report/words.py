"""Margins and worsenings in words."""

from __future__ import annotations

from gate.metric import Margin
from gate.surfaces.report.numbers import quantity


def margin(one: Margin, unit: str) -> str:
    """How much worse is still fine.

    >>> margin(Margin(1.25, 0.0005), "of requests")
    '1.25 x baseline + 0.05%'
    """
    absolute = f" + {quantity(one.absolute, unit)}" if one.absolute else ""
    return f"{one.ratio:g} x baseline{absolute}"


def worse_by(one: Margin, unit: str) -> str:
    """How much worse something is, as people write it after --effect.

    >>> worse_by(Margin(1.2, 0.0), "s"), worse_by(Margin(2.0, 0.0), "s")
    ('+20%', '2x')
    >>> worse_by(Margin(1.0, 0.002), "of requests"), worse_by(Margin(1.0, 0.05), "s")
    ('+0.2pp', '+50ms')
    """
    if one.absolute:
        told = quantity(one.absolute, unit, signed=True)
        return told.replace("%", "pp")
    return f"{one.ratio:g}x" if one.ratio >= 2 else f"+{100 * (one.ratio - 1):.3g}%"
