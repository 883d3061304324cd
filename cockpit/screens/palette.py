"""The command palette: finds by name, opens what was found; it never executes a step."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit import keymap
from cockpit.screens.desk import Desk
from cockpit.screens.sheet import Sheet
from themes.glyphs import DANGER
from widgets.field import Field
from widgets.line import Line
from widgets.palette_rows import Entry, found, palette_rows
from widgets.panels.catalogue import PANELS


def entries(desk: Desk, scope: str) -> list[Entry]:
    """Everything that can be opened from a screen with these keys."""
    steps = desk.session.actions() if desk.session else ()
    listed = [Entry(step.title, step.keys, f"open('step', {step.step!r})", DANGER[step.danger]) for step in steps]
    listed += [
        Entry(row.help, row.written.split()[0], row.action)
        for row in (*keymap.of(scope), *keymap.of("everywhere"))
        if row.action and (row.label or row.action.startswith("go(")) and row.id not in ("commands", "halt", "steps")
    ]
    if scope == "overview":
        listed += [Entry(f"Zoom {panel.title}", "", f"stand('zoom', {panel.id!r})") for panel in PANELS if panel.sample]
    listed += [Entry(f"Theme {look.title}", "", f"theme({look.name!r})") for look in desk.looks]
    return listed


class PaletteScreen(Sheet[Entry]):
    """Answers the entry that was taken, or nothing."""

    def __init__(self, desk: Desk, scope: str) -> None:
        super().__init__(desk)
        self.needle = Field()
        self.picked = 0
        self._entries: Sequence[Entry] = entries(desk, scope)

    def rows(self) -> list[Line]:
        """Field and matches."""
        width, height = self.room
        return palette_rows(self.matches, self.needle, self.picked, min(76, width), min(20, height))

    @property
    def matches(self) -> list[Entry]:
        """What matches now; always of what is typed now."""
        return found(self._entries, self.needle.text)

    def press(self, key: str, character: str | None) -> None:
        """Type, go up and down, take."""
        matches = self.matches
        if key in ("escape", "ctrl+c"):
            self.dismiss(None)
        elif key == "enter":
            self.dismiss(matches[self.picked] if matches else None)
        elif key in ("up", "shift+tab"):
            self.picked = max(0, self.picked - 1)
        elif key in ("down", "tab"):
            self.picked = max(0, min(len(matches) - 1, self.picked + 1))
        elif self.needle.take(key, character):
            self.picked = 0
        if self.is_attached:
            self.draw()
