"""The grid of the roster: no line is wider than the terminal, whatever people are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len
from rich.console import Console

from hotline.columns import Line, cut, fill
from hotline.day_words import Day, mark
from hotline.heat import Gap
from hotline.palette import Level, Paint
from hotline.roster_grid import (
    COVER,
    EXTRA,
    Cell,
    Grid,
    Person,
    Piece,
    QueueLine,
    ShiftKey,
    Worst,
    hours_of,
    lines,
    shorts,
)
from hotline.show import Lines, visible

COLOUR = Paint(Console(force_terminal=True, color_system="truecolor"), {})
PLAIN = Paint(Console(no_color=True), {})
MONDAY = dt.date(2027, 2, 1)

EARLY = ShiftKey("早班", "早", "amber", "06:00–14:00", "06-14")
NIGHT = ShiftKey("夜班", "夜", "blue", "22:00–06:00", "22-06")
SPARE = ShiftKey("夜备", "备", "violet", "22:00–06:00", "22-06", backup=True)
KEYS = {key.name: key for key in (EARLY, NIGHT, SPARE)}


def text_of(line: Line) -> str:
    return "".join(text for text, _style in line)


def drawn(grid: Grid, width: int, paint: Paint = PLAIN) -> list[str]:
    return [text_of(line) for line in lines(grid, width, paint)]


def week(*people: Person, **more: Any) -> Grid:
    days = tuple(Day(MONDAY + dt.timedelta(number)) for number in range(7))
    return Grid("title", more.pop("days", days), people, shifts=KEYS, **more)


def person(number: str, name: str, *cells: Cell, team: str = "", hours: float = 40, nights: int = 0) -> Person:
    return Person(number, name, team, (*cells, *(Cell(),) * (7 - len(cells))), hours, nights)


ON = Cell((Piece("早班"),))

names = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40),
    st.sampled_from(["欧阳靖宇", "Sarah O'Neill", "أحمد", "\x1b[31mred\x1b[0m", "👩\u200d👧 Li", "王\u200b芳"]),
)
pieces = st.builds(Piece, st.sampled_from([*KEYS, "unknown"]), st.sampled_from(["", EXTRA, COVER]))
cells = st.builds(Cell, st.lists(pieces, max_size=4).map(tuple), st.sampled_from(["", "年假", "annual leave"]))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    many = draw(st.integers(1, 35))
    days = tuple(
        Day(
            MONDAY + dt.timedelta(number),
            draw(st.sampled_from(["workday", "restday", "festival", "holiday", "makeup"])),
            draw(st.sampled_from(["", "春节", "Spring Festival"])),
            number == 3,
        )
        for number in range(many)
    )
    of_a_day = st.lists(cells, min_size=many, max_size=many).map(tuple)
    people = draw(
        st.lists(
            st.builds(
                Person, st.from_regex("[0-9]{2,12}", fullmatch=True), names, st.sampled_from(["", "甲班", "x" * 60]),
                of_a_day, st.floats(0, 9999), st.integers(0, 99),
            ),
            max_size=3,
        )
    )  # fmt: skip
    worst = st.none() | st.builds(Worst, st.sampled_from(Level), st.integers(0, 2000), st.integers(0, 2000))
    queues = draw(st.lists(st.builds(QueueLine, names, st.lists(worst, min_size=many, max_size=many).map(tuple)),
                           max_size=2))  # fmt: skip
    said = tuple(draw(st.lists(names, max_size=1)))
    return Grid(draw(names), days, tuple(people), tuple(queues), KEYS, tuple(map(Gap, said)), said)


@settings(max_examples=60, deadline=None)
@given(grids(), st.integers(60, 200), st.sampled_from([COLOUR, PLAIN]))
def test_no_line_is_wider_than_the_terminal(grid: Grid, width: int, paint: Paint) -> None:
    for line in lines(grid, width, paint):
        assert cell_len(text_of(line)) <= width
        assert "\x1b" not in text_of(line)


def test_a_week_of_two_characters_fits_80_columns_and_every_cell_is_below_its_day() -> None:
    grid = week(person("8001", "张敏", ON, Cell((Piece("夜班"),))), person("8002", "欧阳靖宇", Cell(), ON))
    said = drawn(grid, 80)
    assert max(map(cell_len, said)) <= 80
    head = next(line for line in said if "02-01" in line)
    first, second = (next(line for line in said if line.startswith(number)) for number in ("8001", "8002"))
    assert "早班" in first and "夜班" in first

    def place(line: str, word: str) -> int:
        return cell_len(line[: line.index(word)])

    assert place(first, "早班") - place(head, "02-01") in range(-3, 4)
    assert place(first, "夜班") - place(head, "02-02") in range(-3, 4)
    assert place(second, "早班") == place(first, "夜班")
    assert first.rstrip().endswith("40") is False and "40" in first


def test_a_wide_terminal_is_told_more() -> None:
    grid = week(person("8001", "张敏", ON))
    assert any("早班 06-14" in line for line in drawn(grid, 140))
    assert not any("早班 06-14" in line for line in drawn(grid, 80))


def test_many_days_stand_in_blocks_with_the_sums_behind_the_last() -> None:
    days = tuple(Day(MONDAY + dt.timedelta(number)) for number in range(28))
    grid = week(Person("8001", "张敏", "", (ON,) * 28, 224, 0), days=days)
    narrow = drawn(grid, 80)
    mine = [line for line in narrow if line.startswith("8001")]
    assert len(mine) > 1 and [("224" in line) for line in mine] == [False] * (len(mine) - 1) + [True]
    assert sum(line.count("早") for line in mine) == 28
    assert len([line for line in drawn(grid, 140) if line.startswith("8001")]) == 1


def test_two_shifts_share_a_cell_and_marks_are_explained() -> None:
    grid = week(person("8001", "张敏", Cell((Piece("早班", EXTRA), Piece("夜备"))), Cell((Piece("夜班", COVER),))))
    said = drawn(grid, 80)
    mine = next(line for line in said if line.startswith("8001"))
    assert "早+" in mine and "备*" in mine and "夜班^" in mine
    legend = "\n".join(said[said.index(mine) :])
    assert all(sign in legend for sign in ("+ ", "^ ", "* ")) and "~ " not in legend
    assert "06:00–14:00" in legend and "22:00–06:00" in legend


def test_a_crowded_day_gets_room_for_all_its_shifts() -> None:
    days = tuple(Day(MONDAY + dt.timedelta(number)) for number in range(14))
    crowded = Cell((Piece("早班", EXTRA), Piece("夜班")))
    grid = week(Person("8001", "张敏", "", (ON, crowded, *(Cell(),) * 12), 24, 1), days=days)
    (mine, *_more) = [line for line in drawn(grid, 80) if line.startswith("8001")]
    assert mine.count("早") == 2 and "早+" in mine and "夜" in mine


def test_leave_is_a_word_and_a_free_day_a_dot() -> None:
    said = drawn(week(person("8001", "张敏", Cell(leave="年假"))), 80)
    mine = next(line for line in said if line.startswith("8001"))
    assert "年假" in mine and mine.count(" . ") + mine.endswith(" .") == 7  # six free days, and no nights


def test_teams_have_heads_and_queues_say_what_is_short() -> None:
    days = (Worst(Level.SHORT, 0, 1), Worst(Level.BACKUP, 0, 1, 2), Worst(Level.TIGHT, 1, 2), None) + (None,) * 3
    grid = week(
        person("8001", "张敏", ON, team="甲班"), person("8003", "王芳", team="乙班"), queues=(QueueLine("投诉", days),)
    )
    said = drawn(grid, 80)
    assert any(line.startswith("甲班") for line in said) and any(line.startswith("乙班") for line in said)
    queue = next(line for line in said if line.startswith("投诉"))
    assert queue.split()[1:] == ["0/1", "!", "0+2", "1/2"]
    assert " 0+1 " in said[-1] and " 1/2 " in said[-1]


def test_holidays_and_made_up_days_are_marked_as_on_every_calendar() -> None:
    festival, holiday, makeup = (Day(MONDAY, kind, "春节") for kind in ("festival", "holiday", "makeup"))
    assert mark(festival, 8) == mark(holiday, 4) == "春节"
    assert mark(Day(MONDAY, "holiday", "中秋节"), 4) == mark(Day(MONDAY, "holiday"), 9)
    assert mark(makeup, 8) != "春节"
    assert mark(Day(MONDAY, "restday"), 8) == mark(Day(MONDAY), 8) == ""
    assert all(cell_len(mark(day, room)) <= room for day in (festival, holiday, makeup) for room in range(9))


@given(st.dictionaries(st.text(st.characters(categories=("Lo", "Ll", "Nd")), min_size=1, max_size=6),
                       st.none() | st.sampled_from(["甲", "X"]), max_size=8))  # fmt: skip
def test_every_shift_has_a_short_word(asked: dict[str, str | None]) -> None:
    found = shorts(asked)
    assert list(found) == list(asked) and all(found.values())
    assert all(found[name] == short for name, short in asked.items() if short)


def test_short_words_tell_shifts_apart() -> None:
    assert shorts({"早班": None, "夜班": None, "夜备": None}) == {"早班": "早", "夜班": "夜", "夜备": "备"}
    assert len(set(shorts({"Early": None, "Evening": None, "Eve": None}).values())) == 3


@given(names, st.integers(0, 30), st.sampled_from("<>^"))
def test_fill_is_exactly_as_wide_as_asked(name: str, room: int, align: str) -> None:
    assert cell_len(fill(name, room, align)) == room
    assert cell_len(cut(name, room)) <= room


def test_what_moves_the_cursor_or_turns_the_writing_round_is_not_printed() -> None:
    assert visible("a\x1b[2Jb\u202ec\nd") == "a[2Jbcd"
    assert visible("张敏 👩‍👧") == "张敏 👩‍👧"


def test_hours_are_short_where_they_can_be() -> None:
    assert hours_of(dt.time(6), dt.time(14)) == "06-14"
    assert hours_of(dt.time(6, 30), dt.time(14)) == "06:30-14:00"


@pytest.mark.parametrize("system", ["truecolor", None])
def test_lines_are_printed_as_they_are(system: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said: Sequence[Line] = [[("[red]", "bold"), (" x", "")], []]
    Console(force_terminal=True, color_system=system, width=20, _environ={}).print(Lines(said), end="")
    assert "[red]" in capsys.readouterr().out
