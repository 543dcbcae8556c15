"""The noise that Kayenta's judge adds to two constant series, made reproducible.

Kayenta draws it from one unseeded `java.util.Random` of the process, so that its verdict on nearly
equal constants is chance. Here the generator is the same, as the Java API documents it, but the
judge starts it anew from a seed: the same evidence gives the same verdict.
"""

from __future__ import annotations

import math

import numpy as np

from gate.series import Array

SCALE = 1e-5  # standard deviation of the noise as a share of the value
_MULTIPLIER, _MASK = 0x5DEECE66D, (1 << 48) - 1


class Noise:
    """A stream of normal deviates; mutable, one for each judgement."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK
        self._spare: float | None = None

    def added(self, values: Array) -> Array:
        """The values, each with its own noise."""
        drawn = np.array([self._normal() for _ in values])
        noisy: Array = values + drawn * (values * SCALE)
        return noisy

    def _normal(self) -> float:
        """By Marsaglia's polar method, which makes them in pairs.

        >>> round(Noise(42)._normal(), 12)  # java.util.Random(42).nextGaussian()
        1.141905315473
        """
        if self._spare is not None:
            spare, self._spare = self._spare, None
            return spare
        square = 0.0
        while not 0.0 < square < 1.0:
            one, other = 2.0 * self._uniform() - 1.0, 2.0 * self._uniform() - 1.0
            square = one * one + other * other
        scale = math.sqrt(-2.0 * math.log(square) / square)
        self._spare = other * scale
        return one * scale

    def _uniform(self) -> float:
        high = self._bits(26)
        return ((high << 27) + self._bits(27)) / float(1 << 53)

    def _bits(self, count: int) -> int:
        self._state = (self._state * _MULTIPLIER + 0xB) & _MASK
        return self._state >> (48 - count)
