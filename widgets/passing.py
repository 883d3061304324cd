"""Whether orders pass: no halt is set, and that is not the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.figures import short_age
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.states import OrderFlow

STILL_S = 5.0
"""For so long nothing must have passed, so that a pause between two orders is none."""


def why_none_passes(view: View) -> str | None:
    """Why orders come in and none passes; None where they pass, where none comes, and where nobody knows."""
    sample = view.snapshot.flow
    flow = sample.value
    if flow is None or not view.is_live(sample):
        return None
    incoming = flow.stream("incoming")
    validated_s = _still_s(flow, "validated")
    if validated_s is not None:
        refusal = _refusal(view)
        if refusal is not None:
            return refusal
        return f"none validated for {short_age(validated_s)}" if incoming and incoming.rate_per_s else None
    filled_s = _still_s(flow, "fills")
    return f"none filled for {short_age(filled_s)}" if filled_s is not None and flow.in_flight else None


def _still_s(flow: OrderFlow, label: str) -> float | None:
    """For how long nothing has come into the stream; None where something has lately, or nobody knows."""
    stream = flow.stream(label)
    age_s = None if stream is None or stream.rate_per_s != 0 else flow.age_s(stream)
    return age_s if age_s is not None and age_s > STILL_S else None


def _refusal(view: View) -> str | None:
    """Why Redis takes no order: none could come in then, nor be counted."""
    # Imported only here: the first frame has no data.
    from cockpit.model.keeping import writable
    from cockpit.model.verdict import Verdict

    sample = view.snapshot.redis
    if sample.value is None or not view.is_live(sample) or view.settings is None:
        return None
    if sample.value.role != "primary":
        return f"Redis is a {sample.value.role}: read-only"
    found = writable(sample.value, view.settings.thresholds.redis_full_fraction)
    said = {Verdict.FAIL: "Redis refuses writes", Verdict.WARN: "Redis' memory is full"}
    return said.get(found.verdict)
