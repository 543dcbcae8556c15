"""Evidence: what was seen, and what was asked for and not seen, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gate.change import Change
from gate.closure import Closure
from gate.deployment import History
from gate.pull import PullRequests
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, Series
from gate.slo import Indicator

# What the `about` of a gap in a service's second baseline ends with.
EARLIER_GAPS = "earlier"


class Cause(StrEnum):
    """Why something was not seen."""

    NOT_ASKED = "not asked"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    SERVER_ERROR = "server error"
    BAD_QUERY = "bad query"
    EMPTY = "empty"
    NOT_A_NUMBER = "not a number"
    STALE = "stale"
    PARTIAL = "partial"
    MALFORMED = "malformed"
    TOO_LARGE = "too large"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something not seen. `about` names it: `metric errors`, `slo availability`, `change`."""

    about: str
    cause: Cause
    detail: str

    def __str__(self) -> str:
        return f"{self.about}: {self.cause}: {self.detail}"


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both arms of one metric over the same `Window`, both series of the same type.

    `concurrent` is False when the baseline is historical. `doubts` are reasons why this pair may
    convict but not acquit: seen, yet something beside it is wrong (a target is down).
    `history` is the baseline before the canary started, in intervals of the same step; None where
    nothing of it was seen, which is no gap: the judge is only more careful without.
    """

    metric: str
    baseline: Series
    canary: Series
    concurrent: bool = True
    doubts: tuple[Gap, ...] = ()
    history: Series | None = None

    def until(self, window: Window) -> Pair:
        """The same as it was seen at an earlier look, when the window was this one."""
        baseline, canary = (_until(arm, window) for arm in (self.baseline, self.canary))
        return replace(self, baseline=baseline, canary=canary)


def _until(series: Series, window: Window) -> Series:
    match series:
        case Counts() | Buckets():
            return series.first(window.count)
        case Levels(pods, values):
            return Levels(pods, values[: window.count])
        case Samples(times, values):
            early = times <= window.end
            return Samples(times[early], values[early])


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that a verdict may rest on. Each metric of the service has a pair or a gap.

    `earlier`: pairs with the service's second, historical baseline, where it has one; a metric may
    be missing there. `pulls`: what the pull requests of the change say. `history`: what the ledger
    remembers; `calendar`: the freezes that concern the service; each None where nobody asked.
    """

    window: Window
    pairs: tuple[Pair, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    change: Change | None = None
    gaps: tuple[Gap, ...] = ()
    earlier: tuple[Pair, ...] = ()
    history: History | None = None
    calendar: tuple[Closure, ...] | None = None
    pulls: PullRequests | None = None
