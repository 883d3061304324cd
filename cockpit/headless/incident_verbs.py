"""What each verb of `cockpit incident` does and prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from actions.runbook import runbook_for
from cockpit.alerting.names import UNKNOWN_HELD, names_held
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import CockpitError, JournalError, Misused, Rejected
from cockpit.incidents import exports
from cockpit.incidents.alone import take_over
from cockpit.incidents.closing import close, review
from cockpit.incidents.commit import commit
from cockpit.incidents.loss import Loss, measured
from cockpit.incidents.opening import opening, unknown_section
from cockpit.incidents.promise import promise
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.operator import current_operator
from cockpit.jobs.scribe import Scribe
from cockpit.model.incident import Incident
from cockpit.model.severity import Severity
from cockpit.session import secret_words, state_folder
from cockpit.storage.audit import AuditLog
from cockpit.storage.drafts import Drafts
from cockpit.storage.incidents import Incidents
from cockpit.storage.jobs import JobStore
from cockpit.text import clean

NONE_OPEN = "no incident is open: name one, or open one with `cockpit incident new`"
AUDIT_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Who writes into which folder."""

    settings: Settings
    incidents: Incidents
    by: str

    @classmethod
    def at(cls, settings: Settings) -> Desk:
        """The desk of the present operator."""
        by = current_operator().label
        return cls(settings, Incidents(settings.incidents_folder, by), by)

    def named(self, name: str | None) -> Incident:
        """The incident of that name, or the open one.

        Raises:
            Rejected: there is none.
        """
        if name:
            return self.incidents.find(name)
        found = self.incidents.open_one()
        if found is None:
            raise Rejected(NONE_OPEN)
        return self.incidents.find(found.id)

    def done(self, incident: Incident, words: str, args: argparse.Namespace, kind: str = "") -> int:
        """Say what was done; into the audit too where it is a decision."""
        if kind:
            self._audit(kind, f"{incident.id}: {words}")
        if self.settings.incidents.git:
            failed = commit(self.incidents.folder / f"{incident.id}.md", f"{incident.id}: {words}", self.by)
            if failed:
                print(f"cockpit: not committed: {failed}", file=sys.stderr)
        facts = exports.as_facts(incident, SystemClock().now())
        print(_json(facts) if args.json else clean(f"{incident.id}: {words}", 2000))
        return 0

    def _audit(self, kind: str, words: str) -> None:
        log = AuditLog(state_folder(self.settings))
        minutes = Minutes(log, Scribe(), SystemClock(), current_operator(), self.settings.world, self.settings.site)
        minutes.write(kind, words).result(AUDIT_WAIT_S)


def _json(value: object) -> str:
    # In ASCII: what people and other programs wrote into the files must not act on the terminal.
    return json.dumps(value, indent=1)


def _new(desk: Desk, args: argparse.Namespace) -> int:
    why_not = unknown_section(args.section, (spec.section for spec in runbook_for(desk.settings).actions))
    if why_not:
        raise Misused(why_not)
    draft = opening(desk.settings, args.title, Severity[args.severity], args.section, args.reason, args.began)
    incident = desk.incidents.open(draft.with_roles(dict(args.role)).as_drill(args.drill or draft.is_drill))
    where = desk.incidents.folder / f"{incident.id}.md"
    _take_over(desk, incident)
    return desk.done(incident, f"opened as {args.severity} in {where}", args, "incident_opened")


def _take_over(desk: Desk, incident: Incident) -> None:
    """It is open all the same where the jobs cannot be read."""
    try:
        closed_at = max((each.closed_at or 0.0 for each in desk.incidents.all()), default=0.0)
        jobs = JobStore(state_folder(desk.settings) / "jobs").jobs()
        take_over(desk.incidents, incident, jobs, closed_at, SystemClock().now())
    except CockpitError as error:
        print(f"cockpit: whether anybody acted alone before is not known: {clean(error, 300)}", file=sys.stderr)


def _list(desk: Desk, args: argparse.Namespace) -> int:
    found = [each for each in desk.incidents.all() if each.is_open or not args.open]
    if args.json:
        print(_json([exports.as_facts(each, SystemClock().now()) for each in found]))
        return 0
    if not found:
        print("no incident is open" if args.open else "no incident yet")
    for each in found:
        state = "OPEN  " if each.is_open else "closed"
        at = datetime.fromtimestamp(each.opened_at, UTC)
        problem = f"  ({each.problem})" if each.problem and each.is_open else ""
        print(clean(f"{at:%Y-%m-%d %H:%M}Z {each.severity.label} {state} {each.id}  {each.title}{problem}", 300))
    return 0


def _show(desk: Desk, args: argparse.Namespace) -> int:
    return _printed(desk, desk.named(args.incident), "timeline" if args.json else "full")


def _export(desk: Desk, args: argparse.Namespace) -> int:
    return _printed(desk, desk.named(args.incident), "timeline" if args.json else args.kind)


