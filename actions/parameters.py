"""What each action may be told: the names that a row of the runbook may fix, and `--set` may give."""

from __future__ import annotations

from collections.abc import Mapping

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "kill_switch.engage": ("reason",),
    "kill_switch.release": ("reason",),
    "reroute.away": ("venue", "to"),
    "reroute.back": ("venue",),
    "rollout.restart": ("deployment",),
    "rollout.undo": ("deployment",),
    "rollout.scale": ("deployment", "to"),
    "container.restart": ("container",),
    "alerts.silence": ("alert", "minutes"),
    "alerts.expire": ("silence",),
    "snapshot.take": ("redis", "ledger"),
    "feed.switch": ("to",),
    "notify.send": ("audiences", "note", "only", "full_subject", "full_body", "summary_subject", "summary_body"),
    "backend.terminate": ("pid",),
    "pg_restore.swap_back": ("mode", "database"),
    "pg_restore.drop_old": ("database",),
}
