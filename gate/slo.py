"""The service's promise: objectives, and what an indicator measured over a window of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Budgeting(StrEnum):
    """What the budget is a share of."""

    OCCURRENCES = "occurrences"  # of events: bad events of all events in the window
    TIMESLICES = "timeslices"  # of slices of time: a slice is good if its own share is good enough
    RATIO_TIMESLICES = "ratio timeslices"  # the mean of the slices' own shares


class Calendar(StrEnum):
    """The unit of a window that begins anew at a date."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Over which time an objective counts.

    Rolling: the `length` seconds before the decision. Calendar: `count` units of `calendar`, the
    first beginning at `start` (ISO date and time, local to the IANA time zone `zone`) and others
    following it without a gap; `length` is then the nominal one (a month is 30 days), for burn
    rates and for the eye.
    """

    length: float
    calendar: Calendar | None = None
    count: int = 1
    start: str = ""
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A share `objective` of events (or of slices), strictly between 0 and 1, is good.

    `queries`, asked of `source`: `bad` and `total`, `good` and `total`, `error_ratio`, or `value`
    (a raw value, good where it is on the right side of `threshold`: `op` is lt, lte, gt or gte).
    Each may use `{{window}}`. Or given as numbers in `stated`. `slice_length` (seconds) and
    `slice_target` (a share) belong to the slices of `budgeting`. `origin`: `file:line` of its
    declaration. `recorded`: labels by which a generator's recording rules of this objective are
    found (`sloth_service`, ...), empty where there are none.
    """

    name: str
    objective: float
    window: TimeWindow
    source: str = ""
    queries: Mapping[str, str] | None = None
    stated: tuple[Indicator, ...] = ()
    budgeting: Budgeting = Budgeting.OCCURRENCES
    slice_length: float = 60.0
    slice_target: float | None = None
    op: str = ""
    threshold: float | None = None
    recorded: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    description: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """The bad share seen over the `window` seconds that ended `until` seconds before the decision.

    `bad_share` is None where it could not be known, and `unknown` says why. `bad` and `total` are
    counts of events (or slices) where the source had counts; None where it gave a ratio. Without
    any event the share is 0: nothing was spent. `coverage`: the share of the window that was seen,
    None where nobody looked. `elapsed`: of an objective's own calendar window, the share that has
    passed. `method`: how it was measured, for people.
    """

    slo: str
    window: float
    bad_share: float | None
    bad: float | None = None
    total: float | None = None
    coverage: float | None = None
    elapsed: float | None = None
    until: float = 0.0
    method: str = ""
    unknown: str = ""


def whole(slo: Slo, indicator: Indicator) -> bool:
    """Whether the indicator is over the objective's own window, and not a shorter one."""
    if slo.window.calendar is not None:
        return indicator.elapsed is not None
    return indicator.window == slo.window.length and not indicator.until
