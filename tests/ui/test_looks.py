"""Themes: every ink that is used is defined, and no state depends on colour alone."""

from __future__ import annotations

import re
from colorsys import rgb_to_hsv
from pathlib import Path

import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style

from cockpit.model.severity import Severity
from themes.catalogue import LOOKS, offered
from themes.glyphs import SEVERITY, to_ascii
from themes.look import Look
from themes.mono import MONO
from themes.night import NIGHT
from themes.verdicts import VERDICT

ROOT = Path(__file__).parents[2]
HUE_DEGREES = 25
"""The old blue #3f6896 became a violet grey, 29 degrees off."""
GREY = 0.3
"""Less saturated than this."""
STRONG = 175
"""Of 255; #c2313a becomes the old rose #af5f5f, which has 80."""


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_ink_is_a_style(look: Look) -> None:
    for ink in look.inks:
        assert isinstance(look.style(ink), Style)


@pytest.mark.parametrize("look", [each for each in LOOKS if not each.is_ansi], ids=lambda look: look.name)
def test_full_themes_define_all_of_nights_inks(look: Look) -> None:
    assert not (set(NIGHT.inks) - {"shade", "text"}) - set(look.inks)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_nothing_is_invisible(look: Look) -> None:
    for ink in look.inks:
        style = look.style(ink)
        assert style.color is None or style.color != style.bgcolor or style.color.is_default, ink


@pytest.mark.parametrize("look", [each for each in LOOKS if not each.is_ansi], ids=lambda look: look.name)
@pytest.mark.parametrize("ink", ["block_crit", "halted", "halted_big", "world_live"])
def test_what_says_halted_is_as_strong_in_256_colours(look: Look, ink: str) -> None:
    ground = look.style(ink).bgcolor
    assert ground is not None
    shown = ground.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    assert max(shown) - min(shown) >= STRONG, shown


@pytest.mark.parametrize("look", [each for each in LOOKS if not each.is_ansi], ids=lambda look: look.name)
@pytest.mark.parametrize("ink", ["chart", "chart_hot", "bar_empty"])
def test_a_picture_keeps_its_hue_in_256_colours(look: Look, ink: str) -> None:
    meant = look.style(ink).color
    assert meant is not None
    hues = [rgb_to_hsv(*each.normalized) for each in (meant.get_truecolor(), _in_256(meant))]
    off = abs(hues[0][0] - hues[1][0])
    assert hues[1][1] < GREY or 360 * min(off, 1 - off) < HUE_DEGREES, f"{meant.name} becomes {_in_256(meant).hex}"
    assert hues[0][1] < GREY or hues[1][1] >= GREY, f"{meant.name} becomes {_in_256(meant).hex}"


def _in_256(colour: Color) -> ColorTriplet:
    return colour.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()


def test_states_differ_without_colour() -> None:
    marks = list(SEVERITY.values())
    assert len({(mark.glyph, mark.word) for mark in marks}) == len(Severity)
    assert len({to_ascii(mark.glyph) for mark in marks}) == len(marks)
    assert len({to_ascii(mark.glyph) for mark in VERDICT.values()}) == len(VERDICT)


def test_every_sign_that_is_drawn_has_a_stand_in_in_ascii() -> None:
    """A question mark is the glyph of what is unknown."""
    folders = ("widgets", "cockpit/screens", "themes")
    sources = "".join(file.read_text() for folder in folders for file in (ROOT / folder).rglob("*.py"))
    assert {sign for sign in re.findall("[\u2190-\u21ff\u2500-\u28ff·–…×›]", sources) if to_ascii(sign) == "?"} == set()


def test_inks_used_in_the_widgets_exist() -> None:
    known = set(NIGHT.inks)
    for file in (ROOT / "widgets").rglob("*.py"):
        for ink in re.findall(
            r'", "((?:block|border|world|line|title|halted|frozen|bar|chart)_\w+)"\)', file.read_text()
        ):
            assert ink in known, f"{file.name}: {ink}"


def test_mono_has_no_colour_at_all() -> None:
    for ink in MONO.inks:
        style = MONO.style(ink)
        assert style.color is None or style.color.is_default


def test_terminals_get_what_they_can_show() -> None:
    assert [look.name for look in offered(False, False)] == ["mono"]
    assert offered(True, True)[0].name == "night"
