"""Every backend, broken in every way: its panel says so, all others go on, and it recovers by itself."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from cockpit.sandbox.layout import Layout
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control
from tests.sandbox.fault_backends import HUNG_HOST, WRONG, Watched, backends, watched

ON_THE_WAY = ("refused", "black-hole", "hang", "garbage", "drip", "flapping", "flood")
MOST_BYTES = 250 << 20
"""Seven answers of 100 MB each would be 700; a cockpit keeps none of them."""


@pytest.fixture
def hung_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that does not answer for one name until the event is set."""
    healed, resolve = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name != HUNG_HOST:
            return resolve(host, *more, **named)
        healed.wait(60.0)
        return resolve("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield healed
    healed.set()


@contextlib.contextmanager
def cockpits(layout: Layout, folder: Path, fault: str) -> Iterator[list[Watched]]:
    """One for each backend that can have this fault, all watching."""
    raw = yaml.safe_load(layout.config.read_text())
    opened: list[Watched] = []
    try:
        for backend in backends(raw):
            if fault == "wrong-credentials" and backend.credential is None:
                continue
            if fault == "hung-dns" and isinstance(backend.target, str):
                continue
            one = watched(backend, raw, folder / backend.name, fault)
            opened.append(one)
            one.open()
        yield opened
    finally:
        for one in opened:
            one.close()


def all_within(found: list[Watched], is_true: Callable[[Watched], bool], what: str) -> dict[str, float]:
    """Seconds until it was true of each."""
    began, took = time.monotonic(), dict[str, float]()
    while len(took) < len(found):
        for one in found:
            if one.backend.name not in took and is_true(one):
                took[one.backend.name] = time.monotonic() - began
        left = [f"{one.backend.name}: {one.why or 'nothing said'}" for one in found if one.backend.name not in took]
        assert time.monotonic() - began < PATIENCE_S, f"not {what}: {left}"
        time.sleep(0.02)
    return took


@pytest.mark.parametrize("fault", ON_THE_WAY)
def test_a_broken_way_costs_one_panel(sandbox: tuple[Layout, Control], tmp_path: Path, fault: str) -> None:
    process = psutil.Process()
    with cockpits(sandbox[0], tmp_path, fault) as found:
        all_within(found, lambda one: one.is_well and one.others_live, "well at first")
        before = process.memory_info().rss
        for one in found:
            one.proxy.break_with(fault)
        said = all_within(found, lambda one: one.is_said, "said")
        all_within(found, lambda one: one.others_live, "the only one that is lost")
        assert all(one.why.isprintable() for one in found)
        assert process.memory_info().rss - before < MOST_BYTES
        for one in found:
            one.proxy.heal()
        healed = all_within(found, lambda one: one.is_well, "well again")
    print(f"\n{fault}: said {_times(said)}; well again {_times(healed)}")


def test_a_name_that_nobody_resolves_costs_one_panel(
    sandbox: tuple[Layout, Control], tmp_path: Path, hung_names: threading.Event
) -> None:
    with cockpits(sandbox[0], tmp_path, "hung-dns") as found:
        said = all_within(found, lambda one: one.is_said and one.others_live, "said, all others live")
        words = f"name resolution hangs for {HUNG_HOST}"
        all_within(found, lambda one: one.why == words, "called what it is")
        hung_names.set()
        healed = all_within(found, lambda one: one.is_well, "well again")
    print(f"\nhung DNS: said {_times(said)}; well again {_times(healed)}")


def test_wrong_credentials_are_called_that(sandbox: tuple[Layout, Control], tmp_path: Path) -> None:
    words = ("credential", "password", "token", "401", "403", "authentication")
    with cockpits(sandbox[0], tmp_path, "wrong-credentials") as found:
        said = all_within(found, lambda one: one.is_said and one.others_live, "said, all others live")
        for one in found:
            assert any(word in one.why.casefold() for word in words), (one.backend.name, one.why)
            assert WRONG not in one.why, "a secret is never shown"
            assert one.credential is not None
            one.credential.mend()
        healed = all_within(found, lambda one: one.is_well, "well again")
    print(f"\nwrong credentials: said {_times(said)}; well again {_times(healed)}")


def _times(took: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
