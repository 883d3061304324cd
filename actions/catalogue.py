"""The runbook as data: every section and step that can be taken, from runbook.yaml."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from actions.nodes import Nodes
from actions.parameters import PARAMETERS
from cockpit.model.action import ActionSpec
from cockpit.model.plan import Danger

RUNBOOK = Path(__file__).with_name("runbook.yaml")
GUARDS = ("halted", "reason", "second")
_SECTION = ("section", "title", "key", "steps")
_STEP = ("action", "name", "key", "title", "summary", "danger")
_MORE = ("parameters", "suggests", "overrides", "guards")
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def load(file: Path) -> tuple[ActionSpec, ...]:
    """The steps of a runbook file, in its order.

    Raises:
        ConfigError: it cannot be read or is wrong; the text names file, line and column.
    """
    nodes = Nodes(file)
    sections = nodes.items(nodes.fields(nodes.root(), ("sections",))["sections"])
    return tuple(action for section in sections for action in _section(nodes, section))


def _section(nodes: Nodes, node: yaml.Node) -> Iterator[ActionSpec]:
    fields = nodes.fields(node, _SECTION)
    section, title = nodes.words(fields["section"]), nodes.words(fields["title"])
    key = read_key(nodes, fields["key"])
    nodes.once(f"section {section}", fields["section"])
    nodes.once(f"section key {key}", fields["key"])
    for step in nodes.items(fields["steps"]):
        yield read_step(nodes, step, section, title, key)


def read_step(nodes: Nodes, node: yaml.Node, section: str, section_title: str, section_key: str) -> ActionSpec:
    """One row.

    Raises:
        ConfigError: it is wrong; the text names file, line and column.
    """
    fields = nodes.fields(node, _STEP, _MORE)
    action, name, danger = (nodes.text(fields[part]) for part in ("action", "name", "danger"))
    if not _ACTION.fullmatch(action):
        nodes.fail(fields["action"], "action must read like kill_switch.engage")
    if not _NAME.fullmatch(name):
        nodes.fail(fields["name"], "a name is made of small letters, digits and hyphens, 32 at most")
    nodes.one_of(fields["danger"], tuple(Danger), "danger")
    key = read_key(nodes, fields["key"])
    nodes.once(f"step key {section_key} {key}", fields["key"])
    nodes.once(f"name {name}", fields["name"])
    return ActionSpec(
        id=action,
        step=name,
        title=nodes.words(fields["title"]),
        summary=nodes.words(fields["summary"]),
        section=section,
        section_title=section_title,
        section_key=section_key,
        key=key,
        danger=Danger(danger),
        parameters=_parameters(nodes, fields.get("parameters"), action),
        suggests=_words(nodes, fields.get("suggests")),
        overrides=nodes.texts(fields["overrides"]) if "overrides" in fields else None,
        guards=_words(nodes, fields.get("guards"), GUARDS, "a guard"),
        place=nodes.place(node),
    )


def read_key(nodes: Nodes, node: yaml.Node) -> str:
    """A key that leads to a section or step.

    Raises:
        ConfigError: it is no such key.
    """
    key = nodes.text(node)
    if len(key) != 1 or not (key.isascii() and key.isalnum()):
        nodes.fail(node, f"a key is one letter or digit, not {key[:20]!r}")
    return key


def _parameters(nodes: Nodes, node: yaml.Node | None, action: str) -> tuple[tuple[str, str], ...]:
    """What the row fixes: only what the action takes, so that a misspelt name is found here and not at 3 a.m."""
    if node is None:
        return ()
    known = PARAMETERS.get(action, ())
    found = nodes.mapping(node)
    for name, (key, _) in found.items():
        if name not in known:
            nodes.fail(key, f"{action} takes no parameter {name[:40]!r}; it takes: {', '.join(known) or 'none'}")
    return tuple((name, nodes.words(value)) for name, (_, value) in found.items())


def _words(
    nodes: Nodes, node: yaml.Node | None, known: Collection[str] | None = None, what: str = ""
) -> tuple[str, ...]:
    if node is None:
        return ()
    items = nodes.items(node)
    return tuple(nodes.text(item) if known is None else nodes.one_of(item, known, what) for item in items)


ACTIONS = load(RUNBOOK)
"""What this release can do."""
KNOWN = frozenset(row.id for row in ACTIONS)
"""Every action that there is."""
