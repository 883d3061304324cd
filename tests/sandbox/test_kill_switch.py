"""The kill switch end to end on a trading platform: engaged, proven, released, refused; also from the shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from cockpit.config import Settings, load
from cockpit.errors import Rejected
from cockpit.headless.listening import Ear
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout
from cockpit.session import Session, state_folder
from cockpit.storage.audit import AuditLog
from cockpit.storage.latches import LatchFile
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until

KEY = "policy:kill_switch"
NEVER_MS = 1 << 62
PROGRAM = Path(sys.executable).with_name("cockpit")


@dataclass(frozen=True)
class Desk:
    """A session on the sandbox, and the platform's own Redis beside it."""

    session: Session
    layout: Layout
    control: Control
    redis: Any

    @property
    def settings(self) -> Settings:
        return self.session.settings

    @property
    def log(self) -> AuditLog:
        return AuditLog(state_folder(self.settings))

    def plan(self, action: str, **parameters: str) -> Plan:
        return self.session.prepare(action, parameters).result(PATIENCE_S)

    def engage(self, reason: str = "test") -> Job:
        plan = self.plan("kill_switch.engage", reason=reason)
        return self.session.submit(plan, Confirmation(plan.digest)).result(PATIENCE_S)

    def release(self, reason: str = "test is over") -> Job:
        plan = self.plan("kill_switch.release")
        return self.session.submit(plan, Confirmation(plan.digest, plan.phrase, reason)).result(PATIENCE_S)

    def ended(self, job: Job) -> Job:
        def over() -> Job | None:
            found = self.session.job(job.id)
            return found if found is not None and found.phase.is_over else None

        found = wait_until(over)
        assert found is not None
        return found

    def validated(self) -> str:
        entries = self.redis.xrevrange("orders.validated", count=1)
        return str(entries[0][0]) if entries else "0-0"

    def risky_since(self, entry_id: str) -> list[str]:
        entries = self.redis.xrange("orders.validated", f"({entry_id}")
        return [entry for entry, fields in entries if not json.loads(fields["json"]).get("reduce_only")]

    def shell(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAM), *arguments, "--config", str(self.layout.config)]
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )


@pytest.fixture
def desk(sandbox: tuple[Layout, Control]) -> Iterator[Desk]:
    with opened(*sandbox) as found:
        yield found


@pytest.fixture
def fresh_desk() -> Iterator[Desk]:
    """On a platform whose brokers agree with its ledger: no fault has lost a fill there."""
    running = launcher.launch_private()
    try:
        with opened(running.layout, Control(running.layout)) as found:
            yield found
    finally:
        running.close()


@contextmanager
def opened(layout: Layout, control: Control) -> Iterator[Desk]:
    client = redis.Redis(port=layout.ports.redis, decode_responses=True, socket_timeout=PATIENCE_S)
    unlatch(layout)
    client.delete(KEY)
    before = client.xinfo_stream("orders.validated")["last-generated-id"]
    wait_until(lambda: client.xinfo_stream("orders.validated")["last-generated-id"] != before)
    session = Session.open(load(layout.config))
    ear = Ear(frozenset({"kill_switch", "redis", "venues", "flow", "risk", "feeds", "reach"}))
    session.start(ear)
    assert ear.wait_round(PATIENCE_S)
    try:
        yield Desk(session, layout, control, client)
    finally:
        session.stop()
        control.clear()
        wait_until(lambda: _answers(client))
        unlatch(layout)
        client.delete(KEY)


def unlatch(layout: Layout) -> None:
    """No wish to be halted goes from one test to the next."""
    settings = load(layout.config)
    LatchFile(state_folder(settings), settings.redis).clear(NEVER_MS)


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_engaged_orders_stop_and_every_proof_holds_then_released_they_flow(desk: Desk) -> None:
    job = desk.engage("IBKR down")
    flag = desk.redis.hgetall(KEY)
    assert (flag["enabled"], flag["reason"], flag["by"]) == ("true", "IBKR down", desk.session.operator.label)
    job = desk.ended(job)
    assert (job.phase, job.error) == (Phase.DONE, None)
    assert [proof.state for proof in job.proofs] == [StepState.DONE] * 4
    assert all(proof.took_s is not None for proof in job.proofs)
    # Not the cockpit's word but the platform's: orders arrive, and none but reduce-only ones pass.
    mark = desk.validated()
    arrived = desk.redis.xinfo_stream("orders.incoming")["last-generated-id"]
    wait_until(
        lambda: desk.redis.xlen("orders.incoming") and len(desk.redis.xrange("orders.incoming", f"({arrived}")) > 20
    )
    assert desk.risky_since(mark) == []
    assert any(found.id == job.id for found in wait_until(lambda: desk.session.snapshot.jobs))

    wait_until(lambda: not desk.plan("kill_switch.release").blocking)
    released = desk.ended(desk.release())
    assert (released.phase, released.error) == (Phase.DONE, None)
    assert desk.redis.hget(KEY, "enabled") == "false"
    assert wait_until(lambda: desk.risky_since(mark))
    kinds = [record.kind for record in desk.log.tail()]
    assert kinds.count("confirmed") >= 2 and kinds.count("proven") >= 2
    assert desk.log.verify().is_sound


