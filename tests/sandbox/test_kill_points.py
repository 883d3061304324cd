"""A worker that is killed at every line of its journal: what is said afterwards is true, and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec import structs

from actions.script.command import environment
from benchmarks.operator import Operator
from benchmarks.ptyprogram import PtyProgram
from cockpit.clients.ledger import read_ledger
from cockpit.clock import SystemClock
from cockpit.config import Settings, load
from cockpit.jobs import launch
from cockpit.jobs.action import action_for, is_worked
from cockpit.jobs.evidence import Evidence
from cockpit.jobs.operator import current_operator
from cockpit.jobs.runner import Runner
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.snapshot import Snapshot
from cockpit.sandbox.layout import Layout
from cockpit.session import state_folder
from cockpit.storage.jobs import JobStore
from cockpit.storage.output import last_output
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import ENDS, told

KEY = "policy:kill_switch"
ROOT = Path(__file__).parents[2]
STREAM = "orders.fills"
OLD, LOST = 150, 50
"""So many of the oldest of so many fills are lost."""
FILLS = "SELECT payload FROM events WHERE kind = 'fill' ORDER BY id DESC LIMIT 1000"


@dataclass(frozen=True)
class Bench:
    """A platform under a halt, and cockpits that look at nothing but their jobs."""

    settings: Settings
    redis: Any

    @property
    def store(self) -> JobStore:
        return JobStore(state_folder(self.settings) / "jobs")

    def cockpit(self) -> Runner:
        return Runner(self.settings, SystemClock(), current_operator(), state_folder(self.settings))

    def snapshot(self, action: str) -> Snapshot:
        found = action_for(action)
        assert is_worked(found)

        async def read() -> Snapshot:
            evidence = Evidence(self.settings, SystemClock(), found.EVIDENCE)
            try:
                return await evidence.read()
            finally:
                await evidence.close()

        return asyncio.run(read())

    def plan(self, runner: Runner, action: str) -> tuple[Plan, Snapshot]:
        snapshot = self.snapshot(action)
        ends_at = time.monotonic() + 60.0
        while not (plan := runner.prepare(action, {}, snapshot)).is_allowed:
            assert time.monotonic() < ends_at, plan.blocking
            snapshot = self.snapshot(action)
        return plan, snapshot

    def halt(self) -> None:
        self.redis.hset(KEY, mapping={"enabled": "true", "reason": "test", "by": "t", "ts": "1"})

    def positions(self) -> dict[str, int]:
        found = {name: json.loads(text)["qty"] for name, text in self.redis.hgetall("positions").items()}
        return {name: qty for name, qty in found.items() if qty}

    def ledger(self) -> dict[str, float]:
        return read_ledger(self.settings.below_root(self.settings.scripts.ledger)).positions

    def replay(self) -> None:
        """By hand: what another test has taken away."""
        command, surroundings = self.settings.scripts.replay, environment(self.settings)
        subprocess.run(command, cwd=self.settings.root, env=surroundings, timeout=120, check=True, capture_output=True)

    def ask(self, question: str) -> list[Any]:
        file = self.settings.below_root(self.settings.scripts.ledger)
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as ledger:
            return ledger.execute(question).fetchall()

    def lacking(self) -> set[str]:
        """Entries of the stream that the ledger has and Redis lacks."""
        entries = {json.loads(payload)["entry"] for (payload,) in self.ask(FILLS)}
        return entries - {entry for entry, _ in self.redis.xrevrange(STREAM, count=2000)}


@dataclass(frozen=True)
class Walk:
    """One action, what makes it worth doing, whether the platform shows that it was done, and where to die."""

    action: str
    arrange: Callable[[Bench], None]
    is_done: Callable[[Bench], bool]
    points: tuple[tuple[str, bool], ...]
    """The line before which the worker dies, and whether the act's outcome is left to chance there."""


