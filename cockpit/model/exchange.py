"""Exchanges' local times and regular sessions; holidays are not known and not claimed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange and the hours of its regular session on weekdays."""

    zone: str
    opens: time
    closes: time


EXCHANGES = {
    "NSE": Exchange("Asia/Kolkata", time(9, 15), time(15, 30)),
    "BSE": Exchange("Asia/Kolkata", time(9, 15), time(15, 30)),
    "NYSE": Exchange("America/New_York", time(9, 30), time(16, 0)),
    "NASDAQ": Exchange("America/New_York", time(9, 30), time(16, 0)),
    "LSE": Exchange("Europe/London", time(8, 0), time(16, 30)),
}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(name: str, now: float) -> tuple[str, bool] | None:
    """The exchange's local HH:MM and whether its regular session is on; None where it is not known.

    >>> local("NSE", 1781849700), local("NYSE", 1781849700), local("XTKS", 0)
    (('11:45', True), ('02:15', False), None)
    """
    exchange = EXCHANGES.get(name)
    if exchange is None:
        return None
    there = datetime.fromtimestamp(now, UTC).astimezone(_zone(exchange.zone))
    is_open = there.weekday() < 5 and exchange.opens <= there.time() < exchange.closes
    return there.strftime("%H:%M"), is_open
