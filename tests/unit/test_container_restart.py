"""Restarting a container: what is said of one that runs and of one that has ended, and what proves that it serves."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from msgspec import structs

from actions.container import restart
from actions.step import Stage
from cockpit.config import DockerPart
from cockpit.model.backends import Container, Docker
from cockpit.model.job import StepState
from cockpit.model.plan import Plan
from cockpit.model.sample import Sample
from tests.unit.healthy import NOW, SETTINGS, postgres, snapshot
from tests.unit.test_journal import WHO

PLATFORM = structs.replace(SETTINGS, docker=DockerPart(containers=("redis", "postgres", "loki")))
CLOCK = SimpleNamespace(now=lambda: NOW)


def engine(name: str, state: str, status: str, up_s: float | None, pid: int | None) -> Docker:
    return Docker("27", (Container(name, state, status, up_s, None, pid),))


def plan(found: Any, name: str = "postgres") -> Plan:
    return restart.plan(PLATFORM, WHO, {"container": name}, found, NOW)


def proofs(**samples: Any) -> dict[str, StepState]:
    found = replace(snapshot(), **samples)
    facts = {"pid": 7}
    stage = Stage(PLATFORM, CLOCK, WHO, plan(found), found, facts, None, lambda *_: None)  # type: ignore[arg-type]
    return {step.name: step.state for step in restart.judge(stage)}


def test_one_that_has_ended_is_only_started() -> None:
    ended = plan(snapshot(docker=engine("postgres", "exited", "Exited (137) 4 seconds ago", None, None)))
    assert ended.sentence.startswith("Starts postgres, which does not run")
    said = " ".join(ended.impact)
    assert "Exited (137)" in said and "SIGTERM" not in said and "unknown" not in said
    running = plan(snapshot(docker=engine("postgres", "running", "Up 3 hours", 9000.0, 7)))
    assert running.sentence.startswith("Ends the process") and "process 7 gets SIGTERM" in running.impact[0]


def test_postgres_is_back_once_it_has_answered_itself() -> None:
    new = Sample.good(engine("postgres", "running", "Up 4 seconds", 4.0, 8), NOW, 0.1)
    answered, before = Sample.good(postgres(), NOW - 1, 0.1), Sample.good(postgres(), NOW - 5, 0.1)
    assert set(proofs(docker=new, postgres=answered).values()) == {StepState.DONE}
    for late in (before, answered.failed("connection refused", NOW, 0.1)):
        assert proofs(docker=new, postgres=late)[restart.ANSWERS] is StepState.RUNNING
    assert restart.ANSWERS not in plan(snapshot(), "loki").proofs
