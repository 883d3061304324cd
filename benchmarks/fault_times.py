"""How long each fault takes to be seen after it is injected, and to be gone after it is cleared."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.expectations import EXPECTED, Expected
from cockpit.config import load
from cockpit.model.snapshot import Snapshot
from cockpit.sandbox import launcher
from cockpit.session import Session

GOAL_S = 3.0
DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One fault's times; None where it never happened within the deadline."""

    fault: str
    seen_s: float | None
    gone_s: float | None
    words: str

    @property
    def is_good(self) -> bool:
        """Both within the goal."""
        return all(time_s is not None and time_s <= GOAL_S for time_s in (self.seen_s, self.gone_s))


def wait(is_true: Callable[[], object], deadline_s: float = DEADLINE_S) -> float | None:
    """Seconds until `is_true`, None where it never was."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > deadline_s:
            return None
        time.sleep(0.02)
    return time.monotonic() - began


def is_calm(snapshot: Snapshot) -> bool:
    """Everything was read and nothing is wrong."""
    return snapshot.seq > 0 and snapshot.assessment.severity.name == "OK"


def measure(layout: launcher.Layout, session: Session, expected: Expected) -> Seen:
    """Inject, wait to see it, clear, wait for it to be gone, wait for calm."""
    wait(lambda: is_calm(session.snapshot), 30.0)
    launcher.inject(layout, expected.fault)
    seen_s = wait(lambda: expected.seen_in(session.snapshot))
    finding = expected.seen_in(session.snapshot)
    words = (
        finding.summary
        if finding
        else "; ".join(
            f"{one.panel} {one.severity.label} {one.summary}" for one in session.snapshot.assessment.findings
        )
    )
    launcher.clear(layout, expected.fault)
    gone_s = wait(lambda: not expected.seen_in(session.snapshot))
    return Seen(expected.fault, seen_s, gone_s, words)


def _shown(time_s: float | None) -> str:
    return "never" if time_s is None else f"{time_s:5.2f} s"


def main() -> None:
    """Every fault, or those named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fault_times", description=__doc__)
    parser.add_argument("faults", nargs="*", help="all of them when none is named")
    wanted = parser.parse_args().faults
    private = launcher.launch_private()
    session = Session.open(load(private.layout.config))
    try:
        session.start(lambda snapshot: None)
        for expected in EXPECTED:
            if not wanted or expected.fault in wanted:
                seen = measure(private.layout, session, expected)
                mark = "ok " if seen.is_good else "BAD"
                print(
                    f"{mark} {seen.fault:22} seen {_shown(seen.seen_s)}  gone {_shown(seen.gone_s)}  {seen.words}",
                    flush=True,
                )
    finally:
        session.stop()
        private.close()


if __name__ == "__main__":
    main()
