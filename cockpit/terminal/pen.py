"""What the terminal's pen must be told so that the next character looks right."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style


class Ink(NamedTuple):
    """A style as the terminal knows it: codes for the attributes and the two colours; empty is the default."""

    attributes: tuple[str, ...] = ()
    front: str = ""
    back: str = ""

    def covers(self, blank: Ink) -> bool:
        """Whether a blank written with this ink looks like one of that ink.

        >>> Ink(("1",), "31", "44").covers(Ink((), "", "44")), Ink(("4",), "31").covers(PLAIN)
        (True, False)
        """
        return blank.back == self.back and not blank.attributes and not _SHOWN.intersection(self.attributes)


PLAIN = Ink()
_SHOWN = frozenset(("4", "5", "6", "7", "9", "21", "51", "52", "53"))
"""Attributes that can be seen on a blank: lines, frames, blinking, reversal."""
_SAME: dict[Ink, Ink] = {}
"""One object for equal inks: most comparisons then end at the identity."""


@lru_cache(maxsize=8192)
def ink_of(style: Style | None, colours: ColorSystem) -> Ink:
    """The ink of a style; links and other things that do not show are left out.

    >>> ink_of(Style.parse("bold red on blue"), ColorSystem.STANDARD)
    Ink(attributes=('1',), front='31', back='44')
    """
    if style is None:
        return PLAIN
    bits = style._attributes & style._set_attributes
    found = Ink(
        tuple(code for bit, code in Style._style_map.items() if bits & (1 << bit)),
        _codes(style, colours, True),
        _codes(style, colours, False),
    )
    return _SAME.setdefault(found, found)


@lru_cache(maxsize=8192)
def blank_of(ink: Ink) -> Ink:
    """What of the ink can be seen on a blank."""
    if _SHOWN.intersection(ink.attributes):
        return ink
    found = Ink((), "", ink.back)
    return _SAME.setdefault(found, found)


def _codes(style: Style, colours: ColorSystem, is_front: bool) -> str:
    colour = style.color if is_front else style.bgcolor
    return "" if colour is None else ";".join(colour.downgrade(colours).get_ansi_codes(is_front))


@lru_cache(maxsize=8192)
def change(before: Ink, after: Ink) -> str:
    """The shortest sequence from one ink to the other.

    >>> change(PLAIN, Ink(("1",), "31")), change(Ink(("1",), "31", "44"), Ink(("1",), "32", "44"))
    ('\\x1b[1;31m', '\\x1b[32m')
    >>> change(Ink(("1",), "31"), Ink((), "31")), change(Ink((), "31"), PLAIN)
    ('\\x1b[0;31m', '\\x1b[0m')
    """
    if before == after:
        return ""
    if after == PLAIN or not set(before.attributes) <= set(after.attributes):
        codes = ["0", *after.attributes, after.front, after.back]
    else:
        codes = [each for each in after.attributes if each not in before.attributes]
        codes.append("" if after.front == before.front else after.front or "39")
        codes.append("" if after.back == before.back else after.back or "49")
    return f"\x1b[{';'.join(filter(None, codes))}m"
