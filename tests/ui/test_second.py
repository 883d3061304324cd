"""Two persons in the dialogs: who asks waits and keeps what was typed, who approves sees all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from cockpit.model.approval import Consent, Standing
from cockpit.model.plan import Check, Verdict
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from tests.ui.fake_session import a_request, release_plan

SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def asking(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Cockpit]:
    """Phrase and reason are typed, and somebody else is asked."""
    async with cockpit(size=size) as it:
        it.session.release = replace(release_plan(), needs_second=True)
        await it.press("space", "b", "r")
        await it.sees("RESUME TRADING")
        await it.press(*"RESUME", "space", *"TRADING", "tab", *"back", after_s=0.5)
        await it.press("enter", after_s=0.5)
        yield it


@pytest.mark.parametrize("size", SIZES)
async def test_it_waits_for_somebody_else_and_goes_on_by_itself(size: tuple[int, int]) -> None:
    async with asking(size) as it:
        await it.sees("cockpit approve 3f2a1b22")
        assert it.session.submitted == [] and "lapses in" in it.text()
        ((plan, reason),) = it.session.seconds.asked
        assert (plan.digest, reason) == (it.session.release.digest, "back")
        await it.press("x", "enter", after_s=0.5)
        assert it.session.submitted == [], "nobody waits less by typing"
        answer = it.session.seconds.answer
        it.session.seconds.answer = replace(answer, standing=Standing.APPROVED, words="approved by ben", by="ben")
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        ((_, confirmation),) = it.session.submitted
        assert (confirmation.typed, confirmation.reason) == ("RESUME TRADING", "back")
        assert (confirmation.approval, confirmation.break_glass) == (answer.id, False)


@pytest.mark.parametrize("size", SIZES)
async def test_that_nobody_else_could_is_said_before_anything_is_typed(size: tuple[int, int]) -> None:
    async with cockpit(size=size) as it:
        it.session.release = replace(release_plan(), needs_second=True, why_nobody="the state folder is not shared")
        await it.press("space", "b", "r")
        await it.sees("Nobody else can approve it: the state folder is not")
        await it.press(*"RESUME", "space", *"TRADING", "tab", *"back", after_s=0.5)
        await it.sees("Ctrl-G   alone: ")
        assert "asks for a second person" not in it.text()
        await it.press("enter", after_s=0.5)
        await it.sees("There is nobody to ask")
        assert it.session.submitted == it.session.seconds.asked == []
        await it.press("ctrl+g", *"BREAK", "space", *"GLASS", "enter", after_s=0.5)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted alone")
        assert it.session.submitted[0][1].break_glass


async def test_a_refusal_is_told_and_what_was_typed_stays() -> None:
    async with asking() as it:
        await it.sees("cockpit approve")
        answer = it.session.seconds.answer
        it.session.seconds.answer = replace(answer, standing=Standing.REFUSED, words="refused by ben: not now")
        await it.sees("No second person: refused by ben: not now.")
        assert "● matches" in it.text() and "back" in it.text()
        assert it.session.submitted == []


async def test_esc_takes_the_request_back_before_it_closes_the_dialog() -> None:
    async with asking() as it:
        await it.sees("cockpit approve")
        await it.press("escape", after_s=0.5)
        await it.sees("● matches")
        assert it.session.seconds.withdrawn == [it.session.seconds.answer.id]
        await it.press("escape", after_s=0.5)
        await it.sees("Brokers")
        assert it.session.submitted == []


async def test_another_plan_is_another_request() -> None:
    async with asking() as it:
        await it.sees("cockpit approve")
        it.session.release = replace(it.session.release, parameters=(("halted_by", "somebody else"),))
        await it.sees("What would be done has changed")
        assert it.session.seconds.withdrawn and it.session.submitted == []


async def test_the_glass_is_broken_by_another_gesture() -> None:
    async with asking() as it:
        await it.sees("cockpit approve")
        await it.press("ctrl+g", after_s=0.5)
        await it.sees("Alone, against the rule of two persons")
        await it.press(*"BREAK", "space", *"GLAS", "enter", after_s=0.5)
        await it.sees("Type exactly: BREAK GLASS")
        assert it.session.submitted == []
        await it.press("S", "enter", after_s=0.5)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        ((_, confirmation),) = it.session.submitted
        assert confirmation.break_glass and confirmation.reason == "back"


async def test_the_glass_needs_phrase_and_reason_first() -> None:
    async with cockpit() as it:
        it.session.release = replace(release_plan(), needs_second=True)
        await it.press("space", "b", "r")
        await it.sees("RESUME TRADING")
        await it.press("ctrl+g", after_s=0.5)
        await it.sees("Type exactly: RESUME TRADING")
        await it.press(*"RESUME", "space", *"TRADING", "ctrl+g", after_s=0.5)
        await it.sees("Give a reason")
        assert it.session.submitted == []


async def test_where_nobody_else_is_needed_it_says_so_and_asks_nobody() -> None:
    async with cockpit() as it:
        it.session.release = release_plan()
        await it.press("space", "b", "r")
        await it.sees("none needed in this world")
        await it.press(*"RESUME", "space", *"TRADING", "tab", *"back", "ctrl+g", "enter", after_s=0.5)
        await it.until(lambda: len(it.session.submitted) == 1, "submitted")
        assert it.session.seconds.asked == [] and not it.session.submitted[0][1].break_glass


@asynccontextmanager
async def asked(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Cockpit]:
    """Somebody else asks, and the dialog is open."""
    async with cockpit(replace(snapshots.healthy(), requests=(a_request(),)), size) as it:
        await it.sees("ben asks for a second person › a" if size[0] > 100 else "ben asks › a")
        await it.press("a", after_s=0.5)
        await it.sees("Approve: Release the kill switch")
        yield it


@pytest.mark.parametrize("size", SIZES)
async def test_who_approves_sees_the_plan_and_types_the_phrase(size: tuple[int, int]) -> None:
    async with asked(size) as it:
        assert "because: brokers are back" in it.text()
        await it.press(*"RESUME", "space", *"TRADIN", "enter", after_s=0.5)
        await it.sees("Type exactly: RESUME TRADING, or REFUSE")
        await it.sees("All below is what your own cockpit would do")
        assert it.session.seconds.approved == []
        await it.press("G", "enter", after_s=0.5)
        await it.sees("approved: Release the kill switch of ben")
        assert it.session.seconds.approved == [(a_request(), Consent("RESUME TRADING"))]


async def test_what_who_asks_wrote_for_people_is_not_shown() -> None:
    lie = "Nothing at all happens"
    forged = replace(a_request().plan, title=lie, sentence=lie, impact=(lie,), undo=lie, phrase="ok")
    request = replace(a_request(), plan=forged)
    async with cockpit(replace(snapshots.healthy(), requests=(request,))) as it:
        await it.sees("ben asks for a second person")
        await it.press("a", after_s=0.5)
        await it.sees("Approve: Release the kill switch")
        await it.sees("Lets every order pass again")
        assert lie not in it.text()
        await it.press("o", "k", "enter", after_s=0.5)
        await it.sees("Type exactly: RESUME TRADING, or REFUSE")
        assert it.session.seconds.approved == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_known", [True, False])
async def test_what_ones_own_cockpit_would_not_do_is_refused_or_left(size: tuple[int, int], is_known: bool) -> None:
    async with asked(size) as it:
        seconds = it.session.seconds
        await it.press(*"RESUME", "space", *"TRADING", after_s=0.5)
        seconds.mine, seconds.against = seconds.mine if is_known else None, ("command: asked for is FLUSHALL",)
        await it.sees("This is not what your own cockpit would do")
        await it.sees("command: asked for is FLUSHALL")
        await it.press(*"RESUME", "space", *"TRADING", "enter", after_s=0.5)
        await it.sees("It cannot be approved here: command: asked for is FLUSHALL")
        assert seconds.approved == [] and "to approve" not in it.text()
        assert "Asked for HSET policy:kill_switch" in it.text() and ("Ours" in it.text()) is is_known


@pytest.mark.parametrize("size", SIZES)
async def test_what_would_be_refused_on_ones_own_look_is_not_approved(size: tuple[int, int]) -> None:
    async with asked(size) as it:
        seconds, check = it.session.seconds, Check("brokers up", Verdict.FAIL, "IBKR is down", 0.1)
        seconds.mine = replace(it.session.release, needs_second=True, checks=(check,))
        await it.sees("Here it would be refused now: brokers up: IBKR is down")
        await it.sees("It cannot be approved here, because of: brokers up")
        await it.press("ctrl+o", *"RESUME", "space", *"TRADING", "enter", after_s=0.5)
        await it.sees("Refused on our own look, and so is the yes: brokers up: IBKR is down")
        assert seconds.approved == [] and "Ctrl-O" not in it.text() and "to approve" not in it.text()


async def test_what_may_be_overridden_is_with_a_reason() -> None:
    async with asked() as it:
        seconds, check = it.session.seconds, Check("disk", Verdict.UNKNOWN, "nobody knows", 0.1, is_overridable=True)
        seconds.mine = replace(it.session.release, needs_second=True, checks=(check,))
        await it.sees("overrides it; then give the phrase and a reason")
        await it.press("ctrl+o", *"RESUME", "space", *"TRADING", "enter", after_s=0.5)
        await it.sees("Say why you override it")
        assert seconds.approved == [] and "▲ Overridden: disk" in it.text()
        await it.press(*"ok", "enter", after_s=0.5)
        await it.sees("approved: Release the kill switch of ben")
        assert seconds.approved == [(a_request(), Consent("RESUME TRADING", ("disk",), "ok"))]


async def test_what_begins_to_fail_after_an_override_forbids_it_again() -> None:
    async with asked() as it:
        seconds, disk = it.session.seconds, Check("disk", Verdict.FAIL, "full", 0.1, is_overridable=True)
        seconds.mine = replace(it.session.release, needs_second=True, checks=(disk,))
        await it.sees("overrides it; then give the phrase and a reason")
        await it.press("ctrl+o", after_s=0.5)
        await it.sees("▲ Overridden: disk")
        clock = replace(disk, name="clock")
        seconds.mine = replace(seconds.mine, checks=(disk, clock))
        await it.sees("It cannot be approved here, because of: clock")
        await it.press(*"RESUME", "space", *"TRADING", "tab", *"ok", "enter", after_s=0.5)
        await it.sees("Refused on our own look, and so is the yes: clock: full")
        assert seconds.approved == []


async def test_who_refuses_says_why() -> None:
    async with asked() as it:
        await it.press(*"REFUSE", "enter", after_s=0.5)
        await it.sees("Say why")
        await it.press(*"no", "enter", after_s=0.5)
        await it.sees("refused: Release the kill switch of ben")
        assert it.session.seconds.refused == [(a_request(), "no")]


async def test_too_early_and_pasted_approve_nothing() -> None:
    from textual import events

    async with asked() as it:
        it.app.screen.post_message(events.Paste("RESUME TRADING"))
        await it.sees("Pasted text does not count")
        await it.press("enter", after_s=0.5)
        assert it.session.seconds.approved == []


async def test_where_nobody_asks_the_key_says_so() -> None:
    async with cockpit() as it:
        await it.press("a")
        await it.sees("Nobody asks for a second person")
