"""The probes of all backends but Redis, against the sandbox: what they see of it, whole and broken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cockpit.clients.bounded import DaemonPool
from cockpit.clock import SystemClock
from cockpit.config import Settings, load
from cockpit.errors import NO_ANSWER
from cockpit.model.sample import Sample
from cockpit.observe.poller import Poller
from cockpit.observe.source import Probe, ProbeSource
from cockpit.probes.alerts import AlertsProbe
from cockpit.probes.docker import DockerProbe
from cockpit.probes.dump import DumpProbe
from cockpit.probes.kubernetes import KubernetesProbe
from cockpit.probes.postgres import PostgresProbe
from cockpit.probes.reach import ReachProbe
from cockpit.probes.registry import RegistryProbe
from cockpit.sandbox.layout import Layout
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control

BLOCKED_S = 1.0
"""The loop of a busy machine is late by itself; whoever waits for a black hole in it waits for 1.5 s and more."""
CLOCK = SystemClock()
Samples = dict[str, Sample[Any]]
Wanted = Callable[[Samples], object]


def probes(settings: Settings) -> list[Probe]:
    return [
        kind(settings, CLOCK)
        for kind in (
            PostgresProbe,
            DumpProbe,
            KubernetesProbe,
            DockerProbe,
            AlertsProbe,
            ReachProbe,
            RegistryProbe,
        )
        if kind.is_configured(settings)
    ]


@asynccontextmanager
async def watching(layout: Layout) -> AsyncIterator[Samples]:
    """The samples, kept up to date by the cockpit's own poller."""
    asyncio.get_running_loop().set_default_executor(DaemonPool())
    sources = [ProbeSource(probe, CLOCK, probe.name == "reach") for probe in probes(load(layout.config))]
    poller = Poller(sources, CLOCK, lambda before, after: None)
    task = asyncio.create_task(poller.run())
    try:
        yield poller.samples
    finally:
        task.cancel()
        await poller.close()


async def until(samples: Samples, wanted: Wanted, within_s: float = PATIENCE_S) -> float:
    """How long it took to be seen."""
    began = time.monotonic()
    while True:
        try:
            seen = wanted(samples)
        except AttributeError:  # not read yet
            seen = False
        if seen:
            return time.monotonic() - began
        assert time.monotonic() - began < within_s, {name: sample for name, sample in samples.items() if sample.error}
        await asyncio.sleep(0.02)


def is_well(samples: Samples) -> bool:
    """Everything answers, and says that all is well."""
    if any(sample.error is not None or sample.value is None for sample in samples.values()):
        return False
    kubernetes, docker = samples["kubernetes"].value, samples["docker"].value
    return (
        all(one.rollout == "complete" and one.ready == one.desired for one in kubernetes.deployments)
        and all(one.state == "running" for one in docker.containers)
        and all(one.is_up and "refuses" not in one.detail for one in samples["reach"].value)
        and not samples["postgres"].value.missing_tables
        and not samples["postgres"].value.blocked
        and samples["alerts"].value.count("nodata") == 0
    )


async def test_all_well(sandbox: tuple[Layout, Control]) -> None:
    layout, _ = sandbox
    async with watching(layout) as samples:
        await until(samples, is_well)
        postgres, kubernetes = samples["postgres"].value, samples["kubernetes"].value
        assert postgres.version.startswith("18") and postgres.size_bytes > 1_000_000
        # A platform that has just been started connects a moment later than we do.
        await until(samples, lambda now: now["postgres"].value.connections >= 2)
        await until(samples, lambda now: (now["postgres"].value.commits_per_s or 0) > 1)
        assert [one.name for one in kubernetes.deployments] == ["ws-gateway", "router", "api"]
        assert kubernetes.absent == () and [len(one.pods) for one in kubernetes.deployments] == [2, 1, 2]
        redis, server = samples["docker"].value.containers
        assert (redis.name, server.name) == ("redis", "postgres") and redis.pid and redis.status.startswith("Up ")
        ibkr, zerodha = samples["reach"].value
        assert ibkr.detail.startswith("gateway answers: server version 176") and zerodha.detail.startswith(
            "API answers"
        )
        assert samples["registry"].value.primary == "yahoo" and samples["registry"].value.backup == "moneycontrol"
        assert samples["alerts"].value.source == "Grafana" and len(samples["alerts"].value.rules) >= 4
        await until(samples, lambda now: now["dump"].value.is_readable)


