"""An output is read in pages: every byte is reachable, nothing raw comes through, memory does not grow with it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from cockpit.storage.output import OUTPUT
from cockpit.storage.pages import LONGEST, PAGE_BYTES, find, page_from, page_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / OUTPUT).touch(mode=0o600)
    return tmp_path


def texts(page: object) -> list[str]:
    return [text for _, text in page.lines]  # type: ignore[attr-defined]


def test_nothing_printed(tmp_path: Path) -> None:
    for page in (page_from(tmp_path, 0), page_until(tmp_path), page_until(tmp_path, 99)):
        assert page.lines == () and page.size_bytes == 0
    assert find(tmp_path, "x", 0) is None


def test_every_line_once_from_either_end(folder: Path) -> None:
    lines = [f"line {number} {'x' * (number % 97)}" for number in range(5000)]
    (folder / OUTPUT).write_text("\n".join(lines) + "\n")
    found: list[str] = []
    offset = 0
    while (page := page_from(folder, offset)).lines:
        found += texts(page)
        offset = page.end
    assert found == lines
    found, end = [], None
    while (page := page_until(folder, end)).lines:
        found = texts(page) + found
        end = page.lines[0][0]
    assert found == lines


def test_a_last_line_without_its_end_is_shown(folder: Path) -> None:
    (folder / OUTPUT).write_bytes(b"one\ntwo\n\nthr")
    assert texts(page_until(folder)) == ["one", "two", "", "thr"]
    assert page_until(folder).lines[-1] == (9, "thr")


def test_hostile_bytes_are_made_harmless_and_long_lines_broken(folder: Path) -> None:
    (folder / OUTPUT).write_bytes(b"\x1b[2J\x1b]52;c;x\x07 [/] \xff\xfe\x00\n10 %\r20 %\r100 %\r\n" + b"y" * 2000)
    first, second, *rest = texts(page_until(folder))
    assert first.isprintable() and "[/]" in first
    assert second == "100 %"
    assert [len(each) for each in rest] == [LONGEST, LONGEST, LONGEST, 2000 - 3 * LONGEST]


def test_no_character_is_lost_where_a_long_line_is_broken(folder: Path) -> None:
    for head in range(4):
        line = "x" * head + "\u4e2d\u00e9\U0001f600" * 400
        (folder / OUTPUT).write_bytes(line.encode())
        assert "".join(texts(page_from(folder, 0))) == line


def test_searching_both_ways_over_the_edges_of_pieces(folder: Path) -> None:
    head = "a" * ((1 << 20) - 3) + "\n"
    (folder / OUTPUT).write_text(f"{head}Error one\n{'filler ' * 10}\n" * 2)
    first = len(head)
    second = first + len(f"Error one\n{'filler ' * 10}\n") + len(head)
    assert find(folder, "eRROR", 0) == first
    assert find(folder, "error", first + 1) == second
    assert find(folder, "error", second + 1) is None
    assert find(folder, "error", second, is_forward=False) == first
    assert find(folder, "error", first, is_forward=False) is None
    assert find(folder, "", 0) is None


def test_memory_is_bounded_whatever_was_printed(folder: Path) -> None:
    with (folder / OUTPUT).open("wb") as file:
        file.truncate(64 << 20)  # zero bytes, without a single end of line
    tracemalloc.start()
    try:
        page = page_until(folder)
        assert find(folder, "never", 0) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(page.lines) == PAGE_BYTES // LONGEST
    assert peak < 8 << 20
