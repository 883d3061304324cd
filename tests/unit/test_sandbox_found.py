"""A sandbox is taken for ours only where nobody else could have made it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cockpit.errors import ConfigError, SandboxError
from cockpit.headless.platform import find_platform
from cockpit.sandbox import folders
from cockpit.sandbox.layout import Layout, Ports
from cockpit.session import find_world

NOBODY = 65534
BELIEVED = (".", "run", "run/lock", "sandbox.json", "cockpit.yaml")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as a running sandbox keeps it, where the shared one is looked for."""
    place = tmp_path / "box"
    (place / "run").mkdir(parents=True)
    Layout(place, Ports(*(1 for _ in fields(Ports)))).save()
    (place / "cockpit.yaml").write_text(f"site: sandbox\nworld: SANDBOX\nroot: {place}\n")
    (place / "run" / "lock").write_text(f"{os.getpid()}\n")
    for name in BELIEVED:
        (place / name).chmod(0o700 if (place / name).is_dir() else 0o600)
    monkeypatch.setattr(folders, "shared_folder", lambda: place)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    with (place / "run" / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield place


def test_our_own_is_found(place: Path) -> None:
    settings = find_world(None)
    assert settings is not None and settings.site == "sandbox"
    assert folders.owner_pid(place) == os.getpid()


@pytest.fixture
def private(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same sandbox as a private one, with no shared one beside it."""
    folder = place.rename(place.parent / f"{folders.PRIVATE_PREFIX}abcdefgh")
    Layout(folder, Ports(*(1 for _ in fields(Ports)))).save()
    (folder / "cockpit.yaml").write_text(f"site: sandbox\nworld: SANDBOX\nroot: {folder}\n")
    for name in BELIEVED[3:]:
        (folder / name).chmod(0o600)
    monkeypatch.setattr(folders, "base_folder", lambda: place.parent)
    return folder


def test_a_command_takes_a_private_one_and_says_so(private: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_world(None) is None, "the cockpit itself starts its own"
    newer = private.with_name(f"{folders.PRIVATE_PREFIX}notalive")
    shutil.copytree(private, newer)
    assert find_platform(None).root == private
    assert capsys.readouterr().err == f"cockpit: using the private sandbox in {private}\n"


@pytest.mark.parametrize("name", BELIEVED)
def test_a_private_one_that_others_could_have_written_is_not_taken(private: Path, name: str) -> None:
    for_all(private / name)
    with pytest.raises(ConfigError, match="no platform"):
        find_platform(None)


def by_nobody(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, NOBODY, NOBODY)


def for_the_group(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o020)


def for_all(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o002)


def behind_a_link(path: Path) -> None:
    aside = path.parent.parent / f"{path.parent.name}-{path.name}-aside"
    path.resolve().rename(aside)
    path.absolute().symlink_to(aside)


@pytest.mark.parametrize("done", [by_nobody, for_the_group, for_all, behind_a_link])
@pytest.mark.parametrize("name", BELIEVED)
def test_what_somebody_else_could_have_written_is_not(place: Path, name: str, done: Callable[[Path], None]) -> None:
    path = place / name if name != "." else place
    done(path)
    assert find_world(None) is None
    if not name.endswith((".json", ".yaml")):
        assert folders.owner_pid(place) is None, "its process id is nobody's to tell"


def test_a_layout_of_another_folder_is_not(place: Path, tmp_path: Path) -> None:
    facts = json.loads((place / "sandbox.json").read_text())
    (place / "sandbox.json").write_text(json.dumps({**facts, "folder": str(tmp_path)}))
    assert find_world(None) is None


def test_a_sandbox_that_says_it_is_live_is_refused(place: Path) -> None:
    (place / "cockpit.yaml").write_text(f"site: sandbox\nworld: LIVE\nroot: {place}\n")
    with pytest.raises(ConfigError, match="its world is LIVE"):
        find_world(None)


@pytest.mark.parametrize("theirs", [("run",), ("run", "bin", "logs", "state"), ("platform",), ()])
def test_a_folder_that_is_no_sandbox_is_not_emptied(theirs: tuple[str, ...]) -> None:
    """A fund's own root has a folder `run` too."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for each in theirs:
            (folder / each).mkdir()
        (folder / "ledger.db").write_text("money")
        with pytest.raises(SandboxError, match="no sandbox made"):
            folders.prepare(folder)
        assert (folder / "ledger.db").read_text() == "money"


def test_what_a_sandbox_left_behind_is_made_room_for() -> None:
    with TemporaryDirectory() as name:
        folders.prepare_run(Path(name))
        (Path(name) / "platform" / "ledger.db").write_text("training")
        folders.prepare_run(Path(name))
        assert not any((Path(name) / "platform").iterdir())
