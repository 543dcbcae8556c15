"""The service's promise: objectives, and what an indicator measured over a window of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A share `objective` of events, strictly between 0 and 1, is good over `window` seconds.

    Measured through `source` with `queries` (`bad` and `total`, or `error_ratio`), each asked
    over `window` and over the shorter `burn_window`; or given as numbers in `stated`.
    """

    name: str
    objective: float
    window: float
    burn_window: float
    source: str = ""
    queries: Mapping[str, str] | None = None
    stated: tuple[Indicator, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """The bad share seen over the `window` seconds before the decision.

    `bad` and `total` are event counts where the source had counts; None where it gave a ratio.
    """

    slo: str
    window: float
    bad_share: float
    bad: float | None = None
    total: float | None = None
