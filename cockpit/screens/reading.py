"""Where somebody reads in what a job printed: one page is held, others are fetched as the hand moves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from cockpit.model.page import Page
from cockpit.screens.desk import Desk

AROUND_BYTES = 32 << 10
"""So much of the output before and after a place that was gone to."""

Result = TypeVar("Result")


class Reading:
    """The output of one job; follows its end until somebody scrolls."""

    def __init__(self, desk: Desk, changed: Callable[[str], None]) -> None:
        self._desk = desk
        self._changed = changed
        self._job = ""
        self._page = Page()
        self._is_asking = False
        self.is_following = True
        self.top = 0
        """The place of the first line that is to be seen; counts only while nothing is followed."""

    @property
    def size_bytes(self) -> int:
        """How much there is, as far as is known."""
        return self._page.size_bytes

    def open(self, job_id: str) -> None:
        """The output of that job; from its end where it is another one than before."""
        if job_id != self._job:
            self._job, self._page, self._is_asking = job_id, Page(), False
            self.follow()

    def follow(self) -> None:
        """To the end, and stay there."""
        self.is_following = True
        self.look()

    def look(self) -> None:
        """What has come since; only where the end is to be seen."""
        session = self._desk.session
        if session is not None and self._job and self.is_following and not self._is_asking:
            self._ask(session.shelf.page_before(self._job), self._followed)

    def shown(self, height: int) -> tuple[tuple[int, str], ...]:
        """The lines that are to be seen."""
        lines = self._page.lines
        first = max(0, len(lines) - height) if self.is_following else self._at(self.top)
        return lines[first : first + max(0, height)]

    def scroll(self, rows: int, height: int) -> None:
        """So many rows down, or up where negative."""
        lines = self._page.lines
        first = max(0, len(lines) - height) if self.is_following else self._at(self.top)
        wanted = first + rows
        if not lines or self._is_asking:
            return
        if wanted < 0 and lines[0][0] > 0:
            anchor = lines[first][0]
            self._turn(anchor, rows, anchor + AROUND_BYTES)
        elif wanted + height > len(lines) and self._page.end < self._page.size_bytes:
            anchor = lines[min(first, len(lines) - 1)][0]
            self._turn(anchor, rows, anchor + AROUND_BYTES)
        else:
            self._place(max(0, wanted), height)

    def begin(self) -> None:
        """To the first line."""
        self.go(0)

    def go(self, offset: int) -> None:
        """To the line that begins there."""
        self.is_following = False
        self._turn(offset, 0, offset + AROUND_BYTES)

    def find(self, needle: str, is_forward: bool, is_new: bool = False) -> None:
        """To the next line with this text, or the one before; a new text is looked for from here on."""
        session, lines = self._desk.session, self._page.lines
        if session is None or not needle:
            return
        if not lines:
            self._changed(f"{needle}: {'the output is being read' if self._is_asking else 'this job printed nothing'}")
            return
        index = self._at(self.top)
        start = lines[index][0]
        if self.is_following:
            # There is nothing after the end: a new text is looked for from the beginning.
            start = 0 if is_new else self._page.end
        elif is_forward and not is_new:
            start = lines[index + 1][0] if index + 1 < len(lines) else self._page.end

        def found(offset: int | None) -> None:
            if offset is None:
                self._changed(f"{needle}: not {'after' if is_forward else 'before'} this line")
            else:
                self.go(offset)

        self._ask(session.shelf.find(self._job, needle, start, is_forward), found)

    def _at(self, offset: int) -> int:
        """The index of the line at a place, or of the next one."""
        lines = self._page.lines
        return next((index for index, (begin, _) in enumerate(lines) if begin >= offset), max(0, len(lines) - 1))

    def _place(self, index: int, height: int) -> None:
        lines = self._page.lines
        self.is_following = index + height >= len(lines) and self._page.end >= self._page.size_bytes
        if not self.is_following:
            self.top = lines[min(index, len(lines) - 1)][0]
        self._changed("")

    def _turn(self, anchor: int, rows: int, end: int) -> None:
        """Fetch the page around a place, then go on from there by so many rows."""
        session = self._desk.session

        def turned(page: Page) -> None:
            self._page = page
            self.is_following = False
            index = max(0, min(self._at(anchor) + rows, len(page.lines) - 1))
            self.top = page.lines[index][0] if page.lines else 0
            self._changed("")

        if session is not None:
            self._ask(session.shelf.page_before(self._job, end), turned)

    def _followed(self, page: Page) -> None:
        if self.is_following and page != self._page:
            self._page = page
            self._changed("")

    def _ask(self, future: Future[Result], then: Callable[[Result], None]) -> None:
        """One question at a time; the answer to one about another job is dropped."""
        self._is_asking, job = True, self._job

        def landed(done: Future[Result]) -> None:
            if job != self._job:
                return
            self._is_asking = False
            error = done.exception()
            if error is not None:
                self._changed(f"The output cannot be read: {error}")
            else:
                then(done.result())

        future.add_done_callback(lambda done: self._desk.soon(landed, done))
