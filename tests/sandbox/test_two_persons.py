"""A release on a real Redis, and a worker's step on a platform, that another user approves from a command line."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec import structs

from cockpit import accounts
from cockpit.config import ApprovalsPart, Settings, load
from cockpit.errors import JournalError, Rejected
from cockpit.headless import approve
from cockpit.jobs import launch
from cockpit.jobs.launch import settings_text
from cockpit.jobs.runner import Runner
from cockpit.model.audit import AuditRecord
from cockpit.model.job import Job, Phase
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.world import World
from cockpit.sandbox.layout import Layout
from cockpit.session import Session, state_folder
from cockpit.storage.audit import AuditLog
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control
from tests.sandbox.lone_redis import LoneRedis, a_runner, end_workers, lone_redis, until
from tests.sandbox.step_desk import told
from tests.sandbox.test_kill_points import ROOT, Bench, hold_something, is_flat, looked_after
from tests.sandbox.test_kill_switch_redis import seen
from tests.unit.test_approvals import BEN, TEAM, as_user, needs_root

KEY = "policy:kill_switch"
RELEASE = "kill_switch.release"
HALT = {"enabled": "true", "by": "asha@jump1", "reason": "IBKR down", "ts": "1700000000123"}


def answer(config: Path, **given: object) -> str:
    """What Ben's command line prints."""
    options = {"id": None, "confirm": None, "refuse": False, "reason": None, "override": [], "json": False, **given}

    def run(**changed: object) -> str:
        with redirect_stdout(io.StringIO()) as out:
            approve.run(argparse.Namespace(config=config, **{**options, **changed}))
        return out.getvalue()

    # All that it imports is imported before: Ben may not read this Python.
    with suppress(Rejected):
        run(**({} if options["id"] is None else {"confirm": "", "refuse": False}))
    return as_user(BEN, run)


@contextmanager
def shared(settings: Settings) -> Iterator[tuple[Settings, Path]]:
    """The same with a state folder of the team's, and where its configuration stands for all to read."""
    top = Path(tempfile.mkdtemp(prefix="cockpit-test-", dir="/tmp"))
    top.chmod(0o711)
    state = top / "state"
    state.mkdir()
    os.chown(state, 0, TEAM)
    state.chmod(0o2770)
    more = {"state": state, "approvals": ApprovalsPart(required_in=(World.SANDBOX,))}
    settings = structs.replace(settings, **more)
    config = top / "cockpit.yaml"
    config.write_text(settings_text(settings))
    config.chmod(0o644)
    try:
        yield settings, config
    finally:
        end_workers(state)
        shutil.rmtree(top)


@contextmanager
def readable(layout: Layout) -> Iterator[None]:
    """A second person judges by their own look: they may look at what the step is made of."""
    places = [layout.root, layout.folder / "bin"]
    found = [file for place in places for file in (place, *place.rglob("*")) if not file.is_symlink()]
    modes = {file: file.stat().st_mode for file in found}
    for file, mode in modes.items():
        file.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
    try:
        yield
    finally:
        for file, mode in modes.items():
            with suppress(FileNotFoundError):
                file.chmod(mode)


@dataclass
class Site:
    server: LoneRedis
    settings: Settings
    config: Path
    runner: Runner

    def plan(self) -> Plan:
        return self.runner.prepare(RELEASE, {}, seen(self.server))

    def submit(self, plan: Plan, **how: object) -> str:
        confirmation = Confirmation(plan.digest, plan.phrase, "IBKR is back", **how)  # type: ignore[arg-type]
        self.runner.submit(plan, confirmation, seen(self.server))
        return str(self.server.client.hget(KEY, "enabled"))

    def answer(self, **given: object) -> str:
        return answer(self.config, **given)

    def kinds(self) -> list[str]:
        assert self.settings.state is not None
        return [record.kind for record in AuditLog(self.settings.state).tail()]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    from actions.kill_switch import release

    monkeypatch.setattr(release, "_checks", lambda *_: ())
    with lone_redis(tmp_path) as server, shared(server.settings()) as (settings, config):
        server.client.hset(KEY, mapping=HALT)
        runner = a_runner(settings, state_folder(settings))
        yield Site(server, settings, config, runner)
        runner.stop()


