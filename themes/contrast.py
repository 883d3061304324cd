"""High contrast: pure black and white, few and strong colours, for tired eyes and bad screens."""

from __future__ import annotations

from themes.look import Look
from themes.night import NIGHT

CONTRAST = Look(
    name="high-contrast",
    title="High contrast",
    foreground="#ffffff",
    background="#000000",
    colours=("#5cc8ff", "#ffd000", "#ff5050", "#4cff88"),
    inks={
        **NIGHT.inks,
        "value": "bold #ffffff",
        "label": "#d8d8d8",
        "dim": "#b0b0b0",
        "stale": "#a8a8a8",
        "title": "bold #ffffff",
        "title_selected": "bold #5cc8ff",
        "ok": "bold #4cff88",
        "warn": "bold #ffd000",
        "notice": "bold #fff59a",
        "crit": "bold #ff5050",
        "unknown": "bold #d9b3ff",
        "accent": "#5cc8ff",
        "border": "#8a8a8a",
        "border_warn": "#ffd000",
        "border_crit": "#ff5050",
        "border_unknown": "#d9b3ff",
        "border_selected": "bold #5cc8ff",
        "chart": "#5cc8ff",
        "chart_hot": "#ffd000",
        "bar": "#4cff88",
        "bar_hot": "#ffd000",
        "bar_full": "#ff5050",
        "bar_empty": "#5a5a5a",
        "block_ok": "bold #000000 on #4cff88",
        "block_warn": "bold #000000 on #ffd000",
        "block_crit": "bold #ffffff on #d00000",
        "halted": "bold #ffffff on #c00000",
        "halted_big": "bold #ffffff on #c00000",
        "active_big": "bold #4cff88",
        "bar_line": "#ffffff on #202020",
        "bar_label": "#d8d8d8 on #202020",
        "key": "bold #5cc8ff",
        "disabled": "#9a9a9a",
        "field": "bold #ffffff on #303030",
        "picked": "bold #000000 on #5cc8ff",
        "axis": "#b0b0b0",
    },
)
