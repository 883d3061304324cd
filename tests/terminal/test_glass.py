"""The changed cells alone give the same picture as all of it: random rows through an emulator."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from cockpit.terminal.cells import cells_of, without_lost_marks
from cockpit.terminal.gate import GateFilter
from cockpit.terminal.glass import Glass, WholeRows
from cockpit.terminal.sequence import BAND_ROWS
from tests.terminal.emulators import Emulator
from widgets.canvas import Drawn

CONSOLE = Console(color_system="truecolor", force_terminal=True)
STYLES = [
    None,
    Style.parse("red on blue"),
    Style.parse("bold red on blue"),
    Style.parse("#123456 on #0a0b0c"),
    Style.parse("italic underline #123456"),
    Style.parse("reverse"),
    Style.parse("bold"),
    Style.parse("default on default"),
    Style.parse("strike blink green"),
]
CHARACTERS = [*"ab 01─█●中国字é🟢한", "a\u0301", "中\u0302"]


def _strip(draws: list[tuple[str, int]], width: int) -> Strip:
    strip = Strip([Segment(text, STYLES[style]) for text, style in draws])
    return strip.adjust_cell_length(width, STYLES[draws[0][1]] if draws else None)


texts = st.one_of(
    st.lists(
        st.tuples(st.lists(st.sampled_from(CHARACTERS), max_size=9).map("".join), st.integers(0, len(STYLES) - 1)),
        max_size=5,
    ),
    st.sampled_from([[("ab 中", 1)], [("ab 中", 2)], [("", 0)]]),
)


spans = st.tuples(st.sampled_from(["ab ", "ab1", "01 ", " ─█", "中b", "ab"]), st.integers(0, len(STYLES) - 1))
PLAIN = "text"
PASSES = GateFilter().passes


def _style(ink: str) -> Style:
    return (STYLES[int(ink)] if ink != PLAIN else None) or Style.null()


def _drawn(y: int, draws: list[tuple[str, int]], width: int) -> Drawn:
    line = tuple((text, str(style)) for text, style in draws)
    strip = Strip([Segment(text, _style(ink)) for text, ink in line]).adjust_cell_length(width, _style(PLAIN))
    return Drawn(y, line, lambda: strip)


@dataclass
class Frame:
    """One update: what is drawn on which rows, in which part of them, and whether the terminal is lost first."""

    rows: dict[int, list[tuple[str, int]]]
    lines: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """Whole rows given as lines, past the compositor; then nothing else is drawn."""
    cut: int = 0
    sides: tuple[int, ...] = (0, 1)
    is_whole: bool = True
    is_over: bool = False
    """Whether one widget lies over the whole of these rows: a modal that comes, or what was below one that went."""
    is_forgotten: bool = False
    size: tuple[int, int] = (18, 3)


frames = st.builds(
    Frame,
    rows=st.dictionaries(st.integers(0, 2), texts, max_size=3),
    lines=st.one_of(
        st.just({}), st.dictionaries(st.integers(0, 2), st.lists(spans, min_size=5, max_size=6), max_size=3)
    ),
    cut=st.integers(1, 15),
    sides=st.sampled_from([(0,), (1,), (0, 1)]),
    is_whole=st.booleans(),
    is_over=st.booleans(),
    is_forgotten=st.sampled_from([False, False, False, True]),
    size=st.sampled_from([(18, 3), (18, 3), (18, 3), (16, 2), (16, 3), (18, 2), (21, 3)]),
)


class Scene:
    """What the compositor would have: a row is cut where a widget lies over it, and only one side may be drawn.

    A widget gives the same strip again for the same text, as one that keeps them does.
    """

    def __init__(self) -> None:
        self.size = (0, 0)
        self.rows: list[list[Strip]] = []
        self._kept: dict[object, Strip] = {}

    def take(self, frame: Frame) -> LayoutUpdate | ChopsUpdate | WholeRows:
        """The update for the frame."""
        width, height = frame.size
        if frame.lines and frame.size == self.size and not frame.is_forgotten:
            given = [_drawn(y, draws, width) for y, draws in frame.lines.items()]
            for y, _, strip in given:
                if y < height:
                    self.rows[y] = [strip()]
            return WholeRows(given, _style, PASSES)
        is_whole = frame.is_whole or frame.is_forgotten or frame.size != self.size or not frame.rows
        if frame.size != self.size:
            self.size = frame.size
            self.rows = [[Strip.blank(width, STYLES[1])] for _ in range(height)]
        drawn = sorted(y for y in frame.rows if y < height)
        for y in drawn:
            if frame.is_over:
                self.rows[y] = [self._keep(_strip(frame.rows[y], width))]
                continue
            old, new = (
                Strip.join(strips).divide([frame.cut, width])
                for strips in (self.rows[y], [_strip(frame.rows[y], width)])
            )
            self.rows[y] = [self._keep((new if side in frame.sides else old)[side]) for side in (0, 1)]
        if is_whole or not drawn:
            return self.whole()
        first, last = (0 if 0 in frame.sides else frame.cut), (width if 1 in frame.sides else frame.cut)
        if frame.is_over:
            first, last = 0, width
        chops = [self._columns(row) for row in self.rows]
        return ChopsUpdate(chops, [(y, first, last) for y in drawn], [[*list(each)[1:], width] for each in chops])

    def _keep(self, strip: Strip) -> Strip:
        """With no mark at its beginning: on which letter that comes to lie is another test's matter."""
        first, *more = list(strip) or [Segment("")]
        strip = Strip([Segment(without_lost_marks(first.text), first.style), *more])
        return self._kept.setdefault(tuple(strip), strip)

    def whole(self) -> LayoutUpdate:
        """All of it."""
        return LayoutUpdate(list(self.rows), Region(0, 0, *self.size))

    def _columns(self, row: list[Strip]) -> dict[int, Strip | None]:
        found: dict[int, Strip | None] = {}
        x = 0
        for strip in row:
            found[x] = strip
            x += strip.cell_length
        return found


