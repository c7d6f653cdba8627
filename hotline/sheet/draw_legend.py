"""The third sheet: what the words, colours and marks mean, and what may be typed."""

from __future__ import annotations

from typing import get_args

from openpyxl.utils import get_column_letter as letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from config.catalogue import _
from config.leave_words import leave_word
from config.roster_file import LeaveKind
from hotline.palette import SHIFTS
from hotline.sheet.dress import (
    AWAY,
    HEADER,
    LEFT,
    WHOLE,
    Pen,
    argb,
    fill_of,
    mark_word,
    remark_word,
    times_word,
)
from hotline.sheet.page import Page
from hotline.sheet.words import Vocabulary

FIRST_ROW = 4
"""Of the words that may stand in a cell."""


def draw_legend(pen: Pen, sheet: Worksheet, page: Page, words: Vocabulary) -> int:
    """Draw it; returns the last row of the words that may stand in a cell."""
    pen.put(sheet, 1, 1, _("Legend"), size=14, bold=True, grid=False, align=LEFT)
    titles = (_("In a cell"), _("Shift or leave"), _("Time"), _("Hours"), _("Remark"))
    for column, text in enumerate(titles, 1):
        pen.put(sheet, FIRST_ROW - 1, column, text, bold=True, fill=HEADER)
    row = FIRST_ROW
    for shift in page.shifts:
        shade = SHIFTS[shift.color].light
        pen.put(sheet, row, 1, shift.short, bold=True, fill=fill_of(shade.fill), color=argb(shade.text))
        pen.put(sheet, row, 2, shift.name, align=LEFT)
        pen.put(sheet, row, 3, times_word(shift.begins, shift.ends))
        pen.put(sheet, row, 4, shift.hours, shape="0.##")
        pen.put(sheet, row, 5, remark_word(shift.backup, shift.night) or None, align=LEFT)
        row += 1
    pen.put(sheet, row, 1, words.rest)
    pen.put(sheet, row, 2, _("no shift (an empty cell means the same)"), align=LEFT)
    row += 1
    for kind in get_args(LeaveKind):
        pen.put(sheet, row, 1, words.leave(kind), fill=fill_of(AWAY.fill), color=argb(AWAY.text))
        pen.put(sheet, row, 2, leave_word(kind), align=LEFT)
        row += 1
    last = row - 1
    _marks(pen, sheet, row + 1)
    for column, width in enumerate((12, 34, 26, 8, 18), 1):
        sheet.column_dimensions[letter(column)].width = width
    return last


def _marks(pen: Pen, sheet: Worksheet, row: int) -> None:
    marks = (
        (mark_word("restday"), _("rest day")),
        (mark_word("festival"), _("official holiday")),
        (mark_word("makeup"), _("make-up workday")),
        ("✓", _("enough people")),
        ("△", _("fewer people than wished")),
    )
    for mark, text in marks:
        pen.put(sheet, row, 1, mark)
        pen.put(sheet, row, 2, text, align=LEFT)
        row += 1
    for text in _how_to():
        row += 1
        pen.put(sheet, row, 1, text, align=WHOLE, grid=False)


def _how_to() -> list[str]:
    return [
        _("Several shifts on one day are joined by +. Full names and full width are understood as well."),
        _("What turns red while you type is not understood: the first column here has the words."),
        _("People and columns can be sorted, moved and hidden; remarks may stand right of the totals."),
        _("Leave for a part of a shift, swaps, covers and extra duty: hotline roster leave, swap, extra."),
        _("Bring the file back with: hotline roster import FILE. It shows what changes before anything does."),
    ]
