"""The themes by name, and which one a terminal gets by itself."""

from __future__ import annotations

from themes.colour_blind import COLOUR_BLIND
from themes.contrast import CONTRAST
from themes.day import DAY
from themes.look import Look
from themes.mono import MONO
from themes.night import NIGHT
from themes.sixteen import SIXTEEN

LOOKS: tuple[Look, ...] = (NIGHT, DAY, CONTRAST, COLOUR_BLIND, SIXTEEN, MONO)


def look(name: str) -> Look:
    """The theme of that name; night where there is none."""
    return next((each for each in LOOKS if each.name == name), NIGHT)


def offered(has_colour: bool, has_many_colours: bool) -> tuple[Look, ...]:
    """The themes that this terminal can show, its default first.

    >>> [each.name for each in offered(True, False)]
    ['16-colours', 'mono']
    """
    if not has_colour:
        return (MONO,)
    return LOOKS if has_many_colours else (SIXTEEN, MONO)
