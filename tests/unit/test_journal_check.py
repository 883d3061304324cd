"""Where nothing can be written into the audit, only the halt itself goes ahead."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actions.catalogue import ACTIONS
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.planner import Planner
from cockpit.jobs.rows import row_for
from cockpit.model.audit import Operator
from cockpit.model.plan import Verdict
from cockpit.storage.targets import Targets
from tests.ui.fake_session import StillClock
from tests.unit.healthy import NOW, SETTINGS, snapshot

WHO = Operator("asha", "asha@jump1", "jump1", None, None)


@pytest.mark.parametrize(("step", "verdict"), [("kill-switch", Verdict.WARN), ("snapshot", Verdict.FAIL)])
def test_only_a_halt_goes_before_a_full_disk(step: str, verdict: Verdict, tmp_path: Path) -> None:
    full = cast(Minutes, SimpleNamespace(error="no space left"))
    clock: Any = StillClock()
    planner = Planner(SETTINGS, clock, ACTIONS, Targets(tmp_path), full, tuple, str)
    plan = planner.plan(row_for(ACTIONS, step), {}, snapshot(NOW), WHO)
    (check,) = [one for one in plan.checks if one.name == "journal"]
    assert check.verdict is verdict and check.detail.startswith("no space left")
