"""Reads alerts.yaml as funds have it: what is known counts, what is not is named, what is wrong fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import yaml

from cockpit.alerting import nodes
from cockpit.alerting.meanings import effect, meaning
from cockpit.alerting.routing import Hidden, MailRoute, Routing, hidden, mail_route
from cockpit.errors import ConfigError
from cockpit.model.alerting import FULL, SUMMARY, Alerting, AlertingRule, Audience, Remark
from cockpit.text import clean

SECTIONS = ("risk", "execution", "market", "sentiment", "system")
SEVERITIES = ("info", "warn", "warning", "critical")
CHANNELS = ("slack", "email")
OUTSIDERS = "stakeholders"
"""They get summaries, whatever a file says."""
BANNER = "ui_banner"
"""The wall itself: there is nothing to send."""
WORDS = ("description", "summary", "name", "channels")
"""Of a rule; for people."""
NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True)
class Document:
    """The file: what may be shown, and the ways out, which may not."""

    alerting: Alerting
    routing: Routing


def read(text: str) -> Document:
    """The file's text, understood.

    Raises:
        ConfigError: it is wrong; the text names line and column.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}, " if mark else ""
        raise ConfigError(f"{where}not valid YAML, {clean(error.problem or 'unreadable', 120)}") from None
    except (yaml.YAMLError, RecursionError):
        raise ConfigError("not valid YAML") from None
    try:
        return _Reading().document(root)
    except RecursionError:
        raise ConfigError("not valid YAML: a part of it contains itself") from None


