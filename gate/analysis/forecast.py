"""How long until this is clear, were the canary exactly as good as the baseline."""

from __future__ import annotations

import numpy as np

from gate.analysis.rates import Rows, mixed
from gate.series import Array


def clear_in(so_far: Array, growth: Array, weights: Array, level: Array, most: float) -> Array:
    """Intervals until each row's evidence for "not worse" reaches its level; inf beyond `most`.

    `so_far` and `growth`, (rows, bets): the log evidence of each bet, and what a typical interval
    with the canary as good as the baseline adds to it, a constant (equation (1) of `rates` is
    linear in the counts). The mixture by `weights` is solved for by doubling and bisection.
    """
    low, high = np.zeros(len(level)), np.ones(len(level))
    reached = _reached(so_far, growth, weights, level, high)
    while not reached.all() and high.max() <= most:
        low, high = np.where(reached, low, high), np.where(reached, high, 2 * high)
        reached = _reached(so_far, growth, weights, level, high)
    for _ in range(12):
        middle = (low + high) / 2
        early = _reached(so_far, growth, weights, level, middle)
        low, high = np.where(early, low, middle), np.where(early, middle, high)
    return np.where(reached & (high <= most), np.ceil(high), np.inf)


def _reached(so_far: Array, growth: Array, weights: Array, level: Array, steps: Array) -> Rows:
    return np.asarray(mixed(so_far + steps[:, None] * growth, weights) >= level)
