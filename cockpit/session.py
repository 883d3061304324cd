"""Where everything comes together: settings -> probes, hub, runner, stores. Knows no screen; every face talks to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from cockpit import paths
from cockpit.clients.bounded import in_daemon_thread
from cockpit.clock import Clock, SystemClock
from cockpit.errors import ConfigError
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.observe.ears import Ears
from cockpit.observe.hub import Hub
from cockpit.observe.journals import Journals
from cockpit.observe.lookout import Listener, Lookout
from cockpit.observe.lookout import state_folder as state_folder

if TYPE_CHECKING:
    # Most of it is loaded when a session is opened: by then its lookout may have the first data.
    from actions.runbook import Runbook
    from cockpit.config import Settings
    from cockpit.jobs.runner import Runner
    from cockpit.model.action import ActionSpec
    from cockpit.model.audit import Operator
    from cockpit.model.choice import Choice
    from cockpit.model.job import Job
    from cockpit.model.plan import Confirmation, Plan
    from cockpit.model.told import Told
    from cockpit.notify.herald import Herald
    from cockpit.observe.own_file import OwnFile
    from cockpit.readiness.stage import Readiness

P = ParamSpec("P")
NOTICE = "notify-all"
"""The runbook's step that tells whoever it is told to tell."""


class Session:
    """One cockpit on one platform."""

    def __init__(
        self, settings: Settings, clock: Clock, operator: Operator, runner: Runner, runbook: Runbook, lookout: Lookout
    ) -> None:
        from cockpit.drills.desk import DrillDesk
        from cockpit.incidents.log import IncidentLog
        from cockpit.jobs.seconds_desk import SecondsDesk
        from cockpit.jobs.shelf import Shelf

        self.settings = settings
        self.operator = operator
        self._clock = clock
        self._runner = runner
        self._runbook = runbook
        self._lookout = lookout
        self._is_started = False
        self._herald: Herald | None = None
        self._own_file: OwnFile | None = None
        self._journals = Journals(runner.jobs, lambda: self._tell_hub(Hub.look_at_jobs), self._beside)
        drafts = state_folder(settings) / "drafts"
        self.incidents = IncidentLog(settings, clock, operator.label, drafts, runner.note)
        """The incident log."""
        self.shelf = Shelf(state_folder(settings))
        """What is kept beside the jobs."""
        self.seconds = SecondsDesk(runner.seconds, runner.planner, lambda: self.snapshot)
        """The second person: asking for one, and being one."""
        self.readiness = readiness(settings, clock, operator.label, runbook)
        """Rehearses every step."""
        self.drills = DrillDesk(settings, clock, operator.label, runner.note)
        """Directs drills, on a sandbox."""
        self._first = Snapshot(0, clock.now(), settings.world, settings.site)

    @classmethod
    def open(
        cls,
        settings: Settings,
        clock: Clock | None = None,
        is_attended: bool = False,
        lookout: Lookout | None = None,
        file: Path | None = None,
    ) -> Session:
        """Put it together; nothing is connected yet, but by a lookout that has begun before, and nothing written.

        Attended is a cockpit that somebody sits at: it tells P1 and P2 by itself, where alerts.yaml wants that.
        `file` is where the settings came from: that it changes is told.
        """
        from actions.runbook import runbook_for
        from cockpit.jobs.operator import current_operator
        from cockpit.jobs.runner import Runner

        clock = clock or SystemClock()
        operator = current_operator()
        runbook = runbook_for(settings)
        runner = Runner(settings, clock, operator, state_folder(settings), actions=runbook.actions)
        session = cls(settings, clock, operator, runner, runbook, lookout or Lookout(settings, clock))
        if file is not None:
            from cockpit.observe.own_file import OwnFile

            session._own_file = OwnFile(file, clock)
        if is_attended:
            from cockpit.notify.herald import Herald

            session._herald = Herald(settings, state_folder(settings), session._tell)
        return session

    def start(self, listener: Listener) -> None:
        """Begin to watch, and warm the line that a halt will use; the listener is called on the observing thread."""
        self._journals.start()
        herald, own_file = self._herald, self._own_file
        self.incidents.start()
        self.drills.start_watching()

        ears: dict[str, Listener] = {"incident log": self.incidents.hear, "drill watch": self.drills.hear}
        errors: dict[str, Callable[[], str]] = {
            "incident log": lambda: self.incidents.error,
            "drill watch": lambda: self.drills.error,
            "halt line": lambda: self._runner.error,
        }
        if herald is not None:
            ears["notice sender"], errors["notice sender"] = herald.hear, lambda: herald.error
        heard = Ears({**ears, "screen": listener}, errors)

        def known() -> dict[str, object]:
            changed = own_file.changed if own_file is not None else None
            return {**self._beside(), "are_jobs_read": self._journals.has_read, "config_changed": changed}

        present, open_now = self._runner.present, self.incidents.open_now
        self._lookout.join(self._runbook, present, heard, open_now, known, heard.failures)
        self._is_started = True
        if own_file is not None:
            own_file.start()
        if herald is not None:
            herald.start()
        in_daemon_thread(self._runner.start)
        self._runner.note("opened", f"cockpit opened on {self.settings.world} {self.settings.site}")

    def stop(self, timeout_s: float = 1.0) -> None:
        """Watch no more; whatever hangs is left behind, and jobs that run go on."""
        ends_at = self._clock.monotonic() + timeout_s
        self._journals.stop()
        if self._own_file is not None:
            self._own_file.stop()
        self.drills.stop_watching()
        if self._herald is not None:
            self._herald.stop()
        if self._is_started:
            self._runner.note("closed", f"cockpit closed on {self.settings.world} {self.settings.site}")
            self._lookout.stop(timeout_s / 2)
            with suppress(Exception):  # what fails to hear must not keep the rest from being closed
                self.incidents.hear(replace(self.snapshot, jobs=self._runner.present()))
            self.incidents.stop(timeout_s / 4)
        self._runner.stop(max(0.05, ends_at - self._clock.monotonic()))

    def _beside(self) -> dict[str, object]:
        vigil = self._runner.vigil
        return {"latch": vigil.present, "latch_unread": vigil.unread, "requests": self._runner.seconds.present}

    @property
    def snapshot(self) -> Snapshot:
        """The newest one."""
        hub = self._lookout.hub
        return hub.snapshot if hub else self._first

    def history(self, series: str) -> tuple[tuple[float, float | None], ...]:
        """All points of a series that are kept: Unix seconds, value or None for unknown."""
        hub = self._lookout.hub
        return hub.history.series(series) if hub else ()

    def actions(self) -> tuple[ActionSpec, ...]:
        """The steps that can be taken."""
        return self._runbook.actions

    def prepare(self, name: str, parameters: dict[str, str], is_shown: bool = True) -> Future[Plan]:
        """A step's plan with its checks judged on the newest snapshot; one that is not shown is not in the audit."""
        return in_daemon_thread(self._runner.prepare, name, parameters, self.snapshot, is_shown)

    def choices(self, name: str, parameter: str, chosen: dict[str, str]) -> Future[tuple[Choice, ...]]:
        """What the step can be taken on, by the newest snapshot."""
        from cockpit.jobs.action import choices_for
        from cockpit.jobs.rows import row_for

        def offered() -> tuple[Choice, ...]:
            row = row_for(self._runbook.actions, name)
            return choices_for(row.id, parameter, self.settings, self.snapshot, {**row.fixed, **chosen})

        return in_daemon_thread(offered)

    def submit(self, plan: Plan, confirmation: Confirmation) -> Future[Job]:
        """Do what was confirmed."""
        future = in_daemon_thread(self._runner.submit, plan, confirmation, self.snapshot)
        future.add_done_callback(lambda _: self._look_again())
        return future

    def cancel(self, job_id: str) -> Future[Job]:
        """Ask a job to stop where that does no harm; the job once the wish is written."""
        return self._asked(self._runner.requests.cancel, job_id)

    def resolve(self, job_id: str, is_done: bool, reason: str) -> Future[Job]:
        """Our word for a job in doubt."""
        return self._asked(self._runner.requests.resolve, job_id, is_done, reason)

    def _asked(self, request: Callable[P, Job], *args: P.args, **kwargs: P.kwargs) -> Future[Job]:
        future = in_daemon_thread(request, *args, **kwargs)
        future.add_done_callback(lambda _: self._journals.poke())
        return future

    def job(self, job_id: str) -> Job | None:
        """A job, as it was last known a moment ago; asked for by the screen, so it waits for no disk."""
        return next((job for job in self._runner.present() if job.id == job_id), None)

    def _tell(self, audiences: str, headline: str) -> None:
        """A notice that goes out by itself: the same step that a person takes, with the same plan and journal."""
        from cockpit.model.plan import Confirmation

        plan = self._runner.prepare(NOTICE, {"audiences": audiences, "note": headline}, self.snapshot)
        self._runner.submit(plan, Confirmation(plan.digest, reason="told by itself"), self.snapshot)
        self._look_again()

    def _look_again(self) -> None:
        self._journals.poke()
        self._tell_hub(Hub.look_at_jobs)
        self.poke("redis")

    def poke(self, source: str) -> None:
        """Ask one backend again at once."""
        self._tell_hub(lambda hub: hub.poke(source))

    def _tell_hub(self, do: Callable[[Hub], None]) -> None:
        self._lookout.tell(do)


