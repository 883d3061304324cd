"""The plan of a notice: the exact text for each audience, decided once and confirmed to the letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.notify import words
from actions.notify.parcels import FULL, SUMMARY, Parcel, chosen, has_route, of_plan
from actions.notify.words import Message
from cockpit.alerting.redaction import redacted
from cockpit.config import Settings
from cockpit.model.alerting import Alerting, Audience
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World

DEADLINE_S = 3.0
TRIED = "every channel is tried"
NO_ALERTING = Alerting()
NOT_TOLD = "nobody: there is no way to tell them"


def plan_for(
    action: str,
    audiences: str,
    settings: Settings,
    operator: Operator,
    parameters: Mapping[str, str],
    snapshot: Snapshot,
    now: float,
) -> Plan:
    """What would be sent; the text is made of the snapshot once, and from then on is what was confirmed."""
    alerting = snapshot.alerting.value or NO_ALERTING
    told, unknown = chosen(alerting, audiences)
    fields = _texts(parameters, settings, operator, snapshot) | {"audiences": audiences}
    fields |= {name: parameters[name] for name in ("note", "only") if parameters.get(name)}
    who = ", ".join(one.name for one in told) or audiences
    draft = Plan(
        action=action,
        title=f"Notify {'everybody' if audiences == 'all' else who.replace('_', ' ')}",
        sentence="Sends the text below, each address its own copy, by a process of its own. Nothing is sent twice.",
        world=settings.world,
        site=settings.site,
        target=f"notice to {audiences}",
        danger=Danger.PROTECT,
        parameters=tuple(sorted(fields.items())),
        steps=(),
        checks=(),
        impact=(),
        proofs=(),
        proof_deadline_s=DEADLINE_S,
        undo="none: what was sent is sent",
        is_settled=True,
        prepared_at=now,
    )
    return _filled(draft, alerting, told, (*_checks(settings, snapshot, told, unknown, fields, now),))


def _filled(draft: Plan, alerting: Alerting, told: tuple[Audience, ...], checks: tuple[Check, ...]) -> Plan:
    found = of_plan(draft, alerting)
    where = "; ".join(parcel.where for parcel in found) or NOT_TOLD
    if not found and not any(check.blocks for check in checks):
        checks = (*checks, Check("message", FAIL, "alerts.yaml no longer sends this message to anybody"))
    return replace(
        draft,
        steps=(PlanStep(TRIED, where, f"cockpit notify {dict(draft.parameters)['audiences']}"),),
        checks=checks,
        impact=tuple(_preview(found, draft.world)),
        proofs=tuple(proof(parcel) for parcel in found) or (NOT_TOLD,),
    )


def proof(parcel: Parcel) -> str:
    """What is shown to prove that it arrived."""
    return f"{parcel.where}: taken"


def _texts(parameters: Mapping[str, str], settings: Settings, who: Operator, snapshot: Snapshot) -> dict[str, str]:
    """Both texts: as they were confirmed, else made now."""
    given = {name: parameters[name] for kind in (FULL, SUMMARY) for name in _fields(kind) if name in parameters}
    if given:
        return given
    note = parameters.get("note", "")
    made = {
        FULL: words.full(snapshot, settings, who, note),
        SUMMARY: words.summary(snapshot, settings, who, note),
    }
    return {name: value for kind, message in made.items() for name, value in _pair(kind, message)}


def _fields(kind: str) -> tuple[str, str]:
    return f"{kind}_subject", f"{kind}_body"


def _pair(kind: str, message: Message) -> Iterator[tuple[str, str]]:
    yield from zip(_fields(kind), (message.subject, message.body), strict=True)


def _preview(found: tuple[Parcel, ...], world: World) -> Iterator[str]:
    """Each text once, under everybody who gets it."""
    if world in (World.SANDBOX, World.REPLAY):
        yield "only this machine can be reached from here: no real channel is told"
    texts: dict[tuple[str, str], list[str]] = {}
    for parcel in found:
        texts.setdefault((parcel.subject, parcel.body), []).append(parcel.where)
    for (subject, body), where in texts.items():
        yield f"to {', '.join(where)}:"
        yield f"| {subject}"
        yield from (f"| {line}" for line in body.splitlines())


def _checks(
    settings: Settings,
    snapshot: Snapshot,
    told: tuple[Audience, ...],
    unknown: tuple[str, ...],
    fields: Mapping[str, str],
    now: float,
) -> Iterator[Check]:
    yield from world_check(settings.world)
    missing = evidence_error("alerts.yaml", snapshot.alerting, now)
    if missing is not None:
        yield missing
        return
    alerting = snapshot.alerting.value or NO_ALERTING
    if alerting.trouble:
        yield Check("alerts.yaml", WARN, f"{alerting.trouble}: what it said before counts")
    if not alerting.is_present:
        yield Check("alerts.yaml", FAIL, f"there is none in {settings.root}: nobody is known who could be told")
        return
    if unknown:
        yield Check("audience", FAIL, f"alerts.yaml names no audience {', '.join(unknown)}")
    ways = [(one, channel) for one in told for channel in one.channels if has_route(alerting, channel)]
    mute = [one.name for one in told if not any(way[0] is one and _is_addressed(*way) for way in ways)]
    if mute:
        verdict = FAIL if len(mute) == len(told) else WARN
        yield Check("channels", verdict, f"alerts.yaml has no way to tell {', '.join(mute)}")
    elif told:
        yield Check(
            "channels", PASS, f"{len(ways)} {'way' if len(ways) == 1 else 'ways'} out", snapshot.alerting.age_s(now)
        )
    if any(one.is_summary for one in told):
        yield _redaction_check(fields)


def _is_addressed(audience: Audience, channel: str) -> bool:
    return channel == "slack" or bool(audience.to)


def _redaction_check(fields: Mapping[str, str]) -> Check:
    """Whatever way a text for outsiders came here, it holds nothing that is withheld from them."""
    texts = [fields.get("summary_subject", ""), *fields.get("summary_body", "").splitlines()]
    if all(redacted(line) == " ".join(line.split()) for line in texts):
        return Check("redaction", PASS, "the summary holds plain words only")
    return Check("redaction", FAIL, "the summary holds what outsiders must not read")
