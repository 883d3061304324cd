"""Run every stress scenario over the present positions: the program only computes and publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from actions.checks import WARN, evidence_error
from actions.script.command import Command, command_step, program_check
from actions.step import Stage, Step
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan
from cockpit.model.snapshot import Snapshot

ID = "script.scenarios"
EVIDENCE = frozenset({"risk"})
PUBLISHED = "the table is published"
PUBLISHED_ON = re.compile(r"published on \S+ as \S+")


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What is computed; no position and no order is touched."""
    command = settings.scripts.scenarios
    return Plan(
        action=ID,
        title="Run all scenarios",
        sentence="Computes what each stress scenario would do to the present positions. Trades nothing.",
        world=settings.world,
        site=settings.site,
        target="scenarios",
        danger=Danger.OBSERVE,
        parameters=(),
        steps=(command_step("scenarios computed", command, settings.scripts.scenarios_timeout_s),),
        checks=tuple(_checks(settings, snapshot, now)),
        impact=("none on trading; the result is in the job's output",),
        proofs=(PUBLISHED,),
        proof_deadline_s=2.0,
        undo="nothing to undo",
        is_cancellable=True,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The program."""
    return (_Scenarios(plan, 0),)


class _Scenarios(Command):
    def read(self, said: str) -> dict[str, Any]:
        """Where it says that it published the table."""
        found = PUBLISHED_ON.search(said)
        return {"published": found[0] if found else None}


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """By the program's own word: nothing in the platform changes by it."""
    said = stage.facts.get("published")
    if said is None:
        return (JobStep(PUBLISHED, StepState.FAILED, "it does not say so"),)
    return (JobStep(PUBLISHED, StepState.DONE, f"by its own word: {said}"),)


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield program_check(settings, settings.scripts.scenarios)
    unknown = evidence_error("positions read", snapshot.risk, now)
    if unknown is not None:
        yield replace(unknown, verdict=WARN, excused=unknown.verdict)
