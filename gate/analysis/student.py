r"""Evidence that a mean is above zero when the noise is only estimated: Student's normal mixture.

Let z ~ N(mean, v) with an estimate of v that has `freedom` degrees of freedom and is independent of
z, and t = z / sqrt(estimate). Against mean = 0, put a half-normal prior on mean > 0, `spread` = G
times as wide (as a variance) as the noise. The likelihood ratio of t is then, with nu = freedom,

    E = 2 (1 + G)^(-1/2) (1 + x^2 / (nu + 1))^((nu + 1) / 2) T(x),
    x = t sqrt(G / (1 + G)) sqrt((nu + 1) / (nu + t^2 / (1 + G))),                            (1)

T the distribution function of Student's t with nu + 1 degrees of freedom. Without T and the 2 it is
the Bayes factor of Goenen, Johnson, Lu & Westfall (The Bayesian two-sample t test, The American
Statistician 2005); 2 T(x) is twice the posterior probability that the mean is positive. For nu to
infinity it becomes the one-sided normal mixture of Robbins (1970) and of Howard, Ramdas, McAuliffe
& Sekhon (Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics
2021, section 3.2). E has mean 1 at mean = 0 and grows with t, so its mean is below 1 for every
mean below zero.

A prior of one width must not be far off, and with few degrees of freedom (1) is bounded in t. So
several widths are averaged, each four times the last and half as likely.

T itself is bounded from below by what needs no special function: for x >= 0 by Cauchy's
distribution, which has the heavier tail, for x < 0 by the normal one's Mills ratio (Birnbaum 1942).
It costs at most 0.2 of log evidence from x = 1.5 on, and what lies below an e-value is an e-value.
"""

from __future__ import annotations

import math

import numpy as np

from gate.series import Array

# Standard deviations of the prior in units of `scale`: the noise of one interval. A regression as
# large as its noise is the smallest that an hour shows; the widest let few pods convict at all.
WIDTHS = 2.0 * 4.0 ** np.arange(5)
SHARES = 0.5 ** np.arange(5) / (0.5 ** np.arange(5)).sum()
# Where a level is looked for: from next to nothing to beyond any measured effect.
SCORES = np.geomspace(1e-2, 1e8, 64)
FINER = np.geomspace(1.0, SCORES[1] / SCORES[0], 32)


def log_evidence(score: Array, freedom: Array, spread: Array) -> Array:
    """Natural log of the mixture's e-value for each score t, all of shape (n,).

    `spread`: the variance of one interval as a multiple of the variance of the mean that is scored.

    >>> strong, none, against = log_evidence(
    ...     np.array([6.0, 0.0, -6.0]), np.full(3, 18.0), np.full(3, 4.0)
    ... )
    >>> bool(math.exp(strong) > 1000), bool(math.exp(none) < 1), bool(math.exp(against) < 0.02)
    (True, True, True)
    """
    wide = spread[:, None] * WIDTHS**2
    t, nu = score[:, None], freedom[:, None]
    # 1e100: beyond, t^2 overflows, and the evidence is as good as that.
    t = np.clip(t, -1e100, 1e100)
    x = t * np.sqrt(wide / (1 + wide) * (nu + 1) / (nu + t**2 / (1 + wide)))
    logs = np.log(2 * SHARES) - np.log1p(wide) / 2 + (nu + 1) / 2 * np.log1p(x**2 / (nu + 1))
    return np.asarray(np.logaddexp.reduce(logs + _log_lower_bound(x), axis=1))


def scores_at(levels: Array, freedom: float, spread: float) -> Array:
    """For each level the score whose log evidence reaches it; infinite where none does."""
    coarse = log_evidence(SCORES, *_alike(SCORES, freedom, spread))
    above = np.searchsorted(coarse, levels).clip(1, len(SCORES) - 1)
    fine = SCORES[above - 1, None] * FINER
    logs = log_evidence(fine.ravel(), *_alike(fine.ravel(), freedom, spread)).reshape(fine.shape)
    scores = [np.interp(*one) for one in zip(levels, logs, fine, strict=True)]
    return np.where(coarse[-1] >= levels, scores, np.inf)


def _alike(scores: Array, freedom: float, spread: float) -> tuple[Array, Array]:
    return np.full(len(scores), freedom), np.full(len(scores), spread)


def _log_lower_bound(x: Array) -> Array:
    """At most the log of P(T <= x), whatever the degrees of freedom above one."""
    far = np.abs(x)
    mills = -(x**2) / 2 - math.log(math.sqrt(2 * math.pi) / 2) - np.log(far + np.sqrt(x**2 + 4))
    bound: Array = np.where(x >= 0, np.log(0.5 + np.arctan(far) / math.pi), mills)
    return bound
