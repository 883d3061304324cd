"""The cockpit on a hand-made session with one fault: python -m tests.terminal.program KIND FOLDER [COLOURS [ascii]]"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit import app as cockpit_app

SECRET = "pa55word-of-the-database"
BEAT_S = 0.1


class Opening:
    """Opens the hand-made session."""

    is_lasting = True

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder

    def open(self, progress: Callable[[str], None], begin: object) -> tuple[Any, Any]:
        from tests.ui import snapshots
        from tests.ui.fake_session import FakeSession

        if self.kind == "crash-open":
            password = SECRET
            raise RuntimeError(f"opening failed after {len(password)} characters")
        if self.kind == "stuck-thread":
            threading.Thread(target=time.sleep, args=(60,)).start()
        session = FakeSession(snapshots.healthy())
        start = session.start

        def started(listener: Callable[[Any], None]) -> None:
            start(listener)
            app = listener.__self__  # type: ignore[attr-defined]
            for each in (self.live, self.watch_loop):
                threading.Thread(target=each, args=(app, listener), daemon=True).start()

        session.start = started  # type: ignore[method-assign]
        return session, lambda view: (("ready via Redis", "ok"),)

    def live(self, app: Any, listener: Callable[[Any], None]) -> None:
        """Something on the screen moves at 10 Hz: the registry's feed counts."""
        from cockpit.model.states import Registry
        from tests.ui import snapshots

        base = snapshots.healthy()
        beat = 0
        while not (self.folder / "freeze").exists():
            beat += 1
            broken: Any = {"kill_switch": None} if self.kind == "crash-callback" and beat > 5 else {}
            text = f"beat-{beat}"
            registry = snapshots.good(Registry(text, "moneycontrol", snapshots.NOW))
            listener(replace(base, seq=beat, taken_at=time.time(), registry=registry, **broken))
            self._say("beat", text)
            time.sleep(BEAT_S)

    def watch_loop(self, app: Any, listener: Callable[[Any], None]) -> None:
        """The longest time that the application's loop took to answer, and how often it did, until it ends."""
        longest, count = 0.0, 0
        with contextlib.suppress(RuntimeError, AttributeError):
            while True:
                answered = threading.Event()
                began = time.monotonic()
                app._loop.call_soon_threadsafe(answered.set)
                while not answered.wait(0.05):
                    longest = max(longest, time.monotonic() - began)
                    self._say("stall", f"{longest:.3f}")
                longest, count = max(longest, time.monotonic() - began), count + 1
                self._say("stall", f"{longest:.3f}")
                self._say("answers", str(count))
                time.sleep(0.02)

    def _say(self, name: str, text: str) -> None:
        aside = self.folder / f"{name}.new"
        aside.write_text(text)
        aside.replace(self.folder / name)

    def close(self) -> None:
        (self.folder / "closed").touch()


def _go_wrong(kind: str) -> None:
    """Put the fault where the key `t` or the start runs into it."""
    from cockpit.screens.overview import OverviewScreen

    async def failing() -> None:
        password = SECRET
        raise RuntimeError(f"worker failed after {len(password)} characters")

    def act(self: OverviewScreen) -> None:
        password = SECRET
        if kind == "crash-handler":
            raise RuntimeError(f"handler failed after {len(password)} characters")
        if kind == "crash-worker":
            self.app.run_worker(failing())
        while kind == "stuck-loop":
            pass

    def compose(self: OverviewScreen) -> Any:
        password = SECRET
        raise RuntimeError(f"start failed after {len(password)} characters")

    if kind in ("crash-handler", "crash-worker", "stuck-loop"):
        OverviewScreen.action_theme = act  # type: ignore[method-assign]
    if kind == "sizes-cross":
        _have_sizes_cross()
    if kind == "killed-early":
        _kill_early()
    if kind == "moved":
        from cockpit.terminal import seams

        # As whoever interrupts the start is answered.
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(1))

        seams.missing = lambda: ("ChopsUpdate.spans",)
        seams.missing_in_driver = lambda: ("linux_driver.WriterThread",)
    if kind == "crash-start":
        OverviewScreen.compose = compose  # type: ignore[method-assign]


def _kill_early() -> None:
    """SIGTERM while the terminal is being taken over: its cursor is gone already, nothing has been drawn yet."""
    from cockpit.terminal.writer import PatientWriter

    write = PatientWriter.write

    def written(self: PatientWriter, text: str) -> None:
        write(self, text)
        if text == "\x1b[?25l":
            PatientWriter.write = write  # type: ignore[method-assign]
            os.kill(os.getpid(), signal.SIGTERM)

    PatientWriter.write = written  # type: ignore[method-assign]


def _have_sizes_cross() -> None:
    """While the size of 100 x 30 is being told, the terminal becomes 120 x 40: its signal interrupts the telling."""
    from cockpit.terminal.driver import CockpitDriver

    measured = CockpitDriver._get_terminal_size
    done: list[bool] = []

    def measure(self: CockpitDriver) -> tuple[int, int]:
        size = measured(self)
        if size == (100, 30) and not done:
            done.append(True)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        return size

    CockpitDriver._get_terminal_size = measure  # type: ignore[method-assign]


if __name__ == "__main__":
    kind, folder = sys.argv[1], Path(sys.argv[2])
    import cockpit.terminal.environment as environment

    prepare = environment.prepare

    def prepared(colours: str, is_ascii: bool) -> Any:
        found = prepare(colours, is_ascii)
        _go_wrong(kind)
        return found

    environment.prepare = prepared
    colours, is_ascii = (sys.argv[3], "ascii" in sys.argv) if sys.argv[3:] else ("auto", False)
    sys.exit(cockpit_app.run(Opening(kind, folder), colours, is_ascii))
