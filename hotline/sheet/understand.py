"""What a sheet that came back says: whose row, which day, and what its cell means now. Pure; all its faults at once.

The sheet is found by what stands in it, not by where: rows may have been moved or sorted, columns hidden, moved or
added, titles merged, dates turned into text. What was exported stands on a hidden sheet, and only cells that differ
from it count. A sheet without it, such as a company's own, counts whole.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from config.catalogue import _, ngettext
from config.explain import did_you_mean
from config.problems import Place, Problem, Refused, shown
from hotline.sheet.find import Found, Stamped, find_sheet, read_stamp
from hotline.sheet.words import NoMeaning, Vocabulary, Want, bare, plain
from hotline.sheet.workbook import At, Cell, Grid

MOST_PROBLEMS = 100
"""Faults that are told one by one; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A cell that counts: where it is, what it means, and what stood there when it was exported (None: not known)."""

    at: At
    want: Want
    before: Want | None


@dataclass(slots=True)
class Reading:
    """What the sheet says. ``roster``: the SHA-256 of the roster.yaml that it was made from, empty where it says none;
    ``cells``: those that count, by staff number and date; ``warnings``: what should be known of it."""

    file: str
    roster: str = ""
    cells: dict[tuple[str, dt.date], Filled] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)


def understand(file: str, grids: Sequence[Grid], people: Mapping[str, str], words: Vocabulary) -> Reading:
    """What these sheets of ``file`` say; ``people``: names by staff number. Raises Refused with every fault found."""
    stamp = read_stamp(file, grids)
    found = find_sheet(file, grids, stamp, people)
    reader = _Reader(file, found, stamp, people, words)
    reader.read()
    errors = reader.errors
    if len(errors) > MOST_PROBLEMS:
        more = len(errors) - MOST_PROBLEMS
        what = ngettext("{n} more problem is not shown.", "{n} more problems are not shown.", more).format(n=more)
        rest = Problem("sheet-more", Place(file), what, _("Mend those that are shown first."))
        errors = [*errors[:MOST_PROBLEMS], rest]
    if errors:
        raise Refused([*errors, *reader.reading.warnings])
    return reader.reading


class _Reader:
    """Reads one sheet, row by row."""

    def __init__(
        self, file: str, found: Found, stamp: Stamped | None, people: Mapping[str, str], words: Vocabulary
    ) -> None:
        self.reading = Reading(file, stamp.roster if stamp else "")
        self.errors: list[Problem] = []
        self._grid, self._found, self._stamp = found.grid, found, stamp
        self._people, self._words = people, words
        self._by_name = _unique((bare(name), number) for number, name in people.items())
        self._by_value = _unique((number.lstrip("0") or "0", number) for number in people)
        self._row_of: dict[str, int] = {}

    def _fault(self, code: str, at: At, what: str, fix: str) -> None:
        self.errors.append(Problem(code, Place(self.reading.file, 0, str(at)), what, fix))

    def _note(self, code: str, what: str, fix: str = "") -> None:
        self.reading.warnings.append(Problem(code, Place(self.reading.file), what, fix, warning=True))

    def read(self) -> None:
        """All rows, then what is missing."""
        rows: dict[int, list[int]] = {}
        for at in sorted(self._grid.cells):
            if at.row > self._found.header:
                rows.setdefault(at.row, []).append(at.column)
        for row in rows:
            number = self._whose(row)
            if number is None:
                continue
            if number in self._row_of:
                first = At(self._row_of[number], self._found.number or self._found.name or 1)
                what = _("{agent} has two rows; the first is {cell}.").format(agent=number, cell=first)
                self._fault("sheet-row-doubled", self._whose_cell(row), what, _("Keep one of them."))
                continue
            self._row_of[number] = row
        merged = self._merged()
        for number, row in self._row_of.items():
            self._check_name(number, row)
            for column, date in self._found.dates.items():
                source = merged.get((row, column))
                if source is not None:
                    self._fill(number, date, At(row, column), source)
        self._missing()

    # --- rows ---------------------------------------------------------------------------------------------------

    def _whose_cell(self, row: int) -> At:
        return At(row, self._found.number or self._found.name or 1)

    def _whose(self, row: int) -> str | None:
        """The staff number of this row; None where it is nobody's, told where it looks as if it were somebody's."""
        said = self._text(row, self._found.number)
        if not said:
            name = self._text(row, self._found.name)
            number = self._by_name.get(bare(name)) if name else None
            if number is not None:
                return number
            if name and self._duty_in(row):
                self._unknown_name(row, name)
            elif not name and self._row_of and self._duty_in(row):
                self._fault("sheet-row-nobody", self._whose_cell(row), _("There are shifts in this row, but nobody's."),
                            _("Write the staff number at its beginning, or clear the row."))  # fmt: skip
            return None
        if said in self._people:
            return said
        if re.fullmatch(r"[0-9]{1,12}", said):
            padded = self._by_value.get(said.lstrip("0") or "0")
            if padded is not None:
                return padded
        if self._duty_in(row):
            near = did_you_mean(said, self._people)
            what = _("There is no agent {agent}.").format(agent=shown(said, 30))
            self._fault("sheet-unknown-agent", self._whose_cell(row), what, near)
        return None

    def _unknown_name(self, row: int, name: str) -> None:
        at = At(row, self._found.name or 1)
        same = [number for number, other in self._people.items() if bare(other) == bare(name)]
        if same:
            what = _("Several agents are called {name}: {agents}.").format(name=shown(name, 30), agents=", ".join(same))
            self._fault("sheet-name-unclear", at, what, _("Write the staff number as well."))
        else:
            what = _("There is no agent called {name}.").format(name=shown(name, 30))
            self._fault("sheet-unknown-agent", at, what, did_you_mean(name, self._people.values()))

    def _duty_in(self, row: int) -> bool:
        """Whether somebody typed a shift or a leave in this row."""
        for column in self._found.dates:
            cell = self._grid.cells.get(At(row, column))
            if cell is None or cell.formula:
                continue
            try:
                want = self._words.read(cell.text)
            except NoMeaning:
                continue
            if want != Want():
                return True
        return False

    def _check_name(self, number: str, row: int) -> None:
        name = self._text(row, self._found.name)
        if name and self._found.number and bare(name) != bare(self._people[number]):
            what = _("{agent} is {name}, but here stands {other}.")
            what = what.format(agent=number, name=self._people[number], other=shown(name, 30))
            fix = _("Was only a part of the columns sorted or moved? Put that right, or export anew.")
            self._fault("sheet-name-differs", At(row, self._found.name or 1), what, fix)

    def _text(self, row: int, column: int | None) -> str:
        return plain(self._grid.text(row, column)) if column else ""

    # --- cells --------------------------------------------------------------------------------------------------

    def _merged(self) -> Mapping[tuple[int, int], Cell]:
        """The cell that each place shows: its own, or that of the merge over it."""
        rows, columns = sorted(self._row_of.values()), sorted(self._found.dates)
        shown_there = {
            (row, column): self._grid.cells.get(At(row, column), Cell("")) for row in rows for column in columns
        }
        for merge in self._grid.merges:
            inside = [row for row in rows if merge.first.row <= row <= merge.last.row]
            across = [column for column in columns if merge.first.column <= column <= merge.last.column]
            if not inside or not across:
                continue
            if len(inside) > 1 or merge.first.row != inside[0]:
                what = _("The cells {cells} of several people are merged.").format(cells=merge)
                self._fault("sheet-merged", merge.first, what, _("Split them, and fill each one in."))
                continue
            source = self._grid.cells.get(merge.first, Cell(""))
            shown_there.update({(row, column): source for row in inside for column in across})
        return shown_there

    def _fill(self, number: str, date: dt.date, at: At, cell: Cell) -> None:
        was = self._stamp.baseline.get((number, date)) if self._stamp else None
        if cell.error:
            what = _("There is an error of the sheet here: {text}.").format(text=shown(cell.text, 20))
            self._fault("sheet-cell-error", at, what, self._how())
            return
        if cell.formula and not cell.text:
            what = _("There is a formula here whose result the file does not hold.")
            self._fault("sheet-formula", at, what, _("Write the word itself, or save the file in Excel or WPS first."))
            return
        if was is not None and bare(was) == bare(cell.text):
            return
        before = None
        try:
            if was is not None:
                before = self._words.read(was)
        except NoMeaning:
            pass  # a shift that has gone since
        if cell.date is not None:
            what = _("A date stands here: {date}.").format(date=cell.date.isoformat())
            self._fault("sheet-date", at, what, self._how())
            return
        try:
            want = self._words.read(cell.text)
        except NoMeaning as fault:
            self._fault("sheet-unknown-word", at, fault.what, fault.fix)
            return
        self.reading.cells[number, date] = Filled(at, want, before)

    def _how(self) -> str:
        return _("Write one of: {words}.").format(words=shown(" ".join(self._words.choices()), 200))

    # --- what is missing ----------------------------------------------------------------------------------------

    def _missing(self) -> None:
        if self._found.others:
            told = shown(_(", ").join(self._found.others), 200)
            what = _("Only the sheet {name} is read, not: {others}.").format(name=self._grid.name, others=told)
            self._note("sheet-others", what, _("Put the one that counts first, or delete the others."))
        if not self._row_of and not self.errors:
            at = At(self._found.header + 1, self._found.number or self._found.name or 1)
            what = _("There is nobody in this sheet whom the settings know.")
            self._fault("sheet-nobody", at, what, _("Write staff numbers as in agents.yaml."))
        if self._stamp is None:
            what = _("The sheet does not say from which roster it was exported: every cell in it counts.")
            self._note("sheet-unstamped", what, _("Look at the differences with care."))
            return
        gone = [number for number in self._stamp.people if number in self._people and number not in self._row_of]
        if gone and self._row_of:
            agents = shown(_(", ").join(gone), 200)
            what = _("No longer in the sheet: {agents}. Their duty stays as it is.").format(agents=agents)
            self._note("sheet-people-gone", what, _("For days off write the word for it in their cells."))
        days = sorted(set(self._stamp.days) - set(self._found.dates.values()))
        if days:
            told = shown(_(", ").join(date.isoformat() for date in days), 200)
            what = _("No longer in the sheet: {dates}. These days stay as they are.").format(dates=told)
            self._note("sheet-days-gone", what)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those whose key comes once."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values[0] for key, values in found.items() if len(values) == 1}


def merge(
    reading: Reading, now: Mapping[tuple[str, dt.date], Want], names: Mapping[str, str], words: Vocabulary
) -> dict[tuple[str, dt.date], Want]:
    """What is to change, given what the roster says now. Raises Refused where it says something else since the export
    of a cell that was edited: both changes would be meant, and only a person can say which holds."""
    wanted: dict[tuple[str, dt.date], Want] = {}
    conflicts = list(_conflicts(reading, now, names, words, wanted))
    if conflicts:
        raise Refused(conflicts[:MOST_PROBLEMS])
    return wanted


def _conflicts(
    reading: Reading,
    now: Mapping[tuple[str, dt.date], Want],
    names: Mapping[str, str],
    words: Vocabulary,
    wanted: dict[tuple[str, dt.date], Want],
) -> Iterator[Problem]:
    for (number, date), cell in reading.cells.items():
        there = now.get((number, date), Want())
        if cell.want == there:
            continue
        if reading.roster and cell.before != there:
            exported = words.write(cell.before) if cell.before is not None else "?"
            what = _("{agent} on {date}: {exported} when it was exported, {now} in the roster now, {wanted} here.")
            what = what.format(
                agent=f"{number} {names.get(number, '')}".strip(), date=date.isoformat(), exported=exported,
                now=words.write(there), wanted=words.write(cell.want),
            )  # fmt: skip
            fix = _("Somebody changed it meanwhile. Export anew and fill in what still holds.")
            yield Problem("sheet-conflict", Place(reading.file, 0, str(cell.at)), what, fix)
        else:
            wanted[number, date] = cell.want
