"""A plan as a file: what was confirmed, to the letter."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from cockpit.errors import NOT_OURS, JournalError
from cockpit.model.plan import Plan
from cockpit.storage.typed import made


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
        plan = made(Plan, fields)
        is_named = plan.digest == digest
    except NOT_OURS as error:
        raise JournalError(f"the plan cannot be read: {type(error).__name__}") from error
    if not is_named:
        raise JournalError("the plan was changed after it had been confirmed")
    return plan
