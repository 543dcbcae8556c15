"""Durations, shares and rates as people write them: `90s`, `1h30m`, `99.9%`, `0.999`, `12k rpm`."""

from __future__ import annotations

import math
import re

from gate.errors import UsageError

# Fixed lengths only: a month or a year has none, so `1M` is refused rather than guessed.
UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kM]?) ?(?:/ ?(s|min|h|d)|rp([smhd]))")
_THOUSANDS = {"": 1.0, "k": 1e3, "M": 1e6}


def seconds(text: str) -> float:
    """The length of a duration in seconds; raises UsageError.

    >>> seconds("1h30m")
    5400.0
    """
    if not _WHOLE.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a duration", "write a number and a unit: 30s, 20m, 1h30m, 30d"
        )
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))


def duration(length: float) -> str:
    """Seconds as a duration that `seconds` and PromQL read back, to the millisecond.

    >>> duration(5400), duration(30 * 86400), duration(0.25), duration(0)
    ('1h30m', '30d', '250ms', '0s')
    """
    left = round(length * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        size = round(UNITS[unit] * 1000)
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts) or "0s"


def share(text: str) -> float:
    """A share strictly between 0 and 1, from `99.9%` or `0.999`; raises UsageError.

    >>> share("99.9%"), share("0.95")
    (0.999, 0.95)
    """
    try:
        percent = text.strip().endswith("%")
        # Rounded where floats would show their seams: 99.9 / 100 is 0.9990000000000001.
        value = round(float(text.strip().rstrip("%")) / (100 if percent else 1), 12)
    except ValueError:
        raise UsageError(f"{text!r} is not a share", "write 99.9% or 0.999") from None
    if math.isfinite(value) and 0 < value < 1:
        return value
    hint = "a target of 100 % leaves no budget to judge by" if value in (1, 100) else ""
    if 1 < value < 100:
        hint = f"did you mean {value:g}%?"
    raise UsageError(f"{text!r} is not a share strictly between 0 and 1", hint)


def rate(text: str) -> float:
    """Events a second, from `200rps`, `12k rpm` or `50/min`; raises UsageError.

    >>> rate("200rps"), rate("12k rpm"), rate("90/min")
    (200.0, 200.0, 1.5)
    """
    match = _RATE.fullmatch(text.strip())
    value = float(match[1]) * _THOUSANDS[match[2]] if match else 0.0
    if match is None or value == 0:
        raise UsageError(
            f"{text!r} is not a rate of traffic", "write 200rps, 12k rpm, 50/min or 2M/d"
        )
    return value / UNITS[(match[3] or match[4]).removesuffix("in")]
