"""The runbook as data: every section and step that can be taken, from runbook.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from cockpit.errors import ConfigError
from cockpit.model.action import ActionSpec
from cockpit.model.plan import Danger

RUNBOOK = Path(__file__).with_name("runbook.yaml")
_SECTION = ("section", "title", "key", "steps")
_STEP = ("action", "name", "key", "title", "summary", "danger")


def load(file: Path) -> tuple[ActionSpec, ...]:
    """The steps of a runbook file, in its order.

    Raises:
        ConfigError: it cannot be read or is wrong; the text names the file and the line.
    """
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {file}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not valid YAML: {error}") from error
    return _Reader(file).actions(root)


class _Reader:
    """Walks the nodes instead of the values, because only they know their lines."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[str, int] = {}

    def actions(self, root: yaml.Node | None) -> tuple[ActionSpec, ...]:
        if root is None:
            raise ConfigError(f"{self._file} is empty: it must hold `sections`")
        sections = self._list(self._fields(root, ("sections",))["sections"])
        return tuple(action for section in sections for action in self._section(section))

    def _section(self, node: yaml.Node) -> Iterator[ActionSpec]:
        fields = self._fields(node, _SECTION)
        section, title, key = (self._text(fields[name]) for name in ("section", "title", "key"))
        self._once(f"section key {self._key(fields['key'])}", fields["key"])
        for step in self._list(fields["steps"]):
            yield self._step(step, section, title, key)

    def _step(self, node: yaml.Node, section: str, section_title: str, section_key: str) -> ActionSpec:
        fields = self._fields(node, _STEP)
        texts = {name: self._text(fields[name]) for name in _STEP}
        self._once(f"step key {section_key} {self._key(fields['key'])}", fields["key"])
        self._once(f"name {texts['name']}", fields["name"])
        if texts["danger"] not in tuple(Danger):
            self._fail(fields["danger"], f"danger must be one of {', '.join(Danger)}, not {texts['danger']!r}")
        module, _, function = texts["action"].partition(".")
        if not (module.isidentifier() and function.isidentifier()):
            self._fail(fields["action"], "action must read like kill_switch.engage")
        return ActionSpec(
            id=texts["action"],
            step=texts["name"],
            title=texts["title"],
            summary=texts["summary"],
            section=section,
            section_title=section_title,
            section_key=section_key,
            key=texts["key"],
            danger=Danger(texts["danger"]),
        )

    def _fields(self, node: yaml.Node, names: tuple[str, ...]) -> dict[str, yaml.Node]:
        """Exactly these keys: a misspelt one is an error, not ignored."""
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"here belongs a mapping with {', '.join(names)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name not in names:
                self._fail(key, f"unknown key {name!r}; known: {', '.join(names)}")
            if name in found:
                self._fail(key, f"{name} stands twice")
            found[name] = value
        missing = [name for name in names if name not in found]
        if missing:
            self._fail(node, f"missing: {', '.join(missing)}")
        return found

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self._fail(node, "here belongs a list")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self._fail(node, "here belongs a text")
        return str(node.value)

    def _key(self, node: yaml.Node) -> str:
        key = self._text(node)
        if len(key) != 1 or not key.isalnum():
            self._fail(node, f"a key is one letter or digit, not {key!r}")
        return key

    def _once(self, what: str, node: yaml.Node) -> None:
        line = self._seen.setdefault(what, node.start_mark.line + 1)
        if line != node.start_mark.line + 1:
            self._fail(node, f"{what} is taken by line {line}")

    def _fail(self, node: yaml.Node, text: str) -> NoReturn:
        raise ConfigError(f"{self._file}:{node.start_mark.line + 1}: {text}")


ACTIONS = load(RUNBOOK)
"""What this release can do."""
