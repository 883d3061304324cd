"""The word, the glyph and the ink of each state, and how all of it is written in ASCII."""

from __future__ import annotations

from typing import NamedTuple

from cockpit.model.danger import Danger
from cockpit.model.severity import Severity
from cockpit.model.world import World


class Mark(NamedTuple):
    """How one state looks: never colour alone."""

    glyph: str
    word: str
    ink: str


SEVERITY = {
    Severity.P1: Mark("■", "P1", "crit"),
    Severity.P2: Mark("▲", "P2", "warn"),
    Severity.P3: Mark("◆", "P3", "notice"),
    Severity.P4: Mark("◇", "P4", "label"),
    Severity.UNKNOWN: Mark("?", "unknown", "unknown"),
    Severity.OK: Mark("●", "OK", "ok"),
}

DANGER = {
    Danger.OBSERVE: "label",
    Danger.PROTECT: "ok",
    Danger.DISRUPT: "warn",
    Danger.DANGER: "crit",
}

WORLD = {
    World.LIVE: "world_live",
    World.PAPER: "world_paper",
    World.SANDBOX: "world_sandbox",
    World.REPLAY: "world_replay",
}

SPARK = "▁▂▃▄▅▆▇█"
_SPARK_ASCII = "..__-=*#"
"""As high as it looks; a low line for the lower half, which the big letters are made of."""

_ASCII = {
    **dict.fromkeys("─━┄", "-"),
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    **dict(zip(SPARK, _SPARK_ASCII, strict=True)),
    "█": "#",
    "▀": '"',
    "▐": "#",
    "▌": "#",
    "░": ".",
    "▏": "|",
    "●": "*",
    "○": "o",
    "◌": "o",
    "■": "X",
    "▲": "!",
    "◆": "+",
    "◇": "-",
    "▶": ">",
    "›": ">",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "·": "-",
    "–": "-",
    "…": "~",
    "✔": "v",
    "×": "x",
}
_BRAILLE = 0x2800
_UPPER, _LOWER = 0b00011011, 0b11100100
"""The dots of the upper and of the lower half of a braille character, which charts are drawn with."""
_DOTS = {chr(_BRAILLE + dots): " '.:"[bool(dots & _UPPER) + 2 * bool(dots & _LOWER)] for dots in range(256)}
ASCII_TABLE = str.maketrans(_ASCII | _DOTS)


def to_ascii(text: str) -> str:
    """The same number of characters in ASCII alone.

    >>> to_ascii("╭─ ● Redis ▁▄█ ─╮")
    '+- * Redis ._# -+'
    >>> to_ascii("⠉⣀⡇⠀")
    "'.: "

    What has no stand-in of one cell that means the same has none: a limit must not be told wrong.

    >>> to_ascii("≤ 5 ± 1 µs")
    '? 5 ? 1 ?s'
    """
    if text.isascii():
        return text
    return text.translate(ASCII_TABLE).encode("ascii", "replace").decode("ascii")
