"""What must be seen before a database counts as restored."""

from __future__ import annotations

from actions.step import Stage
from cockpit.model.job import JobStep, StepState

ANSWERS = "the database answers, its tables are there"
EQUAL = "its rows are the dump's"
WRITTEN = "it is written to again"
KEPT = "the old one is kept"
PROOFS = (ANSWERS, EQUAL, WRITTEN, KEPT)
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """In the order of PROOFS."""
    return (answers(stage), _equal(stage), _written(stage), kept(stage))


def answers(stage: Stage) -> JobStep:
    """Through the connection that every client would use."""
    sample = stage.snapshot.postgres
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(ANSWERS, UNKNOWN, sample.error or "not read")
    if sample.value.missing_tables:
        return JobStep(ANSWERS, FAILED, f"missing: {', '.join(sample.value.missing_tables)}")
    return JobStep(ANSWERS, DONE, f"{sample.value.connections} sessions")


def _equal(stage: Stage) -> JobStep:
    """Counted before the swap, when nobody else could write."""
    counted = stage.facts.get("counted")
    if counted is None:
        return JobStep(EQUAL, UNKNOWN, "not counted")
    return JobStep(EQUAL, DONE, f"{sum(counted.values()):,} rows in {len(counted)} tables, counted before the swap")


def _written(stage: Stage) -> JobStep:
    """Where the old one was there and nobody was in it, nobody is awaited."""
    sample, before = stage.snapshot.postgres, stage.facts.get("writes")
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(WRITTEN, UNKNOWN, sample.error or "not read")
    count = None if sample.value.writes is None or before is None else sample.value.writes - int(before)
    if count is not None and count > 0:
        return JobStep(WRITTEN, DONE, f"{count:,} rows since the swap")
    if stage.facts.get("is_there") and stage.facts.get("sessions") == 0:
        return JobStep(WRITTEN, DONE, "nobody was connected before: nobody is awaited")
    databases = stage.snapshot.databases.value
    current = databases.current if databases is not None else None
    return JobStep(WRITTEN, UNKNOWN, f"nothing written yet, {current.sessions if current else 'no'} sessions")


def kept(stage: Stage) -> JobStep:
    """Under the name that was chosen for it."""
    sample, aside = stage.snapshot.databases, str(stage.facts.get("aside"))
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(KEPT, UNKNOWN, sample.error or "not read")
    if not stage.facts.get("is_there", True):
        return JobStep(KEPT, DONE, "there was none")
    found = sample.value.named(aside)
    if found is None:
        return JobStep(KEPT, FAILED, f"{aside} is not there")
    return JobStep(KEPT, DONE, f"{aside}, it takes no connections")
