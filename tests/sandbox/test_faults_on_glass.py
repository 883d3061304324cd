"""All backends broken at once, each in another way, on a real terminal: what it says, and that it comes back.

EVERY_FAULT=1 goes on until every backend has had every fault of the way, and prints the times.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control
from tests.sandbox.fault_backends import Backend, backends
from tests.sandbox.fault_proxy import FaultProxy
from tests.sandbox.test_fault_matrix import ON_THE_WAY

TURNS = len(ON_THE_WAY) if os.environ.get("EVERY_FAULT") else 1
SIZE = (200, 60)
PATIENCE_S = 25.0
"""The goal is 3 s, which EVERY_FAULT prints; this only ends a test that waits for nothing."""
KEY_S = 5.0
HELP = "╭─ Help ─"
OLD = re.compile(r"(\d+(?:\.\d)?|\d+ m) s? ?OLD, not answering")
DOCKER = re.compile(r"\? redis docker .*ago\)")
PROBES = re.compile(r"probe +IBKR (?P<IBKR>.+?) +ZERODHA (?P<Zerodha>.+?)(?: token| backup|$)")
PANELS = {"Docker": "Kubernetes", "Grafana": "Alerts", "IBKR": "Brokers", "Zerodha": "Brokers"}
LATENCY = re.compile(r"[\d.]+ ms")


def panel(screen_text: str, title: str) -> list[str]:
    """The lines of one panel, its frame's title first."""
    rows = screen_text.split("\n")
    for y, row in enumerate(rows):
        x = row.find(f"╭─ {title} ")
        if x >= 0:
            end = row.index("╮", x)
            box = [each[x + 2 : end - 1].strip() for each in rows[y:]]
            return box[: next(at for at, each in enumerate(rows[y:]) if each[x] == "╰")]
    return []


def said(text: str, backend: Backend) -> str | None:
    """Why the panel says that the backend does not answer; None while it does not, or does not say how old it is."""
    box = panel(text, PANELS.get(backend.name, backend.name))
    if backend.name == "Docker":
        return next((line for line in box if DOCKER.search(line)), None)
    if backend.venue is not None:
        found = PROBES.search(re.sub(r" {2,}", "  ", " ".join(box[1:])))
        return None if found is None or LATENCY.fullmatch(found[backend.name]) else found[backend.name]
    return box[1] if len(box) > 1 and OLD.search(box[0]) else None


class Glass:
    """One cockpit on a terminal, all its backends behind proxies."""

    def __init__(self, layout: Layout, folder: Path, host: str = "127.0.0.1") -> None:
        raw: dict[str, Any] = yaml.safe_load(layout.config.read_text())
        own = json.loads(json.dumps(raw))
        own["state"] = str(folder / "state")
        self.ways: dict[str, tuple[Backend, FaultProxy]] = {}
        for backend in backends(raw):
            is_local = isinstance(backend.target, str)
            proxy = FaultProxy(partial(_connect, backend.target), backend.preface, f"{folder}/s" if is_local else None)
            backend.at(own, host, proxy.port, str(folder))
            self.ways[backend.name] = backend, proxy
        file = folder / "cockpit.yaml"
        file.write_text(yaml.safe_dump(own))
        self.program = PtyProgram([sys.executable, "-m", "cockpit", "--config", str(file)], *SIZE)

    def until(self, is_true: Callable[[str, Backend], bool], what: str) -> dict[str, float]:
        """Seconds until it was true on the screen, for each backend."""
        began, took = time.monotonic(), dict[str, float]()
        while len(took) < len(self.ways):
            self.program.read(0.05)
            text = self.program.text
            for name, (backend, _) in self.ways.items():
                if name not in took and is_true(text, backend):
                    took[name] = time.monotonic() - began
            left = set(self.ways) - set(took)
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
        for _, proxy in self.ways.values():
            proxy.close()


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


def is_said(reasons: dict[str, str], text: str, backend: Backend) -> bool:
    """Keeps the words: a way that flaps may be well again when they are read later."""
    why = said(text, backend)
    if why is not None:
        reasons[backend.name] = why
    return why is not None


def test_every_panel_says_what_is_wrong_and_how_old_it_is(
    sandbox: tuple[Layout, Control], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["backend    fault        said     well  in its panel's words"]
    with glass(sandbox[0], tmp_path) as it:
        it.program.until(lambda text: "VaR 99" in text and "ws-gateway" in text and "OLD" not in text, PATIENCE_S)
        for turn in range(TURNS):
            it.until(is_well, "well")
            faults = {name: ON_THE_WAY[(at + turn) % len(ON_THE_WAY)] for at, name in enumerate(it.ways)}
            for name, (_, proxy) in it.ways.items():
                proxy.break_with(faults[name])
            reasons: dict[str, str] = {}
            took = it.until(partial(is_said, reasons), "said")
            key_s = it.answers()
            for _, proxy in it.ways.values():
                proxy.heal()
            healed = it.until(is_well, "well again")
            assert all(each.isprintable() for each in reasons.values())
            lines += [
                f"{name:11}{faults[name]:11}{took[name]:6.1f} s {healed[name]:6.1f} s  {reasons[name]}"
                for name in it.ways
            ]
            lines.append(f"the help opened within {key_s * 1000:.0f} ms")
    if TURNS > 1:
        with capsys.disabled():
            print("", *lines, sep="\n")
