"""All backends broken at once on a real terminal: what it says, and that it comes back.

At the start by wrong credentials, then each in another way, then by their names. EVERY_FAULT=1 goes on until every
backend has had every fault, and prints the times.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control
from tests.sandbox.fault_backends import WRONG, Backend, Credential, backends
from tests.sandbox.fault_proxy import FaultProxy
from tests.sandbox.hung_names import ENDING
from tests.sandbox.test_fault_matrix import ON_THE_WAY

FIRST = "wrong-credentials"
LATER = (*ON_THE_WAY, "hung-dns")
IS_EVERY = bool(os.environ.get("EVERY_FAULT"))
SIZE = (200, 60)
PATIENCE_S = 25.0
"""The goal is 3 s, which EVERY_FAULT prints; this only ends a test that waits for nothing."""
KEY_S = 5.0
HELP = "╭─ Help ─"
OLD = re.compile(r"((\d+(?:\.\d)?|\d+ m) s? ?OLD|NO DATA), not answering")
DOCKER = re.compile(r"\? redis docker .*ago\)")
PROBES = re.compile(r" {2}probe {2}(.+?)(?: {2}(?:token|backup) |$)")
PROBE = "(?:^|  ){} (.+?)(?:  |$)"
WORDS = {
    FIRST: re.compile("credential|password|token|authentication"),
    LATER[-1]: re.compile("timed out|did not answer|no answer"),
}
"""Without them it is not said: who lost a connection on the way there says so first."""
PANELS = {"Docker": "Kubernetes", "Grafana": "Alerts", "IBKR": "Brokers", "Zerodha": "Brokers"}
LATENCY = re.compile(r"[\d.]+ ms")


def panel(screen_text: str, title: str) -> list[str]:
    """The lines of one panel, its frame's title first; none while it is half drawn."""
    rows = screen_text.split("\n")
    for y, row in enumerate(rows):
        x = row.find(f"╭─ {title} ")
        if x >= 0:
            end = row.find("╮", x)
            box = [each[x + 2 : end - 1].strip() for each in rows[y:]]
            return box[: next((at for at, each in enumerate(rows[y:]) if each[x] == "╰"), 0)]
    return []


def said(text: str, backend: Backend) -> str | None:
    """Why the panel says that the backend does not answer; None while it does not, or does not say how old it is."""
    box = panel(text, PANELS.get(backend.name, backend.name))
    if backend.name == "Docker":
        return next((line for line in box if DOCKER.search(line)), None)
    if backend.venue is not None:
        probes = PROBES.search(re.sub(r" {2,}", "  ", "  ".join(box)))
        found = probes and re.search(PROBE.format(backend.venue), probes[1])
        return None if not found or LATENCY.fullmatch(found[1]) else found[1]
    return box[1] if len(box) > 1 and OLD.search(box[0]) else None


class Way:
    """To one backend: through a proxy, by a name that resolves, with credentials that are right; while it is well."""

    def __init__(self, backend: Backend, own: dict[str, Any], folder: Path) -> None:
        self.backend = backend
        self.is_local = isinstance(backend.target, str)
        folder.mkdir()
        socket = f"{folder}/s" if self.is_local else None
        self.proxy = FaultProxy(partial(_connect, backend.target), backend.preface, socket)
        self._hung = folder.parent / f"{backend.name}{ENDING}".lower()
        backend.at(own, self._hung.name, self.proxy.port, str(folder))
        self._credential: Credential | None = backend.credential(own, folder) if backend.credential else None

    def can_have(self, fault: str) -> bool:
        """A socket of this machine has no name to resolve, and not every backend asks who is there."""
        if fault == "hung-dns":
            return not self.is_local
        return fault != FIRST or self._credential is not None

    def break_with(self, fault: str) -> None:
        if fault in ON_THE_WAY:
            self.proxy.break_with(fault)
            return
        if fault == "hung-dns":
            self._hung.touch()
        elif self._credential is not None:
            self._credential.spoil()
        # Who is connected needs neither a name nor a password.
        self.proxy.break_with("refused")
        self.proxy.heal()

    def heal(self) -> None:
        self._hung.unlink(missing_ok=True)
        if self._credential is not None:
            self._credential.mend()
        self.proxy.heal()


