"""Servers that answer as they should not: each connection gets the next of a list of behaviours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

LAST = {"reject": b"554 refused\r\n", "garble": b"\xff\xfe thanks\r\n", "odd": b"354 go on\r\n"}
"""What is said to a whole mail."""


def http(status: str, *headers: str, body: str = "no") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


@dataclass
class Sink:
    """What came in, and how it was answered."""

    answers: list[object]
    got: list[bytes] = field(default_factory=list)
    """Whole messages that were received."""
    connections: int = 0
    port: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def next(self) -> object:
        self.connections += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def read_request(line: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found:
        piece = line.recv(65536)
        if not piece:
            return found
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    sizes = [row.split(b":")[1] for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")]
    while len(body) < int(sizes[0]):
        piece = line.recv(65536)
        if not piece:
            break
        body += piece
    return body


def serve_slack(sink: Sink, line: socket.socket) -> None:
    """bytes are answered; `drop` cuts off after the request, `early` before reading it, `hang` never answers."""
    answer = sink.next()
    if answer == "early":
        return
    sink.got.append(read_request(line))
    if answer == "hang":
        sink.is_over.wait(30)
    elif isinstance(answer, bytes):
        line.sendall(answer)


def serve_mail(sink: Sink, line: socket.socket) -> None:
    """A little SMTP; the behaviour names the point at which it goes wrong."""
    mode = sink.next()
    file = line.makefile("rwb", buffering=0)
    if mode == "hang":
        sink.is_over.wait(30)
        return
    if mode == "busy":
        file.write(b"421 try later\r\n")
        return
    file.write(b"220 hostile\r\n")
    while row := file.readline():
        word = row.split()[0].upper()
        if word == b"EHLO":
            file.write(b"250-hostile\r\n250 STARTTLS\r\n" if mode == "bad-tls" else b"250 hostile\r\n")
        elif word == b"STARTTLS":
            file.write(b"220 go\r\nthis is no TLS at all\r\n")
            return
        elif word == b"RCPT" and mode == "no-such-user":
            file.write(b"550 no such user\r\n")
        elif word == b"RCPT" and mode == "greylist":
            file.write(b"451 greylisted\r\n")
        elif word == b"DATA":
            file.write(b"354 go\r\n")
            if mode == "drop-in-data":
                file.readline()
                return
            body = b""
            while (row := file.readline()) not in (b".\r\n", b""):
                body += row
            sink.got.append(body)
            if mode == "drop-after-data":
                return
            if mode == "hang-after-data":
                sink.is_over.wait(30)
                return
            file.write(LAST.get(str(mode), b"250 2.0.0 queued\r\n"))
        else:
            file.write(b"250 ok\r\n")


@contextmanager
def sinking(serve: object, *answers: object) -> Iterator[Sink]:
    sink = Sink(list(answers))
    listener = socket.create_server(("127.0.0.1", 0))
    sink.port = listener.getsockname()[1]

    def one(line: socket.socket) -> None:
        with suppress(OSError), line:
            serve(sink, line)  # type: ignore[operator]

    def run() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=one, args=(line,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield sink
    finally:
        sink.is_over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # else whoever waits in accept() takes one more
        listener.close()
