"""What a simulation shows about a probability, so that a test of one can fail.

Exact binomial bounds (Clopper & Pearson 1934) at 99.9 %: with a hundred such checks in the suite,
one in ten suites would contain one that is wrong about its seed, and the seeds are fixed.
"""

from __future__ import annotations

from scipy.stats import binomtest

CONFIDENCE = 0.998  # two-sided, so 99.9 % each way


def at_most(hits: int, trials: int) -> float:
    """The largest probability that could well have given so few."""
    return float(binomtest(int(hits), trials).proportion_ci(CONFIDENCE).high)


def at_least(hits: int, trials: int) -> float:
    """The smallest probability that could well have given so many."""
    return float(binomtest(int(hits), trials).proportion_ci(CONFIDENCE).low)
