"""How much bad events come in clumps, read from the baseline's time before the canary.

The count test takes events as independent. When a bad minute brings errors by the dozen, each
carries less evidence than it seems: taken at face value, errors in clumps of ten had an equal
canary called worse in 8 % of simulated rollouts, and one on its margin not worse in half of them.
The index of dispersion phi is the variance of the counts over that of independent ones (McCullagh &
Nelder, Generalized Linear Models, 1989, section 4.5); for clumps of a fixed size it is that size.
All counts are divided by it, which divides the log evidence: for clumps of a fixed size the test is
then exact, as it counts clumps.

phi is estimated from the differences of neighbouring intervals (von Neumann 1941), which a trend or
a daily swing hardly touches, and taken once, from data before the judged window, so that it cannot
be chosen by what it judges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.pods import Pods, held_back, lasting
from gate.series import Array

# The estimate rests on this many intervals, and on this many clumps of the size it finds: with
# twenty its own error is about sqrt(2 / 20) = a third.
FEWEST_INTERVALS = 10
FEWEST_CLUMPS = 20
# What an estimate may be too small by, for errors that vary from hour to hour.
SAFETY = 1.25
# Where too little is known. Retries and shared connections alone make errors come a few at a time.
ASSUMED = 5.0
# The index falls by about half a round, from that of an incident to that of what is usual.
ROUNDS = 4
# Times the history itself: what is beside it, so that its usual rate is taken as known.
KNOWN = 1e6


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The index, at least 1, and the sentence on where it comes from.

    `lasting`: standard deviation of the pods' lasting log rates, 0 where not known.
    """

    index: float
    told: str
    lasting: float = 0.0


def with_pods(bad: Array, total: Array, pods: Pods | None, step: float) -> Dispersion:
    """As `dispersion`, but a single pod's incident is no clump of the whole arm.

    What is held back of a pod rests on the index, and the index on what is held back; a few rounds
    settle both.
    """
    found = dispersion(bad, total)
    if pods is None:
        return found
    usual = total * float(np.nansum(bad) / np.nansum(total))
    for _ in range(ROUNDS):
        held = held_back(pods, usual, KNOWN * usual, found.index, step)
        before, found = found, dispersion(bad - held.events, total)
        if found.index == before.index:
            break
    return replace(found, lasting=lasting(pods, held, found.index))


def dispersion(bad: Array, total: Array) -> Dispersion:
    """From counts of the history, shape (n,), NaN where not seen.

    >>> calm = np.tile([3.0, 5.0, 4.0, 2.0, 6.0, 4.0], 4)
    >>> dispersion(calm, np.full(24, 1000.0)).told
    'discounted by 1.2 for clumps as seen before the rollout'
    >>> dispersion(np.zeros(24), np.full(24, 1000.0)).told
    'discounted by 5 for clumps: 0 bad events before the rollout tell too little'
    """
    seen = (total > 0) & ~np.isnan(bad)
    bad, total = bad[seen], total[seen]
    events = float(bad.sum())
    if len(bad) < FEWEST_INTERVALS or not events:
        return _assumed(events)
    rate = events / float(total.sum())
    apart = np.diff(bad / total) ** 2 / (rate * (1 / total[1:] + 1 / total[:-1]))
    index = max(1.0, float(apart.mean()))
    if events < FEWEST_CLUMPS * index:
        return _assumed(events, index)
    return Dispersion(
        SAFETY * index, f"discounted by {SAFETY * index:.2g} for clumps as seen before the rollout"
    )


def unknown() -> Dispersion:
    """Where there is no history at all."""
    return Dispersion(ASSUMED, f"discounted by {ASSUMED:g} for clumps: no history")


def _assumed(events: float, seen: float = 1.0) -> Dispersion:
    index = max(ASSUMED, SAFETY * seen)
    told = f"{events:,.0f} bad events before the rollout tell too little"
    return Dispersion(index, f"discounted by {index:.2g} for clumps: {told}")
