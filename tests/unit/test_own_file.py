"""A configuration that changes under a running cockpit is told of, and only then."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from cockpit.observe.own_file import OwnFile
from cockpit.severity.judge import assess
from tests.unit.healthy import NOW, SETTINGS, snapshot


def test_only_other_words_are_a_change(tmp_path: Path) -> None:
    file = tmp_path / "cockpit.yaml"
    file.write_text("port: 1")
    own = OwnFile(file, SimpleNamespace(now=lambda: NOW))  # type: ignore[arg-type]
    os.utime(file, ns=(1, 1))
    own.look()
    assert own.changed is None, "touched"
    file.unlink()
    own.look()
    assert own.changed is None, "away while the sandbox is down"
    file.write_text("port: 22")
    own.look()
    assert own.changed == ("cockpit.yaml", NOW)
    file.write_text("port: 1")
    own.look()
    assert own.changed is None, "as it was"


def test_it_is_a_finding_with_what_to_do() -> None:
    changed = replace(snapshot(), config_changed=("cockpit.yaml", NOW - 60))
    (found,) = assess(changed, SETTINGS)[0].findings
    assert (found.severity.label, found.since, found.keys) == ("P3", NOW - 60, None)
    assert found.summary.startswith("cockpit.yaml has changed at ") and "leave with q" in found.by_hand
