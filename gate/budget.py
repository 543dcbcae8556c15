"""The error budget: what the objective allows, how much of it is used, and how fast it goes.

Burn rates as in the Google SRE Workbook, chapter 5, "Alerting on SLOs":
https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gate.slo import Indicator, Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an objective has left.

    `consumed` and `remaining` are shares of the whole budget: `remaining` is 1 untouched, 0
    spent, negative overspent. `burn_rate` over the short `burn_window` (seconds): 1.0 spends the
    budget exactly over `window` (seconds); None where no short window was measured.
    `exhausted_in`: seconds until nothing is left at the present burn rate, 0 when nothing is; None
    where the rate is unknown, or so low that no such time can be named.
    `bad` and `total` are events over `window`; None where the source gave a ratio.
    """

    slo: str
    objective: float
    window: float
    consumed: float
    remaining: float
    burn_rate: float | None = None
    burn_window: float | None = None
    exhausted_in: float | None = None
    bad: float | None = None
    total: float | None = None


def burn(slo: Slo, indicators: tuple[Indicator, ...]) -> Budget:
    """The budget of the objective, from its indicator over its own window and the shortest one.

    Indicators of other objectives are passed over; raises ValueError when none is over the
    objective's own window: a shorter one says nothing about the whole budget.

    >>> slo = Slo(name='availability', objective=0.99, window=1000.0, burn_window=10.0)
    >>> month = Indicator('availability', 1000.0, 0.0025, bad=25, total=10_000)
    >>> hour = Indicator('availability', 10.0, 0.02, bad=2, total=100)
    >>> budget = burn(slo, (month, hour))
    >>> round(budget.remaining, 9), round(budget.burn_rate, 9), round(budget.exhausted_in, 6)
    (0.75, 2.0, 375.0)

    Without a short window, how fast it goes is not known:

    >>> burn(slo, (month,)).burn_rate is None
    True
    """
    own = sorted((one for one in indicators if one.slo == slo.name), key=lambda one: one.window)
    long = next((one for one in own if one.window == slo.window), None)
    if long is None:
        raise ValueError(f"no indicator of {slo.name} over its whole window")
    short = own[0]
    consumed = _burn_rate(long, slo)
    rate = _burn_rate(short, slo) if short.window < long.window else None
    return Budget(
        slo=slo.name,
        objective=slo.objective,
        window=long.window,
        consumed=consumed,
        remaining=1 - consumed,
        burn_rate=rate,
        burn_window=None if rate is None else short.window,
        exhausted_in=_exhausted_in(1 - consumed, long.window, rate),
        bad=long.bad,
        total=long.total,
    )


def _burn_rate(indicator: Indicator, slo: Slo) -> float:
    """Bad share over allowed share; over the whole window it is the share of budget consumed."""
    return indicator.bad_share / (1 - slo.objective)


def _exhausted_in(remaining: float, window: float, rate: float | None) -> float | None:
    if remaining <= 0:
        return 0.0
    if not rate:
        return None
    seconds = remaining * window / rate
    return seconds if math.isfinite(seconds) else None
