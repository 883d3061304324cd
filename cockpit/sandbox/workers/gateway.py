"""ws-gateway, one pod of it: takes ticks off both feeds' wires and writes them to Redis."""

from __future__ import annotations

import json
import socket
import sys
import time

import yaml

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, beat, say
from cockpit.sandbox.workers.instruments import FEEDS
from cockpit.sandbox.workers.redis_line import Command, RedisLine, RedisTrouble, now_ms
from cockpit.sandbox.workers.streams import TICKS_CAP, add_text, ticks

CRASH_AFTER_S = 0.4


def primary_feed(layout: Layout) -> str:
    """What registry.yaml says now; the usual feed where it says nothing readable."""
    try:
        registry = yaml.safe_load(layout.registry.read_text(encoding="utf-8"))
        feed = registry["primary_feed"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return FEEDS[0]
    return feed if feed in FEEDS else FEEDS[0]


class Wire:
    """The pod's connection to the feeds."""

    def __init__(self, layout: Layout, pod: str) -> None:
        self._path = str(layout.feeds_socket)
        self._pod = pod
        self._socket: socket.socket | None = None
        self._rest = b""

    def read(self, timeout_s: float) -> list[str]:
        """Whole lines that have come in, waiting for the first up to `timeout_s`."""
        try:
            connection = self._socket or self._connect()
            connection.settimeout(timeout_s)
            chunk = connection.recv(65536)
        except TimeoutError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            self._drop()
            time.sleep(min(timeout_s, 0.05))
            return []
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket = connection
        connection.settimeout(1.0)
        connection.connect(self._path)
        connection.sendall(json.dumps({"pod": self._pod}).encode() + b"\n")
        return connection

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""


def tick_command(text: str) -> Command | None:
    """The command that stores a tick; None for what is no tick."""
    try:
        source = json.loads(text)["source"]
    except (ValueError, KeyError, TypeError):
        return None
    return add_text(ticks(source), text, TICKS_CAP) if source in FEEDS else None


class Announcement:
    """Key `ingest:active`: which feed the newest pod was told to follow, put back when Redis lost it."""

    def __init__(self, feed: str, pod: str) -> None:
        self._fields = ("feed", feed, "pod", pod, "since_ms", now_ms())
        self._is_made = False

    def renew(self, line: RedisLine) -> None:
        """Write it at the start, and later only where it is missing: a newer pod's word stands."""
        if self._is_made and line.ask(("EXISTS", "ingest:active"))[0]:
            return
        line.ask(("HSET", "ingest:active", *self._fields))
        self._is_made = True


def run(context: WorkerContext) -> None:
    """Carry ticks; ticks that Redis cannot take are dropped, for a late price is a wrong price."""
    layout, pod = context.layout, context.options.get("pod", context.name)
    feed = primary_feed(layout)
    line = RedisLine(layout.ports.redis, context.pump)
    wire, announcement = Wire(layout, pod), Announcement(feed, pod)
    every_second = Every(1.0)
    started_at, trouble = time.monotonic(), ""
    is_faulty_build = context.options.get("crash") == "1"
    say(f"{pod}: primary feed {feed}")
    while context.pump():
        is_crashing = is_faulty_build or context.knobs.is_gateway_crashing or context.knobs.crashing_pod == pod
        if is_crashing and time.monotonic() - started_at > CRASH_AFTER_S:
            say(f"{pod}: panic: feed decoder: unexpected frame type 0x7f")
            sys.exit(1)
        commands = [command for command in map(tick_command, wire.read(0.2)) if command]
        try:
            if every_second.is_due():
                announcement.renew(line)
                commands.append(beat("ws-gateway"))
            if commands:
                line.ask(*commands)
            trouble = ""
        except RedisTrouble as error:
            if str(error) != trouble:
                trouble = str(error)
                say(f"{pod}: ticks dropped: {trouble}")
            time.sleep(0.05)
