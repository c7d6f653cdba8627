"""A sheet that came back becomes the next text of roster.yaml: read, held against the roster, and written as changes.
Pure but for reading the file; it raises before anything is changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from config.catalogue import _
from config.problems import Place, Problem, Refused
from config.roster_edit import edit_changes
from config.settings import Settings
from hotline.sheet.find import COUNTS
from hotline.sheet.solve import NotSaid, entry_of, solve, want_of
from hotline.sheet.understand import Reading, merge, understand
from hotline.sheet.words import Vocabulary, Want
from hotline.sheet.workbook import read_workbook
from routing.calendar import Calendar
from routing.pattern import Pattern


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that differs from the roster: whose, when, what stands there, and what shall."""

    cell: str
    agent: str
    date: dt.date
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.cell}  {self.agent}  {self.date.isoformat()}  {self.was} → {self.becomes}"


@dataclass(frozen=True, slots=True)
class Brought:
    """What a sheet brings: the cells that differ, and the text of roster.yaml that says the same."""

    changes: tuple[CellChange, ...]
    becomes: bytes
    warnings: tuple[Problem, ...]


def bring(path: Path, settings: Settings, was: bytes) -> Brought:
    """What the sheet at ``path`` would make of roster.yaml, whose bytes are ``was`` and say ``settings.roster``.

    Raises Refused with every fault of the sheet (each with its cell), OSError.
    """
    names = {number: agent.name for number, agent in settings.agents.agents.items()}
    words = Vocabulary(settings.roster.shifts, chinese=_is_chinese())
    reading = understand(path.name, read_workbook(path, without={COUNTS}), names, words)
    if reading.roster == hashlib.sha256(was).hexdigest() and not reading.cells:
        return Brought((), was, tuple(reading.warnings))
    calendar = Calendar(settings.roster.calendar, settings.hotline.country)
    pattern = Pattern(settings.roster, calendar)
    dates = sorted({date for _number, date in reading.cells})
    now = {(number, date): want for date in dates for number, want in want_of(pattern, date, names).items()}
    wanted = merge(reading, now, names, words)
    changes = tuple(
        CellChange(
            str(reading.cells[cell].at), f"{cell[0]} {names[cell[0]]}", cell[1],
            words.write(now[cell]), words.write(want),
        )
        for cell, want in sorted(wanted.items())
    )  # fmt: skip
    if not wanted:
        return Brought((), was, tuple(reading.warnings))
    try:
        answer = solve(settings.roster, calendar, wanted)
    except NotSaid as fault:
        raise Refused([_not_said(reading, fault, wanted, names)]) from None
    replaced = {place: [entry_of(change) for change in instead] for place, instead in answer.instead.items()}
    text = edit_changes(was.decode("utf-8"), replaced, [entry_of(change) for change in answer.add])
    return Brought(changes, text.encode("utf-8"), tuple(reading.warnings))


def _not_said(
    reading: Reading, fault: NotSaid, wanted: dict[tuple[str, dt.date], Want], names: dict[str, str]
) -> Problem:
    """Of a cell that hangs together with another by a leave of hours and its cover."""
    near = [cell for cell in wanted if abs((cell[1] - fault.date).days) <= 3]
    cell = (fault.agent, fault.date) if (fault.agent, fault.date) in wanted else next(iter(near or wanted))
    what = _("This cannot be said while {agent} on {date} stays as it is: leave or cover for hours hangs on it.")
    what = what.format(agent=f"{fault.agent} {names.get(fault.agent, '')}".strip(), date=fault.date.isoformat())
    fix = _("Take that leave out of roster.yaml first, or change both.")
    return Problem("sheet-not-said", Place(reading.file, 0, str(reading.cells[cell].at)), what, fix)


def _is_chinese() -> bool:
    from config.catalogue import language

    return language() == "zh"
