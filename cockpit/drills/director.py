"""Plays a drill: breaks the sandbox, opens the incident, watches for the goals, ends it and writes the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.drills.goals import halted_by, met_at
from cockpit.drills.place import Tell, check_ways_out, find_place, own_folder
from cockpit.drills.report import report
from cockpit.drills.scenarios import scenario as scenario_named
from cockpit.drills.scenarios import scenarios
from cockpit.drills.schedule import schedule
from cockpit.drills.scoring import missed
from cockpit.errors import CockpitError, Rejected
from cockpit.incidents.closing import close
from cockpit.incidents.opening import opening
from cockpit.model.drill import HALTED_BY, Board, Drill, Met, Scenario
from cockpit.model.incident import Event, Incident
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout
from cockpit.storage.drills import Drills
from cockpit.storage.incidents import Incidents

UNWATCHED_S = 5.0
"""A longer pause between two looks is told in the report."""
Audit = Callable[[str, str], object]


class Director:
    """One user's drills, as a cockpit on any platform directs them; every function may wait for a disk."""

    def __init__(self, settings: Settings, clock: Clock, by: str, folder: Path, audit: Audit = lambda *_: None) -> None:
        self._settings = settings
        self._clock = clock
        self._by = by
        self._drills = Drills(folder)
        self._audit = audit

    def board(self) -> Board:
        """Schedule, the running one, and the ended ones; a drill whose sandbox has gone is ended as lost."""
        running = self._drills.running()
        if running is not None and launcher.find_running(Path(running.sandbox)) is None:
            with self._drills.held():
                now = self._drills.running()
                if now is not None and now.id == running.id:  # else another cockpit has ended it meanwhile
                    self._finish(now, "lost", None)
            running = None
        ended = self._drills.ended()
        return Board(schedule(ended, self._clock.now()), running, ended)

    def start(self, name: str, snapshot: Snapshot | None, tell: Tell) -> Drill:
        """Break it. The state is on the disk before the fault is in the world.

        Raises:
            Rejected: there is no such scenario, one runs already, or the sandbox is not healthy enough to begin.
            SandboxError: there is no sandbox, or it could not be broken.
        """
        found = scenario_named(name)
        if found is None:
            raise Rejected(f"there is no drill {name!r}; there are: {', '.join(one.name for one in scenarios())}")
        _check_alone(self.board().running)
        layout, settings, is_own = find_place(self._settings, tell)
        check_ways_out(settings)
        _check_whole(layout)
        if is_own:
            snapshot = None  # that is another platform's
        drill = self._begun(found, layout, settings, is_own, snapshot)
        if snapshot is not None:
            _check_open(found, drill, snapshot)
        with self._drills.held():
            # Looked at again where no other cockpit can: of two that begin one at once one would be forgotten.
            _check_alone(self._drills.running())
            drill = replace(drill, incident=self._open(settings, found).id)
            self._drills.keep(drill)
            try:
                launcher.inject(layout, found.fault)
            except CockpitError:
                self._finish(drill, "stopped", None)
                raise
        self._audit("drill_started", f"{drill.id} on {layout.folder}: {found.title}")
        return drill

    def _begun(
        self,
        found: Scenario,
        layout: Layout,
        settings: Settings,
        is_own: bool,
        snapshot: Snapshot | None,
    ) -> Drill:
        now = self._clock.now()
        registry = snapshot.registry.value if snapshot is not None else None
        rto = settings.incidents.rto_minutes
        return Drill(
            id=f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{found.name}",
            scenario=found.name,
            title=found.title,
            section=found.section,
            started_at=now,
            by=self._by,
            world=settings.world.value,
            site=settings.site,
            sandbox=str(layout.folder),
            root=str(layout.root),
            config=str(layout.config),
            incidents=str(settings.incidents_folder),
            is_own=is_own,
            rto_s=None if rto is None else rto * 60,
            facts=(
                ("primary", registry.primary if registry is not None else _primary(settings)),
                *_dumped(snapshot),
            ),
        )

    def watch(self, snapshot: Snapshot) -> Drill | None:
        """Judge the running drill on a snapshot of its sandbox; None where none runs here."""
        running = self._drills.running()
        if running is None or running.root != str(self._settings.root):
            return None
        with self._drills.held():
            drill = self._drills.running()
            if drill is None:
                return None
            return self._judged(drill, snapshot)

    def _judged(self, drill: Drill, snapshot: Snapshot) -> Drill:
        found = scenario_named(drill.scenario)
        if found is None:
            return self._finish(drill, "lost", snapshot)
        now = self._clock.now()
        since = now - (drill.watched_at or drill.started_at)
        after = replace(drill, watched_at=now, unwatched_s=drill.unwatched_s + (since if since > UNWATCHED_S else 0.0))
        for goal in found.goals:
            at = met_at(goal, after, snapshot) if after.met(goal.name) is None else None
            if at is not None:
                after = replace(after, mets=(*after.mets, Met(goal.name, at)))
                by = halted_by(snapshot) if goal.name == "halted" else ""
                if by:
                    after = replace(after, facts=(*after.facts, (HALTED_BY, by)))
                by = f" by {by}" if by else ""
                self._tell_incident(after, f"{goal.name}{by} after {at - after.started_at:.0f} s")
        if after.met("recovered") and not drill.met("recovered"):
            after = replace(after, rpo_minutes=_lost_minutes(found, after))
        if found.mends_after and after.met(found.mends_after) and after.mended_at is None:
            self._calm(after, found)
            after = replace(after, mended_at=now)
        if after.next_goal(found) is None:
            return self._finish(after, "ended", snapshot)
        if after.mets != drill.mets or after.mended_at != drill.mended_at or since > 1.0:
            self._drills.keep(after)
        return after

    def stop(self, snapshot: Snapshot | None = None) -> Drill:
        """End it before its end: the fault is cleared, what was missed is told.

        Raises:
            Rejected: none runs.
        """
        with self._drills.held():
            drill = self._drills.running()
            if drill is None:
                raise Rejected("no drill runs")
            is_there = launcher.find_running(Path(drill.sandbox)) is not None
            ended = self._finish(drill, "stopped" if is_there else "lost", snapshot)
        if ended.is_own:
            put_away()
        return ended

    def _finish(self, drill: Drill, ending: str, snapshot: Snapshot | None) -> Drill:
        found = scenario_named(drill.scenario)
        if found is not None and ending != "lost":
            self._mend(drill, found)
        why = missed(drill, found) if found is not None else ("the scenario is no longer there",)
        incident, text = self._closed(drill, ending, why)
        drill = replace(
            drill,
            ended_at=self._clock.now(),
            ending=ending,
            is_passed=ending == "ended" and not why,
            missed=why,
            left=_left(snapshot, drill),
            rpo_minutes=drill.rpo_minutes if incident is None else incident.rpo_minutes or drill.rpo_minutes,
            rpo_rows=incident.rpo_rows if incident else None,
        )
        if found is not None:
            words = report(drill, found, incident, text)
            self._drills.keep_report(drill.id, words)
            if incident is not None:
                with suppress(CockpitError):
                    Drills(Path(drill.incidents) / "drills").keep_report(drill.id, words)
        self._drills.keep(drill)
        self._audit("drill_ended", f"{drill.id}: {drill.verdict}{'; '.join(('', *why))}")
        return drill

    def report(self, drill_id: str) -> Path:
        """Where the report of that drill is."""
        return self._drills.report(drill_id)

    def _mend(self, drill: Drill, found: Scenario) -> None:
        layout = launcher.find_running(Path(drill.sandbox))
        if layout is not None:
            with suppress(CockpitError):
                launcher.clear(layout, found.fault)

    def _calm(self, drill: Drill, found: Scenario) -> None:
        """The trouble is over by itself; what it led to, a halt, is still to be put right."""
        layout = launcher.find_running(Path(drill.sandbox))
        if layout is not None:
            with suppress(CockpitError):
                launcher.calm(layout, found.fault)

    def _open(self, settings: Settings, found: Scenario) -> Incident:
        now = self._clock.now()
        words = opening(settings, f"Drill: {found.title}", Severity.P1, found.section, "a drill", now)
        return Incidents(settings.incidents_folder, self._by, self._clock).open(words.as_drill(True))

    def _incidents(self, drill: Drill) -> Incidents:
        return Incidents(Path(drill.incidents), self._by, self._clock)

    def _tell_incident(self, drill: Drill, words: str) -> None:
        with suppress(CockpitError, OSError):
            event = Event(self._clock.now(), "drill", words, f"drill/{words.partition(' ')[0]}")
            self._incidents(drill).record(event, drill.incident)

    def _closed(self, drill: Drill, ending: str, why: tuple[str, ...]) -> tuple[Incident | None, str]:
        """The incident of the drill, closed; what it lacks is waived, for it is over with the drill."""
        try:
            incidents = self._incidents(drill)
            if incidents.find(drill.incident).is_open:
                cause = {"cause": f"drill: {drill.title}"}
                close(incidents, drill.incident, self._by, self._clock, cause, f"the drill has {ending}")
            return incidents.find(drill.incident), incidents.text(drill.incident)
        except (CockpitError, OSError):
            with suppress(CockpitError, OSError):
                incidents = self._incidents(drill)
                return incidents.find(drill.incident), incidents.text(drill.incident)
            return None, ""


