"""A halt put back after a restart: tried through what ends by itself, and said loudly where it cannot be."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.redis_container.checks import checks
from actions.redis_container.halt import Halt
from actions.redis_container.put_back import PutBack
from actions.redis_container.same import serves_check
from actions.step import Result, Stage
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.model.backends import Container, Docker
from cockpit.model.job import StepState
from cockpit.model.plan import Verdict
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from tests.sandbox.lone_redis import LoneRedis, lone_redis
from tests.unit import healthy
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_actions_away import reroute
from tests.unit.test_journal import WHO

KEY = "policy:kill_switch"
WAS = Halt("true", "asha@jump1", "IBKR down", 1_700_000_000_000)


def settings_of(server: LoneRedis, loading_s: float) -> Settings:
    found = server.settings(0.3)
    assert found.redis is not None
    return structs.replace(found, redis=structs.replace(found.redis, loading_s=loading_s))


async def put_back(settings: Settings, halt: Halt) -> Result:
    said: list[str] = []
    snapshot = Snapshot(0, time.time(), settings.world, settings.site)
    facts = {"halt": dict(halt.parameters)}
    stage = Stage(
        settings, SystemClock(), WHO, reroute(), snapshot, facts, None, lambda *words: said.append(str(words))
    )  # type: ignore[arg-type]
    step = PutBack()
    step.fit(settings)
    return await step.perform(stage)


@pytest.mark.parametrize(("halt", "by"), [(WAS, "asha@jump1"), (Halt("unknown"), WHO.label), (Halt("false"), None)])
async def test_it_is_put_back_where_it_was_or_may_have_been(tmp_path: Path, halt: Halt, by: str | None) -> None:
    with lone_redis(tmp_path) as server:
        result = await put_back(settings_of(server, 10.0), halt)
        assert result.state is StepState.DONE
        assert server.client.hget(KEY, "by") == by
        assert (server.client.hget(KEY, "enabled") == "true") == (by is not None)


async def test_where_it_cannot_be_the_other_rungs_are_named(tmp_path: Path) -> None:
    with lone_redis(tmp_path) as server:
        server.client.execute_command("REPLICAOF", "127.0.0.1", "1")
        result = await put_back(settings_of(server, 0.8), Halt("unknown"))
        assert result.state is StepState.FAILED
        assert result.detail.startswith("THE HALT IS NOT BACK (") and "READONLY" in result.detail
        assert (
            "kubectl scale deploy/router --replicas=0" in result.detail and "call the brokers (IBKR)" in result.detail
        )
        server.kill()
        gone = await put_back(settings_of(server, 0.8), Halt("false"))
        assert gone.state is StepState.FAILED and "kubectl" not in gone.detail


@pytest.mark.parametrize(("is_denied", "verdict"), [(True, Verdict.FAIL), (False, Verdict.PASS)])
def test_a_redis_that_refuses_us_is_no_reason_to_restart_it(is_denied: bool, verdict: Verdict) -> None:
    sample = healthy.dead(value=healthy.redis()).failed("wrong password", NOW, 0.1, is_denied=is_denied)
    snapshot = replace(healthy.snapshot(), redis=sample)
    found = next(one for one in checks(SETTINGS, "redis", WAS, snapshot, NOW) if one.name == "Redis")
    assert (found.verdict, found.is_overridable) == (verdict, is_denied)
    assert ("refuses us: wrong password; mend redis.password" in found.detail) == is_denied


def judged(container: Container, url: str = "redis://127.0.0.1:6379/0", **redis: Any) -> tuple[Verdict, str]:
    part = SETTINGS.redis
    assert part is not None
    settings = structs.replace(SETTINGS, redis=structs.replace(part, url=url))
    server = Sample.good(healthy.redis(**redis), NOW, 0.0) if redis else healthy.dead(value=healthy.redis())
    docker = Sample.good(Docker("27", (container,)), NOW, 0.0)
    snapshot = replace(healthy.snapshot(), redis=server, docker=docker)
    check = serves_check(settings, container, snapshot, NOW)
    assert check.is_overridable == (check.verdict is Verdict.FAIL)
    return check.verdict, check.detail


RUNS = Container("redis", "running", "Up", 500.0, None, 4711)
ENDED = Container("redis", "exited", "Exited (137)", None, 137, None)


@pytest.mark.parametrize(
    ("container", "redis", "verdict", "words"),
    [
        (RUNS, {"process_id": 4711, "uptime_s": 9.0}, Verdict.PASS, "process 4711 is the Redis"),
        (RUNS, {"process_id": 1, "uptime_s": 499.0}, Verdict.PASS, "started at the same time"),
        (RUNS, {"process_id": 1, "uptime_s": 9000.0}, Verdict.FAIL, "8500 s older than this container"),
        (RUNS, {"process_id": 7, "uptime_s": 30.0}, Verdict.WARN, "not known whether redis"),
        (ENDED, {"uptime_s": 30.0}, Verdict.FAIL, "it is exited, and yet Redis answers"),
        (ENDED, {}, Verdict.WARN, "not known whether redis is what serves port 6379"),
        (replace(ENDED, ports=(6379,)), {}, Verdict.PASS, "it publishes port 6379"),
        (replace(ENDED, ports=(6380,)), {}, Verdict.FAIL, "publishes 6380, redis.url says 6379"),
    ],
)
def test_the_container_is_the_one_that_serves(
    container: Container, redis: dict[str, Any], verdict: Verdict, words: str
) -> None:
    found = judged(container, **redis)
    assert found[0] is verdict and words in found[1], found


def test_ports_on_another_host_say_nothing() -> None:
    assert judged(replace(ENDED, ports=(6380,)), "rediss://redis.internal:6379/0")[0] is Verdict.WARN