def lose_fills(bench: Bench) -> None:
    """Some that everybody has read: one that nobody has would leave its order in flight for ever."""
    if bench.redis.xlen(STREAM) < OLD:
        bench.redis.delete(KEY)
        wait_until(lambda: bench.redis.xlen(STREAM) >= OLD)
    bench.halt()
    bench.redis.xdel(STREAM, *(entry for entry, _ in bench.redis.xrevrange(STREAM, count=OLD)[OLD - LOST :]))
    bench.redis.delete("positions")


def is_restored(bench: Bench) -> bool:
    return not bench.lacking() and bench.positions() == bench.ledger()


def is_at_rest(bench: Bench) -> bool:
    """What was validated before the halt is filled and booked: no position changes between a request and its act."""
    flow = bench.snapshot("script.replay").flow.value
    last = bench.redis.xinfo_stream(STREAM)["last-generated-id"]
    read = [(group["last-delivered-id"], group["pending"]) for group in bench.redis.xinfo_groups(STREAM)]
    return flow is not None and flow.in_flight == 0 and all(found == (last, 0) for found in read)


def hold_something(bench: Bench) -> None:
    """Let the strategies trade until they hold something, on a book that nothing is missing of."""
    if bench.lacking():
        bench.halt()
        bench.replay()
    if not bench.positions():
        bench.redis.delete(KEY)
        wait_until(bench.positions)
    bench.halt()
    wait_until(lambda: is_at_rest(bench))


def is_flat(bench: Bench) -> bool:
    return not bench.positions()


WALKS = (
    Walk(
        "script.replay",
        lose_fills,
        is_restored,
        (
            ("working", False),
            ("step_started:0", False),
            ("output", True),
            ("step_done:0", True),
            ("step_started:1", True),
            ("step_done:1", True),
            ("verifying", True),
            ("done", True),
        ),
    ),
    Walk(
        "script.flatten",
        hold_something,
        is_flat,
        (
            ("working", False),
            ("step_started:0", False),
            ("output", True),
            ("step_done:0", True),
            ("verifying", True),
            ("done", True),
        ),
    ),
)
"""Whoever adds an action adds a row."""


