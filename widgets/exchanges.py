"""Exchanges' local times, and whether they are open, as one line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from cockpit.model.exchange import local
from widgets.line import Line, line

NO_HOLIDAYS: Mapping[str, Collection[date]] = {}


def exchange_times(names: tuple[str, ...], now: float, holidays: Mapping[str, Collection[date]] = NO_HOLIDAYS) -> Line:
    """All of them in one line: `NSE 11:45 open`."""
    spans: list[tuple[str, str]] = []
    for name in names:
        found = local(name, now, holidays.get(name, ()))
        if found is None:
            continue
        clock, is_open = found
        spans.extend(
            (
                (f"  {name} " if spans else f"{name} ", "label"),
                (clock, "text"),
                (" open" if is_open else " closed", "ok" if is_open else "dim"),
            )
        )
    return line(*spans)
