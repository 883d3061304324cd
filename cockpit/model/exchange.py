"""Exchanges' local times and regular sessions; holidays are those that somebody names, none are known by themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
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


def local(name: str, now: float, holidays: Collection[date] = ()) -> tuple[str, bool] | None:
    """The exchange's local HH:MM and whether its regular session is on; None where it is not known.

    >>> local("NSE", 1781849700), local("NYSE", 1781849700), local("XTKS", 0)
    (('11:45', True), ('02:15', False), None)
    >>> local("NSE", 1781849700, [date(2026, 6, 19)])
    ('11:45', False)
    """
    exchange = EXCHANGES.get(name)
    if exchange is None:
        return None
    there = datetime.fromtimestamp(now, UTC).astimezone(_zone(exchange.zone))
    is_weekday = there.weekday() < 5 and there.date() not in holidays
    return there.strftime("%H:%M"), is_weekday and exchange.opens <= there.time() < exchange.closes
