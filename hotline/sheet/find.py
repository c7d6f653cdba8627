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

MOST_CELLS = 5
"""Cells with something wrong in them that are named in one sentence."""

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
        wrong = [*_wrong_dates(file, found[0], stamp), *_no_dates(file, found[0], stamp)]
        if wrong:
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
        bad = _bad_days(grid, month)
        told = _("a row with the dates of a month")
        if bad:
            cells = _(", ").join(f"{at} {_quoted(grid, at)}" for at in bad[:MOST_CELLS])
            told = _("a row with the dates of a month (no days of it: {cells})").format(cells=shown(cells, 120))
        missing.append(told)
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


def _no_dates(file: str, found: Found, stamp: Stamped | None) -> list[Problem]:
    """Columns headed by a day that does not exist: nobody's shifts there may be dropped in silence."""
    month = stamp.month if stamp else _month_of(found.grid)
    faults = []
    for at in _impossible(found.grid, found.header, found.dates, month):
        what = _("This column is headed {text}, which is no day that the sheet can be about.")
        fix = _("Put the date right, or clear the column's head.")
        told = what.format(text=shown(_quoted(found.grid, at), 30))
        faults.append(Problem("sheet-no-date", Place(file, 0, str(at)), told, fix))
    return faults


def _quoted(grid: Grid, at: At) -> str:
    return f"“{plain(grid.text(at.row, at.column))}”"


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
    if re.fullmatch(r"[4-7][0-9]{4}", text):
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(text))
    written = _written(text, month)
    return _date(*written) if written else None


def _written(text: str, month: dt.date | None) -> tuple[int, int, int] | None:
    """The year, month and day that a text begins with, whether there is such a day or not."""
    whole = re.match(r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})日?(?![0-9])", text)
    if whole:
        return int(whole[1]), int(whole[2]), int(whole[3])
    if month is None:
        return None
    part = re.match(r"([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})日?(?![0-9])", text)
    if part:
        return month.year, int(part[1]), int(part[2])
    day = re.match(r"([0-9]{1,2}) ?[日号]", text)
    return (month.year, month.month, int(day[1])) if day else None


def _impossible(grid: Grid, header: int, dates: Mapping[int, dt.date], month: dt.date | None) -> list[At]:
    """Cells in the row of the dates, between them and right behind them, that name a day which does not exist or, as a
    bare number, does not go on from the one before."""
    bare_row = all(grid.cells[At(header, column)].date is None and _is_bare(grid, header, column) for column in dates)
    found: list[At] = []
    column, last = min(dates), max(dates)
    while column <= last or (found and found[-1].column == column - 1) or column == last + 1:
        cell = grid.cells.get(At(header, column))
        if column not in dates and cell is not None and cell.date is None:
            written = _written(plain(cell.text), month)
            if (written and _date(*written) is None) or (bare_row and _is_bare(grid, header, column)):
                found.append(At(header, column))
        column += 1
    return found


def _is_bare(grid: Grid, row: int, column: int) -> bool:
    """Whether a number of one or two digits stands there, and no formula made it."""
    cell = grid.cells.get(At(row, column))
    return cell is not None and not cell.formula and re.fullmatch(r"[0-9]{1,2}", plain(cell.text)) is not None


def _bad_days(grid: Grid, month: dt.date | None) -> list[At]:
    """Where a sheet has no row of dates: the cells of the row with most of them that look like days and are none."""
    rows: dict[int, list[At]] = {}
    for at, cell in sorted(grid.cells.items()):
        if at.row <= LAST_HEADER and cell.date is None:
            text = plain(cell.text)
            written = _written(text, month)
            number = re.fullmatch(r"[0-9]{1,3}", text) and month is not None and not cell.formula
            if (written and _date(*written) is None) or (number and month and not _is_day(int(text), month)):
                rows.setdefault(at.row, []).append(at)
    return max(rows.values(), key=len, default=[])


def _is_day(number: int, month: dt.date) -> bool:
    return _date(month.year, month.month, number) is not None


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
