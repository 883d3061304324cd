"""Value at risk and expected shortfall by historical simulation over 500 seeded days of correlated returns."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from cockpit.sandbox.workers.instruments import INSTRUMENTS, SYMBOLS
from cockpit.sandbox.workers.prices import Array

DAYS = 500
CORRELATION = 0.55
TAIL_DEGREES = 5
"""Degrees of freedom of Student's t: days are wilder than a normal distribution has them."""


def return_history(seed: int) -> Array:
    """Daily returns, one row a day, one column a symbol in the order of SYMBOLS."""
    draws = np.random.default_rng((seed, 500)).standard_t(TAIL_DEGREES, (DAYS, len(SYMBOLS) + 1))
    draws /= math.sqrt(TAIL_DEGREES / (TAIL_DEGREES - 2))
    unit = math.sqrt(CORRELATION) * draws[:, :1] + math.sqrt(1 - CORRELATION) * draws[:, 1:]
    history: Array = unit * np.array([instrument.daily_volatility for instrument in INSTRUMENTS])
    return history


def simulated_pnl(history: Array, notional_usd: Mapping[str, float], volatility: float = 1.0) -> Array:
    """What the book would have made on each day of the history, worst first."""
    exposures = np.array([notional_usd.get(symbol, 0.0) for symbol in SYMBOLS])
    pnl: Array = np.sort(history @ exposures) * volatility
    return pnl


def value_at_risk(worst_first: Array, confidence: float = 0.99) -> float:
    """The loss that is not passed on `confidence` of the days, as a positive number.

    >>> value_at_risk(np.arange(-100.0, 0.0), 0.99)
    99.0
    """
    rank = max(1, math.ceil(len(worst_first) * (1 - confidence) - 1e-9))
    return max(0.0, -float(worst_first[min(rank, len(worst_first) - 1)]))


def expected_shortfall(worst_first: Array, confidence: float = 0.975) -> float:
    """The average loss of the days beyond `confidence`, as a positive number.

    >>> expected_shortfall(np.arange(-100.0, 0.0), 0.975)
    99.0
    """
    count = max(1, math.ceil(len(worst_first) * (1 - confidence) - 1e-9))
    return max(0.0, -float(worst_first[:count].mean()))


def nominal_limits(history: Array, usage: float = 0.6) -> tuple[float, float]:
    """Limits of VaR and ES that the strategies' average book fills to `usage`, in round thousands."""
    book = {instrument.symbol: instrument.target_usd for instrument in INSTRUMENTS}
    pnl = simulated_pnl(history, book)
    return round(value_at_risk(pnl) / usage, -3), round(expected_shortfall(pnl) / usage, -3)
