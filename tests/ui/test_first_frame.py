"""The first frame loads the toolkit and the wall, nothing of the platform's clients; headless faces not even that."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cockpit.screens.application import Begin, Progress
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from tests.ui.fake_session import FakeSession

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
        begin(session.settings)(healthy)
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
