"""The feeds' server side: pods of ws-gateway connect, and every feed's symbols are shared out among them."""

from __future__ import annotations

import json
import selectors
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Subscriber:
    """One connected pod."""

    connection: socket.socket
    pod: str = ""
    received: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)


MAX_UNSENT_BYTES = 262_144


class FeedServer:
    """Accepts pods on a unix socket and sends each its share of the ticks, as JSON lines."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._subscribers: dict[int, Subscriber] = {}
        self._sharing: list[Subscriber] = []

    def serve(self, timeout_s: float) -> None:
        """Accept and forget pods for up to `timeout_s`."""
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._read(self._subscribers[key.fd])

    def send(self, shares: dict[int, list[str]]) -> None:
        """Send lines by symbol index: symbol i belongs to the i-th pod, counted round."""
        pods = self._sharing
        if not pods:
            return
        batches: dict[int, list[str]] = {}
        for index, lines in shares.items():
            batches.setdefault(index % len(pods), []).extend(lines)
        for number, lines in batches.items():
            self._write(pods[number], "".join(lines).encode())

    def close(self) -> None:
        """Disconnect everybody."""
        for subscriber in list(self._subscribers.values()):
            self._drop(subscriber)
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            self._subscribers[connection.fileno()] = Subscriber(connection)
            self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, subscriber: Subscriber) -> None:
        try:
            chunk = subscriber.connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(subscriber)
            return
        subscriber.received = (subscriber.received + chunk)[-4096:]
        if not subscriber.pod and b"\n" in subscriber.received:
            with suppress(ValueError, AttributeError):
                subscriber.pod = str(json.loads(subscriber.received.split(b"\n")[0]).get("pod", "?"))
            self._share()

    def _write(self, subscriber: Subscriber, payload: bytes) -> None:
        if len(subscriber.unsent) > MAX_UNSENT_BYTES:
            return  # a frozen pod misses ticks, as it would on the real wire
        subscriber.unsent += payload
        try:
            sent = subscriber.connection.send(subscriber.unsent)
            del subscriber.unsent[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._drop(subscriber)

    def _drop(self, subscriber: Subscriber) -> None:
        descriptor = subscriber.connection.fileno()
        if self._subscribers.pop(descriptor, None) is not None:
            self._selector.unregister(subscriber.connection)
            subscriber.connection.close()
            self._share()

    def _share(self) -> None:
        self._sharing = sorted((each for each in self._subscribers.values() if each.pod), key=lambda each: each.pod)
