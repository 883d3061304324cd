"""The last gate before the glass: only printable characters pass, and only ASCII where the terminal has no more."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from themes.glyphs import to_ascii


@lru_cache(maxsize=4096)
def passed(text: str, is_ascii: bool) -> str:
    """The text as it may be sent; as many cells as before.

    >>> passed("a\\x1b[2J", False), passed("● ok ─", True)
    ('a[2J', '* ok -')
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "\ufffd" * cell_len(char) for char in text)
    if is_ascii and not text.isascii():
        text = "".join(to_ascii(char).ljust(cell_len(char), "?") for char in text)
    return text


class GateFilter(LineFilter):
    """Applied to everything that the toolkit draws, whoever drew it."""

    def __init__(self, is_ascii: bool = False) -> None:
        super().__init__()
        self.is_ascii = is_ascii

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Segments whose text is safe."""
        is_ascii = self.is_ascii
        if all(text.isprintable() and (not is_ascii or text.isascii()) for text, _, _ in segments):
            return segments
        return [
            Segment(passed(text, is_ascii), style, None) if not control else Segment("", style, control)
            for text, style, control in segments
        ]
