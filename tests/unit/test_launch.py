"""What a worker is handed: the configuration that the cockpit has, whatever stands in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cockpit.config import GrafanaPart, Settings, load
from cockpit.errors import ConfigError
from cockpit.jobs.launch import SETTINGS, settings_text
from cockpit.parts import parsed
from cockpit.secret import Secret
from tests.terminal.hostile import TEXTS


def test_a_worker_reads_what_the_cockpit_has(tmp_path: Path) -> None:
    venues = [{"name": text, "backup": "\ufeff" + text} for text in TEXTS.values()]
    settings = parsed(Settings, {"site": "hf-1", "root": tmp_path, "state": tmp_path, "venues": venues})
    file = tmp_path / SETTINGS
    file.write_text(settings_text(settings), encoding="utf-8")
    assert load(file) == settings


def test_a_worker_reads_a_copy_that_is_older_than_its_program(tmp_path: Path) -> None:
    file = tmp_path / SETTINGS
    file.write_text(
        """{
 "site": "hf-1", "world": "LIVE", "root": "/platform", "state": "/state",
 "redis": null, "holidays": {"NSE": ["2026-01-26"]},
 "grafana": {
  "url": "https://graf", "token": {"env": null, "file": "/run/token", "command": null},
  "is_alertmanager": false, "ca": null, "timeout_s": 1e-05
 }
}"""
    )
    assert load(file) == Settings(
        site="hf-1",
        root=Path("/platform"),
        state=Path("/state"),
        holidays={"NSE": (date(2026, 1, 26),)},
        grafana=GrafanaPart(url="https://graf", token=Secret(file=Path("/run/token")), timeout_s=1e-05),
    )


def test_json_in_which_a_name_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="root stands twice"):
        load(tmp_path / SETTINGS, '{"site": "a", "root": "/a", "root": "/b"}')
