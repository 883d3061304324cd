"""The front matter of an incident: YAML that people may edit too; what is not ours in it stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import yaml

from cockpit.errors import NOT_OURS, JournalError

FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?(?:\n|\Z)", re.S | re.M)
MOST_CHARACTERS = 64_000
"""A longer front matter is no front matter of an incident."""


class _Loader(yaml.SafeLoader):
    """Knows no aliases: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Writes a text with a line end, or what cannot be printed, in quotes and on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def split(text: str) -> tuple[str, str]:
    """What stands between the two lines of dashes, and everything after them; no front matter, all is body.

    >>> split("---\\ntitle: x\\n---\\n# x\\n")
    ('title: x\\n', '# x\\n')
    """
    found = FRONT.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def joined(text: str, body: str) -> str:
    """The text with another body; its front matter stays as it is."""
    found = FRONT.match(text)
    return (text[: found.end()] if found else "") + body


def read(text: str) -> tuple[dict[str, Any], str]:
    """The front matter as values, and why it cannot be read where it cannot."""
    front, _ = split(text)
    if not front.strip():
        return {}, "it has no front matter"
    if len(front) > MOST_CHARACTERS:
        return {}, "its front matter is too long"
    try:
        values = yaml.load(front, _Loader)  # noqa: S506 - a SafeLoader with less in it
    except (yaml.YAMLError, *NOT_OURS) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 2}" if mark is not None else ""
        return {}, f"its front matter is not valid YAML{place}"
    if not isinstance(values, dict):
        return {}, "its front matter is no mapping"
    return {str(key): value for key, value in values.items()}, ""


def changed(text: str, values: Mapping[str, Any]) -> str:
    """The text with these keys set; every other line of the front matter stays as it is.

    Raises:
        JournalError: it cannot be read, or is written in a way in which a key cannot be replaced alone.
    """
    before, problem = read(text)
    if problem:
        raise JournalError(f"not changed: {problem}")
    front, body = split(text)
    for key, value in values.items():
        front = _replaced(front, key, value)
    result = f"---\n{front}---\n{body}"
    after, problem = read(result)
    if problem or after != {**before, **values}:
        raise JournalError(f"not changed: {', '.join(values)} cannot be replaced alone in its front matter")
    return result


def written(values: Mapping[str, Any]) -> str:
    """Values as front matter, in their order."""
    return "".join(_block(key, value) for key, value in values.items())


def _block(key: str, value: Any) -> str:
    text: str = yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _replaced(front: str, key: str, value: Any) -> str:
    """The block of one key: its line and what is indented, or listed, below it."""
    block = re.compile(rf"^{re.escape(key)}[ \t]*:.*\n?(?:(?:[ \t]*\n)*(?:[ \t]+\S.*|-[ \t].*|-)(?:\n|\Z))*", re.M)
    if block.search(front):
        return block.sub(lambda _: _block(key, value), front, count=1)
    return (front if front.endswith("\n") or not front else front + "\n") + _block(key, value)


def moment(value: object) -> float | None:
    """Unix seconds of a time as YAML or people write it; None where it is none.

    >>> moment("2026-04-01T19:44:12Z") == moment("2026-04-01 19:44:12") == 1775072652.0
    True
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        return None
    try:
        at = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        # One in a zone before or behind the first and the last day of the calendar cannot be shown in UTC.
        datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError):
        return None
    return at


def iso(at: float) -> str:
    """A time as the front matter has it.

    >>> iso(1775072652.4)
    '2026-04-01T19:44:12Z'
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
