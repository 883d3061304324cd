"""Where messages go: the Slack webhook and the mail server of alerts.yaml, with their secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import yaml

from cockpit.alerting.nodes import entries, fail, is_null, number, text
from cockpit.secret import Secret
from cockpit.text import clean

SECURITIES = ("none", "starttls", "tls")
_VARIABLE = re.compile(r"^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$")
PORTS = {"none": 25, "starttls": 587, "tls": 465}


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret that stands in the file itself, or says where it is kept; never printed."""

    literal: str | None = field(default=None, repr=False)
    secret: Secret | None = None

    def reveal(self) -> str:
        """The secret, read anew; may block.

        Raises:
            ConfigError: it is not where the file says.
        """
        if self.secret is not None:
            return self.secret.reveal().strip()
        return self.literal or ""


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The mail server and the sender."""

    host: str
    port: int
    security: str
    """none, starttls or tls."""
    sender: str
    user: str | None = None
    password: Hidden | None = None
    ca: Path | None = None
    """PEM file of a private authority that the server's certificate may be signed by."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Every way out."""

    slack: Hidden | None = None
    mail: MailRoute | None = None
    mail_to: tuple[str, ...] = ()
    """Who gets mail where an audience names nobody."""


def hidden(node: yaml.Node, what: str) -> Hidden | None:
    """A secret: its text, `${NAME}`, or a mapping with env or file; None where it is empty.

    No command, as the cockpit's own configuration may name one: this is somebody else's file, and must not run things.
    """
    if isinstance(node, yaml.MappingNode):
        return Hidden(secret=_secret(node, what))
    value = text(node, what).strip()
    if is_null(node) or not value:
        return None
    variable = _VARIABLE.match(value)
    return Hidden(secret=Secret(env=variable[1])) if variable else Hidden(literal=value)


def _secret(node: yaml.MappingNode, what: str) -> Secret:
    fields = {name: value for name, _, value in entries(node, what)}
    if len(fields) != 1 or not fields.keys() <= {"env", "file"}:
        fail(node, f"{what} names exactly one of env and file")
    (name, value) = next(iter(fields.items()))
    return Secret(env=text(value, what)) if name == "env" else Secret(file=Path(text(value, what)))


def mail_route(node: yaml.Node, sender: str | None, unknown: list[tuple[yaml.Node, str]]) -> MailRoute | None:
    """The mail server; None where the file names none."""
    fields = {name: (key, value) for name, key, value in entries(node, "routing.email.smtp")}
    known = {"host", "port", "security", "user", "username", "password", "ca", "from"}
    unknown += [(key, f"routing.email.smtp.{name}") for name, (key, _) in fields.items() if name not in known]
    given = {name: value for name, (_, value) in fields.items() if name in known and not is_null(value)}
    if "host" not in given:
        return None
    security = text(given["security"], "security").lower() if "security" in given else "starttls"
    if security not in SECURITIES:
        said = clean(security, 20)
        fail(given["security"], f"security must be one of {', '.join(SECURITIES)}, not {said!r}")
    user = given.get("user") or given.get("username")
    host = text(given["host"], "host")
    password = hidden(given["password"], "password") if "password" in given else None
    if password is not None and security == "none" and not _is_here(host):
        words = "security: none would send the password in the clear: say starttls or tls, or take the password out"
        fail(given["security"], words)
    return MailRoute(
        host=host,
        port=_port(given["port"]) if "port" in given else PORTS[security],
        security=security,
        sender=text(given["from"], "from") if "from" in given else sender or "cockpit@localhost",
        user=text(user, "user") if user is not None else None,
        password=password,
        ca=Path(text(given["ca"], "ca")) if "ca" in given else None,
    )


def _is_here(host: str) -> bool:
    """Whether what is sent there stays on this machine.

    >>> [_is_here(one) for one in ("localhost", "127.0.0.2", "::1", "mail.internal", "10.0.0.1")]
    [True, True, True, False, False]
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _port(node: yaml.Node) -> int:
    value = number(node, "port")
    if not (value.is_integer() and 0 < value < 65536):
        fail(node, "port must be a number from 1 to 65535")
    return int(value)
