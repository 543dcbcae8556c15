r"""One pod is not the version: how far a single pod may carry a claim about all of them.

A pod that is ill for three minutes (a bad node, a noisy neighbour, a restart) fails as many
requests as a bad release would in an hour, but says little about the next pod. Two things keep
that apart, where the counts of the pods are known:

*An incident.* In each interval a pod counts at most like the rest of its arm, plus what could earn
the claim so much evidence that the pod alone needs `ALONE` seconds for a conviction. Where the arm
expects mu clumps of bad events and the other arm nu, an excess of c earns at most
(mu + c) log((mu + c) / (q T)) + nu log(nu / ((1 - q) T)), with T = mu + c + nu, q = mu / (mu + nu)
(the log likelihood ratio of two Poisson counts; q is the null's share). What is beyond is held
back, and only from the arm whose bad events speak for the claim: from the canary for "worse", from
the baseline for "not worse". Fewer such events only make the claim harder, so whatever the cap
rests on, the test stays valid. An outage strikes all pods, and then the rest of the arm is as bad.

*A lasting difference* (hardware, zone): the pods' own log rates vary with a standard deviation tau
about the version's, estimated from the history's totals by the method of moments (DerSimonian &
Laird, Controlled Clinical Trials 1986, section 3). "Worse" then has to be shown beyond the margin
widened by `WIDER` standard errors of the difference of two arms' means, tau sqrt(1/k_c + 1/k_b).
"Not worse" is claimed of the pods that serve, and needs no widening.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gate.series import Array, Counts

# Seconds in which one pod alone can convict its arm. Restarts and evictions pass in two or three
# minutes; a pod that is ill for longer is one that somebody should look at.
ALONE = 300.0
# Natural-log evidence of a conviction: 6 to 7 for 1 % shared by a few metrics, and what a mixture
# of bets pays to find the right one.
CONVICTION = 9.0
# Clumps; where nothing is expected one bad event is still only one.
LEAST_EXPECTED = 1e-3
# Standard errors of the pods' lasting differences; 2.5 leave 0.6 % on one side.
WIDER = 2.5
# The share of an arm's bad events that is worth a sentence when held back.
WORTH_TELLING = 0.1
# Between fewer pods there is no lasting difference to be told from chance.
FEWEST_PODS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pods:
    """Bad and all events of each pod of one arm, shapes (n, pods); what was not seen is 0."""

    names: tuple[str, ...]
    bad: Array
    total: Array

    @staticmethod
    def of(names: Sequence[str], bad: Sequence[Array], total: Sequence[Array]) -> Pods | None:
        """From one row of counts a pod; None where there are not two to compare."""
        if len(names) < 2:
            return None
        columns = (np.nan_to_num(np.stack(part, axis=1)) for part in (bad, total))
        return Pods(tuple(names), *columns)

    @staticmethod
    def counting(series: Counts) -> Pods | None:
        own = series.by_pod.values()
        return Pods.of(tuple(series.by_pod), [one.bad for one in own], [one.total for one in own])

    @property
    def serving(self) -> int:
        """How many had any event."""
        return int((self.total.sum(axis=0) > 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What is not counted of each pod's bad events, (n, pods), and the sentence about it."""

    by_pod: Array
    told: str = ""

    @property
    def events(self) -> Array:
        """Of the arm, (n,)."""
        return np.asarray(self.by_pod.sum(axis=1))


def held_back(pods: Pods | None, expected: Array, beside: Array, index: float, step: float) -> Held:
    """The bad events by which single pods exceed their arm.

    `expected`: bad events that the whole arm would have by the claim's own null, and `beside`: the
    other arm, both (n,); `index`: of dispersion; `step` in seconds.

    >>> bad = np.array([[0.0, 0.0, 30.0]])
    >>> pods = Pods(("a", "b", "c"), bad, np.full((1, 3), 100.0))
    >>> held_back(pods, np.array([0.3]), np.array([3.0]), 1.0, 60.0).told
    'c had 30 bad events, more than the other pods tell of; 28 are held back'
    """
    if pods is None:
        return Held(np.zeros((len(expected), 0)))
    others_bad = pods.bad.sum(axis=1, keepdims=True) - pods.bad
    others = pods.total.sum(axis=1, keepdims=True) - pods.total
    rate = np.divide(others_bad, others, out=np.zeros_like(others), where=others > 0)
    mu, nu = (np.nan_to_num(one) / index for one in (expected, beside))
    alone = index * _excess(mu, nu, CONVICTION * step / ALONE)
    # A pod that serves alone has nobody to be compared with.
    cap = np.where(others > 0, pods.total * rate + alone[:, None], math.inf)
    beyond = np.maximum(pods.bad - cap, 0.0)
    of_pod = beyond.sum(axis=0)
    most = int(np.argmax(of_pod))
    if of_pod[most] < WORTH_TELLING * max(pods.bad.sum(), 1.0):
        return Held(beyond)
    told = (
        f"{pods.names[most]} had {pods.bad[:, most].sum():,.0f} bad events, more than the other "
        f"pods tell of; {of_pod[most]:,.0f} are held back"
    )
    return Held(beyond, told)


def _excess(mu: Array, nu: Array, nats: float) -> Array:
    """The excess c that earns so many nats, (n,), by bisection; an expectation of 0 is small."""
    mu, nu = np.maximum(mu, LEAST_EXPECTED), np.maximum(nu, LEAST_EXPECTED)
    low, high = np.zeros_like(mu), np.full_like(mu, 1.0)
    for _ in range(60):
        short = _earned(high, mu, nu) < nats
        if not short.any():
            break
        high = np.where(short, 2 * high, high)
    for _ in range(10):  # to a thousandth of it
        middle = (low + high) / 2
        short = _earned(middle, mu, nu) < nats
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


def _earned(excess: Array, mu: Array, nu: Array) -> Array:
    whole = mu + excess + nu
    ours = (mu + excess) * np.log((mu + excess) * (mu + nu) / (mu * whole))
    return np.asarray(ours + nu * np.log((mu + nu) / whole))


def lasting(pods: Pods | None, held: Held, index: float) -> float:
    """Standard deviation of the pods' lasting log rates; 0 where it cannot be told from chance."""
    if pods is None or pods.serving < FEWEST_PODS:
        return 0.0
    total = pods.total.sum(axis=0)
    bad = (pods.bad - held.by_pod).sum(axis=0)[total > 0]
    total = total[total > 0]
    if not bad.sum():
        return 0.0
    expected = total * bad.sum() / total.sum()
    apart = float(((bad - expected) ** 2 / expected).sum()) - index * (len(bad) - 1)
    spread = float(expected.sum() - (expected**2).sum() / expected.sum())
    return math.sqrt(max(0.0, apart / spread))


def lenience(deviation: float, canary: Pods | None, baseline: Pods | None) -> float:
    """The factor by which the pods' lasting differences widen the margin for "worse"."""
    if not deviation or canary is None or baseline is None:
        return 1.0
    error = deviation * math.sqrt(1.0 / max(canary.serving, 1) + 1.0 / max(baseline.serving, 1))
    return math.exp(WIDER * error)


def usual(bad: Array, total: Array, past: tuple[Array, Array] | None) -> Array:
    """The bad share of the past and of the intervals so far, (n,); 0 before any event."""
    before = tuple(float(np.nansum(one)) for one in past) if past else (0.0, 0.0)
    of_bad, of_all = (
        start + np.nan_to_num(part).cumsum()
        for start, part in zip(before, (bad, total), strict=True)
    )
    return np.divide(of_bad, of_all, out=np.zeros_like(of_all), where=of_all > 0)
