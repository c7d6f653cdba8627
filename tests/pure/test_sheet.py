"""The roster as a sheet: out and in changes nothing; what is edited, and that alone, is what the roster then says."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from openpyxl import load_workbook  # type: ignore[import-untyped]

from config.problems import Refused
from config.roster_file import RosterFile
from hotline.sheet.find import COUNTS, STAMP
from hotline.sheet.gather import page_of
from hotline.sheet.layout import FIRST, HEAD, TOP
from hotline.sheet.page import have, needed, segments, totals
from hotline.sheet.solve import NotSaid, entry_of, solve
from hotline.sheet.understand import merge
from hotline.sheet.words import NoMeaning, Vocabulary, Want, bare
from hotline.sheet.workbook import Cell, Grid, read_workbook
from routing.calendar import Calendar
from routing.coverage import coverage
from routing.roster import Roster
from routing.spans import instant
from tests.pure.sheet_play import (
    CHANGES,
    FEBRUARY,
    FILE,
    HASH,
    MONTH,
    NAMES,
    PAGE,
    WORDS,
    at_of,
    changed,
    drawn,
    grids,
    house,
    read,
    roster,
    sheet,
    wants,
    words_of,
)

BEFORE = wants(FILE, FEBRUARY - dt.timedelta(days=10), MONTH[-1] + dt.timedelta(days=10))


# --- drawn ------------------------------------------------------------------------------------------------------------


def test_a_drawn_sheet_read_back_says_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "二月.xlsx"
    path.write_bytes(drawn())
    reading = read(read_workbook(path))
    assert (reading.roster, reading.cells, reading.warnings) == (HASH, {}, [])
    # And without what was exported every cell says what the roster says.
    whole = read([grid for grid in read_workbook(path) if grid.name != STAMP])
    assert {cell: filled.want for cell, filled in whole.cells.items()} == {
        cell: want for cell, want in BEFORE.items() if cell[1] in MONTH
    }


def test_the_drawn_sheet_is_as_offices_know_it() -> None:
    book = load_workbook(io.BytesIO(drawn()))
    main, cover, legend, counts, stamp = book.worksheets
    assert [counts.title, stamp.title] == [COUNTS, STAMP]
    assert [one.sheet_state for one in book.worksheets] == ["visible"] * 3 + ["veryHidden"] * 2
    assert (main.freeze_panes, main.page_setup.orientation, main.page_setup.paperSize) == ("D6", "landscape", 9)
    assert (main.page_setup.fitToWidth, main.page_setup.fitToHeight) == (1, 0)
    assert [main.cell(HEAD, FIRST + day).value.date() for day in range(28)] == MONTH
    assert [main.cell(HEAD + 2, FIRST + day).value for day in (4, 5, 12)] == ["节", "节", "休"]
    assert main.cell(HEAD + 2, FIRST + 5).comment.text.startswith(("春节", "Spring"))
    row = next(row for row in range(TOP, TOP + 5) if main.cell(row, 1).value == "0804")
    name = main.cell(row, 2)
    assert (name.value, name.data_type, name.quotePrefix) == ("=1+1", "s", True)
    assert "加班：夜班" in main.cell(row, FIRST + 6).comment.text
    [choices] = main.data_validations.dataValidation
    assert (str(choices.sqref), choices.type) == ("D6:AE10", "list")
    assert [legend.cell(row, 1).value for row in range(4, 9)] == ["早", "中", "夜", "备", "长"]
    verdict = main.cell(main.max_row, FIRST).value
    assert verdict.startswith("=IF(MIN(") and "△" in verdict
    assert any(cover.title in verdict for cover in [cover])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_sheet_of_either_language_comes_back_in_the_other(language: str) -> None:
    page = grids(PAGE, Vocabulary(FILE.shifts, chinese=language == "zh"))
    assert read(page, Vocabulary(FILE.shifts, chinese=language != "zh")).cells == {}
    del page[1]
    whole = read(page, Vocabulary(FILE.shifts, chinese=language != "zh"))
    assert all(filled.want == BEFORE[cell] for cell, filled in whole.cells.items())


LEVELS: dict[str, dict[str, Any]] = {
    "a8003": {"skills": [{"skill": "inquiry", "level": 3, "from": "2027-02-10", "to": "2027-02-20"}, "inquiry"]},
    "a8002": {"skills": [{"skill": "inquiry", "to": "2027-02-04"}, {"skill": "inquiry", "from": "2027-02-15"}]},
}
ASKED = {"queue": "inquiry", "need": 1, "want": 2, "level": 2, "from": "09:30", "to": "17:00", "days": ["workday"]}


def test_what_the_sheet_counts_is_what_the_proof_counts() -> None:
    night_before = {"extra": "夜班", "agent": "8001", "date": "2027-01-31"}
    about = house(roster([*CHANGES, night_before], requirements=[ASKED]), **LEVELS)
    page = page_of(about, FEBRUARY)
    zone = about.hotline.zone
    instants = [instant(dt.datetime.combine(day, dt.time()), zone) for day in (MONTH[0], dt.date(2027, 3, 1))]
    proof = coverage(about, Roster.of(about), *instants)
    seen = 0
    for group, level in zip(page.groups, (1, 2), strict=True):
        for part in segments(page, group):
            for number, date in enumerate(MONTH):
                need = needed(group, number, part)
                begins = instant(dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=part.begins), zone)
                cover = next(one for one in proof if one.level == level and one.begins <= begins < one.ends)
                if need is None:
                    assert cover.want == 0
                else:
                    assert (need.need, need.want) == (cover.need, cover.want)
                    assert have(page, group, number, part) == cover.have, (group.label, part, date)
                    seen += 1
    assert seen > 250


def test_totals_are_those_of_the_proof() -> None:
    about = house(roster())
    page = page_of(about, FEBRUARY)
    ends = [instant(dt.datetime.combine(day, dt.time()), about.hotline.zone) for day in (MONTH[0], dt.date(2027, 3, 1))]
    for person in page.people:
        found = totals(page, person)
        found_duties = Roster.of(about).of_agent(person.number, *ends)
        duties = [one for one in found_duties if one.date in MONTH and not one.backup]
        hours = sum((other - first).total_seconds() for one in duties for first, other in one.stretches()) / 3600
        assert found.hours == pytest.approx(hours, abs=0.02)
        assert found.days + found.rest + found.leave == 28


# --- edited -----------------------------------------------------------------------------------------------------------

SHIFT = st.sampled_from(["早班", "中班", "夜班", "夜备", "长班"])
WANT = st.one_of(
    st.just(Want()),
    st.lists(SHIFT, min_size=1, max_size=2, unique=True).map(lambda names: Want(WORDS.ordered(names))),
    st.sampled_from(["annual", "sick", "lieu"]).map(lambda kind: Want(leave=kind)),  # type: ignore[arg-type]
)
AGENT = st.sampled_from(sorted(NAMES))
DAY_OF = st.integers(3, 9).map(lambda number: MONTH[number])
"""Few, so that what is edited often is what a change of the roster concerns."""
EDITS = st.dictionaries(st.tuples(AGENT, DAY_OF), WANT, max_size=8)


def _swap(one: str, other: str, first: dt.date, second: dt.date) -> dict[str, Any]:
    return {"swap": {one: first.isoformat(), other: second.isoformat()}}


@st.composite
def change(draw: st.DrawFn) -> dict[str, Any]:
    agent, date = draw(AGENT), draw(DAY_OF)
    last = min(date + dt.timedelta(days=draw(st.integers(0, 5))), MONTH[-1])
    other = draw(AGENT.filter(lambda one: one != agent))
    said: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"leave": "annual", "from": date, "to": last},
                {"leave": "annual", "from": date, "to": last, "cover": other},
                {"leave": "sick", "from": f"{date} 09:00", "to": f"{last} 23:30"},
                {"extra": "夜班", "date": date},
                {"shifts": ["中班"], "from": date, "to": last},
                {"off": True, "date": date},
                {"team": "甲班", "from": date, "to": last},
            ]
        )
    )
    return draw(st.sampled_from([{**said, "agent": agent}, _swap(agent, other, date, last)]))


ROSTER = st.lists(change(), max_size=5).map(lambda changes: roster([*changes]))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=ROSTER, edits=EDITS)
def test_what_is_edited_and_that_alone_is_what_the_roster_then_says(
    file: RosterFile, edits: dict[tuple[str, dt.date], Want]
) -> None:
    words = words_of(file)
    page = page_of(house(file), FEBRUARY)
    found = grids(page, words)
    assert read(found, words).cells == {}
    for (number, date), want in edits.items():
        found[0].cells[at_of(found[0], number, date)] = Cell(words.write(want))
    first, last = FEBRUARY - dt.timedelta(days=8), MONTH[-1] + dt.timedelta(days=8)
    before = wants(file, first, last)
    wanted = merge(read(found, words), before, NAMES, words)
    assert wanted == {cell: want for cell, want in edits.items() if before[cell] != want}
    try:
        after = changed(file, solve(file, Calendar(file.calendar), wanted))
    except NotSaid:
        assert any(one.times for one in file.changes)  # hours of somebody's leave hang on the cell
        return
    assert wants(after, first, last) == before | edits


@pytest.mark.parametrize(
    ("number", "date", "want", "entries"),
    [
        ("8005", 1, Want(("早班",)), [{"extra": "早班", "agent": "8005", "date": "2027-02-01"}]),  # it earns time off
        ("0804", 7, Want(("夜班",)), []),  # the extra shift stays, and no other
        ("8003", 25, Want(leave="lieu"), [{"leave": "lieu", "agent": "8003", "date": "2027-02-25"}]),
    ],
)
def test_a_cell_takes_few_words(number: str, date: int, want: Want, entries: list[dict[str, Any]]) -> None:
    answer = solve(FILE, Calendar(), {(number, MONTH[date - 1]): want})
    said = [entry_of(change) for change in answer.add]
    assert [one for one in said if "off" not in one] == entries


def test_leave_on_days_in_a_row_is_one_line_and_a_day_cut_out_leaves_two() -> None:
    wanted = {("8005", MONTH[day]): Want(leave="annual") for day in (20, 21, 22, 24)}
    answer = solve(FILE, Calendar(), wanted)
    assert [entry_of(one) for one in answer.add] == [
        {"leave": "annual", "agent": "8005", "from": "2027-02-21", "to": "2027-02-23"},
        {"leave": "annual", "agent": "8005", "date": "2027-02-25"},
    ]
    answer = solve(FILE, Calendar(), {("8001", MONTH[5]): Want(("早班",))})
    [pieces] = answer.instead.values()
    assert [(entry["from"], entry["to"], entry["cover"], entry["note"]) for entry in map(entry_of, pieces)] == [
        ("2027-02-03", "2027-02-05", "8005", "春节"),
        ("2027-02-07", "2027-02-12", "8005", "春节"),
    ]


# --- as people fill it in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("早", Want(("早班",))),
        (" 早班　", Want(("早班",))),
        ("早＋夜", Want(("早班", "夜班"))),
        ("夜、早", Want(("早班", "夜班"))),
        ("夜班 / 早班", Want(("早班", "夜班"))),
        ("早\u200b", Want(("早班",))),
        ("", Want()),
        ("休息", Want()),
        ("OFF", Want()),
        ("－", Want()),
        ("年假", Want(leave="annual")),
        ("al", Want(leave="annual")),
        ("调 休", Want(leave="lieu")),
    ],
)
def test_words_are_read_as_people_write_them(text: str, want: Want) -> None:
    assert WORDS.read(text) == want


@pytest.mark.parametrize(
    ("text", "says"),
    [("早夜", "早+夜"), ("早搬", "早？"), ("早+病", "hotline roster leave"), ("早+早", "一次"), ("二线", "早")],
)
def test_what_means_nothing_is_told_with_the_likeliest_word(text: str, says: str) -> None:
    with pytest.raises(NoMeaning) as error:
        WORDS.read(text)
    assert says in error.value.fix


NAME = st.text("早中夜休年A1+ 班", min_size=1, max_size=4).map(str.strip).filter(bool)


@given(names=st.lists(NAME, unique=True, min_size=1))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_roster_has_short_words_that_say_which_shift(names: list[str]) -> None:
    shifts = {name: FILE.shifts["中班"] for name in names}
    if len({bare(name) for name in names}) < len(names):
        return  # two names that nobody can tell apart
    words = Vocabulary(shifts, chinese=True)
    reserved = {"休", "年"}
    for name in names:
        if bare(name) not in reserved:
            assert words.read(words.write(Want((name,)))) == Want((name,)), (name, words.shorts)


# --- the roster has changed since -------------------------------------------------------------------------------------


def _filled(edits: Iterable[tuple[str, int, str]]) -> list[Grid]:
    found = sheet()
    for number, day, text in edits:
        found[0].cells[at_of(found[0], number, MONTH[day - 1])] = Cell(text)
    return found


def test_only_cells_that_were_edited_count_when_the_roster_has_changed() -> None:
    later = wants(roster([*CHANGES, {"shifts": ["夜班"], "agent": "8005", "date": "2027-02-02"}]), MONTH[0], MONTH[-1])
    reading = read(_filled([("8003", 10, "夜")]))
    assert merge(reading, later, NAMES, WORDS) == {("8003", MONTH[9]): Want(("夜班",))}


def test_a_cell_that_both_changed_is_told_and_nothing_is_taken() -> None:
    later = wants(roster([*CHANGES, {"shifts": ["夜班"], "agent": "8005", "date": "2027-02-02"}]), MONTH[0], MONTH[-1])
    with pytest.raises(Refused) as refused:
        merge(read(_filled([("8003", 10, "夜"), ("8005", 2, "早")])), later, NAMES, WORDS)
    [problem] = refused.value.problems
    assert problem.code == "sheet-conflict" and all(word in problem.what for word in ("8005", "休", "夜", "早"))
    # The same change twice is none.
    assert merge(read(_filled([("8005", 2, "夜")])), later, NAMES, WORDS) == {}


def test_a_shift_that_has_gone_since_matters_only_where_its_cell_was_edited() -> None:
    found = sheet()
    stamp = found[1]
    place = next(at for at, cell in sorted(stamp.cells.items()) if cell.text == "早" and at.row > 9)
    number = stamp.text(place.row, 1)
    date = MONTH[place.column - 2]
    stamp.cells[place] = found[0].cells[at_of(found[0], number, date)] = Cell("旧")
    assert read(found).cells == {}
    found[0].cells[at_of(found[0], number, date)] = Cell("夜")
    with pytest.raises(Refused):
        merge(read(found), BEFORE, NAMES, WORDS)
