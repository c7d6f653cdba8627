"""The daily edits of the roster's text: each says exactly what was asked, and nothing else changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from config.problems import Refused
from config.roster_edit import (
    changes_of,
    concerning,
    extra_entry,
    leave_entry,
    set_shifts,
    shifts_entry,
    swap_entry,
    with_changes,
    without_day,
)

ROSTER = """\
# 排班表 · the roster
shifts:
  早班: {from: "06:00", to: "14:00"}   # by day
  夜班: {from: "22:00", to: "06:00"}
rules:
  - {shift: 早班, agents: [8001, 8002]}

# 变动 · changes
changes:
  - {leave: annual, agent: 8011, from: 2027-02-17, to: 2027-02-19, cover: 8003, note: 春节休假}   # three days
  - {shifts: [早班, 夜班], agent: 8003, date: 2027-02-17}
  # a week off
  - {off: true, agent: 8001, from: 2027-03-01, to: 2027-03-07}
  - {swap: {8001: 2027-02-06, 8005: 2027-02-08}}

calendar:
  - {date: 2027-02-06, is: festival, name: 春节}
"""
REST = ROSTER[ROSTER.index("\ncalendar") :]
FIRST = dt.date(2027, 2, 1)


def added(text: str) -> list[str]:
    """The lines that are new in it."""
    assert text.startswith(ROSTER[: -len(REST)]) and text.endswith(REST)
    return [line.strip() for line in text[len(ROSTER) - len(REST) : -len(REST)].splitlines()]


def test_each_edit_is_one_line() -> None:
    day = dt.date(2027, 2, 6)
    add = [
        leave_entry("8011", day, day + dt.timedelta(days=1), kind="sick", cover="8003", note="感冒: 两天"),
        leave_entry("8011", dt.datetime(2027, 2, 9, 14), dt.datetime(2027, 2, 9, 18)),
        swap_entry("8001", day, "8005", dt.date(2027, 2, 8)),
        extra_entry("8003", day, "夜班"),
        shifts_entry("8003", day, ["早班", "夜班"], note="加班"),
        shifts_entry("0108", day, []),
    ]
    assert added(with_changes(ROSTER, add=add)) == [
        '- {leave: sick, agent: 8011, from: 2027-02-06, to: 2027-02-07, cover: 8003, note: "感冒: 两天"}',
        "- {leave: annual, agent: 8011, from: 2027-02-09 14:00, to: 2027-02-09 18:00}",
        "- {swap: {8001: 2027-02-06, 8005: 2027-02-08}}",
        "- {extra: 夜班, agent: 8003, date: 2027-02-06}",
        "- {shifts: [早班, 夜班], agent: 8003, date: 2027-02-06, note: 加班}",
        "- {off: true, agent: 0108, date: 2027-02-06}",
    ]  # fmt: skip


def test_what_concerns_an_agent_on_a_day_is_found_with_its_line() -> None:
    def lines(agent: str, month: int, day: int) -> list[int]:
        return [one.line for one in concerning(ROSTER, agent, dt.date(2027, month, day))]

    assert lines("8011", 2, 17) == lines("8011", 2, 19) == [10] and lines("8011", 2, 20) == []
    assert lines("8003", 2, 17) == [10, 11] and lines("8003", 2, 18) == [10]
    assert lines("8001", 2, 6) == lines("8005", 2, 6) == lines("8001", 2, 8) == [14]
    assert [one.line for one in concerning(ROSTER, "8003", dt.date(2027, 2, 17), "shifts")] == [11]


def test_a_change_for_several_days_is_taken_back_for_one() -> None:
    (leave,) = concerning(ROSTER, "8011", dt.date(2027, 2, 18))
    text = without_day(ROSTER, leave, dt.date(2027, 2, 18))
    said = "{{leave: annual, agent: 8011, date: 2027-02-{}, cover: 8003, note: 春节休假}}"
    first, last = (f"  - {said.format(day)}" for day in (17, 19))
    assert text == ROSTER.replace(ROSTER.splitlines()[9], f"{first}\n{last}   # three days")
    assert text.count("cover: 8003, note: 春节休假") == 2 and "# 变动" in text
    (swap,) = concerning(ROSTER, "8001", dt.date(2027, 2, 6))
    assert "swap" not in without_day(ROSTER, swap, dt.date(2027, 2, 6))


def plainly(text: str) -> dict[tuple[str, dt.date], tuple[str, ...]]:
    """What ``shifts`` and ``off`` say, day by day."""
    said = {}
    for one in changes_of(text):
        if one.change.kind == "shifts" and one.change.agent and one.change.days:
            date, last = one.change.days
            while date <= last:
                assert (one.change.agent, date) not in said, "said twice"
                said[one.change.agent, date] = one.change.shifts or ()
                date += dt.timedelta(days=1)
    return said


cells = st.tuples(st.sampled_from(["8001", "8003"]), st.integers(0, 40).map(lambda n: FIRST + dt.timedelta(days=n)))
shifts: st.SearchStrategy[Sequence[str] | None] = st.sampled_from([None, (), ("早班",), ("早班", "夜班")])


@given(st.dictionaries(cells, shifts, max_size=12))
@settings(max_examples=20, deadline=None)
def test_a_sheet_of_cells_is_what_the_file_then_says(wanted: dict[tuple[str, dt.date], Sequence[str] | None]) -> None:
    text = set_shifts(ROSTER, wanted)
    expected = plainly(ROSTER)
    for cell, said in wanted.items():
        expected.pop(cell, None)
        if said is not None:
            expected[cell] = tuple(said)
    assert plainly(text) == expected
    assert set_shifts(text, wanted) == text
    if all(plainly(ROSTER).get(cell) == (None if said is None else tuple(said)) for cell, said in wanted.items()):
        assert text == ROSTER
    others = [one.values for one in changes_of(ROSTER) if one.change.kind != "shifts"]
    assert [one.values for one in changes_of(text) if one.change.kind != "shifts"] == others


def test_a_file_with_mistakes_is_refused_with_their_lines() -> None:
    with pytest.raises(Refused) as refused:
        changes_of(ROSTER.replace("off: true", "of: true"))
    assert refused.value.problems[0].place.line == 13
