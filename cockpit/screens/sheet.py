"""A sheet laid over the wall: one canvas, every key its own, the wall alive beneath it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from cockpit.screens.desk import Desk
from cockpit.screens.typeahead import passed_on
from widgets.canvas import Canvas
from widgets.line import Line, width_of

Result = TypeVar("Result")
Found = TypeVar("Found")


class Sheet(ModalScreen[Result], inherit_bindings=False):
    """What every sheet does; a kind of sheet says what its rows are and what keys mean."""

    DEFAULT_CSS = """
    Sheet { background: transparent; align: center middle; overflow: hidden; }
    Sheet Canvas { width: 1; height: 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.canvas = Canvas(id="sheet")

    def compose(self) -> ComposeResult:
        """One canvas."""
        yield self.canvas

    def on_mount(self) -> None:
        """Show it at once."""
        self.draw()

    def on_resize(self) -> None:
        """The room has changed."""
        self.draw()

    def rows(self) -> list[Line]:
        """What is on the sheet, all lines equally wide."""
        raise NotImplementedError

    def press(self, key: str, character: str | None) -> None:
        """What a key means here."""
        raise NotImplementedError

    def pasted(self, text: str) -> None:
        """Pasted text is nothing that somebody decided; most sheets ignore it."""

    def tick(self) -> None:
        """Once a second: what ages, ages."""
        self.draw()

    @property
    def room(self) -> tuple[int, int]:
        """Cells to spare: the top lines and the key bar stay visible where there is room."""
        width, height = self.app.size
        return max(20, width - 4), max(8, height - (2 if height < 30 else 4))

    def draw(self) -> None:
        """Fit the canvas to its rows and paint it."""
        if not self.is_mounted:
            return
        rows = self.rows()
        width, height = max(map(width_of, rows)), len(rows)
        if self.canvas.size != (width, height):
            self.canvas.styles.width, self.canvas.styles.height = width, height
            self.call_after_refresh(self._paint)
        else:
            self._paint()

    def _paint(self) -> None:
        self.canvas.paint(self.rows(), self.desk.look)

    def on_key(self, event: events.Key) -> None:
        """No key goes past a sheet."""
        event.stop()
        event.prevent_default()
        if not self.desk.note_key(event) and not passed_on(self, event):
            self.press(event.key, event.character)

    def when_done(self, future: Future[Found], then: Callable[[Found | None, str], None]) -> None:
        """Back on the screen's own thread, while the sheet is open: the result, or what went wrong in words."""
        soon = self.desk.soon

        def landed(done: Future[Found]) -> None:
            error = done.exception()
            if error is not None:
                soon(self._if_open, then, None, str(error) or type(error).__name__)
            else:
                soon(self._if_open, then, done.result(), "")

        future.add_done_callback(landed)

    def _if_open(self, then: Callable[[Found | None, str], None], result: Found | None, error: str) -> None:
        if self.is_attached:
            then(result, error)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Only itself, and once: another time would take away what lies beneath."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def on_paste(self, event: events.Paste) -> None:
        """No paste goes past it either."""
        event.stop()
        event.prevent_default()
        self.pasted(event.text)
