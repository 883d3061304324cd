"""What is to be seen of a text in an editor: wrapped, Markdown in its inks, the cursor; only the rows that fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from widgets.editor import Editor
from widgets.line import EMPTY, Line, Span
from widgets.printable import safe

_BULLET = re.compile(r"\s*(?:[-*+]|\d+\.)\s(?:\[[ xX]\]\s)?")
_INLINE = re.compile(r"<!--.*?(?:-->|$)|`[^`]+`|\*\*[^*]+\*\*")
CONFLICT = "> **CONFLICT**"
COMMENT = "<!--"
LOOKS_BACK = 400
"""So many lines above the first visible one are looked at for an open fence or comment."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows, and which line of the text is the first."""

    rows: list[Line]
    top: int


def editor_rows(editor: Editor, top: int, width: int, height: int, is_active: bool) -> Seen:
    """As many rows as there is room for, the cursor's among them."""
    width = max(4, width)
    top = _top(editor, max(0, min(top, len(editor.lines) - 1)), width, height)
    state = _state_after(editor.lines[max(0, top - LOOKS_BACK) : top])
    rows: list[Line] = []
    for number in range(top, len(editor.lines)):
        if len(rows) >= height and number > editor.row:
            break
        text = editor.lines[number]
        if is_active and number == editor.row:
            rows += _with_cursor(text, state, width, editor.column)
        else:
            rows += _rows(text, state, width)
        state = _next(text, state)
    at = next((index for index, row in enumerate(rows) if any(ink == "cursor" for _, ink in row)), 0)
    # A line that alone is higher than the room: the part with the cursor.
    skipped = max(0, at - height + 1)
    rows = rows[skipped : skipped + height]
    return Seen(rows + [EMPTY] * (height - len(rows)), top)


@lru_cache(maxsize=8192)
def breaks(text: str, width: int) -> tuple[int, ...]:
    """Where each row of a line begins; at a space where there is one, else in the word.

    >>> breaks("one two three", 8), breaks("", 8), breaks("aaaaaaaaaa", 4)
    ((0, 8), (0,), (0, 4, 8))
    """
    starts = [0]
    used, space = 0, 0
    for at, char in enumerate(text):
        size = 1 if char.isascii() else cell_len(char)
        if used + size > width:
            begin = space if space > starts[-1] else at
            starts.append(begin)
            used = cell_len(text[begin:at])
            if used + size > width:
                starts.append(at)
                used = 0
        used += size
        if char == " ":
            space = at + 1
    return tuple(starts)


def _top(editor: Editor, top: int, width: int, height: int) -> int:
    """The first visible line, moved as little as possible so that the cursor's row is to be seen."""
    row = editor.row
    if row < top:
        return row
    used = _rows_above(editor, width)
    first = row
    while first > top:
        above = len(breaks(editor.lines[first - 1], width))
        if used + above > height:
            break
        used += above
        first -= 1
    return first


def _rows_above(editor: Editor, width: int) -> int:
    """Rows of the cursor's own line down to the cursor."""
    starts = breaks(editor.lines[editor.row], width)
    return sum(1 for start in starts if start <= editor.column) or 1


@lru_cache(maxsize=8192)
def _rows(text: str, state: str, width: int) -> tuple[Line, ...]:
    """A line without the cursor; the same lines are seen again at every key."""
    return tuple(safe(tuple(row)) for row in _parts(text, state, width))


def _parts(text: str, state: str, width: int) -> list[list[Span]]:
    spans, starts = _spans(text, state), breaks(text, width)
    return [_cut(spans, start, end) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _with_cursor(text: str, state: str, width: int, column: int) -> list[Line]:
    rows, starts = _parts(text, state, width), breaks(text, width)
    at = max(index for index, start in enumerate(starts) if start <= column)
    rows[at] = _marked(rows[at], column - starts[at])
    return [safe(tuple(row)) for row in rows]


def _cut(spans: list[Span], start: int, end: int) -> list[Span]:
    """The part of the spans from one character to another."""
    found: list[Span] = []
    at = 0
    for text, ink in spans:
        part = text[max(0, start - at) : max(0, end - at)]
        if part:
            found.append((part, ink))
        at += len(text)
    return found


def _marked(spans: list[Span], column: int) -> list[Span]:
    length = sum(len(text) for text, _ in spans)
    if column >= length:
        return [*spans, (" ", "cursor")]
    under = "".join(text for text, _ in _cut(spans, column, column + 1))
    return [*_cut(spans, 0, column), (under, "cursor"), *_cut(spans, column + 1, length)]


def _state_after(lines: list[str]) -> str:
    """Which fence, or a comment, is open after these lines; only what may open or close one is looked at."""
    state = ""
    for text in lines:
        if state or "```" in text or "<!--" in text or "~~~" in text:
            state = _next(text, state)
    return state


def _next(text: str, state: str) -> str:
    """The state after one more line: a fence's mark, COMMENT, or empty."""
    if state == COMMENT:
        return "" if "-->" in text else COMMENT
    mark = text.lstrip()[:3]
    if mark in ("```", "~~~"):
        return "" if state == mark else state or mark
    return COMMENT if not state and text.rfind("<!--") > text.rfind("-->") else state


def _spans(text: str, state: str) -> list[Span]:
    """The line in spans that are the line, character by character."""
    if state == COMMENT or text.lstrip()[:3] in ("```", "~~~"):
        return [(text, "dim")]
    if state:
        return [(text, "value")]
    if text.startswith(CONFLICT):
        return [(text, "crit")]
    if text.startswith("#"):
        return [(text, "title")]
    if text.startswith((">", "|")):
        return [(text, "notice" if text.startswith(">") else "value")]
    bullet = _BULLET.match(text)
    start = bullet.end() if bullet else 0
    return [*([(text[:start], "accent")] if start else []), *_inline(text[start:])]


def _inline(text: str) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for found in _INLINE.finditer(text):
        if found.start() > at:
            spans.append((text[at : found.start()], "text"))
        ink = "dim" if found[0].startswith("<") else "value" if found[0].startswith("`") else "strong"
        spans.append((found[0], ink))
        at = found.end()
    return [*spans, (text[at:], "text")] if at < len(text) or not spans else spans
