"""A bare Textual program: what the cockpit is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("hello, terminal")


if __name__ == "__main__":
    Bare().run()