@needs_root
def test_nothing_is_released_before_somebody_else_approves_and_then_once(site: Site) -> None:
    plan = site.plan()
    assert plan.needs_second
    with pytest.raises(Rejected, match="a second person must approve it"):
        site.submit(plan)
    assert site.answer() == "nothing waits for a second person\n"
    request = site.runner.seconds.ask(plan, "IBKR is back")
    with pytest.raises(Rejected, match="no second person: waiting"):
        site.submit(plan, approval=request.id)
    listed = site.answer()
    assert request.name in listed and "asks: Release the kill switch, because: IBKR is back" in listed
    assert "typed exactly" in site.answer(id=request.name, confirm="yes")
    told = site.answer(id=request.name, confirm=plan.phrase)
    assert "what follows is what this cockpit itself would do" in told
    assert "HSET policy:kill_switch enabled false" in told and f"approved: {request.name}" in told
    assert site.submit(plan, approval=request.id) == "false"
    site.server.client.hset(KEY, mapping=HALT)
    with pytest.raises(Rejected, match="counts once"):
        site.submit(plan, approval=request.id)
    assert site.server.client.hget(KEY, "enabled") == "true"
    until(lambda: {"approval_requested", "approval_given", "confirmed", "refused"} <= set(site.kinds()))
    assert site.settings.state is not None and AuditLog(site.settings.state).verify().is_sound


@needs_root
def test_what_the_second_persons_own_cockpit_would_not_do_is_not_approved(site: Site) -> None:
    """Halted anew since by somebody else: the halt that is to be released is another."""
    request = site.runner.seconds.ask(replace(site.plan(), sentence="Nothing happens."), "IBKR is back")
    site.server.client.hset(KEY, mapping={**HALT, "by": "risk-manager"})
    told = site.answer(id=request.name, confirm=f"START TRADING {site.settings.site}")
    assert "Rejected: this is not what this cockpit itself would do: it is not approved: " in told
    assert "asked for is asha@jump1; by our own look it is risk-manager" in told
    assert site.runner.seconds.standing(request.id).words == "waiting for a second person"
    site.server.client.hset(KEY, mapping=HALT)
    told = site.answer(id=request.name, confirm=f"START TRADING {site.settings.site}")
    assert "Nothing happens." not in told and "approved: " in told


