"""A question as counts: is this bad share beyond that one, and what does it mean in the unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gate.analysis.dispersion import Dispersion
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


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The bad events of both arms as one of the two claims counts them, shape (n,)."""

    bad_canary: Array
    bad_baseline: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """Is `p_canary <= ratio * p_baseline + absolute`, for these counts, shape (n,)?

    Where bad events are known only within bounds, `worse` counts such that it claims too little,
    and so does `not_worse`. `alike`: how many of the baseline's events would be bad by the canary's
    count of `not_worse`. `expected`: the bad shares of baseline and canary of `not_worse`, foreseen
    for a canary as good as the baseline from data that is not judged; None where nothing foretells
    them. `lenience`: the factor on `ratio` for "worse", for pods that differ for ever. `counted`:
    the noun of the counts. `notes`: what the reader should know of single pods.
    """

    worse: Side
    not_worse: Side
    canary: Array
    baseline: Array
    alike: Array
    expected: tuple[float, float] | None
    ratio: float
    absolute: float
    dispersion: Dispersion
    scale: Scale
    counted: str
    method: str
    lenience: float = 1.0
    notes: tuple[str, ...] = ()


class Unfit(Exception):  # noqa: N818  not an error but an answer: "this data cannot carry it"
    """Ends the making of a question; its text becomes the reason of the finding `unfit`."""
