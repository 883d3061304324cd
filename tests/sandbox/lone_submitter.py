"""A cockpit that submits one step and is killed by its worker: CONFIG and ACTION are its arguments."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from cockpit.clock import SystemClock
from cockpit.config import load
from cockpit.jobs import launch
from cockpit.jobs.action import action_for, is_worked
from cockpit.jobs.evidence import Evidence
from cockpit.jobs.operator import current_operator
from cockpit.jobs.runner import Runner
from cockpit.model.plan import Confirmation
from cockpit.model.snapshot import Snapshot
from cockpit.session import state_folder


def main(config: Path, action: str) -> None:
    """Submit it once it is allowed, then wait for the end."""
    launch.WORKER = "tests.sandbox.mortal_worker"
    os.environ["VICTIM"] = str(os.getpid())
    settings = load(config)
    found = action_for(action)
    assert is_worked(found)
    evidence = Evidence(settings, SystemClock(), found.EVIDENCE)

    async def look() -> Snapshot:
        try:
            return await evidence.read()
        finally:
            await evidence.close()

    runner = Runner(settings, SystemClock(), current_operator(), state_folder(settings))
    snapshot = asyncio.run(look())
    plan = runner.prepare(action, {}, snapshot)
    runner.submit(plan, Confirmation(plan.digest, plan.phrase, "test"), snapshot)
    time.sleep(600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
