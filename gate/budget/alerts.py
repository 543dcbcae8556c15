"""When a budget burns too fast: two windows, several rates, each a share of the whole budget.

"Multiwindow, Multi-Burn-Rate Alerts" of the Google SRE Workbook, chapter 5:
https://sre.google/workbook/alerting-on-slos/. What is written down here are shares of the budget
and times; the burn rate that spends such a share in such a time follows from the objective's own
window. 14.4 is right for 30 days only: for 28 it is 13.44.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

# With five bad events the 95 % interval of how many to expect reaches from 1.6 to 11.7 (exact
# Poisson): fewer say next to nothing of a rate. One failed request of ten burns a budget of 0.1 %
# at 100 times the rate that lasts, and is no incident.
FEWEST_BAD = 5.0
# An alert whose rate is below this rings while the budget lasts, so it is left out: 3 days are
# too much of a window of a week. 0.9 and not 1, as the workbook's 10 % in 3 days is 0.93 of 28.
LOWEST_THRESHOLD = 0.9


class Severity(StrEnum):
    """Who has to know: somebody now, or somebody tomorrow."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """`share` of the budget spent within `long` seconds, and still burning over `short` ones."""

    severity: Severity
    share: float
    long: float
    short: float

    def threshold(self, window: float) -> float:
        """The burn rate that spends the share of a budget over `window` seconds in time `long`.

        >>> page = BurnAlert(Severity.PAGE, 0.02, 3_600.0, 300.0)
        >>> round(page.threshold(30 * DAY), 9), round(page.threshold(28 * DAY), 9)
        (14.4, 13.44)
        """
        return self.share * window / self.long


# The pages and the ticket of three days are those of table 5-8 of the workbook. The tickets of a
# day tell of what would spend the budget in ten days or twenty before the third day is over; Sloth
# has one of them too. A short window is a twelfth of the long one.
ALERTS = (
    BurnAlert(Severity.PAGE, 0.02, HOUR, 5 * MINUTE),
    BurnAlert(Severity.PAGE, 0.05, 6 * HOUR, 30 * MINUTE),
    BurnAlert(Severity.TICKET, 0.10, DAY, 2 * HOUR),
    BurnAlert(Severity.TICKET, 0.05, DAY, 2 * HOUR),
    BurnAlert(Severity.TICKET, 0.10, 3 * DAY, 6 * HOUR),
)
# Every window that some alert looks at, in seconds, the shortest first.
WINDOWS = tuple(sorted({length for one in ALERTS for length in (one.short, one.long)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast the budget burned over `window` seconds: 1.0 spends it exactly in its time.

    `burn` is None where it is not known, and `why` says why. `bad`: events, None where not counted.
    """

    window: float
    burn: float | None
    bad: float | None = None
    total: float | None = None
    coverage: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alert beside what was measured; `firing` is None where that cannot be told."""

    severity: Severity
    share: float
    long: float
    short: float
    threshold: float
    burn_long: float | None
    burn_short: float | None
    firing: bool | None
    why: str = ""


def alerts_over(window: float) -> tuple[BurnAlert, ...]:
    """The alerts that make sense for an objective over `window` seconds.

    >>> [one.long / HOUR for one in alerts_over(7 * DAY)]
    [1.0, 6.0]
    """
    return tuple(one for one in ALERTS if one.threshold(window) >= LOWEST_THRESHOLD)


def alarms(window: float, rate: Callable[[float], Rate | None]) -> tuple[Alarm, ...]:
    """Every alert of an objective over `window` seconds, and whether it fires.

    `rate` knows the rate over a number of seconds, or None. Both windows must burn strictly
    faster than the threshold; the long one has then spent too much, the short one still does.
    """
    return tuple(
        _alarm(one, window, rate(one.long), rate(one.short)) for one in alerts_over(window)
    )


def _alarm(alert: BurnAlert, window: float, long: Rate | None, short: Rate | None) -> Alarm:
    threshold = alert.threshold(window)
    firing, why = _firing(threshold, long, short)
    return Alarm(
        severity=alert.severity,
        share=alert.share,
        long=alert.long,
        short=alert.short,
        threshold=threshold,
        burn_long=long.burn if long else None,
        burn_short=short.burn if short else None,
        firing=firing,
        why=why,
    )


def _firing(threshold: float, long: Rate | None, short: Rate | None) -> tuple[bool | None, str]:
    known = [one.burn for one in (long, short) if one is not None and one.burn is not None]
    if any(burn <= threshold for burn in known):
        return False, ""
    if len(known) < 2:
        lacking = next((one.why for one in (long, short) if one and one.burn is None), "")
        return None, lacking or "not measured over both windows"
    if long is not None and long.bad is not None and long.bad < FEWEST_BAD:
        return False, f"{long.bad:.3g} bad events, at least {FEWEST_BAD:g} needed to fire"
    return True, ""
