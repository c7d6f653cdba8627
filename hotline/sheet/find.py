"""Where in a workbook the roster is: the row with the dates, the columns of the people, and what was exported. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from config.catalogue import _
from config.problems import Place, Problem, Refused, shown
from hotline.sheet.words import bare, plain
from hotline.sheet.workbook import At, Cell, Grid

MADE_BY = "hotline-roster"
"""What the first cell of the hidden sheet says."""

VERSION = 1
"""Of the sheet's layout; a newer one is refused."""

STAMP, COUNTS = "_hotline", "_count"
"""The hidden sheets: what import needs, and the counts behind the formulas."""

BASELINE = 10
"""The row of the stamp from which on each person's cells stand as they were exported."""

LAST_HEADER = 60
"""Rows in which the dates are looked for."""

FEWEST = 5
"""Days that a row must name for it to be the row of the dates, where they are bare numbers."""

NUMBER_TITLES = {
    "工号", "员工号", "员工编号", "员工工号", "座席工号", "坐席工号", "staffno.", "staffno", "staffnumber", "agent",
}  # fmt: skip
NAME_TITLES = {"姓名", "名字", "员工姓名", "座席姓名", "坐席姓名", "name", "fullname"}
"""What stands above the people's columns, bare."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What the hidden sheet says: from which roster.yaml (SHA-256) and of which month the sheet was made, and the texts
    of all cells then."""

    roster: str
    month: dt.date
    people: tuple[str, ...]
    baseline: Mapping[tuple[str, dt.date], str]

    @property
    def days(self) -> list[dt.date]:
        """All days of the month."""
        return days_of(self.month)


@dataclass(frozen=True, slots=True)
class Found:
    """The sheet with the roster: the row of its dates, which column is which day, and the people's columns; ``others``
    are sheets that look like one too."""

    grid: Grid
    header: int
    dates: Mapping[int, dt.date]
    number: int | None
    name: int | None
    others: tuple[str, ...] = ()


def days_of(month: dt.date) -> list[dt.date]:
    """All days of the month that begins on this date."""
    return [month.replace(day=day + 1) for day in range(calendar.monthrange(month.year, month.month)[1])]


def read_stamp(file: str, grids: Sequence[Grid]) -> Stamped | None:
    """What was noted at the export; None where nothing was, or it is no longer whole. Raises Refused where a newer
    Hotline made it."""
    grid = next((one for one in grids if one.text(1, 1) == MADE_BY), None)
    if grid is None:
        return None
    version = grid.text(1, 2)
    if version.isdigit() and int(version) > VERSION:
        what = _("A newer Hotline made this sheet.")
        raise Refused([Problem("sheet-newer", Place(file), what, _("Export it anew with this one."))])
    month = _month_in(grid.text(2, 2))
    roster = grid.text(3, 2)
    if month is None or not re.fullmatch(r"[0-9a-f]{64}", roster):
        return None
    days = days_of(month)
    people: list[str] = []
    baseline: dict[tuple[str, dt.date], str] = {}
    row = BASELINE
    while number := grid.text(row, 1):
        people.append(number)
        baseline |= {(number, date): grid.text(row, 2 + place) for place, date in enumerate(days)}
        row += 1
    return Stamped(roster, month, tuple(people), baseline)


def find_sheet(file: str, grids: Sequence[Grid], stamp: Stamped | None, people: Mapping[str, str]) -> Found:
    """The sheet with the roster. Raises Refused, saying what is missing for one."""
    candidates = [grid for grid in grids if grid.text(1, 1) != MADE_BY and grid.name not in (STAMP, COUNTS)]
    faults: list[Problem] = []
    found: list[Found] = []
    for grid in sorted(candidates, key=lambda one: one.hidden):
        month = stamp.month if stamp else _month_of(grid)
        header, dates = _header(grid, month)
        number, name = _people_columns(grid, header, dates, people)
        if dates and (number or name):
            found.append(Found(grid, header, dates, number, name))
        else:
            faults = faults or _lacks(file, grid, month, bool(dates), bool(number or name))
    if found:
        if wrong := _wrong_dates(file, found[0], stamp):
            raise Refused(wrong)
        return replace(found[0], others=tuple(one.grid.name for one in found[1:] if not one.grid.hidden))
    if not faults:
        what = _("There is no sheet in this file.")
        faults = [Problem("sheet-other", Place(file), what, _("Begin with 'hotline roster export'."))]
    raise Refused(faults)


def _lacks(file: str, grid: Grid, month: dt.date | None, dates: bool, people: bool) -> list[Problem]:
    """What a sheet needs and this one has not."""
    missing = []
    if not dates:
        missing.append(_("a row with the dates of a month"))
        if month is None:
            missing.append(_("the month, for example 2027年2月, in the title"))
    if not people:
        missing.append(_("a column of staff numbers (工号)"))
    what = _("The sheet {name} is not laid out as a roster; missing: {missing}.")
    what = what.format(name=shown(grid.name), missing=_(", ").join(missing))
    fix = _("Begin with 'hotline roster export', or lay it out so: people down, days across.")
    return [Problem("sheet-other", Place(file), what, fix)]


