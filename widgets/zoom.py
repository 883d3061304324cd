"""One panel in full: its charts with axes, and all of its rows; plotext is loaded only here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import plotext
from rich.text import Text

from widgets.box import box
from widgets.figures import rate
from widgets.line import EMPTY, Line, line
from widgets.panels.catalogue import Panel
from widgets.scene import Scene
from widgets.view import View
from widgets.wall_rows import panel_age, panel_body, severity_of

History = Callable[[str], tuple[tuple[float, float | None], ...]]
_SERIES = ("series1", "series2", "series3", "series4", "series5", "series6")
_SCALES = {"$": (1e6, "M$"), "bytes": (1e6, "MB"), "fraction": (0.01, "%")}


def zoom_rows(scene: Scene, panel: Panel, chart: int, history: History, width: int, height: int) -> list[Line]:
    """Chart and rows side by side where there is room, else the chart above the rows."""
    view = scene.wall
    assert view is not None
    is_wide = width >= 120
    chart_width = width * 3 // 5 if is_wide else width
    chart_height = height if is_wide else max(8, height * 3 // 5)
    plot = _chart_box(view, panel, chart, history, chart_width, chart_height)
    rest_width, rest_height = (width - chart_width, height) if is_wide else (width, height - chart_height)
    rows = box(
        panel.title,
        severity_of(view, panel),
        panel_age(view, panel, rest_width - len(panel.title) - 18),
        panel_body(view, panel, rest_width - 4, rest_height - 2, scene.needle),
        rest_width,
        rest_height,
        is_selected=True,
    )
    if not is_wide:
        return [*plot, *rows][:height]
    return [(*left, *right) for left, right in zip(plot, rows, strict=True)]


def _chart_box(view: View, panel: Panel, chart: int, history: History, width: int, height: int) -> list[Line]:
    if not panel.charts:
        body = [line(("this panel keeps no history", "label"))]
        return box(panel.title, None, ("", "label"), body, width, height)
    title, unit, wanted = panel.charts[chart % len(panel.charts)]
    count = f"{chart % len(panel.charts) + 1} of {len(panel.charts)}"
    names = [name for each in wanted for name in _named(view, each)]
    series = [(name, [point for point in history(name) if point[1] is not None]) for name in names]
    series = [(name, points) for name, points in series if len(points) > 1]
    if not series:
        body = [line(("no history yet: it begins when the cockpit starts", "label"))]
        return box(title, None, (count, "label"), body, width, height)
    scale, shown_unit = _SCALES.get(unit, (1.0, unit))
    title = f"{title}, {shown_unit}" if shown_unit else title
    body = [_legend(series, scale), EMPTY, *_plot(series, scale, width - 4, height - 4, view.now)]
    return box(title, None, (count, "label"), body, width, height)


def _named(view: View, wanted: str) -> list[str]:
    if not wanted.endswith(":"):
        return [wanted]
    return sorted(name for name in view.snapshot.trends if name.startswith(wanted))


def _legend(series: list[tuple[str, list[tuple[float, float | None]]]], scale: float) -> Line:
    spans: list[tuple[str, str]] = []
    for at, (name, points) in enumerate(series):
        label = name.partition(":")[2] or name.removesuffix("_per_s").replace("_", " ")
        last = rate((points[-1][1] or 0.0) / scale)
        spans.extend(((f"━ {label} ", _SERIES[at % 6]), (last, "value"), ("  ", "text")))
    return line(*spans)


def _plot(
    series: list[tuple[str, list[tuple[float, float | None]]]], scale: float, width: int, height: int, now: float
) -> list[Line]:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.frame(False)
    first = min(points[0][0] for _, points in series)
    for at, (_, points) in enumerate(series):
        xs = [when - now for when, _ in points]
        plotext.plot(xs, [(value or 0.0) / scale for _, value in points], marker="braille", color=at % 6 + 1)
    ticks = [first + (now - first) * step / 4 for step in range(5)]
    plotext.xticks(
        [tick - now for tick in ticks], [datetime.fromtimestamp(tick, UTC).strftime("%H:%M:%S") for tick in ticks]
    )
    return [_tokens(text) for text in Text.from_ansi(plotext.build()).split("\n")][:height]


def _tokens(text: Text) -> Line:
    """Colour numbers of the plot become the theme's series inks; everything else is axis."""
    spans: list[tuple[str, str]] = []
    at = 0
    for span in sorted(text.spans, key=lambda each: each.start):
        if span.start > at:
            spans.append((text.plain[at : span.start], "axis"))
        color = getattr(span.style, "color", None)
        number = color.number if color is not None and color.number is not None else 0
        spans.append((text.plain[span.start : span.end], _SERIES[number - 1] if 1 <= number <= 6 else "axis"))
        at = max(at, span.end)
    if at < len(text.plain):
        spans.append((text.plain[at:], "axis"))
    return line(*spans)
