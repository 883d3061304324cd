"""The toolkit's driver, changed: it never blocks, it notices a hang-up, and signals end or pause it properly."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from collections.abc import Callable
from contextvars import Context, copy_context
from types import FrameType
from typing import TYPE_CHECKING, Any

from textual import events
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from cockpit.terminal.keys import Bell, read_keys
from cockpit.terminal.last_word import WIPE, LastWord
from cockpit.terminal.parser import KeyParser
from cockpit.terminal.writer import PatientWriter

if TYPE_CHECKING:
    from textual.app import App

LAST_WORD_S = 2.0
"""So long an orderly exit may take after a signal."""
HUNG_UP_S = 0.9
"""Without a terminal nobody waits for anything."""
ANSWER_S = 0.5
"""So long an answer of the terminal that is on its way is waited for, lest the shell get it."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class CockpitDriver(LinuxDriver):
    """Drives a terminal that may freeze, vanish or be killed."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = False, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # On a terminal of no size the toolkit would take another for it, and lay out for the two in turns for ever.
        self._size = size or self._get_terminal_size()
        self._is_leaving = self._is_paused = self._is_hung_up = False
        self._context: Context = copy_context()
        self._last_word = LastWord()
        self.exit_event: Bell = Bell()
        self._patient: PatientWriter | None = None

    def has_room(self) -> bool:
        """Whether the terminal reads; if it does not, all is drawn once it does again."""
        return self._patient is None or self._patient.has_room()

    @property
    def is_silent(self) -> bool:
        """Whether the picture stands still because the terminal has ceased to answer, though it reads."""
        return self._patient is not None and self._patient.is_silent

    # start and end

    def start_application_mode(self) -> None:
        """As the toolkit does it, with our writer, and with ears for signals and hang-ups."""
        # Before anything is changed that a signal's default would leave behind.
        for number in SIGNALS:
            signal.signal(number, self._signalled)
        # The toolkit offers no other way to give it a writer.
        toolkit: Any = linux_driver
        original = toolkit.WriterThread
        toolkit.WriterThread = self._writer
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]
        finally:
            toolkit.WriterThread = original
        if self._is_paused:
            # After a pause (Ctrl-Z) whatever was there is gone.
            self._is_paused = self._last_word.is_said = False
            self._soon("repaint")
        signal.signal(signal.SIGWINCH, self._resized)

    def _writer(self, file: Any) -> PatientWriter:
        self._patient = PatientWriter(file, lambda is_lost: self._soon("repaint" if is_lost else "refresh"))
        return self._patient

    def stop_application_mode(self) -> None:
        """Frames that nobody has read yet would only delay the restoring."""
        if self._patient is not None:
            self._patient.abandon(0.0 if self._is_hung_up else ANSWER_S)
        self._is_paused = self._last_word.is_said = True
        # Where there is no alternate screen (GNU screen as it comes, a Linux console), what is left must not look live.
        self.write(WIPE)
        super().stop_application_mode()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Of the terminal itself: standard output may be a file."""
        for descriptor in (self.fileno, 2, 1):
            with contextlib.suppress(OSError, ValueError):
                size = os.get_terminal_size(descriptor)
                if size.columns and size.lines:
                    return size.columns, size.lines
        return 80, 24

    # what happens to a terminal

    def _soon(self, name: str) -> None:
        """In the application's loop and context: its own repaint, or any application's refresh."""
        self._in_loop(getattr(self._app, name, self._app.refresh))

    def _in_loop(self, action: Callable[[], object]) -> None:
        loop = self._app._loop
        if loop is not None and not (self._is_leaving or self._is_paused or loop.is_closed()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(action, context=self._context)

    def _resized(self, number: int, frame: FrameType | None) -> None:
        """Measured in the loop: one signal interrupts another's handler, which then told the older size last."""
        self._in_loop(self._measure)

    def _measure(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))
        # A terminal that grew and shrank again has lost cells though its size is the same.
        self._soon("repaint")

    def _sigcont_application(self, *_: Any) -> None:
        """After a pause of our own: start again. After kill -STOP: the shell may have changed anything."""
        if self._is_paused:
            super()._sigcont_application()
        elif self._auto_restart:
            self._retake()

    def _retake(self) -> None:
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error):
                modes = termios.tcgetattr(self.fileno)
                modes[3], modes[0] = self._patch_lflag(modes[3]), self._patch_iflag(modes[0])
                termios.tcsetattr(self.fileno, termios.TCSANOW, modes)
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l")
        self._soon("repaint")

    # ends that others decide

    def _run_input_thread(self) -> None:
        """A terminal that can no longer be read is gone; the toolkit's own reader spins at its end and says nothing."""
        parser = KeyParser(self._debug, self._answered)
        try:
            if read_keys(self.fileno, self.exit_event, parser, self._typed):
                self._leave(128 + signal.SIGHUP, HUNG_UP_S)
        except OSError:
            self._leave(128 + signal.SIGHUP, HUNG_UP_S)
        except Exception as error:  # what the parser cannot take is told like every crash
            loop = self._app._loop
            if loop is not None:
                loop.call_soon_threadsafe(self._app._handle_exception, error, context=self._context)

    def _answered(self) -> None:
        if self._patient is not None:
            self._patient.answered()

    def _typed(self, event: Message) -> None:
        if self._patient is not None:
            self._patient.typed()
        self.process_message(event)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._leave(128 + number, HUNG_UP_S if number == signal.SIGHUP else LAST_WORD_S)

    def _leave(self, code: int, within_s: float) -> None:
        if self._is_leaving:
            return
        self._is_leaving = True
        self._is_hung_up = code == 128 + signal.SIGHUP
        # If the loop is stuck or the terminal gone, leave all the same.
        self._last_word.give(within_s, code, self.fileno, self.attrs_before)
        loop = self._app._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: self._app.exit(code, return_code=code), context=self._context)
