"""How much harm an act can do; its guard grows with it."""

from __future__ import annotations

from enum import StrEnum


class Danger(StrEnum):
    """The class of an action; the guard grows with it."""

    OBSERVE = "observe"
    PROTECT = "protect"
    DISRUPT = "disrupt"
    DANGER = "danger"
