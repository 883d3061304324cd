"""What comes from the terminal as events: Esc and the key after it are two keys, and what nobody typed is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

from cockpit.terminal.pastes import Pastes
from cockpit.terminal.receipts import ANSWERS

_ESCAPE = "\x1b"
_LEADS = "[O"
"""After an escape these begin longer sequences."""
_BEGUN = frozenset(known[:length] for known in ANSI_SEQUENCES_KEYS for length in range(3, len(known)))
"""What goes on to a known key; on a Linux console F1 is ESC [ [ A."""
_REPORT = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_READ_ELSEWHERE = re.compile(r"\x1b\[(?:M|<.*[mM]|[-\d;]+[mM]|\?\d+;\d\$y)")
"""The mouse, and modes that were asked for."""


class KeyParser(XTermParser):
    """The toolkit's, which takes Esc and a key that follow each other closely for Alt: no key here has Alt.

    It would also type out an escape sequence that was pasted: here it sees the marks of a paste only."""

    def __init__(self, debug: bool = False, when_answered: Callable[[], object] = lambda: None) -> None:
        super().__init__(debug)
        self._when_answered = when_answered
        self._pastes = Pastes()

    def feed(self, data: str) -> Iterable[Message]:
        """Events that are complete with this; the empty text is the end."""
        if not data:
            yield from super().feed(data)
        for part in self._pastes.parts(data):
            if part.is_pasted:
                if ANSWERS.search(part.text):
                    self._when_answered()
                yield events.Paste(ANSWERS.sub("", part.text).replace("\0", ""))
            else:
                # Of its own pastes nothing but the end's escape is left.
                yield from (event for event in super().feed(part.text) if not isinstance(event, events.Paste))

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if ANSWERS.fullmatch(sequence):
            self._when_answered()
            yield events.Key(Keys.Ignore, sequence)
        elif alt or _is_typed(sequence):
            # The toolkit has composed characters for some: ESC 2 would be what Option-2 is on a Mac.
            yield events.Key("escape", _ESCAPE)
            yield from super()._sequence_to_key_events(sequence[-1])
        else:
            found = list(super()._sequence_to_key_events(sequence))
            yield from found
            if not found and _is_report(sequence):
                yield events.Key(Keys.Ignore, sequence)


def _is_typed(sequence: str) -> bool:
    """Whether these are an Esc and another key.

    >>> [_is_typed(each) for each in ("\\x1b2", "\\x1bK", "\\x1b[", "\\x1bO", "\\x1b\\x7f", "\\x1b[A", "2")]
    [True, True, False, False, False, False, False]
    """
    if len(sequence) != 2 or sequence[0] != _ESCAPE or sequence[1] in _LEADS:
        return False
    return not isinstance(ANSI_SEQUENCES_KEYS.get(sequence), tuple)


def _is_report(sequence: str) -> bool:
    """Whether a terminal says something that was not asked: typed out, its digits would be keys.

    >>> [_is_report(each) for each in ("\\x1b[?62;4c", "\\x1b[3n", "\\x1b[", "\\x1b[[", "\\x1b[<0;1;1M")]
    [True, True, False, False, False]
    """
    if sequence in _BEGUN or not _REPORT.fullmatch(sequence):
        return False
    return _READ_ELSEWHERE.match(sequence) is None
