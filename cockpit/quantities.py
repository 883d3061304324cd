"""What the configuration's values must be like: what is accepted and then reaches nothing is worse than an error."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

Seconds = Annotated[float, Field(gt=0, le=3600)]
Fraction = Annotated[float, Field(gt=0, le=1)]
"""80, meant as a percentage, would be a limit that nothing ever reaches."""

ORDER_STREAMS = {
    "incoming": "orders.incoming",
    "validated": "orders.validated",
    "rejected": "orders.rejected",
    "fills": "orders.fills",
}


def _are_all_named(streams: dict[str, str]) -> dict[str, str]:
    """What stops, proves and judges trading looks for them by these labels: without one it looks at nothing."""
    missing = [label for label in ORDER_STREAMS if not streams.get(label)]
    if missing:
        raise ValueError(f"no stream is named for {', '.join(missing)}")
    return streams


OrderStreams = Annotated[dict[str, str], AfterValidator(_are_all_named)]
"""Label -> stream."""
