"""The map of coverage in a terminal: a line a day, coloured, with numbers where there is room.

In a narrow terminal a column is half an hour or an hour, and where its two halves differ, each has its own colour (a
half block). Without colour every column has a sign instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from config.catalogue import _
from hotline.columns import Line, cut, gap_lines, head_style, wrapped
from hotline.day_words import Day, mark, weekday
from hotline.heat import QUARTERS, SIGNS, Heat, HeatRow, Quarter, level_word, runs, worst
from hotline.palette import LEVELS, PLAIN, Paint

COLUMNS = (96, 48, 24)
"""Columns that a day may take: of a quarter, a half and a whole hour."""

LEFT, RIGHT = "▌", "▐"
"""Half blocks: what is painted is the left half, the right half."""


@dataclass(frozen=True, slots=True)
class _Places:
    label: int
    columns: int

    @property
    def quarters(self) -> int:
        """Of each column."""
        return QUARTERS // self.columns


def lines(heat: Heat, width: int, paint: Paint) -> Iterator[Line]:
    """The map in lines of at most ``width`` columns (at least 40)."""
    yield [(cut(heat.title, width), "bold")]
    yield [(cut(heat.as_of, width), "dim")]
    places = _places(heat, width)
    for panel in heat.panels:
        yield []
        yield [(cut(panel.label, width), "bold cyan")]
        yield _axis(places)
        for row in panel.rows:
            yield _row(row, places, paint)
        for gap in panel.gaps:
            yield from gap_lines(gap, width)
    yield []
    yield from _legend(heat, width, paint)


def _places(heat: Heat, width: int) -> _Places:
    """The most columns for the hours that still leave room for dates, weekdays and, if it can be, holidays."""
    days = [row.day for panel in heat.panels for row in panel.rows]
    marks = max((cell_len(mark(day, 8)) for day in days), default=0)
    bare = 5 + 1 + max((cell_len(weekday(day.date)) for day in days), default=3)
    columns = next((columns for columns in COLUMNS if bare + 1 + columns <= width), COLUMNS[-1])
    room = width - columns - 1
    return _Places(min(room, bare + 1 + marks) if marks and room >= bare + 3 else min(room, bare), columns)


def _axis(places: _Places) -> Line:
    """The hours above their columns."""
    every = {96: 1, 48: 2, 24: 3}[places.columns]
    step = every * places.columns // 24
    return [(" " * (places.label + 1) + "".join(f"{hour:02}".ljust(step) for hour in range(0, 24, every)), "dim")]


def _label(day: Day, room: int) -> Line:
    bare = f"{day.date.strftime('%m-%d')} {weekday(day.date)}"
    sign = mark(day, room - cell_len(bare) - 1)
    words = cut(f"{bare} {sign}" if sign else bare, room)
    return [(words, head_style(day)), (" " * (room - cell_len(words)), "")]


def _row(row: HeatRow, places: _Places, paint: Paint) -> Line:
    """One day. A run's number stands in its middle, on whole columns alone."""
    halves = _halves(row.quarters, places)
    words = _words(halves, plain=paint.system is None)
    line: Line = [*_label(row.day, places.label), (" ", "")]
    for column in range(places.columns):
        left, right = halves[2 * column], halves[2 * column + 1]
        line.append(_column(left, right, words.get(column, ""), paint))
    return _joined(line)


def _halves(quarters: Sequence[Quarter | None], places: _Places) -> list[Quarter | None]:
    """Two for each column; of a column of one quarter both are that one."""
    if places.quarters == 1:
        return [one for quarter in quarters for one in (quarter, quarter)]
    step = places.quarters // 2
    return [worst(quarters[at : at + step]) for at in range(0, QUARTERS, step)]


def _words(halves: Sequence[Quarter | None], plain: bool) -> dict[int, str]:
    """The characters of the numbers, by column: in the middle of each run, the longer ones with a free column on both
    sides. ``plain``: where there is no colour, a sign must be left beside each."""
    found: dict[int, str] = {}
    for run in runs(halves):
        first, end = -(-run.first // 2), run.end // 2
        for word in run.quarter.words if run.quarter else ():
            if len(word) + (2 if len(word) > 1 else 1 if plain else 0) <= end - first:
                start = first + (end - first - len(word)) // 2
                found.update({start + at: char for at, char in enumerate(word)})
                break
    return found


def _column(left: Quarter | None, right: Quarter | None, char: str, paint: Paint) -> tuple[str, str]:
    if paint.system is None:
        one = worst((left, right))
        return char or (" " if one is None else PLAIN[one.level]), ""
    if left == right or (left and right and left.level == right.level):
        return char or " ", paint.style(LEVELS[left.level]) if left else ""
    if left is None and right is not None:
        return RIGHT, paint.ground(LEVELS[right.level])
    if left is not None and right is None:
        return LEFT, paint.ground(LEVELS[left.level])
    assert left is not None and right is not None
    return LEFT, f"{paint.ground(LEVELS[left.level])} on {paint.ground(LEVELS[right.level])}"


def _joined(line: Line) -> Line:
    """Neighbours of one style as one run."""
    found: Line = []
    for text, style in line:
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return found


def _legend(heat: Heat, width: int, paint: Paint) -> Iterator[Line]:
    items: list[Line] = []
    for level in heat.levels:
        plain = f" {SIGNS[level]} " if paint.system else f"{PLAIN[level]}{SIGNS[level]}{PLAIN[level]}"
        items.append([(plain, paint.style(LEVELS[level])), (f" {level_word(level)}", "")])
    if any(one is None for panel in heat.panels for row in panel.rows for one in row.quarters):
        items.append([(_("empty: closed"), "dim")])
    yield from wrapped(items, width)


