"""The last gate before the terminal: nothing that is not printable passes it."""

from __future__ import annotations

from functools import lru_cache

from cockpit.text import ONE_CELL, clean
from widgets.line import Line


def safe(spans: Line) -> Line:
    """The line with every control, bidi or invisible character replaced.

    >>> safe((("a\\x1b[2Jb", "ok"), ("▁", "ok")))
    (('a␛[2Jb', 'ok'), ('▁', 'ok'))
    """
    for text, _ in spans:
        if not (text.isascii() and text.isprintable()) and not ONE_CELL.issuperset(text):
            return tuple((printable(text), ink) for text, ink in spans)
    return spans


@lru_cache(maxsize=4096)
def printable(text: str) -> str:
    """The text as it may be sent to a terminal."""
    return text if ONE_CELL.issuperset(text) else clean(text, limit=2000)
