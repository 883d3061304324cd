"""Restart the Redis container, and engage the kill switch again if it was engaged and did not survive."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from typing import Any

from actions.redis_container.checks import checks, container, groups, impact
from actions.redis_container.halt import Halt
from actions.redis_container.proofs import PROOFS, judge
from actions.step import Result, Stage, Step
from cockpit.clients.docker_write import restart_container
from cockpit.clients.redis_write import RedisWriter
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError, TimedOut
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import StepState
from cockpit.model.plan import Plan, PlanStep
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "judge", "plan", "steps"]

ID = "redis_container.restart"
EVIDENCE = frozenset({"docker", "redis", "kill_switch", "flow", "feeds"})
STOP_S = 10
"""Docker's own default: so long Redis may save before it is killed."""
DEADLINE_S = 60.0
LOADING_S = 120.0
TRY_S = 0.2


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restarting would do now."""
    redis = settings.redis
    name = (redis.container if redis is not None else None) or "redis"
    key = redis.kill_switch_key if redis is not None else "policy:kill_switch"
    halt = Halt.from_parameters(parameters, Halt.seen(snapshot))
    return Plan(
        action=ID,
        title=f"Restart container {name}",
        sentence="Stops Redis, starts it again on its own files, and engages the kill switch again if it was lost.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=halt.parameters,
        steps=(
            PlanStep(
                f"container {name} restarted",
                f"POST /containers/{name}/restart?t={STOP_S}",
                shlex.join(["docker", "restart", name]),
            ),
            PlanStep("kill switch as before", _command(key, halt)),
        ),
        checks=tuple(checks(settings, name, halt, snapshot, now)),
        impact=tuple(impact(snapshot, now)),
        proofs=PROOFS,
        proof_deadline_s=DEADLINE_S,
        undo="none: what was lost comes back from the ledger (replay)",
        phrase=name,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The restart, then the flag."""
    return (_Restart(), _Halt())


class _Restart(Step):
    deadline_s = STOP_S + 25.0
    settle_s = STOP_S + 3.0

    def before(self, stage: Stage) -> dict[str, Any]:
        """The process that is to end, the groups that must be there again, and whether trading is halted."""
        snapshot, now = stage.snapshot, stage.clock.now()
        found = container(snapshot, stage.plan.target)
        confirmed = Halt.from_parameters(dict(stage.plan.parameters), Halt("unknown"))
        halt = Halt.seen(snapshot) if snapshot.kill_switch.is_live(now) else confirmed
        is_read = snapshot.flow.is_live(now)
        redis = snapshot.redis.value if snapshot.redis.is_live(now) else None
        return {
            "pid": found.pid if found else None,
            "run_id": redis.run_id if redis else None,
            "groups": list(groups(snapshot)) if is_read else None,
            "halt": dict(halt.parameters),
        }

    async def perform(self, stage: Stage) -> Result:
        """One POST, which returns when the new process was started."""
        part = stage.settings.docker
        if part is None:
            raise ConfigError("no Docker is configured")
        await restart_container(part, stage.plan.target, STOP_S, self.deadline_s - 2)
        return Result(StepState.DONE, "Docker has started it again")

    def probe(self, stage: Stage) -> Result:
        """Whether another process runs than before."""
        docker = stage.snapshot.docker
        found = container(stage.snapshot, stage.plan.target)
        if found is None or not docker.is_live(stage.clock.now()):
            return Result(StepState.UNKNOWN, docker.error or "the container is not there")
        if found.pid is not None and found.pid != stage.facts.get("pid"):
            return Result(StepState.DONE, f"a new process runs, {found.pid}")
        return Result(StepState.FAILED, f"the container is {found.state}, no new process was started")


class _Halt(Step):
    deadline_s = LOADING_S + 5.0

    async def perform(self, stage: Stage) -> Result:
        """Read it as soon as Redis has loaded; write it only where it was engaged and is not."""
        part = stage.settings.redis
        if part is None:
            raise ConfigError("no Redis is configured")
        halt = Halt.from_facts(stage.facts)
        writer = RedisWriter(part)
        try:
            switch = await _first_answer(writer, stage)
            if switch.get("enabled", "").strip().lower() in ("true", "1", "yes", "on"):
                return Result(StepState.DONE, "engaged: it survived", {"reasserted": False})
            if halt.halted != "true":
                words = "it was not" if halt.halted == "false" else "whether it was is unknown"
                return Result(StepState.DONE, f"not engaged, {words}", {"reasserted": False})
            await writer.set_kill_switch(True, halt.by, halt.reason, halt.since_ms or int(stage.clock.now() * 1000))
            return Result(StepState.DONE, "LOST by the restart, engaged again", {"reasserted": True})
        finally:
            await writer.close()

    def probe(self, stage: Stage) -> Result:
        """Whether it is as it was."""
        sample = stage.snapshot.kill_switch
        if sample.value is None or not sample.is_live(stage.clock.now()):
            return Result(StepState.UNKNOWN, sample.error or "the kill switch was not read")
        if sample.value.is_engaged or Halt.from_facts(stage.facts).halted != "true":
            return Result(StepState.DONE, "as it was before")
        return Result(StepState.FAILED, "NOT ENGAGED, and it was before: engage it now")


async def _first_answer(writer: RedisWriter, stage: Stage) -> Mapping[str, str]:
    """The hash, as soon as Redis has loaded.

    Raises:
        TimedOut: it did not within LOADING_S.
    """
    ends_at = stage.clock.monotonic() + LOADING_S
    while True:
        try:
            return await writer.read_kill_switch()
        except BackendError as error:
            if stage.clock.monotonic() >= ends_at:
                raise TimedOut(f"Redis does not answer after the restart: {error}") from None
            stage.tell(f"waiting for Redis: {error}")
        await asyncio.sleep(TRY_S)


def _command(key: str, halt: Halt) -> str:
    read = f"HGETALL {shlex.quote(key)}"
    if halt.halted != "true":
        return f"{read} (and engaged again if it is engaged by then)"
    by, reason = shlex.quote(halt.by), shlex.quote(halt.reason)
    write = f"HSET {shlex.quote(key)} enabled true reason {reason} by {by} ts {halt.since_ms}"
    return f"{read}; {write} where it was lost"
