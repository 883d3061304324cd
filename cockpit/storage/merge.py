"""Three-way merge of lines: what two people wrote at the same time, in one text, with no line of either lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CONFLICT = "> **CONFLICT**"
"""Every marker begins with it: a quoted paragraph, so that the text stays valid Markdown."""
MINE = f"{CONFLICT} two changes of the same lines. The one written here:"
THEIRS = f"{CONFLICT} and the other one, already in the file:"
END = f"{CONFLICT} ends: keep what is right, delete these three lines."


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text and how many places need a human."""

    text: str
    conflicts: int = 0


def merge(base: str, mine: str, theirs: str) -> Merged:
    """Both changes of `base` in one text.

    A line is gone only where one side deleted it and the other left it alone; where both changed the same lines, both
    changes stand in the text between markers.

    >>> merge("a\\nb\\nc", "a\\nB\\nc", "a\\nb\\nc\\nd").text
    'a\\nB\\nc\\nd'
    """
    if mine == theirs or theirs == base:
        return Merged(mine)
    if mine == base:
        return Merged(theirs)
    sides = [text.split("\n") for text in (base, mine, theirs)]
    head = _common(sides)
    tail = _common([side[head:][::-1] for side in sides])
    cores = [side[head : len(side) - tail] for side in sides]
    lines: list[str] = sides[0][:head]
    conflicts = 0
    for part, is_conflict in _parts(*cores):
        lines += part
        conflicts += is_conflict
    lines += sides[0][len(sides[0]) - tail :]
    return Merged("\n".join(lines), conflicts)


def has_conflict(text: str) -> bool:
    """Whether somebody still has to decide what is right."""
    return text.startswith(CONFLICT) or f"\n{CONFLICT}" in text


def conflict_line(text: str) -> int:
    """The number of the first line that says so, from 1; 0 where none does."""
    return next((number for number, each in enumerate(text.split("\n"), 1) if each.startswith(CONFLICT)), 0)


def unmarked(text: str) -> str:
    """The text as something that is quoted: no line of it says that somebody has to decide.

    >>> unmarked("a\\n> **CONFLICT** b")
    'a\\n> CONFLICT b'
    """
    return text.replace(CONFLICT, "> CONFLICT")


def difference(text: str, other: str) -> int:
    """How many lines, blank ones apart, are in one of the two and not in the other."""
    left, right = (Counter(each for each in side.split("\n") if each.strip()) for side in (text, other))
    return (left - right).total() + (right - left).total()


def _common(sides: Sequence[list[str]]) -> int:
    """How many lines all begin with: most of a document, whose comparison is what costs time."""
    count = 0
    for each in zip(*sides, strict=False):
        if each[0] != each[1] or each[0] != each[2]:
            break
        count += 1
    return count


def _parts(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[tuple[list[str], bool]]:
    """The stretches of the result in their order, and whether each is a conflict."""
    at_base = at_mine = at_theirs = 0
    for start, in_mine, in_theirs, size in [
        *_shared(base, mine, theirs),
        (len(base), len(mine), len(theirs), 0),
    ]:
        yield _decided(base[at_base:start], mine[at_mine:in_mine], theirs[at_theirs:in_theirs])
        yield base[start : start + size], False
        at_base, at_mine, at_theirs = start + size, in_mine + size, in_theirs + size


def _shared(base: list[str], mine: list[str], theirs: list[str]) -> list[tuple[int, int, int, int]]:
    """Stretches that stand unchanged on both sides: where in base, mine and theirs, and how long."""
    ours = SequenceMatcher(None, base, mine, autojunk=False).get_matching_blocks()
    others = SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    found = []
    i = j = 0
    while i < len(ours) and j < len(others):
        a, b = ours[i], others[j]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            found.append((start, a.b + start - a.a, b.b + start - b.a, end - start))
        if a.a + a.size < b.a + b.size:
            i += 1
        else:
            j += 1
    return found


def _decided(base: list[str], mine: list[str], theirs: list[str]) -> tuple[list[str], bool]:
    if mine in (theirs, base):
        return theirs, False
    if theirs == base:
        return mine, False
    if not base:
        return _both(theirs, mine), False
    beside = _beside(base, mine, theirs) or _beside(base, theirs, mine)
    if beside is not None:
        return beside, False
    return _shown(mine, theirs), True


def _both(first: list[str], second: list[str]) -> list[str]:
    """All lines of both, what they share once."""
    lines: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        lines += first[a:b] if tag == "equal" else [*first[a:b], *second[c:d]]
    return lines


def _beside(base: list[str], changed: list[str], added: list[str]) -> list[str] | None:
    """Where one side only wrote before or after the lines that the other changed."""
    size = len(base)
    if added[:size] == base:
        return [*changed, *added[size:]]
    if added[-size:] == base:
        return [*added[:-size], *changed]
    return None


def _shown(mine: list[str], theirs: list[str]) -> list[str]:
    return [MINE, "", *mine, "", THEIRS, "", *theirs, "", END]