def _printed(desk: Desk, incident: Incident, kind: str) -> int:
    now = SystemClock().now()
    if kind == "timeline":
        print(_json(exports.as_facts(incident, now)))
        return 0
    text = desk.incidents.text(incident.id)
    if kind == "summary":
        text = exports.summary(incident, text, now, (*secret_words(desk.settings), *_held(desk.settings)))
    else:
        text = exports.full(incident, text, now)
    print("\n".join(clean(line, 20_000) for line in text.rstrip("\n").split("\n")))
    return 0


def _held(settings: Settings) -> tuple[str, ...]:
    """What no summary names, by one look at the platform; said where that shows nothing."""
    from cockpit.headless.status import FIRST_ROUND_S, watching

    with watching(settings) as (ear, _):
        ear.wait_round(FIRST_ROUND_S)
        found = names_held(ear.newest)
    if found is None:
        print(UNKNOWN_HELD, file=sys.stderr)
    return found or ()


def _search(desk: Desk, args: argparse.Namespace) -> int:
    words = [word.casefold() for word in args.words]
    hits: list[Mapping[str, object]] = []
    for incident in desk.incidents.all():
        lines = desk.incidents.text(incident.id).split("\n")
        if not all(word in "\n".join(lines).casefold() for word in words):
            continue
        hits += [
            {"id": incident.id, "line": number, "text": clean(line, 300)}
            for number, line in enumerate(lines, 1)
            if any(word in line.casefold() for word in words)
        ]
    print(
        _json(hits) if args.json else "\n".join(clean(f"{hit['id']}:{hit['line']}: {hit['text']}", 600) for hit in hits)
    )
    return 0 if hits else 1


def _note(desk: Desk, args: argparse.Namespace) -> int:
    incident = desk.named(args.incident)
    text = " ".join(args.text).strip()
    if not text:
        raise Misused("there is nothing to note")
    try:
        desk.incidents.note(text, incident.id)
    except JournalError as error:
        drafts = Drafts(state_folder(desk.settings) / "drafts")
        kept = drafts.keep_note(incident.id, f"{desk.by}: {text}", SystemClock().now())
        raise JournalError(f"{error}; the note is kept in {kept}, and written by the next cockpit that can") from error
    return desk.done(desk.incidents.find(incident.id), "noted", args)


def _changed(desk: Desk, args: argparse.Namespace) -> int:
    incident = desk.named(args.incident)
    words = f"{incident.severity.label} to {args.severity}: {args.reason}"
    found = desk.incidents.set_severity(incident.id, Severity[args.severity], args.reason)
    return desk.done(found, words, args, "incident_severity")


def _roles(desk: Desk, args: argparse.Namespace) -> int:
    found = desk.incidents.set_roles(desk.named(args.incident).id, dict(args.roles))
    return desk.done(found, ", ".join(f"{role} {who}" for role, who in args.roles), args)


def _update(desk: Desk, args: argparse.Namespace) -> int:
    found = promise(desk.incidents, desk.named(args.incident).id, desk.by, SystemClock(), args.minutes)
    return desk.done(found, f"next update in {args.minutes:g} min" if args.minutes else "no update is promised", args)


def _close(desk: Desk, args: argparse.Namespace) -> int:
    given = {"cause": args.cause, "rpo_minutes": args.rpo_minutes, "rpo_rows": args.rpo_rows}
    values = {name: value for name, value in given.items() if value is not None}
    incident = desk.named(args.incident)
    loss = _loss(desk, incident) if args.rpo_minutes is None and incident.rpo_minutes is None else None
    lost_minutes = loss.minutes if loss else None
    found = close(desk.incidents, incident.id, desk.by, SystemClock(), values, args.although, lost_minutes)
    if loss:
        words = f"minutes lost, as measured: {loss.minutes:g}. {loss.words}. --rpo-minutes N says otherwise"
        print(f"cockpit: {clean(words, 400)}", file=sys.stderr)
    return desk.done(found, f"closed: {found.cause or args.although}", args, "incident_closed")


def _loss(desk: Desk, incident: Incident) -> Loss | None:
    """What its steps measured; it is closed all the same where the jobs cannot be read."""
    try:
        return measured(incident, JobStore(state_folder(desk.settings) / "jobs").jobs())
    except CockpitError as error:
        print(f"cockpit: whether a step measured what was lost is not known: {clean(error, 300)}", file=sys.stderr)
        return None


def _review(desk: Desk, args: argparse.Namespace) -> int:
    found = review(desk.incidents, desk.named(args.incident).id, desk.by, SystemClock(), args.text)
    return desk.done(found, f"reviewed: {args.text}", args, "incident_reviewed")


VERBS: Mapping[str, Callable[[Desk, argparse.Namespace], int]] = {
    "new": _new,
    "list": _list,
    "show": _show,
    "export": _export,
    "search": _search,
    "note": _note,
    "severity": _changed,
    "role": _roles,
    "update": _update,
    "close": _close,
    "review": _review,
}
