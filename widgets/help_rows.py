"""Help: every key, where it works and what it does; made from the keymap, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import zip_longest

from cockpit.keymap import SCOPES, Key, of
from cockpit.model.danger import Danger
from widgets.field import Field
from widgets.line import EMPTY, Line, field, line, pad, width_of, wrapped

GAP = 3
COLUMN = 52
"""A column of fewer cells would break most sentences."""
KEYS_MOST = 18
FEW = 6
"""A section of more rows is not begun where fewer than these are left of a column."""
NEXT = ("everywhere", "guard", "chooser")
"""What is needed in need, after the keys of the screen that is asked from."""
_OTHER_WAY = {"down": "up", "pagedown": "pageup", "tab": "shift+tab", "left": "right", "right": "left", "home": "end"}
"""Two keys that follow each other in the keymap and are told in one sentence."""

Entry = list[Line]
"""One key, or two: its lines are not torn apart."""


@lru_cache(maxsize=16)
def help_pages(width: int, height: int, first: str = "", needle: str = "") -> tuple[tuple[Line, ...], ...]:
    """All keys with this text, on pages of as many columns as there is room for; a column is read to its end first.

    The keys of the screen that is asked from come first.
    """
    count = max(1, (width + GAP) // (COLUMN + GAP))
    cells = (width - GAP * (count - 1)) // count
    scopes = dict.fromkeys((*(scope for scope in (first, *NEXT) if scope in SCOPES), *SCOPES))
    columns = _columns([(SCOPES[scope], _entries(scope, cells, needle.casefold())) for scope in scopes], height)
    found = (columns[at : at + count] for at in range(0, len(columns), count))
    return tuple(tuple(_side_by_side(page, cells)) for page in found)


def _side_by_side(columns: list[list[Line]], cells: int) -> Iterator[Line]:
    for row in zip_longest(*columns, fillvalue=EMPTY):
        padded = [pad(each, cells) for each in row]
        yield tuple(span for at, each in enumerate(padded) for span in (*((" " * GAP, "text"),) * (at > 0), *each))


def _columns(blocks: Iterable[tuple[str, list[Entry]]], height: int) -> list[list[Line]]:
    columns: list[list[Line]] = [[]]
    for heading, entries in blocks:
        if not entries:
            continue
        left = height - len(columns[-1]) - 1
        if columns[-1] and left < min(FEW, 1 + sum(map(len, entries))):
            columns.append([])
        elif columns[-1]:
            columns[-1].append(EMPTY)
        columns[-1].append(line((heading, "title")))
        for entry in entries:
            for part in [entry] if len(entry) < height else [[row] for row in entry]:
                if len(columns[-1]) + len(part) > height:
                    columns.append([line((f"{heading} …", "title"))])
                columns[-1] += part
    return columns


def _entries(scope: str, width: int, needle: str) -> list[Entry]:
    told = [one for one in _told(of(scope)) if needle in f"{SCOPES[scope]} {one[0]} {one[1]} {one[3]}".casefold()]
    size = max((len(written) for written, *_ in told), default=0) + 3
    size = min(size, KEYS_MOST, width // 2)
    found: list[Entry] = []
    for written, words, ink, _ in told:
        pairs = zip_longest(wrapped(written, size - 3), wrapped(words, width - size), fillvalue="")
        found.append([line(field(f"  {keys}", size, ink), (said, "text")) for keys, said in pairs])
    return found


def _told(keys: tuple[Key, ...]) -> Iterator[tuple[str, str, str, str]]:
    """How the keys are written, what they do, their ink and their label; the two ways of one movement together."""
    rest = list(keys)
    while rest:
        key = rest.pop(0)
        written, words = key.written, key.help
        if rest and key.keys and rest[0].keys[:1] == (_OTHER_WAY.get(key.keys[0]),):
            other = rest.pop(0)
            written, words = f"{written}, {other.written}", f"{words}; {other.help[:1].lower()}{other.help[1:]}"
        yield written, words, "key" if key.danger is Danger.OBSERVE else "key_danger", key.label


def help_rows(width: int, height: int, page: int, first: str = "", needle: Field | None = None) -> list[Line]:
    """A page of the help in a border; what is looked for, while it is being typed or narrows the keys."""
    pages = help_pages(width - 4, height - 2, first, needle.text if needle else "")
    body = list(pages[max(0, min(page, len(pages) - 1))])
    if not body:
        body = [pad(line(("no key has this text", "label")), width - 4)]
    title: Line = (("╭─", "accent"), (" Help ", "title"), ("─" * (width - 9), "accent"), ("╮", "accent"))
    tallest = height - 2 if len(pages) > 1 else len(body)
    body += [EMPTY] * (tallest - len(body))
    foot = _foot(page, len(pages), width - 3, needle)
    bottom = (("╰─", "accent"), *foot, ("─" * max(0, width - 3 - width_of(foot)), "accent"), ("╯", "accent"))
    return [title, *((("│ ", "accent"), *pad(row, width - 4), (" │", "accent")) for row in body), bottom]


def _foot(page: int, pages: int, room: int, needle: Field | None) -> Line:
    if needle is not None:
        return line((" / ", "key"), *needle.shown(min(24, max(4, room - 30))), (" Esc clears it ", "dim"))
    at = f" page {min(page, pages - 1) + 1} of {pages}   " if pages > 1 else " "
    turn = "PgDn PgUp turn it   " if pages > 1 else ""
    for words in (f"{at}{turn}/ finds a key   any other key closes ", f"{at}{turn}/ finds   Esc closes ", at):
        if len(words) <= room:
            return line((words, "dim"))
    return EMPTY
