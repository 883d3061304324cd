"""Every fault really breaks its subject, is harmless when repeated, and leaves nothing behind when cleared."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
from conftest import Control, wait_until

from cockpit.errors import SandboxError
from cockpit.sandbox import launcher
from cockpit.sandbox.faults import FAULTS
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.signals import is_stopped

Sandbox = tuple[Layout, Control]


@pytest.fixture
def healthy(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox[1].clear()


@contextlib.contextmanager
def redis_of(layout: Layout) -> Iterator[redis.Redis]:
    client = redis.Redis(
        port=layout.ports.redis, protocol=2, driver_info=None, decode_responses=True, socket_timeout=2.0, retry=None
    )
    with contextlib.closing(client):
        yield client


def pg(layout: Layout, query: str) -> object:
    password = (layout.folder / "secrets" / "postgres").read_text().strip()
    target = f"host=127.0.0.1 port={layout.ports.postgres} dbname=hedgefund user=hedgefund_user connect_timeout=5"
    with psycopg.connect(target, password=password, autocommit=True) as connection:
        connection.execute("SET statement_timeout = '5s'")
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def newest(layout: Layout, stream: str) -> dict[str, object]:
    with redis_of(layout) as client:
        entries = client.xrevrange(stream, count=1)
        return json.loads(entries[0][1]["json"]) if entries else {}


def last_id(layout: Layout, stream: str) -> str:
    with redis_of(layout) as client:
        entries = client.xrevrange(stream, count=1)
        return entries[0][0] if entries else ""


def is_moving(layout: Layout, stream: str, within_s: float = 0.7) -> bool:
    first, deadline = last_id(layout, stream), time.monotonic() + within_s
    while time.monotonic() < deadline:
        if last_id(layout, stream) != first:
            return True
        time.sleep(0.02)
    return False


def fails(call: Callable[[], object], kind: type[Exception]) -> bool:
    try:
        call()
    except kind:
        return True
    return False


def venue(layout: Layout, name: str) -> dict[str, object]:
    with redis_of(layout) as client:
        return json.loads(client.hget("venue:status", name) or "{}")


HTTP = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
TWS = b"API\0\0\0\0\x09v100..176"


def refuses(target: int | Path) -> bool:
    with contextlib.suppress(OSError), connected(target):
        return False
    return True


def hangs(target: int | Path, question: bytes, is_tls: bool = False) -> bool:
    """Whether somebody takes the connection and never says a word."""
    with contextlib.suppress(OSError), connected(target) as sock:
        try:
            spoken = trusting().wrap_socket(sock) if is_tls else sock
            spoken.sendall(question)
            return spoken.recv(1) is None
        except TimeoutError:
            return True
    return False


def connected(target: int | Path) -> socket.socket:
    sock = socket.socket(socket.AF_INET if isinstance(target, int) else socket.AF_UNIX)
    sock.settimeout(0.4)
    try:
        sock.connect(("127.0.0.1", target) if isinstance(target, int) else str(target))
    except OSError:
        sock.close()
        raise
    return sock


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def lag(layout: Layout, stream: str, group: str) -> int:
    with redis_of(layout) as client:
        delivered = next(each for each in client.xinfo_groups(stream) if each["name"] == group)["last-delivered-id"]
        return len(client.xrange(stream, min=f"({delivered}", count=1000))


def memory(layout: Layout) -> float:
    with redis_of(layout) as client:
        info = client.info("memory")
        return info["used_memory"] / info["maxmemory"]


def is_write_refused(layout: Layout, words: str) -> bool:
    with redis_of(layout) as client:
        try:
            client.hset("sandbox:test", "a", "b")
        except redis.ResponseError as error:
            return words in str(error)
        client.delete("sandbox:test")
        return False


def gateway_waiting(layout: Layout, name: str = "ws-gateway") -> set[str]:
    program = str(layout.bin / "kubectl")
    path = "{.items[*].status.containerStatuses[*].state.waiting.reason}"
    done = subprocess.run(
        [program, "get", "pods", "-l", f"app={name}", "-o", f"jsonpath={path}"], capture_output=True, text=True
    )
    return set(done.stdout.split())


def feed_lag_ms(layout: Layout) -> float:
    with redis_of(layout) as client:
        entries = client.xrevrange("ticks.yahoo", count=20)
    lags = [int(entry.split("-")[0]) - json.loads(fields["json"])["ts_ms"] for entry, fields in entries]
    return sum(lags) / len(lags)


def has_gap(layout: Layout) -> bool:
    with redis_of(layout) as client:
        times = [int(entry.split("-")[0]) for entry, _ in client.xrevrange("ticks.yahoo", count=600)]
    return any(later - earlier > 1000 for later, earlier in pairwise(times))


BROKEN: dict[str, Callable[[Layout], bool]] = {
    "broker-down": lambda layout: venue(layout, "IBKR")["status"] == "down" and refuses(layout.ports.ibkr),
    "broker-partial": lambda layout: venue(layout, "IBKR")["status"] == "degraded",
    "broker-slow": lambda layout: venue(layout, "IBKR")["status"] == "degraded",
    "ibkr-reset": lambda layout: str(venue(layout, "IBKR")["code"]) == "1100",
    "ibkr-blackhole": lambda layout: venue(layout, "IBKR")["status"] == "down" and hangs(layout.ports.ibkr, TWS),
    "zerodha-token": lambda layout: venue(layout, "ZERODHA")["status"] == "down",
    "zerodha-blackhole": lambda layout: venue(layout, "ZERODHA")["status"] == "down" and hangs(layout.ports.kite, HTTP),
    "feed-stalled": lambda layout: not is_moving(layout, "ticks.yahoo"),
    "feed-late": lambda layout: feed_lag_ms(layout) > 250,
    "feed-gappy": has_gap,
    "gateway-crashloop": lambda layout: "CrashLoopBackOff" in gateway_waiting(layout),
    "gateway-pod-crash": lambda layout: "CrashLoopBackOff" in gateway_waiting(layout),
    "gateway-bad-rollout": lambda layout: "ImagePullBackOff" in gateway_waiting(layout),
    "redis-killed": lambda layout: refuses(layout.ports.redis),
    "redis-lost": lambda layout: refuses(layout.ports.redis) and not list(layout.redis_dir.iterdir()),
    "redis-memory-85": lambda layout: 0.84 < memory(layout) < 0.95,
    "redis-memory-full": lambda layout: is_write_refused(layout, "OOM") or is_write_refused(layout, "maxmemory"),
    "redis-misconf": lambda layout: is_write_refused(layout, "MISCONF") or is_write_refused(layout, "snapshot"),
    "redis-slow": lambda layout: pings_slowly(layout),
    "redis-blackhole": lambda layout: hangs(layout.ports.redis, b"PING\r\n"),
    "postgres-killed": lambda layout: refuses(layout.ports.postgres),
    "postgres-table-lost": lambda layout: pg(layout, "SELECT to_regclass('fills')::text") is None,
    "postgres-blocker": lambda layout: bool(
        pg(layout, "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")
    ),
    "postgres-blackhole": lambda layout: fails(lambda: pg(layout, "SELECT 1"), psycopg.Error),
    "lag-risk": lambda layout: lag(layout, "orders.incoming", "risk") > 20,
    "lag-router": lambda layout: lag(layout, "orders.validated", "router") > 20,
    "lag-ledger": lambda layout: lag(layout, "orders.fills", "ledger") > 20,
    "lag-candles": lambda layout: lag(layout, "ticks.yahoo", "candles") > 50,
    "drawdown": lambda layout: is_halted(layout, "drawdown"),
    "var-breach": lambda layout: is_halted(layout, "VaR"),
    "grafana-down": lambda layout: refuses(layout.ports.grafana),
    "grafana-nodata": lambda layout: "nodata" in grafana_states(layout),
    "grafana-blackhole": lambda layout: hangs(layout.ports.grafana, HTTP),
    "kubernetes-down": lambda layout: refuses(layout.ports.kubernetes),
    "kubernetes-blackhole": lambda layout: hangs(layout.ports.kubernetes, HTTP, is_tls=True),
    "api-crashloop": lambda layout: "CrashLoopBackOff" in gateway_waiting(layout, "api"),
    "docker-down": lambda layout: refuses(layout.docker_socket),
    "docker-blackhole": lambda layout: hangs(layout.docker_socket, HTTP),
}


def pings_slowly(layout: Layout) -> bool:
    with redis_of(layout) as client:
        for _ in range(5):
            began = time.monotonic()
            client.ping()
            if time.monotonic() - began < 0.1:
                return False
    return True


def is_halted(layout: Layout, reason: str) -> bool:
    with redis_of(layout) as client:
        switch = client.hgetall("policy:kill_switch")
    return switch.get("enabled") == "true" and reason in switch["reason"] and switch["by"] == "risk-manager"


def grafana_states(layout: Layout) -> str:
    token = (layout.folder / "secrets" / "grafana").read_text().strip()
    url = f"http://127.0.0.1:{layout.ports.grafana}/api/prometheus/grafana/api/v1/rules"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=2).text.lower()


def is_trading(layout: Layout) -> bool:
    with contextlib.suppress(redis.RedisError):
        return is_moving(layout, "orders.fills") and is_moving(layout, "ticks.yahoo")
    return False


def is_broken(layout: Layout, fault: str) -> bool | None:
    """None where nobody can tell yet: what is asked is gone, or slow to answer."""
    try:
        return BROKEN[fault](layout)
    except (redis.RedisError, psycopg.Error, httpx.HTTPError, LookupError, StopIteration):
        return None


def test_the_list_is_complete() -> None:
    assert set(BROKEN) == set(FAULTS)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_breaks_and_clearing_mends(healthy: Sandbox, fault: str) -> None:
    layout, control = healthy
    wait_until(lambda: is_trading(layout))
    assert control.inject(fault)["injected"]
    assert [each["id"] for each in control.status()["faults"]] == [fault]
    wait_until(lambda: is_broken(layout, fault) is True)
    assert not control.inject(fault)["injected"], "already there"
    assert control.clear(fault)["cleared"] == [fault]
    assert control.status()["faults"] == []
    wait_until(lambda: is_broken(layout, fault) is False)
    wait_until(lambda: is_trading(layout))


def test_an_unknown_fault_is_refused_in_words(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="there is no fault"):
        launcher.inject(sandbox[0], "coffee-spilt")


def test_what_an_operator_mends_is_no_longer_reported(healthy: Sandbox) -> None:
    layout, control = healthy
    control.inject("redis-killed")
    control.inject("postgres-blocker")
    subprocess.run([layout.bin / "docker", "start", "redis"], check=True, capture_output=True)
    pg(layout, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'psql'")
    wait_until(lambda: control.status()["faults"] == [])


def test_a_frozen_redis_is_mended_by_restarting_its_container(healthy: Sandbox) -> None:
    layout, control = healthy
    control.inject("redis-blackhole")
    pid = control.status()["services"]["redis"]
    assert is_stopped(pid)
    subprocess.run([layout.bin / "docker", "restart", "-t", "1", "redis"], check=True, capture_output=True)
    wait_until(lambda: control.status()["faults"] == [])
    assert control.status()["services"]["redis"] != pid


def test_faults_of_two_subjects_stand_together_and_clear_together(healthy: Sandbox) -> None:
    layout, control = healthy
    for fault in ("redis-killed", "postgres-killed", "docker-down", "feed-late"):
        control.inject(fault)
    assert len(control.status()["faults"]) == 4
    assert set(control.clear()["cleared"]) == {"redis-killed", "postgres-killed", "docker-down", "feed-late"}
    wait_until(lambda: is_trading(layout))
