"""Light, plan check and proof say the same of one Redis: whether it takes a halt, and whether it keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from actions.kill_switch.redis_checks import redis_checks
from cockpit.clients.redis_durability import Durability, proof_of
from cockpit.model.backends import RedisServer
from cockpit.model.keeping import durable, writable
from cockpit.model.plan import Check, Verdict
from cockpit.severity.trading import halt_readiness
from tests.unit.healthy import NOW, SETTINGS, redis, snapshot


def check(server: RedisServer, name: str) -> Check:
    return next(each for each in redis_checks(SETTINGS, snapshot(redis=server), NOW) if each.name == name)


def live(server: RedisServer) -> Durability:
    """The same server as the prover reads it: nothing waits for the disk, the newest snapshot is old."""
    return Durability(
        version=(7, 2, 4),
        is_aof_on=bool(server.is_aof_on),
        is_aof_ok=bool(server.is_aof_ok),
        is_aof_flushed=True,
        appendfsync=server.appendfsync,
        is_save_on=server.is_save_on,
        is_save_ok=bool(server.is_save_ok),
        save_covers_until=NOW - 60,
        unsaved_changes=10,
        role=server.role,
        replicas=server.replicas or 0,
    )


@pytest.mark.parametrize(
    ("changed", "is_durable"),
    [
        ({}, True),
        ({"appendfsync": "always"}, True),
        ({"appendfsync": "no"}, False),
        ({"appendfsync": None}, False),
        ({"is_aof_ok": False}, False),
        ({"is_aof_ok": None}, False),
        ({"is_aof_on": False}, False),
        ({"is_aof_on": None}, False),
        ({"is_aof_on": False, "is_save_on": None}, False),
        ({"is_aof_on": False, "is_save_on": False}, False),
    ],
)
def test_what_a_crash_may_forget_is_green_nowhere(changed: dict[str, Any], is_durable: bool) -> None:
    server = redis(**changed)
    assert durable(server).is_good is is_durable
    assert halt_readiness(snapshot(redis=server), SETTINGS).is_durable is is_durable
    assert check(server, "durable").verdict is (Verdict.PASS if is_durable else Verdict.WARN)
    assert (proof_of(live(server), NOW, NOW + 5) is not None) is is_durable
    assert durable(live(server)).is_good is is_durable


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"limit_bytes": None}, Verdict.PASS),
        ({"refuses_writes": True}, Verdict.FAIL),
        ({"refuses_writes": None}, Verdict.UNKNOWN),
        ({"used_bytes": 256 * 2**20}, Verdict.FAIL),
        ({"used_bytes": 250 * 2**20}, Verdict.WARN),
    ],
)
def test_what_may_be_refused_is_ready_nowhere(changed: dict[str, Any], verdict: Verdict) -> None:
    server = redis(**changed)
    assert writable(server, SETTINGS.thresholds.redis_full_fraction).verdict is verdict
    assert check(server, "writes accepted").verdict is verdict
    word = halt_readiness(snapshot(redis=server), SETTINGS).word
    assert word == ("ready" if verdict is Verdict.PASS else "degraded")
