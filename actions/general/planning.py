"""What the plans of general steps have in common: class, phrase and words come from the runbook's row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actions.checks import world_check
from cockpit.config import Settings
from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Plan, PlanStep

ENDED = "it ended as expected"


def general_plan(
    action: str,
    settings: Settings,
    parameters: Mapping[str, str],
    now: float,
    step: PlanStep,
    checks: Iterable[Check],
    impact: tuple[str, ...],
    proofs: tuple[str, ...],
    deadline_s: float,
) -> Plan:
    """A plan whose danger is what its row says."""
    danger = Danger(parameters.get("class", Danger.DANGER))
    name = parameters.get("step", "(no step)")
    target = parameters.get("target") or name
    phrases = {Danger.DISRUPT: target, Danger.DANGER: f"{name} {settings.site}".upper()}
    return Plan(
        action=action,
        title=parameters.get("title", "(no title)"),
        sentence=parameters.get("summary", ""),
        world=settings.world,
        site=settings.site,
        target=target,
        danger=danger,
        parameters=tuple(sorted(parameters.items())),
        steps=(step,),
        checks=(*world_check(settings.world), *checks),
        impact=impact,
        proofs=proofs,
        proof_deadline_s=deadline_s,
        undo="nothing that the cockpit knows of: the step is the fund's own",
        phrase=phrases.get(danger),
        needs_reason=danger is Danger.DANGER,
        prepared_at=now,
    )
