"""One answer of one probe: the last good value, how old it is, and what went wrong since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

AHEAD_S = 1.0
"""A value from further in the future was dated before somebody set the clock: nobody knows how old it is."""


@dataclass(frozen=True, slots=True)
class Sample(Generic[T]):
    """A probe's last good value, kept through failures, with the age of everything.

    Times are Unix seconds of the cockpit's clock. `value` is None only while nothing was ever read.
    """

    value: T | None = None
    value_at: float | None = None
    tried_at: float | None = None
    took_s: float | None = None
    error: str | None = None
    stale_after_s: float = 4.0
    """Older than this, the value is drawn as stale and no guard may rely on it."""
    is_asked: bool = True
    """False where nothing was sent, as `error` says why: the configuration keeps from it, or it is not ready."""
    is_denied: bool = False
    """Whether it answered that we may not ask, as `error` says: it is there, and our password or rights are wrong."""
    is_ready: bool = True
    """False where what it is asked with (a password, a login) is still on its way: nobody knows how it is."""

    @classmethod
    def good(cls, value: T, at: float, took_s: float, stale_after_s: float = 4.0) -> Sample[T]:
        """A fresh answer."""
        return cls(value, at, at, took_s, None, stale_after_s)

    def failed(
        self,
        error: str,
        at: float,
        took_s: float,
        is_asked: bool = True,
        is_denied: bool = False,
        is_ready: bool = True,
    ) -> Sample[T]:
        """The same last good value after another try that failed."""
        is_asked = is_asked and is_ready
        return Sample(self.value, self.value_at, at, took_s, error, self.stale_after_s, is_asked, is_denied, is_ready)

    def dated(self, value_at: float | None, tried_at: float | None) -> Sample[T]:
        """The same at other times."""
        # replace() takes four times as long, and each answer of each probe is dated.
        kept, is_asked, is_denied, is_ready = self.stale_after_s, self.is_asked, self.is_denied, self.is_ready
        return Sample(self.value, value_at, tried_at, self.took_s, self.error, kept, is_asked, is_denied, is_ready)

    def moved(self, by_s: float) -> Sample[T]:
        """The same, exactly as old, on a clock that was set."""
        value_at = None if self.value_at is None else self.value_at + by_s
        return self.dated(value_at, None if self.tried_at is None else self.tried_at + by_s)

    def age_s(self, now: float) -> float | None:
        """Seconds since the value was read; None while there is none."""
        return None if self.value_at is None else max(0.0, now - self.value_at)

    def is_stale(self, now: float) -> bool:
        """Whether the value is too old to be shown as the present."""
        return self.value_at is None or not -AHEAD_S <= now - self.value_at <= self.stale_after_s

    def is_live(self, now: float) -> bool:
        """Whether there is a value that may be shown, and relied on, as the present."""
        return self.value is not None and self.error is None and not self.is_stale(now)
