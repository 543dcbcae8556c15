"""Numbers for people: three significant digits, the unit's own scale, UTC times."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}


def quantity(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A value with its unit; a share (`of requests`) as a percentage; `?` for None.

    >>> quantity(0.0021, "of requests"), quantity(0.0829, "s"), quantity(1.02e8, "bytes")
    ('0.21%', '82.9ms', '102MB')
    >>> quantity(-0.0003, "of requests", signed=True), quantity(None, "s")
    ('-0.03%', '?')
    """
    if value is None or not math.isfinite(value):
        return "?"
    sign = "+" if signed and value >= 0 else ""
    if unit.startswith("of "):
        return f"{sign}{_digits(100 * value)}%"
    for scale, name in _SCALES.get(unit, ()):
        if abs(value) >= scale or scale == _SCALES[unit][-1][0]:
            return f"{sign}{_digits(value / scale)}{name}"
    return f"{sign}{_digits(value)}{unit and ' ' + unit}"


def _digits(value: float) -> str:
    """Three significant digits, never an exponent for everyday sizes."""
    if value == 0:
        return "0"
    if not math.isfinite(value):  # a double so large that its percentage is none
        return "?"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    if places > 6 or abs(value) >= 1e9:
        return f"{value:.2e}"
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(unix: float) -> str:
    """`2026-11-02 11:00:00 UTC`."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def rfc3339(unix: float) -> str:
    """`2026-11-02T11:00:00Z`, with microseconds where there are any."""
    return datetime.fromtimestamp(unix, UTC).isoformat().replace("+00:00", "Z")


def roughly(seconds: float) -> str:
    """`41 min`: one unit is enough for a projection."""
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"
