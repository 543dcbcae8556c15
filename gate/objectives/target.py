"""A promised share, exact: 99.9 percent is 0.999, not 0.9990000000000001."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from gate.errors import UsageError

# The finest target told from 100 %: one bad event in 10^12. Coarser than the noise of floats, as
# Sloth writes it into its rules (0.9990000000000001), finer than anything promised.
PLACES = 12


def share(given: str | float) -> float:
    """A target between 0 and 1; raises UsageError.

    >>> share(0.9990000000000001)
    0.999
    """
    value = _decimal(given)
    hint = f"did you mean targetPercent: {_shown(value)}?" if 1 < value < 100 else ""
    return _promise(value, value, hint or "write a share such as 0.999")


def percent(given: str | float) -> float:
    """A target between 0 and 100 as a share; raises UsageError.

    Not above 1 is refused: 0.999 there promises less than one good event in a hundred, which
    nobody means, and would leave a budget that nothing can exhaust.

    >>> percent(99.9), percent("99.95")
    (0.999, 0.9995)
    """
    value = _decimal(given)
    if 0 < value <= 1:
        raise UsageError(
            f"a target of {_shown(value)} percent promises next to nothing",
            f"did you mean {_shown(value * 100)}?" if value < 1 else "write one such as 99.9",
        )
    return _promise(value, value / 100, "write a percentage such as 99.9")


def _decimal(given: str | float) -> Decimal:
    try:
        value = Decimal(str(given).strip())
    except InvalidOperation:
        raise UsageError(f"{given!r} is not a number", "write a percentage such as 99.9") from None
    if not value.is_finite():
        raise UsageError(f"{given!r} is not a number to promise", "write one such as 99.9")
    return value


def _promise(given: Decimal, value: Decimal, hint: str) -> float:
    value = round(value, PLACES)
    told = f"a target of {_shown(given)}"
    if value == 1:
        raise UsageError(
            f"{told} is a budget of zero: every single bad event would exhaust it",
            "promise less than 100 %, for example 99.99 %",
        )
    if value == 0:
        raise UsageError(f"{told} promises nothing, so nothing can break it", hint)
    if not 0 < value < 1:
        raise UsageError(f"{told} is out of range", hint)
    return float(value)


def _shown(value: Decimal) -> str:
    return f"{value.normalize():f}"
