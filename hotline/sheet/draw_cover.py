"""The second sheet: how many are there, for each queue and part of the day; and the counts behind it, out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from openpyxl.utils import get_column_letter as letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from config.catalogue import _
from hotline.palette import LEVELS, Level
from hotline.sheet import formulas
from hotline.sheet.dress import HEADER, LEFT, QUIET, Pen, clock, fewer
from hotline.sheet.find import COUNTS
from hotline.sheet.formulas import Verdict
from hotline.sheet.layout import FIRST, HEAD, TOP, Layout, put_days, put_header, serial, sheet_name
from hotline.sheet.page import Group, Need, Segment, have, needed, segments

Pairs = list[tuple[int, int]]
"""Columns of the roster's sheet: from when and until when each person counts."""


def skill_columns(pen: Pen, main: Worksheet, counts: Worksheet, layout: Layout) -> list[Pairs]:
    """Hidden columns behind the totals: from when to when each person counts for each group.

    They look it up by staff number, so that sorting the people, or putting one in between, changes no count.
    """
    people, found = layout.page.people, list[Pairs]()
    column, kept, last = layout.totals + 5, 2, len(people) + 1
    for row, person in enumerate(people, 2):
        pen.put(counts, row, 1, person.number, grid=False)
    for group in layout.page.groups:
        most = max((len(spans) for spans in group.skilled.values()), default=0)
        pairs: Pairs = []
        for number in range(most):
            for row, person in enumerate(people, 2):
                spans = group.skilled.get(person.number, ())
                if number < len(spans):
                    for side in (0, 1):
                        counts.cell(row, kept + side).value = serial(spans[number][side])
            for side in (0, 1):
                source = f"{COUNTS}!${letter(kept + side)}$2:${letter(kept + side)}${last}"
                for row in range(TOP, layout.bottom + 1):
                    place = f'MATCH(TRIM($A{row})&"",{COUNTS}!$A$2:$A${last},0)'
                    main.cell(row, column + side).value = f"=IFERROR(INDEX({source},{place}),0)"
                main.column_dimensions[letter(column + side)].hidden = True
            pairs.append((column, column + 1))
            column, kept = column + 2, kept + 2
        found.append(pairs)
    return found


class CoverSheet:
    """Draws it; ``verdicts``: of each group and day whether there are enough, as formula and result, or None."""

    def __init__(self, pen: Pen, sheet: Worksheet, counts: Worksheet, layout: Layout, pairs: list[Pairs]) -> None:
        self._pen = pen
        self._sheet, self._counts, self._layout = sheet, counts, layout
        self._short: dict[tuple[int, Level], list[tuple[int, int]]] = {}
        self.verdicts: list[list[Verdict | None]] = []
        self._titles()
        self._groups(pairs)
        for (number, level), places in sorted(self._short.items()):
            sheet.conditional_formatting.add(" ".join(_areas(places)), fewer(number, LEVELS[level].light))

    def _titles(self) -> None:
        sheet = self._sheet
        self._pen.put(sheet, 1, 1, _("Coverage: how many are there"), size=14, bold=True, grid=False, align=LEFT)
        note = _("Red: fewer than needed. Amber: fewer than wished. The counts follow the first sheet.")
        self._pen.put(sheet, 2, 1, note, size=9, color=QUIET, align=LEFT, grid=False)
        for row in (1, 2):
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=self._layout.last)
        for column, text in enumerate((_("Queue"), _("Time"), _("Needed")), 1):
            put_header(self._pen, sheet, column, text)
        put_days(self._pen, sheet, self._layout.page)
        sheet.freeze_panes = sheet.cell(TOP, FIRST)

    def _groups(self, pairs: list[Pairs]) -> None:
        layout, page = self._layout, self._layout.page
        cell_of = {
            (day, person.number): f"{layout.on_main}${layout.column(day)}${TOP + place}"
            for place, person in enumerate(page.people)
            for day in range(layout.days)
        }
        row, counted_at, here = TOP, len(page.people) + 4, sheet_name(self._sheet.title)
        for group, columns in zip(page.groups, pairs, strict=True):
            counted = self._counted(group, columns, counted_at)
            counted_at += len(page.shifts)
            parts = segments(page, group)
            numbers: list[list[tuple[str, int, Need]]] = [[] for _day in range(layout.days)]
            for part in parts:
                self._part(row, group, part)
                for day in range(layout.days):
                    need = needed(group, day, part)
                    if need is not None:
                        formula = formulas.there(page, group, day, part, counted, cell_of, layout.words)
                        there = have(page, group, day, part)
                        self._pen.count(self._sheet, row, FIRST + day, formula, there, shape="0")
                        numbers[day].append((f"{here}{layout.column(day)}{row}", there, need))
                row += 1
            self.verdicts.append([formulas.verdict(one, _("short of ")) for one in numbers])

    def _counted(self, group: Group, pairs: Pairs, row: int) -> dict[tuple[int, str], str]:
        """Counts of this group by day and shift, out of sight; returns where they stand."""
        layout, found = self._layout, dict[tuple[int, str], str]()
        spans = [tuple(f"{layout.on_main}{layout.people('$' + letter(one))}" for one in pair) for pair in pairs]
        for number, shift in enumerate(layout.page.shifts):
            self._pen.put(self._counts, row + number, 1, group.label, grid=False)
            self._pen.put(self._counts, row + number, 2, shift.name, grid=False)
            for day in range(layout.days):
                column = layout.column(day)
                people, date = f"{layout.on_main}{layout.people(column)}", f"{layout.on_main}{column}${HEAD}"
                formula = formulas.able(shift.short, people, date, [(one[0], one[1]) for one in spans])
                self._counts.cell(row + number, FIRST + day).value = formula
                found[day, shift.name] = f"{COUNTS}!{column}{row + number}"
        return found

    def _part(self, row: int, group: Group, part: Segment) -> None:
        sheet, layout = self._sheet, self._layout
        asked: Sequence[Need | None] = [needed(group, day, part) for day in range(layout.days)]
        self._pen.put(sheet, row, 1, group.label, align=LEFT)
        self._pen.put(sheet, row, 2, f"{clock(part.begins)}–{clock(part.ends)}", size=9)
        numbers = sorted({(need.need, max(need.want, need.need)) for need in asked if need is not None})
        told = _(", ").join(str(need) if need == want else f"{need} ({want})" for need, want in numbers)
        self._pen.put(sheet, row, 3, told, size=9)
        for day, need in enumerate(asked):
            cell: Any = sheet.cell(row, FIRST + day)
            if need is None:
                self._pen.dress(cell, fill=HEADER)
                continue
            for number, level in ((need.need, Level.SHORT), (max(need.want, need.need), Level.TIGHT)):
                self._short.setdefault((number, level), []).append((row, FIRST + day))


def _areas(places: list[tuple[int, int]]) -> Iterator[str]:
    """These cells (row, column; in order) as areas, each a part of one row."""
    for _key, run in groupby(enumerate(places), key=lambda one: (one[1][0], one[1][1] - one[0])):
        cells = [place for _number, place in run]
        (row, first), (_row, last) = cells[0], cells[-1]
        yield f"{letter(first)}{row}:{letter(last)}{row}"
