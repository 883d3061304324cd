"""An HTTP request as bytes, and where it goes; nothing of what is given can begin a second one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from cockpit.errors import BackendError

_PATH = "/?#[]@!$&'()*+,;=:%~"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Goal:
    """Where requests go, read off a URL; a user's name and password in it are of no use here and not sent."""

    is_tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Goal:
        """Take it apart.

        Raises:
            BackendError: it is no URL of a server.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port or _USUAL[parts.scheme], parts.hostname or ""
            host.encode("ascii" if host.isascii() else "idna")
        except (ValueError, KeyError):
            raise BackendError("its address is no URL") from None
        if not host or not host.isprintable() or " " in host:
            raise BackendError("its address names no host")
        return cls(parts.scheme == "https", host, port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """What the Host header says.

        >>> Goal.of("http://user:word@grafana:80/x").authority, Goal.of("https://[::1]:3000").authority
        ('grafana', '[::1]:3000')
        """
        host = self.host if self.host.isascii() else self.host.encode("idna").decode()
        host = f"[{host}]" if ":" in host else host
        return host if self.port == _USUAL["https" if self.is_tls else "http"] else f"{host}:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> bytes:
        r"""The whole request.

        >>> Goal.of("http://x/base").request("GET", "/a b", {"t": "é"})
        b'GET /base/a%20b?t=%C3%A9 HTTP/1.1\r\nHost: x\r\n\r\n'

        Raises:
            BackendError: a header holds what must not be sent; its value is not repeated, it may be a secret.
        """
        target = quote(self.path + path, safe=_PATH).partition("#")[0] or "/"
        if params:
            target += ("&" if "?" in target else "?") + urlencode(params, quote_via=quote)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.authority}"]
        for name, value in (headers or {}).items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise BackendError("a header holds characters that cannot be sent")
            lines.append(f"{name}: {value}")
        if body is not None or method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(body or b'')}")
        if not _TOKEN.fullmatch(method):
            raise BackendError("the method is none")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
