"""An HTTP/1.1 answer as it comes in, piece by piece, mistrusted; no sockets here."""

from __future__ import annotations

import re

from cockpit.errors import BackendError
from cockpit.text import clean

MAX_HEAD_BYTES = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: ([^\r\n]*))?\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++):([^\r\n\0]*+)\Z")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")
_LENGTH = re.compile(rb"\d{1,15}\Z")


class Answering:
    """One answer: fed with bytes until it is whole."""

    def __init__(self, place: str, max_bytes: int, is_head: bool = False) -> None:
        self.status = 0
        self.reason = ""
        self.body = b""
        self.is_kept = False
        """Whether the connection can be used again, once the answer is whole."""
        self._place = place
        self._max_bytes = max_bytes
        self._has_no_body = is_head
        self._buffer = bytearray()
        self._parts = bytearray()
        self._length: int | None = None
        self._is_chunked = False
        self._is_trailing = False

    def feed(self, data: bytes) -> bool:
        """Take the next bytes: whether the answer is whole now.

        Raises:
            BackendError: it is no HTTP, or too long.
        """
        self._buffer += data
        while not self.status:
            if not self._take_head():
                return False
        if self._is_chunked:
            return self._take_chunks()
        if self._length is None:
            self._limit(len(self._buffer))
            return False
        if len(self._buffer) < self._length:
            return False
        self.is_kept = self.is_kept and len(self._buffer) == self._length
        self.body = bytes(self._buffer[: self._length])
        return True

    def end(self) -> bool:
        """They hung up: whether that completes the answer."""
        if not self.status or self._is_chunked or self._length is not None:
            return False
        self.body = bytes(self._buffer)
        return True

    @property
    def has_begun(self) -> bool:
        """Whether anything has come at all."""
        return bool(self.status or self._buffer)

    def _take_head(self) -> bool:
        if not b"HTTP/1.".startswith(self._buffer[:7]):
            raise self._garbage("it begins otherwise")
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise self._garbage("its head has no end")
            return False
        first, *rest = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        found = _STATUS.match(first)
        if found is None:
            raise self._garbage("its first line has no status")
        status = int(found[2])
        if status == 101:
            raise self._garbage("it goes over to something else")
        if status >= 200:  # what comes before is news, not the answer
            self.is_kept = found[1] == b"1"
            self.reason = (found[3] or b"").decode("latin-1")
            self._take_fields(rest)
            self._take_length(self._has_no_body or status in (204, 304))
            self.status = status
        return True

    def _take_fields(self, lines: list[bytes]) -> None:
        for line in lines:
            found = _FIELD.match(line)
            if found is None:
                raise self._garbage("its head is malformed")
            name, value = found[1].lower(), found[2].strip(b" \t").lower()
            if name == b"content-length":
                if not _LENGTH.match(value) or self._length not in (None, int(value)):
                    raise self._garbage("its length is no number")
                self._length = int(value)
                self._limit(self._length)
            elif name == b"transfer-encoding":
                if value != b"chunked":
                    raise self._garbage("its encoding is unknown")
                self._is_chunked = True
            elif name == b"connection" and b"close" in value:
                self.is_kept = False

    def _take_length(self, is_empty: bool) -> None:
        if is_empty:
            self._length, self._is_chunked = 0, False
        elif self._is_chunked == (self._length is not None):
            # None: it ends when they hang up. Two: whoever stands between may have gone by the other one.
            self.is_kept = False

    def _take_chunks(self) -> bool:
        buffer, at = self._buffer, 0
        while (end := buffer.find(b"\r\n", at)) >= 0:
            line, start = bytes(buffer[at:end]), end + 2
            if self._is_trailing:
                at = start
                if not line:
                    self.is_kept = self.is_kept and at == len(buffer)
                    self.body = bytes(self._parts)
                    return True
                continue
            found = _SIZE.match(line)
            if found is None:
                raise self._garbage("its pieces have no size")
            size = int(found[1], 16)
            self._limit(len(self._parts) + size)
            if size == 0:
                self._is_trailing, at = True, start
            elif len(buffer) < start + size + 2:
                break
            else:
                if buffer[start + size : start + size + 2] != b"\r\n":
                    raise self._garbage("a piece is longer than it says")
                self._parts += buffer[start : start + size]
                at = start + size + 2
        else:
            if len(buffer) - at > MAX_HEAD_BYTES:
                raise self._garbage("its pieces have no size")
        del buffer[:at]
        return False

    def _limit(self, size: int) -> None:
        if size > self._max_bytes:
            raise BackendError(f"answered more than {self._max_bytes >> 20} MB")

    def _garbage(self, why: str) -> BackendError:
        said = clean(bytes(self._buffer[:30]).decode("utf-8", "replace")).strip()
        return BackendError(f"{self._place} does not speak HTTP: {why}" + (f" ({said})" if said else ""))
