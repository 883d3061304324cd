"""Reads YAML by its nodes, because only they know where they stand: every error names its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

import yaml

from cockpit.errors import ConfigError
from cockpit.text import clean

SHOWN = 60


class Nodes:
    """One file's nodes."""

    def __init__(self, file: Path, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> None:
        self._file = file
        self._loader = loader
        self._seen: dict[str, str] = {}

    def root(self) -> yaml.Node:
        """The file's one document.

        Raises:
            ConfigError: it cannot be read, or is no YAML, or empty.
        """
        try:
            root = yaml.compose(self._file.read_text(encoding="utf-8"), Loader=self._loader)
        except OSError as error:
            raise ConfigError(f"cannot read {self._file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"cannot read {self._file}: it is no UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = clean(" ".join(part for part in (error.context, error.problem) if part))
            raise ConfigError(f"{self._at(mark)}: not valid YAML: {words}") from error
        except (yaml.YAMLError, RecursionError) as error:
            words = clean(error) or type(error).__name__
            raise ConfigError(f"{self._at(None)}: not valid YAML: {words}") from error
        if root is None:
            raise ConfigError(f"{self._at(None)}: it is empty")
        return root

    def place(self, node: yaml.Node) -> str:
        """Where it stands: file:line:column."""
        return self._at(node.start_mark)

    def fields(
        self, node: yaml.Node, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, yaml.Node]:
        """Exactly these keys: a misspelt one is an error, not ignored."""
        found = self.mapping(node, f"a mapping with {', '.join(required)}")
        known = (*required, *optional)
        for name, (key, _) in found.items():
            if name not in known:
                self.fail(key, f"unknown key {clean(name, SHOWN)!r}; known: {', '.join(known)}")
        missing = [name for name in required if name not in found]
        if missing:
            self.fail(node, f"missing: {', '.join(missing)}")
        return {name: value for name, (_, value) in found.items()}

    def mapping(self, node: yaml.Node, what: str = "a mapping") -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Any keys, each once: with the nodes of key and value."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"here belongs {what}")
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = self.text(key)
            if name in found:
                self.fail(key, f"{clean(name, SHOWN)} stands twice")
            found[name] = (key, value)
        return found

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """A list."""
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, "here belongs a list")
        return list(node.value)

    def texts(self, node: yaml.Node) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self.text(item) for item in self.items(node))

    def text(self, node: yaml.Node) -> str:
        """A text that is not empty."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fail(node, "here belongs a text")
        return str(node.value)

    def words(self, node: yaml.Node) -> str:
        """A text of one line for the screen."""
        text = self.text(node)
        if not text.isprintable():
            self.fail(node, "here belongs one line of printable text")
        return text

    def number(self, node: yaml.Node, least: float, most: float) -> float:
        """A number within limits."""
        try:
            value = float(self.text(node))
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self.fail(node, f"here belongs a number from {least:g} to {most:g}")
        return value

    def flag(self, node: yaml.Node) -> bool:
        """Yes or no."""
        text = self.text(node).lower()
        if text not in ("true", "false"):
            self.fail(node, "here belongs true or false")
        return text == "true"

    def one_of(self, node: yaml.Node, known: Collection[str], what: str) -> str:
        """One of a few words."""
        text = self.text(node)
        if text not in known:
            self.fail(node, f"{what} must be one of {', '.join(known)}, not {clean(text, SHOWN)!r}")
        return text

    def once(self, what: str, node: yaml.Node, others: Mapping[str, str] | None = None) -> None:
        """Nothing else in this file, nor among `others`, may be called so."""
        taken = self._seen.get(what) or (others or {}).get(what)
        if taken is not None:
            self.fail(node, f"{what} is taken by {taken}")
        self._seen[what] = f"{self._file.name}:{node.start_mark.line + 1}"

    def fail(self, node: yaml.Node, text: str) -> NoReturn:
        """Say what is wrong, and where.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.place(node)}: {text}")

    def _at(self, mark: yaml.Mark | None) -> str:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        return f"{self._file}:{line}:{column}"
