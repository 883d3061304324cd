"""A sandbox is taken for ours only where nobody else could have made it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from cockpit.errors import ConfigError
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
