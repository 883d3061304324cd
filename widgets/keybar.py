"""The bottom line: the keys that work here, now; or a hint, or a text field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cockpit.keymap import Key
from cockpit.model.danger import Danger
from widgets.field import Field
from widgets.line import Line, Span, line, pad, width_of

_ON_THE_WALL = ("theme", "freeze", "filter", "zoom", "commands", "screens", "approve", "note", "incident")
_ELSEWHERE = (
    "theme", "wall", "commands", "approve", "note", "incident", "screens",
    "undo", "output", "severity", "roles", "update", "walk", "open", "export", "close", "search", "filter",
)  # fmt: skip
"""Labels that go first where the line is short: what works everywhere before a screen's own; the help has all."""


def key_bar(keys: Sequence[Key], width: int, hint: str = "") -> Line:
    """Keys with their labels, as many as fit; a hint takes the place of the labels."""
    if hint:
        return pad(line((f" {hint}", "hint")), width)
    return _labelled(tuple(keys), width)


@lru_cache(maxsize=64)
def _labelled(keys: tuple[Key, ...], width: int) -> Line:
    """Asked for with every frame, and mostly the same."""
    shown = [key for key in keys if key.label]
    order = _ON_THE_WALL if any(key.scope == "overview" for key in keys) else _ELSEWHERE
    for dropped in (None, *order):
        shown = [key for key in shown if key.label != dropped]
        for gap in ("   ", "  ") if width > 100 else ("  ",):
            spans = _spans(shown, gap)
            if width_of(spans) <= width:
                return pad(spans, width)
    return pad(spans, width)


def _spans(keys: Sequence[Key], gap: str) -> Line:
    spans: list[Span] = []
    for key in keys:
        ink = "key" if key.danger is Danger.OBSERVE else "key_danger"
        spans.extend(((gap if spans else " ", "text"), (key.written.split()[0], ink), (f" {key.label}", "label")))
    return tuple(spans)


def field_bar(name: str, field: Field, hint: str, width: int, is_active: bool = True) -> Line:
    """A text field in the place of the keys."""
    size = max(8, min(40, width - len(name) - len(hint) - 8))
    return pad(line((f" {name} ", "key"), *field.shown(size, is_active), (f"  {hint}", "label")), width)
