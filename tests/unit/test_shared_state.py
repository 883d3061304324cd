"""A state folder that a team shares stays shared; any other is private."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.errors import JournalError
from cockpit.model.audit import AuditRecord, Operator
from cockpit.storage.audit import AuditLog
from cockpit.storage.disk import is_shared, private_folder
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.targets import Holder, Targets

TEAM, ASHA, BEN = 64001, 64011, 64012


def write(folder: Path, name: str) -> None:
    """All that a cockpit keeps there, and the others' jobs taken on."""
    log, store = AuditLog(folder), JobStore(folder / "jobs")
    log.append(AuditRecord(1.0, Operator(name, name, "jump1", None, None), "opened", "SANDBOX", "s", "", "", "", ""))
    store.create(f"1-{name}", [Entry(1.0, "submitted", {})]).release()
    for each in sorted(path.name for path in (folder / "jobs").iterdir()):
        claim = store.claim(each)
        assert claim is not None, each
        claim.release()
        store.append(each, [Entry(2.0, "note", {"text": name})])
    os.close(Targets(folder / "targets").take("redis", Holder("1", name, "x")))


def as_user(user: int, folder: Path, name: str) -> str:
    """Write as somebody of the team, in a process of their own; what went wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([TEAM])
            os.setgid(user)
            os.setuid(user)
            os.umask(0o077)
            write(folder, name)
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        words = told.read()
    os.waitpid(child, 0)
    return words


@pytest.fixture
def top() -> Iterator[Path]:
    """Other users cannot pass through pytest's own folders."""
    top = Path(tempfile.mkdtemp(prefix="cockpit-test-", dir="/tmp"))
    top.chmod(0o711)
    yield top
    shutil.rmtree(top)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other people")
def test_two_of_a_team_write_one_journal(top: Path) -> None:
    folder = top / "state"
    folder.mkdir()
    os.chown(folder, 0, TEAM)
    folder.chmod(0o2770)
    for user, name in ((ASHA, "asha"), (BEN, "ben"), (ASHA, "asha-again")):
        assert as_user(user, folder, name) == ""
    found = AuditLog(folder).verify()
    assert found.is_sound and found.lines == 3
    assert [record.who.login for record in AuditLog(folder).tail()] == ["asha", "ben", "asha-again"]
    for path in (folder, *folder.rglob("*")):
        assert mode(path) == (0o2770 if path.is_dir() else 0o660), path
        assert path.stat().st_gid == TEAM, path


@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_a_lock_on_a_full_disk_is_held_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    targets = Targets(tmp_path / "targets")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(JournalError, match="no space left"):
            targets.take("book", Holder("1", "asha", "Flatten"))
    assert targets.holder("book") is None
    os.close(targets.take("book", Holder("2", "ben", "Replay")))


def test_a_file_system_without_locks_is_said_and_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    store, before = JobStore(tmp_path / "jobs"), len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", none)
        with pytest.raises(JournalError, match="cannot be locked: no locks available"):
            store.create("1-x", [Entry(1.0, "submitted", {})])
        assert store.claim("1-x") is None
        with pytest.raises(JournalError, match="no locks available"):
            Targets(tmp_path / "targets").take("book", Holder("1", "asha", "Flatten"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("what", ["target", "job"])
def test_whoever_only_looks_keeps_nobody_from_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    targets, store = Targets(tmp_path / "targets"), JobStore(tmp_path / "jobs")
    store.create("1-x", [Entry(1.0, "submitted", {})]).release()
    os.close(targets.take("book", Holder("1", "asha", "Flatten")))
    file = tmp_path / ("targets/book.lock" if what == "target" else "jobs/1-x/lock")
    looks = [os.open(file, os.O_RDONLY)]
    fcntl.flock(looks[0], fcntl.LOCK_SH)
    monkeypatch.setattr("cockpit.storage.disk.time.sleep", lambda _: os.close(looks.pop()))
    if what == "target":
        os.close(targets.take("book", Holder("2", "ben", "Replay")))
    else:
        claim = store.claim("1-x")
        assert claim is not None
        claim.release()
    assert looks == [], "it was tried again once the look was over"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_that_is_somebody_elses_is_refused_and_not_changed(top: Path) -> None:
    folder = top / "state"
    folder.mkdir()
    os.chown(folder, ASHA, TEAM)
    folder.chmod(0o2770)
    assert "it is somebody else's, and no team's" in as_user(BEN, folder, "ben")
    with pytest.raises(JournalError, match="somebody else's"):
        private_folder(folder)
    assert mode(folder) == 0o2770


@pytest.mark.parametrize("given", [0o755, 0o775, 0o2775, 0o770, 0o777])
def test_any_other_folder_is_made_private(tmp_path: Path, given: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(given)
    private_folder(folder / "jobs")
    private_folder(folder)
    assert mode(folder) & 0o777 == 0o700 and mode(folder / "jobs") & 0o777 == 0o700
    assert not is_shared(folder)


def test_ones_own_folder_may_be_shared_too(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o2770)
    private_folder(private_folder(folder) / "jobs")
    assert mode(folder) == mode(folder / "jobs") == 0o2770
