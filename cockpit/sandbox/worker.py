"""What every worker process of the platform is given: its layout, the live knobs, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout


@dataclass(slots=True)
class WorkerContext:
    """The worker's end of its line to the supervisor.

    A worker module exposes `run(context) -> None` and loops `while context.pump(): ...`.
    """

    name: str
    layout: Layout
    control: Connection
    options: Mapping[str, str] = field(default_factory=dict)
    knobs: Knobs = field(default_factory=Knobs)
    _is_over: bool = field(default=False, init=False)

    def pump(self) -> bool:
        """Take in new knobs; False, from then on for ever, when told to stop or when the supervisor is gone."""
        try:
            while not self._is_over and self.control.poll(0):
                message = self.control.recv()
                if message is None:
                    self._is_over = True
                else:
                    self.knobs = message
        except (EOFError, OSError):
            self._is_over = True
        return not self._is_over
