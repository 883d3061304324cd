"""Seeded price paths: correlated, volatile, pulled back to where they began, so that a sandbox can run for days."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cockpit.sandbox.workers.instruments import INSTRUMENTS, SYMBOLS

STEPS_PER_S = 20
BLOCK = 64
CORRELATION = 0.5
SPREAD = 0.026
"""Standard deviation of a log price around its centre."""
RELAXATION_STEPS = 120 * STEPS_PER_S

Array = npt.NDArray[np.float64]


@dataclass(slots=True)
class PricePath:
    """Log prices relative to each symbol's centre, moved on by `step`."""

    seed: int
    at: int = 0
    """Steps taken so far; with the seed it decides the noise, so a path can be resumed."""
    offsets: Array = field(default_factory=lambda: np.zeros(len(SYMBOLS)))
    _noise: Array = field(default_factory=lambda: np.zeros((0, len(SYMBOLS))))

    def step(self, volatility: float = 1.0) -> Array:
        """One step on; the prices after it."""
        row = self.at % BLOCK
        if row == 0 or not len(self._noise):
            self._noise = noise(self.seed, self.at // BLOCK)
        scale = SPREAD * math.sqrt(2 / RELAXATION_STEPS) * volatility
        self.offsets = self.offsets * (1 - 1 / RELAXATION_STEPS) + scale * self._noise[row]
        self.at += 1
        return CENTRES * np.exp(self.offsets)


def noise(seed: int, block: int) -> Array:
    """Unit noise of BLOCK steps, the symbols' moves sharing a market factor."""
    draws = np.random.default_rng((seed, block)).standard_normal((BLOCK, len(SYMBOLS) + 1))
    correlated: Array = CORRELATION * draws[:, :1] + math.sqrt(1 - CORRELATION**2) * draws[:, 1:]
    return correlated


CENTRES: Array = np.array([instrument.price for instrument in INSTRUMENTS])


def shocked(prices: Array, shock: float, signs: Array) -> Array:
    """Prices moved by `shock` against positions of these signs (a symbol not held falls)."""
    return prices * (1 - shock * np.where(signs == 0, 1.0, np.sign(signs)))