@settings(max_examples=250, deadline=None)
@given(st.lists(frames, min_size=1, max_size=10))
@example([Frame({0: [("中" * 9, 1)]}), Frame({0: [("a" * 18, 2)]}, cut=3, sides=(1,), is_whole=False)])
@example([Frame({0: [("a" * 18, 1)]}), Frame({0: [("中" * 9, 2)]}, cut=3, sides=(0,), is_whole=False)])
@example(
    [
        Frame({0: [("ab 中", 1)]}, is_over=True),
        Frame({0: [("z" * 18, 2)]}, cut=5, is_whole=False),
        Frame({0: [("ab 中", 1)]}, is_over=True, is_whole=False),
        Frame({0: [("z" * 18, 2)]}, cut=5, sides=(1,), is_whole=False),
    ]
)
def test_changed_cells_give_the_whole_picture(story: list[Frame]) -> None:
    glass, scene = Glass(), Scene()
    terminal = Emulator(1, 1)
    for frame in story:
        if frame.size != scene.size or frame.is_forgotten:
            terminal.resize(*frame.size)
        if frame.is_forgotten:
            glass.forget()
        sequence = glass.encode(scene.take(frame), frame.size, ColorSystem.TRUECOLOR)
        assert sequence is not None
        terminal.feed(sequence)
        expected = Emulator(*frame.size)
        expected.feed(scene.whole().render_segments(CONSOLE))
        assert terminal.difference(expected) is None


