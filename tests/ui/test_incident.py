"""The incident screen: opened, written, changed by others, closed; with keys alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

from cockpit.model.sample import Sample
from cockpit.storage.merge import CONFLICT
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit

NOTHING_OPEN = replace(snapshots.healthy(), incidents=Sample.good((), snapshots.NOW, 0.0))


@asynccontextmanager
async def opened(size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Cockpit, Path]]:
    """An open incident on the screen, and its file."""
    async with cockpit(NOTHING_OPEN, size=size) as it:
        await it.press("i")
        await it.sees("Open an incident")
        await it.press(*"redis", "tab", "ctrl+u", *"p1", "tab", *"3.3")
        await it.press("enter", after_s=1)
        await it.until(lambda: bool(open_ones(it)), "it is open")
        it.session.show(replace(NOTHING_OPEN, incidents=it.session.incidents.open_now()))
        await it.sees("Incidents 1")
        await it.sees("saved") if size[0] >= 110 else None
        yield it, next(Path(it.session.incidents._incidents.folder).glob("*.md"))
        it.session.incidents.stop(5)


def open_ones(it: Cockpit) -> object:
    return it.session.incidents.open_now().value


def later(it: Cockpit) -> bool:
    it.clock.passed += 0.2
    return True


async def saved(it: Cockpit, file: Path, words: str) -> None:
    await it.until(lambda: later(it) and words in file.read_text(), f"{words} in the file")


async def test_what_is_typed_is_in_the_file_and_letters_do_nothing_else() -> None:
    async with opened() as (it, file):
        await it.press("tab")
        await it.sees("leave the text")
        await it.press("K", "space", "q", "1")
        assert len(it.app.screen_stack) == 2
        await saved(it, file, "K q1")
        assert file.read_text().count("---") == 2
        await it.press("escape")
        await it.press("K")
        await it.sees("Stops every new order")


async def test_what_another_editor_writes_comes_in() -> None:
    async with opened() as (it, file):
        await it.press("tab", "ctrl+end", *"mine")
        await saved(it, file, "mine")
        file.write_text(file.read_text().replace("## Impact", "by vim\n\n## Impact"))
        await it.until(lambda: later(it) and "by vim" in it.text(), "it comes in")
        await it.press(*" more")
        await saved(it, file, "mine more")
        assert "by vim" in file.read_text()


async def test_a_conflict_is_shown() -> None:
    async with opened() as (it, file):
        await it.press("tab", "ctrl+home", "X")
        # Typed and not saved yet, while somebody changes the same line.
        file.write_text(file.read_text().replace("\n# redis", "\n# theirs"))
        await saved(it, file, CONFLICT)
        await it.sees("CONFLICT")
        lines = file.read_text().split("\n")
        assert {"X# redis", "# theirs"} <= set(lines)
        number = next(number for number, each in enumerate(lines, 1) if each.startswith(CONFLICT))
        await it.press("escape", "c")
        await it.sees(f"stand in it, from line {number} of the file")


async def test_what_is_pasted_is_no_conflict() -> None:
    async with opened() as (it, file):
        await it.press("tab")
        it.app.screen.post_message(events.Paste(f"quoted\n{CONFLICT} from elsewhere"))
        await saved(it, file, "> CONFLICT from elsewhere")
        assert CONFLICT not in file.read_text()


async def test_a_folder_that_refuses_is_said_and_nothing_is_lost() -> None:
    async with opened() as (it, file):
        lock = file.parent / ".cockpit" / "lock"
        lock.unlink()
        lock.mkdir()
        await it.press("tab", *"kept")
        await it.until(lambda: later(it) and "NOT SAVED" in it.text(), "said")
        drafts = it.session.incidents._drafts.folder
        await it.until(
            lambda: later(it) and any("kept" in each.read_text() for each in drafts.glob("*.json")), "a draft"
        )
        lock.rmdir()
        await saved(it, file, "kept")
        await it.until(lambda: not list(drafts.glob("*.json")), "the draft is gone")


async def test_a_note_from_the_wall_and_a_change_of_severity() -> None:
    async with opened() as (it, file):
        await it.press("1", "n", *"called the desk")
        await it.press("enter", after_s=1)
        await saved(it, file, "asha@jump1: called the desk")
        await it.press("3", "s", "ctrl+u", *"p2", "tab", *"fills again")
        await it.press("enter", after_s=1)
        await saved(it, file, "severity: P2")
        assert "P2 by asha@jump1: fills again" in file.read_text()
        await it.press("1", "s", "ctrl+u", *"p1", "tab", *"worse")
        await it.press("enter", after_s=1)
        await saved(it, file, "P1 by asha@jump1: worse")
        await it.press("3", "e")
        folder = Path(it.session.folder.name) / "exports" / file.stem
        await it.until(lambda: (folder / "timeline.json").is_file(), "it is exported")
        assert "worse" in (folder / "report.md").read_text() and "asha" not in (folder / "summary.md").read_text()
        assert it.session.noted[-1] == ("incident_exported", f"{file.stem}: three files in {folder}")


async def test_closing_says_what_is_missing() -> None:
    async with opened() as (it, file):
        await it.press("c")
        await it.sees("the Summary is empty")
        await it.press(*"oom")
        await it.press("enter", after_s=1)
        await it.sees("Something is missing")
        await it.sees("Reason to close all the same")
        await it.press("tab", "tab", *"a drill")
        await it.press("enter", after_s=1)
        await saved(it, file, "closed_by: asha@jump1")
        assert "cause: oom" in file.read_text()
        await it.until(lambda: later(it) and "closed after" in it.text(), "it is shown as closed")
        await it.press("c")
        await it.sees("It is closed already, since ")
        assert len(it.app.screen_stack) == 2


async def test_a_section_that_does_not_exist_is_refused() -> None:
    async with cockpit(NOTHING_OPEN) as it:
        await it.press("i")
        await it.sees("Open an incident")
        await it.press(*"redis", "tab", "tab", *"99")
        await it.press("enter", after_s=1)
        await it.sees("There is no section 99: it is one of 3.1, 3.2")
        assert not open_ones(it)


async def test_what_a_step_measured_is_proposed_as_lost_and_may_be_typed_over() -> None:
    async with opened() as (it, file):
        (incident,) = it.session.incidents.open_now().value or ()
        restore = replace(
            snapshots.engaged(),
            title="Restore hedgefund",
            submitted_at=incident.from_at,
            recovered_to=incident.from_at - 90,
        )
        shown = replace(NOTHING_OPEN, incidents=it.session.incidents.open_now(), jobs=(restore,))
        it.session.show(shown)
        await it.press("c")
        await it.sees("Minutes lost, as measured: 1.5. Restore hedgefund: what it put back ends")
        await it.press(*"oom", "tab")
        await it.sees("type what is right")
        await it.press("tab", *"a drill")
        await it.press("enter", after_s=1)
        await saved(it, file, "rpo_minutes: 1.5")


async def test_panels_are_inserted_as_a_table() -> None:
    async with opened() as (it, file):
        await it.press("tab", "ctrl+t")
        await saved(it, file, "| Redis | OK |")


async def test_roles_and_the_next_update() -> None:
    async with opened() as (it, file):
        await it.press("r", *"ben")
        await it.press("enter", after_s=1)
        await saved(it, file, "commander: ben")
        await it.press("u")
        await it.press("enter", after_s=1)
        await saved(it, file, "next_update: '")


async def test_what_is_looked_for_and_not_found_is_said_and_no_other_is_shown() -> None:
    async with opened() as (it, _):
        await it.sees("## Summary")
        await it.press("slash", *"nowhere")
        await it.sees("Enter looks for it")
        await it.press("enter")
        await it.sees("none has this text")
        await it.until(lambda: "## Summary" not in it.text(), "the report of no incident")
        await it.press("c")
        await it.sees("No incident is selected")
        await it.press("slash", "ctrl+u", *"redis", "enter")
        await it.sees("Found 1")
        await it.sees("## Summary")
        await it.press("slash", "ctrl+u", *"nowhere", "enter")
        await it.sees("none has this text")
        await it.press("escape")
        await it.sees("Incidents 1")
        await it.sees("## Summary")


async def test_what_is_open_is_not_guessed_before_it_was_read() -> None:
    async with cockpit(replace(snapshots.healthy(), incidents=Sample())) as it:
        for key in ("i", "n", "s"):
            await it.press(key)
            await it.sees("Not known yet which incident is open")
            assert len(it.app.screen_stack) == 1


async def test_without_an_incident_a_note_says_how_to_open_one() -> None:
    async with cockpit(NOTHING_OPEN) as it:
        await it.press("n")
        await it.sees("i opens one")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_it_fits(size: tuple[int, int]) -> None:
    async with opened(size) as (it, _):
        for words in ("Incidents 1", "─ Report", "saved", "─ Timeline", "Tab panes"):
            await it.sees(words)
        in_top_line_list_and_report = 3
        await it.until(lambda: it.text().count("DRILL") == in_top_line_list_and_report, "that it is a drill")
        await it.press("tab")
        await it.sees("redis")
        await it.press("tab")
        await it.sees("Timeline")
        assert all(len(each) <= size[0] for each in it.text().splitlines())


async def test_hostile_text_reaches_no_terminal() -> None:
    async with opened() as (it, file):
        evil = "\x1b]2;owned\x07 [/] [@click=app.exit]x[/] \u202e zero\u200bwidth"
        entry = f"{evil}\n- 2026-06-20 19:44:12Z note: {evil}\n\n## Actions"
        file.write_text(file.read_text().replace("\n## Actions", entry))
        await it.until(lambda: later(it) and "owned" in it.text(), "it comes in")
        await it.press("tab", "ctrl+end")
        text = it.text()
        assert not any(char in text for char in "\x1b\x07\u202e\u200b")
        await it.press("x")
        await saved(it, file, "x")
        assert evil in file.read_text(), "what others wrote stays as it is"
