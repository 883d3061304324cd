"""Mono: no colour at all (NO_COLOR, paper terminals); weight and reverse video carry the state."""

from __future__ import annotations

from themes.look import Look

_BLOCKS = (
    *("block_ok", "block_warn", "block_crit", "block_unknown", "block_notice"),
    *("halted", "halted_big", "unknown_fill", "unknown_big", "frozen", "frozen_big"),
    *("world_live", "world_paper", "world_sandbox", "world_replay", "cursor", "picked", "match"),
)

MONO = Look(
    name="mono",
    title="Mono",
    foreground="default",
    background="default",
    is_ansi=True,
    inks={
        **dict.fromkeys(("value", "strong", "title", "warn", "crit", "key", "key_danger", "hint", "unknown"), "bold"),
        **dict.fromkeys(("dim", "stale", "disabled", "border", "bar_empty", "axis"), "dim"),
        **dict.fromkeys(
            ("border_selected", "border_crit", "border_warn", "border_unknown", "chart_hot", "bar_hot", "bar_full"),
            "bold",
        ),
        **dict.fromkeys(_BLOCKS, "bold reverse"),
        "title_selected": "bold underline",
        "active_big": "bold",
        "field": "underline",
    },
)
