"""A lookout has the platform's data before there is a session, and what joins it shows at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from actions.runbook import runbook_for
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.model.job import Job, Phase
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.observe import lookout as lookouts
from cockpit.observe.lookout import Lookout
from cockpit.parts import parsed
from cockpit.severity.watch import is_blind

ACTS = ("cockpit.jobs.runner", "cockpit.incidents", "cockpit.drills", "cockpit.readiness", "cockpit.notify", "actions")
OTHERS = ("cockpit.model.backends", "cockpit.model.incident", "cockpit.model.plan")
"""What only other probes, and what acts, take: each of their classes costs a millisecond."""
LIBRARIES = ("redis", "httpx", "psycopg", "kubernetes", "argparse", "importlib.resources", "email")
"""Each takes as long to load as the whole reading."""


class Ear:
    """Hears until something is so."""

    def __init__(self) -> None:
        self.last: Snapshot | None = None
        self._came = threading.Condition()

    def __call__(self, snapshot: Snapshot) -> None:
        with self._came:
            self.last = snapshot
            self._came.notify_all()

    def led_by(self) -> set[str | None]:
        return {one.keys for one in self.last.assessment.findings if one.section} if self.last else set()

    def jobs(self) -> tuple[Job, ...]:
        return self.last.jobs if self.last else ()


def no_redis(folder: Path) -> Settings:
    return parsed(
        Settings, {"site": "dead", "root": folder, "state": folder, "redis": {"url": f"unix://{folder}/none.sock"}}
    )


def test_data_come_without_a_session_and_the_runbook_s_keys_and_the_jobs_as_soon_as_it_joins(tmp_path: Path) -> None:
    settings, ear, late = no_redis(tmp_path), Ear(), Ear()
    job = Job("j1", "kill_switch.engage", "Engage", "redis", World.LIVE, "d", "asha", Phase.DONE, 0.0)
    lookout = Lookout(settings, SystemClock())
    lookout.begin(ear)
    try:
        with ear._came:
            assert ear._came.wait_for(lambda: ear.last is not None, 20.0)
        threading.Timer(0.05, lookout.shown).start()
        lookout.until_shown(20.0)
        assert ear.last is not None and ear.last.kill_switch.error is not None
        assert ear.led_by() == {None}
        lookout.join(runbook_for(settings), lambda: (job,), late)
        with late._came:
            assert late._came.wait_for(lambda: late.jobs() == (job,), 20.0)
        assert None not in late.led_by()
    finally:
        lookout.stop(1.0)


def test_a_watch_that_cannot_begin_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sources(*_: object) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr(lookouts, "sources", no_sources)
    lookout, ear = Lookout(no_redis(tmp_path), SystemClock()), Ear()
    lookout.begin(ear)
    with ear._came:
        assert ear._came.wait_for(lambda: ear.last is not None, 5.0)
    lookout.stop(1.0)
    assert ear.last is not None and is_blind(ear.last)
    assert "too many open files" in ear.last.assessment.findings[0].observed


def test_a_lookout_loads_nothing_that_acts(tmp_path: Path) -> None:
    code = "import sys, cockpit.session, cockpit.observe.lookout, cockpit.severity.judge, cockpit.probes.redis_wall"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert not {name for name in done.stdout.split() if name.startswith((*ACTS, *OTHERS, *LIBRARIES))}