def _wrong_dates(file: str, found: Found, stamp: Stamped | None) -> list[Problem]:
    """Days that come twice, or that are not of the month that was exported."""
    faults, seen = [], dict[dt.date, int]()
    for column, date in found.dates.items():
        place = Place(file, 0, str(At(found.header, column)))
        if date in seen:
            what = _("{date} has two columns; the first is {cell}.")
            what = what.format(date=date.isoformat(), cell=At(found.header, seen[date]))
            faults.append(Problem("sheet-day-doubled", place, what, _("Keep one of them.")))
        elif stamp and (date.year, date.month) != (stamp.month.year, stamp.month.month):
            what = _("{date} is not in {month}, the month that was exported.")
            what = what.format(date=date.isoformat(), month=stamp.month.strftime("%Y-%m"))
            faults.append(Problem("sheet-other-month", place, what, _("Put the date right, or export that month.")))
        seen.setdefault(date, column)
    return faults


# --- dates ------------------------------------------------------------------------------------------------------------


def _header(grid: Grid, month: dt.date | None) -> tuple[int, dict[int, dt.date]]:
    """The row with the most dates, and the day of each of its columns; written-out dates go before bare numbers."""
    rows: dict[int, dict[int, Cell]] = {}
    for at, cell in grid.cells.items():
        if at.row <= LAST_HEADER:
            rows.setdefault(at.row, {})[at.column] = cell
    best: tuple[int, int, dict[int, dt.date]] = (0, 0, {})
    for row in sorted(rows):
        cells = sorted(rows[row].items())
        dated = {column: date for column, cell in cells if (date := date_in(cell, month)) is not None}
        if len(dated) > best[0]:
            best = len(dated), row, dated
    if best[0]:
        return best[1], best[2]
    for row in sorted(rows):
        numbered = _bare_days(sorted(rows[row].items()), month) if month else {}
        if len(numbered) > max(best[0], FEWEST - 1):
            best = len(numbered), row, numbered
    return best[1], best[2]


def date_in(cell: Cell, month: dt.date | None) -> dt.date | None:
    """The date that a cell writes out: as Excel's date, its bare serial number, or text; None where it writes none."""
    if cell.date is not None:
        return cell.date
    text = plain(cell.text)
    whole = re.match(r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})日?(?![0-9])", text)
    if whole:
        return _date(*map(int, whole.groups()))
    if re.fullmatch(r"[4-7][0-9]{4}", text):
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(text))
    part = re.match(r"([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})日?(?![0-9])", text)
    if part and month is not None:
        return _date(month.year, *map(int, part.groups()))
    day = re.match(r"([0-9]{1,2}) ?[日号]", text)
    return _date(month.year, month.month, int(day[1])) if day and month is not None else None


def _bare_days(cells: Sequence[tuple[int, Cell]], month: dt.date) -> dict[int, dt.date]:
    """1, 2, 3 … as days of the month: a run that grows."""
    found: dict[int, dt.date] = {}
    last = 0
    for column, cell in cells:
        text = plain(cell.text)
        if re.fullmatch(r"[0-9]{1,2}", text) and not cell.formula and int(text) > last:
            date = _date(month.year, month.month, int(text))
            if date is not None:
                found[column], last = date, int(text)
    return found


def _month_of(grid: Grid) -> dt.date | None:
    """The month that the first rows name."""
    for at, cell in sorted(grid.cells.items()):
        if at.row <= 10 and cell.date is None and (month := _month_in(plain(cell.text))) is not None:
            return month
    return None


def _month_in(text: str) -> dt.date | None:
    found = re.search(r"(?<![0-9])([0-9]{4}) ?[-/.年] ?([0-9]{1,2})(?![0-9])", text)
    return _date(int(found[1]), int(found[2]), 1) if found else None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


# --- people -----------------------------------------------------------------------------------------------------------


def _people_columns(
    grid: Grid, header: int, dates: Mapping[int, dt.date], people: Mapping[str, str]
) -> tuple[int | None, int | None]:
    """The columns of staff numbers and of names, by their titles, else by what stands in them."""
    number = name = None
    for at, cell in sorted(grid.cells.items()):
        if header - 2 <= at.row <= header + 2 and at.column not in dates:
            title = bare(cell.text)
            if title in NUMBER_TITLES:
                number = number or at.column
            elif title in NAME_TITLES:
                name = name or at.column
    names = {bare(each) for each in people.values()}
    numbers = {*people, *(each.lstrip("0") for each in people)}
    number = number or _column_of(grid, header, dates, numbers)
    if number is None:
        name = name or _column_of(grid, header, dates, names)
    return number, name


def _column_of(grid: Grid, header: int, dates: Mapping[int, dt.date], wanted: set[str]) -> int | None:
    """The column, none of the days', in which most of these stand below the header."""
    hits: dict[int, int] = {}
    for at, cell in grid.cells.items():
        if at.row > header and at.column not in dates and bare(cell.text) in wanted:
            hits[at.column] = hits.get(at.column, 0) + 1
    return max(sorted(hits), key=lambda column: hits[column]) if hits else None
