"""A worker that gets to the second person's approval LATE_S after everybody thought that it would."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cockpit.config import Settings
from cockpit.jobs import worked, worker
from cockpit.jobs.seconds import admit
from cockpit.model.audit import Operator
from cockpit.model.plan import Plan


def late(
    settings: Settings,
    state: Path,
    plan: Plan,
    confirmed: Mapping[str, Any],
    job_id: str,
    now: float,
    who: Operator,
) -> str:
    return admit(settings, state, plan, confirmed, job_id, now + float(os.environ["LATE_S"]), who)


if __name__ == "__main__":
    worked.admit = late  # type: ignore[attr-defined]
    sys.exit(worker.main(sys.argv[1:]))
