"""What must be seen before Redis counts as restarted."""

from __future__ import annotations

from actions.redis_container.checks import groups, streams
from actions.redis_container.halt import Halt
from actions.step import Stage
from cockpit.model.job import JobStep, StepState

ANSWERS = "a new process answers, loading finished"
ROLE = "it is the primary"
HALT = "kill switch as before"
GROUPS = "consumer groups exist"
PROOFS = (ANSWERS, ROLE, HALT, GROUPS)
GROUPED = ("incoming", "validated", "fills")
"""Order streams that somebody must read."""

DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """In the order of PROOFS."""
    now = stage.clock.now()
    redis = stage.snapshot.redis
    if redis.value is None or not redis.is_live(now):
        why = redis.error or "Redis was not read"
        return tuple(JobStep(name, UNKNOWN, why) for name in PROOFS)
    return (_answers(stage), _role(redis.value.role), _halt(stage, now), _groups(stage, now))


def _answers(stage: Stage) -> JobStep:
    redis = stage.snapshot.redis.value
    assert redis is not None
    if redis.is_loading:
        return JobStep(ANSWERS, RUNNING, "it is loading its data")
    before = stage.facts.get("run_id")
    if before is not None and redis.run_id == before:
        return JobStep(ANSWERS, FAILED, "the same process as before answers: it was not restarted")
    return JobStep(ANSWERS, DONE, f"PING in {redis.round_trip_ms:.1f} ms, up {redis.uptime_s:.0f} s")


def _role(role: str) -> JobStep:
    return JobStep(ROLE, DONE if role == "primary" else RUNNING, role)


def _halt(stage: Stage, now: float) -> JobStep:
    sample = stage.snapshot.kill_switch
    if sample.value is None or not sample.is_live(now):
        return JobStep(HALT, UNKNOWN, sample.error or "not read")
    was = Halt.from_facts(stage.facts).halted
    word = "engaged" if sample.value.is_engaged else "not engaged"
    if was != "false" and not sample.value.is_engaged:
        before = "it was before" if was == "true" else "it may have been before"
        return JobStep(HALT, RUNNING, f"NOT ENGAGED, and {before}: engage it now (K)")
    if stage.facts.get("reasserted"):
        lost = "lost by the restart, engaged again" if was == "true" else "not known before: engaged to be safe"
        word = f"engaged: {lost}"
    return JobStep(HALT, DONE, word)


def _groups(stage: Stage, now: float) -> JobStep:
    if not stage.snapshot.flow.is_live(now):
        return JobStep(GROUPS, UNKNOWN, stage.snapshot.flow.error or "not read")
    present = set(groups(stage.snapshot))
    before = stage.facts.get("groups")
    if before is None:
        missing = [one.name for one in streams(stage.snapshot) if one.label in GROUPED and not one.groups]
        told = "those before are not known; each order stream has one"
    else:
        missing = sorted(set(before) - present)
        told = "all of those before"
    if missing:
        return JobStep(GROUPS, RUNNING, f"missing: {', '.join(missing)}")
    return JobStep(GROUPS, DONE, f"{len(present)}: {told}")
