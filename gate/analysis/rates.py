r"""Bad events among all events, in two arms: an exact test that may be looked at for ever.

The question, for intervals i with Nc, Nb events and Xc, Xb bad ones: is the canary's bad share
`p_c <= R * p_b + d` in every interval, whatever p_b does over time? For any bet g in (-1, 1/r_i)
with r_i = R Nc_i / Nb_i put

    log E = sum_i  Xc_i log(1 + g) + Xb_i log(1 - r_i g) - d Nc_i g                        (1)

As a bad event has mean p and 1 + x <= e^x, E[(1 + g)^Xc (1 - r g)^Xb] <= exp(Nc p_c g - Nb p_b r g)
= exp(Nc g (p_c - R p_b)), which d Nc g pays for exactly on the boundary. So for g > 0, E has mean
at most 1 while the canary is within the margin, and for g < 0 while it is beyond it: a
supermartingale, and by Ville's inequality E >= 1/alpha ever happens with probability <= alpha, at
whatever moments one looks. It needs no guess of p_b, no minimum count, no asymptotics; any traffic
split and any drift shared by the arms are fine. With d = 0 it is the conditional binomial
likelihood ratio of Lindon & Malek (Anytime-valid inference for multinomial count data, NeurIPS
2022, section 4), the bet g being a shift of the log-odds that a bad event fell on the canary.

The bets are mixed with equal weights over a grid of such shifts (an average of e-processes is one).
Assumed: events fail independently given the rates; for errors in clumps see `dispersion`.

A fault that begins at minute 20 has twenty good minutes to outweigh, so for "worse" half of the
capital waits: at the k-th block of intervals 1/(k(k+1)) of it starts afresh (these sum to one; what
has not started yet is cash). Such a mixture over starting times is again an e-process (Shin, Ramdas
& Rinaldo, E-detectors, New England Journal of Statistics in Data Science 2024, section 2).

An hour of a canary that fails 3 % beside a baseline that fails 1 %, and of one that fails 1 %,
asked whether the canary is within a quarter more, and whether it is beyond (evidence as log10):

>>> minutes = np.ones((2, 60))
>>> seen = table(
...     bad_canary=minutes * [[30.0], [10.0]], canary=minutes * 1000,
...     bad_baseline=minutes * 90, baseline=minutes * 9000,
... )
>>> ratio, absolute = np.full(2, 1.25), np.zeros(2)
>>> for side in (1, -1):
...     print(np.round(bets(seen, ratio, side).log_e(absolute) / np.log(10), 1))
[190.3  -4.4]
[-21.6   5.2]

Everything is vectorised over rows: shapes are (rows, intervals), one row for each comparison. The
sums are made block by block, and a block's own depend on its intervals alone.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

import numpy as np

from gate.series import Array

Rows = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# Shifts of the log-odds, from a 5 % change of the odds to a factor of 400: closer ones could not be
# shown within days, larger ones are as good as the largest.
SHIFTS = np.geomspace(0.05, 6.0, 16)
EVEN = np.full(len(SHIFTS), 1.0 / len(SHIFTS))
# Short blocks: two hours of ten minutes each. Later, a coarser moment costs little.
SHORT = 12
# Fewer baseline events than this are the rounding of a rate, and bound nothing.
FEWEST_EVENTS = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Bad and all events of both arms; every array (rows, intervals), no NaN, unseen = 0.

    An interval without baseline events bounds nothing and is left out by `table`. Counts may be
    fractional: a factor (1 - x)^y is at most 1 - x y for y in [0, 1].
    """

    bad_canary: Array
    canary: Array
    bad_baseline: Array
    baseline: Array


