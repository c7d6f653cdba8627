"""The colours of shifts and of coverage, one set for the terminal, for Excel and for pictures.

Every text on its fill has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3, level AA), on light and on dark ground, in
true colour and in the terminal's 256 colours; a test computes it. No colour is the only sign of anything: each cell
carries a word, a number or a mark as well, so all of it reads without colour (WCAG 1.4.1, no-color.org).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console


class Shade(NamedTuple):
    """A fill and the text on it, each as ``#rrggbb``."""

    fill: str
    text: str


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour on light and on dark ground; the same in a terminal's 256 colours, where the nearest of them would be
    another colour or too faint; and a style of rich for one that has only 16."""

    light: Shade
    dark: Shade
    light_256: Shade
    dark_256: Shade
    basic: str

    def shade(self, dark: bool = False) -> Shade:
        """The shade for that ground."""
        return self.dark if dark else self.light


SHIFTS: Mapping[str, Colour] = {
    "amber": Colour(
        Shade("#fde3a7", "#5c3b00"), Shade("#7a5200", "#ffe9bf"),
        Shade("#ffd787", "#000000"), Shade("#875f00", "#ffffd7"), "black on yellow",
    ),
    "green": Colour(
        Shade("#c9ebc6", "#14491a"), Shade("#1f5e2b", "#d5f5d5"),
        Shade("#afd7af", "#000000"), Shade("#005f00", "#d7ffd7"), "black on green",
    ),
    "blue": Colour(
        Shade("#c7ddf8", "#123b6b"), Shade("#1d4c84", "#d6e6fc"),
        Shade("#afd7ff", "#000000"), Shade("#005f87", "#ffffff"), "bright_white on blue",
    ),
    "violet": Colour(
        Shade("#dfd0f5", "#432170"), Shade("#55348a", "#ebdffc"),
        Shade("#d7afff", "#000000"), Shade("#5f00af", "#ffffff"), "bright_white on magenta",
    ),
    "rose": Colour(
        Shade("#f9cfd8", "#7a1230"), Shade("#8a2744", "#ffdde5"),
        Shade("#ffafd7", "#000000"), Shade("#87005f", "#ffffff"), "bright_white on red",
    ),
    "teal": Colour(
        Shade("#bfe8e6", "#0b4a4a"), Shade("#14605f", "#cff3f1"),
        Shade("#87d7d7", "#000000"), Shade("#005f5f", "#d7ffff"), "black on cyan",
    ),
    "gray": Colour(
        Shade("#dfe3e8", "#2f3a46"), Shade("#4a5561", "#eef1f4"),
        Shade("#d0d0d0", "#000000"), Shade("#4e4e4e", "#eeeeee"), "black on white",
    ),
}  # fmt: skip
"""By the names that ``roster.yaml`` knows, in the order in which shifts without a colour get them."""


class Level(StrEnum):
    """How well a moment is covered, the worst first."""

    SHORT = "short"
    """Fewer than needed, with all backups."""
    BACKUP = "backup"
    """As many as needed only with a backup."""
    TIGHT = "tight"
    """As many as needed, fewer than wanted."""
    ENOUGH = "enough"
    MORE = "more"
    """One more than wanted."""
    PLENTY = "plenty"
    """Two or more above what is wanted."""
    IDLE = "idle"
    """Nobody needed and nobody there."""


WORST_FIRST: Mapping[Level, int] = {level: number for number, level in enumerate(Level)}
"""The place of each level, 0 the worst."""

LEVELS: Mapping[Level, Colour] = {
    Level.SHORT: Colour(
        Shade("#cf2a27", "#ffffff"), Shade("#d93a37", "#ffffff"),
        Shade("#d70000", "#ffffff"), Shade("#d70000", "#ffffff"), "bold bright_white on red",
    ),
    Level.BACKUP: Colour(
        Shade("#f7a13c", "#331a00"), Shade("#a34a0a", "#fff1e0"),
        Shade("#ffaf5f", "#000000"), Shade("#af5f00", "#ffffff"), "black on bright_yellow",
    ),
    Level.TIGHT: Colour(
        Shade("#fbe08c", "#4a3300"), Shade("#7d5f00", "#fff3c4"),
        Shade("#ffd787", "#000000"), Shade("#875f00", "#ffffd7"), "black on yellow",
    ),
    Level.ENOUGH: Colour(
        Shade("#c5e8d0", "#0b3d20"), Shade("#17472d", "#c9ecd6"),
        Shade("#d7ffd7", "#000000"), Shade("#005f00", "#d7ffd7"), "black on green",
    ),
    Level.MORE: Colour(
        Shade("#86cfa5", "#06281a"), Shade("#22683f", "#e0f7e8"),
        Shade("#afd7af", "#000000"), Shade("#008700", "#ffffff"), "black on green",
    ),
    Level.PLENTY: Colour(
        Shade("#4fae7f", "#03190e"), Shade("#2c7d50", "#ffffff"),
        Shade("#5faf5f", "#000000"), Shade("#00af00", "#000000"), "black on green",
    ),
    Level.IDLE: Colour(
        Shade("#e4e7eb", "#4a5562"), Shade("#323f4b", "#cbd2d9"),
        Shade("#e4e4e4", "#000000"), Shade("#444444", "#e4e4e4"), "black on white",
    ),
}  # fmt: skip

PLAIN: Mapping[Level, str] = {
    Level.SHORT: "#", Level.BACKUP: "%", Level.TIGHT: "=", Level.ENOUGH: "-", Level.MORE: "-", Level.PLENTY: "-",
    Level.IDLE: ".",
}  # fmt: skip
"""What stands in a cell where there is no colour at all."""


def colours_of(shifts: Mapping[str, str | None]) -> dict[str, str]:
    """The colour of each shift by its name, given the one it asks for or None.

    Those that ask for none get the colours that nobody asked for, in order; when all are taken they begin again.
    """
    asked = {colour for colour in shifts.values() if colour in SHIFTS}
    free = [name for name in SHIFTS if name not in asked] or list(SHIFTS)
    chosen: dict[str, str] = {}
    given = 0
    for name, colour in shifts.items():
        if colour in SHIFTS and colour is not None:
            chosen[name] = colour
        else:
            chosen[name] = free[given % len(free)]
            given += 1
    return chosen


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Paint:
    """The colours of one terminal: what it can show, and on which ground."""

    def __init__(self, screen: Console, environment: Mapping[str, str] = os.environ) -> None:
        self.system = None if screen.no_color else screen.color_system
        """``truecolor``, ``256``, ``standard`` (16), ``windows``, or None: no colour at all."""
        self.dark = not _light_ground(environment)

    def style(self, colour: Colour) -> str:
        """The style of rich for a cell of this colour; empty where there is no colour."""
        if self.system is None:
            return ""
        if self.system in ("standard", "windows"):
            return colour.basic
        fill, text = self._shade(colour)
        return f"{text} on {fill}"

    def ground(self, colour: Colour) -> str:
        """Its fill alone, as a colour of rich; empty where there is no colour."""
        if self.system is None:
            return ""
        if self.system in ("standard", "windows"):
            return colour.basic.rpartition(" on ")[2]
        return self._shade(colour).fill

    def _shade(self, colour: Colour) -> Shade:
        if self.system == "256":
            return colour.dark_256 if self.dark else colour.light_256
        return colour.shade(self.dark)


def _light_ground(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says that its ground is light (``COLORFGBG`` of rxvt, Konsole and others: 7 or 15 last).

    Where it says nothing the dark shades are taken: they read on both.
    """
    return environment.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
