"""A stream of bytes without the configured secrets, wherever its pieces break."""

from __future__ import annotations

from collections.abc import Sequence

REDACTED = b"[secret]"
SHORTEST_SECRET = 4
"""What is shorter would blacken half of every output."""


class Redaction:
    """Holds back only what may be the beginning of a secret, so that a whole line goes on at once."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        found = {secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(found, key=len, reverse=True)
        self._rest = b""
        self._covered = 0
        """So many bytes at the beginning of the rest belong to a secret whose mark was passed on already."""

    def pass_on(self, chunk: bytes) -> bytes:
        """What may be shown of all that has come so far."""
        text = self._rest + chunk
        # A whole secret at the end may be the beginning of a longer one, hence looked for in the text as it came.
        cut = len(text) - max((_begun(text, secret) for secret in self._secrets), default=0)
        shown = bytearray()
        at = covered = self._covered
        for begin, end in _places(text, self._secrets):
            if begin >= cut:
                break
            if begin >= at:
                shown += text[at:begin] + REDACTED
            at = covered = max(at, end)
        shown += text[at:cut]
        self._rest, self._covered = text[cut:], max(0, covered - cut)
        return bytes(shown)

    def end(self) -> bytes:
        """What was held back: half a secret is none, but half of one is too much to show."""
        rest, covered = self._rest, self._covered
        self._rest, self._covered = b"", 0
        if len(rest) < SHORTEST_SECRET:
            return rest[covered:]
        return b"" if covered else REDACTED


def _places(text: bytes, secrets: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where any of the secrets stands, also one that overlaps another, by its beginning.

    >>> _places(b"xababay", [b"aba"])
    [(1, 4), (3, 6)]
    """
    found = []
    for secret in secrets:
        begin = text.find(secret)
        while begin >= 0:
            found.append((begin, begin + len(secret)))
            begin = text.find(secret, begin + 1)
    return sorted(found)


def _begun(text: bytes, secret: bytes) -> int:
    """How many bytes at the end of the text begin the secret.

    >>> _begun(b"password=sw0rd", b"sw0rdfish")
    5
    """
    most = min(len(text), len(secret) - 1)
    return next((size for size in range(most, 0, -1) if text.endswith(secret[:size])), 0)
