"""How long it takes from the confirming key to the flag in Redis, both fsyncs included."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from msgspec import structs

from cockpit.config import load
from cockpit.model.plan import Confirmation
from cockpit.sandbox import launcher
from cockpit.session import Session

ENGAGE = "kill_switch.engage"


def key_to_flag(runs: int = 100) -> dict[str, float]:
    """Milliseconds, on a trading sandbox of its own, through the session that the screen uses."""
    private = launcher.launch_private()
    with tempfile.TemporaryDirectory() as state:
        session = Session.open(structs.replace(load(private.layout.config), state=Path(state)))
        try:
            session.start(lambda snapshot: None)
            while not session.snapshot.redis.value:
                time.sleep(0.05)
            time.sleep(2.0)
            times = sorted(_halt(session) for _ in range(runs))
        finally:
            session.stop()
            private.close()
    return {"halt_p50_ms": statistics.median(times), "halt_p99_ms": times[int(0.99 * runs) - 1]}


def _halt(session: Session) -> float:
    plan = session.prepare(ENGAGE, {}).result(5.0)
    began = time.perf_counter()
    job = session.submit(plan, Confirmation(plan.digest)).result(5.0)
    took_ms = (time.perf_counter() - began) * 1000
    while not ((now := session.job(job.id)) and now.phase.is_over):
        time.sleep(0.02)
    return took_ms


if __name__ == "__main__":
    print(key_to_flag(5))
