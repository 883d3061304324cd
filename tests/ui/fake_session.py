"""A session with one hand-made snapshot; it remembers what was asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import structs

from cockpit.config import FeedsPart, RedisPart, Settings, VenuePart
from cockpit.incidents.log import IncidentLog
from cockpit.model.action import ActionSpec
from cockpit.model.approval import Consent, Look, Request, Second, Standing
from cockpit.model.audit import AuditRecord, Operator, Recent, Soundness
from cockpit.model.choice import Choice
from cockpit.model.drill import Board, Drill
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.page import Page
from cockpit.model.plan import Check, Confirmation, Danger, Plan, PlanStep, Verdict
from cockpit.model.rehearsal import Rehearsal
from cockpit.model.snapshot import Snapshot
from cockpit.model.walk import Walk
from cockpit.model.world import World
from cockpit.storage import pages
from tests.ui.snapshots import NOW

SETTINGS = Settings(
    site="hf-1",
    world=World.SANDBOX,
    root=Path("/platform"),
    redis=RedisPart(),
    venues=(
        VenuePart(name="IBKR", backup="zerodha", reset_utc="23:00-23:15"),
        VenuePart(name="Zerodha", backup="paper"),
        VenuePart(name="Paper"),
    ),
    feeds=FeedsPart(),
)


class StillClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return NOW + self.passed

    def monotonic(self) -> float:
        return 1000.0 + self.passed


def done(result: Any = None) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


class FakeShelf:
    """A walk in memory, and an output by the functions that read a file's."""

    def __init__(self) -> None:
        self.kept: Walk | None = None
        self.folder = Path("/nowhere")
        self.recent = Recent()
        self.is_sound = True
        self.exported: list[tuple[AuditRecord, ...]] = []

    def page(self, job_id: str, offset: int) -> Future[Page]:
        return done(pages.page_from(self.folder, offset))

    def page_before(self, job_id: str, end: int | None = None) -> Future[Page]:
        return done(pages.page_until(self.folder, end))

    def find(self, job_id: str, needle: str, offset: int, is_forward: bool) -> Future[int | None]:
        return done(pages.find(self.folder, needle, offset, is_forward))

    def walk(self) -> Future[Walk | None]:
        return done(self.kept)

    def keep(self, walk: Walk | None) -> Future[None]:
        self.kept = walk
        return done()

    def audit(self, known: Recent) -> Future[Recent]:
        return done(self.recent)

    def verify(self, now: float) -> Future[Soundness]:
        return done(Soundness(self.is_sound, "sound: 2 records" if self.is_sound else "BROKEN at line 2", now))

    def export(self, records: Sequence[AuditRecord], now: float) -> Future[Path]:
        self.exported.append(tuple(records))
        return done(Path("/state/exports/audit-1.jsonl"))


class FakeReadiness:
    """A rehearsal in memory; a new one is made when a test says so."""

    def __init__(self) -> None:
        self.kept: Rehearsal | None = None
        self.running: Future[Rehearsal] = Future()
        self.told: list[Callable[[str], None]] = []

    def last(self) -> Future[Rehearsal | None]:
        return done(self.kept)

    def run(self, snapshot: Snapshot, tell: Callable[[str], None]) -> Future[Rehearsal]:
        self.told.append(tell)
        return self.running


class FakeDrills:
    """A board in memory."""

    def __init__(self) -> None:
        self.kept = Board()
        self.asked: list[str] = []
        self.answer: Future[Drill] = Future()

    def board(self) -> Future[Board]:
        return done(self.kept)

    def start(self, name: str, tell: Callable[[str], None]) -> Future[Drill]:
        self.asked.append(name)
        return self.answer

    def stop(self) -> Future[Drill]:
        self.asked.append("stop")
        return self.answer

    def report(self, drill_id: str) -> Future[str]:
        return done(f"# Drill {drill_id}\n" + "\n".join(f"line {number}" for number in range(60)))

    def said(self, drill: Drill, now: float) -> tuple[str, ...]:
        return ("Trigger the kill switch (3.1)", "K, then y")

    def where(self) -> str:
        return "It breaks this sandbox."