pictures = st.lists(
    st.lists(st.tuples(st.text("ab 0─中", min_size=1, max_size=3), st.integers(0, 5)), min_size=30, max_size=40),
    min_size=20,
    max_size=20,
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures)
def test_a_new_picture_is_painted_from_top_to_bottom_in_few_bytes(picture: list[list[tuple[str, int]]]) -> None:
    size = 80, len(picture)
    whole = LayoutUpdate([[_strip(row, size[0])] for row in picture], Region(0, 0, *size))
    sequence = Glass().encode(whole, size, ColorSystem.TRUECOLOR)
    terminal, expected = Emulator(*size), Emulator(*size)
    assert sequence is not None
    terminal.feed(sequence)
    reference = whole.render_segments(CONSOLE)
    expected.feed(reference)
    assert terminal.difference(expected) is None
    bands = [(int(row) - 1) // BAND_ROWS for row in re.findall(r"\x1b\[(\d+);\d+H", sequence)]
    assert bands == sorted(bands)


def test_a_new_picture_tells_the_pen_each_ink_once_in_a_band() -> None:
    row = [("a", 1), ("b", 2), ("c", 3)] * 12
    whole = LayoutUpdate([[_strip(row, 36)] for _ in range(2 * BAND_ROWS)], Region(0, 0, 36, 2 * BAND_ROWS))
    sequence = Glass().encode(whole, (36, 2 * BAND_ROWS), ColorSystem.TRUECOLOR)
    assert sequence is not None
    assert sequence.count("m") == 2 * 3 + 1


def test_a_part_of_a_picture_goes_where_it_belongs() -> None:
    whole = LayoutUpdate([[_strip([("x", 1)], 18)] for _ in range(3)], Region(0, 0, 18, 3))
    piece = LayoutUpdate([[_strip([("中 y", 2)], 5)]], Region(4, 1, 5, 1))
    glass, terminal, expected = Glass(), Emulator(18, 3), Emulator(18, 3)
    for update in (whole, piece):
        terminal.feed(glass.encode(update, (18, 3), ColorSystem.TRUECOLOR) or "")
        expected.feed(update.render_segments(CONSOLE))
    assert terminal.difference(expected) is None


@pytest.mark.parametrize("is_known", [False, True])
def test_a_mark_whose_letter_is_covered_is_put_on_nothing_else(is_known: bool) -> None:
    glass, terminal = Glass(), Emulator(6, 1)
    for left in ("│  ", "║  ") if is_known else ("│  ",):
        line = [_strip([(left, 2)], 3), Strip([Segment("\u0301b  ", STYLES[1])])]
        terminal.feed(glass.encode(LayoutUpdate([line], Region(0, 0, 6, 1)), (6, 1), ColorSystem.TRUECOLOR) or "")
    assert [cell[0] for cell in terminal.cells()[0]] == [left[0], " ", " ", "b", " ", " "]


def test_after_what_terminals_measure_differently_the_next_place_is_said_by_its_number() -> None:
    glass, scene = Glass(), Scene()
    for text in ("🟢 0000 c0", "🔴 0000 c1"):
        scene.take(Frame({0: [(text, 1)]}, cut=3))
        sequence = glass.encode(scene.whole(), (18, 3), ColorSystem.TRUECOLOR)
    assert sequence == "\x1b[1;1H\x1b[31;44m🔴\x1b[10G1\x1b[0m"


def test_nothing_changed_sends_nothing() -> None:
    glass, scene = Glass(), Scene()
    scene.take(Frame({0: [("hello 中", 1)]}, cut=3))
    assert glass.encode(scene.whole(), (18, 3), ColorSystem.TRUECOLOR)
    assert glass.encode(scene.whole(), (18, 3), ColorSystem.TRUECOLOR) == ""


def test_one_changed_digit_is_one_move_and_one_character() -> None:
    glass, scene = Glass(), Scene()
    scene.take(Frame({2: [("age 0.4 s", 1)]}, cut=3))
    glass.encode(scene.whole(), (18, 3), ColorSystem.TRUECOLOR)
    scene.take(Frame({2: [("age 0.7 s", 1)]}, cut=3))
    assert glass.encode(scene.whole(), (18, 3), ColorSystem.TRUECOLOR) == "\x1b[3;7H\x1b[31;44m7\x1b[0m"


def test_a_line_that_changed_a_little_is_encoded_by_its_changed_span() -> None:
    def line(age: str) -> WholeRows:
        return WholeRows([_drawn(1, [("age", 1), (age, 2), (" s", 1)], 18)], _style, PASSES)

    glass = Glass()
    assert glass.encode(line("0.4"), (18, 3), ColorSystem.TRUECOLOR)
    assert glass.encode(line("0.7"), (18, 3), ColorSystem.TRUECOLOR) == "\x1b[2;6H\x1b[1;31;44m7\x1b[0m"
    assert glass.encode(line("0.7"), (18, 3), ColorSystem.TRUECOLOR) == ""


def test_another_look_changes_what_a_line_looks_like() -> None:
    """The same line, and what its inks are was remembered."""
    rows, yellow = [_drawn(0, [("age", 1)], 18)], Style.parse("yellow")
    glass = Glass()
    assert glass.encode(WholeRows(rows, _style, PASSES), (18, 3), ColorSystem.TRUECOLOR)
    assert "33" in (glass.encode(WholeRows(rows, lambda ink: yellow, PASSES), (18, 3), ColorSystem.TRUECOLOR) or "")


def test_lines_and_strips_of_a_row_know_of_each_other() -> None:
    """What comes again is sent again, where the other way has drawn something else meanwhile."""
    glass, terminal, size = Glass(), Emulator(18, 1), (18, 1)
    given = _drawn(0, [("age", 1), ("0.4", 2)], 18)
    line, drawn = WholeRows([given], _style, PASSES), LayoutUpdate([[_strip([("sheet", 3)], 18)]], Region(0, 0, 18, 1))
    for update, whole in [(drawn, drawn), (line, LayoutUpdate([[given.strip()]], Region(0, 0, 18, 1)))] * 2:
        terminal.feed(glass.encode(update, size, ColorSystem.TRUECOLOR) or "")
        expected = Emulator(*size)
        expected.feed(whole.render_segments(CONSOLE))
        assert terminal.difference(expected) is None


def test_equal_cells_are_one_object() -> None:
    """Thousands of figures are remembered; a tuple for each of their digits was 64 bytes."""
    red = Style.parse("red on blue")
    (one, *_), (_, other, blank) = (cells_of([Segment(text, red)], ColorSystem.TRUECOLOR)[0] for text in ("7", "87 "))
    assert one is other
    assert blank is cells_of([Segment(" 4", red)], ColorSystem.TRUECOLOR)[0][0]
