"""All backends broken at once on a real terminal: what it says, and that it comes back.

At the start by wrong credentials, then each in another way until every backend has had every fault, then by words that
are well-formed and no answer. `pytest -s` shows the times.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
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
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control
from tests.sandbox.fault_backends import WRONG, Backend, Credential, backends
from tests.sandbox.fault_proxy import FaultProxy
from tests.sandbox.fault_words import SAYINGS, Saying
from tests.sandbox.hung_names import ENDING
from tests.sandbox.test_fault_matrix import ON_THE_WAY
from tests.terminal.hostile import raw_on_pty

FIRST = "wrong-credentials"
LATER = (*ON_THE_WAY, "hung-dns")
SIZE = (200, 60)
HELP = "╭─ Help ─"
OLD = re.compile(r"((\d+(?:\.\d)?|\d+ m) s? ?OLD|NO DATA), not answering")
DOCKER = re.compile(r"docker: (.+)")
PROBES = re.compile(r" {2}probe {2}(.+?)(?: {2}(?:token|backup) |$)")
PROBE = "(?:^|  ){} (.+?)(?:  |$)"
WORDS = {
    FIRST: re.compile("credential|password|token|authentication"),
    LATER[-1]: re.compile("name resolution hangs for"),
}
"""Without them it is not said: who lost a connection on the way there says so first."""
READ = ("ACTIVE", "conns", " 2/2 ", "redis docker", "normal")
"""A word of every panel, once it has been read."""
PANELS = {"Docker": "Kubernetes", "Grafana": "Alerts", "IBKR": "Brokers", "Zerodha": "Brokers"}
PYTHON = re.compile(r"\b\w+(Error|Exception)\b|Traceback|object has no|NoneType")
"""No operator's words, but behind the word that an answer is not understood."""
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
        is_dated = any(line.startswith("? redis") and line.endswith("ago)") for line in box)
        found = DOCKER.search(" ".join(box))
        return found[1] if found and is_dated else None
    if backend.venue is not None:
        probes = PROBES.search(re.sub(r" {2,}", "  ", "  ".join(box)))
        found = probes and re.search(PROBE.format(backend.venue), probes[1])
        return None if not found or LATENCY.fullmatch(found[1]) else found[1]
    return " ".join(box[1:4]) if len(box) > 1 and OLD.search(box[0]) else None


class Way:
    """To one backend: through a proxy, by a name that resolves, with credentials that are right; while it is well."""

    def __init__(self, backend: Backend, own: dict[str, Any], folder: Path, is_plain: bool) -> None:
        self.backend = backend
        self.is_local = isinstance(backend.target, str)
        folder.mkdir()
        socket = f"{folder}/s" if self.is_local else None
        is_tls = is_plain and backend.name == "Kubernetes"
        self.proxy = FaultProxy(partial(_connect, backend.target, is_tls), backend.preface, socket)
        self._hung = folder.parent / f"{backend.name}{ENDING}".lower()
        backend.at(own, self._hung.name, self.proxy.port, str(folder))
        if is_tls:
            file = Path(own["kubernetes"]["kubeconfig"])
            file.write_text(file.read_text().replace("https://", "http://"))
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

    def __init__(self, layout: Layout, folder: Path, is_first: bool, is_plain: bool) -> None:
        raw: dict[str, Any] = yaml.safe_load(layout.config.read_text())
        own = json.loads(json.dumps(raw))
        own["state"] = str(folder / "state")
        self.ways = {each.name: Way(each, own, folder / each.name, is_plain) for each in backends(raw)}
        file = folder / "cockpit.yaml"
        file.write_text(yaml.safe_dump(own))
        command = [sys.executable, "-m", "tests.sandbox.hung_names", str(folder), "--config", str(file)]
        for way in self.ways.values():
            if is_first and way.can_have(FIRST):
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

    def begins(self) -> None:
        """All have been read once."""
        self.program.until(lambda text: all(each in text for each in READ))
        self.until(self.ways, is_well, "well at first")

    def answers(self) -> float:
        """Seconds until a key opens the help."""
        began = time.monotonic()
        self.program.send("?")
        self.program.until(lambda text: HELP in text)
        took = time.monotonic() - began
        self.program.send("\x1b")
        self.program.until(lambda text: HELP not in text)
        return took

    def close(self) -> None:
        self.program.close()
        for way in self.ways.values():
            way.proxy.close()


