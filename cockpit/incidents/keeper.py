"""The thread that keeps the incident log: it reads and writes the files, so that nobody else waits for that disk."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from cockpit.clock import Clock
from cockpit.errors import CockpitError, JournalError
from cockpit.incidents.alone import take_over
from cockpit.incidents.sightings import Sightings, brief
from cockpit.model.incident import Event, Incident
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.storage.drafts import Drafts
from cockpit.storage.incidents import Incidents

EVERY_S = 0.5
IDLE_S = 1.0
"""While none is open, only others can open one without our knowing it."""
STALE_S = 10.0
"""Which incident is open is not known any more once it could not be read for so long."""

T = TypeVar("T")


class Keeper:
    """Does one thing after the other; `hear` and `open_now` never wait."""

    def __init__(self, incidents: Incidents, drafts: Drafts, clock: Clock) -> None:
        self.incidents = incidents
        self.drafts = drafts
        self.error = ""
        """Why the last try to write failed; empty after one that worked."""
        self._clock = clock
        self._sightings = Sightings()
        self._newest: Snapshot | None = None
        self._owed: list[Event] = []
        self._closed_at = 0.0
        """When an incident was last closed."""
        self._open: Sample[tuple[Incident, ...]] = Sample(stale_after_s=STALE_S)
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="incidents", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Write what is due, and end; a disk that hangs is left behind."""
        self._stopping.set()
        self._queue.put(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def hear(self, snapshot: Snapshot) -> None:
        """The newest snapshot: what it shows is written while an incident is open."""
        self._newest = snapshot

    def open_now(self) -> Sample[tuple[Incident, ...]]:
        """The open incidents as last read, the newest first; without their timelines."""
        return self._open

    def tell(self, do: Callable[[], T]) -> Future[T]:
        """Have something done with the files, in its turn."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = do()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._queue.put(work)
        return future

    def record(self, event: Event) -> None:
        """Have an event written into the open incident; what cannot be written now is tried again."""
        self.tell(lambda: self._owed.append(event))

    def note(self, text: str) -> Future[str]:
        """Have a note written; the future is the incident's name, or where the note is kept until it can be.

        The future holds a Rejected where no incident is open, a JournalError where it could be kept nowhere.
        """
        return self.tell(lambda: self._note(text))

    def _note(self, text: str) -> str:
        self._read()
        found = self._open.value
        if not found:
            raise JournalError(self._open.error or "no incident is open: i opens one")
        event = Event(self._clock.now(), "note", f"{self.incidents.by}: {text}")
        try:
            self.incidents.record(event, found[0].id)
        except JournalError as error:
            self.error = str(error)
            return str(self.drafts.keep_note(found[0].id, event.text, event.at))
        return found[0].id

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            try:
                work = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + (EVERY_S if self._open.value else IDLE_S)
                self._look()
                continue
            if work is not None:
                work()
                self._read()
        with suppress(queue.Empty):
            while True:
                work = self._queue.get_nowait()
                if work is not None:
                    work()
        self._look()

    def _look(self) -> None:
        """What is open, and what its timeline lacks."""
        with suppress(Exception):  # a log that fails must not end: it says so, and tries again
            self._read()
            self._write_due()

    def _read(self) -> None:
        now = self._clock.now()
        try:
            known = self.incidents.all()
            found = tuple(each for each in known if each.is_open)
            self._closed_at = max((each.closed_at for each in known if each.closed_at is not None), default=0.0)
        except Exception as error:
            # Whatever stands in the files, this thread goes on: without it no note is ever written again.
            self._open = self._open.failed(str(error) or type(error).__name__, now, 0.0)
        else:
            self._open = Sample.good(found, now, 0.0, STALE_S)

    def _write_due(self) -> None:
        found = self._open.value
        newest = found[0] if found and not self._open.error else None
        snapshot = self._newest
        unpaid = self._pay_notes() if newest is not None else ""
        is_owing = bool(self._owed or (newest is None and self.error and any(self.drafts.notes())))
        if unpaid or not is_owing:
            self.error = unpaid
        seen: tuple[Event, ...] = ()
        if snapshot is not None:
            # The timeline is read only where a new incident has to be compared with it.
            seen = self._sightings.due(snapshot, self._whole(newest), self._closed_at)
        if newest is not None and snapshot is not None:
            self._take_over(newest, snapshot)
        if newest is None or not (seen or self._owed):
            return
        owed = tuple(self._owed)
        try:
            self.incidents.record_all([brief(event) for event in (*owed, *seen)], newest.id)
        except JournalError as error:
            self.error = str(error)
            return
        self.error = unpaid
        self._owed = self._owed[len(owed) :]
        self._sightings.written(seen)

    def _take_over(self, incident: Incident, snapshot: Snapshot) -> None:
        """Whoever acted alone before anybody opened an incident has to be reviewed too."""
        try:
            take_over(self.incidents, incident, snapshot.jobs, self._closed_at, self._clock.now())
        except CockpitError as error:
            self.error = str(error)

    def _whole(self, incident: Incident | None) -> Incident | None:
        if incident is None or self._sightings.is_about(incident):
            return incident
        return self.incidents.find(incident.id)

    def _pay_notes(self) -> str:
        """What was kept elsewhere, each by itself, and why some still waits.

        Each has a key, so that paying twice writes it once.
        """
        unpaid = ""
        for file, notes in self.drafts.notes():
            is_paid = True
            for note in notes:
                try:
                    self.incidents.record(Event(note.at, "note", note.text, f"kept/{note.at:.6f}"), note.name)
                except CockpitError as error:
                    is_paid, unpaid = False, f"a note waits in {file}: {error}"
            if is_paid:
                self.drafts.settle(file)
        return unpaid
