"""A secret that is not where it should be is told in words, and without itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.observe.poller import Poller
from cockpit.observe.sources import sources
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
    settings = Settings.model_validate({"site": "test", "root": tmp_path, **parts})
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