async def _connect(target: tuple[str, int] | str, is_tls: bool) -> Any:
    if isinstance(target, str):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection(*target, ssl=ssl._create_unverified_context() if is_tls else None)


@contextmanager
def glass(layout: Layout, folder: Path, is_first: bool, is_plain: bool = False) -> Iterator[Glass]:
    made = Glass(layout, folder, is_first, is_plain)
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


def mixed(ways: dict[str, Way], turn: int) -> dict[str, str]:
    """What each backend has at once: in as many turns as there are faults everyone has had every one."""
    found = {name: LATER[(at + turn) % len(LATER)] for at, name in enumerate(ways)}
    return {name: fault for name, fault in found.items() if ways[name].can_have(fault)}


@pytest.mark.parametrize("group", [range(4), range(4, len(LATER))], ids=["first", "later"])
def test_every_panel_says_what_is_wrong_and_how_old_it_is(
    sandbox: tuple[Layout, Control], tmp_path: Path, group: range
) -> None:
    is_first = group.start == 0
    with glass(sandbox[0], tmp_path, is_first) as it:
        wrong = {name: FIRST for name, way in it.ways.items() if way.can_have(FIRST)}
        if is_first:
            suffer(it, wrong)
        else:
            it.begins()
        for turn in group:
            faults = mixed(it.ways, turn)
            for name, fault in faults.items():
                it.ways[name].break_with(fault)
            suffer(it, faults)


def suffer(it: Glass, faults: dict[str, str]) -> None:
    """All that is broken is said, the others stay well, a key is answered; once it is mended, all are well."""
    reasons: dict[str, str] = {}
    took = it.until(faults, partial(is_said, faults, reasons), "said")
    others = set(it.ways) - set(faults)
    it.until(others, is_well, "left alone")
    key_s = it.answers()
    for name in faults:
        it.ways[name].heal()
    healed = it.until(it.ways, is_well, "well again")
    assert all(each.isprintable() and WRONG not in each for each in reasons.values())
    for name, fault in faults.items():
        print(f"{name:11}{fault:18}{took[name]:6.1f} s {healed[name]:6.1f} s  {reasons[name]}")
    print(f"the help opened within {key_s * 1000:.0f} ms")


def test_what_is_well_formed_and_no_answer_is_called_that(sandbox: tuple[Layout, Control], tmp_path: Path) -> None:
    with glass(sandbox[0], tmp_path, is_first=False, is_plain=True) as it:
        it.begins()
        for kind, saying in SAYINGS.items():
            for name, way in it.ways.items():
                way.proxy.break_with("says", saying.of(name)[0])
            reasons: dict[str, str] = {}
            took = it.until(it.ways, partial(is_heard, it.ways, saying, reasons), f"said: {kind}")
            key_s = it.answers()
            for name, why in reasons.items():
                assert why.isprintable() and not PYTHON.search(why.partition("is not understood")[0]), (kind, name, why)
                print(f"{name:11}{kind:18}{took[name]:6.1f} s  {why}")
            print(f"the help opened within {key_s * 1000:.0f} ms")
        for way in it.ways.values():
            way.heal()
        it.until(it.ways, is_well, "well again")
        os.kill(it.program.pid, signal.SIGTERM)
        assert it.program.wait() == 143
    assert raw_on_pty(bytes(it.program.output)) is None


def is_heard(ways: dict[str, Way], saying: Saying, reasons: dict[str, str], text: str, backend: Backend) -> bool:
    """Its words were taken in, and it is said what is wrong with them."""
    why = said(text, backend)
    if why is None or not ways[backend.name].proxy.asked or not re.search(saying.of(backend.name)[1], why):
        return False
    reasons[backend.name] = why
    return True