def readiness(settings: Settings, clock: Clock, by: str, runbook: Runbook) -> Readiness:
    """What rehearses every step of the runbook."""
    from cockpit.jobs.told import told
    from cockpit.readiness.stage import Readiness

    def plans(snapshot: Snapshot, now: float) -> tuple[Told, ...]:
        return told(runbook.actions, settings, snapshot, now, {"to": "1", "minutes": "30"})

    return Readiness(settings, state_folder(settings), clock, by, plans)


def secret_words(settings: Settings) -> tuple[str, ...]:
    """Names of machines and accounts that the configuration knows, for what must not leave the house."""
    from cockpit.alerting.names import names_in

    return names_in(settings)


Progress = Callable[[str], None]
Closer = Callable[[], None]

NO_PLATFORM = "no platform: name one with --config FILE, or start a sandbox with `cockpit sandbox up`"


def find_world(config: Path | None, tell_private: Progress | None = None) -> Settings | None:
    """The platform that is configured, else the shared sandbox that runs, else None.

    With `tell_private` the newest private sandbox of this user will do as well, and is told of.

    Raises:
        ConfigError: the configuration is wrong.
    """
    from cockpit.config import load

    file = config or paths.config_file()
    if file is not None:
        return load(file)
    from cockpit.sandbox import launcher

    layout = launcher.find_running()
    if layout is None and tell_private is not None:
        layout = launcher.find_private()
        if layout is not None:
            tell_private(f"using the private sandbox in {layout.folder}")
    if layout is None:
        return None
    settings = load(layout.config)
    if settings.world is not World.SANDBOX:
        raise ConfigError(f"{layout.config} is no sandbox's configuration: its world is {settings.world}")
    return settings


def world_file(config: Path | None) -> Path | None:
    """Where the settings of `find_world` came from; None for a sandbox of one's own, which ends with the cockpit."""
    from cockpit.sandbox import launcher

    layout = None if config or paths.config_file() else launcher.find_running()
    return layout.config if layout is not None else config or paths.config_file()


def open_world(config: Path | None, progress: Progress) -> tuple[Settings, Closer, bool]:
    """The platform to work on, what ends it, and whether it outlasts that: not a sandbox of one's own, which is
    started where there is no other.

    Raises:
        ConfigError: the configuration is wrong.
        SandboxError: no sandbox could be started.
    """
    found = find_world(config)
    if found is not None:
        progress(f"{found.world} {found.site}")
        return found, lambda: None, True
    from cockpit.config import load
    from cockpit.sandbox import launcher

    progress("starting a sandbox")
    private = launcher.launch_private(watch=lambda one: progress(f"sandbox: {one.step}"))
    try:
        return load(private.layout.config), private.close, False
    except BaseException:
        private.close()
        raise
