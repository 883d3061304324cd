"""The probes that read files: registry.yaml and the newest dump."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from probe_servers import CLOCK, settings

from cockpit.clients.registry_write import why_not
from cockpit.errors import BackendError, TimedOut
from cockpit.model.backends import Dump
from cockpit.probes import dump as dump_module
from cockpit.probes.dump import DumpProbe
from cockpit.probes.registry import RegistryProbe

NESTED = """# the registry of the fund
version: 3
ingestion:
  feeds: {primary: yahoo, backup: "moneycontrol"}   # swap these two
"""


def registry(root: Path, **feeds: Any) -> RegistryProbe:
    return RegistryProbe(settings(root=str(root), feeds=feeds), CLOCK)


async def test_nested_registry_follows_a_change(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(NESTED)
    one = registry(tmp_path, primary_path="ingestion.feeds.primary", backup_path="ingestion.feeds.backup")
    found = await one.read()
    assert (found.primary, found.backup) == ("yahoo", "moneycontrol")
    assert abs(found.changed_at - time.time()) < 60
    file.write_text(NESTED.replace("primary: yahoo", "primary: moneycontrol"))
    assert (await one.read()).primary == "moneycontrol"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"backup_feed: x", "names no feed at primary_feed"),
        (b"primary_feed: [a]\nbackup_feed: x", "names no feed at primary_feed"),
        (b"primary_feed: 'a\n", "is not valid YAML, line"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"!!python/object/apply:os.system ['true']", "is not valid YAML"),
        (b"", "names no feed"),
        (b"[" * 300, "is not valid YAML"),
        (b"primary_feed: !!bool maybe", "is not valid YAML"),
        (b"since: 2026-02-30", "is not valid YAML"),
        (b"a" * (1 << 19), "is larger than 256 kB"),
        (None, "is not there"),
    ],
)
async def test_broken_registry(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "registry.yaml").write_bytes(content)
    with pytest.raises(BackendError, match=words):
        await registry(tmp_path).read()


def test_a_registry_that_could_not_be_left_its_owners_is_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text("primary_feed: yahoo\n")
    assert why_not(file) is None
    monkeypatch.setattr(os, "geteuid", lambda: 64011)
    assert "only they and root can exchange it" in (why_not(file) or "")
    assert why_not(tmp_path / "nowhere" / "registry.yaml") == f"{tmp_path / 'nowhere'} may NOT be written"


async def test_registry_that_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "registry.yaml")
    with pytest.raises(BackendError, match="is not a file"):
        await registry(tmp_path).read()


def dump(tmp_path: Path, program: str) -> DumpProbe:
    part = {"dump": str(tmp_path / "latest.dump"), "pg_restore": program}
    return DumpProbe(settings(postgres=part), CLOCK)


def program(tmp_path: Path, script: str) -> str:
    file = tmp_path / "pg_restore"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


async def judged(one: DumpProbe) -> Dump:
    async with asyncio.timeout(5):
        while (found := await one.read()).detail in ("being parsed", "not parsed yet"):
            await asyncio.sleep(0.02)
    return found


def write(tmp_path: Path, content: str, age_s: float) -> None:
    file = tmp_path / "latest.dump"
    file.write_text(content)
    os.utime(file, (time.time() - age_s, time.time() - age_s))


@pytest.mark.parametrize(
    ("script", "is_readable", "detail"),
    [
        ("exit 0", True, None),
        ("echo 'pg_restore: error: could not read from input file: end of file' >&2; exit 1", False,
         "could not read from input file: end of file"),
        ("echo 'pg_restore: error: unsupported version (1.16) in file header' >&2; exit 1", None,
         "unsupported version (1.16) in file header"),
        ("kill -9 $$", None, "pg_restore was stopped by signal 9"),
    ],
)  # fmt: skip
async def test_dump_is_parsed(tmp_path: Path, script: str, is_readable: bool | None, detail: str | None) -> None:
    write(tmp_path, "PGDMP", 100)
    one = dump(tmp_path, program(tmp_path, f'[ "$1" = -l ] && exit 0; [ "$1 $2" = "-f -" ] || exit 9; {script}'))
    assert (await one.read()).is_readable is None
    found = await judged(one)
    assert (found.is_readable, found.detail, found.size_bytes) == (is_readable, detail, 5)
    assert 99 < found.age_s < 110
    await one.close()


async def test_dump_is_parsed_once_a_change_and_never_while_fresh(tmp_path: Path) -> None:
    write(tmp_path, "one", 100)
    one = dump(tmp_path, program(tmp_path, f"[ $1 = -l ] || echo x >>{tmp_path}/runs"))
    assert (await judged(one)).is_readable
    for _ in range(5):
        assert (await one.read()).is_readable
    write(tmp_path, "half", 0)
    for _ in range(3):
        assert (await one.read()).detail == "not parsed yet"
    write(tmp_path, "whole", 50)
    assert (await judged(one)).is_readable
    assert (tmp_path / "runs").read_text() == "x\nx\n"
    await one.close()


async def test_dump_that_changes_under_the_parser_is_parsed_again(tmp_path: Path) -> None:
    write(tmp_path, "one", 100)
    one = dump(tmp_path, program(tmp_path, f'cp {tmp_path}/other "$3" 2>/dev/null && rm {tmp_path}/other; exit 0'))
    (tmp_path / "other").write_text("two!")
    os.utime(tmp_path / "other", (time.time() - 90, time.time() - 90))
    await one.read()
    async with asyncio.timeout(8):
        while not (found := await one.read()).is_readable:
            await asyncio.sleep(0.02)
    assert found.size_bytes == 4 and not (tmp_path / "other").exists()
    await one.close()


async def test_dump_of_tomorrow_has_no_age(tmp_path: Path) -> None:
    file = tmp_path / "latest.dump"
    file.write_bytes(b"PGDMP")
    os.utime(file, (time.time() + 86_400,) * 2)
    with pytest.raises(BackendError, match="ahead of our clock"):
        await dump(tmp_path, "pg_restore").read()


async def test_missing_dump_and_missing_program(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="there is no dump at"):
        await dump(tmp_path, "pg_restore").read()
    write(tmp_path, "x", 100)
    found = await judged(dump(tmp_path, "/nowhere/pg_restore"))
    assert found.is_readable is None and found.detail == "cannot run /nowhere/pg_restore: No such file or directory"


async def test_close_stops_the_parser(tmp_path: Path) -> None:
    write(tmp_path, "x", 100)
    one = dump(tmp_path, program(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 600"))
    await one.read()
    async with asyncio.timeout(5):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            await asyncio.sleep(0.02)
    pid = int((tmp_path / "pid").read_text())
    await one.close()
    async with asyncio.timeout(5):
        while is_sleeping(pid):
            await asyncio.sleep(0.02)


def is_sleeping(pid: int) -> bool:
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_hung_file_system_costs_a_deadline_and_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    calls: list[Path] = []

    def hang(path: Path) -> None:
        calls.append(path)
        gate.wait(10)

    monkeypatch.setattr(dump_module, "look", hang)
    monkeypatch.setattr(dump_module, "TIMEOUT_S", 0.2)
    one = dump(tmp_path, "pg_restore")
    for words in ("did not answer within 0.2 s", "hangs in an earlier call", "hangs in an earlier call"):
        with pytest.raises(TimedOut, match=words):
            await one.read()
    gate.set()
    assert len(calls) == 1
