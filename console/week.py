"""The roster as a screen shows it: plain data, made by who knows the roster (``hotline.console_week``).

A house may have a thousand people: their lines come page by page, and lie packed until one is looked at, since what a
worker sends is read by the process that takes calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from config.problems import Problem
from routing.present import Present
from routing.roster import Duty

COLOURS = 6
"""How many colours shifts have; the seventh has the first one's again."""

PEOPLE = 50
"""People on one page."""


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
    people: int
    pages: tuple[bytes, ...]
    """Their lines, :data:`PEOPLE` a page (:func:`packed`)."""
    shifts: tuple[tuple[str, str, int], ...]
    """Name, hours in words, colour; those that occur."""
    holes: tuple[Hole, ...]
    picture: Mapping[str, str]
    now: float | None

    def page(self, number: int) -> tuple[WeekRow, ...]:
        """The lines of a page, counted from 1; none beyond the last."""
        return _READER.decode(self.pages[number - 1]) if 0 < number <= len(self.pages) else ()

    def rows(self) -> Iterator[WeekRow]:
        """Every line."""
        for page in self.pages:
            yield from _READER.decode(page)


_WRITER = msgspec.msgpack.Encoder()
_READER = msgspec.msgpack.Decoder(tuple[WeekRow, ...])


def packed(rows: Sequence[WeekRow]) -> tuple[bytes, ...]:
    """The lines as pages."""
    return tuple(_WRITER.encode(rows[first : first + PEOPLE]) for first in range(0, len(rows), PEOPLE))


@dataclass(frozen=True, slots=True)
class Proven:
    """What the proof of the roster says: the first of its ``problems``, errors before warnings, and how ``many``."""

    problems: tuple[Problem, ...] = ()
    many: int = 0


@dataclass(frozen=True, slots=True)
class Instant:
    """Who is on duty ``at`` a minute: those who answer, those on a break with its end, and each queue."""

    at: dt.datetime
    there: tuple[Duty, ...]
    breaks: Mapping[str, tuple[Duty, dt.datetime]]
    queues: tuple[Present, ...]
