"""A release on a real Redis that somebody else approves from a command line of their own, as another user."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from cockpit.config import ApprovalsPart, Settings
from cockpit.errors import Rejected
from cockpit.headless import approve
from cockpit.jobs.runner import Runner
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.world import World
from cockpit.storage.audit import AuditLog
from tests.sandbox.lone_redis import LoneRedis, a_runner, end_workers, lone_redis, until
from tests.sandbox.test_kill_switch_redis import seen
from tests.unit.test_approvals import BEN, TEAM, as_user, needs_root

KEY = "policy:kill_switch"
RELEASE = "kill_switch.release"
HALT = {"enabled": "true", "by": "asha@jump1", "reason": "IBKR down", "ts": "1700000000123"}


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
        """What Ben's command line prints."""
        options = {"id": None, "confirm": None, "refuse": False, "reason": None, "json": False, **given}

        def run() -> str:
            with redirect_stdout(io.StringIO()) as out:
                approve.run(argparse.Namespace(config=self.config, **options))
            return out.getvalue()

        return as_user(BEN, run)

    def kinds(self) -> list[str]:
        assert self.settings.state is not None
        return [record.kind for record in AuditLog(self.settings.state).tail()]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    from actions.kill_switch import release

    monkeypatch.setattr(release, "_checks", lambda *_: ())
    top = Path(tempfile.mkdtemp(prefix="cockpit-test-", dir="/tmp"))
    top.chmod(0o711)
    state = top / "state"
    state.mkdir()
    os.chown(state, 0, TEAM)
    state.chmod(0o2770)
    with lone_redis(tmp_path) as server:
        more = {"state": state, "approvals": ApprovalsPart(required_in=(World.SANDBOX,))}
        settings = server.settings().model_copy(update=more)
        config = top / "cockpit.yaml"
        config.write_text(settings.model_dump_json())
        config.chmod(0o644)
        server.client.hset(KEY, mapping=HALT)
        runner = a_runner(settings, state)
        yield Site(server, settings, config, runner)
        runner.stop()
        end_workers(state)
    shutil.rmtree(top)


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
    assert "HSET policy:kill_switch enabled false" in told and f"approved: {request.name}" in told
    assert site.submit(plan, approval=request.id) == "false"
    site.server.client.hset(KEY, mapping=HALT)
    with pytest.raises(Rejected, match="counts once"):
        site.submit(plan, approval=request.id)
    assert site.server.client.hget(KEY, "enabled") == "true"
    until(lambda: {"approval_requested", "approval_given", "confirmed", "refused"} <= set(site.kinds()))
    assert site.settings.state is not None and AuditLog(site.settings.state).verify().is_sound


@needs_root
def test_a_refusal_from_the_command_line(site: Site) -> None:
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
