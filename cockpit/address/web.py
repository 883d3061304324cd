"""Addresses of what is asked over HTTP, and of the brokers' gateways."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult

from cockpit.address.sound import sound_address, sound_host, taken_apart


def _of_host(url: str, *schemes: str) -> SplitResult:
    if url.partition("://")[0] not in schemes or "://" not in url:
        *others, last = (f"{scheme}://" for scheme in schemes)
        raise ValueError(f"it must begin with {', '.join(others)} or {last}")
    parts = taken_apart(url)
    sound_host(parts.hostname or "")
    return parts


def _web_server(url: str) -> str:
    _of_host(url, "http", "https")
    return url


def _broker(url: str) -> str:
    _of_host(url, "tws", "http", "https")
    return url


def _engine(url: str) -> str:
    if url.startswith("unix://"):
        parts = taken_apart(url)
        if parts.netloc or not parts.path:
            raise ValueError("a socket is named with three slashes: unix:///PATH")
        return url
    parts = _of_host(url, "unix", "tcp", "http", "https")
    if parts.path.strip("/") or parts.query:
        raise ValueError("nothing may follow the host and the port: an engine is asked at its root")
    return url


WebAddress = Annotated[str, sound_address, _web_server]
BrokerAddress = Annotated[str, sound_address, _broker]
EngineAddress = Annotated[str, sound_address, _engine]
