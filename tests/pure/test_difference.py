"""The difference in duty between two rosters: complete, and in words that a person can check at a glance."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from calllog.wording import Names
from config import catalogue
from config.roster_edit import file_of
from config.roster_file import RosterFile
from hotline.duty_words import duty_lines
from routing.difference import changed, window
from routing.roster import Roster

NAMES = Names({"8001": "张敏", "8003": "王芳", "8005": "刘洋"})
TODAY = dt.date(2027, 1, 20)
SHANGHAI = ZoneInfo("Asia/Shanghai")

ROSTER = """\
shifts:
  早班: {from: "06:00", to: "14:00"}
  夜班: {from: "22:00", to: "06:00"}
teams: {甲班: [8001, 8002], 乙班: [8003, 8004]}
rotations:
  两班: {start: 2027-01-01, cycle: [夜班, 早班, 休], teams: {甲班: 1, 乙班: 2}}
rules:
  - {shift: 早班, days: [mon], agents: [8005]}
changes:
  - {off: true, agent: 8003, date: 2027-02-08}
"""


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_chosen", "en")


def told(becomes: str, was: str = ROSTER) -> list[str]:
    return duty_lines(changed(file_of(was), file_of(becomes), "CN", TODAY), NAMES)


def more(*lines: str) -> str:
    return ROSTER + "".join(f"  - {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("becomes", "lines"),
    [
        (ROSTER + "# a comment\n", []),
        (
            more("{leave: annual, agent: 8001, date: 2027-02-06, cover: 8005}"),
            ["8001 张敏: 2027-02-06 Sat 夜班 22:00–06:00 → annual leave; covered by 8005 刘洋",
             "8005 刘洋: 2027-02-06 Sat + 夜班 22:00–06:00; covers for 8001 张敏"],
        ),
        (
            more("{leave: sick, agent: 8001, from: 2027-02-07 02:00, to: 2027-02-07 12:00}"),
            ["8001 张敏: 2027-02-06 Sat 夜班 22:00–06:00 → 夜班 22:00–02:00; sick leave",
             "8001 张敏: 2027-02-07 Sun 早班 06:00–14:00 → 早班 12:00–14:00; sick leave"],
        ),
        (
            more("{leave: lieu, agent: 8001, from: 2027-02-06, to: 2027-02-12}"),
            ["8001 张敏: 2027-02-06 Sat to 2027-02-12 Fri: 3 × 夜班, 2 × 早班 → time off in lieu"],
        ),
        (
            more("{swap: {8001: 2027-02-06, 8003: 2027-02-07}}"),
            ["8001 张敏: 2027-02-06 Sat 夜班 22:00–06:00 → off; swapped with 8003 王芳",
             "8003 王芳: 2027-02-06 Sat + 夜班 22:00–06:00; swapped with 8001 张敏"],
        ),
        (more("{extra: 夜班, agent: 8005, date: 2027-02-01}"),
         ["8005 刘洋: 2027-02-01 Mon + 夜班 22:00–06:00; extra duty"]),
        (more("{shifts: [早班], agent: 8001, date: 2027-02-06}"),
         ["8001 张敏: 2027-02-06 Sat 夜班 22:00–06:00 → 早班 06:00–14:00"]),
        (ROSTER[: ROSTER.index("changes:")],
         ["8003 王芳: 2027-02-08 Mon + 夜班 22:00–06:00; as by the pattern again"]),
        (
            more("{team: 甲班, agent: 8003, from: 2027-02-01, to: 2027-02-06}"),
            ["8003 王芳: 2027-02-01 Mon to 2027-02-06 Sat: 6 days change (夜班 −2, 早班 −2, 早班 +2, 夜班 +2);"
             " with 甲班 meanwhile"],
        ),
        (
            ROSTER.replace("[8003, 8004]", "[{agent: 8003, to: 2027-02-28}, 8004]")
            .replace("[8001, 8002]", "[8001, 8002, {agent: 8003, from: 2027-03-01}]"),
            ["8003 王芳: from 2027-03-01 Mon on: 21 days change (夜班 −7, 早班 −7, 夜班 +7, 早班 +7); now in 甲班"],
        ),
        (
            ROSTER.replace("agents: [8005]", "agents: [8001]"),
            ["8001 张敏: from 2027-01-25 Mon on: + 5 × 早班", "8005 刘洋: from 2027-01-25 Mon on: 8 × 早班 → off"],
        ),
        (
            ROSTER.replace('to: "14:00"', 'to: "15:00"'),
            ["早班: 06:00–14:00 → 06:00–15:00, from 2027-01-19 Tue on (5 people)"],
        ),
        (
            ROSTER.replace("乙班: 2}", "乙班: 1}"),
            ["8003 王芳: from 2027-01-19 Tue on: 61 days change (早班 −21, 夜班 −19, 夜班 +21, 早班 +21)",
             "8004: from 2027-01-19 Tue on: 62 days change (早班 −21, 夜班 −20, 夜班 +21, 早班 +21)"],
        ),
    ],
)  # fmt: skip
def test_it_is_said_in_a_line_or_two(becomes: str, lines: list[str]) -> None:
    assert told(becomes) == lines


def test_what_is_far_ahead_is_looked_at_and_what_is_endless_is_not() -> None:
    later = more("{leave: annual, agent: 8001, from: 2027-08-01, to: 2027-08-05}")
    assert told(later) == ["8001 张敏: 2027-08-02 Mon to 2027-08-05 Thu: 2 × 夜班, 1 × 早班 → annual leave"]
    assert window(file_of(ROSTER), file_of(later), TODAY)[1] == dt.date(2027, 8, 5)
    endless = more("{leave: other, agent: 8001, from: 2000-01-01, to: 9998-01-01}")
    first, last = window(file_of(ROSTER), file_of(endless), TODAY)
    assert (last - first).days < 500 and "leave" in told(endless)[0]


def test_many_changes_are_counted() -> None:
    other = file_of(ROSTER.replace("夜班, 早班, 休", "早班, 早班, 早班"))
    lines = duty_lines(changed(file_of(ROSTER), other, "CN", TODAY), NAMES, 1)
    assert len(lines) == 2 and lines[1].startswith("and ")


# --- complete ---------------------------------------------------------------------------------------------------------

agents = st.sampled_from(["8001", "8002", "8003", "8004", "8005"])
days = st.integers(0, 40).map(lambda n: (TODAY + dt.timedelta(days=n)).isoformat())
spans = st.tuples(days, days).map(sorted)
shifts = st.sampled_from(["早班", "夜班"])
changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda a, s, c: {"leave": "sick", "agent": a, "from": s[0], "to": s[1], "cover": c},
              agents, spans, agents),
    st.builds(lambda a, d: {"leave": "sick", "agent": a, "from": f"{d} 03:00", "to": f"{d} 12:00"}, agents, days),
    st.builds(lambda a, d, b, e: {"swap": {a: d, b: e}}, agents, days, agents, days)
    .filter(lambda change: len(change["swap"]) == 2),
    st.builds(lambda a, d, s: {"extra": s, "agent": a, "date": d}, agents, days, shifts),
    st.builds(lambda a, d, s: {"shifts": s, "agent": a, "date": d}, agents, days, st.lists(shifts, max_size=2)),
    st.builds(lambda a, s, t: {"team": t, "agent": a, "from": s[0], "to": s[1]}, agents, spans,
              st.sampled_from(["甲班", "乙班"])),
)  # fmt: skip


@st.composite
def rosters(draw: st.DrawFn) -> RosterFile:
    cycle = draw(st.lists(st.sampled_from(["早班", "夜班", "休"]), min_size=1, max_size=4))
    return RosterFile.model_validate({
        "shifts": {"早班": {"from": "06:00", "to": draw(st.sampled_from(["14:00", "15:00"]))},
                   "夜班": {"from": "22:00", "to": "06:00"}},
        "teams": {"甲班": ["8001", draw(agents)], "乙班": ["8003"]},
        "rotations": {"轮": {"start": "2027-01-01", "cycle": cycle, "teams": {"甲班": 1, "乙班": 2}}},
        "rules": [{"shift": "早班", "days": ["mon", "holiday"], "agents": [draw(agents)]}],
        "changes": draw(st.lists(changes, max_size=4)),
    })  # fmt: skip


def worked(file: RosterFile, first: dt.date, last: dt.date) -> Counter[tuple[str, str, dt.datetime, dt.datetime]]:
    begins, ends = (dt.datetime.combine(date, dt.time(), SHANGHAI) for date in (first, last + dt.timedelta(days=4)))
    found = Roster.compile(file, SHANGHAI).spans(begins - dt.timedelta(days=1), ends)
    return Counter({(one.agent, one.shift, one.begins, one.ends) for one in found if first <= one.date <= last})


@given(rosters(), rosters())
@settings(max_examples=25, deadline=None)
def test_everything_that_differs_is_counted_and_nothing_else(old: RosterFile, new: RosterFile) -> None:
    first, last = window(old, new, TODAY)
    before, after = worked(old, first, last), worked(new, first, last)
    found = changed(old, new, "CN", TODAY)
    lost, gained = Counter[str](), Counter[str]()
    for one in found:
        times = 1 if one.why == "shift" else len(one.agents)
        for shift, count in one.lost.items():
            lost[shift] += count * times
        for shift, count in one.gained.items():
            gained[shift] += count * times
        assert one.first <= one.days[0].date <= one.last and one.count >= len(one.days) > 0
        assert duty_lines([one], NAMES)
    assert +lost == Counter(shift for _agent, shift, *_times in (before - after).elements())
    assert +gained == Counter(shift for _agent, shift, *_times in (after - before).elements())
    assert changed(old, old, "CN", TODAY) == ()
