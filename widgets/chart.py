"""A small chart with its name beside it, as tall as there is room."""

from __future__ import annotations

from collections.abc import Callable

from widgets.bars import Points, columns
from widgets.figures import rate
from widgets.line import Line, cells, cut_text, field

LABEL = 9
"""Cells of the first column of every panel."""
TALLEST = 3
"""Higher ones say no more and shout."""
EXTREMES = 12
"""Cells beside a chart that says its highest and lowest value: `max 34.8 k`."""


def chart(
    label: str,
    points: Points,
    width: int,
    rows: int,
    hot: float | None = None,
    show: Callable[[float | None], str] = rate,
    floor: float | None = None,
) -> list[Line]:
    """A sparkline of `rows` rows; from three rows on with its highest and lowest value."""
    rows = min(rows, TALLEST)
    if rows < 1 or width < LABEL + 4:
        return []
    # As wide whatever the values are: a chart that moves is sent anew.
    side = max(cells(label) + 1, EXTREMES if rows >= 3 else LABEL)
    side = min(side, max(LABEL, width // 2))
    shape = columns(points, width - side, rows, hot, floor)
    sides = [""] * rows
    sides[0] = label
    known = [point for point in points[-(width - side) :] if point is not None]
    if rows >= 3 and known:
        sides[1] = f"max {show(max(known))}"
        sides[-1] = f"min {show(min(known))}"
    tokens = ["label"] + ["dim"] * (rows - 1)
    return [
        (field(cut_text(each, side - 1), side, ink), *line)
        for each, ink, line in zip(sides, tokens, shape, strict=True)
    ]


def stacked(fixed: list[Line], width: int, height: int, *series: tuple[object, ...]) -> list[Line]:
    """The fixed lines, and below them, at the foot of the panel, as many charts as fit.

    Each series is the arguments of `chart` without width and rows: label, points, hot, show, floor.
    """
    room = height - len(fixed)
    wanted = [entry for entry in series if any(point is not None for point in entry[1])]  # type: ignore[attr-defined]
    if room < 1 or not wanted:
        return fixed[:height]
    several = max(1, min(len(wanted), (room - 1) // 4)) if room >= 4 else 1
    rows = min(TALLEST, (room - 1) // several if room > 2 else 1)
    body: list[Line] = []
    for entry in wanted[:several]:
        if body:
            body.append(())
        label, points, *rest = entry
        body.extend(chart(label, points, width, rows, *rest))  # type: ignore[arg-type]
    blank = max(0, room - len(body))
    return [*fixed, *([()] * blank), *body][:height]
