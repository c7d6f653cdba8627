"""The page as an Excel workbook: the roster, how it is covered, a legend, and hidden what import needs to know.

Colours of cells come by conditional formats and numbers by formulas, so that both follow whatever is typed. Everything
that people wrote (names, shifts, remarks) is a text cell, never a formula.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter as letter  # type: ignore[import-untyped]
from openpyxl.worksheet.datavalidation import DataValidation  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from config.catalogue import _
from hotline.palette import LEVELS, SHIFTS, Level
from hotline.sheet import formulas
from hotline.sheet.draw_cover import CoverSheet, skill_columns
from hotline.sheet.draw_legend import FIRST_ROW, draw_legend
from hotline.sheet.dress import (
    AWAY,
    HEADER,
    LEFT,
    QUIET,
    Pen,
    clock,
    comment,
    month_word,
    numbered,
    painted,
    written,
)
from hotline.sheet.find import BASELINE, COUNTS, MADE_BY, STAMP, VERSION
from hotline.sheet.formulas import Verdict
from hotline.sheet.layout import FIRST, HEAD, MARKS, TOP, Layout, fill_of_day, put_days, put_header, sheet_name
from hotline.sheet.page import Page, Person, totals
from hotline.sheet.results import with_results
from hotline.sheet.words import Vocabulary


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a sheet comes from: the SHA-256 of roster.yaml, and when it was made."""

    roster: str
    made_at: dt.datetime


def draw(page: Page, words: Vocabulary, stamp: Stamp) -> bytes:
    """The workbook, as the bytes of an .xlsx file."""
    book = Workbook()
    main: Worksheet = book.active
    main.title = _("Roster")
    cover, legend = book.create_sheet(_("By hour")), book.create_sheet(_("Legend"))
    counts, hidden = book.create_sheet(COUNTS), book.create_sheet(STAMP)
    layout, pen = Layout(page, words, sheet_name(main.title)), Pen()
    drawing = _Main(pen, main, layout)
    drawing.head(stamp)
    drawing.people()
    pairs = skill_columns(pen, main, counts, layout)
    verdicts = CoverSheet(pen, cover, counts, layout, pairs).verdicts
    drawing.below(verdicts)
    drawing.colours()
    choices = draw_legend(pen, legend, page, words)
    one_page_wide(legend)
    drawing.choices(f"{sheet_name(legend.title)}$A${FIRST_ROW}:$A${choices}")
    _stamp(pen, hidden, layout, stamp)
    hidden.sheet_state = counts.sheet_state = "veryHidden"
    for sheet in (main, cover):
        _to_print(sheet, layout)
    cover.column_dimensions["B"].width = 13
    main.print_area = f"A1:{letter(layout.totals + 4)}{drawing.end}"
    book.calculation.fullCalcOnLoad = True
    out = io.BytesIO()
    book.save(out)
    parts = {sheet.title: f"xl/worksheets/sheet{place}.xml" for place, sheet in enumerate(book.worksheets, 1)}
    return with_results(out.getvalue(), {parts[title]: found for title, found in pen.results.items()})


