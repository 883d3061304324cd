"""A text that is being typed: lines, a cursor, undo; pure, and as quick in a long text as in an empty one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_UNDONE = 200
LONGEST_LINE = 4000
"""A longer line is cut when it is typed or pasted on; what somebody else wrote stays."""
_WORD = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"[^\S\n\t ]")
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that took the place of others; the other way round it undoes itself."""

    at: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    cursor: tuple[int, int]
    """Where the cursor was before."""


@dataclass(slots=True)
class Editor:
    """One text in an editor."""

    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0
    version: int = 0
    """Grows with every change."""
    _goal: int | None = None
    """The column that going up and down tries to keep."""
    _run: tuple[int, int] | None = None
    """Where the word that is being typed ends; None where the last change was another kind."""
    _done: list[Change] = field(default_factory=list)
    _undone: list[Change] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def take(self, key: str, character: str | None, page: int = 20) -> bool:
        """Whether the key was text, editing or a movement; if so it is done."""
        if key in _MOVES:
            self._move(key, page)
        elif key == "enter":
            self.insert("\n")
        elif key in ("backspace", "delete", "ctrl+w", "ctrl+u"):
            self._erase(key)
        elif key in ("ctrl+underscore", "ctrl+slash", "ctrl+y"):
            self._turn_back(self._undone if key == "ctrl+y" else self._done)
        elif character is not None and character.isprintable():
            self._type(character)
        else:
            return False
        return True

    def insert(self, text: str) -> None:
        """At the cursor; nothing that a terminal would act upon."""
        text = _SPACE.sub(" ", _LINE_END.sub("\n", _SEQUENCE.sub("", text)))
        text = _CONTROL.sub("", text).expandtabs(4)
        line = self.lines[self.row]
        parts = (line[: self.column] + text).split("\n")
        column = min(len(parts[-1]), LONGEST_LINE)
        parts[-1] += line[self.column :]
        if len(line) <= LONGEST_LINE:
            parts = [part[:LONGEST_LINE] for part in parts]
        self._change(self.row, 1, parts, (self.row + len(parts) - 1, column))

    def _type(self, character: str) -> None:
        """One letter: with those of the same word before it, and the spaces after them, one change to undo."""
        is_going_on = self._run == (self.row, self.column) and bool(self._done)
        before = self.lines[self.row][: self.column]
        if not character.isspace() and before[-1:].isspace():
            is_going_on = False
        self.insert(character)
        if is_going_on:
            last, first = self._done.pop(), self._done.pop()
            self._done.append(Change(first.at, first.before, last.after, first.cursor))
        self._run = (self.row, self.column)

    def insert_block(self, text: str) -> None:
        """As paragraphs of their own below the cursor's line."""
        self.column = len(self.lines[self.row])
        self.insert("\n" * (2 if self.lines[self.row].strip() else 1) + text + "\n")

    def show(self, text: str) -> None:
        """The text as it came back from the disk; the cursor stays where it was in the words."""
        fresh = text.split("\n")
        head = 0
        while head < min(len(fresh), len(self.lines)) and fresh[head] == self.lines[head]:
            head += 1
        tail = 0
        most = min(len(fresh), len(self.lines)) - head
        while tail < most and fresh[-1 - tail] == self.lines[-1 - tail]:
            tail += 1
        gone, come = len(self.lines) - tail - head, len(fresh) - tail - head
        row = self.row if self.row < head else self.row + come - gone if self.row >= head + gone else self.row
        row = max(0, min(row, len(fresh) - 1))
        self._change(head, gone, fresh[head : head + come], (row, min(self.column, len(fresh[row]))))

    def go(self, row: int) -> None:
        """To the beginning of that line."""
        self.row, self.column, self._goal = max(0, min(row, len(self.lines) - 1)), 0, None

    def _change(self, at: int, count: int, after: list[str], cursor: tuple[int, int]) -> None:
        before = tuple(self.lines[at : at + count])
        self._done.append(Change(at, before, tuple(after), (self.row, self.column)))
        del self._done[:-MOST_UNDONE]
        self._undone.clear()
        self._run = None
        self.lines[at : at + count] = after
        self.row, self.column = cursor
        self.version += 1
        self._goal = None

    def _turn_back(self, changes: list[Change]) -> None:
        """Undo the last change; or what was undone last."""
        if not changes:
            return
        self._run = None
        change = changes.pop()
        other = self._undone if changes is self._done else self._done
        other.append(Change(change.at, change.after, change.before, (self.row, self.column)))
        self.lines[change.at : change.at + len(change.after)] = change.before
        self.lines = self.lines or [""]
        self.row = max(0, min(change.cursor[0], len(self.lines) - 1))
        self.column = min(change.cursor[1], len(self.lines[self.row]))
        self.version += 1

    def _erase(self, key: str) -> None:
        line = self.lines[self.row]
        if key == "delete":
            if self.column < len(line):
                self._set(line[: self.column] + line[self.column + 1 :], self.column)
            elif self.row + 1 < len(self.lines):
                self._change(self.row, 2, [line + self.lines[self.row + 1]], (self.row, self.column))
        elif self.column == 0 and self.row and key == "backspace":
            above = self.lines[self.row - 1]
            self._change(self.row - 1, 2, [above + line], (self.row - 1, len(above)))
        elif self.column:
            kept = {"backspace": self.column - 1, "ctrl+u": 0}.get(key, self._word_before())
            self._set(line[:kept] + line[self.column :], kept)

    def _set(self, line: str, column: int) -> None:
        self._change(self.row, 1, [line], (self.row, column))

    def _word_before(self) -> int:
        found = [match.start() for match in _WORD.finditer(self.lines[self.row][: self.column])]
        return found[-1] if found else 0

    def _move(self, key: str, page: int) -> None:
        length = len(self.lines[self.row])
        if key in ("up", "down", "pageup", "pagedown"):
            goal = self.column if self._goal is None else self._goal
            step = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}[key]
            self.row = max(0, min(self.row + step, len(self.lines) - 1))
            self.column, self._goal = min(goal, len(self.lines[self.row])), goal
            return
        self._goal = None
        if key in ("home", "end"):
            self.column = 0 if key == "home" else length
        elif key in ("ctrl+home", "ctrl+end"):
            self.row = 0 if key == "ctrl+home" else len(self.lines) - 1
            self.column = 0 if key == "ctrl+home" else len(self.lines[-1])
        elif key == "left":
            self.row, self.column = self._beside(self.column - 1)
        elif key == "right":
            self.row, self.column = self._beside(self.column + 1)
        elif key == "ctrl+left":
            self.column = self._word_before()
        else:
            found = _WORD.match(self.lines[self.row], self.column)
            self.column = found.end() if found else length

    def _beside(self, column: int) -> tuple[int, int]:
        if column < 0:
            return (self.row - 1, len(self.lines[self.row - 1])) if self.row else (0, 0)
        if column > len(self.lines[self.row]):
            return (self.row + 1, 0) if self.row + 1 < len(self.lines) else (self.row, column - 1)
        return self.row, column


_MOVES = frozenset(
    "up down left right home end pageup pagedown ctrl+home ctrl+end ctrl+left ctrl+right".split()  # noqa: SIM905
)
