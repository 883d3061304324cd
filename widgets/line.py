"""Lines of spans: text with an ink that a theme turns into a style; measured and cut in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from cockpit.text import ONE_CELL, clean

Span = tuple[str, str]
"""Text and the ink of its style."""
Line = tuple[Span, ...]

EMPTY: Line = ()
_CUT_NUMBER = re.compile(r"(?<![\w.,-])[-+]?[\d.,]*\d(?:[.,]?(?=$)|\s[a-zA-Z]$)")
_REST_OF_NUMBER = re.compile(r"[.,]?\d|[a-zA-Z%]|\s(?:[nmµ]?s|min|h|d|[kKMGT]?i?B)\b")
_COMPARED_WITH = re.compile(r"\s[<>=≤≥]$")
SHORT = 240
"""So long a text may be and be remembered."""


def line(*parts: Span | str) -> Line:
    """A line of spans; a bare string is plain text.

    >>> line("a", ("b", "ok"))
    (('a', 'text'), ('b', 'ok'))
    """
    return tuple([(part, "text") if isinstance(part, str) else part for part in parts if part])


def plain(spans: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def width_of(spans: Line) -> int:
    """How many cells the line takes."""
    width = 0
    for text, _ in spans:
        width += len(text) if text.isascii() and text.isprintable() else cells(text)
    return width


def cells(text: str) -> int:
    """How many cells the text takes."""
    # Most of the wall's text is plain, and asking that first takes a tenth of looking at each character.
    if text.isascii() and text.isprintable():
        return len(text)
    return _known(text) if len(text) <= SHORT else _counted(text)


def _counted(text: str) -> int:
    return len(text) if ONE_CELL.issuperset(text) else cell_len(text)


_known = lru_cache(maxsize=1024)(_counted)
"""Frames, bars and dots come again with every frame; long texts are not worth their room."""


def cut_text(text: str, width: int) -> str:
    """The text in at most `width` cells; what is cut ends in an ellipsis. A number is whole, with its unit,
    or not there.

    >>> cut_text("moneycontrol", 6), cut_text("ok", 6), cut_text("中文字", 4)
    ('money…', 'ok', '中…')
    >>> cut_text("p95 316 ms > 100 ms", 15), cut_text("p95 316 ms now", 10), cut_text("redis-1234", 9)
    ('p95 316 ms…', 'p95…', 'redis-12…')
    """
    if cells(text) <= width:
        return text
    if width <= 1:
        return "…"[: max(0, width)]
    head = set_cell_size(text, width - 1).rstrip()
    number = _CUT_NUMBER.search(head)
    if number and _REST_OF_NUMBER.match(text, len(head)):
        # What is left of a number is another number, and half of a unit another unit.
        head = head[: number.start()]
    return _COMPARED_WITH.sub("", head.rstrip()) + "…"


def cut(spans: Line, width: int) -> Line:
    """The line in at most `width` cells."""
    if width_of(spans) <= width:
        return spans
    kept: list[Span] = []
    left = width
    for text, ink in spans:
        size = cells(text)
        if size >= left:
            # Something follows or is cut: an ellipsis has to fit.
            kept.append((cut_text(text if size > left else text + "…", left), ink))
            break
        kept.append((text, ink))
        left -= size
    return tuple(kept)


def pad(spans: Line, width: int, ink: str = "text") -> Line:
    """The line in exactly `width` cells.

    >>> plain(pad(line("up"), 4)) + "|"
    'up  |'
    """
    gap = width - width_of(spans)
    if gap < 0:
        spans = cut(spans, width)
        gap = width - width_of(spans)
    return (*spans, (" " * gap, ink)) if gap > 0 else spans


def both(left: Line, right: Line, width: int) -> Line:
    """Left part and right part at the two ends of `width` cells; the left one gives way.

    >>> plain(both(line("memory"), line("412 MB"), 14))
    'memory  412 MB'
    >>> plain(both(line("memory"), line("412 MB"), 10))
    'me… 412 MB'
    """
    right = cut(right, width)
    room = width - width_of(right)
    if not right:
        return pad(left, width)
    return (*pad(left, max(0, room - 1)), *((" ", "text"),) * (room > 0), *right)


def field(text: str, width: int, ink: str = "text", is_right: bool = False) -> Span:
    """One column: cut and padded to `width` cells.

    >>> field("12 ms", 8, is_right=True)
    ('   12 ms', 'text')
    """
    text = cut_text(text, width)
    gap = " " * (width - cells(text))
    return (gap + text if is_right else text + gap, ink)


def number(text: str, width: int, ink: str = "value") -> Span:
    """A right-aligned column."""
    return field(text, width, ink, is_right=True)


def joined(parts: Iterable[Line], separator: Span = (" · ", "dim")) -> Line:
    """Parts in one line, the empty ones left out.

    >>> plain(joined([line("a"), (), line("b")]))
    'a · b'
    """
    spans: list[Span] = []
    for part in parts:
        if any(text for text, _ in part):
            spans.extend((separator, *part) if spans else part)
    return tuple(spans)


def fitted(parts: Iterable[Line], width: int, separator: Span = (" · ", "dim")) -> Line:
    """As many parts as fit in whole, in their order; the first one always.

    >>> plain(fitted([line("in 51/s"), line("fills 49/s"), line("rej 2/s")], 20))
    'in 51/s · fills 49/s'
    """
    kept: list[Line] = []
    for part in parts:
        if not any(text for text, _ in part):
            continue
        if kept and width_of(joined([*kept, part], separator)) > width:
            break
        kept.append(part)
    return joined(kept, separator)


def listing(label: str, parts: Iterable[Line], width: int, label_width: int = 9) -> list[Line]:
    """A label and its parts, on as many lines as they need.

    >>> [plain(each) for each in listing("probe", [line("IBKR 3 ms"), line("Kite 8 ms")], 24)]
    ['probe    IBKR 3 ms', '         Kite 8 ms']
    """
    rows: list[Line] = []
    current: Line = line(field(label, label_width, "label"))
    is_first = True
    for part in parts:
        if not is_first and width_of(current) + 2 + width_of(part) > width:
            rows.append(current)
            current, is_first = line(" " * label_width), True
        current = (*current, *(() if is_first else (("  ", "text"),)), *part)
        is_first = False
    return [*rows, current]


def merged(spans: Line) -> Line:
    """The same line with neighbours of one ink made one.

    >>> merged((("a", "ok"), ("b", "ok"), ("", "x"), ("c", "dim")))
    (('ab', 'ok'), ('c', 'dim'))
    """
    found: list[Span] = []
    for text, ink in spans:
        if found and found[-1][1] == ink:
            found[-1] = (found[-1][0] + text, ink)
        elif text:
            found.append((text, ink))
    return tuple(found)


def tinted(spans: Line, ink: str) -> Line:
    """The same text, all in one ink: for what is no longer true."""
    return tuple((text, ink) for text, _ in spans)


def wrapped(text: str, width: int) -> tuple[str, ...]:
    """The text as it may be shown, in lines of at most `width` cells, broken at spaces, and a long path at a slash.

    >>> wrapped("one two three", 8), wrapped("a\\x1b[2Jb", 4), wrapped("/opt/lib/pg_restore", 12)
    (('one two', 'three'), ('a␛[2', 'Jb'), ('/opt/lib/', 'pg_restore'))
    """
    if not ONE_CELL.issuperset(text):
        # A control takes no cell until something that can be seen stands in its place.
        text = clean(text, limit=len(text))
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if cell_len(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        while cell_len(word) > width > 0:
            head = set_cell_size(word, width)
            slash = head.rfind("/")
            if slash > 0 and word[slash + 1 :]:
                head = word[: slash + 1]
            lines.append(head)
            word = word[len(head.rstrip()) or 1 :]
        current = word
    if current:
        lines.append(current)
    return tuple(lines)
