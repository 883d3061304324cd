"""A folder that is truly mounted, read-only or full: said at once, the text kept, and saved when it can be."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from cockpit.clock import SystemClock
from cockpit.errors import JournalError
from cockpit.incidents.log import IncidentLog
from cockpit.model.severity import Severity
from cockpit.storage.incident_front import read
from tests.unit.healthy import SETTINGS, snapshot


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not let us mount: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB below the platform's root."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    except FileNotFoundError:
        pytest.skip("this machine has no mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=False)


@pytest.fixture
def log(disk: Path, tmp_path: Path) -> Iterator[IncidentLog]:
    settings = structs.replace(SETTINGS, root=tmp_path)
    log = IncidentLog(settings, SystemClock(), "asha@jump1", tmp_path / "state" / "drafts", lambda *_: None)
    log.start()
    yield log
    log.stop(5.0)


def until(is_true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_what_is_typed_waits_for_the_disk(how: str, disk: Path, log: IncidentLog, tmp_path: Path) -> None:
    name = log.open("Redis down", Severity.P1, "3.3", snapshot()).result(30).id
    until(lambda: log.open_now().value)
    file = disk / "incidents" / f"{name}.md"
    base = log.load(name).result(30).base
    before, filler = file.read_text(), disk / "filler"
    if how == "full":
        with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as rest:
            while True:
                rest.write(b"x" * 4096)
    else:
        mount("-o", "remount,ro", str(disk))
    mine = base.replace("## Summary\n", "## Summary\n\nwritten meanwhile\n")
    words = "No space left" if how == "full" else "Read-only file system"
    with pytest.raises(JournalError, match=rf"(?i){words}.*kept in {tmp_path}/state/drafts"):
        log.save(name, base, mine).result(30)
    assert str(tmp_path / "state" / "drafts") in log.note("said meanwhile").result(30)
    assert words.lower() in log.error.lower()
    assert file.read_text() == before
    if how == "full":
        filler.unlink()
    else:
        mount("-o", "remount,rw", str(disk))
    loaded = log.load(name).result(30)
    assert "written meanwhile" in loaded.base and loaded.mine == loaded.base
    until(lambda: "said meanwhile" in file.read_text())
    assert "written meanwhile" in file.read_text() and read(file.read_text())[1] == ""
    until(lambda: not list((tmp_path / "state" / "drafts").glob("*.body.json")))
