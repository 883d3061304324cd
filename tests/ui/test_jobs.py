"""The jobs' screen: what a job printed is followed, scrolled and searched; nothing of it is trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.model.job import Phase
from cockpit.storage.output import OUTPUT
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from widgets.jobs_rows import list_rows
from widgets.line import plain, width_of

RUNNING = replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.RUNNING),))


def test_the_list_beside_a_job_names_each_in_full() -> None:
    job = snapshots.engaged()
    older = replace(job, submitted_at=job.submitted_at - 86400, title="Release")
    (_, row) = list_rows((job,), job.id, snapshots.NOW, 48, 9)
    assert "Engage the kill switch " in plain(row) and width_of(row) == 48
    both = [plain(each) for each in list_rows((job, older), job.id, snapshots.NOW, 80, 9)[1:]]
    assert both[0].index("Engage") == both[1].index("Release"), "in one column, whatever day it was"


def test_a_list_that_is_cut_says_how_much_is_not_seen() -> None:
    job = snapshots.engaged()
    jobs = tuple(replace(job, id=str(number)) for number in range(9))
    heads = [plain(list_rows(jobs, picked, snapshots.NOW, 80, 6)[0]) for picked in ("0", "4", "8")]
    assert [head.strip("─ ").removeprefix("Jobs ").strip("─ ") for head in heads] == [
        "↓ 4 more",
        "↑ 2   ↓ 2 more",
        "↑ 4",
    ]
    assert "more" not in plain(list_rows(jobs, "0", snapshots.NOW, 80, 10)[0])


async def test_a_text_that_is_not_there_is_said() -> None:
    async with cockpit(RUNNING) as it:
        await it.press("6", "slash", *"failed", "enter")
        await it.sees("failed: this job printed nothing")


def printed(it: Cockpit, folder: Path, text: bytes) -> None:
    (folder / OUTPUT).write_bytes(text)
    it.session.shelf.folder = folder


def tick(it: Cockpit) -> None:
    it.app.screen.tick()  # type: ignore[attr-defined]


async def test_the_end_is_followed_until_somebody_scrolls(tmp_path: Path) -> None:
    lines = [f"row {number:05}" for number in range(30_000)]
    async with cockpit(RUNNING) as it:
        printed(it, tmp_path, "\n".join(lines).encode())
        await it.press("6")
        await it.sees("row 29999")
        (tmp_path / OUTPUT).write_bytes("\n".join([*lines, "one more"]).encode())
        tick(it)
        await it.sees("one more")
        await it.press("pageup")
        await it.until(lambda: "one more" not in it.text(), "scrolled")
        await it.press("home")
        await it.sees("row 00000")
        await it.press(*["pagedown"] * 3)
        await it.until(lambda: "row 00000" not in it.text(), "scrolled")
        await it.press("end")
        await it.sees("one more")


async def test_scrolling_through_the_edges_of_pages_misses_nothing(tmp_path: Path) -> None:
    lines = [f"row {number:05} {'x' * 50}" for number in range(3000)]
    async with cockpit(RUNNING) as it:
        printed(it, tmp_path, "\n".join(lines).encode())
        await it.press("6", "z")
        await it.sees("row 02999")
        seen: set[str] = set()
        for _ in range(200):
            shown = [text.split()[1] for text in it.text().splitlines() if text.startswith("row ")]
            assert [int(each) for each in shown] == list(range(int(shown[0]), int(shown[0]) + len(shown)))
            seen.update(shown)
            if "00000" in shown:
                break
            before = shown[0]
            await it.press("pageup")
            await it.until(lambda before=before: f"row {before}" not in it.text().splitlines()[3], "a page back")  # type: ignore[misc]
        assert len(seen) == 3000


async def test_search_goes_on_and_back_and_marks_what_it_finds(tmp_path: Path) -> None:
    lines = [f"row {number:05}{' Failed' if number % 9000 == 100 else ''}" for number in range(20_000)]
    async with cockpit(RUNNING) as it:
        printed(it, tmp_path, "\n".join(lines).encode())
        await it.press("6", "slash", *"failed", "enter")
        await it.sees("row 00100 Failed")
        await it.press("n")
        await it.sees("row 09100 Failed")
        await it.press("n", "n")
        await it.sees("failed: not after this line")
        assert "row 18100 Failed" in it.text()
        await it.press("N")
        await it.sees("row 09100 Failed")
        await it.press("escape")
        await it.until(lambda: "n next" not in it.text(), "cleared")
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.app.overview, "the wall")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_hostile_output_reaches_no_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    from tests.terminal.hostile import TEXTS

    text = "\n".join(TEXTS.values()).encode("utf-8", "surrogatepass") + b"\xff\xfe" + b"z" * (1 << 20)
    async with cockpit(RUNNING, size=size) as it:
        printed(it, tmp_path, text)
        await it.press("6", "home", "z", "right", "pagedown", "slash", "[", "slash", "enter")
        strips = it.app.screen._compositor.render_strips()
        assert all(segment.text.isprintable() for strip in strips for segment in strip if not segment.control)
        assert it.app._exception is None


async def test_undo_opens_the_step_that_undoes_it_and_only_that() -> None:
    done = replace(snapshots.engaged(Phase.DONE), action="kill_switch.engage")
    other = replace(done, id="20260620-200000-000-x", action="script.replay", title="Replay")
    async with cockpit(replace(snapshots.healthy(), jobs=(other, done))) as it:
        await it.press("6", "u")
        await it.sees("No step undoes this: Replay")
        await it.press("j", "u")
        await it.sees("Lets every order pass again")
        await it.press("escape")
        assert it.session.submitted == []
        it.session.show(replace(snapshots.healthy(), jobs=(replace(done, phase=Phase.VERIFYING, ended_at=None),)))
        await it.press("u")
        await it.sees("what is not over cannot be undone")


def test_what_is_undone_is_what_was_done() -> None:
    from actions.catalogue import ACTIONS
    from actions.undoing import undoing

    found = undoing("rollout.restart", "api", ACTIONS)
    assert found is not None and (found[0].step, found[1]) == ("undo-rollout", {"deployment": "api"})
    found = undoing("rollout.scale", "router", ACTIONS)
    assert found is not None and (found[0].step, found[1]) == ("scale", {"deployment": "router"})
    found = undoing("kill_switch.engage", "policy:kill_switch", ACTIONS)
    assert found is not None and found[1] == {}
    assert undoing("script.replay", "ledger.db", ACTIONS) is None
    elsewhere = [replace(row, parameters=(("deployment", "router"),)) for row in ACTIONS if row.id == "rollout.undo"]
    assert undoing("rollout.restart", "api", elsewhere) is None


def test_what_undoes_is_a_step() -> None:
    from actions.catalogue import ACTIONS
    from actions.undoing import UNDONE_BY

    known = {step.id for step in ACTIONS}
    assert set(UNDONE_BY) | {how.action for how in UNDONE_BY.values()} <= known


async def test_a_job_is_stopped_only_where_that_does_no_harm_and_only_on_purpose() -> None:
    whole = snapshots.engaged(Phase.RUNNING)
    async with cockpit(replace(snapshots.healthy(), jobs=(whole,))) as it:
        await it.press("6", "c")
        await it.sees("cannot be stopped half-way")
        it.session.show(replace(snapshots.healthy(), jobs=(replace(whole, is_cancellable=True),)))
        await it.press("c")
        await it.sees("Stop half-way")
        await it.press("y")
        assert it.session.said == [], "too early to be meant"
        await it.press("enter", "y", after_s=2)
        assert it.session.said == [("cancel", whole.id)]
        it.session.show(replace(snapshots.healthy(), jobs=(replace(whole, is_cancellable=True, cancelled_by="ravi"),)))
        await it.press("c")
        await it.sees("ravi has asked it to stop")
        it.session.show(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.DONE),)))
        await it.press("c")
        await it.sees("there is nothing to stop")


async def test_a_word_for_a_job_in_doubt_needs_a_choice_and_a_reason() -> None:
    async with cockpit(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.DONE),))) as it:
        await it.press("6", "r")
        await it.sees("Only a job in doubt")
        job = snapshots.engaged(Phase.IN_DOUBT)
        it.session.show(replace(snapshots.healthy(), jobs=(job,)))
        await it.press("r")
        await it.sees("It was")
        await it.press("x")
        await it.sees("too early")
        await it.press("enter", after_s=2)
        await it.sees("Say first whether it was done")
        await it.press("right", "right", after_s=1)
        await it.press("enter", after_s=2)
        await it.sees("Give a reason")
        await it.press(*"seen it", after_s=0.2)
        await it.press("enter", after_s=2)
        assert it.session.said == [("resolve", job.id, False, "seen it")]
        await it.sees("not as a proof")
