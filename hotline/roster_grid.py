"""The roster as a grid, people down and days across, laid out for a terminal of any width.

Everything here is plain data and pure: ``lines`` gives each line as runs of text and style, and no line is wider than
asked. Widths are columns of a terminal, in which a Chinese character takes two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from config.catalogue import _, ngettext
from hotline.columns import Line, Run, cut, fill, first_that_fits, gap_lines, head_style, wrapped
from hotline.day_words import Day, mark, weekday, weekday_short
from hotline.heat import Gap, level_word
from hotline.palette import LEVELS, SHIFTS, Level, Paint
from hotline.show import folded, visible

EXTRA, SWAP, COVER, PART, BACKUP = "+", "~", "^", "-", "*"
"""Marks behind a shift's word: extra duty, by a swap, in somebody's stead, only a part of it (leave by the hour), and
backup, which is the shift's own."""

FREE = "."
"""A day off, and no nights. ASCII, as all marks: ``·`` and ``…`` are two columns wide in many a Chinese terminal."""

WIDEST_NAME = 12
"""Columns that the longest name of a person may take."""

WIDEST_CELL = 13
"""Columns of a day, beyond which nothing more would be told."""

NARROWEST_CELL = 2
"""One Chinese character."""

MOST_NEEDED = 6
"""Columns that one crowded day may demand of all; what is beyond is told as far as it goes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One shift that a person begins on a day."""

    shift: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One person's day. ``leave``: the word for it, where there is one."""

    pieces: tuple[Piece, ...] = ()
    leave: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the grid. ``hours`` of duty and ``nights`` over all of its days."""

    number: str
    name: str
    team: str
    cells: tuple[Cell, ...]
    hours: float = 0.0
    nights: int = 0


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst moment of a queue's day. ``of``: as many as are needed there, or wanted where enough are there;
    ``backup``: backups where somebody needed is missing."""

    level: Level
    have: int
    of: int
    backup: int = 0


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A queue below the people; None on a day on which it is closed."""

    label: str
    days: tuple[Worst | None, ...]


@dataclass(frozen=True, slots=True)
class ShiftKey:
    """A shift as the legend explains it. ``colour``: a name in ``palette.SHIFTS``; ``hours``: ``06-14``, short."""

    name: str
    short: str
    colour: str
    times: str
    hours: str = ""
    backup: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """All that is shown."""

    title: str
    days: tuple[Day, ...]
    people: tuple[Person, ...]
    queues: tuple[QueueLine, ...] = ()
    shifts: Mapping[str, ShiftKey] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


def shorts(names: Mapping[str, str | None]) -> dict[str, str]:
    """A short word for each shift: its own ``short``, else of two columns one that tells it from the others."""
    taken = {short for short in names.values() if short}
    found: dict[str, str] = {}
    for name, short in names.items():
        if not short:
            wide = [char for char in name if cell_len(char) == 2]
            narrow = ["".join(name[at : at + 2]) for at in range(len(name))]
            choices = [choice for choice in wide or narrow if choice.strip()]
            short = next((choice for choice in choices if choice not in taken), choices[0] if choices else name[:1])
            taken.add(short)
        found[name] = short
    return found


def lines(grid: Grid, width: int, paint: Paint) -> Iterator[Line]:
    """The grid in lines of at most ``width`` columns: a block of days below the other where not all fit beside."""
    yield [(cut(grid.title, width), "bold")]
    places = _Places.of(grid, width)
    for number, first in enumerate(range(0, len(grid.days), places.per_block)):
        last = first + places.per_block
        yield []
        yield from _block(_Block(grid, places, paint, slice(first, last), number == places.blocks - 1))
    yield []
    yield from _legend(grid, width, paint)
    for gap in grid.gaps:
        yield from gap_lines(gap, width)
    for note in grid.notes:
        for part in folded(visible(note), width, cell_len):
            yield [(part, "dim")]


@dataclass(frozen=True, slots=True)
class _Places:
    """Columns of each part: staff number, name, a day, hours, nights; and the days beside each other."""

    number: int
    name: int
    day: int
    hours: int
    nights: int
    per_block: int
    blocks: int

    @classmethod
    def of(cls, grid: Grid, width: int) -> _Places:
        number = max((len(person.number) for person in grid.people), default=4)
        longest = max((cell_len(person.name) for person in grid.people), default=6)
        labels = max((cell_len(line.label) for line in grid.queues), default=0) - number - 1
        name = max(4, min(max(longest, labels), WIDEST_NAME, width // 8))
        hours = max(cell_len(_("Hours")), *(len(_hours(person.hours)) for person in grid.people), 0)
        nights = max(cell_len(_("Nights")), *(len(str(person.nights)) for person in grid.people), 0)
        room = width - number - name - hours - nights - 3
        many, least = max(1, len(grid.days)), _least(grid)
        per_block = next(
            (days for days in (many, 28, 21, 14, 7) if days <= many and room // days > least),
            max(1, room // (least + 1)),
        )
        day = max(NARROWEST_CELL, min(room // per_block - 1, WIDEST_CELL, _natural(grid)))
        return cls(number, name, day, hours, nights, per_block, -(-many // per_block))

    @property
    def left(self) -> int:
        return self.number + 1 + self.name


def _least(grid: Grid) -> int:
    """Columns that a day must have so that every shift of it is told, with its mark."""
    cells = {cell.pieces for person in grid.people for cell in person.cells}
    widths = [sum(_shortest(grid.shifts.get(one.shift), one.mark) for one in pieces) for pieces in cells]
    return max(NARROWEST_CELL, min(max(widths, default=0), MOST_NEEDED))


def _shortest(key: ShiftKey | None, sign: str) -> int:
    """Columns of a shift told as shortly as can be."""
    return cell_len(key.short + _sign(key, sign)) if key is not None else 0


def _sign(key: ShiftKey | None, sign: str) -> str:
    """All marks of a shift in a cell."""
    return (BACKUP if key is not None and key.backup else "") + sign


def _natural(grid: Grid) -> int:
    """Columns that a day likes: every shift with its word, its mark and its hours."""
    keys = grid.shifts.values()
    return max((cell_len(key.name) + cell_len(key.hours) + 4 for key in keys), default=6)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some days of the grid, side by side. ``totals``: with the sums behind the last day."""

    grid: Grid
    places: _Places
    paint: Paint
    part: slice
    totals: bool


