"""End a silence before its time: whoever is to be called is called again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.alerts.standing import silences, unanswered
from actions.checks import FAIL, PASS, world_check
from actions.step import Result, Stage, Step
from cockpit.clients.grafana_silences import end_silence
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Silence
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "alerts.expire"
EVIDENCE = frozenset({"alerts"})
DEADLINE_S = 15.0
ENDED = "the silence is no longer in force"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What ending it would do now."""
    name = parameters.get("silence") or NONE_CHOSEN
    found = _silence(snapshot, name)
    words = found.words if found is not None else "a silence that is not known"
    url = settings.grafana.url if settings.grafana is not None else "no alerting"
    return Plan(
        action=ID,
        title="End a silence",
        sentence=f"Ends the silence of {words}: from then on people are called for it again. At {url}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.PROTECT,
        parameters=(("silence", name), ("url", url)),
        steps=(PlanStep("silence ended", f"DELETE {url} silence/{name}"),),
        checks=tuple(_checks(settings, name, snapshot, now)),
        impact=(f"made by {found.by}: {found.comment}" if found is not None else "unknown",),
        proofs=(ENDED,),
        proof_deadline_s=DEADLINE_S,
        undo="Space k a silences the alert again",
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The silences that are in force."""
    return tuple(
        Choice("silence", one.id, f"{one.words}, {one.left_s / 60:.0f} min left, by {one.by}")
        for one in silences(snapshot)
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one request."""
    return (_Expire(),)


class _Expire(Step):
    deadline_s = 15.0

    async def perform(self, stage: Stage) -> Result:
        """One DELETE."""
        if stage.settings.grafana is None:
            raise ConfigError("no alerting is configured")
        await end_silence(stage.settings.grafana, dict(stage.plan.parameters)["silence"])
        return Result(StepState.DONE, "it was taken")

    def probe(self, stage: Stage) -> Result:
        """Whether it is still there."""
        (step,) = judge(stage)
        return Result(StepState.FAILED if step.state is StepState.RUNNING else step.state, step.detail)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """It is no longer among those in force."""
    sample = stage.snapshot.alerts
    if sample.value is None or not sample.is_live(stage.clock.now()) or sample.value.silences_error:
        return (JobStep(ENDED, StepState.UNKNOWN, sample.error or "the silences were not read"),)
    found = _silence(stage.snapshot, dict(stage.plan.parameters)["silence"])
    if found is None:
        return (JobStep(ENDED, StepState.DONE, "not in force"),)
    return (JobStep(ENDED, StepState.RUNNING, f"still in force for {found.left_s / 60:.0f} min"),)


def _silence(snapshot: Snapshot, silence_id: str) -> Silence | None:
    return next((one for one in silences(snapshot) if one.id == silence_id), None)


def _checks(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    answers = unanswered(settings, snapshot, now)
    if answers is not None:
        yield answers
        return
    age_s, found = snapshot.alerts.age_s(now), _silence(snapshot, name)
    if found is not None:
        yield Check("silence", PASS, f"{found.words}, {found.left_s / 60:.0f} min left", age_s)
    else:
        there = "none is in force" if not silences(snapshot) else "choose one of those in force"
        yield Check("silence", FAIL, there, age_s)
