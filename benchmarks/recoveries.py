"""Each of the runbook's five outages recovered with keys alone on a real terminal, beside the runbook's own lines."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from msgspec import structs

from benchmarks.holdings import load as load_now
from benchmarks.operator import Operator
from benchmarks.outages import OUTAGES, Outage
from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout
from cockpit.session import Session

MOST_KEYS = 25
DEADLINE_S = 60.0
STANDS_S = 3.0
"""Green for a moment is not recovered."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of one way to recover; seconds since the outage was seen, None where it never was."""

    section: str
    fault: str
    way: str
    """keys, or lines."""
    working_s: float | None
    """Until nothing was wrong but the cause outside."""
    green_s: float | None
    """Until nothing was wrong at all: where the cause passes by itself, that is from then on and added."""
    keys: int = 0
    """Beside what was typed to confirm."""
    proven: int = 0
    """Steps that were seen proven."""
    said: tuple[str, ...] = ()
    """What was left, and which line failed."""


class Watch:
    """The judgement of `cockpit status`, taken all the time from beside."""

    def __init__(self, layout: Layout, outage: Outage) -> None:
        self.layout, self.outage = layout, outage
        self._state = tempfile.TemporaryDirectory()
        settings = structs.replace(load(layout.config), state=Path(self._state.name))
        self.session = Session.open(settings)
        self.session.start(lambda snapshot: None)
        self.began = 0.0
        self.paused_s = 0.0
        self.noted: list[str] = []
        """What was still wrong where it had to be only the cause."""

    def close(self) -> None:
        """Watch no more."""
        self.session.stop()
        self._state.cleanup()

    def inject(self) -> None:
        """Break it, and see that it is broken."""
        self.until(self.is_green, 60.0)
        launcher.inject(self.layout, self.outage.fault)
        assert self.until(lambda: self.outage.is_seen(self.session.snapshot), 30.0) is not None
        self.began = time.monotonic()

    def mend(self) -> None:
        """The cause outside passes: what it takes for that is nobody's recovery."""
        began = time.monotonic()
        if self.outage.passes:
            launcher.clear(self.layout, self.outage.fault)
        self.paused_s += STANDS_S + time.monotonic() - began

    def working(self) -> float | None:
        """When only the cause was left, if ever."""
        found = self.until(self.is_working)
        self.noted += [] if found is not None else self.left()
        return found

    def is_green(self) -> bool:
        """Nothing is wrong."""
        return self.session.snapshot.seq > 0 and self.session.snapshot.assessment.severity.name == "OK"

    def is_working(self) -> bool:
        """Nothing is wrong but the cause."""
        return self.outage.is_over(self.session.snapshot)

    def until(self, is_true: Callable[[], bool], deadline_s: float = DEADLINE_S) -> float | None:
        """When it held and went on holding, in seconds since the outage was seen; None where it never did."""
        since: float | None = None
        ends_at = time.monotonic() + deadline_s
        while time.monotonic() < ends_at:
            now = time.monotonic()
            since = (since or now) if is_true() else None
            if since is not None and now - since >= STANDS_S:
                return round(since - self.began - self.paused_s, 1)
            time.sleep(0.05)
        return None

    def left(self) -> tuple[str, ...]:
        """What is still wrong, in words."""
        return tuple(f"{one.severity.label} {one.summary}" for one in self.session.snapshot.assessment.findings)


@contextmanager
def _broken(outage: Outage) -> Iterator[Watch]:
    private = launcher.launch_private()
    try:
        watch = Watch(private.layout, outage)
        try:
            yield watch
        finally:
            watch.close()
    finally:
        private.close()


def by_keys(outage: Outage, columns: int = 120, rows: int = 40) -> Recovered:
    """An operator at the cockpit."""
    with _broken(outage) as watch:
        command = [sys.executable, "-m", "cockpit", "--config", str(watch.layout.config)]
        operator = Operator(PtyProgram(command, columns, rows))
        working: list[float | None] = []

        def passes() -> None:
            operator.busy(lambda: working.append(watch.working()))
            watch.mend()

        try:
            operator.sees(lambda text: "ACTIVE" in text and "Brokers" in text)
            watch.inject()
            outage.keys(operator, passes)
            green: list[float | None] = []
            operator.busy(lambda: green.append(watch.until(watch.is_green)))
        finally:
            operator.program.close()
        keys, proven = operator.keys, len(operator.proven)
        first = working[0] if working else green[0]
        return Recovered(
            outage.section, outage.fault, "keys", first, green[0], keys, proven, (*watch.noted, *watch.left())
        )


def by_lines(outage: Outage) -> Recovered:
    """A script that pastes the lines one after the other, and thinks about nothing."""
    with _broken(outage) as watch:
        watch.inject()
        said = _paste(watch.layout, (*outage.lines, *outage.added))
        working = watch.working()
        watch.mend()
        said += _paste(watch.layout, outage.then)
        green = watch.until(watch.is_green)
        return Recovered(
            outage.section, outage.fault, "lines", working, green, said=(*said, *watch.noted, *watch.left())
        )


def _paste(layout: Layout, lines: tuple[str, ...]) -> tuple[str, ...]:
    """Run in the platform's folder with its programs; which lines failed."""
    environment, failed = launcher.environment(layout), []
    for text in lines:
        done = subprocess.run(
            ["/bin/sh", "-c", text], cwd=layout.root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            failed.append(f"`{text}` ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return tuple(failed)


def table(found: list[Recovered]) -> str:
    """As Markdown."""

    def shown(time_s: float | None) -> str:
        return "never" if time_s is None else f"{time_s:.1f} s"

    rows = [
        f"| {one.section} | {one.fault} | {one.way} | {shown(one.working_s)} | {shown(one.green_s)} "
        f"| {one.keys or ''} | {one.proven or ''} | {'; '.join(one.said)} |"
        for one in found
    ]
    head = ("| section | outage | way | working | all green | keys | proven | left, failed |", "|---" * 8 + "|")
    return "\n".join((*head, *rows))


def main() -> None:
    """Every section, or those named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recoveries", description=__doc__)
    parser.add_argument("sections", nargs="*", help="3.1 to 3.5; all of them when none is named")
    parser.add_argument("--way", choices=("keys", "lines"), help="only this way")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    asked = parser.parse_args()
    found: list[Recovered] = []
    for outage in OUTAGES:
        for way, recover in (("keys", by_keys), ("lines", by_lines)):
            if (not asked.sections or outage.section in asked.sections) and asked.way in (None, way):
                try:
                    found.append(recover(outage))
                except (AssertionError, TimeoutError) as error:
                    print(error)
                    found.append(Recovered(outage.section, outage.fault, way, None, None, said=("it stopped there",)))
                print(table(found[-1:]).splitlines()[-1], flush=True)
    print(f"\n{table(found)}\n\nload {load_now():.1f}")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")
    good = all(one.green_s is not None and one.keys <= MOST_KEYS for one in found if one.way == "keys")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
