"""The toolkit's driver with three changes: it never blocks, it notices a hang-up, and signals end it properly."""

from __future__ import annotations

import os
import select
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from cockpit.terminal.writer import PatientWriter

if TYPE_CHECKING:
    from textual.app import App

RESET = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?1004l"
    "\x1b[?2048l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)
"""Everything that was switched on, switched off again."""
LAST_WORD_S = 3.0
"""So long an orderly exit may take after a signal."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class CockpitDriver(LinuxDriver):
    """Drives a terminal that may freeze, vanish or be killed."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = False, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_leaving = False

    def start_application_mode(self) -> None:
        """As the toolkit does it, with our writer, and with ears for signals and hang-ups."""
        driver = self

        class Writer(PatientWriter):
            def __init__(self, file: Any) -> None:
                super().__init__(file, driver._repaint)

        # The toolkit offers no other way to give it a writer.
        toolkit: Any = linux_driver
        original = toolkit.WriterThread
        toolkit.WriterThread = Writer
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]
        finally:
            toolkit.WriterThread = original
        # Also after a pause (Ctrl-Z): whatever was there is gone.
        self._repaint()
        for number in SIGNALS:
            signal.signal(number, self._signalled)
        threading.Thread(target=self._watch_for_hangup, name="terminal-hangup", daemon=True).start()

    def _repaint(self) -> None:
        """After dropped frames nobody knows what the screen shows: draw all of it."""
        loop = self._app._loop
        if loop is not None and not self._is_leaving:
            # The application's own word for it; any other application simply draws all again.
            loop.call_soon_threadsafe(getattr(self._app, "repaint", self._app.refresh))

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._leave(128 + number)

    def _leave(self, code: int) -> None:
        if self._is_leaving:
            return
        self._is_leaving = True
        # If the loop is stuck or the terminal gone, leave all the same.
        last_word = threading.Timer(LAST_WORD_S, self._end, (code,))
        last_word.daemon = True
        last_word.start()
        loop = self._app._loop
        if loop is not None:
            loop.call_soon_threadsafe(lambda: self._app.exit(code, return_code=code))

    def _end(self, code: int) -> None:
        try:
            if self.attrs_before is not None:
                import termios

                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os.set_blocking(2, False)
            os.write(2, RESET.encode())
        except (OSError, ValueError):
            pass
        os._exit(code)

    def _watch_for_hangup(self) -> None:
        """The input thread spins at end of file and says nothing; poll says it at once."""
        poll = select.poll()
        # No events asked for: hang-up and error are always reported.
        poll.register(self.fileno, 0)
        while not self._is_leaving and not self._app._exit:
            try:
                events = poll.poll(500)
            except OSError:
                events = [(self.fileno, select.POLLHUP)]
            if any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in events):
                self.exit_event.set()
                self._leave(128 + signal.SIGHUP)
                return
