"""The first frame loads the toolkit and the wall, nothing of the platform's clients; headless faces not even that."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.screens.application import Begin, Progress
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from tests.ui.fake_session import SETTINGS, FakeSession

HEAVY = ("msgspec", "redis", "psycopg", "httpx", "kubernetes", "yaml", "plotext", "aiohttp", "cockpit.session")


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_application_loads_no_client() -> None:
    assert not loaded_by("import cockpit.app, cockpit.screens.application, cockpit.terminal.driver") & set(HEAVY)


def test_keys_load_no_toolkit() -> None:
    modules = loaded_by("import cockpit.headless.keys, cockpit.keymap")
    assert not modules & {"textual", "rich", *HEAVY}


@asynccontextmanager
async def half_open() -> AsyncIterator[tuple[Cockpit, threading.Event]]:
    """The wall with its data, and without its session until the event is set."""
    is_loaded, healthy = threading.Event(), snapshots.healthy()
    session = FakeSession(healthy)

    def opener(progress: Progress, begin: Begin) -> tuple[Any, Any]:
        begin(session.settings, lambda: None)(replace(healthy, are_jobs_read=False))
        is_loaded.wait(20.0)
        return session, lambda view: (("ready", "ok"),)

    try:
        async with cockpit(healthy, opener=opener) as it:
            yield it, is_loaded
    finally:
        is_loaded.set()


@pytest.mark.parametrize("more", [(), ("escape",)], ids=["waits", "taken-back"])
async def test_a_halt_asked_for_before_the_session_is_there_is_served_then(more: tuple[str, ...]) -> None:
    async with half_open() as (it, is_loaded):
        await it.sees("ACTIVE")
        await it.press("K")
        await it.sees("as soon as the cockpit has started")
        await it.press(*more, after_s=1.0)
        is_loaded.set()
        await it.until(lambda: it.app.desk.session is not None, "a session")
        if not more:
            await it.sees("Cancel")
        else:
            await it.press("2")
            await it.sees("Broker outage")
            assert "Cancel" not in it.text()


async def test_what_is_typed_after_the_menu_of_steps_is_kept_with_it() -> None:
    async with half_open() as (it, is_loaded):
        await it.sees("ACTIVE")
        await it.press("space", "b", after_s=1.0)
        assert "FROZEN" not in it.text() and "Space b ›" not in it.text()
        is_loaded.set()
        await it.sees("Space b › ")


async def test_the_first_data_are_told_once_they_are_drawn_and_not_before_there_are_any() -> None:
    healthy = snapshots.healthy()
    on_screen: list[str] = []
    it: Cockpit | None = None
    is_told, nothing_yet = threading.Event(), Snapshot(1, snapshots.NOW, World.LIVE, "hf-1")

    def shown() -> None:
        assert it is not None
        on_screen.append(it.text())
        is_told.set()

    def opener(progress: Progress, begin: Begin) -> tuple[Any, Any]:
        hear = begin(SETTINGS, shown)
        hear(nothing_yet)
        assert not is_told.wait(0.2)
        hear(healthy)
        assert is_told.wait(20.0)
        hear(replace(healthy, seq=9))
        return FakeSession(healthy), lambda view: (("ready", "ok"),)

    async with cockpit(healthy, opener=opener) as opened:
        it = opened
        await opened.until(lambda: opened.app.desk.session is not None, "a session")
    assert len(on_screen) == 1 and "ACTIVE" in on_screen[0]


async def test_data_are_on_the_wall_before_the_session_is_there() -> None:
    async with half_open() as (it, is_loaded):
        await it.sees("ACTIVE")
        await it.sees("halt: not known yet")
        await it.sees("jobs not read yet")
        assert it.app.desk.session is None
        await it.press("K", "space", "escape", "enter", "2", "6", "1")
        assert it.app.is_running
        is_loaded.set()
        await it.until(lambda: it.app.desk.session is not None, "a session")
        await it.until(lambda: "jobs not read yet" not in it.text(), "the jobs")


async def test_no_screen_says_that_there_is_nothing_before_there_is_a_session() -> None:
    async with half_open() as (it, is_loaded):
        await it.sees("ACTIVE")
        for key in "234567":
            await it.press(key)
            await it.until(lambda: "the cockpit is still starting" in it.app.screen.query_one("#body").text, key)  # type: ignore[attr-defined]
        is_loaded.set()
        await it.until(lambda: it.app.desk.session is not None, "a session")
        await it.sees("the chain has not been walked here yet")


@pytest.mark.parametrize("key", ["2", "3", "5", "6", "7"])
async def test_no_screen_says_that_there_is_nothing_before_it_was_read(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may hang."""
    async with cockpit(replace(snapshots.healthy(), are_jobs_read=False)) as it:
        session = it.session
        for desk, name in ((session.incidents, "all"), (session.readiness, "last"), (session.shelf, "audit")):
            monkeypatch.setattr(desk, name, lambda *_: Future())
        await it.sees("jobs not read yet")
        await it.press(key)
        await it.sees("being read …")
        for words in (
            "no job yet",
            "none yet",
            "no record",
            "never taken",
            "not rehearsed",
            "nothing is changed by it",
        ):
            assert words not in it.text()
