"""Restart the Redis container, and engage the kill switch again if it was engaged and did not survive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions import by_hand
from actions.redis_container.checks import checks, container, groups, impact
from actions.redis_container.halt import Halt
from actions.redis_container.proofs import PROOFS, judge
from actions.redis_container.put_back import PutBack, command_words
from actions.step import Result, Stage, Step
from cockpit.clients.docker_write import restart_container
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import StepState
from cockpit.model.plan import Plan, PlanStep
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "judge", "plan", "steps"]

ID = "redis_container.restart"
EVIDENCE = frozenset({"docker", "redis", "kill_switch", "flow", "feeds"})
DEADLINE_S = 60.0
MARGIN_S = 25.0
SETTLE_S = 3.0


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restarting would do now."""
    redis = settings.redis
    name = (redis.container if redis is not None else None) or "redis"
    key = redis.kill_switch_key if redis is not None else "policy:kill_switch"
    stop_s = _stop_s(settings)
    halt = Halt.from_parameters(parameters, Halt.seen(snapshot, now))
    return Plan(
        action=ID,
        title=f"Restart container {name}",
        sentence=f"Stops Redis, starts it again on its own files, and {_sentence(halt)}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=halt.parameters,
        steps=(
            PlanStep(
                f"container {name} restarted",
                f"POST /containers/{name}/restart?t={stop_s}",
                by_hand.docker(settings.docker, "restart", name),
            ),
            PlanStep("kill switch as before", command_words(key, halt)),
        ),
        checks=tuple(checks(settings, name, halt, snapshot, now)),
        impact=tuple(impact(snapshot, now)),
        proofs=PROOFS,
        proof_deadline_s=DEADLINE_S,
        undo="none: what was lost comes back from the ledger (replay)",
        phrase=name,
        locks=("book",),
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The restart, then the flag."""
    return (_Restart(), PutBack())


class _Restart(Step):
    def fit(self, settings: Settings) -> None:
        """It may save for as long as the configuration says."""
        stop_s = _stop_s(settings)
        self.deadline_s, self.settle_s = stop_s + MARGIN_S, stop_s + SETTLE_S

    def before(self, stage: Stage) -> dict[str, Any]:
        """The process that is to end, the groups that must be there again, and whether trading is halted."""
        snapshot, now = stage.snapshot, stage.clock.now()
        found = container(snapshot, stage.plan.target)
        confirmed = Halt.from_parameters(dict(stage.plan.parameters), Halt("unknown"))
        halt = confirmed.right_before(Halt.seen(snapshot, now))
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
        await restart_container(part, stage.plan.target, _stop_s(stage.settings), self.deadline_s - 2)
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


def _stop_s(settings: Settings) -> int:
    return settings.redis.stop_s if settings.redis is not None else 10


def _sentence(halt: Halt) -> str:
    if halt.halted == "unknown":
        return "engages the kill switch, for whether it was engaged is unknown"
    return "engages the kill switch again if it was lost"
