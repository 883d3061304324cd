"""A plan as a file: what was confirmed, to the letter."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from cockpit.errors import NOT_OURS, JournalError
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
        # Every word and number of it is shown or acted on: what only looks like a plan would be found out there.
        _form().validate_json(text, strict=True)
        fields: dict[str, Any] = json.loads(text, parse_int=_whole)
        digest = fields.pop("digest")
        plan = _plan(fields)
        is_named = plan.digest == digest
    except NOT_OURS as error:
        raise JournalError(f"the plan cannot be read: {type(error).__name__}") from error
    if not is_named:
        raise JournalError("the plan was changed after it had been confirmed")
    return plan


def _plan(fields: dict[str, Any]) -> Plan:
    return Plan(
        **{
            **fields,
            "world": World(fields["world"]),
            "danger": Danger(fields["danger"]),
            "parameters": tuple((name, value) for name, value in fields["parameters"]),
            "steps": tuple(PlanStep(**step) for step in fields["steps"]),
            "checks": tuple(Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in fields["checks"]),
            "impact": tuple(fields["impact"]),
            "proofs": tuple(fields["proofs"]),
            "locks": tuple(fields.get("locks", ())),
        }
    )


def _whole(digits: str) -> int:
    """Not one that no float can hold: it could not even be shown."""
    number = int(digits)
    float(number)
    return number


@cache
def _form() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)
