"""A session on the sandbox from which steps are taken as a person takes them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from cockpit.config import Settings, load
from cockpit.headless.listening import Ear
from cockpit.model.job import Job, JobStep
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.sandbox.layout import Layout
from cockpit.session import Session, state_folder
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until

PROGRAM = Path(sys.executable).with_name("cockpit")
ENDS = ("done", "failed", "in_doubt", "cancelled")


@dataclass(frozen=True)
class StepDesk:
    session: Session
    layout: Layout
    control: Control
    redis: Any

    @property
    def settings(self) -> Settings:
        return self.session.settings

    @property
    def snapshot(self) -> Snapshot:
        return self.session.snapshot

    @property
    def store(self) -> JobStore:
        return JobStore(state_folder(self.settings) / "jobs")

    @property
    def log(self) -> AuditLog:
        return AuditLog(state_folder(self.settings))

    def plan(self, action: str, **parameters: str) -> Plan:
        return self.session.prepare(action, parameters).result(PATIENCE_S)

    def allowed(self, action: str, **parameters: str) -> Plan:
        """The plan once nothing stands against it any more."""

        def found() -> Plan | None:
            plan = self.plan(action, **parameters)
            return plan if plan.is_allowed else None

        plan = wait_until(found)
        assert plan is not None
        return plan

    def submit(self, plan: Plan, reason: str | None = None, overrides: tuple[str, ...] = ()) -> Job:
        return self.session.submit(plan, Confirmation(plan.digest, plan.phrase, reason, overrides)).result(PATIENCE_S)

    def take(self, action: str, **parameters: str) -> Job:
        return self.submit(self.allowed(action, **parameters), "test")

    def shell(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAM), *arguments, "--config", str(self.layout.config)]
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, check=False
        )

    def ended(self, job: Job, within_s: float = PATIENCE_S) -> Job:
        """Once its journal has an end: a job whose worker died is in doubt until it has been looked after."""

        def over() -> Job | None:
            entries = self.store.entries(job.id)
            return self.store.job(job.id) if entries and entries[-1].kind in ENDS else None

        found = wait_until(over, within_s)
        assert found is not None
        return found


def told(job: Job) -> str:
    """For the message of an assertion."""
    rows: list[JobStep] = [*job.steps, *job.proofs]
    return "\n".join([f"{job.phase}: {job.error}", *(f"{one.state} {one.name}: {one.detail}" for one in rows)])


@contextmanager
def opened(layout: Layout, control: Control) -> Iterator[StepDesk]:
    """A desk with a first round of evidence."""
    with _at(load(layout.config), layout, control) as desk:
        yield desk


@contextmanager
def opened_with(settings: Settings, beside: StepDesk) -> Iterator[StepDesk]:
    """Another desk on the same platform, configured otherwise."""
    with _at(settings, beside.layout, beside.control) as desk:
        yield desk


@contextmanager
def _at(settings: Settings, layout: Layout, control: Control) -> Iterator[StepDesk]:
    client = redis.Redis(port=layout.ports.redis, decode_responses=True, socket_timeout=PATIENCE_S)
    session = Session.open(settings)
    ear = Ear(frozenset(PROBES))
    session.start(ear)
    try:
        assert ear.wait_round(PATIENCE_S)
        yield StepDesk(session, layout, control, client)
    finally:
        session.stop()
        client.close()
