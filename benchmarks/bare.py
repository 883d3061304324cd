"""A bare Textual program: what the cockpit is measured against."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text, and the number of keys that were pressed."""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Static("hello, terminal")
        self.pressed = 0
        self.answer = Static("no key yet")
        yield self.answer

    def on_key(self, event: events.Key) -> None:
        """Show that it was heard."""
        event.stop()
        self.pressed += 1
        self.answer.update(f"key {self.pressed}")


if __name__ == "__main__":
    Bare().run(mouse=False)