def _block(block: _Block) -> Iterator[Line]:
    grid, places = block.grid, block.places
    yield from _heads(block)
    teams = groupby(grid.people, key=lambda person: person.team)
    named = len({person.team for person in grid.people}) > 1 or any(person.team for person in grid.people)
    for team, people in teams:
        members = list(people)
        if named:
            words = ngettext("{team} ({n} person)", "{team} ({n} people)", len(members))
            yield [(cut(words.format(team=team or _("no team"), n=len(members)), places.left + 40), "bold cyan")]
        for person in members:
            yield _person(block, person)
    if grid.people:
        yield _on_duty(block)
    if grid.queues:
        yield [(fill(_("Queues (have/need)"), places.left + 20), "bold cyan")]
    for queue in grid.queues:
        line: Line = [(fill(queue.label, places.left), "")]
        for worst in queue.days[block.part]:
            line += [(" ", ""), _queue_cell(worst, places.day, block.paint)]
        yield line


def _heads(block: _Block) -> Iterator[Line]:
    """Date, weekday, and what marks the days; the last only where something does."""
    days, places = block.grid.days[block.part], block.places
    sums = [(" ", ""), (fill(_("Hours"), places.hours, ">"), "bold"), (" ", ""),
            (fill(_("Nights"), places.nights, ">"), "bold")] if block.totals else []  # fmt: skip
    left = (fill("", places.left), "")
    yield [left, *(run for day in days for run in ((" ", ""), (_date(day, places.day), head_style(day))))]
    words: Line = []
    for day in days:
        word = weekday(day.date) if cell_len(weekday(day.date)) <= places.day else weekday_short(day.date)
        words += [(" ", ""), (fill(word, places.day, "^"), head_style(day))]
    yield [left, *words, *sums]
    if any(day.marked for day in days):
        marks: Line = []
        for day in days:
            marks += [(" ", ""), (fill(mark(day, places.day), places.day, "^"), head_style(day) if day.marked else "")]
        yield [left, *marks]


def _date(day: Day, room: int) -> str:
    """``02-06`` where there is room, else the day of the month; a new month is always named."""
    if room >= 5:
        return fill(day.date.strftime("%m-%d"), room, "^")
    if day.date.day == 1 and room >= len(f"{day.date.month}/1"):
        return fill(f"{day.date.month}/1", room, "^")
    return fill(str(day.date.day), room, "^")


def _person(block: _Block, person: Person) -> Line:
    places = block.places
    line: Line = [(fill(person.number, places.number), ""), (" ", ""), (fill(person.name, places.name), "")]
    for day, cell in zip(block.grid.days[block.part], person.cells[block.part], strict=True):
        line += [(" ", ""), *_cell(block, day, cell)]
    if block.totals:
        line += [(" ", ""), (fill(_hours(person.hours), places.hours, ">"), ""), (" ", ""),
                 (fill(str(person.nights) if person.nights else FREE, places.nights, ">"),
                  "" if person.nights else "dim")]  # fmt: skip
    return line