def reach(samples: Samples, venue: str) -> Any:
    return next(one for one in samples["reach"].value if one.venue == venue)


def deployment(samples: Samples, name: str) -> Any:
    return next(one for one in samples["kubernetes"].value.deployments if one.name == name)


def failed(name: str, *words: str) -> Wanted:
    return lambda now: now[name].error and any(word in now[name].error for word in words)


SEEN: dict[str, Wanted] = {
    "postgres-killed": failed("postgres", "connection refused"),
    "postgres-blackhole": failed("postgres", NO_ANSWER),
    "postgres-table-lost": lambda now: now["postgres"].value.missing_tables,
    "postgres-blocker": lambda now: (
        now["postgres"].value.blocked and now["postgres"].value.blocked[0].blocker_state == "idle in transaction"
    ),
    "kubernetes-down": failed("kubernetes", "refused", "hung up"),
    "kubernetes-blackhole": failed("kubernetes", NO_ANSWER),
    "docker-down": failed("docker", "no such socket", "refused", "hung up"),
    "docker-blackhole": failed("docker", NO_ANSWER),
    "grafana-down": failed("alerts", "refused", "hung up"),
    "grafana-blackhole": failed("alerts", NO_ANSWER),
    "grafana-nodata": lambda now: now["alerts"].value.count("nodata"),
    "ibkr-blackhole": lambda now: "login dialog" in reach(now, "IBKR").detail,
    "zerodha-blackhole": lambda now: reach(now, "ZERODHA").detail == NO_ANSWER,
    "zerodha-token": lambda now: "refuses the token" in reach(now, "ZERODHA").detail,
    "broker-down": lambda now: not reach(now, "IBKR").is_up,
    "redis-killed": lambda now: now["docker"].value.containers[0].exit_code == 137,
    "gateway-crashloop": lambda now: any(
        pod.reason in ("CrashLoopBackOff", "Error (exit 1)") for pod in deployment(now, "ws-gateway").pods
    ),
    "gateway-bad-rollout": lambda now: deployment(now, "ws-gateway").rollout in ("progressing", "stalled"),
}


@pytest.mark.parametrize("fault", SEEN)
async def test_fault_is_seen_and_its_end(sandbox: tuple[Layout, Control], fault: str) -> None:
    layout, control = sandbox
    async with watching(layout) as samples:
        await until(samples, is_well)
        try:
            await asyncio.to_thread(control.inject, fault)
            seen_s = await until(samples, SEEN[fault])
        finally:
            await asyncio.to_thread(control.clear, fault)
        # Containers and pods take their time to come back; what is measured is how soon an answer is seen.
        gone_s = await until(samples, is_well)
    print(f"{fault}: seen after {seen_s:.2f} s, gone after {gone_s:.2f} s")


async def test_a_black_hole_costs_nobody_else(sandbox: tuple[Layout, Control]) -> None:
    layout, control = sandbox
    holes = ["postgres-blackhole", "kubernetes-blackhole", "docker-blackhole", "grafana-blackhole", "ibkr-blackhole"]
    async with watching(layout) as samples:
        await until(samples, is_well)
        try:
            for hole in holes:
                await asyncio.to_thread(control.inject, hole)
            dead = ("postgres", "kubernetes", "docker", "alerts")
            await until(samples, lambda now: all(now[name].error for name in dead) and not reach(now, "IBKR").is_up)
            worst_s, before = 0.0, time.monotonic()
            for _ in range(150):
                await asyncio.sleep(0.02)
                now = time.monotonic()
                worst_s, before = max(worst_s, now - before - 0.02), now
            assert worst_s < BLOCKED_S
            assert all(sample.value is not None for sample in samples.values())
            since = samples["registry"].value_at
            await until(samples, lambda now: now["registry"].value_at > since and reach(now, "ZERODHA").is_up)
        finally:
            for hole in holes:
                await asyncio.to_thread(control.clear, hole)
        await until(samples, is_well)
