"""Which world the cockpit acts on."""

from __future__ import annotations

from enum import StrEnum


class World(StrEnum):
    """Stands on every screen, in every plan and in every audit record."""

    LIVE = "LIVE"
    PAPER = "PAPER"
    SANDBOX = "SANDBOX"
    REPLAY = "REPLAY"
