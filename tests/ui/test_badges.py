"""A panel is never called OK above a row of its own that is drawn as critical."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cockpit.model.backends import Container, Docker
from cockpit.model.severity import Severity
from cockpit.severity.judge import assess
from tests.unit.healthy import NOW, SETTINGS, dead, docker, heartbeats, postgres, redis, risk, snapshot
from tests.unit.test_severity_rules import CASES, waiting
from widgets.panels.catalogue import PANELS
from widgets.view import View
from widgets.wall_rows import panel_body, severity_of

MOMENTS: dict[str, dict[str, Any]] = {
    **{case.name: case.changed for case in CASES},
    "a lock that is waited for since a moment": {"postgres": postgres(blocked=waiting(0.4))},
    "exactly at its limit": {"risk": risk(var_99=2_000_000.0, drawdown_pct=0.05)},
    "nothing answers": {name: dead() for name in ("redis", "venues", "docker", "postgres", "kubernetes")},
    "memory full": {"redis": redis(used_bytes=250, limit_bytes=256)},
    "two containers": {"docker": docker(redis="exited", postgres="exited")},
    "a container nobody knows": {"docker": Docker("27", (Container("loki", "dead", "", None, 9.0, 1),))},
    "all silent": {"heartbeats": heartbeats(router=60.0, api=60.0, candles=60.0)},
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_critical_stands_under_an_ok(moment: str) -> None:
    found = snapshot(**MOMENTS[moment])
    view = View(replace(found, assessment=assess(found, SETTINGS)[0]), NOW, SETTINGS)
    for panel in PANELS:
        if severity_of(view, panel) is Severity.OK:
            rows = [*panel_body(view, panel, 38, 12), *panel_body(view, panel, 90, 60), panel.summary(view, 200)]
            assert not [(panel.id, text) for row in rows for text, ink in row if ink == "crit"]
