"""What a worker is handed: the configuration that the cockpit has, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

from cockpit.config import Settings, load
from cockpit.jobs.launch import SETTINGS, settings_text
from tests.terminal.hostile import TEXTS


def test_a_worker_reads_what_the_cockpit_has(tmp_path: Path) -> None:
    venues = [{"name": text, "backup": "\ufeff" + text} for text in TEXTS.values()]
    settings = Settings.model_validate({"site": "hf-1", "root": tmp_path, "state": tmp_path, "venues": venues})
    file = tmp_path / SETTINGS
    file.write_text(settings_text(settings), encoding="utf-8")
    assert load(file) == settings
