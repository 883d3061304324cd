"""The dump, held open: what was read in full is what is restored, whatever is renamed over it meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from cockpit.clients.dumps import identify
from cockpit.errors import BackendError, Refused
from cockpit.text import clean


class HeldDump:
    """One open file; it ends with the process."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def hold(self, file: Path, identity: str) -> int:
        """Its descriptor.

        Raises:
            Refused: it is another file by now.
            BackendError: it cannot be opened.
        """
        if self._descriptor is not None:
            return self._descriptor
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise BackendError(f"cannot open {clean(file)}: {clean(error.strerror)}") from None
        found = identify(os.fstat(descriptor))
        if found != identity:
            os.close(descriptor)
            raise Refused(f"another dump has taken its place: {found}")
        self._descriptor = descriptor
        return descriptor

    def let_go(self) -> None:
        """Close it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
