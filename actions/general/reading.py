"""Reads the parameters of a general step from a fund's runbook; what is wrong is told with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import yaml

from actions.nodes import Nodes
from cockpit.address.sound import sound_address

COMMAND = "general.command"
HTTP = "general.http"
GENERAL = frozenset({COMMAND, HTTP})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
LONGEST_S = 3600.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./:@-]{0,63}")

Reader = Callable[[Nodes, yaml.Node], str]


def read_parameters(nodes: Nodes, node: yaml.Node, action: str) -> tuple[tuple[str, str], ...]:
    """The parameters as texts; lists and mappings as JSON.

    Raises:
        ConfigError: they are wrong; the text names file, line and column.
    """
    readers, required = (_COMMAND, ("command",)) if action == COMMAND else (_HTTP, ("url",))
    fields = nodes.fields(node, required, tuple(name for name in readers if name not in required))
    found = {name: readers[name](nodes, value) for name, value in fields.items()}
    if action == HTTP:
        _keep_secrets_safe(nodes, fields, found)
    return tuple(found.items())


def _words(nodes: Nodes, node: yaml.Node) -> str:
    words = nodes.texts(node)
    if not words or any("\0" in word for word in words) or words[0].startswith("-"):
        nodes.fail(node, "here belongs a command as a list of words, its program first")
    return json.dumps(words)


def _host(nodes: Nodes, node: yaml.Node) -> str:
    host = nodes.text(node)
    if not _HOST.fullmatch(host):
        nodes.fail(node, "here belongs a host as ssh knows it: HOST or USER@HOST")
    return host


def _seconds(nodes: Nodes, node: yaml.Node) -> str:
    return f"{nodes.number(node, 0.1, LONGEST_S):g}"


def _variables(nodes: Nodes, node: yaml.Node) -> str:
    for item in nodes.items(node):
        if not _VARIABLE.fullmatch(nodes.text(item)):
            nodes.fail(item, "here belongs the name of an environment variable, never its value")
    return json.dumps(nodes.texts(node))


def _codes(least: int, most: int) -> Reader:
    def read(nodes: Nodes, node: yaml.Node) -> str:
        items = nodes.items(node) if isinstance(node, yaml.SequenceNode) else [node]
        if not items:
            nodes.fail(node, "here belongs at least one number")
        numbers = [nodes.number(item, least, most) for item in items]
        for item, number in zip(items, numbers, strict=True):
            if number != int(number):
                nodes.fail(item, "here belongs a whole number")
        return json.dumps([int(number) for number in numbers])

    return read


def _target(nodes: Nodes, node: yaml.Node) -> str:
    target = nodes.text(node)
    if not _TARGET.fullmatch(target):
        nodes.fail(node, "a target is a short name of letters, digits and . _ / : @ -")
    return target


def _method(nodes: Nodes, node: yaml.Node) -> str:
    return nodes.one_of(node, METHODS, "a method")


def _url(nodes: Nodes, node: yaml.Node) -> str:
    url = nodes.words(node)
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url and parts.port != 0
        sound_address(url)
    except ValueError as error:
        nodes.fail(node, str(error))
    if not is_good or parts.username is not None:
        nodes.fail(node, "here belongs a URL, https://HOST/PATH, without a user's name")
    return url


def _headers(nodes: Nodes, node: yaml.Node) -> str:
    found: dict[str, object] = {}
    for name, (key, value) in nodes.mapping(node).items():
        if not _HEADER.fullmatch(name):
            nodes.fail(key, "here belongs the name of a header")
        found[name] = _secret(nodes, value) if isinstance(value, yaml.MappingNode) else nodes.words(value)
    return json.dumps(found)


def _secret(nodes: Nodes, node: yaml.Node) -> dict[str, object]:
    """A secret by its place; `prefix` stands before it: Bearer."""
    fields = nodes.fields(node, (), ("env", "file", "command", "prefix"))
    places = [name for name in fields if name != "prefix"]
    if len(places) != 1:
        nodes.fail(node, "name exactly one of env, file and command")
    found: dict[str, object] = {"prefix": nodes.words(fields["prefix"])} if "prefix" in fields else {}
    (place,) = places
    value = fields[place]
    return {**found, place: list(nodes.texts(value)) if place == "command" else nodes.words(value)}


def _keep_secrets_safe(nodes: Nodes, fields: Mapping[str, yaml.Node], found: Mapping[str, str]) -> None:
    parts = urlsplit(found["url"])
    has_secret = any(isinstance(value, dict) for value in json.loads(found.get("headers", "{}")).values())
    if has_secret and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        nodes.fail(fields["headers"], "a secret is sent over https only")
    if "body" in found and found.get("method", "GET") in ("GET", "HEAD"):
        nodes.fail(fields["body"], "a GET or HEAD has no body: name another method")


_COMMAND: Mapping[str, Reader] = {
    "command": _words,
    "on": _host,
    "cwd": Nodes.words,
    "timeout_s": _seconds,
    "env": _variables,
    "expect": _codes(0, 255),
    "probe": _words,
    "target": _target,
}
_HTTP: Mapping[str, Reader] = {
    "url": _url,
    "method": _method,
    "headers": _headers,
    "body": Nodes.text,
    "timeout_s": _seconds,
    "expect": _codes(100, 599),
    "target": _target,
}
