"""Text that wants to do harm, in every place where the platform can put text."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from rich.cells import cell_len

from cockpit.model.snapshot import Snapshot
from cockpit.terminal.last_word import RESET, WIPE
from cockpit.terminal.unread import PROBE

TEXTS = {
    "ansi": "\x1b[2J\x1b[31mred\x1b[0m\x9b31m\x1b#8\x1bc",
    "osc": "\x1b]52;c;cm0gLXJmIC8K\x07\x1b]2;owned\x1b\\\x9d0;x\x9c\x1b]8;;http://x\x1b\\link",
    "dcs": "\x1bPq#0\x1b\\\x90q\x9c\x1b_x\x1b\\\x1b^y\x1b\\",
    "markup": "[/]AA[/]BB[@click=app.quit]x[/] [b $x] [[",
    "bidi": "\u202egnp.exe\u202c\u2066x\u2069\u200f\u061c",
    "invisible": "a\u200bb\u200cc\u2060d\ufeffe\u00adf\u034fg\u115fh\u3164i\u180ej",
    "emoji": "⚠\ufe0f 👨\u200d👩\u200d👧 👍🏽 🇩🇪 1\ufe0f\u20e3 🫨 ❤\ufe0f",
    "marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032fA\u0301",
    "controls": "".join(map(chr, [*range(32), *range(127, 160)])),
    "surrogates": "\ud800\udc1b[31m\udcff",
    "wide": "中文字中文字中文字" * 9,
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\x0bsix\x0cseven\x85eight\ttab",
    "long": "x\x1b[31m中" * 30,
    "empty": "",
    "private": "\ue000\uf8ff\U000f0000\U0010ffff\ufffe",
}
_OURS = {"panel", "section", "id", "action", "digest", "rule", "keys"}
"""Not from the platform: the cockpit's own names of things."""

_SEQUENCE = re.compile(
    r"\x1b\[[0-9;]*[mHCG]|\x1b\[\?2026[hl]|\x1b\]22;default\x07"  # pen, cursor, synchronised output, pointer
    r"|\x1b\[\?(?:1049|25|1004|2004|7|2048)[hl]|\x1b\[>\d+u|\x1b\[<u|\x1b\[\?(?:2026|2048)\$p"  # start and end
    r"|\x1b\[(?:5n|c)"  # asks for an answer
)
_WITHOUT_WIDTH = re.compile(
    "[\u00ad\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]"
)


def poisoned(value: Any, text: str) -> Any:
    """The same thing with every text replaced."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return text
    if isinstance(value, tuple):
        return tuple(poisoned(each, text) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            each.name: poisoned(getattr(value, each.name), text) for each in fields(value) if each.name not in _OURS
        }
        return replace(value, **changed)
    return value


def poisoned_snapshot(snapshot: Snapshot, text: str) -> Snapshot:
    """Every text of every sample, finding and job, and the errors of the samples that have none."""
    bad: Snapshot = poisoned(replace(snapshot, trends={}, assessment=snapshot.assessment), text)
    findings = tuple(poisoned(each, text) for each in snapshot.assessment.findings)
    assessment = replace(snapshot.assessment, findings=findings)
    return replace(bad, trends=snapshot.trends, assessment=assessment)


def raw_in(output: str) -> str | None:
    """The first character that must not reach a terminal, with what is around it."""
    rest = _SEQUENCE.sub("", output)
    for at, char in enumerate(rest):
        if not char.isprintable() or _WITHOUT_WIDTH.match(char):
            return ascii(rest[max(0, at - 20) : at + 20])
    return None


def raw_on_pty(output: bytes) -> str | None:
    """The same of everything that was written to a pty, but for what ends an exit and what asks the kernel whether the
    pty is read: a NUL between two frames, which may end and begin with any character. That no NUL comes out of the
    data is seen where frames are kept one by one."""
    ours = output.decode().replace(WIPE, "").replace(RESET, "").replace("\r\n", "").replace(PROBE.decode(), "")
    return raw_in(ours)


def row_widths(rows: list[str]) -> set[int]:
    """How wide terminals take each row to be, character by character."""
    return {sum(map(cell_len, row)) for row in rows}
