"""How cells look, and the words that stand in their margins: marks, times."""

from __future__ import annotations

import datetime as dt
from copy import copy
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.comments import Comment  # type: ignore[import-untyped]
from openpyxl.formatting.rule import Rule  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side  # type: ignore[import-untyped]
from openpyxl.styles.differential import DifferentialStyle  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from config.catalogue import _
from hotline.palette import Shade
from hotline.sheet.results import Result


def argb(color: str) -> str:
    """``#rrggbb`` as Excel writes it."""
    return f"FF{color.removeprefix('#').upper()}"


def fill_of(color: str) -> PatternFill:
    """A cell filled with ``#rrggbb``."""
    return PatternFill("solid", fgColor=argb(color))


_THIN = Side(style="thin", color=argb("#c9ced6"))
GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
MIDDLE = Alignment(horizontal="center", vertical="center", shrink_to_fit=True)
LEFT = Alignment(horizontal="left", vertical="center", shrink_to_fit=True)
WHOLE = Alignment(horizontal="left", vertical="center")
HEADER = fill_of("#eef1f5")
REST_DAY = fill_of("#f6f7f9")
FESTIVAL = fill_of("#fbe9e7")
MADE_UP = fill_of("#fff3d6")
INK, QUIET, RED = argb("#1f2933"), argb("#8a94a0"), argb("#b3261e")
AWAY = Shade("#cfd4da", "#2f3a46")
"""Leave."""
FONT = "Microsoft YaHei"
"""In every Chinese Windows; elsewhere the program takes another."""


class Pen:
    """Writes the cells of one workbook. Cells of one look share it: openpyxl takes 0.1 ms to find a look among those
    that a workbook has. ``results`` keeps what formulas come to, by sheet and cell."""

    def __init__(self) -> None:
        self._looks: dict[Any, Any] = {}
        self.results: dict[str, dict[str, Result]] = {}

    def put(self, sheet: Worksheet, row: int, column: int, value: Any, **style: Any) -> Any:
        """Write one cell; text is text, whatever it begins with."""
        cell = sheet.cell(row, column)
        if isinstance(value, str):
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
            if cell.value:
                cell.data_type = "s"
                style.setdefault("as_text", cell.value[0] in "=+-@＝＋－＠")
        else:
            cell.value = value
        self.dress(cell, **style)
        return cell

    def count(
        self, sheet: Worksheet, row: int, column: int, formula: str | None, result: Result | None = None, **style: Any
    ) -> None:
        """Write one cell whose value is counted, and what that comes to now; nothing where there is no formula."""
        cell = sheet.cell(row, column)
        if formula is not None:
            cell.value = formula
            if result is not None:
                self.results.setdefault(sheet.title, {})[cell.coordinate] = result
        self.dress(cell, **style)

    def dress(
        self, cell: Any, *, size: int = 10, bold: bool = False, color: str = INK, fill: PatternFill | None = None,
        align: Alignment = MIDDLE, grid: bool = True, shape: str = "", as_text: bool = False,
    ) -> None:  # fmt: skip
        """Give a cell its looks; ``shape`` is a number format, ``as_text`` Excel's own mark of a text like ``=1``."""
        key = size, bold, color, fill and fill.fgColor.rgb, id(align), grid, shape or cell.number_format, as_text
        if key in self._looks:
            cell._style = copy(self._looks[key])
            return
        cell.font = Font(name=FONT, size=size, bold=bold, color=color)
        cell.alignment = align
        if fill is not None:
            cell.fill = fill
        if grid:
            cell.border = GRID
        if shape:
            cell.number_format = shape
        if as_text:
            cell.quotePrefix = True
        self._looks[key] = copy(cell._style)


def painted(condition: str, shade: Shade, bold: bool = False) -> Rule:
    """Where the condition holds: this fill, this text."""
    style = DifferentialStyle(font=Font(color=argb(shade.text), bold=bold), fill=_solid(shade.fill))
    return Rule(type="expression", dxf=style, formula=[condition], stopIfTrue=True)


def fewer(number: int, shade: Shade) -> Rule:
    """Where the cell's number is less than this: this fill, this text."""
    style = DifferentialStyle(font=Font(color=argb(shade.text), bold=True), fill=_solid(shade.fill))
    return Rule(type="cellIs", operator="lessThan", dxf=style, formula=[str(number)], stopIfTrue=True)


def written(condition: str, color: str, bold: bool = False) -> Rule:
    """Where the condition holds: text of this colour."""
    style = DifferentialStyle(font=Font(color=argb(color), bold=bold))
    return Rule(type="expression", dxf=style, formula=[condition], stopIfTrue=True)


def _solid(color: str) -> PatternFill:
    """A fill as conditional formats want it: there the background is the colour seen."""
    return PatternFill("solid", bgColor=argb(color), fgColor=argb(color))


def comment(text: str) -> Comment:
    """A remark that is seen when the mouse is over the cell."""
    return Comment(ILLEGAL_CHARACTERS_RE.sub("", text), "Hotline", width=220, height=24 + 18 * (text.count("\n") + 1))


def numbered(number: str) -> int | str:
    """A staff number as a number where none of it is lost: Excel puts a mark on each number that is text."""
    return int(number) if str(int(number)) == number else number


def month_word(first: dt.date) -> str:
    """``2027年2月``."""
    return _("{year}-{month:02}").format(year=first.year, month=first.month)


def mark_word(kind: str) -> str:
    """休, 节 or 班, for a day that is no plain workday."""
    marks = {"restday": _("R"), "holiday": _("R"), "festival": _("F"), "makeup": _("M")}
    return marks.get(kind, "")


def clock(minutes: int) -> str:
    """``06:00``; the midnight that ends a day is 24:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}" if minutes <= 1440 else clock(minutes % 1440)


def times_word(begins: int, ends: int) -> str:
    """``22:00–06:00 (+1)``."""
    later = (ends - 1) // 1440
    return f"{clock(begins)}–{clock(ends)}" + (f" (+{later})" if later else "")


def remark_word(backup: bool, night: bool) -> str:
    """What else there is to say of a shift."""
    return _("backup") if backup else _("night") if night else ""
