"""The bottom line: the keys that work here, now; or a hint, or a text field."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.keymap import Key
from cockpit.model.plan import Danger
from widgets.field import Field
from widgets.line import Line, Span, line, pad, width_of


def key_bar(keys: Sequence[Key], width: int, hint: str = "") -> Line:
    """Keys with their labels, as many as fit; a hint takes the place of the labels."""
    if hint:
        return pad(line((f" {hint}", "hint")), width)
    spans: list[Span] = [(" ", "text")]
    for key in keys:
        if not key.label:
            continue
        ink = "key" if key.danger is Danger.OBSERVE else "key_danger"
        written = key.written.split()[0]
        part: list[Span] = [(written, ink), (f" {key.label}", "label"), ("   " if width > 100 else "  ", "text")]
        if width_of(tuple(spans)) + width_of(tuple(part)) - 2 > width:
            break
        spans.extend(part)
    return pad(tuple(spans), width)


def field_bar(name: str, field: Field, hint: str, width: int, is_active: bool = True) -> Line:
    """A text field in the place of the keys."""
    size = max(8, min(40, width - len(name) - len(hint) - 8))
    return pad(line((f" {name} ", "key"), *field.shown(size, is_active), (f"  {hint}", "label")), width)
