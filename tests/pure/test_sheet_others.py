"""Sheets as others write and edit them: understood where they can be, refused with the cell where not."""

from __future__ import annotations

import datetime as dt

import pytest

from config.problems import Refused
from hotline.sheet.layout import FIRST, HEAD, TOP
from hotline.sheet.words import Want
from hotline.sheet.workbook import At, Cell, Grid, Merge
from tests.pure.sheet_play import (
    MONTH,
    NAMES,
    at_of,
    moved,
    problems,
    read,
    row_of,
    sheet,
)


def test_rows_columns_dates_and_names_may_be_as_others_write_them() -> None:
    found = sheet()
    main = found[0]
    at = at_of(main, "8003", MONTH[9])
    main.cells[at] = Cell("夜班")
    last = max(cell.column for cell in main.cells)
    rows = sorted({cell.row for cell in main.cells if cell.row >= TOP})
    order = dict(zip(rows, reversed(rows), strict=True))
    # Sorted the other way round, three rows further down, days backwards, with a column of remarks.
    mirrored = moved(main, lambda one: At(order.get(one.row, one.row) + 3, one.column if one.column < FIRST else
                                          FIRST + last - one.column))  # fmt: skip
    for one, cell in list(mirrored.cells.items()):
        if cell.date is not None:
            texts = [f"{cell.date.month}月{cell.date.day}日", str((cell.date - dt.date(1899, 12, 30)).days),
                     f"{cell.date:%Y/%m/%d}", f"{cell.date.day}日(周)", f"{cell.date:%Y-%m-%d} 00:00:00"]  # fmt: skip
            mirrored.cells[one] = Cell(texts[cell.date.day % len(texts)])
        elif cell.text in NAMES.values():
            mirrored.cells[one] = Cell(f" {cell.text}　")
    mirrored.cells[At(1, 1)] = Cell("二月排班 2027年2月")
    mirrored.merges.append(Merge(At(1, 1), At(1, 20)))
    mirrored.cells[At(TOP + 4, last + 9)] = Cell("请假已批 2027-02-30 早")
    mirrored.cells[At(TOP + 20, 1)] = Cell("合计")
    mirrored.cells[At(TOP + 20, FIRST + 1)] = Cell("7", None, True)
    reading = read([mirrored, found[1]])
    assert {cell: filled.want for cell, filled in reading.cells.items()} == {("8003", MONTH[9]): Want(("夜班",))}
    assert not reading.warnings


def test_a_sheet_of_their_own_says_what_is_missing_or_counts_whole() -> None:
    other = Grid("Sheet1", False, {At(1, 1): Cell("年度预算"), At(3, 2): Cell("合计"), At(3, 3): Cell("120")})
    with pytest.raises(Refused) as refused:
        read([other])
    assert all(word in str(refused.value) for word in ("日期", "工号", "2027年2月"))
    own = Grid("排班", False, {At(1, 1): Cell("客服部 2027年2月排班"), At(2, 1): Cell("姓名")})
    own.cells |= {At(2, 1 + day): Cell(str(day)) for day in range(1, 29)}
    own.cells |= {At(3, 1): Cell("王芳"), At(3, 3): Cell("夜"), At(4, 1): Cell("张敏"), At(4, 2): Cell("早")}
    reading = read([own])
    assert reading.cells["8003", MONTH[1]].want == Want(("夜班",))
    assert reading.cells["8001", MONTH[0]].want == Want(("早班",))
    assert [problem.code for problem in reading.warnings] == ["sheet-unstamped"]


def test_a_sheet_of_their_own_names_the_days_that_there_are_not() -> None:
    own = Grid("排班", False, {At(1, 1): Cell("客服部 2027年2月排班"), At(2, 1): Cell("姓名"), At(3, 1): Cell("王芳")})
    own.cells |= {At(2, 1 + day): Cell(str(day)) for day in range(1, 31)} | {At(2, 40): Cell("33")}
    assert problems([own]) == {"AD2": "sheet-no-date", "AE2": "sheet-no-date"}
    few = Grid("排班", False, {At(1, 1): Cell("2027年2月"), At(2, 1): Cell("工号"), At(3, 1): Cell("8003")})
    few.cells |= {At(2, 2 + place): Cell(text) for place, text in enumerate(("29日", "30日", "2/31"))}
    with pytest.raises(Refused) as refused:
        read([few])
    assert "B2 “29日”" in str(refused.value) and "D2 “2/31”" in str(refused.value)


