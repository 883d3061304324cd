"""What is pasted, kept apart from what is typed: whatever stands in it, no character of it is a key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

BEGIN, END = "\x1b[200~", "\x1b[201~"
"""Bracketed paste (xterm, control sequences): a terminal puts these around what is pasted."""
SILENT_S = 10.0
"""An end that has not come after so long a silence got lost: the next key is a key. More than a key is still the rest
of the paste, that a stalled line held up."""
KEY_LENGTH = 8


class Part(NamedTuple):
    """A piece of the input."""

    text: str
    is_pasted: bool


class Pastes:
    """Reads the input in the pieces in which it comes; `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pasted: list[str] | None = None
        self._tail = ""
        """The last characters, in which a mark may have begun."""
        self._heard_at = 0.0

    def parts(self, data: str) -> Iterator[Part]:
        """What is typed, with the marks, at once; what is pasted in one piece, before its end's mark."""
        now, since = self._now(), self._heard_at
        self._heard_at = now
        if self._pasted is not None and now - since > SILENT_S and len(data) <= KEY_LENGTH and END not in data:
            yield from self._ended(END)
        while data:
            mark = BEGIN if self._pasted is None else END
            seen = self._tail + data
            at = seen.find(mark)
            if at < 0:
                self._tail = seen[1 - len(mark) :]
                if self._pasted is None:
                    yield Part(data, is_pasted=False)
                else:
                    self._pasted.append(data)
                return
            over = at + len(mark) - len(self._tail)
            taken, data, self._tail = data[:over], data[over:], ""
            if self._pasted is None:
                self._pasted = []
                yield Part(taken, is_pasted=False)
            else:
                self._pasted.append(taken)
                yield from self._ended("")

    def _ended(self, missing: str) -> Iterator[Part]:
        pasted = "".join([*(self._pasted or ()), missing])
        self._pasted, self._tail = None, ""
        yield Part(pasted.removesuffix(END), is_pasted=True)
        yield Part(END, is_pasted=False)
