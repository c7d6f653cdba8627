"""How well each hour is covered, as a map: days down, hours across, one panel for each queue. Plain data, and pure.

A day has 96 quarter-hours of wall time. A quarter in which anything is short is short: the map may show a gap longer
than it is, it never hides one. Where the clocks go forward the missing quarters are empty; where they go back, the
doubled ones show the worse of the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from config.catalogue import _
from hotline.day_words import Day, weekday
from hotline.palette import WORST_FIRST, Level

QUARTERS = 96
"""Of a day of wall time."""

SIGNS: Mapping[Level, str] = {
    Level.SHORT: "0/1", Level.BACKUP: "0+1", Level.TIGHT: "1", Level.ENOUGH: "1", Level.MORE: "2", Level.PLENTY: "3",
    Level.IDLE: "0",
}  # fmt: skip
"""What a legend writes into its example of each level."""

_QUARTER = dt.timedelta(minutes=15)


class Covered(Protocol):
    """What is asked of ``routing.coverage.Cover``: a span of constant numbers, half-open, in aware times."""

    @property
    def begins(self) -> dt.datetime: ...
    @property
    def ends(self) -> dt.datetime: ...
    @property
    def have(self) -> int: ...
    @property
    def backup(self) -> int: ...
    @property
    def need(self) -> int: ...
    @property
    def want(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter-hour at its worst: agents there, backups where they count (somebody is missing), needed, wanted."""

    level: Level
    have: int
    backup: int
    need: int
    want: int

    @classmethod
    def of(cls, cover: Covered) -> Quarter:
        """What these numbers look like."""
        level = level_of(cover.have, cover.backup, cover.need, cover.want)
        return cls(level, cover.have, cover.backup if cover.have < cover.need else 0, cover.need, cover.want)

    @property
    def words(self) -> tuple[str, ...]:
        """What may stand in a cell, the fullest first: ``0/1`` where short, ``0+1`` with a backup, else ``2``."""
        if self.level is Level.SHORT:
            return f"{self.have}/{self.need}", str(self.have)
        if self.level is Level.BACKUP:
            return f"{self.have}+{self.backup}", str(self.have)
        return (str(self.have),)


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One day: 96 quarters, None where the queue is closed or the clocks jump over it."""

    day: Day
    quarters: tuple[Quarter | None, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Quarters beside each other that are the same, from ``first`` up to and without ``end``."""

    first: int
    end: int
    quarter: Quarter | None


class Gap(NamedTuple):
    """A span in which somebody needed is missing, in words. ``filled``: backups make up for it."""

    words: str
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One queue or one level of its skill, or several that are covered alike. ``gaps``: what is short there;
    ``queues``: their keys."""

    label: str
    rows: tuple[HeatRow, ...]
    gaps: tuple[Gap, ...] = ()
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heat:
    """All that is shown. ``now``: where the clock stands, as a date and a share of that day (0 to 1), or None."""

    title: str
    as_of: str
    panels: tuple[Panel, ...]
    now: tuple[dt.date, float] | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those that occur, the worst first."""
        seen = {one.level for panel in self.panels for row in panel.rows for one in row.quarters if one}
        return tuple(level for level in Level if level in seen)


def level_of(have: int, backup: int, need: int, want: int) -> Level:
    """How well these numbers cover."""
    if have < need:
        return Level.BACKUP if have + backup >= need else Level.SHORT
    if have < want:
        return Level.TIGHT
    if have == 0:
        return Level.IDLE
    above = have - max(need, want)
    return Level.ENOUGH if above <= 0 else Level.MORE if above == 1 else Level.PLENTY


def level_word(level: Level) -> str:
    """For legends."""
    words = {
        Level.SHORT: _("short"), Level.BACKUP: _("only with backup"), Level.TIGHT: _("fewer than wanted"),
        Level.ENOUGH: _("enough"), Level.MORE: _("one more"), Level.PLENTY: _("two or more above"),
        Level.IDLE: _("nobody needed"),
    }  # fmt: skip
    return words[level]


def rows_of(covers: Iterable[Covered], days: Sequence[Day], zone: ZoneInfo) -> tuple[HeatRow, ...]:
    """The rows of one panel: each quarter of each day at the worst of what lies in it."""
    found: dict[dt.date, list[Quarter | None]] = {day.date: [None] * QUARTERS for day in days}
    for cover in covers:
        here = Quarter.of(cover)
        for date, place in _places(cover.begins, cover.ends, zone):
            if date in found:
                known = found[date][place]
                found[date][place] = here if known is None else worse(known, here)
    return tuple(HeatRow(day, tuple(found[day.date])) for day in days)


def _places(begins: dt.datetime, ends: dt.datetime, zone: ZoneInfo) -> Iterator[tuple[dt.date, int]]:
    """Every quarter-hour of wall time of which some part lies in [begins, ends)."""
    begins, ends = begins.astimezone(dt.UTC), ends.astimezone(dt.UTC)
    at = begins
    while at < ends:
        wall = at.astimezone(zone)
        yield wall.date(), wall.hour * 4 + wall.minute // 15
        into = dt.timedelta(minutes=wall.minute % 15, seconds=wall.second, microseconds=wall.microsecond)
        at += _QUARTER - into


def worse(one: Quarter, other: Quarter) -> Quarter:
    """The worse of the two: by level, then the one that misses more, then the one with fewer people."""
    return min(one, other, key=lambda each: (WORST_FIRST[each.level], each.have - each.need, each.have))


def worst(quarters: Iterable[Quarter | None]) -> Quarter | None:
    """The worst of them; None where all are closed."""
    found: Quarter | None = None
    for one in quarters:
        if one is not None:
            found = one if found is None else worse(found, one)
    return found


def runs(quarters: Sequence[Quarter | None]) -> list[Run]:
    """Equal neighbours taken together."""
    found = []
    first = 0
    for quarter, same in groupby(quarters):
        end = first + len(list(same))
        found.append(Run(first, end, quarter))
        first = end
    return found


def clock(quarter: int) -> str:
    """The wall time at which a quarter begins; 24:00 ends the day."""
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def told(panel: Panel, row: HeatRow, run: Run) -> str:
    """A run in words, as a picture tells it under the pointer."""
    when = f"{row.day.date.isoformat()} {weekday(row.day.date)} {clock(run.first)}–{clock(run.end)} {panel.label}"
    if run.quarter is None:
        return _("{when}: closed").format(when=when)
    one = run.quarter
    words = _("{when}: {have} there, {need} needed, {want} wanted, {backup} on backup ({level})")
    return words.format(when=when, have=one.have, need=one.need, want=one.want, backup=one.backup,
                        level=level_word(one.level))  # fmt: skip
