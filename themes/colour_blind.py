"""Colour-blind safe: blue for good, orange and vermilion for bad (Okabe and Ito), never red against green."""

from __future__ import annotations

from themes.look import Look
from themes.night import NIGHT

COLOUR_BLIND = Look(
    name="colour-blind",
    title="Colour-blind safe",
    foreground=NIGHT.foreground,
    background=NIGHT.background,
    colours=("#56b4e9", "#e69f00", "#ff7a3d", "#56b4e9"),
    inks={
        **NIGHT.inks,
        "ok": "#56b4e9",
        "warn": "#e69f00",
        "notice": "#f0e442",
        "crit": "bold #ff8a4c",
        "unknown": "#cc9ab8",
        "accent": "#f0e442",
        "title_selected": "bold #f0e442",
        "border_warn": "#a87400",
        "border_crit": "#d55e00",
        "border_unknown": "#8a6479",
        "border_selected": "#f0e442",
        "chart": "#36769e",
        "chart_hot": "#e69f00",
        "bar": "#4c9ccb",
        "bar_hot": "#e69f00",
        "bar_full": "#ff8a4c",
        "block_ok": "bold #04121c on #56b4e9",
        "block_warn": "bold #1c1303 on #e69f00",
        "block_crit": "bold #ffffff on #b84f00",
        "halted": "#ffffff on #a84800",
        "halted_big": "bold #ffffff on #a84800",
        "active_big": "#56b4e9",
        "key": "bold #f0e442",
        "key_danger": "bold #ff8a4c",
        "series1": "#56b4e9",
        "series2": "#e69f00",
        "series3": "#009e73",
        "series4": "#cc79a7",
        "series5": "#f0e442",
        "series6": "#d55e00",
    },
)
