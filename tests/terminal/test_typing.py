"""What is typed arrives as the keys that were pressed, however closely they followed each other."""

from __future__ import annotations

import time

import pytest
from textual import events

from cockpit.terminal.parser import KeyParser
from cockpit.terminal.pastes import SILENT_S, Part, Pastes
from tests.terminal.conftest import READY, RUNBOOK, Start, open_help


def keys_of(*parts: str) -> list[str]:
    """Read in these parts, and then nothing more."""
    parser = KeyParser()
    found = [event for part in parts for event in parser.feed(part)]
    while parser._timeout_time is not None:
        time.sleep(0.01)
        found += parser.tick()
    return [event.key if isinstance(event, events.Key) else type(event).__name__ for event in found]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("\x1b2",), "escape 2"),
        (("\x1b", "2"), "escape 2"),
        (("\x1bK",), "escape K"),
        (("\x1b b",), "escape space b"),
        (("\x1b/ibkr\r",), "escape slash i b k r enter"),
        (("\x1b\x1b2",), "escape escape 2"),
        (("\x1b中",), "escape 中"),
        (("\x1b[",), "escape left_square_bracket"),
        (("\x1b",), "escape"),
    ],
    ids=repr,
)
def test_escape_and_a_key_are_two_keys(parts: tuple[str, ...], expected: str) -> None:
    assert keys_of(*parts) == expected.split()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("\x1b[A2",), "up 2"),
        (("\x1b", "[A"), "up"),
        (("\x1b\x1b[A",), "escape up"),
        (("\x1bOP",), "f1"),
        (("\x1b[[A",), "f1"),
        (("\x1b[1;5D",), "ctrl+left"),
        (("\x1bb", "\x1bf", "\x1b\x7f"), "ctrl+left ctrl+right ctrl+w"),  # how a Mac says word to the left
        (("\x1b\t",), "shift+tab"),  # how a Linux console says it
        (("\x1b[27u",), "escape"),
        (("\x1b[200~1 K\x1b[201~2",), "Paste 2"),
        ((*"\x1b[200~1 K\x1b[201~2",), "Paste 2"),
        (("\x1b[200~\x1b[201~2",), "Paste 2"),
        (("1\x1b[200~a\x1b[201~2\x1b[200~b\x1b[201~3",), "1 Paste 2 Paste 3"),
        (("\x1b[I\x1b[O2",), "AppFocus AppBlur 2"),
        (("\x1b[?2026;2$y2",), "TerminalSupportsSynchronizedOutput 2"),
        (("\x1b[48;40;120;0;0t2",), "Resize 2"),
        (("\x1b[3;1R2",), "CursorPosition 2"),
    ],
    ids=repr,
)
def test_known_sequences_are_what_they_were(parts: tuple[str, ...], expected: str) -> None:
    assert keys_of(*parts) == expected.split()


@pytest.mark.parametrize("answer", ["\x1b[0n", "\x1b[?1;0c"], ids=repr)
@pytest.mark.parametrize("pieces", [1, 2, 5, 4096])
def test_nothing_that_is_pasted_is_a_key(pieces: int, answer: str) -> None:
    text = "error \x1b[31mK y\x1b[0m \x1bK \x1b[A\x1b[200~q\x1b[20\x1b" + "x" * 40 + "\x1b]2;K y\x07\x9bK\n\x03K"
    told: list[None] = []
    parser = KeyParser(when_answered=lambda: told.append(None))
    data = f"1\x1b[200~{text}{answer}{text}\x1b[201~2"
    found = [event for at in range(0, len(data), pieces) for event in parser.feed(data[at : at + pieces])]
    assert parser._timeout_time is None
    assert [event.text for event in found if isinstance(event, events.Paste)] == [text * 2]
    assert [event.key for event in found if isinstance(event, events.Key)] == ["1", "2"]
    assert told == [None], "the terminal has answered in the middle of it"


def test_the_end_of_a_paste_may_get_lost() -> None:
    now = [0.0]
    pastes = Pastes(lambda: now[0])
    assert [*pastes.parts("\x1b[200~abc")] == [Part("\x1b[200~", False)]
    now[0] += SILENT_S
    assert [*pastes.parts("K")] == [], "that may be its next letter"
    now[0] += SILENT_S + 1
    assert [*pastes.parts("the rest, held up by a stalled line")] == []
    now[0] += SILENT_S + 1
    assert [*pastes.parts("K")] == [
        Part("abcKthe rest, held up by a stalled line", True), Part("\x1b[201~", False), Part("K", False),
    ]  # fmt: skip


@pytest.mark.parametrize("report", ["\x1b[0n", "\x1b[3n", "\x1b[?62;1;4c", "\x1b[>41;354;0c", "\x1b[?997;1n"], ids=repr)
def test_what_a_terminal_reports_is_no_key(report: str) -> None:
    assert keys_of(f"{report}2") == ["2"]
    assert keys_of(*report, "2") == ["2"]


@pytest.mark.parametrize(
    ("report", "is_answer"),
    [("\x1b[0n", True), ("\x1b[?1;0c", True), ("\x1b[?62;22c", True), ("\x1b[3n", False)],
    ids=repr,
)
def test_what_the_terminal_answers_is_told(report: str, is_answer: bool) -> None:
    told: list[None] = []
    parser = KeyParser(when_answered=lambda: told.append(None))
    assert [event.key for event in parser.feed(f"{report}2") if isinstance(event, events.Key)][-1] == "2"
    assert bool(told) == is_answer


def test_escape_and_a_number_in_one_packet(start: Start) -> None:
    program = start()
    open_help(program)
    program.send("\x1b2")
    program.until(lambda text: RUNBOOK in text)
    program.send("\x1b1")
    program.until(lambda text: READY in text)
    program.send("\x1bq")
    assert program.wait() == 0