def table(bad_canary: Array, canary: Array, bad_baseline: Array, baseline: Array) -> Table:
    """The intervals that both arms were seen in, the others zeroed."""
    seen = ~np.isnan(bad_canary + canary + bad_baseline + baseline) & (baseline > FEWEST_EVENTS)
    return Table(
        *(np.where(seen, part, 0.0) for part in (bad_canary, canary, bad_baseline, baseline))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """Equation (1) for each bet, split where the absolute margin enters: log E = won - d * paid.

    Shapes (rows, blocks, bets). `won` holds the ratio of the null it was built for.
    """

    won: Array
    paid: Array

    def logs(self, absolute: Array, start: int = 0) -> Array:
        """Natural log of what each bet has grown to since the block, (rows, bets).

        `absolute` is (rows,).
        """
        grown: Array = self._by_block(absolute)[:, start:].sum(axis=1)
        return grown

    def log_e(self, absolute: Array, weights: Array = EVEN, start: int = 0) -> Array:
        """Natural log of the mixture e-value for each row, the bets weighted (sum 1 a row)."""
        return mixed(self.logs(absolute, start), weights)

    def log_e_since(self, absolute: Array) -> Array:
        """Natural log of what was staked at each block and has grown since, (rows, blocks + 1).

        The first block has half of the capital; the last column is what never started.
        """
        by_block = self._by_block(absolute)
        since = mixed(by_block[:, ::-1].cumsum(axis=1)[:, ::-1], EVEN)
        blocks = np.arange(1.0, since.shape[1])
        staked = np.concatenate([[1.0], 1.0 / (blocks * (blocks + 1)), [1.0 / (len(blocks) + 1)]])
        cash = np.zeros((len(since), 1))
        return np.concatenate([since, cash], axis=1) + np.log(staked / 2)

    def _by_block(self, absolute: Array) -> Array:
        by_block: Array = self.won - absolute[:, None, None] * self.paid
        return by_block


def mixed(logs: Array, weights: Array) -> Array:
    """Natural log of the weighted mean of exp(logs) over the last axis."""
    top = logs.max(axis=-1, keepdims=True)
    mean: Array = top[..., 0] + np.log((weights * np.exp(logs - top)).sum(axis=-1))
    return mean


class Memory:
    """The sums of blocks already seen, found by what is in them: so that a look costs what is new.

    The same numbers give the same sums, bit for bit, with a memory or without; a block that late
    data changed is another block. Keeps the `most` blocks used last, for any number of threads.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most, self._lock = most, Lock()
        self._sums: OrderedDict[bytes, tuple[Array, Array]] = OrderedDict()

    def summed(self, part: Table, ratio: Array, side: int) -> tuple[Array, Array]:
        """As `_summed`."""
        arrays = part.bad_canary, part.canary, part.bad_baseline, part.baseline, ratio
        key = hashlib.blake2b(str((side, part.canary.shape)).encode(), digest_size=16)
        for one in arrays:
            key.update(np.ascontiguousarray(one).data)
        with self._lock:
            found = self._sums.pop(key.digest(), None)
        found = found or _summed(part, ratio, side)
        with self._lock:
            self._sums[key.digest()] = found
            if len(self._sums) > self._most:
                self._sums.popitem(last=False)
        return found


def bets(
    seen: Table, ratio: Array, side: int, block: int | None = None, memory: Memory | None = None
) -> Bets:
    """Against `p_c <= ratio * p_b + d` (side 1), or against `>=` (side -1); ratio (rows,).

    `block`: how many intervals to sum together, see `starts`; all, where not given. `memory`: of
    earlier looks.
    """
    count = seen.canary.shape[1]
    firsts = starts(count, block) if block else [0]
    summed = memory.summed if memory else _summed
    parts = [
        summed(_part(seen, slice(first, last)), ratio, side)
        for first, last in pairwise([*firsts, count])
    ]
    return Bets(*(np.stack(sums, axis=1) for sums in zip(*parts, strict=True)))


def starts(count: int, block: int) -> list[int]:
    """The first interval of each block: twelve short ones, then some four times as long.

    Where they lie does not depend on how many intervals there are, so that a block stays the same.

    >>> starts(5, 2), starts(30, 1)[-3:]
    ([0, 2, 4], [20, 24, 28])
    """
    short = range(0, SHORT * block, block)
    return [one for one in (*short, *range(SHORT * block, count, 4 * block)) if one < count] or [0]


def _part(seen: Table, part: slice) -> Table:
    columns = seen.bad_canary, seen.canary, seen.bad_baseline, seen.baseline
    return Table(*(one[:, part] for one in columns))


def _summed(part: Table, ratio: Array, side: int) -> tuple[Array, Array]:
    """What the intervals of the part won and paid, each (rows, bets)."""
    bad_canary, canary = part.bad_canary, part.canary
    bad_baseline, baseline = part.bad_baseline, part.baseline
    split = np.divide(canary, baseline, out=np.zeros_like(canary), where=baseline > 0)
    odds = (ratio[:, None] * split)[:, None, :]  # that a bad event is the canary's, on the boundary
    raised = np.exp(side * SHIFTS)
    # 1 - r g: how much likelier a baseline's bad event is under the shifted odds; that of a
    # canary's, 1 + g, is `raised` times as much.
    keep = (1.0 + odds) / (1.0 + odds * raised[None, :, None])
    bad = (bad_canary + bad_baseline)[:, :, None]
    won = (np.log(keep) @ bad)[:, :, 0] + bad_canary.sum(axis=1)[:, None] * side * SHIFTS
    paid = (keep @ canary[:, :, None])[:, :, 0] * raised - canary.sum(axis=1)[:, None]
    return won, paid


def leaning(expected: Table, ratio: Array, absolute: Array) -> Array:
    """Weights for "not worse" (rows, bets): half on the bet that gains most where it is true.

    `expected`: what an interval brings if the canary is as good as the baseline, foreseen without
    the data that is judged. A row that expects nothing gets even weights.
    """
    growth = bets(expected, ratio, -1).logs(absolute)
    best = growth == growth.max(axis=1, keepdims=True)
    favoured = best / best.sum(axis=1, keepdims=True)
    weights: Array = (EVEN + favoured) / 2
    return weights


def difference_bounds(
    seen: tuple[Table, Table],
    log_low: Array,
    log_high: Array,
    block: int | None = None,
    memory: Memory | None = None,
) -> tuple[Array, Array]:
    """The always-valid interval of p_c - p_b: every d that neither side has rejected.

    `seen`: as "worse" counts the events, and as "not worse" does. `log_low`, `log_high` (rows,):
    log evidence at which a lower and an upper bound are believed. Bounds lie in [-1, 1]; -1 and 1
    mean not bounded.
    """
    even = np.ones(len(log_low))
    above, below = (
        _whole(bets(one, even, side, block, memory))
        for one, side in zip(seen, (1, -1), strict=True)
    )
    low = _crossing(above, log_low, rising=False)
    high = _crossing(below, log_high, rising=True)
    return low, high


def _whole(by_block: Bets) -> Bets:
    """The same with all blocks as one, for those who ask for many margins."""
    return Bets(*(one.sum(axis=1, keepdims=True) for one in (by_block.won, by_block.paid)))


def share_bound(bad: Array, total: float, log_level: float, side: int) -> Array:
    """Always-valid lower (side 1) or upper (side -1) bounds of one arm's bad share, (rows,).

    Equation (1) with no baseline and d the share itself.
    """
    bound = _crossing(_alone(bad, total, side), np.full(len(bad), log_level), rising=side < 0)
    return np.clip(bound, 0.0, 1.0)


def share_rejected(bad: Array, total: float, share: float, log_level: float, side: int) -> Rows:
    """Whether the arm's bad share is shown to be above (side 1) or below (side -1) `share`."""
    grown = _alone(bad, total, side).log_e(np.full(len(bad), share))
    return np.asarray(grown >= log_level)


def _alone(bad: Array, total: float, side: int) -> Bets:
    """One arm's events, one row for each count of bad ones."""
    paid = np.tile(total * (np.exp(side * SHIFTS) - 1.0), (len(bad), 1))
    return Bets((bad[:, None] * side * SHIFTS)[:, None], paid[:, None])


def shares(seen: Table) -> tuple[Array, Array]:
    """The bad share of the baseline and of the canary, (rows,); NaN where there was no event.

    The baseline's intervals weigh what they weigh in the canary: when traffic moves in steps, its
    late intervals weigh more, and what those hours did to both would look like a difference.
    """
    fair = np.divide(seen.bad_baseline * seen.canary, seen.baseline,
                     out=np.zeros_like(seen.canary), where=seen.baseline > 0)  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = seen.canary.sum(axis=1)
        return fair.sum(axis=1) / whole, seen.bad_canary.sum(axis=1) / whole


def _crossing(process: Bets, level: Array, *, rising: bool) -> Array:
    """Where log E(d) meets the level: E falls in d against "at most", rises against "at least"."""
    low, high = np.full(len(level), -1.0), np.ones(len(level))
    for _ in range(32):  # to 5e-10 of a share
        middle = (low + high) / 2
        rejected = process.log_e(middle) >= level
        go_up = ~rejected if rising else rejected
        low, high = np.where(go_up, middle, low), np.where(go_up, high, middle)
    # The side on which the margin is already rejected bounds the truth.
    return high if rising else low
