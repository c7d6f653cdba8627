"""A small hotline for the tests of the sheet: settings out of plain data, and sheets as they would be read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from config.problems import Refused
from config.roster_file import Change, RosterFile
from config.settings import AgentFile, Hotline, QueueFile, Settings
from hotline.sheet.draw import Stamp, draw
from hotline.sheet.find import BASELINE, MADE_BY, STAMP, VERSION, days_of
from hotline.sheet.gather import page_of
from hotline.sheet.layout import FIRST, HEAD, TOP
from hotline.sheet.page import Page
from hotline.sheet.solve import Answer, entry_of, want_of
from hotline.sheet.understand import Reading, understand
from hotline.sheet.words import Vocabulary, Want
from hotline.sheet.workbook import At, Cell, Grid
from routing.calendar import Calendar
from routing.pattern import Pattern

FEBRUARY = dt.date(2027, 2, 1)
HASH = "ab" * 32
NAMES = {"8001": "张敏", "8002": "李强", "8003": "王芳", "0804": "=1+1", "8005": "Łukasz 🎧"}

SHIFTS: dict[str, Any] = {
    "早班": {"from": "06:00", "to": "14:00", "breaks": [{"from": "10:00", "to": "10:15"}]},
    "中班": {"from": "14:00", "to": "22:00"},
    "夜班": {"from": "22:00", "to": "06:00"},
    "夜备": {"from": "22:00", "to": "06:00", "backup": True},
    "长班": {"from": "08:00", "length": "36:00"},
}

ROTATION = {"start": "2026-01-01", "cycle": ["早班", "中班", "夜班", "休"], "teams": {"甲班": 1, "乙班": 3}}

CHANGES: list[dict[str, Any]] = [
    {"leave": "annual", "agent": "8001", "from": "2027-02-03", "to": "2027-02-12", "cover": "8005", "note": "春节"},
    {"swap": {"8002": "2027-02-06", "8003": "2027-02-08"}},
    {"extra": "夜班", "agent": "0804", "date": "2027-02-07"},
    {"leave": "sick", "agent": "8003", "from": "2027-02-17 23:00", "to": "2027-02-18 02:00"},
    {"shifts": ["早班", "夜班"], "agent": "8002", "from": "2027-02-20", "to": "2027-02-22"},
    {"off": True, "agent": "8003", "date": "2027-02-25"},
]


def roster(changes: list[dict[str, Any]] | None = None, **parts: Any) -> RosterFile:
    """Two teams on a rotation, one alone."""
    return RosterFile.model_validate(
        {
            "shifts": SHIFTS,
            "teams": {"甲班": ["8001", "8002"], "乙班": ["8003", "0804"]},
            "rotations": {"四日": ROTATION},
            "rules": [{"shift": "夜备", "days": ["fri", "sat"], "agents": ["8005"]}],
            "changes": CHANGES if changes is None else changes,
            **parts,
        }
    )


def house(file: RosterFile, **agents: dict[str, Any]) -> Settings:
    """The settings around it; ``agents`` say more of one of them."""
    people = {
        number: {"name": name, "skills": ["inquiry"], "devices": [{"sip": number}], **agents.get(f"a{number}", {})}
        for number, name in NAMES.items()
    }
    hotline = {
        "company": "示例", "numbers": ["4001234567"], "emergency_number": "02012345678",
        "trunks": [{"name": "carrier", "addresses": ["127.0.0.1"]}],
    }  # fmt: skip
    return Settings.model_construct(
        hotline=Hotline.model_validate(hotline),
        queues=QueueFile.model_validate({"queues": {"inquiry": {"label": "咨询", "skill": "inquiry"}}}),
        agents=AgentFile.model_validate({"agents": people}),
        roster=file,
    )


def words_of(file: RosterFile) -> Vocabulary:
    """Those of a Chinese sheet."""
    return Vocabulary(file.shifts, chinese=True)


@cache
def drawn() -> bytes:
    """A drawn workbook of the small hotline's February."""
    file = roster()
    return draw(page_of(house(file), FEBRUARY), words_of(file), Stamp(HASH, dt.datetime(2027, 1, 20, 9, 30)))


def grids(page: Page, words: Vocabulary) -> list[Grid]:
    """What a drawn workbook of this page is read back as, without drawing it."""
    main, stamp = Grid("排班表", False), Grid(STAMP, True)
    for column, text in enumerate(("工号", "姓名", "班组"), 1):
        main.cells[At(HEAD, column)] = Cell(text)
    for place, day in enumerate(page.days):
        main.cells[At(HEAD, FIRST + place)] = Cell(day.date.isoformat(), day.date)
    rows = [(MADE_BY, str(VERSION)), ("month", f"{page.first:%Y-%m}"), ("roster", HASH)]
    for row, pair in enumerate(rows, 1):
        stamp.cells |= {At(row, column): Cell(text) for column, text in enumerate(pair, 1)}
    for number, person in enumerate(page.people):
        main.cells[At(TOP + number, 1)] = Cell(person.number.lstrip("0"))
        main.cells[At(TOP + number, 2)] = Cell(person.name)
        stamp.cells[At(BASELINE + number, 1)] = Cell(person.number)
        for place, box in enumerate(person.boxes):
            main.cells[At(TOP + number, FIRST + place)] = Cell(words.write(box.want))
            stamp.cells[At(BASELINE + number, 2 + place)] = Cell(words.write(box.want))
    return [main, stamp]


def row_of(grid: Grid, number: str) -> int:
    """The row of this person."""
    return next(at.row for at, cell in grid.cells.items() if at.column == 1 and cell.text == number.lstrip("0"))


def at_of(grid: Grid, number: str, date: dt.date) -> At:
    """The cell of this person and date."""
    return At(row_of(grid, number), FIRST + date.day - 1)


def wants(file: RosterFile, first: dt.date, last: dt.date) -> dict[tuple[str, dt.date], Want]:
    """What every cell between these dates says."""
    pattern = Pattern(file, Calendar(file.calendar))
    found = {}
    for number in range((last - first).days + 1):
        date = first + dt.timedelta(days=number)
        found |= {(agent, date): want for agent, want in want_of(pattern, date, NAMES).items()}
    return found


def changed(file: RosterFile, answer: Answer) -> RosterFile:
    """The roster with these changes, as it is read back from what is written."""
    def again(change: Change) -> Change:
        return Change.model_validate(entry_of(change))

    kept = [
        other
        for place, change in enumerate(file.changes)
        for other in (map(again, answer.instead[place]) if place in answer.instead else [change])
    ]
    return file.model_copy(update={"changes": (*kept, *map(again, answer.add))})


def moved(grid: Grid, where: Callable[[At], At]) -> Grid:
    """The sheet with its cells in other places."""
    return Grid(grid.name, grid.hidden, {where(at): cell for at, cell in grid.cells.items()}, list(grid.merges))


MONTH = days_of(FEBRUARY)
Cells = Mapping[tuple[str, dt.date], Want]

FILE = roster()
PAGE = page_of(house(FILE), FEBRUARY)
WORDS = words_of(FILE)


def sheet() -> list[Grid]:
    """The month as it is drawn."""
    return grids(PAGE, WORDS)


def read(found: list[Grid], words: Vocabulary = WORDS) -> Reading:
    """What a sheet of February says."""
    return understand("二月.xlsx", found, NAMES, words)


def problems(found: list[Grid]) -> dict[str, str]:
    """Code by cell."""
    with pytest.raises(Refused) as refused:
        read(found)
    return {problem.place.key: problem.code for problem in refused.value.problems if not problem.warning}