def _cell(block: _Block, day: Day, cell: Cell) -> Line:
    """The runs of one cell, together exactly as wide as a day."""
    room, keys = block.places.day, block.grid.shifts
    pieces = [piece for piece in cell.pieces if piece.shift in keys]
    if not pieces:
        if cell.leave:
            first = cell.leave.partition(" ")[0]
            word = first_that_fits((cell.leave, first, set_cell_size(first, room)), room)
            return [(fill(word, room, "^"), "italic magenta")]
        return [(fill(FREE, room, "^"), "dim")]
    shown = pieces if room >= 2 * len(pieces) else pieces[: max(1, room // 2)]
    runs: Line = []
    left = room
    for number, piece in enumerate(shown):
        wide = left // (len(shown) - number)
        left -= wide
        key = keys[piece.shift]
        runs.append((fill(_word(key, piece.mark, wide), wide, "^"), _shift_style(key, block.paint)))
    return runs


def _word(key: ShiftKey, sign: str, room: int) -> str:
    """The most that can be told of a shift in ``room`` columns; the mark before the full word."""
    sign = _sign(key, sign)
    full, short = key.name + sign, key.short + sign
    return first_that_fits((f"{full} {key.hours}" if key.hours else full, full, short, key.short), room)


def _shift_style(key: ShiftKey, paint: Paint) -> str:
    style = paint.style(SHIFTS[key.colour])
    return f"{style} italic".strip() if key.backup else style


def _on_duty(block: _Block) -> Line:
    """How many people begin a shift on each day."""
    line: Line = [(fill(_("at work"), block.places.left), "dim")]
    for number in range(len(block.grid.days))[block.part]:
        working = sum(bool(person.cells[number].pieces) for person in block.grid.people)
        line += [(" ", ""), (fill(str(working), block.places.day, "^"), "dim")]
    return line


def _queue_cell(worst: Worst | None, room: int, paint: Paint) -> Run:
    if worst is None:
        return fill("", room, "^"), ""
    both = f"{worst.have}/{worst.of}"
    words: tuple[str, ...] = both, str(worst.have)
    if worst.level is Level.SHORT:
        words = f"{both} !", f"{both}!", both, f"{worst.have}!", str(worst.have)
    elif worst.level is Level.BACKUP:
        words = f"{worst.have}+{worst.backup}", f"{worst.have}+", str(worst.have)
    return fill(first_that_fits(words, room), room, "^"), paint.style(LEVELS[worst.level])


# --- the legend -------------------------------------------------------------------------------------------------------


def _legend(grid: Grid, width: int, paint: Paint) -> Iterator[Line]:
    """Every shift that occurs with its times; then the marks that occur. Wrapped between its parts."""
    pieces = {piece for person in grid.people for cell in person.cells for piece in cell.pieces}
    used = {piece.shift for piece in pieces}
    items: list[Line] = []
    for name, key in grid.shifts.items():
        if name in used:
            words = name if key.short == name else f"{key.short} {name}"
            items.append([(f" {words} ", _shift_style(key, paint)), (f" {key.times}", "")])
    yield from wrapped(items, width)
    marks = {piece.mark for piece in pieces}
    marks |= {BACKUP for name in used if name in grid.shifts and grid.shifts[name].backup}
    said = {
        BACKUP: _("backup"), EXTRA: _("extra duty"), SWAP: _("by a swap"), COVER: _("in somebody's stead"),
        PART: _("a part of it"),
    }  # fmt: skip
    known: list[Line] = [[(sign, "bold"), (f" {words}", "")] for sign, words in said.items() if sign in marks]
    leaves = sorted({cell.leave for person in grid.people for cell in person.cells if cell.leave and not cell.pieces})
    known += [[(leave, "italic magenta")] for leave in leaves]
    yield from wrapped(known, width)
    levels = {worst.level for queue in grid.queues for worst in queue.days if worst}
    examples = {Level.SHORT: " 0/1 ! ", Level.BACKUP: " 0+1 ", Level.TIGHT: " 1/2 "}
    yield from wrapped(
        [[(sign, paint.style(LEVELS[level])), (f" {level_word(level)}", "")] for level, sign in examples.items()
         if level in levels], width,
    )  # fmt: skip


def _hours(hours: float) -> str:
    return f"{hours:.1f}".removesuffix(".0")


def hours_of(begins: dt.time, ends: dt.time) -> str:
    """``06-14``, or ``06:30-14:30`` where an hour is not enough."""
    form = "%H" if begins.minute == ends.minute == 0 else "%H:%M"
    return f"{begins.strftime(form)}-{ends.strftime(form)}"
