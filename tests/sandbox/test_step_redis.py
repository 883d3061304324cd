"""Restarting Redis and verifying the order flow as steps, on the real servers of the sandbox."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import redis

from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

KEY = "policy:kill_switch"
RESTART, VERIFY, SNAPSHOT = "redis_container.restart", "order_flow.verify", "snapshot.take"


@pytest.fixture(scope="module")
def open_desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


@pytest.fixture
def desk(open_desk: StepDesk) -> Iterator[StepDesk]:
    yield open_desk
    open_desk.control.clear()
    wait_until(lambda: answers(open_desk))
    open_desk.redis.delete(KEY)
    wait_until(lambda: open_desk.snapshot.redis.error is None and not switch_is_engaged(open_desk))


def answers(desk: StepDesk) -> bool:
    try:
        return bool(desk.redis.ping())
    except redis.RedisError:
        return False


def switch_is_engaged(desk: StepDesk) -> bool:
    value = desk.snapshot.kill_switch.value
    return value is not None and value.is_engaged


def answered(run: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str] | None:
    return run if run.returncode == code else None


def kept(desk: StepDesk) -> None:
    job = desk.ended(desk.take(SNAPSHOT))
    assert job.phase is Phase.DONE, told(job)


def test_redis_is_restarted_and_everything_is_there_again(desk: StepDesk) -> None:
    # Whatever other tests have kept on this sandbox.
    shutil.rmtree(desk.settings.below_root(desk.settings.snapshots.folder), ignore_errors=True)
    assert [check.name for check in desk.plan(RESTART).blocking] == ["state kept"]
    kept(desk)
    run_id = desk.redis.info()["run_id"]
    plan = desk.allowed(RESTART)
    assert any(check.detail.endswith("is the Redis that answers") for check in plan.checks), plan.checks
    line = f"docker -H unix://{desk.layout.docker_socket} restart redis"
    assert (plan.phrase, plan.steps[0].by_hand) == ("redis", line)
    assert any("append-only file" in line or "save" in line for line in plan.impact), plan.impact
    assert any("groups" in line for line in plan.impact), plan.impact
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert desk.redis.info()["run_id"] != run_id
    assert desk.redis.hget(KEY, "enabled") != "true"


def test_a_kill_switch_that_the_crash_lost_is_engaged_again(desk: StepDesk) -> None:
    desk.redis.hset(
        KEY, mapping={"enabled": "true", "reason": "it's a drill", "by": "asha@jump1", "ts": "1700000000000"}
    )
    wait_until(lambda: switch_is_engaged(desk))
    desk.control.inject("redis-lost")
    wait_until(lambda: desk.snapshot.redis.error is not None)
    kept(desk)
    plan = desk.allowed(RESTART)
    assert dict(plan.parameters)["halted"] == "true"
    job = desk.ended(desk.submit(plan))
    assert "LOST by the restart, engaged again" in job.steps[1].detail, told(job)
    assert desk.redis.hgetall(KEY) == {
        "enabled": "true", "reason": "it's a drill", "by": "asha@jump1", "ts": "1700000000000"
    }  # fmt: skip
    assert job.phase is Phase.DONE, told(job)


def test_a_halt_of_which_nothing_is_known_is_engaged(desk: StepDesk) -> None:
    """Released when it was last read: that was before the crash, and somebody may have engaged it since."""
    desk.control.inject("redis-lost")
    wait_until(lambda: desk.snapshot.redis.error is not None)
    kept(desk)
    plan = desk.allowed(RESTART)
    assert dict(plan.parameters) == {"halted": "unknown"} and "engages the kill switch" in plan.sentence
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert "ENGAGED to be safe" in job.steps[1].detail, told(job)
    assert desk.redis.hget(KEY, "enabled") == "true" and "unknown" in desk.redis.hget(KEY, "reason")


def test_what_docker_does_not_answer_is_not_confirmed(desk: StepDesk) -> None:
    desk.control.inject("docker-down")
    wait_until(lambda: desk.snapshot.docker.error is not None)
    plan = desk.plan(RESTART)
    assert [check.name for check in plan.blocking] == ["Docker answers"]


def test_the_order_flow_is_verified_without_a_confirmation(desk: StepDesk) -> None:
    job = desk.ended(desk.take(VERIFY))
    assert job.phase is Phase.DONE, told(job)
    assert all(step.detail.endswith("entries") for step in job.steps[:-1]), told(job)


def test_a_flow_that_only_the_halt_holds_is_said_to_be_held(desk: StepDesk) -> None:
    desk.redis.hset(KEY, mapping={"enabled": "true", "reason": "test", "by": "t", "ts": "1"})
    wait_until(lambda: switch_is_engaged(desk) and not desk.snapshot.flow.value.stream("validated").rate_per_s)  # type: ignore[union-attr]
    job = desk.ended(desk.take(VERIFY))
    assert job.phase is Phase.DONE, told(job)
    assert all("held by the halt, as it should be" in proof.detail for proof in job.proofs[:2]), told(job)


def test_from_the_shell_with_its_jobs(desk: StepDesk) -> None:
    kept(desk)
    # A process that has just been started asks everything at once: on a busy machine an answer may come too late.
    dry = wait_until(lambda: answered(desk.shell("run", "restart-redis", "--dry-run"), 0), 120.0)
    assert "restart redis" in dry.stdout
    wait_until(lambda: "typed exactly: redis" in desk.shell("run", "restart-redis", "--confirm", "y").stderr, 120.0)
    done = desk.shell("run", "verify-flow", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    job = json.loads(done.stdout)["job"]
    assert job["phase"] == "done"
    listed = desk.shell("jobs")
    assert listed.returncode == 0 and listed.stdout.splitlines()[0].startswith(job["id"])
    for arguments in (("jobs", job["id"][-4:]), ("jobs", "--follow")):
        shown = desk.shell(*arguments)
        assert shown.returncode == 0 and "PROVEN" in shown.stdout and "orders.validated counted" in shown.stdout
    assert desk.shell("jobs", "nothing").returncode == 4