@pytest.fixture(scope="module")
def bench(sandbox: tuple[Layout, Control]) -> Iterator[Bench]:
    layout, control = sandbox
    settings = load(layout.config)
    # Not within the brokers' rates: here it is the deaths that count.
    quick = structs.replace(settings.scripts, orders_per_s=1000, slice_usd=1e9)
    settings = structs.replace(settings, scripts=quick)
    client = redis.Redis(port=layout.ports.redis, decode_responses=True, socket_timeout=PATIENCE_S)
    found = Bench(settings, client)
    # What a replay asks for first.
    runner = found.cockpit()
    plan, snapshot = found.plan(runner, "snapshot.take")
    kept = looked_after(found, runner.submit(plan, Confirmation(plan.digest, plan.phrase, "test"), snapshot))
    assert kept.phase is Phase.DONE, told(kept)
    yield found
    client.delete(KEY)
    client.close()
    control.clear()


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have the workers die there; nowhere for an empty place."""

    def at(place: str) -> None:
        monkeypatch.setattr(launch, "WORKER", "tests.sandbox.mortal_worker" if place else "cockpit.jobs.worker")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("DIE_AT", place)

    return at


@pytest.mark.parametrize(
    ("walk", "place", "may_be_done"),
    [pytest.param(walk, *point, id=f"{walk.action}-{point[0]}") for walk in WALKS for point in walk.points],
)
def test_what_is_said_is_true(
    bench: Bench, mortal: Callable[[str], None], walk: Walk, place: str, may_be_done: bool
) -> None:
    walk.arrange(bench)
    first = bench.cockpit()
    plan, snapshot = bench.plan(first, walk.action)
    mortal(place)
    job = first.submit(plan, Confirmation(plan.digest, plan.phrase, "test"), snapshot)
    try:
        left = wait_until(lambda: (found := bench.store.job(job.id)) and found.phase.is_over and found)
    except AssertionError:
        print(last_output(bench.store.folder(job.id)).decode())
        raise
    assert left and left.phase is Phase.IN_DOUBT, told(left)
    assert bench.store.entries(job.id)[-1].kind not in ENDS, "it was to die before its end"
    mortal("")
    ended = looked_after(bench, job)
    kinds = [(entry.kind, entry.facts.get("step")) for entry in bench.store.entries(job.id)]
    assert max(kinds.count(("step_started", index)) for index in range(len(plan.steps))) <= 1, kinds
    if ended.phase is Phase.IN_DOUBT:
        assert may_be_done and ended.steps[0].state is StepState.UNKNOWN, told(ended)
        return
    is_done = ended.phase is Phase.DONE
    assert is_done == (ended.steps[0].state is StepState.DONE), told(ended)
    assert wait_until(lambda: walk.is_done(bench) == is_done), told(ended)
    assert may_be_done or "nothing was done" in (ended.error or ""), told(ended)


def looked_after(bench: Bench, job: Job) -> Job:
    """By a cockpit that was not there before."""
    fresh = bench.cockpit()

    def over() -> Job | None:
        fresh.jobs()
        entries = bench.store.entries(job.id)
        return bench.store.job(job.id) if entries[-1].kind in ENDS else None

    found = wait_until(over, 120.0)
    assert found is not None
    return found


@pytest.mark.parametrize("place", ["working", "step_done:0", "verifying"])
def test_a_cockpit_that_is_killed_changes_nothing(bench: Bench, sandbox: tuple[Layout, Control], place: str) -> None:
    lose_fills(bench)
    before = {job.id for job in bench.store.jobs()}
    command = [sys.executable, "-P", "-m", "tests.sandbox.lone_submitter", str(sandbox[0].config), "script.replay"]
    around = {**os.environ, "PYTHONPATH": str(ROOT), "DIE_AT": place}
    assert subprocess.run(command, env=around, timeout=120, check=False).returncode == -signal.SIGKILL
    (job,) = [job for job in bench.store.jobs() if job.id not in before]
    ended = looked_after(bench, job)
    assert ended.phase is Phase.DONE and is_restored(bench), told(ended)
    assert "left_behind" not in [entry.kind for entry in bench.store.entries(job.id)]


@pytest.mark.parametrize(
    ("walk", "keys", "is_killed"),
    [
        pytest.param(WALKS[0], "rp", False, id="replay-hung-up"),
        pytest.param(WALKS[0], "rp", True, id="replay-killed"),
        pytest.param(WALKS[1], "xf", False, id="flatten-hung-up"),
    ],
)
def test_a_terminal_that_is_lost_loses_nothing(
    bench: Bench, sandbox: tuple[Layout, Control], walk: Walk, keys: str, is_killed: bool
) -> None:
    """On a real one, with keys alone; whoever comes back is told what became of it."""
    walk.arrange(bench)
    before = {job.id for job in bench.store.jobs()}
    command = [sys.executable, "-m", "cockpit", "--config", str(sandbox[0].config)]
    operator = Operator(PtyProgram(command))

    def begun() -> list[Job]:
        found = [job for job in bench.store.jobs() if job.id not in before and job.action == walk.action]
        return [job for job in found if any(line.kind == "step_started" for line in bench.store.entries(job.id))]

    try:
        operator.sees(lambda text: "HALTED" in text and "Brokers" in text)
        operator.chord(" " + keys)
        operator.confirm()
        operator.busy(lambda: wait_until(begun))
        if is_killed:
            os.kill(operator.program.pid, signal.SIGKILL)
        else:
            operator.program.hang_up()
        assert operator.program.wait() == 128 + (signal.SIGKILL if is_killed else signal.SIGHUP)
    finally:
        operator.program.close()
    (job,) = begun()
    ended = looked_after(bench, job)
    assert ended.phase is Phase.DONE and wait_until(lambda: walk.is_done(bench)), told(ended)
    assert len(begun()) == 1, "it is not done twice"
    back = Operator(PtyProgram(command))
    try:
        back.sees(lambda text: "HALTED" in text and "Brokers" in text)
        back.press("6")
        back.sees(lambda text: job.id in text and "proven" in text)
    finally:
        back.program.close()
