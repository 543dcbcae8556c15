"""The likelihood moved to a team's own rate: a shift of every log-odds, so no order changes.

The shift makes the mean likelihood of the releases that were told of equal their own rate of bad
ones, shrunk towards what the model says of them: re-calibration in the large (Steyerberg et al.,
Statistics in Medicine 23, 2004), with the model's word counted as that of `WEIGHT` releases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from gate.additive import Additive
from gate.deployment import Deployment
from gate.risk.features import recent
from gate.risk.model import likelihood

FEWEST = 20  # releases; the rate of fewer says less than the model does
WEIGHT = 20.0
_FAR = 20.0  # log-odds beyond which a likelihood is 0 or 1 to eight places


@dataclass(frozen=True, slots=True)
class Centred:
    """The shift of the log-odds, and what it rests on: bad ones among so many releases."""

    shift: float
    bad: int
    releases: int


def centred(fit: Additive, releases: Sequence[Deployment]) -> Centred | None:
    """By the releases that ended and of whose change enough is known; None by too few of them."""
    known = [
        (fit.log_odds(features), one.result.bad)
        for one, features in zip(releases, recent([one.counted for one in releases]), strict=True)
        if one.ended and set(fit.curves) <= set(features)
    ]
    if len(known) < FEWEST:
        return None
    scores, bad = [score for score, _ in known], sum(is_bad for _, is_bad in known)
    rate = (bad + WEIGHT * _mean(scores, 0.0)) / (len(known) + WEIGHT)
    return Centred(_shift(scores, rate), bad, len(known))


def _mean(scores: Sequence[float], shift: float) -> float:
    return mean(likelihood(score + shift) for score in scores)


def _shift(scores: Sequence[float], rate: float) -> float:
    """By bisection: the mean rises with the shift."""
    low, high = -_FAR, _FAR
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean(scores, middle) < rate else (low, middle)
    return math.fsum((low, high)) / 2
