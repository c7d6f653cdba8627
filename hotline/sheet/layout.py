"""Where what stands on the sheets: the same rows and columns on the roster and on its coverage."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import get_args

from openpyxl.utils import get_column_letter as letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from config.roster_file import LeaveKind
from hotline.day_words import weekday_short
from hotline.sheet.dress import FESTIVAL, HEADER, INK, MADE_UP, RED, REST_DAY, Pen, comment, mark_word
from hotline.sheet.page import Page
from hotline.sheet.words import Vocabulary

HEAD, WEEKDAYS, MARKS, TOP = 3, 4, 5, 6
"""Rows: dates, weekdays, marks, and the first person."""

FIRST = 4
"""The column of the first day; before it staff number, name and team."""


def sheet_name(name: str) -> str:
    """A sheet's name as a formula writes it, with the mark behind it."""
    return "'" + name.replace("'", "''") + "'!"


@dataclass(frozen=True, slots=True)
class Layout:
    """The page, its words, and where the roster's sheet has them; ``on_main`` is that sheet in a formula."""

    page: Page
    words: Vocabulary
    on_main: str

    @property
    def days(self) -> int:
        """How many."""
        return len(self.page.days)

    @property
    def last(self) -> int:
        """The column of the last day."""
        return FIRST + self.days - 1

    @property
    def bottom(self) -> int:
        """The row of the last person."""
        return TOP + len(self.page.people) - 1

    @property
    def totals(self) -> int:
        """The first of the five columns of totals."""
        return self.last + 1

    @property
    def leaves(self) -> list[str]:
        """The words for leave."""
        return [self.words.leave(kind) for kind in get_args(LeaveKind)]

    def column(self, day: int) -> str:
        """The letters of the column of a day (from 0)."""
        return str(letter(FIRST + day))

    def people(self, column: str) -> str:
        """All people's cells in a column."""
        return f"{column}${TOP}:{column}${self.bottom}"


def put_header(pen: Pen, sheet: Worksheet, column: int, text: str) -> None:
    """A title over the height of the three header rows."""
    for row in (HEAD, WEEKDAYS, MARKS):
        pen.put(sheet, row, column, text if row == HEAD else None, bold=True, fill=HEADER)
    sheet.merge_cells(start_row=HEAD, start_column=column, end_row=MARKS, end_column=column)


def put_days(pen: Pen, sheet: Worksheet, page: Page) -> None:
    """Date, weekday and mark of each day."""
    for place, day in enumerate(page.days):
        column, off = FIRST + place, day.kind in ("festival", "holiday")
        fill = fill_of_day(day.kind) or HEADER
        color = RED if off else INK
        pen.put(sheet, HEAD, column, day.date, bold=True, fill=fill, color=color, shape="d")
        pen.put(sheet, WEEKDAYS, column, weekday_short(day.date), size=9, fill=fill, color=color)
        mark = pen.put(sheet, MARKS, column, mark_word(day.kind) or None, size=9, fill=fill, color=color)
        if day.name:
            mark.comment = comment(day.name)


def fill_of_day(kind: str) -> object:
    """The tint of a day that is no plain workday; None of one."""
    return {"festival": FESTIVAL, "holiday": FESTIVAL, "restday": REST_DAY, "makeup": MADE_UP}.get(kind)


def serial(date: dt.date) -> int:
    """The day as Excel counts it; days before March 1900 are taken for the first of it."""
    return max(61, (date - dt.date(1899, 12, 30)).days)
