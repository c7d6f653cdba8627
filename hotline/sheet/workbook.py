"""What stands in the cells of a workbook: text, numbers, dates, as a person sees them there.

Read by ourselves: openpyxl keeps either a formula or its result, makes an object of every cell of a merge (a whole
sheet of them, if the file says so), and stops at styles that WPS and others write. Nothing but values is needed here.
Source of the format: ECMA-376 part 1, section 18 (SpreadsheetML).
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from config.catalogue import _
from hotline.sheet.package import Attributes, Package

MOST_CELLS = 200_000
"""Cells that hold something, in one sheet: a roster of 1,000 people has 40,000."""

MOST_MERGES = 20_000
LONGEST_TEXT = 1_000
"""Characters of a cell that are kept: a remark may be longer, a shift is not."""

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


class At(NamedTuple):
    """A cell's place, both from 1."""

    row: int
    column: int

    def __str__(self) -> str:
        letters, rest = "", self.column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(65 + letter) + letters
        return f"{letters}{self.row}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell shows. A number formatted as a date has both ``text`` (ISO) and ``date``; ``formula``: its text is
    the result that the file holds, empty where it holds none; ``error``: an error value such as #REF!."""

    text: str
    date: dt.date | None = None
    formula: bool = False
    error: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells that are shown as one, from the upper left to the lower right, both included."""

    first: At
    last: At

    def __str__(self) -> str:
        return f"{self.first}:{self.last}"


@dataclass(slots=True)
class Grid:
    """One sheet: the cells that hold something, by place, and the merges."""

    name: str
    hidden: bool
    cells: dict[At, Cell] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)

    def text(self, row: int, column: int) -> str:
        """The text there; empty where nothing is."""
        cell = self.cells.get(At(row, column))
        return cell.text if cell else ""


def read_workbook(path: Path, without: Container[str] = ()) -> list[Grid]:
    """The sheets of the file, in order, but for those of these names. Raises Refused for whatever is wrong with it,
    OSError."""
    package = Package(path)
    book = _Book(package)
    wanted = [sheet for sheet in book.sheets if sheet[0] not in without]
    return [_Sheet(package, book, name, part, hidden).grid for name, part, hidden in wanted]


class _Book:
    """What the sheets share: where they are, texts, which styles show dates, and from when days are counted."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False
        self._targets: dict[str, str] = {}
        if "xl/_rels/workbook.xml.rels" in package:
            package.parse("xl/_rels/workbook.xml.rels", self._relation)
        package.parse("xl/workbook.xml", self._workbook)
        if not self.sheets:
            raise package.damaged("xl/workbook.xml")
        self.strings: list[str] = []
        if "xl/sharedStrings.xml" in package:
            self._read_strings()
        self.dates: set[int] = set()
        if "xl/styles.xml" in package:
            self._read_styles()

    def _relation(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and "Id" in attributes and "Target" in attributes:
            target = attributes["Target"]
            part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            self._targets[attributes["Id"]] = part

    def _workbook(self, name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            self.since_1904 = attributes.get("date1904", "") in ("1", "true")
        elif name == "sheet":
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            part = self._targets.get(relation, "")
            if part in self._package:
                hidden = attributes.get("state", "visible") != "visible"
                self.sheets.append((attributes.get("name", ""), part, hidden))

    def _read_strings(self) -> None:
        """The shared texts: of rich text all runs, of phonetic help nothing."""
        taken: list[str] = []
        inside = {"t": False, "rPh": False}

        def start(name: str, _attributes: Attributes) -> None:
            if name == "si":
                taken.clear()
            elif name in inside:
                inside[name] = True

        def end(name: str) -> None:
            if name == "si":
                self.strings.append("".join(taken)[:LONGEST_TEXT])
            elif name in inside:
                inside[name] = False

        def text(data: str) -> None:
            if inside["t"] and not inside["rPh"]:
                taken.append(data)

        self._package.parse("xl/sharedStrings.xml", start, end, text)

    def _read_styles(self) -> None:
        formats: dict[str, str] = {}
        used: list[str] = []
        in_cells = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal in_cells
            if name == "numFmt":
                formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                in_cells = True
            elif name == "xf" and in_cells:
                used.append(attributes.get("numFmtId", "0"))

        def end(name: str) -> None:
            nonlocal in_cells
            if name == "cellXfs":
                in_cells = False

        self._package.parse("xl/styles.xml", start, end)
        self.dates = {place for place, number in enumerate(used) if _shows_date(number, formats.get(number))}

    def date(self, serial: float) -> dt.date | None:
        """The day that Excel counts so; it takes 1900 for a leap year, so days before March 1900 are one less."""
        if self.since_1904:
            serial += 1462
        elif serial < 60:
            serial += 1
        if not 1 <= serial < 2_958_466:
            return None
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(serial))


_BUILT_IN_DATES = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)}
"""Number formats that show a date (ECMA-376 18.8.30, the East Asian ones included)."""


