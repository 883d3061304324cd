"""Faults of the real redis-server: killed, emptied, full, unable to save, slow, black-holed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from signal import SIGCONT, SIGKILL

from redis.exceptions import OutOfMemoryError, RedisError

from cockpit.errors import SandboxError
from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.ending import end
from cockpit.sandbox.forkpool import ForkPool
from cockpit.sandbox.frozen import Freeze
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.processes import run
from cockpit.sandbox.redis_call import redis_call
from cockpit.sandbox.redis_server import RedisServer
from cockpit.sandbox.signals import is_stopped
from cockpit.sandbox.variables import shell_variables

BALLAST_BYTES = 4 << 20
SLEEP_S = 0.12
WAIT_S = 20.0


class Killed:
    """kill -9; the container stays Exited (137) until somebody starts it."""

    def __init__(self, layout: Layout, redis: RedisServer) -> None:
        self.layout, self.redis = layout, redis

    async def apply(self) -> None:
        """Kill it."""
        await self.redis.kill(SIGKILL)
        await self.redis.wait()

    async def mend(self) -> None:
        """Start it on the data that it has."""
        await self.redis.start()
        await self.redis.wait_ready()

    async def is_broken(self) -> bool:
        """Whether nobody has started it yet."""
        return not self.redis.is_running


class Lost(Killed):
    """kill -9 and its files are gone: what it held exists only in the ledger."""

    _last_fill = "0-0"

    async def apply(self) -> None:
        """Kill it and remove its data."""
        with contextlib.suppress(RedisError, OSError):
            async with redis_call(self.layout) as client:
                newest = await client.xrevrange("orders.fills", count=1)
                self._last_fill = newest[0][0] if newest else "0-0"
        await super().apply()
        shutil.rmtree(self.layout.redis_dir)
        self.layout.redis_dir.mkdir(mode=0o700)

    async def mend(self) -> None:
        """Start it and replay the ledger, as the runbook says.

        Raises:
            SandboxError: the replay failed.
        """
        await super().mend()
        if not await self.is_broken():
            return
        script = self.layout.root / "backend" / "ops" / "replay_with_params.py"
        code, output = await run(
            [sys.executable, str(script), "--source", "ledger.db"],
            log=self.layout.logs / "replay.log",
            folder=self.layout.root,
            environment={"PATH": "/usr/bin:/bin", **shell_variables(self.layout)},
        )
        if code != 0:
            raise SandboxError("the replay failed: " + " | ".join(output.splitlines()[-3:]))

    async def is_broken(self) -> bool:
        """Whether the fills from before the loss are still missing."""
        if await super().is_broken():
            return True
        if self._last_fill == "0-0":
            return False
        try:
            async with redis_call(self.layout) as client:
                return not await client.xrange("orders.fills", max=self._last_fill, count=1)
        except (RedisError, OSError):
            return True


class Memory:
    """Values that nobody needs take the room up to a fraction of maxmemory."""

    def __init__(self, layout: Layout, fraction: float, broken_from: float) -> None:
        self._layout, self._fraction, self._broken_from = layout, fraction, broken_from

    async def apply(self) -> None:
        """Write ballast until it is that full; real memory, because the values are written, not reserved."""
        async with redis_call(self._layout) as client:
            for number in range(4096):
                if await self._fill(client) >= self._fraction:
                    return
                try:
                    await client.setrange(self._key(number), BALLAST_BYTES - 1, b"\0")
                except OutOfMemoryError:
                    return

    async def mend(self) -> None:
        """Delete the ballast."""
        async with redis_call(self._layout) as client:
            keys = [key async for key in client.scan_iter(match=self._key("*"), count=1000)]
            if keys:
                await client.unlink(*keys)

    async def is_broken(self) -> bool:
        """Whether there is ballast and it still takes the room."""
        try:
            async with redis_call(self._layout, timeout_s=1.0) as client:
                return bool(await client.exists(self._key(0))) and await self._fill(client) >= self._broken_from
        except (RedisError, OSError):
            return True

    @staticmethod
    async def _fill(client: object) -> float:
        info = await client.info("memory")  # type: ignore[attr-defined]
        return float(info["used_memory"]) / (float(info["maxmemory"]) or float("inf"))

    def _key(self, number: object) -> str:
        return f"sandbox:ballast:{int(self._fraction * 100)}:{number}"


class CannotSave:
    """Its folder is gone when it saves, so it refuses writes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    async def apply(self) -> None:
        """Point it at a folder, remove that, and let it try."""
        gone = self._layout.redis_dir / "gone"
        gone.mkdir(exist_ok=True)
        async with redis_call(self._layout) as client:
            await client.config_set("dir", str(gone))
            gone.rmdir()
            await self._save(client, "err")

    async def mend(self) -> None:
        """Give it its folder back and let it save."""
        async with redis_call(self._layout) as client:
            await client.config_set("dir", str(self._layout.redis_dir))
            await self._save(client, "ok")

    async def is_broken(self) -> bool:
        """Whether its last save failed."""
        try:
            async with redis_call(self._layout, timeout_s=1.0) as client:
                return str((await client.info("persistence"))["rdb_last_bgsave_status"]) != "ok"
        except (RedisError, OSError):
            return True

    @staticmethod
    async def _save(client: object, wanted: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                info = await client.info("persistence")  # type: ignore[attr-defined]
                if info["rdb_last_bgsave_status"] == wanted and not info["rdb_bgsave_in_progress"]:
                    return
                if not info["rdb_bgsave_in_progress"] and not info["aof_rewrite_in_progress"]:
                    with contextlib.suppress(RedisError):  # "Background save already in progress"
                        await client.bgsave()  # type: ignore[attr-defined]
                await asyncio.sleep(0.05)


class Slow:
    """Two clients take turns in keeping it busy; killing one of them, or restarting Redis, ends it.

    While one is served the other's request is already waiting, so whatever else arrives waits out the present turn
    and gets its answer after the next: every answer takes one to two turns, not just now and then.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._task: asyncio.Task[None] | None = None

    async def apply(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._hold(), name="redis-slow")

    async def _hold(self) -> None:
        with contextlib.suppress(RedisError, OSError, ExceptionGroup):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._turns())
                await asyncio.sleep(SLEEP_S / 2)
                both.create_task(self._turns())

    async def _turns(self) -> None:
        async with redis_call(self._layout, name="nightly-report") as client:
            while True:
                await client.execute_command("DEBUG", "SLEEP", str(SLEEP_S))

    async def mend(self) -> None:
        """Stop."""
        await end(self._task)

    async def is_broken(self) -> bool:
        """Whether those clients are still at it."""
        return self._task is not None and not self._task.done()


class BlackHole:
    """Stopped: the kernel still takes connections for it, nothing is answered."""

    def __init__(self, redis: RedisServer, pool: ForkPool) -> None:
        self._redis = redis
        self._freeze = Freeze(pool)

    async def apply(self) -> None:
        """Stop it.

        Raises:
            SandboxError: it is not running.
        """
        if not self._redis.is_running:
            raise SandboxError("redis is not running")
        await self._freeze.begin(self._redis.pid)

    async def mend(self) -> None:
        """Let it go on."""
        self._freeze.end()
        await self._redis.kill(SIGCONT)

    async def is_broken(self) -> bool:
        """Whether it is stopped."""
        return is_stopped(self._redis.pid)


def redis_breakages(layout: Layout, redis: RedisServer, pool: ForkPool) -> dict[str, Breakage]:
    """All of them, by fault id."""
    return {
        "redis-killed": Killed(layout, redis),
        "redis-lost": Lost(layout, redis),
        "redis-memory-85": Memory(layout, 0.85, 0.80),
        "redis-memory-full": Memory(layout, 1.0, 0.97),
        "redis-misconf": CannotSave(layout),
        "redis-slow": Slow(layout),
        "redis-blackhole": BlackHole(redis, pool),
    }