def put_away() -> bool:
    """Take down the sandbox that was started for drills; False where none is up.

    Raises:
        SandboxError: it does not end.
    """
    return launcher.down(own_folder())


def _check_alone(running: Drill | None) -> None:
    if running is not None:
        raise Rejected(f"{running.title} runs already, begun by {running.by}: stop that one first")


def _check_whole(layout: Layout) -> None:
    faults = launcher.status(layout)["faults"]
    if faults:
        names = ", ".join(str(fault["id"]) for fault in faults)
        raise Rejected(f"this sandbox is broken already ({names}): `cockpit sandbox clear` mends it")


def _check_open(found: Scenario, drill: Drill, snapshot: Snapshot) -> None:
    """What is reached before it begins would be reached by nobody."""
    for goal in found.goals:
        if not goal.after and met_at(goal, drill, snapshot) is not None:
            raise Rejected(
                f"{goal.name} is so already, before the drill has begun: put the sandbox back as it was first"
            )


def _dumped(snapshot: Snapshot | None) -> tuple[tuple[str, str], ...]:
    """When the newest dump was taken, before anything is broken: a later one may lack what is lost by then."""
    dump, at = (snapshot.dump.value, snapshot.dump.value_at) if snapshot is not None else (None, None)
    return () if dump is None or at is None else (("dump_at", f"{at - dump.age_s:.3f}"),)


def _lost_minutes(found: Scenario, drill: Drill) -> float | None:
    """How much older than the fault the dump is that was there to be put back."""
    dump_at = dict(drill.facts).get("dump_at")
    if found.loses != "dump" or dump_at is None:
        return None
    return round(max(0.0, drill.started_at - float(dump_at)) / 60, 1)


def _primary(settings: Settings) -> str:
    """Of a sandbox that nobody has looked at yet: as it was configured."""
    return settings.feeds.names[0] if settings.feeds.names else ""


def _left(snapshot: Snapshot | None, drill: Drill) -> tuple[str, ...]:
    """What the drill has changed and nobody has changed back."""
    if snapshot is None:
        return ()
    switch, registry = snapshot.kill_switch.value, snapshot.registry.value
    found = ["the kill switch is engaged"] if switch is not None and switch.is_engaged else []
    found += [f"{one.name} goes to {one.override}" for one in snapshot.venues.value or () if one.override]
    if registry is not None and registry.primary != dict(drill.facts).get("primary"):
        found.append(f"{registry.primary} is the primary feed")
    return tuple(found)