def test_people_and_days_that_are_gone_stay_as_they_are_and_are_told() -> None:
    found = sheet()
    main = found[0]
    row = row_of(main, "8002")
    found[0] = Grid(main.name, False, {at: cell for at, cell in main.cells.items() if at.row != row and at.column != 9})
    reading = read(found)
    assert reading.cells == {}
    assert [problem.code for problem in reading.warnings] == ["sheet-people-gone", "sheet-days-gone"]
    assert "8002" in str(reading.warnings[0]) and "2027-02-06" in str(reading.warnings[1])


def test_a_second_roster_in_the_file_is_told() -> None:
    found = sheet()
    copy = Grid("排班表 (2)", False, dict(found[0].cells))
    copy.cells[at_of(copy, "8003", MONTH[0])] = Cell("夜")
    reading = read([*found, copy])
    assert reading.cells == {} and "排班表 (2)" in reading.warnings[0].what


def test_all_faults_are_told_at_once_each_with_its_cell() -> None:
    found = sheet()
    main = found[0]
    cells = {
        "F6": Cell("二线"), "G6": Cell("早夜"), "H6": Cell("", None, True), "I6": Cell("#REF!", None, False, True),
        "J6": Cell("2027-03-01", dt.date(2027, 3, 1)), "A11": Cell("8009"), "D11": Cell("早"), "A12": Cell("8001"),
        "B7": Cell("王芳"), "E13": Cell("夜"),
    }  # fmt: skip
    for name, cell in cells.items():
        main.cells[At(int(name[1:]), ord(name[0]) - 64)] = cell
    main.merges.append(Merge(At(8, 12), At(9, 12)))
    assert problems(found) == {
        "F6": "sheet-unknown-word", "G6": "sheet-unknown-word", "H6": "sheet-formula", "I6": "sheet-cell-error",
        "J6": "sheet-date", "A11": "sheet-unknown-agent", "A12": "sheet-row-doubled", "B7": "sheet-name-differs",
        "A13": "sheet-row-nobody", "L8": "sheet-merged",
    }  # fmt: skip


def test_a_formula_counts_by_its_result_and_a_merge_over_days_fills_them() -> None:
    found = sheet()
    main = found[0]
    main.cells[at_of(main, "8005", MONTH[0])] = Cell("早", None, True)
    row = row_of(main, "8003")
    main.cells[At(row, FIRST + 9)] = Cell("年")
    for column in (FIRST + 10, FIRST + 11):
        del main.cells[At(row, column)]
    main.merges.append(Merge(At(row, FIRST + 9), At(row, FIRST + 11)))
    cells = read(found).cells
    assert cells["8005", MONTH[0]].want == Want(("早班",))
    assert [cells["8003", MONTH[day]].want for day in (9, 10, 11)] == [Want(leave="annual")] * 3


@pytest.mark.parametrize(
    ("column", "date", "code"),
    [
        (FIRST, "2027-03-01", "sheet-other-month"), (FIRST, "2027-02-02", "sheet-day-doubled"),
        (FIRST + 27, "2027-02-29", "sheet-no-date"), (FIRST + 27, "2/30", "sheet-no-date"),
        (FIRST + 28, "2月29日", "sheet-no-date"), (FIRST + 1, "13/1", "sheet-no-date"),
    ],
)
def test_a_wrong_date_is_refused(column: int, date: str, code: str) -> None:
    found = sheet()
    found[0].cells[At(HEAD, column)] = Cell(date)
    assert code in problems(found).values()


def test_a_newer_sheet_is_refused_and_a_damaged_stamp_is_none() -> None:
    found = sheet()
    found[1].cells[At(1, 2)] = Cell("9")
    assert problems(found) == {"": "sheet-newer"}
    found[1].cells[At(1, 2)], found[1].cells[At(3, 2)] = Cell("1"), Cell("?")
    assert read(found).roster == ""
