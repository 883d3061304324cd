"""The editor: letters, lines, undo, and a text that changes under the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.editor import Editor
from widgets.editor_rows import breaks, editor_rows
from widgets.line import plain


def editor(text: str, row: int = 0, column: int = 0) -> Editor:
    return Editor(text.split("\n"), row, column)


def press(it: Editor, *keys: str) -> Editor:
    for key in keys:
        assert it.take(key, key if len(key) == 1 else " " if key == "space" else None), key
    return it


@pytest.mark.parametrize(
    ("text", "at", "keys", "after", "cursor"),
    [
        ("", (0, 0), ("a", "space", "b"), "a b", (0, 3)),
        ("ab", (0, 1), ("enter",), "a\nb", (1, 0)),
        ("a\nb", (1, 0), ("backspace",), "ab", (0, 1)),
        ("a\nb", (0, 1), ("delete",), "ab", (0, 1)),
        ("one two", (0, 7), ("ctrl+w",), "one", (0, 3)),
        ("one two", (0, 4), ("ctrl+u",), "two", (0, 0)),
        ("ab", (0, 0), ("backspace",), "ab", (0, 0)),
        ("long line\nx\nlong line", (0, 8), ("down", "down", "!"), "long line\nx\nlong lin!e", (2, 9)),
        ("a\nb", (0, 0), ("ctrl+end", "c"), "a\nbc", (1, 2)),
        ("ab", (0, 0), ("x", "y", "ctrl+underscore"), "ab", (0, 0)),
        ("ab", (0, 0), ("x", "ctrl+underscore", "ctrl+y"), "xab", (0, 1)),
        ("a b", (0, 0), ("ctrl+right", "ctrl+right", "ctrl+left", "."), "a. b", (0, 2)),
    ],
)
def test_keys(text: str, at: tuple[int, int], keys: tuple[str, ...], after: str, cursor: tuple[int, int]) -> None:
    it = press(editor(text, *at), *keys)
    assert (it.text, (it.row, it.column)) == (after, cursor)


def test_a_word_a_paste_and_what_was_typed_elsewhere_are_each_undone_at_once() -> None:
    it = press(editor("ab"), *"one", "space", "space", *"two", "left", "x")
    it.insert("pasted words")
    texts = []
    while it.text != "ab":
        press(it, "ctrl+underscore")
        texts.append(it.text)
    assert texts == ["one  twxoab", "one  twoab", "one  ab", "ab"]
    press(it, "ctrl+y", "ctrl+y", "!")
    assert press(it, "ctrl+underscore").text == "one  twoab"


def test_keys_that_are_nothing_here_are_left_to_others() -> None:
    it = editor("a")
    assert not any(it.take(key, None) for key in ("escape", "tab", "f5", "ctrl+t"))
    assert (it.text, it.version) == ("a", 0)


def test_a_paste_loses_what_a_terminal_would_act_upon() -> None:
    it = editor("<>", 0, 1)
    it.insert("a\x1b]2;x\x07\x1b[1;31mred\x1b[0m\x1b\r\nb\u202e\u200b\tc")
    assert it.text == "<ared\nb   c>"
    assert (it.row, it.column) == (1, 5)


def test_a_paste_keeps_its_words_apart() -> None:
    it = editor("", 0, 0)
    it.insert("a\xa0b\u2003c\rd\x85e\u2028f\x0cg")
    assert it.text == "a b c\nd\ne\nf\ng"


def test_a_text_that_comes_back_changed_leaves_the_cursor_in_its_words() -> None:
    it = editor("a\nb\nhere", 2, 2)
    it.show("new\na\nb\nhere")
    assert (it.row, it.column) == (3, 2)
    it.show("here")
    assert (it.row, it.column) == (0, 2)
    press(it, "ctrl+underscore")
    assert it.text == "new\na\nb\nhere"


KEYS = st.sampled_from(
    ["a", "é", "中", " ", "enter", "backspace", "delete", "ctrl+w", "ctrl+u", "up", "down", "left", "right", "home",
     "end", "pageup", "pagedown", "ctrl+home", "ctrl+end", "ctrl+left", "ctrl+right", "ctrl+underscore", "ctrl+y"]
)  # fmt: skip


@given(st.lists(KEYS, max_size=60), st.integers(4, 30), st.integers(1, 9))
def test_whatever_is_pressed_the_cursor_is_seen(keys: list[str], width: int, height: int) -> None:
    it, top = editor("# Title\n\nsome words that wrap\n```\ncode\n```\n"), 0
    for key in keys:
        it.take(key, key if len(key) == 1 else None, height)
        assert 0 <= it.row < len(it.lines)
        assert 0 <= it.column <= len(it.lines[it.row])
        seen = editor_rows(it, top, width, height, is_active=True)
        top = seen.top
        assert len(seen.rows) == height
        assert sum(ink == "cursor" for row in seen.rows for _, ink in row) == 1
        assert all(cell_len(plain(row)) <= width + 1 for row in seen.rows)


@given(st.lists(KEYS, max_size=40))
def test_everything_can_be_undone(keys: list[str]) -> None:
    it = editor("one\ntwo")
    for key in keys:
        if not key.startswith("ctrl+y") and key != "ctrl+underscore":
            it.take(key, key if len(key) == 1 else None)
    press(it, *["ctrl+underscore"] * 60)
    assert it.text == "one\ntwo"


@given(st.text(alphabet="ab 中é", max_size=40), st.integers(2, 12))
def test_a_wrapped_line_is_whole_and_fits(text: str, width: int) -> None:
    starts = breaks(text, width)
    parts = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    assert "".join(parts) == text
    assert all(cell_len(part.rstrip()) <= width for part in parts)
