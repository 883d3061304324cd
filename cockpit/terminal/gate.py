"""The last gate before the glass: only characters that every terminal shows in as many cells as we count pass it."""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from cockpit.text import ONE_CELL
from themes.glyphs import to_ascii

_NOTHING = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef\u20e3\U0001f3fb-\U0001f3ff]"
)
"""Shows nothing, or changes the width of its neighbour, which terminals do differently."""
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
"""Letters of flags: two of them are one picture in some terminals; they become the letters that they stand for."""
_TOO_NEW = re.compile("[\U0001f6dc\U0001f774-\U0001f77f\U0001f7f0\U0001fa70-\U0001faff]")
"""Pictures that some terminals of today do not know the width of."""
_MARKS = 2
"""So many combining marks a character keeps: more are no language."""
_LOST = "\ufffd"


@lru_cache(maxsize=4096)
def passed(text: str, is_ascii: bool) -> str:
    """The text as it may be sent; as many cells as before.

    >>> passed("a\\x1b[2J", False), passed("● ok ─", True)
    ('a[2J', '* ok -')
    >>> passed("⚠\\ufe0f 1\\ufe0f\\u20e3", False), passed("\\U0001f1e9\\U0001f1ea", False)
    ('⚠ 1  ', 'DE')
    """
    if ONE_CELL.issuperset(text) and (not is_ascii or text.isascii()):
        return text
    width = cell_len(text)
    out: list[str] = []
    used = marks = 0
    for char in _NOTHING.sub("", text):
        size = cell_len(char)
        marks = 0 if size else marks + 1
        if used + size > width:
            break
        if size or (char.isprintable() and marks <= _MARKS and out and not is_ascii):
            out.append(_shown(char, size, is_ascii))
            used += size
    return "".join(out) + " " * (width - used)


def _shown(char: str, size: int, is_ascii: bool) -> str:
    if _FLAG.match(char):
        char = chr(ord(char) - 0x1F1E6 + ord("A"))
    elif not char.isprintable() or _TOO_NEW.match(char):
        char = _LOST * size
    if not is_ascii or char.isascii():
        return char
    return "".join(map(to_ascii, char)).ljust(size, "?")[: max(size, 1)]


class GateFilter(LineFilter):
    """Applied to everything that the toolkit draws, whoever drew it."""

    def __init__(self, is_ascii: bool = False) -> None:
        super().__init__()
        self.is_ascii = is_ascii

    def passes(self, text: str) -> bool:
        """Whether the text is sent as it is, one cell a character."""
        return ONE_CELL.issuperset(text) and (not self.is_ascii or text.isascii())

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Segments whose text is safe."""
        is_ascii = self.is_ascii
        for text, _, _ in segments:
            if not (text.isascii() and text.isprintable()) and (is_ascii or not ONE_CELL.issuperset(text)):
                break
        else:
            return segments
        return [Segment("" if control else passed(text, is_ascii), style, None) for text, style, control in segments]
