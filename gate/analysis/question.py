"""A question as counts: is this bad share beyond that one, and what does it mean in the unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gate.series import Array


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in the metric's own unit; None where it is not bounded."""

    baseline: float
    canary: float
    low: float | None
    high: float | None
    limit: float


def mirrored(effect: Effect) -> Effect:
    """The effect on the values themselves, from the one on their negatives."""
    low, high = (None if bound is None else -bound for bound in (effect.high, effect.low))
    return Effect(-effect.baseline, -effect.canary, low, high, -effect.limit)


@dataclass(frozen=True, slots=True)
class Shares:
    """What the count test found: both arms' bad shares, and the bounds of their difference.

    Bounds lie in [-1, 1]; the lower one is believed at log evidence `log_low`, the upper one at
    `log_high`.
    """

    baseline: float
    canary: float
    low: float
    high: float
    log_low: float
    log_high: float


class Scale(Protocol):
    """Translates shares of bad events back into the metric's unit."""

    def effect(self, found: Shares) -> Effect: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """Is `p_canary <= ratio * p_baseline + absolute`, for these counts, shape (n,)?

    Where the baseline's bad events are known only within bounds, "worse" must be shown beside the
    most there may be and "not worse" beside the least. `alike`: how many of the baseline's events
    would be bad by the canary's count. `counted`: the noun of the counts.
    """

    bad_canary: Array
    canary: Array
    most_bad_baseline: Array
    least_bad_baseline: Array
    alike: Array
    baseline: Array
    ratio: float
    absolute: float
    scale: Scale
    counted: str
    method: str


class Unfit(Exception):  # noqa: N818  not an error but an answer: "this data cannot carry it"
    """Ends the making of a question; its text becomes the reason of the finding `unfit`."""
