"""Text from outside, made safe to show: no control, no bidi, no zero-width character, bounded."""

from __future__ import annotations

import re

_DROPPED = re.compile("[\u00ad\ufe00-\ufe0f\U000e0100-\U000e01ef\u20e3\U0001f3fb-\U0001f3ff]")
"""Characters on whose width terminals and Textual disagree, or which show nothing."""
_RANGES = ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x2190, 0x2193), (0x2500, 0x25FC), (0x2800, 0x28FF))
ONE_CELL = frozenset(chr(code) for first, last in _RANGES for code in range(first, last + 1)) | frozenset("…›≤≥")
"""Harmless characters that every terminal shows in one cell, as whole texts are tested for at the speed of C."""


def clean(text: object, limit: int = 200) -> str:
    """One line of printable text, at most `limit` characters long.

    >>> clean("IBKR\\x1b]2;owned\\x07 up")
    'IBKR\u241b]2;owned\u2407 up'
    >>> clean("a" * 9, limit=5)
    'aaaa…'
    """
    line = str(text)[: limit + 1] if isinstance(text, str) else str(text)
    if not (line.isascii() and line.isprintable()):
        line = "".join(map(_visible, _DROPPED.sub("", line)))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code in (0x09, 0x0A, 0x0D) or char.isspace():
        return " "
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
