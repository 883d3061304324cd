"""A plan as a file: what was confirmed, to the letter."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from cockpit.errors import JournalError
from cockpit.model.plan import Check, Danger, Plan, PlanStep, Verdict
from cockpit.model.world import World


def plan_to_json(plan: Plan) -> str:
    """With its digest, so that a change is found when it is read."""
    return json.dumps({**asdict(plan), "digest": plan.digest}, indent=1)


def plan_from_json(text: str) -> Plan:
    """The plan in the file.

    Raises:
        JournalError: it is none, or it is not the plan that its digest names.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        digest = fields.pop("digest")
        plan = Plan(
            **{
                **fields,
                "world": World(fields["world"]),
                "danger": Danger(fields["danger"]),
                "parameters": tuple((str(name), str(value)) for name, value in fields["parameters"]),
                "steps": tuple(PlanStep(**step) for step in fields["steps"]),
                "checks": tuple(Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in fields["checks"]),
                "impact": tuple(fields["impact"]),
                "proofs": tuple(fields["proofs"]),
                "locks": tuple(str(name) for name in fields.get("locks", ())),
            }
        )
    except (ValueError, TypeError, KeyError) as error:
        raise JournalError(f"the plan cannot be read: {type(error).__name__}") from error
    if plan.digest != digest:
        raise JournalError("the plan was changed after it had been confirmed")
    return plan
