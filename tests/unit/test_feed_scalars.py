"""Only the chosen scalars' bytes change, whatever the YAML around them looks like."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.feed.scalars import find, replaced
from cockpit.errors import ConfigError

REAL = (
    "# Registry of fund \u00e9 # not a comment: 'x'\r\n"
    "version: 4   # \r\n"
    "defaults: &defaults {retry: 3, feed: &first yahoo}\r\n"
    "ingestion:\r\n"
    "  feeds:\r\n"
    "    <<: *defaults\r\n"
    '    primary :   "yahoo"   # the one # that counts\r\n'
    "    backup: &b !!str 'moneycontrol'\r\n"
    "  old: {primary: yahoo, backup: moneycontrol}\r\n"
    "  note: |\r\n"
    "    primary: yahoo\r\n"
    "list: [yahoo, {primary: yahoo}]\r\n"
    "last: *first"
)


def test_a_real_registry_keeps_every_other_byte() -> None:
    after = replaced(REAL, {"ingestion.feeds.primary": "moneycontrol", "ingestion.feeds.backup": "yahoo"})
    expected = REAL.replace('"yahoo"', '"moneycontrol"').replace("!!str 'moneycontrol'", "!!str 'yahoo'")
    assert after == expected
    assert not after.endswith("\n") and after.count("\r\n") == REAL.count("\r\n")
    back = replaced(after, {"ingestion.feeds.primary": "yahoo", "ingestion.feeds.backup": "moneycontrol"})
    assert back == REAL


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("p: yahoo", "p", "moneycontrol", "p: moneycontrol"),
        ("p: yahoo\n", "p", "no", "p: 'no'\n"),
        ("p: yahoo\n", "p", "12", "p: '12'\n"),
        ("p: yahoo\n", "p", "it's: #", "p: 'it''s: #'\n"),
        ("a: &x yahoo\np: *x # c\n", "p", "mc", "a: &x yahoo\np: mc # c\n"),
        ("\ufeffp: yahoo\n", "p", "mc", "\ufeffp: mc\n"),
        ("? p\n: yahoo\n", "p", "mc", "? p\n: mc\n"),
        ("p: yahoo\np: yahoo\n", "p", "mc", "p: yahoo\np: mc\n"),
        ("f:\n- {n: yahoo}\n- [yahoo]\n", "f.1.0", "mc", "f:\n- {n: yahoo}\n- [mc]\n"),
        ("x: .nan\np: yahoo", "p", "mc", "x: .nan\np: mc"),
    ],
)
def test_it_is_written_as_it_was_written(text: str, path: str, value: str, expected: str) -> None:
    assert replaced(text, {path: value}) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p: &x yahoo\nq: *x\n", "another value"),
        ("p: |\n  yahoo\n", "several lines"),
        ("p: >-\n  yahoo\n", "several lines"),
        ("p: yahoo\n   continued\n", "several lines"),
        ("p:\n", "empty"),
        ("p: {a: b}\n", "no single value"),
        ("q: yahoo\n", "no value at p"),
        ("b: &b {p: yahoo}\n<<: *b\n", "no single value at p"),
        ("p: [", "not valid YAML, line"),
        ("p: x\nq: !!bool maybe", "not valid YAML"),
        ("p: x\nsince: 2026-02-30", "not valid YAML"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
         "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\np: y", "more than"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_alone_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replaced(text, {"p": "moneycontrol"})


NAMES = st.sampled_from(["primary", "backup", "feeds", "x", "y z", "no", "7", "k#", "é"])
SCALARS = st.one_of(st.sampled_from(["yahoo", "it's", 'a "b"', "12", "true", "- x", "a: b", "#c", "", "ü"]),
                    st.integers(), st.booleans(), st.none(), st.floats())  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=10,
)
STYLES = st.sampled_from([None, "'", '"'])


def leaves(tree: Any, path: str = "") -> list[str]:
    """Paths of strings, of which no key holds a dot."""
    if isinstance(tree, str):
        return [path] if tree and "\n" not in tree else []
    found = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [leaf for name, value in found for leaf in leaves(value, f"{path}.{name}".lstrip("."))]


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4), st.data())
def test_only_the_chosen_bytes_change(tree: dict[str, Any], data: st.DataObject) -> None:
    paths = leaves(tree)
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    value = data.draw(st.sampled_from(["moneycontrol", "a b", "it's", "yes", "0x1", 'q"', "é: #", "-"]))
    lines = yaml.safe_dump(
        tree,
        default_style=data.draw(STYLES),
        default_flow_style=data.draw(st.sampled_from([None, True, False])),
        allow_unicode=True,
        width=10_000,
        sort_keys=False,
    ).splitlines()
    lines = [line + data.draw(st.sampled_from(["", "", "  # yahoo: 'x'"])) for line in ["# head", *lines]]
    text = data.draw(st.sampled_from(["\n", "\r\n"])).join(lines) + data.draw(st.sampled_from(["", "\n"]))
    span = find(text, path)
    after = replaced(text, {path: value})
    grown = len(after) - len(text)
    assert after[: span.start] == text[: span.start]
    assert after[span.end + grown :] == text[span.end :]
    old = yaml.safe_load(text)
    holder: Any = old
    *parents, last = path.split(".")
    for part in parents:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    holder[int(last) if isinstance(holder, list) else last] = value
    assert repr(yaml.safe_load(after)) == repr(old)
