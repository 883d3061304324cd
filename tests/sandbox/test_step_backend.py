"""Ending the Postgres backend that holds others up, on the real server of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest

from actions.backend import terminate
from cockpit.clock import SystemClock
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Plan
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

TERMINATE = "backend.terminate"


@pytest.fixture(scope="module")
def open_desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


@pytest.fixture
def desk(open_desk: StepDesk) -> Iterator[StepDesk]:
    yield open_desk
    open_desk.control.clear()
    wait_until(lambda: not blocked(open_desk))


def blocked(desk: StepDesk) -> bool:
    server = desk.snapshot.postgres.value
    return server is None or bool(server.blocked)


def superuser(layout: Layout) -> psycopg.Connection:
    return psycopg.connect(
        host=str(layout.postgres_dir), port=layout.ports.postgres, user="postgres", dbname="hedgefund"
    )


def plan_on(desk: StepDesk, pid: int) -> Plan:
    """Once the snapshot shows that backend as the one that holds others up."""
    wait_until(lambda: dict(desk.plan(TERMINATE).parameters)["pid"] == str(pid))
    return desk.plan(TERMINATE)


def test_the_blocker_is_ended_and_nobody_waits_any_more(desk: StepDesk) -> None:
    assert "nobody waits" in desk.plan(TERMINATE).blocking[0].detail
    desk.control.inject("postgres-blocker")
    plan = desk.allowed(TERMINATE)
    assert plan.phrase == plan.target and plan.target.startswith("backend ")
    assert any("LOCK TABLE" in line for line in plan.impact), plan.impact
    assert any(line.startswith("waits ") and "pgwriter" not in line for line in plan.impact), plan.impact
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    wait_until(lambda: not desk.control.status()["faults"])


async def test_a_session_that_nobody_waits_for_any_more_is_not_called_gone(desk: StepDesk) -> None:
    """A worker that died before it ended it: those who waited gave up, and it lives."""
    (step,) = terminate.steps(desk.plan(TERMINATE))
    with superuser(desk.layout) as session:
        pid, microseconds = session.info.backend_pid, "(extract(epoch FROM backend_start) * 1000000)::bigint"
        row = session.execute(f"SELECT {microseconds} FROM pg_stat_activity WHERE pid = {pid}").fetchone()
        assert row is not None
        plan = replace(desk.plan(TERMINATE), parameters=(("pid", str(pid)), ("began_us", str(row[0]))))
        stage = SimpleNamespace(
            settings=desk.settings, plan=plan, snapshot=desk.snapshot, clock=SystemClock(), facts={}
        )
        assert (await step.look(stage)).state is StepState.FAILED  # type: ignore[arg-type]
        gone, free = terminate.judge(stage)  # type: ignore[arg-type]
        assert (gone.state, free.state) == (StepState.RUNNING, StepState.DONE)
    async with asyncio.timeout(15.0):
        while (await step.look(stage)).facts != {"gone": True}:  # type: ignore[arg-type]
            await asyncio.sleep(0.05)


def test_a_later_session_with_the_same_pid_is_not_hit(desk: StepDesk) -> None:
    desk.control.inject("postgres-blocker")
    plan = desk.allowed(TERMINATE)
    pid, began = (int(dict(plan.parameters)[name]) for name in ("pid", "began_us"))
    other = desk.plan(TERMINATE, pid=str(pid), began_us=str(began - 1))
    assert [check.name for check in other.blocking] == ["somebody blocks"]
    assert desk.plan(TERMINATE, pid=str(pid)).digest == plan.digest


def test_a_superuser_and_who_waits_himself_are_not_ended(desk: StepDesk) -> None:
    with superuser(desk.layout) as holder:
        holder.execute("LOCK TABLE fills IN EXCLUSIVE MODE")
        plan = plan_on(desk, holder.info.backend_pid)
        assert [check.name for check in plan.blocking] == ["it may be ended"]
        assert "superuser" in plan.blocking[0].detail
        holder.rollback()