class FakeSeconds:
    """Somebody else, who answers what a test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Plan, str]] = []
        self.withdrawn: list[str] = []
        self.approved: list[tuple[Request, Consent]] = []
        self.refused: list[tuple[Request, str]] = []
        self.mine: Plan | None = replace(release_plan(), needs_second=True)
        self.against: tuple[str, ...] = ()
        self.answer = Second("3f2a1b22" * 8, Standing.WAITING, "waiting", None, NOW + 600)

    def ask(self, plan: Plan, reason: str, overrides: Sequence[str] = ()) -> Future[Request]:
        self.asked.append((plan, reason))
        return done(replace(a_request(), plan=plan, reason=reason))

    def standing(self, request_id: str) -> Future[Second]:
        return done(replace(self.answer, id=request_id))

    def withdraw(self, request_id: str) -> Future[None]:
        self.withdrawn.append(request_id)
        return done(None)

    def look(self, request: Request) -> Future[Look]:
        return done(Look(request.id, self.mine, self.against))

    def approve(self, request: Request, consent: Consent) -> Future[None]:
        self.approved.append((request, consent))
        return done(None)

    def refuse(self, request: Request, reason: str) -> Future[None]:
        self.refused.append((request, reason))
        return done(None)


def a_request() -> Request:
    plan = replace(release_plan(), needs_second=True)
    return Request("3f2a1b22" * 8, plan, "ben", 1002, None, "jump1", "brokers are back", (), NOW - 3, NOW + 597)


class FakeSession:
    """Answers at once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.settings = structs.replace(SETTINGS, site="hf-1", world=snapshot.world)
        self.operator = Operator("asha", "asha", "jump1", "pts/3", None)
        self.listener: Callable[[Snapshot], None] | None = None
        self.seconds = FakeSeconds()
        self.readiness = FakeReadiness()
        self.drills = FakeDrills()
        self.release: Plan = release_plan()
        self.prepared: list[str] = []
        self.peeked: list[str] = []
        """What was prepared to be judged, and not shown."""
        self.submitted: list[tuple[Plan, Confirmation]] = []
        self.plan: Plan = halt_plan()
        self.asked: dict[str, str] = {}
        """The parameters of the last plan."""
        self.jobs: dict[str, Job] = {job.id: job for job in snapshot.jobs}
        self.is_stopped = False
        self.offered: dict[str, tuple[Choice, ...]] = {}
        self.shelf = FakeShelf()
        self.said: list[tuple[object, ...]] = []
        self.noted: list[tuple[str, str]] = []
        """What the incident log had written into the audit."""
        self._log: IncidentLog | None = None

    def start(self, listener: Callable[[Snapshot], None]) -> None:
        self.listener = listener
        listener(self.snapshot)

    def stop(self, timeout_s: float = 1.0) -> None:
        self.is_stopped = True

    @property
    def incidents(self) -> IncidentLog:
        """The real one, in a folder of its own that is made when a test first needs it."""
        if self._log is None:
            self.folder = TemporaryDirectory(prefix="incidents-")
            root = Path(self.folder.name)
            settings = structs.replace(self.settings, root=root)
            self._log = IncidentLog(settings, self.CLOCK, self.operator.label, root / "drafts", self.note)  # type: ignore[attr-defined]
            self._log.start()
        return self._log

    def note(self, kind: str, words: str) -> None:
        self.noted.append((kind, words))

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        assert self.listener is not None
        self.listener(snapshot)

    def history(self, series: str) -> tuple[tuple[float, float | None], ...]:
        points = self.snapshot.trends.get(series)
        if points is None:
            return ()
        return tuple((NOW - 600 + i * 2, (points[i % len(points)] or 0) * (1 + 0.02 * math.sin(i))) for i in range(300))

    def actions(self) -> tuple[ActionSpec, ...]:
        rows = (
            ("kill_switch.engage", "kill-switch", "Engage the kill switch", "k", Danger.PROTECT),
            ("kill_switch.release", "release", "Release the kill switch", "r", Danger.DANGER),
        )
        return tuple(
            ActionSpec(id, step, title, "Stops every order but reduce-only ones.", "3.1", "Broker outage", "b", key, d)
            for id, step, title, key, d in rows
        )

    def prepare(self, action_id: str, parameters: dict[str, str], is_shown: bool = True) -> Future[Plan]:
        (self.prepared if is_shown else self.peeked).append(action_id)
        self.asked = parameters
        future: Future[Plan] = Future()
        plan = self.release if action_id.endswith("release") else self.plan
        future.set_result(plan)
        return future

    def choices(self, name: str, parameter: str, chosen: dict[str, str]) -> Future[tuple[Choice, ...]]:
        future: Future[tuple[Choice, ...]] = Future()
        future.set_result(self.offered.get(parameter, ()))
        return future

    def submit(self, plan: Plan, confirmation: Confirmation) -> Future[Job]:
        self.submitted.append((plan, confirmation))
        job = Job(
            id="20260620-194412-kill-switch-9c1e",
            action=plan.action,
            title=plan.title,
            target=plan.target,
            world=plan.world,
            digest=plan.digest,
            by=self.operator.label,
            phase=Phase.VERIFYING,
            submitted_at=NOW,
            steps=(JobStep("set policy:kill_switch", StepState.DONE, "read back: enabled=true", 0.004),),
            proofs=(
                JobStep("flag read back", StepState.DONE, "enabled=true", 0.01),
                JobStep("durable", StepState.RUNNING),
                JobStep("no order but reduce-only ones validated", StepState.WAITING),
            ),
        )
        self.jobs[job.id] = job
        future: Future[Job] = Future()
        future.set_result(job)
        return future

    def finish(self, phase: Phase = Phase.DONE) -> None:
        for job in self.jobs.values():
            proofs = tuple(replace(p, state=StepState.DONE, took_s=1.4, detail=p.detail or "holds") for p in job.proofs)
            self.jobs[job.id] = replace(job, phase=phase, ended_at=NOW + 2, proofs=proofs)

    def cancel(self, job_id: str) -> Future[Job]:
        self.said.append(("cancel", job_id))
        return done(self.jobs.get(job_id))

    def resolve(self, job_id: str, is_done: bool, reason: str) -> Future[Job]:
        self.said.append(("resolve", job_id, is_done, reason))
        return done(self.jobs.get(job_id))

    def job(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)


