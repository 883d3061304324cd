"""From the checks of a step to a word: would work, after another step, not needed now, unknown, would not work."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.rehearsal import Outcome, Rehearsed
from cockpit.model.told import Told
from cockpit.readiness.look import Look

NEEDLESS = {
    "alerts.expire": {"silence"},
    "backend.terminate": {"somebody blocks"},
    "kill_switch.release": {"kill switch"},
    "pg_restore.drop_old": {"old one", "age"},
    "pg_restore.swap_back": {"old one"},
    "reroute.away": {"route"},
    "reroute.back": {"route"},
    "rollout.scale": {"number"},
    "rollout.undo": {"revision before"},
}
"""Action -> the checks of which one fails where there is nothing to do it on, or not yet."""
IN_TURN = {
    "redis_container.restart": {"state kept"},
    "pg_restore.restore": {"state kept"},
    "script.flatten": {"kill switch", "ledger = Redis"},
    "script.replay": {"kill switch", "state kept"},
}
"""Action -> the checks that another step of the runbook, taken before it, makes pass."""
HALTED = "halted"
"""The guard of a fund's own row that asks for a halt first."""
REDIS = {"Redis", "Redis answers", "role", "writes accepted", "durable", "not evicted"}
"""Of a release that nobody needs only these count: the rest judges trading that goes on as it should."""
ADVICE = {
    "program": "install it, or look at scripts.path and root",
    "script": "look at root and the scripts section",
    "Docker": "look at docker.url, docker.containers, and the socket's group",
    "Docker answers": "look at the panel Docker, docker.url, and the socket's group",
    "Kubernetes": "look at kubernetes.kubeconfig and context",
    "Kubernetes answers": "look at the panel Kubernetes and the kubeconfig",
    "Redis answers": "look at the panel Redis",
    "Postgres answers": "look at the panel Postgres",
    "channels": "look at alerts.yaml: audiences and routing",
    "alerts.yaml": "cockpit alerts check FILE says what is wrong in it",
}


def judged(told: Told, looks: Sequence[Look]) -> Rehearsed:
    """One step, by the worst of what it could be taken on."""
    row = told.row
    keys = row.keys
    line = (row.step, row.title, row.section, row.section_title, keys)
    if told.error or not told.plans:
        return Rehearsed(*line, Outcome.BROKEN, told.error or "nothing is configured for it", "look at cockpit.yaml")
    around = [look for look in looks if look.concerns(row)]
    checked = sum(len(plan.checks) for plan in told.plans) + len(around)
    order = list(Outcome)
    plans = [_plan(plan, row.asks, len(told.plans) > 1) for plan in told.plans]
    beside = [_look(look) for look in around]
    worst = max((*plans, *beside), key=lambda each: order.index(each[0]))
    if worst[0].is_well and worst[0] is not Outcome.LIMITED:
        # What is around it is well: whether there is anything to do it on, only the plans say.
        worst = max(plans, key=lambda each: order.index(each[0]))
        if worst[0] is Outcome.WORKS:
            worst = next((each for each in (*beside, *plans) if each[1] and each[0] is Outcome.WORKS), worst)
    return Rehearsed(*line, *worst, checked)


Found = tuple[Outcome, str, str]


def _plan(plan: Plan, asked: Sequence[str], is_one_of_many: bool) -> Found:
    of = f"{plan.target}: " if is_one_of_many else ""
    needless = NEEDLESS.get(plan.action, set())
    nothing = next((check for check in plan.blocking if check.name in needless and check.verdict is Verdict.FAIL), None)
    # What is to be chosen in its dialog is no reason that it would not work.
    blocking = [check for check in plan.blocking if check.name not in asked]
    if nothing is not None:
        rest = [check for check in blocking if check is not nothing]
        if plan.action == "kill_switch.release":
            rest = [check for check in rest if check.name in REDIS]
        if rest:
            return _blocked(plan, of, rest)
        is_named = nothing.detail.startswith(f"{plan.target} ")
        return Outcome.NEEDLESS, nothing.detail if is_named else f"{of}{nothing.detail}", ""
    return _blocked(plan, of, blocking) if blocking else (Outcome.WORKS, _warning(plan, of), "")


def _blocked(plan: Plan, of: str, blocking: Sequence[Check]) -> Found:
    """A check that fails says more than one that nobody could make, and that more than one that has only its turn."""
    turns = IN_TURN.get(plan.action, set()) | {HALTED}
    failing = [check for check in blocking if check.verdict is Verdict.FAIL and check.name not in turns]
    nobody = [check for check in blocking if check.verdict is Verdict.UNKNOWN]
    if failing:
        check = failing[0]
        more = f" (+{len(failing) - 1})" if len(failing) > 1 else ""
        advice = ADVICE.get(check.name, "")
        if not advice and check.is_overridable:
            advice = "override it in its dialog, with a reason"
        return Outcome.BROKEN, f"{of}{check.name}: {check.detail}{more}", advice
    if nobody:
        check = nobody[0]
        return Outcome.UNKNOWN, f"{of}{check.name}: {check.detail}", ADVICE.get(check.name, "look at its panel")
    return Outcome.IN_TURN, "; ".join(f"{of}{check.name}: {check.detail}" for check in blocking), ""


def _warning(plan: Plan, of: str) -> str:
    return next((f"{of}{each.name}: {each.detail}" for each in plan.checks if each.verdict is Verdict.WARN), "")


OUTCOMES = {
    Verdict.PASS: Outcome.WORKS,
    Verdict.WARN: Outcome.LIMITED,
    Verdict.UNKNOWN: Outcome.UNKNOWN,
    Verdict.FAIL: Outcome.BROKEN,
}


def _look(look: Look) -> Found:
    check = look.check
    if check.verdict is Verdict.PASS and not look.is_told:
        return Outcome.WORKS, "", ""
    return OUTCOMES[check.verdict], f"{check.name}: {check.detail}", look.advice


def shared(look: Look) -> Rehearsed:
    """A line of its own."""
    check = look.check
    return Rehearsed(
        check.name, check.name, "", "What all steps rely on", "", OUTCOMES[check.verdict], check.detail, look.advice, 1
    )
