"""What every fault must be able to do: break its subject, mend it, and say whether it is still broken."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Breakage(Protocol):
    """One fault's hands; an operator may mend the subject behind its back, so the truth is looked up."""

    async def apply(self) -> None:
        """Break it, and return once it is broken."""

    async def mend(self) -> None:
        """Put everything back that `apply` changed or caused; harmless when an operator already has."""

    async def is_broken(self) -> bool:
        """Whether it is still broken."""


@runtime_checkable
class Calming(Protocol):
    """A fault whose cause can end while what it caused stays."""

    async def calm(self) -> None:
        """End the cause alone."""
