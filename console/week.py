"""A week of the roster as a screen shows it: plain data, made by who knows the roster (``hotline.console_week``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

COLOURS = 6
"""How many colours shifts have; the seventh has the first one's again."""


@dataclass(frozen=True, slots=True)
class WeekDay:
    """``note``: what makes the day another than its weekday says (a holiday's name, ``班``)."""

    date: dt.date
    weekday: str
    note: str
    free: bool
    today: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One duty. ``first`` and ``end`` are shares of the week by the clock on the wall, 0 to 1; ``when`` is in words.

    ``colour``: 0 to :data:`COLOURS` - 1, by the shift. ``why``: ``extra``, ``swap``, ``cover`` or empty.
    """

    day: int
    first: float
    end: float
    shift: str
    short: str
    colour: int
    when: str
    backup: bool
    why: str
    instead_of: str


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One person. ``leaves``: by day, the word for it. ``hours`` are those of the shifts that begin in this week."""

    agent: str
    name: str
    team: str
    hours: float
    nights: int
    bars: tuple[Bar, ...]
    leaves: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Hole:
    """A span in which somebody needed is missing, in words; ``filled``: backups make up for it."""

    words: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days. ``picture`` is the map of coverage (SVG) by ``light`` and ``dark``; ``now`` a share of the week."""

    days: tuple[WeekDay, ...]
    rows: tuple[WeekRow, ...]
    shifts: tuple[tuple[str, str, int], ...]
    """Name, hours in words, colour; those that occur."""
    holes: tuple[Hole, ...]
    picture: Mapping[str, str]
    now: float | None
