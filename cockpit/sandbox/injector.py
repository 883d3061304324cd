"""Injects and clears faults one at a time, and knows which of them still stand."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from cockpit.errors import SandboxError
from cockpit.sandbox.breakage import Breakage, Calming
from cockpit.sandbox.faults import FAULTS

LOOK_TIMEOUT_S = 1.5


class Injector:
    """The faults in force; one that an operator has mended is forgotten at the next look."""

    def __init__(self, breakages: Mapping[str, Breakage]) -> None:
        self._breakages = breakages
        self._since_ms: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def inject(self, fault: str) -> bool:
        """Break it; False when it already is.

        Raises:
            SandboxError: there is no such fault, or it cannot be brought about now.
        """
        breakage = self._breakage(fault)
        async with self._one_at_a_time:
            if fault in self._since_ms and await self._is_broken(fault):
                return False
            try:
                await breakage.apply()
            except SandboxError:
                raise
            except Exception as error:
                with contextlib.suppress(Exception):
                    await breakage.mend()
                raise SandboxError(f"{fault} could not be injected: {type(error).__name__}: {error}") from error
            self._since_ms[fault] = time.time_ns() // 1_000_000
            return True

    async def clear(self, fault: str | None) -> list[str]:
        """Mend one fault, or all of them, the newest first; which ones were in force.

        Raises:
            SandboxError: there is no such fault, or mending failed; the rest were mended all the same.
        """
        if fault is not None:
            self._breakage(fault)
        cleared, failures = [], []
        async with self._one_at_a_time:
            for each in [fault] if fault is not None else list(reversed(self._since_ms)):
                if each not in self._since_ms:
                    continue
                try:
                    await self._breakages[each].mend()
                except Exception as error:
                    failures.append(f"{each}: {error}")
                    continue
                del self._since_ms[each]
                cleared.append(each)
        if failures:
            raise SandboxError("could not be cleared: " + "; ".join(failures))
        return cleared

    async def calm(self, fault: str) -> bool:
        """End its cause and leave what it caused, where the two can be told apart; whether it was in force.

        Raises:
            SandboxError: there is no such fault.
        """
        breakage = self._breakage(fault)
        async with self._one_at_a_time:
            if fault not in self._since_ms:
                return False
            await (breakage.calm() if isinstance(breakage, Calming) else breakage.mend())
            del self._since_ms[fault]
            return True

    async def release(self) -> None:
        """Before the end: let go what a fault holds stopped; nothing else is worth mending."""
        for fault in [each for each in self._since_ms if each.endswith("-blackhole")]:
            await self._breakages[fault].mend()

    async def standing(self) -> list[dict[str, Any]]:
        """The faults that are still there: id, title, section, since_ms."""
        looked_at = list(self._since_ms)
        broken = await asyncio.gather(*(self._is_broken(fault) for fault in looked_at))
        for fault, is_broken in zip(looked_at, broken, strict=True):
            if not is_broken:
                self._since_ms.pop(fault, None)
        return [
            {"id": fault, "title": FAULTS[fault].title, "section": FAULTS[fault].section, "since_ms": since_ms}
            for fault, since_ms in self._since_ms.items()
        ]

    def _breakage(self, fault: str) -> Breakage:
        if fault not in self._breakages:
            raise SandboxError(f"there is no fault {fault!r}; known: {', '.join(self._breakages)}")
        return self._breakages[fault]

    async def _is_broken(self, fault: str) -> bool:
        """Still broken, also when that cannot be found out in time: what hangs is not mended."""
        try:
            return await asyncio.wait_for(self._breakages[fault].is_broken(), LOOK_TIMEOUT_S)
        except Exception:
            return True