def _shows_date(number: str, code: str | None) -> bool:
    if code is None:
        return number.isdigit() and int(number) in _BUILT_IN_DATES
    bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.', "", code.partition(";")[0]).lower()
    return re.search(r"[yd年日]|aaa|mmm", bare) is not None or bare in ("m", "mm")


class _Sheet:
    """Reads one sheet."""

    def __init__(self, package: Package, book: _Book, name: str, part: str, hidden: bool) -> None:
        self._package, self._book, self._part = package, book, part
        self.grid = Grid(name, hidden)
        self._row = self._column = 0
        self._kind, self._style, self._formula = "n", "", False
        self._in_value = self._in_inline = self._in_cell = self._phonetic = False
        self._taken: list[str] = []
        package.parse(part, self._start, self._end, self._text)

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = self._number(attributes.get("r"), self._row + 1, LAST_ROW)
            self._column = 0
        elif name == "c":
            self._place(attributes.get("r"))
            self._kind, self._style, self._formula = attributes.get("t", "n"), attributes.get("s", ""), False
            self._taken.clear()
            self._in_cell = True
        elif not self._in_cell:
            if name == "mergeCell":
                self._merge(attributes.get("ref", ""))
        elif name == "f":
            self._formula = True
        elif name == "v":
            self._in_value = True
        elif name == "t":
            self._in_inline = not self._phonetic
        elif name == "rPh":
            self._phonetic = True

    def _end(self, name: str) -> None:
        if name == "c":
            self._in_cell = False
            self._keep("".join(self._taken))
        elif name == "v":
            self._in_value = False
        elif name == "t":
            self._in_inline = False
        elif name == "rPh":
            self._phonetic = False

    def _text(self, data: str) -> None:
        if self._in_value or self._in_inline:
            self._taken.append(data)

    def _place(self, ref: str | None) -> None:
        if ref is None:
            self._column += 1
        else:
            found = _at(ref)
            if found is None:
                raise self._package.damaged(self._part)
            self._row, self._column = found
        if self._column > LAST_COLUMN:
            raise self._package.damaged(self._part)

    def _number(self, text: str | None, otherwise: int, most: int) -> int:
        if text is None:
            return otherwise
        if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= most:
            raise self._package.damaged(self._part)
        return int(text)

    def _merge(self, ref: str) -> None:
        first, _colon, last = ref.partition(":")
        one, two = _at(first), _at(last or first)
        if one is None or two is None:
            raise self._package.damaged(self._part)
        if len(self.grid.merges) < MOST_MERGES:
            self.grid.merges.append(Merge(one, two))

    def _keep(self, raw: str) -> None:
        cell = self._cell(raw)
        if not cell.text and not cell.formula:
            return
        self.grid.cells[At(self._row, self._column)] = cell
        if len(self.grid.cells) > MOST_CELLS:
            raise self._package.refused(
                "sheet-too-large",
                _("The sheet {name} has more than {most} filled cells.").format(name=self.grid.name, most=MOST_CELLS),
                _("Is it the right file? Delete what does not belong to the roster."),
            )

    def _cell(self, raw: str) -> Cell:
        formula = self._formula
        match self._kind:
            case "s":
                strings = self._book.strings
                if not re.fullmatch(r"[0-9]{1,9}", raw) or int(raw) >= len(strings):
                    raise self._package.damaged(self._part)
                return Cell(strings[int(raw)], None, formula)
            case "inlineStr" | "str":
                return Cell(raw[:LONGEST_TEXT], None, formula)
            case "e":
                return Cell(raw[:LONGEST_TEXT], None, formula, True)
            case "b":
                return Cell("TRUE" if raw == "1" else "FALSE", None, formula)
            case "d":
                try:
                    date = dt.date.fromisoformat(raw[:10])
                except ValueError:
                    raise self._package.damaged(self._part) from None
                return Cell(date.isoformat(), date, formula)
        return self._numeric(raw, formula)

    def _numeric(self, raw: str, formula: bool) -> Cell:
        if not raw:
            return Cell("", None, formula)
        try:
            number = float(raw)
        except ValueError:
            raise self._package.damaged(self._part) from None
        if self._style.isdigit() and int(self._style) in self._book.dates and number == number:
            date = self._book.date(number)
            if date is not None:
                return Cell(date.isoformat(), date, formula)
        whole = abs(number) < 1e15 and number == int(number)
        return Cell(str(int(number)) if whole else raw[:LONGEST_TEXT], None, formula)


def _at(ref: str) -> At | None:
    """``F12`` (``$F$12``) as a place; None where it is none."""
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})", ref)
    if found is None:
        return None
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    row = int(found[2])
    return At(row, column) if 1 <= row <= LAST_ROW and column <= LAST_COLUMN else None
