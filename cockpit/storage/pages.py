"""Reads a job's output a page at a time: what is held in memory does not grow with what was printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cockpit.model.page import Page
from cockpit.storage.output import OUTPUT, read_output
from cockpit.text import clean

PAGE_BYTES = 64 << 10
LONGEST = 512
"""A line that is longer goes on in the next one."""
CHUNK_BYTES = 1 << 20


def size_of(folder: Path) -> int:
    """How much was printed so far."""
    try:
        return (folder / OUTPUT).stat().st_size
    except OSError:
        return 0


def page_from(folder: Path, offset: int, limit_bytes: int = PAGE_BYTES) -> Page:
    """The lines that begin at `offset` or after it."""
    size = size_of(folder)
    offset = max(0, min(offset, size))
    data = read_output(folder, offset, limit_bytes)
    if offset + len(data) < size:
        # The last line goes on beyond the page: it is the first of the next one.
        data = data[: data.rfind(b"\n") + 1] or data
    return _page(offset, data, size)


def page_until(folder: Path, end: int | None = None, limit_bytes: int = PAGE_BYTES) -> Page:
    """The lines before `end`, or the last ones of all."""
    size = size_of(folder)
    end = size if end is None else max(0, min(end, size))
    begin = max(0, end - limit_bytes)
    data = read_output(folder, begin, end - begin)
    if begin > 0:
        # It begins within a line: from the next one on, unless there is none for long.
        head = data.find(b"\n", 0, LONGEST) + 1
        begin, data = begin + head, data[head:]
    return _page(begin, data, size)


def find(folder: Path, needle: str, offset: int, is_forward: bool = True) -> int | None:
    """Where the line begins in which the text stands next, from `offset` on or before it; letters of any case."""
    wanted = needle.casefold().encode()
    if not wanted:
        return None
    found = _next(folder, wanted, offset) if is_forward else _last(folder, wanted, offset)
    return None if found is None else _line_begin(folder, found)


def _next(folder: Path, wanted: bytes, offset: int) -> int | None:
    overlap = len(wanted) - 1
    while data := read_output(folder, offset, CHUNK_BYTES):
        at = data.lower().find(wanted)
        if at >= 0:
            return offset + at
        if len(data) <= overlap:
            return None
        offset += len(data) - overlap
    return None


def _last(folder: Path, wanted: bytes, end: int) -> int | None:
    overlap = len(wanted) - 1
    while end > 0:
        begin = max(0, end - CHUNK_BYTES)
        at = read_output(folder, begin, end - begin).lower().rfind(wanted)
        if at >= 0:
            return begin + at
        if begin == 0:
            return None
        end = begin + overlap
    return None


def _line_begin(folder: Path, at: int) -> int:
    begin = max(0, at - LONGEST)
    data = read_output(folder, begin, at - begin)
    head = data.rfind(b"\n") + 1
    return begin + head if head or begin == 0 else at


def _page(offset: int, data: bytes, size: int) -> Page:
    lines = tuple(_lines(offset, data))
    return Page(lines, offset + len(data), size)


def _lines(offset: int, data: bytes) -> Iterator[tuple[int, str]]:
    for whole in data.removesuffix(b"\n").split(b"\n") if data else ():
        at = 0
        while at == 0 or at < len(whole):
            end = _end(whole, at)
            # What a carriage return would have overwritten is shown as it was printed last.
            part = whole[at:end].rstrip(b"\r").rpartition(b"\r")[2]
            yield offset + at, clean(part.decode("utf-8", "replace"), limit=LONGEST)
            at = end
        offset += len(whole) + 1


def _end(whole: bytes, at: int) -> int:
    """Where this piece of the line ends: at its limit, but not within a character of UTF-8."""
    end = at + LONGEST
    while at + LONGEST - end < 3 and whole[end : end + 1] and whole[end] & 0xC0 == 0x80:
        end -= 1
    return end
