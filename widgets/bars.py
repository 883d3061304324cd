"""Bars and sparklines, in cells."""

from __future__ import annotations

from collections.abc import Sequence

from themes.glyphs import SPARK
from widgets.line import Line, Span, pad

Points = Sequence[float | None]


def bar(fraction: float | None, width: int, hot: float = 0.8, full: float = 1.0) -> Line:
    """A bar of `width` cells; its colour turns at `hot` and at `full`.

    >>> "".join(text for text, _ in bar(0.61, 10))
    '▆▆▆▆▆▆▁▁▁▁'
    """
    if fraction is None:
        return (("┄" * width, "bar_empty"),)
    cells = max(0, min(width, round(fraction * width)))
    if fraction > 0 and cells == 0:
        cells = 1
    ink = "bar_full" if fraction >= full else "bar_hot" if fraction >= hot else "bar"
    return (("▆" * cells, ink), ("▁" * (width - cells), "bar_empty"))


def _scale(points: Points, floor: float | None) -> tuple[float, float]:
    known = [point for point in points if point is not None]
    low, high = min(known), max(known)
    if floor is not None:
        low = min(low, floor)
    # A flat series is drawn low and calm, not as noise blown up to full height.
    least = abs(high) * 0.05 or 1.0
    return (low, high) if high - low >= least else (low, low + least)


def spark(points: Points, width: int, hot: float | None = None, floor: float | None = None) -> Line:
    """The newest `width` points as one row; those above `hot` in the second colour, unknown ones blank.

    >>> "".join(text for text, _ in spark([0, 1, None, 7], 5))
    ' ▁▂ █'
    """
    return columns(points, width, 1, hot, floor)[0]


def columns(
    points: Points, width: int, height: int, hot: float | None = None, floor: float | None = None, steps: int = 8
) -> list[Line]:
    """The newest `width` points as bars `height` rows tall; fewer `steps` leave air above the topmost row."""
    newest = list(points[-width:]) if width > 0 else []
    if not any(point is not None for point in newest):
        return [
            pad((("·" * min(width, 12) if row == height - 1 else "", "bar_empty"),), width) for row in range(height)
        ]
    low, high = _scale(newest, floor)
    levels = [_level(point, low, high, (height - 1) * 8 + steps) for point in newest]
    are_hot = [hot is not None and point is not None and point > hot for point in newest]
    rows: list[Line] = []
    for row in range(height - 1, -1, -1):
        spans: list[Span] = [(" " * (width - len(newest)), "text")] if width > len(newest) else []
        for level, is_hot in zip(levels, are_hot, strict=True):
            eighths = 0 if level is None else max(0, min(8, level - row * 8))
            char = SPARK[eighths - 1] if eighths else " "
            ink = "chart_hot" if is_hot else "chart"
            if spans and spans[-1][1] == ink:
                spans[-1] = (spans[-1][0] + char, ink)
            else:
                spans.append((char, ink))
        rows.append(tuple(spans))
    return rows


def _level(point: float | None, low: float, high: float, steps: int) -> int | None:
    if point is None:
        return None
    return max(1, min(steps, 1 + round((point - low) / (high - low) * (steps - 1))))
