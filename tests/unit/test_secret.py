"""A secret that is not where it should be is told in words, and without itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cockpit import secret as secret_module
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.observe.poller import Poller
from cockpit.observe.sources import sources
from cockpit.parts import parsed
from cockpit.secret import Secret

NOT_THERE = "No such file or directory"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (Secret(file=Path("/none/redis.secret")), "cannot read the secret in /none/redis.secret: No such file"),
        (Secret(command=("/none/pass", "show")), "the secret's command /none/pass failed: not found"),
        (Secret(command=("false",)), "the secret's command false failed: exit code 1"),
        (Secret(command=("printf", r"\377")), "the secret's command printf failed: it printed no UTF-8 text"),
    ],
)
def test_why_there_is_no_secret(secret: Secret, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        secret.reveal()
    assert str(caught.value).startswith(words)


def left_running(marker: str) -> list[int]:
    """The processes that have this word in their command, and are no zombies."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if marker.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


@pytest.mark.parametrize("script", ["sleep 97.{0} & wait", "sleep 97.{0} & exit 0", "sleep 97.{0}; true"])
def test_a_command_that_hangs_leaves_nothing_running(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_module, "COMMAND_TIMEOUT_S", 0.2)
    marker = f"{os.getpid()}{time.monotonic_ns()}"
    with pytest.raises(ConfigError, match=r"no answer within 0\.2 s"):
        Secret(command=("sh", "-c", script.format(marker))).reveal()
    until = time.monotonic() + 5.0
    while left := left_running(marker):
        if time.monotonic() > until:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            pytest.fail(f"{len(left)} left running")


def test_a_file_that_is_no_text_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigError) as caught:
        Secret(file=tmp_path / "secret").reveal()
    assert str(caught.value) == f"cannot read the secret in {tmp_path / 'secret'}: it is no UTF-8 text"


async def test_a_backend_without_its_secret_is_not_asked(tmp_path: Path) -> None:
    secret = {"file": tmp_path / "none"}
    parts = {
        "redis": {"url": "redis://127.0.0.1:1/0", "password": secret},
        "postgres": {"dsn": "host=127.0.0.1 port=1", "password": secret},
        "grafana": {"url": "http://127.0.0.1:1", "token": secret},
    }
    settings = parsed(Settings, {"site": "test", "root": tmp_path, **parts})
    poller = Poller(sources(settings, SystemClock()), SystemClock(), lambda before, after: None)
    polling = asyncio.create_task(poller.run())
    fields = ("redis", "postgres", "alerts")
    async with asyncio.timeout(10):
        while not all(poller.samples[field].error for field in fields):
            await asyncio.sleep(0.02)
    polling.cancel()
    await poller.close()
    for field in fields:
        sample = poller.samples[field]
        assert (sample.is_asked, sample.error) == (False, f"cannot read the secret in {tmp_path}/none: {NOT_THERE}")
