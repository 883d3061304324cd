"""How far a job is: a fraction where one exists, time left from it or from the last times, nothing made up."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.world import World
from widgets.job_rows import job_rows, phase_mark
from widgets.line import plain
from widgets.progress import fraction_line, left_words


def job(phase: Phase = Phase.RUNNING, **facts: Any) -> Job:
    known: dict[str, Any] = {"steps": (JobStep("replay", StepState.RUNNING),), "submitted_at": 100.0, **facts}
    return Job("1", "script.replay", "Replay", "ledger.db", World.PAPER, "d", "asha", phase, **known)


def half(fraction: float | None) -> tuple[JobStep, ...]:
    return (JobStep("replay", StepState.RUNNING, "50 of 100 events", None, fraction), JobStep("check"))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (job(), ""),
        (job(usually_s=30.0), "about 20 s left"),
        (job(usually_s=4.0), "longer than the usual 4.0 s"),
        (job(steps=half(0.5)), "about 10 s left"),
        (job(steps=half(0.01)), ""),
        (job(steps=half(0.01), usually_s=12.0), "about 2.0 s left"),
        (job(steps=half(1.0)), "about 1.0 s left"),
        (job(steps=(JobStep("a", StepState.DONE), *half(0.5))), ""),
    ],
)
def test_what_is_left(one: Job, said: str) -> None:
    assert left_words(one, 110.0) == said


def test_a_bar_only_where_there_is_a_fraction() -> None:
    assert fraction_line(half(None)[0], 40) == ()
    assert plain(fraction_line(half(0.62)[0], 40)).endswith(" 62 %")
    assert plain(fraction_line(half(7.0)[0], 40)).endswith(" 100 %")
    assert fraction_line(JobStep("a", StepState.DONE, fraction=1.0), 40) == ()


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_word_and_a_dialog(phase: Phase) -> None:
    one = job(phase, steps=half(0.5), ended_at=111.0 if phase.is_over else None, cancelled_by="ravi@jump2")
    text = "\n".join(plain(row) for row in job_rows(one, 110.0, (80, 20)))
    assert phase_mark(one).word.lower() in text.lower()
    assert ("50 %" in text) and ("50 of 100 events" in text)
    assert phase.is_over or "ravi@jump2 asks it to stop" in text
