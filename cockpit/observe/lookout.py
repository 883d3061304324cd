"""Watching alone: judged snapshots of a platform, from a thread with nothing that could act; a session joins it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cockpit import paths
from cockpit.clock import Clock, SystemClock
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.observe.hub import Beside, Hub, Judge, OpenIncidents
from cockpit.observe.journals import Jobs
from cockpit.observe.observer import Observer
from cockpit.observe.recall import Recall
from cockpit.observe.sources import sources

if TYPE_CHECKING:
    from pathlib import Path

    from actions.runbook import Runbook
    from cockpit.config import Settings
    from cockpit.model.finding import Assessment

Listener = Callable[[Snapshot], None]
Failures = Callable[[], Mapping[str, str]]


class Lookout:
    """Begins before there is a session: the platform's data need nothing of what acts, which takes long to load."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._runbook: Runbook | None = None
        self._jobs: Jobs = tuple
        self._incidents: OpenIncidents = Sample
        self._beside: Beside = dict
        self._failures: Failures = dict
        self._hear: Listener = lambda snapshot: None
        self._observer: Observer | None = None
        self._is_shown = threading.Event()

    @property
    def hub(self) -> Hub | None:
        """The hub once the observing thread has made it."""
        return self._observer.hub if self._observer is not None else None

    def begin(self, hear: Listener) -> None:
        """Watch for a screen; `hear` is called on the observing thread. Whoever draws says so by `shown`."""
        self._hear = hear
        self._begin(is_shown=True)

    def shown(self) -> None:
        """The first answer of Redis is on the screen; from any thread."""
        self._is_shown.set()
        self.tell(Hub.shown)

    def until_shown(self, within_s: float) -> None:
        """Wait until the first answer of Redis can be seen; not where there is no Redis.

        It alone says whether trading goes on. What is imported meanwhile would only hold it up.
        """
        if self._settings.redis is not None:
            self._is_shown.wait(within_s)

    def join(
        self,
        runbook: Runbook,
        jobs: Jobs,
        hear: Listener,
        incidents: OpenIncidents = Sample,
        beside: Beside = dict,
        failures: Failures = dict,
    ) -> None:
        """From now on with the runbook's keys in the findings, and with what the cockpit itself knows.

        `failures` names the parts of the cockpit that fail, and why: they are findings too.
        """
        self._runbook, self._jobs, self._incidents, self._beside, self._hear = runbook, jobs, incidents, beside, hear
        self._failures = failures
        if self._observer is None:
            self._begin()
        self.tell(Hub.look_at_jobs)

    def tell(self, do: Callable[[Hub], None]) -> None:
        """Do something with the hub on the observing thread, where there is one."""
        observer, hub = self._observer, self.hub
        if observer is not None and hub is not None:
            observer.call(lambda: do(hub))

    def stop(self, timeout_s: float) -> None:
        """Watch no more; what hangs is left behind."""
        if self._observer is not None:
            self._observer.stop(timeout_s)

    def _begin(self, is_shown: bool = False) -> None:
        self._observer = _watch(
            self._settings,
            self._clock,
            lambda: self._runbook,
            lambda: self._jobs(),
            self._heard,
            lambda: self._incidents(),
            lambda: self._beside(),
            failures=lambda: self._failures(),
            is_kept=True,
            is_shown=is_shown,
        )

    def _heard(self, snapshot: Snapshot) -> None:
        from cockpit.severity.watch import is_blind

        # Nothing has answered yet: to draw that would only hold up the one with the first answer, if that is to come.
        if snapshot.seq > 1 or is_blind(snapshot):
            self._hear(snapshot)


def watch(
    settings: Settings,
    clock: Clock,
    runbook: Runbook,
    jobs: Jobs,
    listener: Listener,
    incidents: OpenIncidents = Sample,
    beside: Beside = dict,
) -> Observer:
    """Only watch: begin on a thread of its own, with nothing that could act.

    Neither `jobs` nor `beside`, which tells what the cockpit itself knows, may wait for a disk.
    """
    return _watch(settings, clock, lambda: runbook, jobs, listener, incidents, beside)


def _watch(
    settings: Settings,
    clock: Clock,
    runbook: Callable[[], Runbook | None],
    jobs: Jobs,
    listener: Listener,
    incidents: OpenIncidents,
    beside: Beside,
    failures: Failures = dict,
    is_kept: bool = False,
    is_shown: bool = False,
) -> Observer:
    """With `is_kept` it is written down since when findings stand."""
    from cockpit.severity.watch import died

    recall = Recall(state_folder(settings), f"{settings.world} {settings.site}", is_kept)
    recall.start()
    judge = _judge(settings, runbook, recall, failures)
    take_step = clock.take_step if isinstance(clock, SystemClock) else float

    def tell(why: str) -> None:
        last = observer.hub.snapshot if observer.hub else Snapshot(0, clock.now(), settings.world, settings.site)
        listener(died(last, why))

    def hub() -> Hub:
        asked = sources(settings, clock)
        return Hub(settings, clock, asked, judge, jobs, listener, take_step, incidents, beside, is_shown)

    observer = Observer(hub, tell)
    observer.start()
    return observer


def state_folder(settings: Settings) -> Path:
    """Where this site's journals are, or will be as soon as something is written."""
    return settings.state or paths.state_folder(settings.site)


def make_judge(settings: Settings, runbook: Runbook, recall: Recall | None = None) -> Judge:
    """The judgement with its memory; the rules themselves remember nothing."""
    return _judge(settings, lambda: runbook, recall)


def _judge(
    settings: Settings, runbook: Callable[[], Runbook | None], recall: Recall | None, failures: Failures = dict
) -> Judge:
    from cockpit.severity.failing import failing
    from cockpit.severity.judge import NO_SECTIONS, assess
    from cockpit.severity.runbook import unusable
    from cockpit.severity.sections import from_actions
    from cockpit.severity.standing import NOTHING, next_clear_at

    memory, known, sections = NOTHING, None, NO_SECTIONS

    def judge(snapshot: Snapshot) -> tuple[Assessment, float | None]:
        nonlocal memory, known, sections
        now_known = runbook()
        if now_known is not known and now_known is not None:
            known, sections = now_known, from_actions(now_known.actions)
        past = recall.told() if recall is not None else None
        if past is not None:
            memory = memory.recalling(past)
        notices = unusable(known.problem, snapshot.taken_at) if known is not None else ()
        notices = (*notices, *failing(failures(), snapshot.taken_at))
        assessment, memory = assess(snapshot, settings, memory, sections, notices)
        if recall is not None:
            recall.note(memory, snapshot.taken_at)
        return assessment, next_clear_at(memory, settings.thresholds.clear_after_s, snapshot.taken_at)

    return judge
