"""Help: every key, where it works and what it does; made from the keymap."""

from __future__ import annotations

from cockpit.keymap import SCOPES, of
from cockpit.model.danger import Danger
from widgets.line import EMPTY, Line, field, line, pad, width_of, wrapped


def help_text(width: int, first: str = "") -> list[Line]:
    """All keys in one column, in two where there is room; those of the screen that is asked from come first."""
    half = (width - 3) // 2
    scopes = sorted(SCOPES, key=lambda scope: scope != first)
    blocks = [_block(scope, SCOPES[scope], half if width >= 110 else width) for scope in scopes]
    if width < 110:
        return [row for block in blocks for row in block]
    left: list[Line] = []
    while blocks and 2 * (len(left) + len(blocks[0]) // 2) < sum(map(len, blocks)) + len(left):
        left += blocks.pop(0)
    right = [row for block in blocks for row in block]
    size = max(len(left), len(right))
    left += [EMPTY] * (size - len(left))
    right += [EMPTY] * (size - len(right))
    return [(*pad(a, half), ("   ", "text"), *b) for a, b in zip(left, right, strict=True)]


def _block(scope: str, heading: str, width: int) -> list[Line]:
    rows: list[Line] = [line((heading, "title"))]
    for key in of(scope):
        ink = "key" if key.danger is Danger.OBSERVE else "key_danger"
        for at, words in enumerate(wrapped(key.help, width - 19)):
            rows.append(line(field(f"  {key.written}" if at == 0 else "", 19, ink), (words, "text")))
    return [*rows, EMPTY]


def help_rows(width: int, height: int, scroll: int, first: str = "") -> list[Line]:
    """A page of the help in a border."""
    body = help_text(width - 4, first)
    room = height - 2
    scroll = max(0, min(scroll, len(body) - room))
    title: Line = (("╭─", "accent"), (" Help ", "title"), ("─" * (width - 9), "accent"), ("╮", "accent"))
    more = len(body) - scroll - room
    foot = f" ↓ {more} more lines   Esc closes " if more > 0 else " Esc closes "
    bottom: Line = (
        ("╰─", "accent"),
        (foot, "dim"),
        ("─" * max(0, width - 3 - width_of(line(foot))), "accent"),
        ("╯", "accent"),
    )
    page = body[scroll : scroll + room]
    page += [EMPTY] * (min(room, len(body)) - len(page))
    return [title, *((("│ ", "accent"), *pad(row, width - 4), (" │", "accent")) for row in page), bottom]
