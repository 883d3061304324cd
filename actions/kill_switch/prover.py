"""The proofs of one kill switch write, read live from Redis."""

from __future__ import annotations

from collections.abc import Sequence

from actions.kill_switch.intent import Write
from actions.kill_switch.proofs import EngageProofs, KillSwitchProofs, ReleaseProofs
from actions.kill_switch.reader import EvidenceReader
from cockpit.config import RedisPart
from cockpit.model.job import JobStep, StepState


class KillSwitchProver:
    """Looks as often as it is asked to."""

    gave_up = False

    def __init__(
        self, part: RedisPart, write: Write, act_ms: int | None, venues: Sequence[str] = (), is_latched: bool = False
    ) -> None:
        """`act_ms` is Redis' own time of the write; where it is unknown, the intent's time stands in.

        `venues` are the brokers that must report.
        """
        at_ms = act_ms or write.ts_ms
        self._reader = EvidenceReader(part, at_ms)
        self._proofs: KillSwitchProofs = (
            EngageProofs(write, at_ms, venues, is_latched) if write.enabled else ReleaseProofs(write, at_ms)
        )

    async def look(self) -> tuple[tuple[StepState, str], tuple[JobStep, ...]]:
        """Whether the write is there, and each proof as it stands now.

        Raises:
            BackendError: Redis did not answer.
        """
        evidence = await self._reader.read()
        return self._proofs.act(evidence), self._proofs.judge(evidence)

    async def close(self) -> None:
        """Close the connection."""
        await self._reader.close()
