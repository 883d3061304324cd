"""Which action undoes which; what cannot be undone is not here."""

from __future__ import annotations

from collections.abc import Mapping

UNDONE_BY: Mapping[str, str] = {
    "kill_switch.engage": "kill_switch.release",
    "kill_switch.release": "kill_switch.engage",
    "reroute.away": "reroute.back",
    "reroute.back": "reroute.away",
    "feed.switch": "feed.switch",
    "rollout.restart": "rollout.undo",
    "rollout.undo": "rollout.undo",
    "pg_restore.restore": "pg_restore.swap_back",
    "pg_restore.swap_back": "pg_restore.swap_back",
    "alerts.silence": "alerts.expire",
}
