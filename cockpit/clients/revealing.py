"""A secret on its way: the command that prints it may take longer than a question to the backend may last."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from cockpit.clients.bounded import in_daemon_thread
from cockpit.errors import SecretLate, TimedOut
from cockpit.secret import Secret
from cockpit.text import clean


class Revealing:
    """One look for a secret at a time; one that outlasts whoever wanted it is not lost: the next finds it done."""

    def __init__(self, secret: Secret | None, what: str = "password") -> None:
        """None is one that nobody needs."""
        self._secret = secret
        self._what = what
        self._look: Future[str] | None = None
        self._is_late = False

    async def get(self) -> str | None:
        """The secret, read anew; the caller bounds the time.

        Raises:
            TimedOut: its command was given up.
            ConfigError: it is not where the configuration says.
        """
        if self._secret is None:
            return None
        if self._look is None or self._look.cancelled():
            self._look = in_daemon_thread(self._secret.reveal)
        try:
            found = await asyncio.wrap_future(self._look)
        except asyncio.CancelledError:
            raise
        except SecretLate:
            self._look, self._is_late = None, True
            raise TimedOut(self.awaits()) from None
        except BaseException:
            self._look, self._is_late = None, False
            raise
        self._look, self._is_late = None, False
        return found

    def awaits(self) -> str:
        """What has not come about, so that nothing could be sent; empty where it has."""
        is_on_its_way = self._look is not None or self._is_late
        return awaited(self._secret, self._what) if is_on_its_way and self._secret is not None else ""


def awaited(secret: Secret, what: str) -> str:
    """What keeps from asking, by its place.

    >>> awaited(Secret(command=("vault", "read", "x")), "token")
    'no token from command vault'
    """
    if secret.command:
        return f"no {what} from command {clean(secret.command[0], 80)}"
    return f"no {what} from {clean(secret.file or secret.env, 80)}"