@needs_root
def test_no_command_line_ends_before_its_approval_is_in_the_audit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes no record of it for as long as the session has left to close."""
    is_closed, is_told = threading.Event(), threading.Event()
    start, stop, append = Session.start, Session.stop, AuditLog.append

    def started(session: Session, *given: Any) -> None:
        is_closed.clear()
        start(session, *given)

    def stopped(session: Session, timeout_s: float) -> None:
        stop(session, timeout_s)
        is_closed.set()

    def appended(log: AuditLog, draft: AuditRecord) -> AuditRecord:
        if draft.kind == "approval_given":
            is_closed.wait(10)
            if is_told.wait(0.2):
                raise JournalError("it was said before it was written")
        return append(log, draft)

    def said(text: str, **where: Any) -> None:
        if text.startswith("approved: "):
            is_told.set()
        print(text, **where)

    for owner, name, does in ((Session, "start", started), (Session, "stop", stopped), (AuditLog, "append", appended)):
        monkeypatch.setattr(owner, name, does)
    monkeypatch.setattr(approve, "print", said, raising=False)
    plan = site.plan()
    request = site.runner.seconds.ask(plan, "IBKR is back")
    assert f"approved: {request.name}" in site.answer(id=request.name, confirm=plan.phrase)
    assert "approval_given" in site.kinds()


@needs_root
def test_an_answer_that_the_audit_does_not_take_is_no_success(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    append = AuditLog.append

    def appended(log: AuditLog, draft: AuditRecord) -> AuditRecord:
        if draft.kind == "approval_given":
            raise JournalError("no space left on device")
        return append(log, draft)

    monkeypatch.setattr(AuditLog, "append", appended)
    plan = site.plan()
    request = site.runner.seconds.ask(plan, "IBKR is back")
    told = site.answer(id=request.name, confirm=plan.phrase)
    assert told == "JournalError: approved, but that is not in the audit: no space left on device"


@needs_root
def test_who_is_asked_is_told_at_once_what_before_anybody_looks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = site.plan()
    request = site.runner.seconds.ask(plan, "IBKR is back")
    begin = Session.open

    def opened(settings: Settings) -> Session:
        print("LOOKING")
        return begin(settings)

    monkeypatch.setattr(Session, "open", opened)
    told = site.answer(id=request.name, confirm=plan.phrase)
    assert told.index("asks: Release the kill switch") < told.index(request.id) < told.index("LOOKING")


@needs_root
def test_a_refusal_from_the_command_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(settings: Settings) -> Session:
        raise Rejected("nobody looks at the platform for it")

    monkeypatch.setattr(Session, "open", looked)
    plan = site.plan()
    request = site.runner.seconds.ask(plan, "IBKR is back")
    assert "there is no terminal to ask on" in site.answer(id=request.name, refuse=True)
    assert "refused: " in site.answer(id=request.name, refuse=True, reason="not before the open")
    with pytest.raises(Rejected, match="not before the open"):
        site.submit(plan, approval=request.id)
    assert site.runner.seconds.standing(request.id).words.endswith(": not before the open")


@needs_root
def test_alone_by_breaking_the_glass(site: Site) -> None:
    assert site.submit(site.plan(), break_glass=True) == "false"
    until(lambda: "break_glass" in site.kinds())
    (job,) = site.runner.jobs()
    assert any(note.startswith("BREAK GLASS: done by ") for note in job.notes)


@pytest.fixture
def bench(sandbox: tuple[Layout, Control]) -> Iterator[tuple[Bench, Path]]:
    """A platform of which the team shares the state, and that all of it may look at."""
    layout, _ = sandbox
    settings = load(layout.config)
    quick = structs.replace(settings.scripts, orders_per_s=1000, slice_usd=1e9)
    client = redis.Redis(port=layout.ports.redis, decode_responses=True, socket_timeout=PATIENCE_S)
    with readable(layout), shared(structs.replace(settings, scripts=quick)) as (ours, config):
        yield Bench(ours, client), config
    client.delete(KEY)
    client.close()


def approved_and_flattened(bench: Bench, config: Path) -> Job:
    """By a worker, once Ben has approved it from a process of his own."""
    runner = bench.cockpit()
    plan, _ = bench.plan(runner, "script.flatten")
    assert plan.needs_second
    request = runner.seconds.ask(plan, "VaR")
    assert f"approved: {request.name}" in answer(config, id=request.name, confirm=plan.phrase)
    confirmation = Confirmation(plan.digest, plan.phrase, "VaR", approval=request.id)
    job = runner.submit(plan, confirmation, bench.snapshot("script.flatten"))
    return looked_after(bench, job)


@needs_root
def test_a_worker_does_what_was_approved_and_not_what_lapsed_meanwhile(
    bench: tuple[Bench, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, config = bench
    hold_something(platform)
    monkeypatch.setattr(launch, "WORKER", "tests.sandbox.late_worker")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LATE_S", str(platform.settings.approvals.lapse_s))
    late = approved_and_flattened(platform, config)
    assert late.phase is Phase.FAILED and "it has lapsed" in (late.error or ""), told(late)
    assert "step_started" not in [entry.kind for entry in platform.store.entries(late.id)]
    assert platform.positions(), "nothing was done"
    monkeypatch.setattr(launch, "WORKER", "cockpit.jobs.worker")
    done = approved_and_flattened(platform, config)
    assert done.phase is Phase.DONE and is_flat(platform), told(done)
    assert f"approved by {accounts.user_name(BEN)}" in done.notes
    kinds = [entry.kind for entry in platform.store.entries(done.id)]
    assert kinds.index("note") < kinds.index("step_started"), "before the act"