class _Reading:
    """One pass over the nodes; only they know their lines."""

    def __init__(self) -> None:
        self._remarks: list[Remark] = []
        self._rules: list[AlertingRule] = []
        self._audiences: list[Audience] = []
        self._channels: tuple[str, ...] = ()
        self._is_automatic = False
        self._slack: Hidden | None = None
        self._mail: MailRoute | None = None
        self._mail_to: tuple[str, ...] = ()

    def document(self, root: yaml.Node | None) -> Document:
        for name, key, value in nodes.entries(root, "the file") if root is not None else ():
            if name in SECTIONS:
                self._section(name, value)
            elif name == "notify":
                self._notify(value)
            elif name == "routing":
                self._routing(value)
            elif name == "audiences":
                for audience, _, fields in nodes.entries(value, name):
                    self._audiences.append(self._audience(audience, fields))
            else:
                self._remark(key, name)
        routing = Routing(self._slack, self._mail, self._mail_to)
        return Document(self._alerting(), routing)

    def _alerting(self) -> Alerting:
        found = effect(self._rules)
        return Alerting(
            is_present=True,
            rules=tuple(self._rules),
            audiences=tuple(self._filled(one) for one in self._told()),
            is_automatic=self._is_automatic,
            has_slack=self._slack is not None,
            has_mail=self._mail is not None,
            remarks=tuple(sorted(self._remarks, key=lambda one: (one.line, one.column))),
            thresholds=tuple(sorted(found.thresholds.items())),
            off=tuple(dict.fromkeys(found.off)),
            switched_off=tuple(rule.label for rule in self._rules if not rule.is_enabled),
            raised=tuple(dict.fromkeys(found.raised)),
            early=tuple(found.early.items()),
        )

    def _told(self) -> list[Audience]:
        """A file that is older than audiences speaks to the ops team alone: nobody else is known."""
        return self._audiences or ([Audience("ops", (), (), FULL)] if self._channels else [])

    def _filled(self, audience: Audience) -> Audience:
        """What it leaves out is as the file has it in general; outsiders are named, or not told."""
        if audience.is_summary:
            return audience
        return replace(audience, channels=audience.channels or self._channels, to=audience.to or self._mail_to)

    def _section(self, section: str, node: yaml.Node) -> None:
        for name, key, value in nodes.entries(node, section):
            if not isinstance(value, yaml.MappingNode):
                self._remark(key, f"{section}.{name}")
                continue
            rule = self._rule(section, name, value)
            self._rules.append(rule)
            if meaning(rule) is None:
                self._remark(key, rule.label, "not judged by the cockpit")

    def _rule(self, section: str, name: str, node: yaml.Node) -> AlertingRule:
        rule = AlertingRule(section, clean(name, 60))
        known = meaning(rule)
        numbers: list[tuple[str, float]] = []
        for word, key, value in nodes.entries(node, rule.label):
            what = f"{rule.label}.{word}"
            if word == "enabled":
                rule = replace(rule, is_enabled=nodes.boolean(value, what))
            elif word == "severity":
                rule = replace(rule, severity=self._severity(value, what))
            elif known is not None and word in known.numbers:
                numbers.append((word, nodes.number(value, what)))
            elif word not in WORDS and known is not None:
                self._remark(key, what)
        return replace(rule, numbers=tuple(numbers))

    def _severity(self, node: yaml.Node, what: str) -> str:
        word = nodes.text(node, what).lower()
        if word in SEVERITIES:
            return "warn" if word == "warning" else word
        # Unsure goes up.
        self._remark(node, f"{what} {clean(word, 20)}", f"{NOT_UNDERSTOOD}: taken for critical")
        return "critical"

    def _notify(self, node: yaml.Node) -> None:
        for name, key, value in nodes.entries(node, "notify"):
            if name == "enabled":
                self._is_automatic = nodes.boolean(value, "notify.enabled")
            elif name == "channels":
                self._channels = self._known_channels(value, "notify.channels")
            else:
                self._remark(key, f"notify.{name}")

    def _known_channels(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        found = nodes.texts(node, what)
        for name in found:
            if name not in (*CHANNELS, BANNER):
                self._remark(node, f"{what} {clean(name, 20)}")
        return tuple(dict.fromkeys(name for name in found if name in CHANNELS))

    def _routing(self, node: yaml.Node) -> None:
        for name, key, value in nodes.entries(node, "routing"):
            if name == "slack":
                self._slack_route(value)
            elif name == "email":
                self._email_route(value)
            elif name != BANNER:
                self._remark(key, f"routing.{name}")

    def _slack_route(self, node: yaml.Node) -> None:
        for name, key, value in nodes.entries(node, "routing.slack"):
            if name == "webhook_url":
                self._slack = hidden(value, "routing.slack.webhook_url")
            else:
                self._remark(key, f"routing.slack.{name}")

    def _email_route(self, node: yaml.Node) -> None:
        fields = {name: (key, value) for name, key, value in nodes.entries(node, "routing.email")}
        for name, (key, _) in fields.items():
            if name not in ("to", "from", "smtp"):
                self._remark(key, f"routing.email.{name}")
        if "to" in fields:
            self._mail_to = _addresses(fields["to"][1], "routing.email.to")
        sender = nodes.text(fields["from"][1], "routing.email.from") if "from" in fields else None
        if "smtp" in fields:
            unknown: list[tuple[yaml.Node, str]] = []
            self._mail = mail_route(fields["smtp"][1], sender, unknown)
            for place, what in unknown:
                self._remark(place, what)

    def _audience(self, name: str, node: yaml.Node) -> Audience:
        channels: tuple[str, ...] = ()
        to: tuple[str, ...] = ()
        detail = FULL if name in ("ops", "risk_officer") else SUMMARY
        what = f"audiences.{name}"
        for word, key, value in nodes.entries(node, what):
            if word == "channels":
                channels = self._known_channels(value, f"{what}.channels")
            elif word == "to":
                to = _addresses(value, f"{what}.to")
            elif word == "detail":
                detail = nodes.text(value, f"{what}.detail")
                if detail not in ((SUMMARY,) if name == OUTSIDERS else (FULL, SUMMARY)):
                    nodes.fail(value, f"{what}.detail must be {SUMMARY}{'' if name == OUTSIDERS else f' or {FULL}'}")
            else:
                self._remark(key, f"{what}.{word}")
        return Audience(name, channels, to, detail)

    def _remark(self, node: yaml.Node, what: str, text: str = NOT_UNDERSTOOD) -> None:
        line, column = nodes.place(node)
        self._remarks.append(Remark(line, column, f"{clean(what, 80)}: {text}"))


def _addresses(node: yaml.Node, what: str) -> tuple[str, ...]:
    found = nodes.texts(node, what)
    for address in found:
        name, sign, host = address.rpartition("@")
        if not (sign and name and host) or any(char.isspace() or char in ",;<>" for char in address):
            nodes.fail(node, f"{what} must hold mail addresses")
    return found
