"""Chooses loopback ports below those of outgoing connections, and keeps them from other sandboxes."""

from __future__ import annotations

import random
import socket
from dataclasses import fields

from cockpit.sandbox.layout import Ports

LOWEST, HIGHEST = 12_000, 31_999
"""Linux hands out 32768-60999 to outgoing connections; one of those could get a stopped server's port."""

_claims: list[socket.socket] = []
"""Held for as long as this process lives: a server that is down by a fault, or not up yet, holds no port itself."""


def choose_ports() -> Ports:
    """Ports that nobody listens on and no other sandbox has chosen."""
    chosen: list[int] = []
    source = random.SystemRandom()
    while len(chosen) < len(fields(Ports)):
        port = source.randint(LOWEST, HIGHEST)
        if claim(port) and is_free(port):
            chosen.append(port)
    return Ports(*chosen)


def claim(port: int) -> bool:
    """Tell other sandboxes that the port is taken; False when one of them (or we) did so before."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.bind(f"\0ops-cockpit-sandbox-port-{port}")
    except OSError:
        sock.close()
        return False
    _claims.append(sock)
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
