"""The budget of one objective, from what its indicator measured. Numbers in, numbers out.

Burn rates as in the Google SRE Workbook, chapter 5, "Alerting on SLOs":
https://sre.google/workbook/alerting-on-slos/. Budgets over calendar windows are of the time that
has passed, as a verdict is asked for today and not at the end of the month.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gate.budget.alerts import HOUR, Alarm, Rate, Severity, alarms
from gate.slo import Budgeting, Indicator, Slo, whole

# A tenth of a window unseen moves a budget by at most about a tenth when errors come evenly;
# more than that and "remaining" would be a guess.
LEAST_COVERAGE = 0.9
# A share that is a sum of quotients may pass 1 by float noise.
NOISE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an objective has left.

    `consumed` and `remaining` are shares of the whole budget: `remaining` is 1 untouched, 0
    spent, negative overspent; None where too little was seen, and `unknown` says why. `window` in
    seconds, nominal for a calendar's; of that `elapsed` is the share that has passed, and the
    budget is that of the time passed. `rates`: the shortest window first. `exhausted_in`: seconds
    until nothing is left at the rate over `projected_over` seconds, 0 when nothing is; None where
    the rate is unknown, or so low that no such time can be named. `bad` and `total` are events (or
    slices) over the window; None where the source gave a ratio. `before` and `since` are the
    rates of the hour before the canary's start and of the time after it; `started_before`: whether
    a page already fired when the canary started. None where there is no canary, or not measured.
    """

    slo: str
    objective: float
    window: float
    consumed: float | None
    remaining: float | None
    unknown: str = ""
    budgeting: Budgeting = Budgeting.OCCURRENCES
    elapsed: float | None = None
    coverage: float | None = None
    bad: float | None = None
    total: float | None = None
    rates: tuple[Rate, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    exhausted_in: float | None = None
    projected_over: float | None = None
    before: Rate | None = None
    since: Rate | None = None
    started_before: bool | None = None
    method: str = ""
    source: str = ""

    @property
    def allowed(self) -> float:
        """The share of bad events that spends the budget exactly."""
        return allowed(self.objective)

    def rate(self, window: float) -> float | None:
        """The burn rate over so many seconds, where it is known."""
        return next((one.burn for one in self.rates if one.window == window), None)

    def firing(self, severity: Severity) -> bool | None:
        """Whether an alert of this severity fires; None where that cannot be told."""
        return any_firing([one.firing for one in self.alarms if one.severity is severity])


def allowed(objective: float) -> float:
    """1 - objective as one would write it: floats make 1 - 0.999 a little more than 0.001.

    >>> allowed(0.999), 1 - 0.999
    (0.001, 0.0010000000000000009)
    """
    return float(1 - Decimal(repr(objective)))


def any_firing(states: Sequence[bool | None]) -> bool | None:
    """True if one is; False only if all are known not to be.

    >>> any_firing([True, None]), any_firing([False, None]), any_firing([False])
    (True, None, False)
    """
    if any(states):
        return True
    return None if None in states or not states else False


def burn(slo: Slo, indicators: tuple[Indicator, ...]) -> Budget:
    """The budget of the objective, from its indicator over its own window and shorter ones.

    Indicators of other objectives are passed over; raises ValueError when none is over the
    objective's own window: a shorter one says nothing about the whole budget.

    >>> from gate.slo import TimeWindow
    >>> slo = Slo(name='availability', objective=0.99, window=TimeWindow(length=30 * 86400.0))
    >>> month = Indicator('availability', 30 * 86400.0, 0.0025, bad=250, total=100_000)
    >>> hour = Indicator('availability', 3600.0, 0.02, bad=2, total=100)
    >>> budget = burn(slo, (month, hour))
    >>> round(budget.remaining, 9), round(budget.rate(3600.0), 9), round(budget.exhausted_in, 6)
    (0.75, 2.0, 972000.0)

    Without a short window, how fast it goes is not known:

    >>> burn(slo, (month,)).rate(3600.0) is None
    True
    """
    own = [one for one in indicators if one.slo == slo.name]
    long = next((one for one in own if whole(slo, one)), None)
    if long is None:
        raise ValueError(f"no indicator of {slo.name} over its whole window")
    consumed = _rate(slo, long)
    rates = _rates(slo, [one for one in own if not one.until and one is not long])
    before = _rates(slo, [one for one in own if one.until])
    start = next((one.until for one in own if one.until), None)
    remaining = None if consumed.burn is None else 1 - consumed.burn
    over = next((one for one in rates if one.window >= HOUR and one.burn is not None), None)
    return Budget(
        slo=slo.name,
        objective=slo.objective,
        window=slo.window.length,
        consumed=consumed.burn,
        remaining=remaining,
        unknown=consumed.why,
        budgeting=slo.budgeting,
        elapsed=long.elapsed,
        coverage=long.coverage,
        bad=long.bad,
        total=long.total,
        rates=rates,
        alarms=alarms(slo.window.length, lambda length: _over(rates, length)),
        exhausted_in=_exhausted_in(consumed.burn, long, over.burn if over else None),
        projected_over=over.window if over else None,
        before=_over(before, HOUR),
        since=_over(rates, start) if start else None,
        started_before=_paging(slo, before) if before else None,
        method=long.method,
        source=slo.source,
    )


def _rates(slo: Slo, indicators: list[Indicator]) -> tuple[Rate, ...]:
    return tuple(_rate(slo, one) for one in sorted(indicators, key=lambda one: one.window))


def _rate(slo: Slo, seen: Indicator) -> Rate:
    """Bad share over allowed share; over the whole window it is the share of budget consumed."""
    why = seen.unknown or _unseen(seen)
    burned = None
    if not why and seen.bad_share is not None:
        burned = seen.bad_share / allowed(slo.objective)
        if not math.isfinite(burned):
            burned, why = None, "the bad share is no number"
    return Rate(
        window=seen.window,
        burn=burned,
        bad=seen.bad,
        total=seen.total,
        coverage=seen.coverage,
        why=why,
    )


def _unseen(seen: Indicator) -> str:
    if seen.coverage is None or seen.coverage >= LEAST_COVERAGE - NOISE:
        return ""
    return f"{seen.coverage:.1%} of the time was seen, {LEAST_COVERAGE:.0%} needed"


def _over(rates: tuple[Rate, ...], window: float) -> Rate | None:
    return next((one for one in rates if one.window == window), None)


def _paging(slo: Slo, rates: tuple[Rate, ...]) -> bool | None:
    found = alarms(slo.window.length, lambda length: _over(rates, length))
    return any_firing([one.firing for one in found if one.severity is Severity.PAGE])


def _exhausted_in(consumed: float | None, long: Indicator, rate: float | None) -> float | None:
    """Of a calendar's window, what is left of the whole of it goes, and only until its end."""
    if consumed is None:
        return None
    if consumed >= 1:
        return 0.0
    if not rate:
        return None
    elapsed = 1.0 if long.elapsed is None else long.elapsed
    if not elapsed:
        return None
    length = long.window / elapsed
    seconds = (1 - consumed * elapsed) * length / rate
    beyond = long.elapsed is not None and seconds > length - long.window
    return seconds if math.isfinite(seconds) and not beyond else None
