"""Silence an alert for a while: it goes on being judged, and nobody is called for it; the silence ends by itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from actions.alerts.standing import alert, present, unanswered
from actions.checks import FAIL, PASS, WARN, world_check
from actions.step import Result, Stage, Step
from cockpit.clients.grafana_silences import put_silence
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

ID = "alerts.silence"
EVIDENCE = frozenset({"alerts"})
DEADLINE_S = 20.0
DEFAULT_MINUTES = 30
MOST_MINUTES = 24 * 60
OFFERED = (15, 30, 60, 120, 240, 480, 1440)
STANDS = "the silence stands"
KEPT_BACK = "the alert is kept back by it"
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What silencing would do now."""
    name = parameters.get("alert") or NONE_CHOSEN
    minutes = parameters.get("minutes") or str(DEFAULT_MINUTES)
    url = settings.grafana.url if settings.grafana is not None else "no alerting"
    by = clean(operator.label, 80)
    return Plan(
        action=ID,
        title=f"Silence {name} for {minutes} min",
        sentence=f"Nobody is called for {name} for {minutes} minutes; it goes on being judged. At {url}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(("alert", name), ("minutes", minutes), ("by", by), ("url", url)),
        steps=(
            PlanStep(
                f"{name} silenced",
                f"POST {url} silences: alertname = {name!r}, ends in {minutes} min, createdBy {by}, comment <reason>",
            ),
        ),
        checks=tuple(_checks(settings, name, minutes, snapshot, now)),
        impact=(
            f"every alert with alertname {name}, in whatever folder, is kept back",
            "the cockpit goes on showing it, as silenced",
        ),
        proofs=(STANDS, KEPT_BACK),
        proof_deadline_s=DEADLINE_S,
        undo="Space k e ends the silence; else it ends by itself",
        phrase=name,
        needs_reason=True,
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The alerts, those that fire first; then how long."""
    if parameter == "minutes":
        return tuple(Choice("minutes", str(one), _duration(one)) for one in OFFERED)
    rules = snapshot.alerts.value.rules if snapshot.alerts.value else ()
    ranked = sorted(rules, key=lambda rule: (rule.state != "firing", rule.state == "normal"))
    found = {rule.name: Choice("alert", rule.name, rule.state) for rule in reversed(ranked)}
    return tuple(reversed(found.values()))


def _duration(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one request."""
    return (_Silence(),)


class _Silence(Step):
    deadline_s = 15.0

    def before(self, stage: Stage) -> dict[str, Any]:
        """The mark by which our silence is found again, and its ends."""
        minutes = int(dict(stage.plan.parameters)["minutes"])
        return {"mark": f"cockpit-{secrets.token_hex(4)}", "ends_at": round(stage.clock.now() + 60 * minutes)}

    async def perform(self, stage: Stage) -> Result:
        """One POST."""
        if stage.settings.grafana is None:
            raise ConfigError("no alerting is configured")
        asked, mark = dict(stage.plan.parameters), str(stage.facts["mark"])
        comment = f"{stage.reason or 'silenced from the cockpit'} ({mark})"
        span = (stage.clock.now(), float(stage.facts["ends_at"]))
        made = await put_silence(stage.settings.grafana, asked["alert"], span, asked["by"], comment)
        return Result(DONE, f"silence {made}", {"silence": made})

    def probe(self, stage: Stage) -> Result:
        """Whether a silence bears our mark."""
        if not stage.snapshot.alerts.is_live(stage.clock.now()):
            return Result(UNKNOWN, stage.snapshot.alerts.error or "the alerts were not read")
        found = present(stage.snapshot, stage.facts.get("silence"), str(stage.facts.get("mark")))
        if found is None:
            return Result(FAILED, "there is no silence with our mark")
        return Result(DONE, f"silence {found.id}", {"silence": found.id})


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The silence, and the alert under it."""
    sample, asked = stage.snapshot.alerts, dict(stage.plan.parameters)
    if not sample.is_live(stage.clock.now()):
        return tuple(JobStep(name, UNKNOWN, sample.error or "not read") for name in (STANDS, KEPT_BACK))
    found = present(stage.snapshot, stage.facts.get("silence"), str(stage.facts.get("mark")))
    if found is None:
        return (JobStep(STANDS, RUNNING, "not seen yet"), JobStep(KEPT_BACK, RUNNING, ""))
    stands = JobStep(STANDS, DONE, f"{found.id}, {found.left_s / 60:.0f} min left")
    rule = alert(stage.snapshot, asked["alert"])
    if rule is None or rule.state in ("normal", "pending"):
        return (stands, JobStep(KEPT_BACK, DONE, "it does not fire now; once it does it is kept back"))
    is_kept = found.id in rule.silenced_by
    return (stands, JobStep(KEPT_BACK, DONE if is_kept else RUNNING, f"{rule.name} {rule.state}"))


def _checks(settings: Settings, name: str, minutes: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if not (minutes.isdecimal() and minutes.isascii() and 1 <= int(minutes) <= MOST_MINUTES):
        yield Check("minutes", FAIL, f"1 to {MOST_MINUTES} minutes, not {clean(minutes, 20)}")
    answers = unanswered(settings, snapshot, now)
    if answers is not None:
        yield answers
        return
    age_s, rule = snapshot.alerts.age_s(now), alert(snapshot, name)
    if name == NONE_CHOSEN:
        yield Check("alert", FAIL, "choose an alert", age_s)
    elif rule is None:
        yield Check("alert", FAIL, f"there is no alert {clean(name, 60)}", age_s)
    else:
        yield Check("alert", PASS if rule.state == "firing" else WARN, f"{rule.name}: {rule.state}", age_s)
        if rule.silenced_by:
            yield Check("silences", WARN, f"{len(rule.silenced_by)} keep it back already", age_s)
