"""Every text can be read on its fill, in every number of colours; shifts without a colour get one each."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style

from hotline.palette import LEVELS, PLAIN, SHIFTS, Colour, Level, Paint, colours_of, contrast

EVERY = {**SHIFTS, **LEVELS}
AA = 4.5

each_colour = pytest.mark.parametrize("colour", EVERY.values(), ids=map(str, EVERY))


def screen(system: str | None) -> Console:
    return Console(force_terminal=True, color_system=system, no_color=system is None)  # type: ignore[arg-type]


@each_colour
def test_the_text_on_every_fill_has_enough_contrast(colour: Colour) -> None:
    for shade in (colour.light, colour.dark):
        assert contrast(*shade) >= AA
    for shade in (colour.light_256, colour.dark_256):
        shown = [Color.parse(one).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex for one in shade]
        assert contrast(*shown) >= AA


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@each_colour
def test_a_style_can_be_shown_by_every_terminal(colour: Colour) -> None:
    for system in ("truecolor", "256", "standard"):
        for ground in ("15;0", "0;15", ""):
            paint = Paint(screen(system), {"COLORFGBG": ground})
            style = Style.parse(paint.style(colour))
            assert style.bgcolor is not None and style.color is not None
            assert Color.parse(paint.ground(colour)) == style.bgcolor
    paint = Paint(screen(None), {})
    assert paint.style(colour) == paint.ground(colour) == ""


def test_a_light_ground_is_taken_where_the_terminal_says_so() -> None:
    colour = SHIFTS["blue"]
    assert colour.light.fill in Paint(screen("truecolor"), {"COLORFGBG": "0;15"}).style(colour)
    assert colour.dark.fill in Paint(screen("truecolor"), {"COLORFGBG": "15;0"}).style(colour)
    assert colour.dark.fill in Paint(screen("truecolor"), {}).style(colour)


def test_without_colour_what_is_short_still_differs_from_what_is_not() -> None:
    signs = [PLAIN[level] for level in (Level.SHORT, Level.BACKUP, Level.TIGHT, Level.ENOUGH, Level.IDLE)]
    assert len(set(signs)) == len(signs) and set(PLAIN) == set(Level) == set(LEVELS)


@given(st.dictionaries(st.text(min_size=1), st.sampled_from([*SHIFTS, None]), max_size=12))
def test_shifts_get_the_colour_they_ask_for_or_one_that_is_free(asked: dict[str, str | None]) -> None:
    chosen = colours_of(asked)
    assert list(chosen) == list(asked)
    assert all(chosen[name] == colour for name, colour in asked.items() if colour)
    wanted = set(asked.values()) - {None}
    given_out = [chosen[name] for name, colour in asked.items() if colour is None]
    free = len(SHIFTS) - len(wanted)
    if free:
        assert not set(given_out) & wanted
        assert len(set(given_out)) == min(len(given_out), free)
