"""The runbook as data: every section and step that can be taken, from runbook.yaml."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from actions.general.reading import GENERAL, read_parameters
from actions.nodes import Nodes
from actions.parameters import PARAMETERS
from cockpit.model.action import ActionSpec
from cockpit.model.plan import Danger
from cockpit.reading import OURS

RUNBOOK = Path(__file__).with_name("runbook.yaml")
FROM_ROW = {"step": "name", "title": "title", "summary": "summary", "class": "danger"}
"""What a general step is told of its own row, so that all of it is confirmed: parameter -> the row's word."""
GUARDS = ("halted", "reason", "second")
_SECTION = ("section", "title", "key", "steps")
_STEP = ("action", "name", "key", "title", "summary", "danger")
_MORE = ("parameters", "suggests", "overrides", "guards", "selects", "aside")
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def load(file: Path, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> tuple[ActionSpec, ...]:
    """The steps of a runbook file, in its order.

    Raises:
        ConfigError: it cannot be read or is wrong; the text names file, line and column.
    """
    nodes = Nodes(file, loader)
    sections = nodes.items(nodes.fields(nodes.root(), ("sections",))["sections"])
    return tuple(action for section in sections for action in _section(nodes, nodes.fields(section, _SECTION)))


@dataclass(frozen=True, slots=True)
class Own:
    """What a fund's own file says."""

    file: Path
    rows: tuple[ActionSpec, ...]
    replaced: frozenset[str]
    """Sections of which nothing but these rows is to be left."""


def load_own(file: Path) -> Own:
    """A fund's own file, of the same form; a section may say `replace: true`.

    Raises:
        ConfigError: it cannot be read or is wrong; the text names file, line and column.
    """
    nodes = Nodes(file)
    rows: list[ActionSpec] = []
    replaced: set[str] = set()
    for section in nodes.items(nodes.fields(nodes.root(), ("sections",))["sections"]):
        fields = nodes.fields(section, _SECTION, ("replace",))
        rows += _section(nodes, fields, KNOWN)
        if "replace" in fields and nodes.flag(fields["replace"]):
            replaced.add(nodes.text(fields["section"]))
    return Own(file, tuple(rows), frozenset(replaced))


def _section(
    nodes: Nodes, fields: Mapping[str, yaml.Node], known: Collection[str] | None = None
) -> Iterator[ActionSpec]:
    section, title = nodes.words(fields["section"]), nodes.words(fields["title"])
    key = _key(nodes, fields["key"])
    nodes.once(f"section {section}", fields["section"])
    nodes.once(f"section key {key}", fields["key"])
    for step in nodes.items(fields["steps"]):
        yield _step(nodes, step, (section, title, key), known)


def _step(nodes: Nodes, node: yaml.Node, head: tuple[str, str, str], known: Collection[str] | None) -> ActionSpec:
    section, section_title, section_key = head
    fields = nodes.fields(node, _STEP, _MORE)
    action, name, danger = (nodes.text(fields[part]) for part in ("action", "name", "danger"))
    if not _ACTION.fullmatch(action):
        nodes.fail(fields["action"], "action must read like kill_switch.engage")
    if known is not None and action not in known:
        nodes.fail(fields["action"], f"there is no action {action}; there are: {', '.join(sorted(known))}")
    if not _NAME.fullmatch(name):
        nodes.fail(fields["name"], "a name is made of small letters, digits and hyphens, 32 at most")
    nodes.one_of(fields["danger"], tuple(Danger), "danger")
    key = _key(nodes, fields["key"])
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
        parameters=_parameters(nodes, node, fields, action),
        suggests=_words(nodes, fields.get("suggests")),
        overrides=nodes.texts(fields["overrides"]) if "overrides" in fields else None,
        guards=_words(nodes, fields.get("guards"), GUARDS, "a guard"),
        selects=_selects(nodes, fields, action),
        is_aside="aside" in fields and nodes.flag(fields["aside"]),
        place=nodes.place(node),
    )


def _key(nodes: Nodes, node: yaml.Node) -> str:
    key = nodes.text(node)
    if len(key) != 1 or not (key.isascii() and key.isalnum()):
        nodes.fail(node, f"a key is one letter or digit, not {key[:20]!r}")
    return key


def _parameters(
    nodes: Nodes, row: yaml.Node, fields: Mapping[str, yaml.Node], action: str
) -> tuple[tuple[str, str], ...]:
    """What the row fixes: only what the action takes, so that a misspelt name is found here and not at 3 a.m."""
    node = fields.get("parameters")
    if action in GENERAL:
        if node is None:
            nodes.fail(row, f"{action} needs parameters")
        words = {name: nodes.text(fields[part]) for name, part in FROM_ROW.items()}
        return (*read_parameters(nodes, node, action), *words.items())
    if node is None:
        return ()
    known = PARAMETERS.get(action, ())
    found = nodes.mapping(node)
    for name, (key, _) in found.items():
        if name not in known:
            nodes.fail(key, f"{action} takes no parameter {name[:40]!r}; it takes: {', '.join(known) or 'none'}")
    return tuple((name, nodes.words(value)) for name, (_, value) in found.items())


def _selects(nodes: Nodes, fields: Mapping[str, yaml.Node], action: str) -> str:
    if "selects" not in fields:
        return ""
    return nodes.one_of(fields["selects"], PARAMETERS.get(action, ()), f"a parameter of {action}")


def _words(
    nodes: Nodes, node: yaml.Node | None, known: Collection[str] | None = None, what: str = ""
) -> tuple[str, ...]:
    if node is None:
        return ()
    items = nodes.items(node)
    return tuple(nodes.text(item) if known is None else nodes.one_of(item, known, what) for item in items)


ACTIONS = load(RUNBOOK, OURS)
"""What this release can do."""
KNOWN = frozenset(row.id for row in ACTIONS) | GENERAL
"""Every action that there is."""