def halt_plan(verdict: Verdict = Verdict.PASS) -> Plan:
    return Plan(
        action="kill_switch.engage",
        title="Engage the kill switch",
        sentence="Stops every new order at once; only orders that reduce a position still pass.",
        world=World.SANDBOX,
        site="hf-1",
        target="policy:kill_switch",
        danger=Danger.PROTECT,
        parameters=(("reason", "operator"),),
        steps=(
            PlanStep(
                "set the flag",
                "HSET policy:kill_switch enabled true reason operator by asha@jump1 ts 1781984652000",
                "redis-cli HSET policy:kill_switch enabled true",
            ),
        ),
        checks=(
            Check("Redis takes writes", verdict, "primary, not MISCONF", 0.3),
            Check("memory has room", Verdict.PASS, "412 of 1,024 MB", 0.3),
            Check("durable", Verdict.WARN, "appendfsync everysec: up to 1 s may be lost", 0.3),
        ),
        impact=("51 orders a second will be rejected", "3 open orders stay open, 12 positions stay"),
        proofs=("the flag is read back", "it is durable", "no order but reduce-only ones validated for 1.5 s"),
        proof_deadline_s=10,
        undo="Space b r   release (danger class)",
        usually="0.9 s (9 of 10 within 1.6 s, 23 runs)",
        prepared_at=NOW,
    )


def release_plan() -> Plan:
    return replace(
        halt_plan(),
        action="kill_switch.release",
        title="Release the kill switch",
        sentence="Lets every order pass again. It does not resend what was rejected meanwhile.",
        danger=Danger.DANGER,
        phrase="RESUME TRADING",
        needs_reason=True,
        undo="K   engage it again",
    )


FakeSession.CLOCK = StillClock()  # type: ignore[attr-defined]
