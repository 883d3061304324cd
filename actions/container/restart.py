"""Restart a configured container that is not Redis': what `docker restart` does, proven by a new process that stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actions import by_hand
from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.step import Result, Stage, Step
from cockpit.clients.docker_write import restart_container
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Container
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "container.restart"
EVIDENCE = frozenset({"docker", "postgres"})
STOP_S = 10
"""Docker's own default: so long it may take to end before it is killed."""
STAYS_S = 3.0
DEADLINE_S = 45.0
NEW = "a new process runs"
STAYS = f"it has been up for {STAYS_S:g} s"
ANSWERS = "Postgres answers a query"
ENDED = frozenset({"exited", "dead", "created"})
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restarting would do now."""
    name = parameters.get("container") or NONE_CHOSEN
    engine = settings.docker.url if settings.docker is not None else "no engine"
    return Plan(
        action=ID,
        title=f"Restart container {name}",
        sentence=f"{_does(name, snapshot)} Engine {engine}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(("container", name), ("engine", engine)),
        steps=(
            PlanStep(
                f"container {name} restarted",
                f"POST /containers/{name}/restart?t={STOP_S}",
                by_hand.docker(settings.docker, "restart", name),
            ),
        ),
        checks=tuple(_checks(settings, name, snapshot, now)),
        impact=tuple(_impact(name, snapshot)),
        proofs=(NEW, STAYS, ANSWERS) if name == _postgres(settings) else (NEW, STAYS),
        proof_deadline_s=DEADLINE_S,
        undo="none: what it held in memory is gone",
        phrase=name,
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The configured containers, Redis' apart: that has a step of its own."""
    found = {name: container(snapshot, name) for name in _names(settings)}
    return tuple(Choice("container", name, one.status if one else "not seen") for name, one in found.items())


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one request."""
    return (_Restart(),)


class _Restart(Step):
    deadline_s = STOP_S + 25.0
    settle_s = STOP_S + 3.0

    def before(self, stage: Stage) -> dict[str, Any]:
        """The process that is to end."""
        found = container(stage.snapshot, stage.plan.target)
        return {"pid": found.pid if found else None}

    async def perform(self, stage: Stage) -> Result:
        """One POST, which returns when the new process was started."""
        if stage.settings.docker is None:
            raise ConfigError("no Docker is configured")
        await restart_container(stage.settings.docker, stage.plan.target, STOP_S, self.deadline_s - 2)
        return Result(DONE, "Docker has started it again")

    def probe(self, stage: Stage) -> Result:
        """Whether another process runs than before."""
        state, words = _new(stage)
        return Result(FAILED if state is RUNNING else state, words)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Another process, and it stays; of Postgres, that it serves as well."""
    state, words = _new(stage)
    found = container(stage.snapshot, stage.plan.target)
    if state is not DONE or found is None:
        later = state if state is UNKNOWN else RUNNING
        return tuple(JobStep(name, state if name == NEW else later, words) for name in stage.plan.proofs)
    up_s = found.started_age_s
    is_up = found.state == "running" and up_s is not None and up_s >= STAYS_S
    proofs = (JobStep(NEW, DONE, words), JobStep(STAYS, DONE if is_up else RUNNING, found.status))
    return (*proofs, _answers(stage, up_s)) if ANSWERS in stage.plan.proofs else proofs


def _answers(stage: Stage, up_s: float | None) -> JobStep:
    """An answer of the process before proves nothing."""
    now, sample = stage.clock.now(), stage.snapshot.postgres
    is_its_own = sample.value_at is not None and up_s is not None and sample.value_at >= now - up_s
    if sample.value is None or not sample.is_live(now) or not is_its_own:
        return JobStep(ANSWERS, RUNNING, sample.error or "it has not answered yet")
    return JobStep(ANSWERS, DONE, f"version {sample.value.version}, {sample.value.connections} connections")


def _new(stage: Stage) -> tuple[StepState, str]:
    docker, found = stage.snapshot.docker, container(stage.snapshot, stage.plan.target)
    if found is None or not docker.is_live(stage.clock.now()):
        return UNKNOWN, docker.error or "the container is not there"
    if found.pid is not None and found.pid != stage.facts.get("pid"):
        return DONE, f"process {found.pid}"
    return RUNNING, f"the container is {found.state}, no new process was started"


def container(snapshot: Snapshot, name: str) -> Container | None:
    """The container as it was read last."""
    found = snapshot.docker.value.containers if snapshot.docker.value else ()
    return next((one for one in found if one.name == name), None)


def _redis(settings: Settings) -> str | None:
    return settings.redis.container if settings.redis is not None else None


def _postgres(settings: Settings) -> str | None:
    return settings.postgres.container if settings.postgres is not None else None


def _names(settings: Settings) -> tuple[str, ...]:
    part = settings.docker
    return () if part is None else tuple(name for name in part.containers if name != _redis(settings))


def _checks(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    names = ", ".join(_names(settings)) or "none is configured"
    if settings.docker is None:
        yield Check("Docker", FAIL, "no Docker is configured")
    elif name == NONE_CHOSEN:
        yield Check("container", FAIL, f"choose one of {names}")
    elif name == _redis(settings):
        yield Check("container", FAIL, "Redis has a step of its own, which looks after the kill switch: restart-redis")
    elif name not in settings.docker.containers:
        yield Check("container", FAIL, f"{name} is not among the configured containers: {names}")
    else:
        yield evidence_error("Docker answers", snapshot.docker, now) or _state(snapshot, name, now)


def _state(snapshot: Snapshot, name: str, now: float) -> Check:
    age_s, found = snapshot.docker.age_s(now), container(snapshot, name)
    if found is None or found.state == "absent":
        return Check(name, FAIL, "there is no such container", age_s)
    return Check(name, PASS if found.state == "running" else WARN, f"{found.state}: {found.status}", age_s)


def _does(name: str, snapshot: Snapshot) -> str:
    found = container(snapshot, name)
    if found is not None and found.state in ENDED:
        return f"Starts {name}, which does not run, on its own files."
    return f"Ends the process of {name} and starts it again."


def _impact(name: str, snapshot: Snapshot) -> Iterator[str]:
    found = container(snapshot, name)
    if found is not None and found.state in ENDED:
        yield f"it does not run ({found.status or found.state}): nothing is ended, and no client is cut off"
        yield "what it had not written when it ended is lost already; what it wrote is on its files"
        return
    pid = "unknown" if found is None or found.pid is None else str(found.pid)
    yield f"process {pid} gets SIGTERM, and SIGKILL after {STOP_S} s"
    yield "its clients lose their connections; what was not written is lost"
