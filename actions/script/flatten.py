"""Flatten: every position closed with reduce-only orders under an engaged kill switch, within the brokers' rates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from actions.script.book import LEDGER_EQUAL, held, ledger_equal, listed
from actions.script.command import Command, command_step
from actions.script.flatten_checks import checks, impact
from actions.step import Result, Stage, Step
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot

ID = "script.flatten"
EVIDENCE = frozenset({"redis", "risk", "kill_switch", "venues", "heartbeats"})
DEADLINE_S = 20.0
GIVES_UP_S = 10.0
OPEN = re.compile(r"^[\d.]+ s  (\d+) open, ")
STILL_OPEN = re.compile(r"still open: (\S+) +(-?[\d,]+) *([^\r\n]*)")
FLAT = "every position is 0"
NEVER_FLIPPED = "no position changed its sign"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What flattening would do now."""
    count, scripts = len(held(snapshot)), settings.scripts
    return Plan(
        action=ID,
        title="Flatten all positions",
        sentence="Closes every position at the market with reduce-only orders. This trades, and costs money.",
        world=settings.world,
        site=settings.site,
        target="positions",
        danger=Danger.DANGER,
        parameters=(("orders_per_s", str(scripts.orders_per_s)), ("slice_usd", f"{scripts.slice_usd:g}")),
        steps=(command_step("positions closed", scripts.flatten, scripts.flatten_timeout_s),),
        checks=tuple(checks(settings, snapshot, now)),
        impact=tuple(impact(settings, snapshot, now)),
        proofs=(FLAT, NEVER_FLIPPED, LEDGER_EQUAL),
        proof_deadline_s=DEADLINE_S,
        undo="none: positions have to be built up again by trading",
        phrase=f"FLATTEN {count} POSITION{'' if count == 1 else 'S'} {settings.site}",
        needs_reason=True,
        locks=("book",),
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The program."""
    return (_Flatten(plan, 0),)


class _Flatten(Command):
    cut_off = StepState.UNKNOWN
    """Its orders may be in flight: only what is held tells."""

    def before(self, stage: Stage) -> dict[str, Any]:
        """What was held: a sign that turns is seen by it."""
        return {"held": held(stage.snapshot)}

    def variables(self, settings: Settings) -> dict[str, str]:
        """The rates that the plan names."""
        part = settings.scripts
        return {
            "FLATTEN_ORDERS_PER_S": str(part.orders_per_s),
            "FLATTEN_SLICE_USD": f"{part.slice_usd:g}",
            "FLATTEN_DEADLINE_S": f"{max(1.0, part.flatten_timeout_s - GIVES_UP_S):g}",
        }

    def progress(self, line: str, stage: Stage) -> tuple[str, float | None]:
        """By the positions that it says are open."""
        found, before = OPEN.search(line), len(stage.facts.get("held") or ())
        return line, None if found is None or not before else 1.0 - min(before, int(found[1])) / before

    def failed(self, end: str) -> str:
        """What it lists as still open, each with its reason."""
        last: dict[str, str] = {}
        for symbol, qty, why in STILL_OPEN.findall(end):
            last[symbol] = f"{symbol} {qty} ({why.strip()})" if why.strip() else f"{symbol} {qty}"
        return f"still open: {', '.join(last.values())}" if last else ""

    def probe(self, stage: Stage) -> Result:
        """Nothing held is done; while anything is, its orders may still be in flight, and nobody can say not done."""
        sample = stage.snapshot.risk
        if sample.value is None or not sample.is_live(stage.clock.now()):
            return Result(StepState.UNKNOWN, sample.error or "positions not read")
        left = held(stage.snapshot)
        if left:
            return Result(StepState.UNKNOWN, f"orders may still be in flight; still open: {listed(left)}")
        return Result(StepState.DONE, "nothing is held")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Nothing is held, nothing was turned round, and the ledger says so too."""
    sample = stage.snapshot.risk
    if sample.value is None or not sample.is_live(stage.clock.now()):
        why = sample.error or "positions not read"
        return (*(JobStep(name, StepState.UNKNOWN, why) for name in (FLAT, NEVER_FLIPPED)), ledger_equal(stage))
    left = held(stage.snapshot)
    before = stage.facts.get("held") or {}
    if left:
        flat = JobStep(FLAT, StepState.RUNNING, f"still open: {listed(left)}")
    else:
        flat = JobStep(FLAT, StepState.DONE, f"{len(before)} were held")
    turned = {one: qty for one, qty in left.items() if qty is not None and qty * (before.get(one) or 0.0) < 0}
    if turned:
        return (flat, JobStep(NEVER_FLIPPED, StepState.FAILED, listed(turned)), ledger_equal(stage))
    return (flat, JobStep(NEVER_FLIPPED, StepState.DONE, "none did"), ledger_equal(stage))
