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

    def pump(self) -> bool:
        """Take in new knobs; False when told to stop or when the supervisor is gone."""
        try:
            while self.control.poll(0):
                message = self.control.recv()
                if message is None:
                    return False
                self.knobs = message
        except (EOFError, OSError):
            return False
        return True
