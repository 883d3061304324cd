"""Everything that runs in one sandbox, in the order in which it is brought up and taken down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from cockpit.sandbox.config_file import write_config
from cockpit.sandbox.control import Command
from cockpit.sandbox.dumps import Dumps
from cockpit.sandbox.environment import write_programs
from cockpit.sandbox.forkpool import Child, ForkPool
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.pods_runtime import MODULES, ForkedPods
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.redis_server import RedisServer

WORKERS = ("market", "risk", "ledger", "pgwriter", "candles", "strategies")
"""In the order of their start, the drain before the source; the pods' are started by the Kubernetes controller."""
STOP_TIMEOUT_S = 1.0
RESTART_DELAY_S = 0.5


class Platform:
    """The servers, the APIs, the workers, and the knobs that all of them obey."""

    def __init__(self, layout: Layout, progress: Callable[[str], None]) -> None:
        self.layout = layout
        self._progress = progress
        self.pool = ForkPool(layout)
        self.redis = RedisServer(layout)
        self.postgres = PostgresServer(layout)
        self.dumps = Dumps(layout, self.postgres)
        self.knobs = Knobs()
        self._workers: dict[str, Child] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bring everything up; returns when it trades."""
        await asyncio.gather(self._start_redis(), self._start_postgres())
        write_config(self.layout, self.postgres)
        write_programs(self.layout, self.postgres)
        for name in [each for each in WORKERS if find_spec(f"cockpit.sandbox.workers.{each}")]:
            self._tasks.append(asyncio.create_task(self._keep(name), name=f"keep {name}"))
        pods = ForkedPods(self.pool)
        for number, name in enumerate(("ws-gateway", "ws-gateway", "router", "api", "api")):
            if find_spec(MODULES[name]):
                pods.start(f"{name}-{number}", name, {})
        self._progress("workers")
        self._tasks.append(asyncio.create_task(self.dumps.run(), name="dumps"))

    async def _start_redis(self) -> None:
        await self.redis.start()
        await self.redis.wait_ready()
        self._progress("redis")

    async def _start_postgres(self) -> None:
        await self.postgres.create()
        await self.postgres.start_ready()
        await self.postgres.create_database()
        self._progress("postgres")

    async def _keep(self, name: str) -> None:
        """Run one worker, again whenever it ends, as a service manager would."""
        while True:
            child = self.pool.start(name, f"cockpit.sandbox.workers.{name}")
            self._workers[name] = child
            await child.wait()
            await asyncio.sleep(RESTART_DELAY_S)

    async def stop(self) -> None:
        """Take everything down: the workers first, so that what they hold still reaches the servers."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        await self.pool.stop(STOP_TIMEOUT_S)
        await asyncio.gather(self.redis.stop(STOP_TIMEOUT_S), self.postgres.stop(STOP_TIMEOUT_S))

    def turn(self, knobs: Knobs) -> None:
        """Make these the knobs that everything obeys from now on."""
        self.knobs = knobs
        self.pool.broadcast(knobs)

    async def status(self) -> dict[str, Any]:
        """What runs and what is broken."""
        services = {
            self.redis.name: self.redis.pid,
            self.postgres.name: self.postgres.pid,
            **{name: child.pid if child.is_alive else 0 for name, child in self._workers.items()},
        }
        return {"services": services}

    def commands(self) -> Mapping[str, Command]:
        """What the control socket offers beyond the supervisor's own."""
        return {}
