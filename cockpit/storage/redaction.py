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

    def pass_on(self, chunk: bytes) -> bytes:
        """What may be shown of all that has come so far."""
        text = self._rest + chunk
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        cut = len(text) - max((_begun(text, secret) for secret in self._secrets), default=0)
        self._rest = text[cut:]
        return text[:cut]

    def end(self) -> bytes:
        """What was held back: half a secret is none, but half of one is too much to show."""
        rest, self._rest = self._rest, b""
        return REDACTED if len(rest) >= SHORTEST_SECRET else rest


def _begun(text: bytes, secret: bytes) -> int:
    """How many bytes at the end of the text begin the secret.

    >>> _begun(b"password=sw0rd", b"sw0rdfish")
    5
    """
    most = min(len(text), len(secret) - 1)
    return next((size for size in range(most, 0, -1) if text.endswith(secret[:size])), 0)
