"""Calls that overrun are abandoned: at once, silently, and without piling up."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import time

import pytest

from cockpit.clients.bounded import DaemonPool, SoloThread, bounded, in_daemon_thread
from cockpit.errors import TimedOut
from tests.patience import PATIENCE_S


async def stubborn(may_end: asyncio.Event) -> None:
    """Swallows the cancel once, as drivers that wait for their own clean-up do, then fails."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await may_end.wait()
        raise RuntimeError("too late") from None


async def test_result_and_error_pass_through() -> None:
    async def fail() -> None:
        raise KeyError("inner")

    assert await bounded(asyncio.sleep(0, "value"), 1) == "value"
    with pytest.raises(KeyError):
        await bounded(fail(), 1)


async def test_overrun_is_abandoned_within_its_limit_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    may_end = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(TimedOut, match=r"redis did not answer within 0\.05 s"):
            await bounded(stubborn(may_end), 0.05, "redis")
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    may_end.set()
    await asyncio.wait(others, timeout=PATIENCE_S)
    del others
    gc.collect()
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno >= logging.WARNING] == []


async def test_cancelling_the_caller_abandons_the_call() -> None:
    inner = asyncio.ensure_future(asyncio.sleep(60))
    outer = asyncio.ensure_future(bounded(inner, 30))
    await asyncio.sleep(0)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    await asyncio.wait({inner}, timeout=PATIENCE_S)
    assert inner.cancelled()


async def test_hanging_thread_refuses_the_next_call_until_it_ends() -> None:
    release = threading.Event()
    thread = SoloThread("kubernetes")
    with pytest.raises(TimedOut, match="kubernetes did not answer"):
        await thread.call(0.05, release.wait, 30)
    assert thread.is_busy
    with pytest.raises(TimedOut, match="kubernetes hangs"):
        await thread.call(0.05, lambda: 1)
    release.set()
    deadline = time.monotonic() + PATIENCE_S
    while thread.is_busy and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    assert await thread.call(1, lambda: 7) == 7


def test_daemon_thread_carries_the_error() -> None:
    def fail() -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        in_daemon_thread(fail).result(PATIENCE_S)


async def test_daemon_pool_serves_as_the_default_executor() -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonPool())
    assert await loop.run_in_executor(None, lambda: threading.current_thread().daemon)


def test_a_hanging_call_does_not_keep_the_process_alive() -> None:
    code = (
        "import threading; from cockpit.clients.bounded import in_daemon_thread;"
        "in_daemon_thread(threading.Event().wait)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=False).returncode == 0


async def test_quick_calls_of_one_turn_share_a_thread_and_its_wake() -> None:
    looks = [SoloThread(name, is_quick=True) for name in ("registry", "dump", "alerts")]
    found = await asyncio.gather(*(look.call(PATIENCE_S, threading.get_ident) for look in looks))
    assert len(set(found)) == 1
    assert threading.get_ident() not in found


async def test_quick_call_that_hangs_keeps_no_other_waiting() -> None:
    release = threading.Event()
    hung = SoloThread("a share", is_quick=True)
    looks = [SoloThread(name, is_quick=True) for name in ("first", "second")]
    hanging = asyncio.ensure_future(hung.call(0.5, release.wait, 30))
    found = await asyncio.wait_for(asyncio.gather(*(look.call(PATIENCE_S, lambda: 7) for look in looks)), 20)
    assert found == [7, 7]
    with pytest.raises(TimedOut, match="a share did not answer"):
        await hanging
    assert hung.is_busy
    with pytest.raises(TimedOut, match="a share hangs"):
        await hung.call(0.5, release.wait, 30)
    release.set()
    deadline = time.monotonic() + PATIENCE_S
    while hung.is_busy and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    assert await hung.call(PATIENCE_S, lambda: 8) == 8


async def test_error_of_a_quick_call_is_its_own() -> None:
    def fail() -> None:
        raise ValueError("inside")

    failing, fine = SoloThread("a", is_quick=True), SoloThread("b", is_quick=True)
    found = await asyncio.gather(failing.call(5, fail), fine.call(5, lambda: 7), return_exceptions=True)
    assert isinstance(found[0], ValueError)
    assert found[1] == 7