class _Main:
    """The first sheet in the making."""

    def __init__(self, pen: Pen, sheet: Worksheet, layout: Layout) -> None:
        self._pen = pen
        self._sheet, self._layout, self._page = sheet, layout, layout.page
        self._verdicts = (0, -1)
        self.end = layout.bottom

    def head(self, stamp: Stamp) -> None:
        """Title, where it comes from, and the three header rows."""
        sheet, page, last = self._sheet, self._page, self._layout.totals + 4
        title = _("{company}: duty roster, {month}").format(company=page.company, month=month_word(page.first))
        self._pen.put(sheet, 1, 1, title, size=16, bold=True, grid=False)
        note = _("Made {when} from roster {hash}. Fill in the cells; bring it back with: hotline roster import FILE")
        note = note.format(when=stamp.made_at.strftime("%Y-%m-%d %H:%M"), hash=stamp.roster[:8])
        self._pen.put(sheet, 2, 1, note, size=9, color=QUIET, align=LEFT, grid=False)
        for row in (1, 2):
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
        for column, text in enumerate((_("Staff no."), _("Name"), _("Team")), 1):
            put_header(self._pen, sheet, column, text)
        put_days(self._pen, sheet, page)
        for place, text in enumerate((_("Hours"), _("Nights"), _("Days on"), _("Days off"), _("Leave"))):
            put_header(self._pen, sheet, self._layout.totals + place, text)

    def people(self) -> None:
        """A row each: cells, remarks, totals."""
        sheet, layout = self._sheet, self._layout
        for place, person in enumerate(self._page.people):
            row = TOP + place
            self._pen.put(sheet, row, 1, numbered(person.number))
            self._pen.put(sheet, row, 2, person.name, align=LEFT)
            self._pen.put(sheet, row, 3, person.team, align=LEFT, size=9)
            for number, (day, box) in enumerate(zip(self._page.days, person.boxes, strict=True)):
                fill = fill_of_day(day.kind) if day.kind != "makeup" else None
                cell = self._pen.put(sheet, row, FIRST + number, layout.words.write(box.want), fill=fill)
                if box.remarks:
                    cell.comment = comment("\n".join(box.remarks))
            self._totals(row, person)

    def _totals(self, row: int, person: Person) -> None:
        layout = self._layout
        cells = f"{letter(FIRST)}{row}:{letter(layout.last)}{row}"
        rest, leave = letter(layout.totals + 3), letter(layout.totals + 4)
        counted = totals(self._page, person)
        told: tuple[tuple[str, float], ...] = (
            (formulas.hours(self._page, row, person, cells, layout), counted.hours),
            (formulas.nights(self._page.shifts, cells), counted.nights),
            (f"=COLUMNS({cells})-{rest}{row}-{leave}{row}", counted.days),
            (formulas.rest(layout.words, cells), counted.rest),
            (formulas.leave(layout.leaves, cells), counted.leave),
        )
        for number, (formula, result) in enumerate(told):
            shape = "0" if number else "0.##"
            if len(formula) > formulas.LONGEST_FORMULA:  # of a hundred shifts: then the number alone
                self._pen.put(self._sheet, row, layout.totals + number, result, fill=HEADER, shape=shape)
            else:
                self._pen.count(self._sheet, row, layout.totals + number, formula, result, fill=HEADER, shape=shape)

    def below(self, verdicts: list[list[Verdict | None]]) -> None:
        """Under an empty row, so that sorting the people leaves it where it is: people per shift, and who is missing.
        """
        sheet, layout, row = self._sheet, self._layout, self._layout.bottom + 2
        for shift in self._page.shifts:
            self._label(row, f"{shift.short}  {shift.name} {clock(shift.begins)}–{clock(shift.ends)}")
            for day in range(layout.days):
                formula = "=" + formulas.count(shift.short, layout.people(layout.column(day)))
                there = sum(shift.name in person.boxes[day].want.shifts for person in self._page.people)
                self._pen.count(sheet, row, FIRST + day, formula, there, size=9, shape="0;;")
            row += 1
        self._verdicts = row, row + len(verdicts) - 1
        for group, found in zip(self._page.groups, verdicts, strict=True):
            self._label(row, _("{queue}: enough?").format(queue=group.label))
            for day, verdict in enumerate(found):
                self._pen.count(sheet, row, FIRST + day, *(verdict or (None, None)), size=9)
            row += 1
        self.end = row - 1

    def _label(self, row: int, text: str) -> None:
        for column in (1, 2, 3):
            self._pen.put(self._sheet, row, column, text if column == 1 else None, align=LEFT, size=9, fill=HEADER)
        self._sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3)

    def colours(self) -> None:
        """Of shifts, leave and rest; of words that mean nothing; and of the verdicts."""
        layout, add = self._layout, self._sheet.conditional_formatting.add
        top = f"{letter(FIRST)}{TOP}"
        people = f"{top}:{letter(layout.last)}{layout.bottom}"
        known = []
        for shift in self._page.shifts:
            known.append(formulas.found(shift.short, top))
            add(people, painted(known[-1], SHIFTS[shift.color].light, bold=not shift.backup))
        away = f"OR({','.join(f'{top}={formulas.quoted(word)}' for word in layout.leaves)})"
        rest = f"{top}={formulas.quoted(layout.words.rest)}"
        add(people, painted(away, AWAY))
        add(people, written(rest, "#9aa3ad"))
        odd = f"AND(LEN({top})>0,NOT(OR({','.join([*known, away, rest])})))"
        if len(odd) < formulas.LONGEST_FORMULA:
            add(people, written(odd, "#cf2a27", bold=True))
        first, last = self._verdicts
        if first <= last:
            here = f"{letter(FIRST)}{first}"
            area = f"{here}:{letter(layout.last)}{last}"
            add(area, painted(f'{here}="△"', LEVELS[Level.TIGHT].light, bold=True))
            add(area, written(f'{here}="✓"', "#1f7a3d"))
            add(area, painted(f"LEN({here})>1", LEVELS[Level.SHORT].light, bold=True))

    def choices(self, source: str) -> None:
        """The list in each cell. Typing something else is allowed: 早+晚 is in no list."""
        choices = DataValidation(type="list", formula1=f"={source}", allow_blank=True, showErrorMessage=False)
        choices.add(f"{letter(FIRST)}{TOP}:{letter(self._layout.last)}{self._layout.bottom}")
        self._sheet.add_data_validation(choices)


def _stamp(pen: Pen, sheet: Worksheet, layout: Layout, stamp: Stamp) -> None:
    """What import needs: from which roster and of which month the sheet is, and every cell as it was exported."""
    about = (
        (MADE_BY, str(VERSION)),
        ("month", layout.page.first.strftime("%Y-%m")),
        ("roster", stamp.roster),
        ("made", stamp.made_at.isoformat()),
    )
    for row, pair in enumerate(about, 1):
        for column, value in enumerate(pair, 1):
            pen.put(sheet, row, column, value, grid=False)
    for number, person in enumerate(layout.page.people):
        pen.put(sheet, BASELINE + number, 1, person.number, grid=False)
        for place, box in enumerate(person.boxes):
            pen.put(sheet, BASELINE + number, 2 + place, layout.words.write(box.want), grid=False)


def _to_print(sheet: Worksheet, layout: Layout) -> None:
    """A4 across, one page wide, the header on each page; and the same widths on screen."""
    for column, width in enumerate([9.0, 10.0, 11.0, *[4.6] * layout.days, *[7.0] * 5], 1):
        sheet.column_dimensions[letter(column)].width = width
    sheet.row_dimensions[1].height = 28
    sheet.freeze_panes = sheet.cell(TOP, FIRST)
    sheet.print_title_rows = f"{HEAD}:{MARKS}"
    one_page_wide(sheet)


def one_page_wide(sheet: Worksheet) -> None:
    """A4 across."""
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.3
    sheet.page_margins.top = sheet.page_margins.bottom = 0.45
    sheet.oddFooter.center.text = "&P / &N"