def test_a_release_is_refused_while_a_broker_is_down(desk: Desk) -> None:
    desk.ended(desk.engage())
    desk.control.inject("broker-down")
    wait_until(lambda: any("down" in check.detail for check in desk.plan("kill_switch.release").blocking))
    with pytest.raises(Rejected, match="IBKR"):
        desk.release()
    assert desk.redis.hget(KEY, "enabled") == "true"
    assert desk.log.tail(1)[0].kind in ("refused", "previewed")


def test_a_release_is_refused_when_nothing_is_engaged(desk: Desk) -> None:
    with pytest.raises(Rejected, match="nothing to release"):
        desk.release()


def test_open_orders_of_a_broker_that_is_down_are_named_with_whom_to_call(desk: Desk) -> None:
    desk.control.inject("broker-down")
    wait_until(lambda: '"down"' in desk.redis.hget("venue:status", "IBKR"))
    job = desk.ended(desk.engage())
    assert job.phase is Phase.DONE and {proof.state for proof in job.proofs} == {StepState.DONE}
    (told,) = [proof.detail for proof in job.proofs if "IBKR" in proof.detail]
    assert "CALL THEM" in told, told


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("redis-memory-full", "OOM"),
        ("redis-misconf", "MISCONF"),
        ("redis-killed", "refused the connection"),
    ],
)
def test_a_halt_that_cannot_be_written_says_why_and_what_else_stops_trading(desk: Desk, fault: str, words: str) -> None:
    desk.control.inject(fault)
    job = desk.engage()
    assert job.phase is Phase.FAILED
    assert words in (job.error or "")
    assert any(note.startswith("NOT HALTED") for note in job.notes)
    assert any("kubectl --kubeconfig" in note and "scale deploy/router --replicas=0" in note for note in job.notes)


def test_a_halt_into_a_black_hole_is_tried_and_its_doubt_resolved(desk: Desk) -> None:
    desk.control.inject("redis-blackhole")
    job = desk.engage()
    assert job.steps[0].state is StepState.UNKNOWN
    assert any("did not say whether it took it" in note for note in job.notes)
    desk.control.clear("redis-blackhole")
    wait_until(lambda: _answers(desk.redis))
    job = desk.ended(job)
    assert job.steps[0].state in (StepState.DONE, StepState.FAILED)
    # Whatever became of that write: the wish is latched, and fulfilled as soon as Redis takes it.
    wait_until(lambda: desk.redis.hget(KEY, "enabled") == "true")


def test_from_the_shell(fresh_desk: Desk) -> None:
    desk = fresh_desk
    refused = desk.shell("run", "kill-switch")
    assert (refused.returncode, "not confirmed" in refused.stderr) == (4, True)
    assert not desk.redis.exists(KEY)
    dry = desk.shell("run", "kill-switch", "--dry-run", "--json")
    assert (dry.returncode, json.loads(dry.stdout)["job"]) == (0, None)
    assert not desk.redis.exists(KEY)
    done = desk.shell("run", "kill-switch", "--confirm", "y", "--reason", "from the shell")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PROVEN" in done.stdout
    assert desk.redis.hget(KEY, "reason") == "from the shell"
    wrong = desk.shell("run", "kill-switch-release", "--confirm", "start trading", "--reason", "x")
    assert (wrong.returncode, "typed exactly: START TRADING" in wrong.stderr) == (4, True), wrong.stdout + wrong.stderr
    phrase = f"START TRADING {desk.settings.site}"

    def released() -> subprocess.CompletedProcess[str] | None:
        """A process that was just started asks everything at once: on a busy machine an answer may come too late."""
        found = desk.shell("run", "kill-switch-release", "--confirm", phrase, "--reason", "over", "--json")
        assert found.returncode == 0 or "no answer in time" in found.stderr, found.stdout + found.stderr
        return None if found.returncode else found

    told = wait_until(released)
    assert told is not None
    assert json.loads(told.stdout)["job"]["phase"] == "done"


def test_the_audit_from_the_shell_finds_a_changed_byte(desk: Desk) -> None:
    desk.session.prepare("kill_switch.engage", {"reason": "audited"}).result(PATIENCE_S)
    wait_until(lambda: any("audited" in record.text for record in desk.log.tail()))
    shown = desk.shell("audit", "show", "--last", "3")
    assert (shown.returncode, "audited" in shown.stdout) == (0, True)
    assert desk.shell("audit", "verify").returncode == 0
    content = desk.log.file.read_bytes()
    at = content.index(b"opened")
    line = content[:at].count(b"\n") + 1
    try:
        desk.log.file.write_bytes(content[:at] + b"O" + content[at + 1 :])
        found = desk.shell("audit", "verify")
        assert (found.returncode, f"BROKEN at line {line}" in found.stdout) == (5, True), found.stdout
        told = json.loads(desk.shell("audit", "verify", "--json").stdout)
        assert (told["is_sound"], told["line"]) == (False, line)
    finally:
        desk.log.file.write_bytes(content)


def test_without_a_screen_no_screen_is_loaded() -> None:
    code = (
        "import sys, cockpit.headless.run, cockpit.headless.audit, cockpit.session\n"
        "import cockpit.jobs.runner, cockpit.jobs.worker, actions.kill_switch.engage\n"
        "print([name for name in ('textual', 'rich') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert found.stdout.strip() == "[]"
