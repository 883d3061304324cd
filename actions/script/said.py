"""What a program has said so far: its beginning, its last line, and never more than that in memory."""

from __future__ import annotations

import re

from cockpit.text import clean

READ_BYTES = 1 << 16
"""So much of the beginning is kept, for the proofs."""
LAST_BYTES = 4000
SHOWN = 200
LINE_END = re.compile(rb"[\r\n]")


class Said:
    """Hears the output piece by piece."""

    def __init__(self) -> None:
        self._begin = bytearray()
        self._tail = bytearray()

    def hear(self, text: bytes) -> str | None:
        """The last whole line, where this piece ended one: half a number is none."""
        self._begin += text[: max(0, READ_BYTES - len(self._begin))]
        self._tail += text
        del self._tail[:-LAST_BYTES]
        if not LINE_END.search(text):
            return None
        return _last(self._tail[: max(self._tail.rfind(b"\n"), self._tail.rfind(b"\r"))])

    @property
    def last_line(self) -> str:
        """Whatever it said last; empty where it said nothing."""
        return _last(self._tail) or ""

    @property
    def end(self) -> str:
        """Its last lines."""
        return self._tail.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """Its beginning, and its last line."""
        return f"{self._begin.decode('utf-8', 'replace')}\n{self.last_line}"


def _last(text: bytes | bytearray) -> str | None:
    """The last line that is not blank.

    >>> _last(b"one\\r\\ntwo\\x1b[2J\\n\\n")
    'two␛[2J'
    """
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return clean(lines[-1].strip(), SHOWN) if lines else None
