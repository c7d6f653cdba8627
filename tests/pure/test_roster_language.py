"""What the roster's language says: the examples of docs/roster.md come out as the page says, and a year as by hand."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from config.check import Files, check
from config.load import load_settings
from config.settings import AgentFile, QueueFile, RosterFile
from routing.calendar import Calendar
from routing.pattern import Pattern
from routing.roster import Roster
from tests.pure.config_play import EXAMPLE
from tests.pure.roster_play import DAY, roster_file
from tests.pure.test_docs import blocks, text

SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = load_settings(EXAMPLE)
PAGE = "docs/roster.md"


def at(when: str, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    return dt.datetime.fromisoformat(when).replace(tzinfo=zone)


def on(roster: Roster, when: str) -> str:
    """Who is on duty, ``8001 早班, 8003 夜备 (backup)``."""
    return ", ".join(
        f"{one.agent} {one.shift}" + " (backup)" * one.backup for one in roster.on_duty(at(when, roster.zone))
    )


EXAMPLES = [YAML(typ="safe", pure=True).load(block) for kind, block in blocks(PAGE) if kind == "yaml"]


@pytest.mark.parametrize("tree", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_page_is_without_fault(tree: dict[str, Any]) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list) else value

    tree = plain(tree)
    roster = RosterFile.model_validate(tree) if "shifts" in tree else None
    agents = AgentFile.model_validate({"agents": {
        number: {"name": "x", "skills": ["inquiry", "complaint", "business", "general"],
                 "devices": [{"sip": number}, {"number": f"1380013{number}"}]}
        for number in BASE.agents.agents
    } | tree.get("agents", {})})  # fmt: skip
    queues = QueueFile.model_validate({"queues": BASE.queues.model_dump()["queues"] | tree.get("queues", {})})
    assert check(Files(hotline=BASE.hotline, agents=agents, queues=queues, roster=roster)) == []


def example(key: str) -> Roster:
    """The one example in which this word stands."""
    (found,) = [tree for tree in EXAMPLES if "shifts" in tree and re.search(key, str(tree))]
    return Roster.compile(RosterFile.model_validate(found), SHANGHAI)


def test_the_page_explains_what_comes_out() -> None:
    four = example("四班三运转")
    assert on(four, "2026-01-01 06:00") == "8001 早班, 8002 早班"
    assert on(four, "2026-01-01 14:00") == "8003 中班, 8004 中班"
    assert on(four, "2026-01-02 05:59") == "8005 夜班, 8006 夜班"
    for day, gone, come in (("2027-02-28", "8009", "8004"), ("2027-03-01", "8004", "8009")):
        cycle = [four.worked(dt.date.fromisoformat(day) + sign * n * DAY) for n in range(6)
                 for sign in ((-1,) if come == "8004" else (1,))]  # fmt: skip
        assert not any(gone in worked for worked in cycle) and any(come in worked for worked in cycle)
    rules = example("白班组")
    assert on(rules, "2026-10-10 10:00") == "8003 早班, 8004 早班, 8011 行政, 8012 行政"  # a Saturday that is worked
    assert on(rules, "2026-10-05 10:00") == "" and on(rules, "2026-11-25 12:30") == ""  # a holiday; the lunch break
    assert on(rules, "2027-02-05 13:00") == "8005 早班" and on(rules, "2027-02-08 13:00") == ""  # a Monday
    assert on(rules, "2027-02-08 05:00") == "8007 夜班" and on(rules, "2026-12-29 05:00") == "8008 夜班"
    dates = example("ordinary")
    assert [bool(on(dates, f"2027-{day} 12:00")) for day in ("02-12", "02-15", "02-20", "02-21", "03-08")] == [
        False, True, True, False, True,
    ]  # fmt: skip
    leave = example("annual")
    assert [on(leave, f"2027-02-{day} 23:00") for day in (16, 17, 19, 20)] == [
        "8002 夜班", "8003 夜班", "8003 夜班", "8002 夜班",
    ]  # fmt: skip
    assert [on(leave, f"2027-02-17 {hour}:00") for hour in ("07", "08", "09", "10")] == [
        "8001 早班", "8004 早班", "8004 早班", "8001 早班",
    ]  # fmt: skip
    assert on(leave, "2027-02-22 07:00") == ""
    swap = example("swap")
    assert on(swap, "2027-02-06 07:00") == "8005 早班" and on(swap, "2027-02-08 07:00") == "8001 早班"
    assert on(swap, "2027-02-13 07:00") == "8001 早班"
    extra = example("extra")
    assert on(extra, "2027-02-07 03:00") == "8003 夜班" and on(extra, "2027-02-17 15:00") == "8002 中班, 8003 中班"
    assert "8002" not in extra.worked(dt.date(2027, 2, 18)) and on(extra, "2027-01-31 07:00") == "8002 早班"
    assert on(extra, "2027-01-31 15:00") == "8001 中班, 8003 中班" and on(extra, "2027-02-01 15:00") == "8003 中班"
    backup = example("夜备")
    assert on(backup, "2027-01-01 21:00") == "8002 夜班, 8003 夜备 (backup)"
    assert backup.lines(at("2027-01-01 21:00"))["8002"].devices == ("mobile", "desk")
    assert all(re.search(word, text(PAGE)) for word in ("8005 works 早班 on Saturday the 6th", "8009 takes the place"))


def test_a_year_of_four_teams_and_forty_people_as_by_hand() -> None:
    teams = {name: [f"{8000 + 10 * place + one}" for one in range(10)] for place, name in enumerate("甲乙丙丁")}
    file = roster_file(
        shifts={"早": {"from": "06:00", "to": "14:00"}, "中": {"from": "14:00", "to": "22:00"},
                "夜": {"from": "22:00", "to": "06:00"}},
        teams=teams,
        rotations={"四班三运转": {"start": "2026-01-01", "cycle": ["早", "早", "中", "中", "夜", "夜", "休", "休"],
                                  "teams": {"甲": 1, "乙": 3, "丙": 5, "丁": 7}}},
    )  # fmt: skip
    roster = Roster.compile(file, SHANGHAI)
    year = [one for one in roster.spans(at("2026-01-01 00:00"), at("2027-01-01 00:00"))]
    # 365 days are 45 cycles, in each of which everybody works each shift twice, and five days of the next:
    # 甲 早早中中夜, 乙 中中夜夜休, 丙 夜夜休休早, 丁 休休早早中.
    by_hand = {
        "甲": {"早": 92, "中": 92, "夜": 91}, "乙": {"早": 90, "中": 92, "夜": 92},
        "丙": {"早": 91, "中": 90, "夜": 92}, "丁": {"早": 92, "中": 91, "夜": 90},
    }  # fmt: skip
    for team, agents in teams.items():
        for agent in agents:
            assert Counter(one.shift for one in year if one.agent == agent) == by_hand[team]
    assert len(year) == 10_950 and {one.ends - one.begins for one in year} == {dt.timedelta(hours=8)}
    festivals = Counter(one.agent[2] for one in year if roster.calendar.kind(one.date) == "festival")
    assert sum(festivals.values()) == 13 * 3 * 10
    spring = {shift: {one.agent for one in year if one.date == dt.date(2026, 2, 17) and one.shift == shift}
              for shift in "早中夜"}  # fmt: skip
    # The 48th day of the year stands at 48 % 8 = 0, the last of the cycle, for 甲.
    assert spring == {"早": set(teams["乙"]), "中": set(teams["丙"]), "夜": set(teams["丁"])}
    for hour in range(6, 365 * 24):
        assert len(roster.begun(at("2026-01-01 00:00") + dt.timedelta(hours=hour))) == 10


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 7), ("2026-03-29", 8), ("2026-10-24", 9)])
def test_a_night_in_which_the_clocks_change(night: str, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    file = roster_file(
        shifts={"night": {"from": "22:00", "to": "06:00"}, "early": {"from": "02:30", "length": "01:00"},
                "before": {"from": "22:00", "to": "02:30"}},
        rules=[{"shift": "night", "agents": ["8001"]}, {"shift": "before", "agents": ["8002"]},
               {"shift": "early", "agents": ["8003"]}],
    )  # fmt: skip
    roster = Roster.compile(file, berlin, "DE")
    one, other = (roster.spans(at(f"{night} 22:00", berlin), at(f"{night} 22:01", berlin)))
    assert one.ends.astimezone(dt.UTC) - one.begins.astimezone(dt.UTC) == dt.timedelta(hours=hours)
    following = [duty for duty in roster.of_agent("8003", one.begins, one.ends)]
    assert [duty.begins for duty in following] == [other.ends]  # they meet, whatever the clocks do


def file_with(changes: list[dict[str, Any]], **parts: Any) -> RosterFile:
    shifts = {"早": {"from": "06:00", "to": "14:00"}, "夜": {"from": "22:00", "to": "06:00"}}
    rules = [{"shift": "早", "agents": ["8001"]}, {"shift": "夜", "agents": ["8002"]}]
    return roster_file(**{"shifts": shifts, "rules": rules, "changes": changes, **parts})


def works(file: RosterFile, date: str) -> list[tuple[str, str, str, str]]:
    found = Pattern(file, Calendar(file.calendar)).works(dt.date.fromisoformat(date))
    return [(one.agent, one.shift, one.why, one.instead_of) for one in found]


def test_why_somebody_works() -> None:
    assert works(file_with([]), "2027-02-06") == [("8001", "早", "pattern", ""), ("8002", "夜", "pattern", "")]
    swap = {"swap": {"8001": "2027-02-06", "8002": "2027-02-06"}}
    assert works(file_with([swap]), "2027-02-06") == [("8001", "夜", "swap", "8002"), ("8002", "早", "swap", "8001")]
    leave = {"leave": "sick", "agent": "8001", "date": "2027-02-06", "cover": "8002"}
    assert works(file_with([leave]), "2027-02-06") == [("8002", "夜", "pattern", ""), ("8002", "早", "cover", "8001")]
    away = {"leave": "annual", "agent": "8002", "date": "2027-02-06"}
    assert works(file_with([leave, away]), "2027-02-06") == []
    assert works(file_with([leave | {"cover": "8001"}]), "2027-02-06") == [("8002", "夜", "pattern", "")]
    hours = {"leave": "sick", "agent": "8001", "from": "2027-02-06 08:00", "to": "2027-02-06 10:00", "cover": "8002"}
    assert ("8002", "早", "cover", "8001") in works(file_with([hours]), "2027-02-06")
    assert works(file_with([hours, away]), "2027-02-06") == [("8001", "早", "pattern", "")]
    extra = {"extra": "夜", "agent": "8001", "date": "2027-02-06"}
    assert works(file_with([leave, away, extra]), "2027-02-06") == [("8001", "夜", "extra", "")]
    assert works(file_with([{"shifts": ["夜"], "agent": "8001", "date": "2027-02-06"}, swap]), "2027-02-06") == [
        ("8001", "夜", "swap", "8002"), ("8002", "夜", "swap", "8001"),
    ]  # fmt: skip


def test_a_rotation_holds_to_its_last_day_and_counts_on_over_days_that_it_leaves_out() -> None:
    rotation = {"start": "2027-02-01", "cycle": ["早", "休"], "agents": {"8001": 2}, "to": "2027-02-12"}
    file = file_with([], rules=[], rotations={"r": rotation | {"not_on": ["festival"]}})
    pattern = Pattern(file, Calendar())
    worked = [day for day in range(1, 29) if pattern.worked(dt.date(2027, 2, day))]
    assert worked == [2, 4, 10, 12]  # the 5th to the 8th are the Spring Festival


def test_who_is_away() -> None:
    hours = {"leave": "sick", "agent": "8002", "from": "2027-02-06 23:00", "to": "2027-02-07 02:00", "note": "x"}
    whole = {"leave": "annual", "agent": "8001", "from": "2027-02-07", "to": "2027-02-08", "cover": "8002"}
    pattern = Pattern(file_with([hours, whole]), Calendar())
    away = {day: pattern.absences(dt.date(2027, 2, day)) for day in (5, 6, 7, 8, 9)}
    assert [sorted(away[day]) for day in (5, 6, 7, 8, 9)] == [[], ["8002"], ["8001", "8002"], ["8001"], []]
    (one,) = away[7]["8002"]
    assert (one.leave, one.change, one.cover, one.note) == ("sick", 0, "", "x") and one.times is not None
    (other,) = away[8]["8001"]
    assert (other.leave, other.change, other.cover, other.times) == ("annual", 1, "8002", None)


def test_a_leave_of_hours_into_the_next_morning_cuts_the_shift_in_two() -> None:
    hours = {"leave": "sick", "agent": "8002", "from": "2027-02-06 23:00", "to": "2027-02-07 02:00", "cover": "8001"}
    roster = Roster.compile(file_with([hours]), SHANGHAI)
    parts = roster.spans(at("2027-02-06 22:00"), at("2027-02-07 06:00"))
    assert [(one.agent, f"{one.begins:%H:%M}", f"{one.ends:%H:%M}", one.why) for one in parts] == [
        ("8002", "22:00", "23:00", "pattern"), ("8001", "23:00", "02:00", "cover"),
        ("8002", "02:00", "06:00", "pattern"),
    ]  # fmt: skip
    assert {one.date for one in parts} == {dt.date(2027, 2, 6)} and parts[0].until == parts[0].ends
    late = Roster.compile(file_with([hours | {"from": "2027-02-07 01:00"}]), SHANGHAI)  # on no date of the shift's own
    assert [one.agent for one in late.spans(at("2027-02-06 22:00"), at("2027-02-07 06:00"))] == ["8002", "8001", "8002"]


def test_of_two_shifts_at_once_the_first_line_counts_and_then_the_later() -> None:
    shifts = {"备": {"from": "07:00", "to": "09:00", "backup": True}, "早": {"from": "06:00", "to": "14:00"},
              "中": {"from": "08:00", "to": "10:00"}}  # fmt: skip
    file = file_with([], shifts=shifts, rules=[{"shift": name, "agents": ["8001"]} for name in shifts])
    roster = Roster.compile(file, SHANGHAI)
    assert [on(roster, f"2027-02-06 {hour}:30") for hour in ("07", "08", "10")] == ["8001 早", "8001 中", "8001 早"]
    assert not roster.lines(at("2027-02-06 07:30"))["8001"].backup


def test_breaks_come_every_day_of_a_long_shift_apart_and_cut_to_it() -> None:
    breaks = [{"from": "12:00", "to": "13:00"}, {"from": "12:30", "to": "13:30"}, {"from": "07:30", "to": "08:30"}]
    file = file_with([], shifts={"长": {"from": "08:00", "length": "29:00", "breaks": breaks}}, rules=[])
    found = file.shifts["长"].wall_breaks(dt.date(2027, 2, 6))
    assert [f"{begins:%d %H:%M}-{ends:%H:%M}" for begins, ends in found] == [
        "06 08:00-08:30", "06 12:00-13:30", "07 07:30-08:30", "07 12:00-13:00",
    ]  # fmt: skip


def test_two_rules_that_give_the_same_shift_are_seen_twice_and_worked_once() -> None:
    twice = [{"shift": "早", "agents": ["8001"]}, {"shift": "早", "days": ["sat"], "agents": ["8001"]}]
    file = file_with([], rules=twice)
    assert len(works(file, "2027-02-06")) == 2 and len(works(file, "2027-02-05")) == 1
    roster = Roster.compile(file, SHANGHAI)
    assert roster.worked(dt.date(2027, 2, 6)) == {"8001": ("早",)} and on(roster, "2027-02-06 07:00") == "8001 早"
