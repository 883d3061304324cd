"""All who hear each snapshot: one that fails keeps none of the others from hearing, and is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

Ear = Callable[[Snapshot], None]


class Ears:
    """Called with each snapshot, on the observing thread."""

    def __init__(self, ears: Mapping[str, Ear], errors: Mapping[str, Callable[[], str]]) -> None:
        """Each by a name for people; `errors` says what is wrong with what an ear hands over to, empty if nothing."""
        self._ears = ears
        self._errors = errors
        self._failed: Mapping[str, str] = {}

    def __call__(self, snapshot: Snapshot) -> None:
        """One more snapshot, to all of them."""
        failed = {}
        for name, hear in self._ears.items():
            try:
                hear(snapshot)
            except Exception as error:
                failed[name] = clean(f"{type(error).__name__}: {error}")
        self._failed = failed

    def failures(self) -> Mapping[str, str]:
        """Who did not hear the last snapshot, or does nothing with it, and why."""
        said = {name: error() for name, error in self._errors.items()}
        return {**{name: why for name, why in said.items() if why}, **self._failed}
