"""What goes where: one parcel for each audience, channel and address, with the exact text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from actions.notify.words import Message
from cockpit.model.alerting import Alerting, Audience
from cockpit.model.plan import Plan

EMAIL, SLACK = "email", "slack"
NAMES = {SLACK: "Slack", EMAIL: "mail"}
FULL, SUMMARY = "full", "summary"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to one address."""

    audience: str
    channel: str
    to: str
    """A mail address; empty for Slack."""
    kind: str
    """full or summary."""
    subject: str
    body: str

    @property
    def where(self) -> str:
        """ops by mail to ops@fund.example"""
        return f"{self.audience} by {NAMES[self.channel]}" + (f" to {self.to}" if self.to else "")

    @property
    def text(self) -> str:
        """What a channel without a subject shows."""
        return self.body if self.body.startswith(self.subject) else f"{self.subject}\n\n{self.body}"

    def key(self, site: str) -> str:
        """Names this message for ever: the same text to the same address is the same message."""
        parts = (site, self.audience, self.channel, self.to, self.subject, self.body)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def parcels(audiences: Iterable[Audience], messages: Mapping[str, Message]) -> Iterator[Parcel]:
    """In the order of the file; nothing goes to one address twice in one audience."""
    for audience in audiences:
        kind = SUMMARY if audience.is_summary else FULL
        message = messages[kind]
        for channel in audience.channels:
            for to in dict.fromkeys(audience.to) if channel == EMAIL else ("",):
                yield Parcel(audience.name, channel, to, kind, message.subject, message.body)


def chosen(alerting: Alerting, names: str) -> tuple[tuple[Audience, ...], tuple[str, ...]]:
    """The audiences of these names (`all`: every one of the file), and the names that the file does not know."""
    if names == "all":
        return alerting.audiences, ()
    wanted = [name for name in dict.fromkeys(part.strip() for part in names.split(",")) if name]
    found = {name: alerting.audience(name) for name in wanted}
    known = tuple(audience for audience in found.values() if audience is not None)
    return known, tuple(name for name, audience in found.items() if audience is None)


def has_route(alerting: Alerting, channel: str) -> bool:
    """Whether the file says how this channel is reached."""
    return alerting.has_slack if channel == SLACK else alerting.has_mail


def of_plan(plan: Plan, alerting: Alerting) -> tuple[Parcel, ...]:
    """The parcels that were confirmed; one of them alone where only that is sent again."""
    fields = dict(plan.parameters)
    messages = {
        kind: Message(fields[f"{kind}_subject"], fields[f"{kind}_body"])
        for kind in (FULL, SUMMARY)
        if f"{kind}_body" in fields
    }
    audiences, _ = chosen(alerting, fields["audiences"])
    found = parcels([one for one in audiences if (SUMMARY if one.is_summary else FULL) in messages], messages)
    routed = (one for one in found if has_route(alerting, one.channel))
    only = fields.get("only", "")
    return tuple(one for one in routed if not only or one.key(plan.site) == only)
