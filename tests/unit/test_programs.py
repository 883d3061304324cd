"""Programs of the platform: whatever they do, there is a verdict, the output is whole on disk and bounded in memory."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from cockpit.clients import programs
from cockpit.clients.programs import Ended, run_program
from cockpit.errors import Refused
from cockpit.storage.output import OUTPUT, OutputFile, last_output
from cockpit.storage.redaction import Redaction

PYTHON = sys.executable


async def run(folder: Path, *command: str, timeout_s: float = 20.0, secrets: tuple[str, ...] = ()) -> Ended:
    output = OutputFile(folder, secrets)
    try:
        return await run_program(command, folder, dict(os.environ), output.write, timeout_s)
    finally:
        output.close()


async def is_gone(pid: int) -> None:
    """A killed process needs a moment, and its parent another to notice."""
    async with asyncio.timeout(30.0):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


async def test_exit_code_and_both_streams(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('\\x1b[2Jbad', file=sys.stderr); sys.exit(3)"
    ended = await run(tmp_path, PYTHON, "-c", code)
    assert (ended.code, ended.is_late) == (3, False)
    assert "\x1b" not in ended.last_line and ended.last_line.endswith("[2Jbad")
    assert (tmp_path / OUTPUT).read_bytes() == b"out\n\x1b[2Jbad\n"


async def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(Refused, match="cannot run no-such-program"):
        await run(tmp_path, "no-such-program")
    with pytest.raises(Refused, match="cannot run"):
        await run(tmp_path, str(plain))


async def test_what_is_slow_is_ended_with_its_children(tmp_path: Path) -> None:
    ended = await run(tmp_path, "sh", "-c", "sleep 600 & echo $!; wait", timeout_s=2.0)
    assert ended.is_late
    child = int((tmp_path / OUTPUT).read_text())
    await is_gone(child)


async def test_100_mb_are_whole_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    code = "import sys; [sys.stdout.write('x' * 1023 + '\\n') for _ in range(100 * 1024)]"
    ended = await run(tmp_path, PYTHON, "-c", code, secrets=("sw0rdfish",), timeout_s=60.0)
    assert ended.code == 0
    assert (tmp_path / OUTPUT).stat().st_size == 100 << 20
    assert psutil.Process().memory_info().rss - before < 20 << 20
    assert len(last_output(tmp_path)) == 4096


def test_a_secret_is_found_wherever_the_pieces_break(tmp_path: Path) -> None:
    text = b"user=ops password=sw0rdfish; again sw0rdfish" + b"." * 50 + b"sw0rdfis"
    for size in (1, 2, 3, 7, 100, 1000):
        folder = tmp_path / str(size)
        folder.mkdir()
        output = OutputFile(folder, ("sw0rdfish", "abc"))
        for at in range(0, len(text), size):
            output.write(text[at : at + size])
        output.close()
        whole = text.removesuffix(b"sw0rdfis").replace(b"sw0rdfish", b"[secret]")
        assert (folder / OUTPUT).read_bytes() == whole + b"[secret]", "half a secret at the very end is too much"


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (("sw0rd", "sw0rdfish"), b"a sw0rdfish, a sw0rd.", b"a [secret], a [secret]."),
        (("sw0rd", "rdfish"), b"a sw0rdfish.", b"a [secret]."),
        (("abcab",), b"abcabcab.", b"[secret]."),
        (("abcd", "abcdefgh"), b"abcdefg", b"[secret]"),
    ],
    ids=["one begins another", "one ends as another begins", "one overlaps itself", "a longer one cut short"],
)
def test_nothing_of_a_secret_is_shown_that_another_is_part_of(
    secrets: tuple[str, ...], text: bytes, shown: bytes
) -> None:
    for size in range(1, len(text) + 1):
        redaction = Redaction(secrets)
        pieces = [redaction.pass_on(text[at : at + size]) for at in range(0, len(text), size)]
        assert b"".join(pieces) + redaction.end() == shown, size


def pipes() -> int:
    """How many of this process are open."""
    found = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum(str(each).startswith("pipe:") for each in found)


async def test_one_that_has_ended_is_not_called_late_for_what_it_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "TERM_S", 0.1)
    command, before = ("sh", "-c", "setsid sleep 5 & echo ok; exit 0"), pipes()
    ended = await run_program(command, tmp_path, dict(os.environ), lambda piece: piece, 2.0)
    assert (ended.code, ended.last_line, ended.is_late) == (0, "ok", False)
    await asyncio.sleep(0)
    assert pipes() <= before, "what it left behind has it, and we no longer"
