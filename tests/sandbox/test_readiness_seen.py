"""A rehearsal on the real platform: all would work; what is broken is named with its steps; nothing is submitted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cockpit.cli import run
from cockpit.config import load
from cockpit.sandbox.layout import Layout
from cockpit.storage.alerts_in_force import AlertsInForce
from tests.sandbox.conftest import Control, wait_until


def rehearsed(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = run(["--config", str(config), "readiness", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == code
    return code, {line["name"]: line for line in found["lines"]}


def test_everything_is_rehearsed_and_what_is_broken_is_named(
    sandbox: tuple[Layout, Control], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout, _ = sandbox
    facts = yaml.safe_load(layout.config.read_text(encoding="utf-8"))
    state = tmp_path / "state"
    config = tmp_path / "cockpit.yaml"
    config.write_text(yaml.safe_dump({**facts, "state": str(state)}), encoding="utf-8")
    # A sandbox makes its first dump a moment after it is up.
    wait_until((layout.root / "backups/pg/latest.dump").is_file)
    code, lines = rehearsed(config, capsys)
    assert code == 0, [line["reason"] for line in lines.values() if line["outcome"] in ("unknown", "would not work")]
    assert lines["restore-postgres"]["reason"].startswith("dump: read in full")
    assert lines["flatten"]["outcome"] == "after another step"

    cut = tmp_path / "cut.dump"
    whole = (layout.root / "backups/pg/latest.dump").read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    flatten = ["python", "backend/ops/no_such.py", "--flatten-all"]
    broken = {
        **facts,
        "state": str(state),
        "postgres": {**facts["postgres"], "dump": str(cut), "pg_dump": "pg_dump_of_nobody"},
        "scripts": {**facts.get("scripts", {}), "flatten": flatten},
        "kubernetes": {**facts["kubernetes"], "namespace": "kube-system"},
    }
    config.write_text(yaml.safe_dump(broken), encoding="utf-8")
    code, lines = rehearsed(config, capsys)
    assert code == 16
    said = {name: f"{line['outcome']}: {line['reason']}" for name, line in lines.items()}
    assert said["restore-postgres"].startswith("would not work: dump"), said["restore-postgres"]
    assert said["dump-postgres"].startswith("would not work: program"), said["dump-postgres"]
    assert "no_such.py is not in" in said["flatten"]
    assert "would not work" in said["restart-ingestion"]
    assert said["switch-feed"].startswith("would work"), "what is well stays well"
    left = {file.name for file in state.iterdir()} - {AlertsInForce(load(config)).copy.name}
    assert left == {"readiness.json"}, "no job, no audit: nothing was submitted"
