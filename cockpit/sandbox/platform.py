"""Everything that runs in one sandbox, in the order in which it is brought up and taken down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from signal import SIGKILL, SIGQUIT, SIGTERM
from typing import TYPE_CHECKING, Any

from cockpit.sandbox.config_file import write_config
from cockpit.sandbox.control import Command
from cockpit.sandbox.credentials import Credentials
from cockpit.sandbox.dumps import Dumps
from cockpit.sandbox.ending import end
from cockpit.sandbox.environment import write_programs
from cockpit.sandbox.forkpool import Child, ForkPool
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.platform_files import write_platform_files
from cockpit.sandbox.pods_runtime import ForkedPods
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.redis_call import redis_call
from cockpit.sandbox.redis_server import RedisServer
from cockpit.sandbox.venues import VenueEngine

if TYPE_CHECKING:
    from cockpit.sandbox.apis import Apis
    from cockpit.sandbox.injector import Injector
    from cockpit.sandbox.served.containers import ContainerRuntime

WORKERS = ("market", "risk", "ledger", "pgwriter", "candles", "strategies")
"""In the order of their start, the drain before the source; the pods' are started by the Kubernetes controller."""
SIGNS_OF_TRADING = ("orders.fills", "positions", "risk.metrics", "venue:status")
TRADING_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 1.0
WORKERS_TIMEOUT_S = 0.5
"""They are made to be killed at any moment; this only saves them some work afterwards."""
RESTART_DELAY_S = 0.5


class Platform:
    """The servers, the APIs, the workers, and the knobs that all of them obey."""

    def __init__(self, layout: Layout, progress: Callable[[str], None]) -> None:
        self.layout = layout
        self._progress = progress
        self.knobs = Knobs()
        self.pool = ForkPool(layout)
        self.credentials = Credentials.made_for(layout)
        self.redis = RedisServer(layout)
        self.postgres = PostgresServer(layout, self.credentials.postgres)
        self._venues = VenueEngine(layout, lambda: self.knobs)
        self._dumps = Dumps(layout, self.postgres)
        self._workers: dict[str, Child] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._apis: Apis | None = None
        self._injector: Injector | None = None

    async def start(self) -> None:
        """Bring everything up; returns when it trades."""
        write_config(self.layout, self.postgres, self.credentials)
        write_programs(self.layout, self.postgres)
        await asyncio.gather(self._start_redis(), self._start_postgres(), self._start_apis())
        for name in WORKERS:
            self._tasks.append(asyncio.create_task(self._keep(name), name=f"keep {name}"))
        self._progress("workers")
        self._tasks.append(asyncio.create_task(self._dumps.run(), name="dumps"))
        await self._wait_trading()
        self._progress("trading")

    async def _wait_trading(self) -> None:
        """Return once fills come in, which takes every worker on their way; a slow machine is not waited for."""
        deadline = time.monotonic() + TRADING_TIMEOUT_S
        while time.monotonic() < deadline:
            async with redis_call(self.layout) as client:
                if await client.exists(*SIGNS_OF_TRADING) == len(SIGNS_OF_TRADING):
                    return
            await asyncio.sleep(0.02)

    async def _start_redis(self) -> None:
        await self.redis.start()
        await self.redis.wait_ready()
        self._progress("redis")

    async def _start_postgres(self) -> None:
        await self.postgres.create()
        await self.postgres.start_ready()
        await self.postgres.create_database()
        self._progress("postgres")

    async def _start_apis(self) -> None:
        # On a thread, once the servers are on their way: it takes as long as one of them, and none need wait for it.
        for module in ("apis", "breakages", "injector"):
            await asyncio.to_thread(import_module, f"cockpit.sandbox.{module}")
        await self.pool.warm_up()
        from cockpit.sandbox.apis import Apis
        from cockpit.sandbox.breakages import breakages
        from cockpit.sandbox.injector import Injector

        await self._venues.serve()
        containers: list[ContainerRuntime] = [self.redis, self.postgres]
        pods = ForkedPods(self.pool)
        self._apis = Apis(self.layout, self.credentials, lambda: self.knobs, containers, pods, self._held_at)
        write_platform_files(self.layout, self._apis.slack.webhook_url)
        self._injector = Injector(breakages(self, self._apis.kubernetes))
        await self._apis.start()
        self._progress("APIs")

    def _held_at(self, venue: str) -> dict[str, tuple[float, float]]:
        """What a venue holds; it keeps no average price, which 0 stands for."""
        return {symbol: (float(qty), 0.0) for symbol, qty in self._venues.venues[venue].book.positions.items()}

    async def _keep(self, name: str) -> None:
        """Run one worker, again whenever it ends, as a service manager would."""
        while True:
            child = self.pool.start(name, f"cockpit.sandbox.workers.{name}")
            self._workers[name] = child
            await child.wait()
            await asyncio.sleep(RESTART_DELAY_S)

    async def stop(self, *, is_kept: bool) -> None:
        """Take everything down: the workers first, so that what they hold still reaches the servers.

        Where no file is kept, nobody needs time to write one.
        """
        await end(*self._tasks)
        if self._injector is not None:
            with contextlib.suppress(Exception):  # what is stopped must go on before it can end
                await self._injector.release()
        if self._apis is not None:
            await self._apis.stop()
        await self.pool.stop(WORKERS_TIMEOUT_S if is_kept else 0.0)
        await self._venues.close()
        polite, quick = (SIGTERM, SIGTERM) if is_kept else (SIGKILL, SIGQUIT)
        await asyncio.gather(self.redis.stop(STOP_TIMEOUT_S, polite), self.postgres.stop(STOP_TIMEOUT_S, quick))

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
        faults = await self._injector.standing() if self._injector is not None else []
        return {"services": services, "faults": faults}

    def commands(self) -> Mapping[str, Command]:
        """What the control socket offers beyond the supervisor's own."""
        return {"inject": self._inject, "calm": self._calm, "clear": self._clear}

    async def _inject(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._injector is not None
        return {"injected": await self._injector.inject(str(request.get("fault")))}

    async def _calm(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._injector is not None
        return {"calmed": await self._injector.calm(str(request.get("fault")))}

    async def _clear(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._injector is not None
        fault = request.get("fault")
        return {"cleared": await self._injector.clear(None if fault is None else str(fault))}