class Glass:
    """One cockpit on a terminal, all its backends behind proxies."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        raw: dict[str, Any] = yaml.safe_load(layout.config.read_text())
        own = json.loads(json.dumps(raw))
        own["state"] = str(folder / "state")
        self.ways = {each.name: Way(each, own, folder / each.name) for each in backends(raw)}
        file = folder / "cockpit.yaml"
        file.write_text(yaml.safe_dump(own))
        command = [sys.executable, "-m", "tests.sandbox.hung_names", str(folder), "--config", str(file)]
        for way in self.ways.values():
            if way.can_have(FIRST):
                way.break_with(FIRST)
        self.program = PtyProgram(command, *SIZE)

    def until(self, names: Iterable[str], is_true: Callable[[str, Backend], bool], what: str) -> dict[str, float]:
        """Seconds until it was true on the screen, for each of these backends."""
        began, took, wanted = time.monotonic(), dict[str, float](), set(names)
        while left := wanted - set(took):
            self.program.read(0.05)
            text = self.program.text
            for name in left:
                if is_true(text, self.ways[name].backend):
                    took[name] = time.monotonic() - began
            assert time.monotonic() - began < PATIENCE_S, f"not {what}: {left}\n{text}"
        return took

    def answers(self) -> float:
        """Seconds until a key opens the help."""
        began = time.monotonic()
        self.program.send("?")
        self.program.until(lambda text: HELP in text, KEY_S)
        took = time.monotonic() - began
        self.program.send("\x1b")
        self.program.until(lambda text: HELP not in text, KEY_S)
        return took

    def close(self) -> None:
        self.program.close()
        for way in self.ways.values():
            way.proxy.close()


async def _connect(target: tuple[str, int] | str) -> Any:
    return await (asyncio.open_unix_connection(target) if isinstance(target, str) else asyncio.open_connection(*target))


@contextmanager
def glass(layout: Layout, folder: Path) -> Iterator[Glass]:
    made = Glass(layout, folder)
    try:
        yield made
    finally:
        made.close()


def is_well(text: str, backend: Backend) -> bool:
    return bool(panel(text, PANELS.get(backend.name, backend.name))) and said(text, backend) is None


def is_said(faults: dict[str, str], reasons: dict[str, str], text: str, backend: Backend) -> bool:
    """Keeps the words: a way that flaps may be well again when they are read later."""
    why, wanted = said(text, backend), WORDS.get(faults[backend.name])
    if why is None or (wanted and not wanted.search(why)):
        return False
    reasons[backend.name] = why
    return True


def turns(ways: dict[str, Way]) -> Iterator[dict[str, str]]:
    """What each backend has at once."""
    yield {name: FIRST for name, way in ways.items() if way.can_have(FIRST)}
    kinds = LATER if IS_EVERY else ON_THE_WAY
    for turn in range(len(kinds) if IS_EVERY else 1):
        mixed = {name: kinds[(at + turn) % len(kinds)] for at, name in enumerate(ways)}
        yield {name: fault for name, fault in mixed.items() if ways[name].can_have(fault)}
    if not IS_EVERY:
        yield {name: LATER[-1] for name, way in ways.items() if way.can_have(LATER[-1])}


def test_every_panel_says_what_is_wrong_and_how_old_it_is(
    sandbox: tuple[Layout, Control], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["backend    fault                said     well  in its panel's words"]
    with glass(sandbox[0], tmp_path) as it:
        for faults in turns(it.ways):
            if FIRST not in faults.values():
                for name, fault in faults.items():
                    it.ways[name].break_with(fault)
            reasons: dict[str, str] = {}
            took = it.until(faults, partial(is_said, faults, reasons), "said")
            others = set(it.ways) - set(faults)
            assert all(is_well(it.program.text, it.ways[name].backend) for name in others), it.program.text
            key_s = it.answers()
            for name in faults:
                it.ways[name].heal()
            healed = it.until(it.ways, is_well, "well again")
            assert all(each.isprintable() and WRONG not in each for each in reasons.values())
            for name, fault in faults.items():
                times = f"{took[name]:6.1f} s {healed[name]:6.1f} s"
                lines.append(f"{name:11}{fault:18}{times}  {reasons[name]}")
            lines.append(f"the help opened within {key_s * 1000:.0f} ms")
    if IS_EVERY:
        with capsys.disabled():
            print("", *lines, sep="\n")
