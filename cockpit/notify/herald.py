"""Tells P1 and P2 by itself: one cockpit of a platform does, on a thread of its own, where alerts.yaml wants it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.config import Settings
from cockpit.errors import NOT_OURS, CockpitError, JournalError
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.notify.news import State, Told, look
from cockpit.storage.disk import append_synced, open_file, opened, private_folder, try_lock
from cockpit.storage.incident_file import for_writers

RETRY_S, LONGEST_RETRY_S = 30.0, 3600.0
"""Where a notice could not even be handed over; twice as long each time, for each try stands in the audit."""
MARK_S = 60.0
"""So often it is written, while anything stands, until when somebody looked."""
FORGOTTEN_S = 900.0
"""What was told before nobody looked for so long, and stands, may have come anew: it is told again."""

Send = Callable[[str, str], object]
"""Audiences and headline; an error where no job came of it."""


class Herald:
    """Hears every snapshot; `hear` never waits."""

    def __init__(self, settings: Settings, folder: Path, send: Send) -> None:
        self._settings = settings
        self._folder = folder
        self._send = send
        self._newest: Snapshot | None = None
        self._state: State | None = None
        self._lock = -1
        self._failed_at: float | None = None
        self._failed = Severity.P2
        self._written_at = 0.0
        self._retry_s = RETRY_S
        self._woken = threading.Event()
        self._is_stopping = False
        self.error = ""
        """Why nothing could be told the last time; empty where it could, or where there was nothing to tell."""
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        if self._settings.world is not World.REPLAY:
            self._thread.start()

    def stop(self) -> None:
        """Tell nothing more."""
        self._is_stopping = True
        self._woken.set()

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._thread.is_alive()

    def hear(self, snapshot: Snapshot) -> None:
        """The newest snapshot; where nobody wants to be told, nothing is woken for it."""
        self._newest = snapshot
        if self._state is not None or self._is_wanted(snapshot):
            self._woken.set()

    def _run(self) -> None:
        while self._woken.wait() and not self._is_stopping:
            self._woken.clear()
            try:
                self.look()
            except Exception as error:  # what cannot be told now is tried again
                self.error = str(error) or type(error).__name__
            else:
                # Between two tries nothing fails, and nothing is told either.
                self.error = self.error if self._failed_at is not None else ""
        self.let_go()

    def look(self) -> None:
        """One look at the newest snapshot."""
        snapshot = self._newest
        if snapshot is None or not self._is_wanted(snapshot) or not self._is_mine():
            self._state = None
            return
        if self._state is None:
            self._state = State.after(self._read(snapshot.taken_at), snapshot.taken_at)
        self._mark(self._state.told, snapshot.taken_at)
        self._state, news = look(self._state, snapshot, self._settings.alerting)
        if news is None or self._is_too_soon(snapshot.taken_at, news.severity):
            return
        # Remembered first: a message that is lost with a crash is better than one that is told again and again.
        self._write(news.told, snapshot.taken_at)
        try:
            self._send(self._audiences(snapshot), news.headline)
        except CockpitError:
            self._write(self._state.told, snapshot.taken_at)
            is_again = self._failed_at is not None and news.severity >= self._failed
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S) if is_again else RETRY_S
            self._failed_at, self._failed = snapshot.taken_at, news.severity
            raise
        except Exception:
            # A mistake of ours: a job may have come of it, and nobody is to be told the same every second.
            self._state = State(news.told, self._state.since, self._state.seen_at)
            raise
        self._failed_at, self._retry_s = None, RETRY_S
        self._state = State(news.told, self._state.since, self._state.seen_at)

    def _audiences(self, snapshot: Snapshot) -> str:
        """Those that alerts.yaml knows: that it lacks one of them must not keep the others from being told."""
        wanted, alerting = self._settings.alerting.automatic, snapshot.alerting.value
        known = [name for name in wanted if alerting is not None and alerting.audience(name) is not None]
        return ",".join(known or wanted)

    def _is_too_soon(self, now: float, severity: Severity) -> bool:
        """A clock that was set back does not prolong it; what is worse than what failed is tried at once."""
        if self._failed_at is None or severity < self._failed:
            return False
        return 0 <= now - self._failed_at < self._retry_s

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        """By the last alerts.yaml that was right: half a line saved in an outage must not silence it."""
        alerting = snapshot.alerting.value
        return alerting is not None and alerting.is_automatic

    def _is_mine(self) -> bool:
        """Whether this is the one cockpit that tells: whoever holds the lock of those who may write incidents.

        Not one that a reader could take: he would keep every notice from going out. Who may not write incidents has
        the state folder's lock, which only those share who share that folder: a message that comes twice is better
        than none.
        """
        if self._lock < 0:
            try:
                self._lock = _locked(for_writers(self._settings.incidents_folder, self._own("lock")))
            except OSError:
                file = private_folder(self._folder) / self._own("lock")
                with suppress(OSError):
                    self._lock = _locked(open_file(file, os.O_RDWR | os.O_CREAT))
        return self._lock >= 0

    def _own(self, ending: str) -> str:
        """A file's name that no other platform has: two may keep their incidents, or their journals, in one folder."""
        return f"notices.{self._settings.world}.{self._settings.site}.{ending}"

    def let_go(self) -> None:
        """Another cockpit may tell from now on."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _read(self, now: float) -> Told:
        """What the cockpit before this one has told."""
        try:
            fields: dict[str, Any] = json.loads((self._folder / self._own("told.json")).read_bytes())
            findings = {str(about): int(level) for about, level in fields["findings"].items()}
            # An older cockpit kept the times of P1 among the others only.
            sent_at, urgent_at = fields["sent_at"], fields.get("urgent_at", ())
            told = Told(findings, tuple(map(float, sent_at)), tuple(map(float, urgent_at)))
            return told if now - float(fields["looked_at"]) < FORGOTTEN_S else told.forgotten()
        except (OSError, *NOT_OURS):
            return Told()

    def _mark(self, told: Told, now: float) -> None:
        """Have it on the disk that somebody has looked until now."""
        if told.findings and not 0 <= now - self._written_at < MARK_S:
            with suppress(OSError, JournalError):
                self._write(told, now)

    def _write(self, told: Told, now: float) -> None:
        times = {"sent_at": told.sent_at, "urgent_at": told.urgent_at, "looked_at": now}
        kept = {"findings": dict(told.findings), **times}
        self._written_at = now
        file = private_folder(self._folder) / self._own("told.json")
        draft = file.with_name(f"{file.name}.new")
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, json.dumps(kept).encode())
        draft.replace(file)


def _locked(descriptor: int) -> int:
    """The descriptor, its lock ours; closed, and -1, where somebody else holds it.

    Raises:
        OSError: there are no locks here.
    """
    try:
        if try_lock(descriptor):
            return descriptor
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return -1
