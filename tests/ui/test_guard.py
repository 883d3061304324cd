"""The guard dialog: only a deliberate yes does anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual import events

from cockpit.model.danger import Danger
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.plan import Check, Verdict
from cockpit.model.world import World
from cockpit.screens.hands import Hands
from tests.ui import snapshots
from tests.ui.conftest import cockpit
from tests.ui.fake_session import halt_plan, release_plan
from tests.ui.snapshots import NOW
from widgets.guard_rows import Answer, guard_rows
from widgets.job_rows import job_rows
from widgets.line import plain


async def test_y_confirms_and_the_proof_is_shown() -> None:
    async with cockpit() as it:
        await it.press("K")
        await it.sees("Stops every new order")
        await it.press("y", after_s=1)
        await it.sees("no order but reduce-only ones validated")
        ((plan, confirmation),) = it.session.submitted
        assert confirmation.digest == plan.digest and plan.action == "kill_switch.engage"
        it.session.finish()
        await it.sees("PROVEN")
        await it.press("enter", after_s=1)
        await it.sees("Brokers")


@pytest.mark.parametrize(("phase", "word"), [(Phase.FAILED, "FAILED"), (Phase.IN_DOUBT, "IN DOUBT")])
async def test_what_is_not_proven_is_not_green(phase: Phase, word: str) -> None:
    async with cockpit() as it:
        await it.press("K")
        await it.press("y", after_s=1)
        it.session.finish(phase)
        await it.sees(word)
        assert "PROVEN" not in it.text()


NOTES = (
    "NOT KNOWN WHETHER HALTED: the connection broke after the command was sent",
    "kubectl -n trading scale deployment/router --replicas=0",
    "call the brokers: IBKR +1 877 442 2757",
)


@pytest.mark.parametrize("size", [(80, 24), (80, 16), (120, 40)])
async def test_what_must_be_said_aloud_stands_first_and_the_end_is_never_cut(size: tuple[int, int]) -> None:
    async with cockpit(size=size) as it:
        await it.press("K")
        await it.press("y", after_s=1)
        await it.sees("it goes on in the background")
        proofs = tuple(JobStep(f"proof {n}", StepState.FAILED, "no answer " * 9) for n in range(9))
        for id, job in it.session.jobs.items():
            it.session.jobs[id] = replace(job, notes=NOTES, error="the write was not seen", proofs=proofs)
        it.session.finish(Phase.IN_DOUBT)
        await it.sees("IN DOUBT")
        await it.until(lambda: "Enter closes" in it.text().splitlines()[-2], "as high as its rows")
        rows = it.text().splitlines()
        first = next(at for at, row in enumerate(rows) if "NOT KNOWN WHETHER HALTED" in row)
        assert first == 1 and "call the brokers" in it.text() and "the write was not seen" in it.text()
        assert len(rows) <= size[1]
        if size[1] < 30:
            assert "more lines" in it.text()
            await it.press(*["pagedown"] * 8, after_s=0.1)
            await it.sees("proof 8")
            assert "Enter closes" in it.text()


def test_a_note_that_the_error_repeats_is_said_once() -> None:
    job = replace(a_job(), notes=("call the brokers",), error="failed; call the brokers")
    assert "\n".join(map(plain, job_rows(job, NOW, (100, 40)))).count("call the brokers") == 1


@pytest.mark.parametrize("phase", [Phase.VERIFYING, Phase.FAILED])
def test_nothing_waits_any_more_in_a_job_that_has_ended(phase: Phase) -> None:
    rows = "\n".join(
        map(plain, job_rows(replace(a_job(), phase=phase, proofs=(JobStep("read back"),)), NOW, (100, 40)))
    )
    assert ("waiting" in rows, "not reached" in rows) == (phase is Phase.VERIFYING, phase is Phase.FAILED)


def a_job() -> Job:
    return Job("j", "kill_switch.engage", "Engage", "t", World.SANDBOX, "d", "asha", Phase.FAILED, NOW)


async def test_the_dialog_can_be_left_while_the_job_goes_on() -> None:
    async with cockpit() as it:
        await it.press("K")
        await it.press("y", after_s=1)
        await it.sees("it goes on in the background")
        await it.press("escape")
        await it.sees("Brokers")


async def test_too_early_held_and_other_keys_do_nothing() -> None:
    async with cockpit() as it:
        await it.press("K")
        await it.press("y", after_s=0.1)
        await it.sees("too early")
        for _ in range(20):
            await it.press("y", after_s=0.03)
        await it.press("K", "Y", "space", "n", after_s=1)
        assert it.session.submitted == []
        await it.press("y", after_s=1)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        await it.press("y", "y", after_s=1)
        assert len(it.session.submitted) == 1


async def test_enter_and_escape_cancel() -> None:
    for key in ("enter", "escape"):
        async with cockpit() as it:
            await it.press("K")
            await it.press(key, after_s=1)
            await it.sees("Brokers")
            assert it.session.submitted == [] and len(it.app.screen_stack) == 1


async def test_paste_is_refused() -> None:
    async with cockpit() as it:
        await it.press("K")
        it.clock.passed += 1
        it.app.screen.post_message(events.Paste("y"))
        await it.sees("Pasted text does not count")
        await it.press("escape", "space", "b", "r")
        it.clock.passed += 1
        await it.press(*"RESUME TRADING")
        await it.sees("too fast to be typed")
        assert it.session.submitted == []


async def test_a_failed_check_blocks_and_says_why() -> None:
    async with cockpit() as it:
        it.session.plan = halt_plan(Verdict.UNKNOWN)
        await it.press("K")
        await it.sees("Refused, because of: Redis takes writes")
        await it.press("y", after_s=1)
        assert it.session.submitted == []
        it.session.plan = halt_plan()
        it.app.screen._prepare()  # type: ignore[attr-defined]
        await it.until(lambda: "Refused" not in it.text(), "allowed again")
        await it.press("y", after_s=1)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")


async def test_of_what_is_typed_while_it_becomes_allowed_nothing_is_taken_in_part() -> None:
    """Nor of what began before anybody could have read it; once the fingers rest, all of it is."""
    async with cockpit() as it:
        it.session.release = replace(
            release_plan(), checks=(Check("streams drained", Verdict.UNKNOWN, "not read yet"),)
        )
        await it.press("space", "b", "r")
        await it.sees("Refused, because of: streams drained")
        await it.press(*"RESUME", after_s=0.2)
        await it.sees("Nothing is taken as long as a check fails")
        it.session.release = release_plan()
        screen: Any = it.app.screen
        screen._prepare()
        await it.until(lambda: "Refused" not in it.text(), "allowed")
        await it.press("space", *"TRADING", after_s=0.2)
        await it.sees("too early")
        assert screen._phrase.text == ""
        await it.press("R", after_s=0.5)
        await it.press(*"ESUME", "space", *"TRADING", after_s=0.2)
        await it.until(lambda: screen._phrase.text == "RESUME TRADING", "typed")


async def test_danger_wants_the_phrase_and_a_reason() -> None:
    async with cockpit() as it:
        await it.press("space", "b", "r")
        await it.sees("RESUME TRADING")
        await it.press("y", "enter", after_s=1)
        assert it.session.submitted == []
        await it.press("backspace", after_s=1)
        await it.press(*"RESUME TRADIN", after_s=0.2)
        await it.press("enter", after_s=1)
        await it.sees("Type exactly")
        await it.press("G", "enter", after_s=1)
        await it.sees("Give a reason")
        await it.press(*"checked", after_s=0.2)
        await it.press("enter", after_s=1)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        assert it.session.submitted[0][1].typed == "RESUME TRADING"
        assert it.session.submitted[0][1].reason == "checked"


DRAINED = Check("streams drained", Verdict.FAIL, "3 orders in flight", 0.3, is_overridable=True)


async def test_a_check_that_may_be_is_overridden_with_a_reason() -> None:
    async with cockpit() as it:
        it.session.plan = replace(release_plan(), needs_reason=False, checks=(DRAINED,))
        await it.press("K")
        await it.sees("Refused, because of: streams drained")
        await it.press(*"RESUME TRADING", "enter", after_s=0.2)
        assert it.session.submitted == [] and len(it.app.screen_stack) == 1, "no letter overrides, Enter closes"
        await it.press("K")
        await it.sees("Ctrl-O")
        await it.press("ctrl+o", after_s=1)
        await it.sees("Overridden: streams drained")
        await it.press(*"RESUME TRADING", "enter", after_s=0.2)
        await it.sees("Give a reason")
        assert it.session.submitted == []
        await it.press(*"they are ours", "enter", after_s=0.2)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        confirmation = it.session.submitted[0][1]
        assert (confirmation.overrides, confirmation.reason) == (("streams drained",), "they are ours")


async def test_what_fails_later_is_not_overridden_by_what_was() -> None:
    async with cockpit() as it:
        it.session.plan = replace(release_plan(), checks=(DRAINED,))
        await it.press("K")
        await it.sees("Ctrl-O")
        await it.press("ctrl+o", after_s=1)
        await it.sees("Overridden")
        it.session.plan = replace(release_plan(), checks=(DRAINED, Check("brokers up", Verdict.FAIL, "IBKR is down")))
        it.app.screen._prepare()  # type: ignore[attr-defined]
        await it.sees("Refused, because of: brokers up")
        assert "Ctrl-O" not in it.text()
        await it.press("ctrl+o", *"RESUME TRADING", after_s=0.2)
        assert "Refused, because of: brokers up" in it.text() and it.session.submitted == []


async def test_a_plan_that_changes_must_be_read_again() -> None:
    from dataclasses import replace

    async with cockpit() as it:
        await it.press("K")
        await it.sees("Stops every new order")
        it.clock.passed += 5
        it.session.plan = replace(halt_plan(), target="policy:other")
        it.app.screen._prepare()  # type: ignore[attr-defined]
        await it.sees("What would be done has changed")
        await it.press("y")
        assert it.session.submitted == []


async def test_a_text_that_was_written_for_the_dialog_is_not_written_anew_while_it_is_read() -> None:
    async with cockpit() as it:
        it.session.plan = replace(halt_plan(), parameters=(("full_body", "IBKR is down"),), is_settled=True)
        await it.press("K")
        await it.sees("Stops every new order")
        it.app.screen._prepare()  # type: ignore[attr-defined]
        assert it.session.asked == {"full_body": "IBKR is down"}


async def test_the_dialog_stays_whole_on_a_small_screen() -> None:
    async with cockpit(size=(80, 24)) as it:
        await it.press("space", "b", "r")
        await it.sees("RESUME TRADING")
        assert "[ Cancel ]" in it.text() and "more lines  PgDn" in it.text()
        await it.press("down", "down", "down", "down", "down", "down", after_s=0.1)
        await it.sees("Usually")
        assert "PgUp" in it.text()


def test_failed_checks_stand_first() -> None:
    checks = tuple(Check(f"check {each.value}", each, "") for each in (Verdict.PASS, Verdict.WARN, Verdict.FAIL))
    shown = "\n".join(map(plain, guard_rows(replace(halt_plan(), checks=checks), Answer(), NOW, (80, 40))))
    assert shown.index("check fail") < shown.index("check warn") < shown.index("check pass")


async def test_refusal_by_the_runner_is_shown() -> None:
    from concurrent.futures import Future

    from cockpit.errors import Rejected

    async with cockpit() as it:

        def refuse(plan: object, confirmation: object) -> Future[Job]:
            future: Future[Job] = Future()
            future.set_exception(Rejected("the evidence is 9 s old"))
            return future

        it.session.submit = refuse  # type: ignore[method-assign, assignment]
        await it.press("K")
        await it.press("y", after_s=1)
        await it.sees("the evidence is 9 s old")


def test_hands_tell_a_burst_from_a_finger() -> None:
    hands = Hands(0.0)
    assert [hands.why_not(key, 5 + at / 1000) for at, key in enumerate("abcdef")][-2:] == ["fast", "fast"]
    assert hands.why_not("y", 6.0, True) is None


def test_what_a_slow_line_brings_at_once_was_typed() -> None:
    for bunch in (1, 2, 3):
        hands = Hands(0.0)
        times = [5 + at // bunch * bunch * 0.06 + at % bunch / 1000 for at in range(21)]
        assert not any(map(hands.why_not, "START TRADING all 223", times)), bunch


def test_a_held_letter_and_a_second_enter_do_not_count() -> None:
    hands = Hands(0.0)
    assert [hands.why_not("a", 5 + at / 30) for at in range(4)][-1] == "held"
    assert [hands.why_not("enter", 6 + at / 30) for at in range(2)] == [None, "held"]


async def test_of_what_comes_too_fast_nothing_is_taken_and_it_is_said() -> None:
    async with cockpit() as it:
        await it.press("space", "b", "r")
        await it.sees("RESUME TRADING")
        await it.press(*"RES", after_s=0.5)
        await it.press("tab", "tab", after_s=0.5)
        screen = it.app.screen
        before = screen.answer  # type: ignore[attr-defined]
        it.clock.passed += 1
        for key in "UME TRADING":
            await it.press("space" if key == " " else key, after_s=0.002)
        await it.sees("too fast to be typed: nothing was taken")
        assert screen._phrase.text == "RES"  # type: ignore[attr-defined]
        assert screen._reason.text == "" and screen.answer.focus == before.focus  # type: ignore[attr-defined]
        await it.press("tab", after_s=0.5)
        await it.press(*"UME", after_s=0.06)
        await it.until(lambda: screen._phrase.text == "RESUME", "typing goes on")  # type: ignore[attr-defined]
        assert "too fast" not in it.text()


async def test_hostile_plans_are_harmless() -> None:
    from dataclasses import replace

    async with cockpit() as it:
        it.session.plan = replace(
            halt_plan(), title=snapshots.NASTY, sentence=snapshots.NASTY * 9, undo=snapshots.NASTY
        )
        await it.press("K")
        await it.sees("owned")
        assert it.app.is_running


async def test_what_only_looks_runs_at_once_and_once() -> None:
    async with cockpit() as it:
        it.session.plan = replace(halt_plan(Verdict.FAIL), danger=Danger.OBSERVE)
        await it.press("K")
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        await it.press("y", after_s=2)
        assert len(it.session.submitted) == 1


async def test_a_disruptive_step_takes_the_name_of_its_target_and_no_reason() -> None:
    async with cockpit() as it:
        it.session.plan = replace(halt_plan(), danger=Danger.DISRUPT, phrase="ws-gateway", target="ws-gateway")
        await it.press("K")
        await it.press("y", "enter", after_s=1)
        assert it.session.submitted == []
        await it.press("backspace", after_s=1)
        for key in "ws-gateway":
            await it.press("minus" if key == "-" else key, after_s=0.1)
        await it.sees("matches")
        await it.press("enter", after_s=0.5)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        assert it.session.submitted[0][1].typed == "ws-gateway"
