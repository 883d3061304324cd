"""What is traded here: twelve symbols, the venue of each, and the book that the strategies aim for.

Both feeds quote in US dollars, the book's currency.
"""

from __future__ import annotations

from dataclasses import dataclass

START_EQUITY_USD = 4_000_000.0
GROSS_LIMIT_USD = 10_000_000.0
ACCOUNT = "MAIN"
FEEDS = ("yahoo", "moneycontrol")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol."""

    symbol: str
    venue: str
    price: float
    """Around which it trades."""
    target_usd: float
    """Position that the strategies hold on an average day, negative for short."""
    daily_volatility: float


INSTRUMENTS = (
    Instrument("AAPL", "IBKR", 232.0, 640_000.0, 0.016),
    Instrument("MSFT", "IBKR", 418.0, -610_000.0, 0.015),
    Instrument("NVDA", "IBKR", 141.0, 590_000.0, 0.028),
    Instrument("AMZN", "IBKR", 205.0, -560_000.0, 0.019),
    Instrument("GOOGL", "IBKR", 172.0, 620_000.0, 0.017),
    Instrument("META", "IBKR", 560.0, -540_000.0, 0.022),
    Instrument("JPM", "IBKR", 245.0, 600_000.0, 0.014),
    Instrument("XOM", "IBKR", 121.0, -550_000.0, 0.015),
    Instrument("RELIANCE", "ZERODHA", 15.1, 540_000.0, 0.016),
    Instrument("TCS", "ZERODHA", 49.5, -500_000.0, 0.014),
    Instrument("INFY", "ZERODHA", 22.1, 560_000.0, 0.017),
    Instrument("HDFCBANK", "ZERODHA", 20.8, -490_000.0, 0.013),
)
BY_SYMBOL = {instrument.symbol: instrument for instrument in INSTRUMENTS}
SYMBOLS = tuple(BY_SYMBOL)
VENUES = ("IBKR", "ZERODHA", "PAPER")
