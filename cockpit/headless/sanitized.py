"""The last gate of the commands without a screen: what is printed to a terminal steers no terminal."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from cockpit.text import clean


class Sanitized:
    """A terminal to which lines are written; whatever is neither printable nor the end of a line is replaced."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """As a text stream does it.

        Raises:
            OSError: the terminal is gone.
        """
        return self._terminal.write(harmless(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


def harmless(text: str) -> str:
    """The same lines with every control, bidi and invisible character replaced.

    >>> harmless("P1 \\x1b[2J\\n\\tP2\\n")
    'P1 ␛[2J\\n P2\\n'
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "\n".join(clean(line, limit=len(line)) for line in text.split("\n"))


def sanitize_terminal() -> None:
    """From now on; a file or a pipe gets every byte as it is."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Sanitized) and stream.isatty():
            setattr(sys, name, Sanitized(stream))
