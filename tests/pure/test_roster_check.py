"""What the proof says of rosters that leave somebody alone, or ask of somebody what cannot be."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from routing.check import check
from routing.coverage import share_covered
from tests.pure.proof_play import EXAMPLE, NOW, ROUND, SHIFTS, codes, one_of, problems, proven, settings_of

EVENING = dt.datetime(2027, 2, 5, 17, tzinfo=NOW.tzinfo)


def change(**said: Any) -> dict[str, Any]:
    return {key.replace("since", "from").replace("until", "to"): value for key, value in said.items()}


# --- coverage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2026-11-25", "2027-01-29", "2027-09-14"])
def test_the_example_is_without_problems(day: str) -> None:
    now = dt.datetime.fromisoformat(f"{day}T09:00:00+08:00")
    assert [str(one) for one in check(EXAMPLE, now)] == []


def test_a_round_of_three_is_without_problems() -> None:
    assert problems() == []


def test_a_gap_says_when_who_is_missing_and_who_could_take_it() -> None:
    leave = change(leave="annual", agent="8003", since="2027-02-05", until="2027-02-06", note="春节")
    found = proven(settings_of(changes=[leave]))
    (gap,) = found.problems
    assert (gap.code, gap.place.key, gap.warning) == ("uncovered", "changes[0]", False)
    assert gap.what == (
        "2027-02-05 22:00 – 02-06 06:00, inquiry: 0 of 1; 8003 人3 is on leave (annual leave); no backup."
        " The same once more, on 2027-02-06."
    )
    # 8001 begins at 06:00 and 8002 ends at 22:00: neither would have rested
    assert gap.fix == "hotline roster extra 8004 2027-02-05 夜班 (free and rested then: 8004 人4, 8005 人5, 8006 人6)"
    assert [one.refuses for one in found.gaps] == [True, True]


@pytest.mark.parametrize(("rule", "why"), [
    ({"shift": "夜备", "agents": ["8004"]}, "backups: 1"),
    ({"shift": "夜班", "agents": ["8004"]}, ""),
])  # fmt: skip
def test_a_backup_makes_it_a_warning_and_a_second_one_no_problem(rule: dict[str, Any], why: str) -> None:
    sick = change(leave="sick", agent="8003", date="2027-02-05")
    found = problems([*ROUND, rule], changes=[sick])
    assert [(one.code, one.warning) for one in found] == ([("fewer-than-wanted", True)] if why else [])
    assert all(why in one.what for one in found)


def test_the_line_is_that_of_the_newest_change_that_takes_somebody_away() -> None:
    two = [*ROUND, {"shift": "夜班", "agents": ["8004"]}]
    away = [change(leave="sick", agent=agent, date="2027-02-05") for agent in ("8004", "8005", "8003")]
    gap = one_of(problems(two, changes=away), "uncovered")
    assert gap.place.key == "changes[2]" and "8003 人3, 8004 人4 are on leave (sick leave)" in gap.what


def test_who_is_missing_for_other_reasons() -> None:
    swapped = change(swap={"8003": "2027-01-20", "8004": "2027-01-22"})
    two = [{"shift": "夜班", "agents": ["8004"], "dates": ["2027-01-22"]}]
    asked = [{"queue": "inquiry", "need": 2, "dates": ["2027-01-22"], "from": "22:00", "to": "06:00"}]
    gap = one_of(problems([*ROUND, *two], changes=[swapped], requirements=asked), "too-few")
    assert "2027-01-22 22:00 – 01-23 06:00, inquiry: 1 of 2; 8004 人4 has swapped with 8003 人3;" in gap.what
    taken_off = change(off=True, agent="8001", date="2027-01-20")
    gap = one_of(problems(changes=[taken_off]), "uncovered")
    assert "06:00–14:00, inquiry: 0 of 1; 8001 人1 is taken off by a change; no backup." in gap.what
    lapsing = {"8002": {"skills": [{"skill": "inquiry", "to": "2027-01-31"}]}}
    found = problems(agents=lapsing)
    assert "the skill of 8002 人2 ended on 2027-01-31" in one_of(found, "uncovered").what
    assert one_of(found, "skill-lapses").place.key == "agents.8002.skills[0]"
    assert "14 shifts come after it, the first on 2027-02-01" in one_of(found, "skill-lapses").what
    assert "can answer no queue: the skill inquiry ended on 2027-01-31" in one_of(found, "skill-missing").what


def test_a_break_that_nobody_stands_in_for() -> None:
    office = [*ROUND, {"shift": "行政", "agents": ["8004", "8005"]}]
    asked = [{"queue": "inquiry", "need": 2, "from": "10:00", "to": "17:00"}]
    gap = one_of(problems(office, requirements=asked), "too-few")
    assert "2027-01-18 12:00–13:00, inquiry: 1 of 2; 8004 人4, 8005 人5 are on a break; no backup." in gap.what
    assert "The same 27 more times, the last on 2027-02-14." in gap.what
    assert gap.place.key == "requirements[0]" and "早班 (free" in gap.fix


def test_queues_levels_and_wants() -> None:
    rules = [*ROUND, {"shift": "早班", "agents": ["8004"]}]
    queues = {"inquiry": {}, "complaint": {"skill": "inquiry", "hours": [{"from": "08:00", "to": "18:00"}]}}
    asked = [{"queue": "inquiry", "need": 1, "want": 2}, {"queue": "complaint", "need": 1, "level": 3, "from": "08:00",
                                                          "to": "10:00", "days": ["mon"]}]  # fmt: skip
    found = problems(rules, queues=queues, requirements=asked, days=7)
    wanted = next(one for one in found if one.code == "fewer-than-wanted")
    level = one_of(found, "uncovered")
    assert wanted.warning and ", inquiry: 1 of 2 wanted; no more are planned; no backup." in wanted.what
    assert "complaint (level 3 and up): 0 of 1; 8001 人1, 8004 人4 have level 1 only; no backup." in level.what
    assert level.place.key == "requirements[1]"
    both = problems(ROUND[:2], queues={"inquiry": {}, "complaint": {"skill": "inquiry"}}, days=1)
    assert "all queues: 0 of 1; nobody is planned" in both[0].what
    assert problems(rules, requirements=[{"queue": "inquiry", "need": 0}]) == []


def test_nobody_ever_and_no_shift_at_all() -> None:
    never = problems([{"shift": "早班", "agents": ["8001"], "to": "2027-01-01"}], days=2)
    assert "2027-01-18 00:00 – 01-20 00:00 (all the time)" in one_of(never, "uncovered").what
    nobody = problems(agents={str(n): {"skills": ["other"]} for n in range(8001, 8007)}, days=1)
    assert "Nobody with the skill inquiry is free and rested then" in one_of(nobody, "uncovered").fix


def test_only_so_many_lines_of_a_kind() -> None:
    every_other = [{"shift": "早班", "agents": ["8001"], "dates": [f"2027-01-{day}"]} for day in range(18, 32, 2)]
    rules = [*ROUND[1:], *every_other]
    spans = [
        change(leave="sick", agent="8002", since=f"2027-01-{day} {13 + day % 9}:{day}", until=f"2027-01-{day} 23:59")
        for day in range(18, 32)
    ]
    found = [one for one in problems(rules, changes=spans) if one.code == "uncovered"]
    assert len(found) == 13 and found[-1].what.startswith("And ") and "--all" in found[-1].fix


# --- people -------------------------------------------------------------------------------------------------------


def test_two_places_at_once_also_over_midnight_and_24_hours() -> None:
    whole = [{"shift": "全天", "agents": ["8001"]}]
    over, clash = problems([*whole, {"shift": "夜班", "agents": ["8001"], "days": ["sun"]}])
    assert (over.code, clash.code, clash.place.key, clash.warning) == ("double-booked",) * 2 + ("rules[1]", False)
    assert "8001 人1 is on two shifts at once: 夜班 2027-01-17 22:00 – 01-18 06:00, and 全天 2027-01-18" in over.what
    assert "on two shifts at once: 全天 2027-01-24 00:00–24:00, and 夜班 2027-01-24 22:00 – 01-25 06:00" in clash.what
    assert "The same 3 more times, the last on 2027-02-14" in clash.what
    beside = problems([*whole, {"shift": "夜备", "agents": ["8001"], "days": ["sun"]}])
    assert codes(beside) == [("double-booked", "rules[0]"), ("double-booked", "rules[1]")]
    extra = change(extra="夜班", agent="8002", date="2027-01-20")
    late = {"夜班": {"from": "21:00", "to": "06:00"}}
    found = problems(shifts={**SHIFTS, **late}, changes=[extra])
    assert codes(found)[0] == ("double-booked", "changes[0]")
    assert problems([{"shift": "全天", "agents": ["8001"]}]) == []  # shifts that touch are no clash


def test_the_same_shift_from_two_lines() -> None:
    found = problems([*ROUND, {"shift": "早班", "agents": ["8001"], "days": ["sat"]}])
    assert [(one.code, one.warning) for one in found] == [("given-twice", True)]
    assert "Two lines give 早班 of 2027-01-23 to 8001 人1" in found[0].what


def test_too_little_rest() -> None:
    extra = change(extra="夜班", agent="8001", date="2027-01-20")
    found = problems(changes=[extra], limits={"rest": 11})
    first = found[0]
    assert codes(found) == [("too-little-rest", "changes[0]")]
    assert not first.warning and "8001 人1 has 8 h of rest between 早班 2027-01-20 06:00–14:00 and 夜班" in first.what
    assert "free and rested then: 8004 人4" in first.fix
    assert problems(changes=[extra], limits={"rest": 8}) == []
    touching = change(extra="中班", agent="8001", date="2027-01-20")  # sixteen hours in one: no rest in between
    assert "too-little-rest" in [one.code for one in problems(changes=[touching], limits={"rest": 11})]
    ill = change(leave="sick", agent="8001", since="2027-01-20 08:00", until="2027-01-20 09:00", cover="8004")
    assert problems(changes=[ill], limits={"rest": 11}) == []  # an hour of leave is not a rest


def test_long_weeks_and_days_in_a_row_are_warnings() -> None:
    found = problems(limits={"week": 44, "days_in_a_row": 6}, days=14)
    assert {(one.code, one.warning) for one in found} == {("long-week", True), ("days-in-a-row", True)}
    week = next(one for one in found if one.code == "long-week")
    assert "8001 人1 works 56 h in the week from 2027-01-18; more than 44 h. The same once more" in week.what
    assert problems(limits={"week": 56, "days_in_a_row": 366}, days=14) == []
    office = [*ROUND, {"shift": "行政", "agents": ["8004"], "days": ["mon", "tue", "wed", "thu", "fri"]}]
    assert problems(office, limits={"week": 56}) == []  # 40 h: breaks do not count
    standby = [*ROUND, {"shift": "夜备", "agents": ["8004"]}, {"shift": "行政", "agents": ["8004"], "days": ["mon"]}]
    assert problems(standby, limits={"rest": 11, "week": 56}) == []


def test_a_shift_that_rings_a_device_nobody_has() -> None:
    rules = [*ROUND[:2], {"shift": "手机", "agents": ["8003"]}]
    found = problems(rules)
    assert codes(found) == [("device-missing", "agents.8003.devices")]
    assert "rings mobile, and 8003 人3 has no such device (only desk). The same 28 more times" in found[0].what
    mobile = {"8003": {"devices": [{"sip": "8003"}, {"number": "13800138000"}]}}
    assert problems(rules, agents=mobile) == []


# --- lines that cannot be meant so --------------------------------------------------------------------------------


def test_swaps_that_do_not_match() -> None:
    day = {"shift": "早班", "agents": ["8004"], "dates": ["2027-01-20"]}
    without = problems([*ROUND, day], changes=[change(swap={"8004": "2027-01-21", "8001": "2027-01-20"})])
    assert ("swap-without-shift", "changes[0]") in codes(without)
    assert "8004 人4 has no shift on 2027-01-21" in one_of(without, "swap-without-shift").what
    onto = problems([*ROUND, day], changes=[change(swap={"8004": "2027-01-20", "8001": "2027-01-22"})])
    assert "8001 人1 works 早班 on 2027-01-20 already" in one_of(onto, "swap-onto-duty").what
    same = problems([*ROUND, day], changes=[change(swap={"8004": "2027-01-20", "8001": "2027-01-20"})])
    assert [(one.code, one.warning) for one in same] == [("change-without-effect", True)]
    assert problems(changes=[change(swap={"8001": "2027-01-20", "8002": "2027-01-20"})]) == []


def test_duty_on_leave() -> None:
    leave = change(leave="annual", agent="8004", since="2027-01-20", until="2027-01-22")
    extra = change(extra="早班", agent="8004", date="2027-01-21")
    found = problems([*ROUND, {"shift": "早班", "agents": ["8004"], "days": ["wed"]}], changes=[leave, extra])
    assert codes(found) == [("extra-on-leave", "changes[1]")]
    cover = change(leave="sick", agent="8001", date="2027-01-20", cover="8004")
    more = problems([*ROUND, {"shift": "早班", "agents": ["8004"], "days": ["thu"]}], changes=[leave, cover])
    assert ("cover-on-leave", "changes[1]") in codes(more) and "uncovered" in [one.code for one in more]
    on_duty = change(leave="sick", agent="8001", date="2027-01-20", cover="8005")
    again = problems([*ROUND, {"shift": "早班", "agents": ["8005"]}], changes=[on_duty])
    assert codes(again) == [("cover-on-duty", "changes[0]")]
    hours = change(leave="personal", agent="8004", since="2027-01-21 15:00", until="2027-01-21 17:00")
    assert "extra-on-leave" not in [one.code for one in problems(changes=[hours, extra])]


def test_leave_of_the_hours_after_midnight_is_the_reason_for_the_gap() -> None:
    hours = change(leave="sick", agent="8003", since="2027-02-06 00:00", until="2027-02-06 06:00")
    gap = one_of(problems(changes=[hours]), "uncovered")
    assert gap.place.key == "changes[0]" and "02-06 00:00" in gap.what
    assert "8003 人3 is on leave (sick leave)" in gap.what


@pytest.mark.parametrize("line", [
    change(leave="sick", agent="8003", since="2027-01-17 22:00", until="2027-01-18 06:00"),  # the night until now
    change(leave="annual", agent="8004", since="2027-01-15", until="2027-01-20"),  # with one shift, which is past
    change(leave="personal", agent="8004", since="2027-01-15 06:00", until="2027-01-20 06:00"),
])  # fmt: skip
def test_leave_that_is_partly_past_has_had_its_effect(line: dict[str, Any]) -> None:
    once = {"shift": "早班", "agents": ["8004"], "dates": ["2027-01-15"]}
    assert "change-without-effect" not in [one.code for one in problems([*ROUND, once], changes=[line])]
    before = {"shift": "早班", "agents": ["8004"], "dates": ["2027-01-14"]}
    found = [one.code for one in problems([*ROUND, before], changes=[line])]
    assert ("change-without-effect" in found) == (line["agent"] == "8004")


@pytest.mark.parametrize("line", [
    change(off=True, agent="8004", date="2027-01-20"),
    change(shifts=["早班"], agent="8001", since="2027-01-20", until="2027-01-22"),
    change(leave="annual", agent="8004", since="2027-01-20", until="2027-01-25"),
    change(leave="annual", agent="8001", since="2027-01-20 15:00", until="2027-01-20 18:00"),
    change(extra="早班", agent="8001", date="2027-01-20"),
    change(team="甲", agent="8006", since="2027-01-20", until="2027-01-22"),
])  # fmt: skip
def test_changes_without_effect(line: dict[str, Any]) -> None:
    found = problems(changes=[line], teams={"甲": ["8006"]})
    assert [(one.code, one.place.key, one.warning) for one in found] == [("change-without-effect", "changes[0]", True)]
    past = {key: value.replace("2027-01", "2026-12") if key in ("date", "from", "to") else value
            for key, value in line.items()}  # fmt: skip
    assert problems(changes=[past], teams={"甲": ["8006"]}) == []


def test_rules_and_requirements_that_never_apply() -> None:
    never = {"shift": "早班", "agents": ["8001"], "days": ["festival"], "from": "2027-03-01", "to": "2027-03-20"}
    weekday = {"queue": "inquiry", "need": 2, "days": ["restday"], "not_on": ["sat", "sun", "holiday"]}
    found = problems([*ROUND, never], requirements=[weekday])
    assert set(codes(found)) == {
        ("rule-never-applies", "rules[3]"), ("requirement-never-applies", "requirements[0]"),
        ("calendar-without-data", "calendar"),
    }  # fmt: skip
    over = {"shift": "早班", "agents": ["8001"], "dates": ["2026-01-01"]}
    past = {"shift": "早班", "agents": ["8001"], "to": "2026-12-31"}
    assert problems([*ROUND, over, past]) == []


def test_the_calendar_ends() -> None:
    by_kind = [*ROUND, {"shift": "早班", "agents": ["8004"], "days": ["workday"]}]
    assert "From 2027-01-01 on" in one_of(problems(by_kind), "calendar-without-data").what
    announced = [{"from": "2027-02-05", "to": "2027-02-11", "is": "holiday", "name": "春节"}]
    assert problems(by_kind, calendar=announced) == []
    by_law = [*ROUND, {"shift": "早班", "agents": ["8004"], "days": ["festival"]}]
    assert problems(by_law) == []


# --- against what is in force ---------------------------------------------------------------------------------------


def test_what_is_there_already_refuses_nothing_new() -> None:
    gap = change(leave="sick", agent="8003", date="2027-02-05")
    tired = change(extra="夜班", agent="8001", date="2027-01-20")
    before = settings_of(changes=[gap, tired], limits={"rest": 11})
    assert [one.warning for one in check(before, NOW)] == [False, False]
    other = change(leave="personal", agent="8005", date="2027-02-09")
    same = settings_of(changes=[tired, other, gap], limits={"rest": 11})
    assert [one.code for one in check(same, NOW, before) if not one.warning] == []
    assert {one.code for one in check(same, NOW, before)} >= {"uncovered", "too-little-rest"}
    more = change(leave="sick", agent="8003", date="2027-02-06")
    worse = settings_of(changes=[gap, tired, more], limits={"rest": 11})
    (refused,) = [one for one in check(worse, NOW, before) if not one.warning]
    assert (refused.code, refused.place.key) == ("uncovered", "changes[2]") and "2027-02-06 22:00" in refused.what


def test_a_change_far_ahead_is_proven_when_it_is_made() -> None:
    """NOW is in January: in May nobody looks at who wrote what."""
    before = settings_of()
    for line in (
        change(leave="annual", agent="8003", since="2027-05-06", until="2027-05-09"),
        change(off=True, agent="8003", date="2027-05-06"),
    ):
        refused = [one for one in check(settings_of(changes=[line]), NOW, before) if not one.warning]
        assert {one.code for one in refused} == {"uncovered"} and "2027-05-06" in refused[0].what
    day = "2027-05-06"
    both = [change(leave="annual", agent="8003", date=day), change(extra="夜班", agent="8004", date=day)]
    assert "uncovered" not in {one.code for one in check(settings_of(changes=both), NOW, before)}
    gone = [one for one in check(settings_of(changes=both[:1]), NOW, settings_of(changes=both)) if not one.warning]
    assert "uncovered" in {one.code for one in gone}  # also what is taken back


def test_from_the_instant_that_is_asked_on() -> None:
    gap = change(leave="sick", agent="8002", date="2027-02-05")
    (found,) = check(settings_of(changes=[gap]), EVENING)
    assert "2027-02-05 17:00–22:00" in found.what  # what has been is not told
    assert check(settings_of(changes=[gap]), EVENING + dt.timedelta(hours=5)) == []
    with pytest.raises(ValueError):
        check(settings_of(), NOW.replace(tzinfo=None))


# --- properties -------------------------------------------------------------------------------------------------------

SHIFT_NAMES = st.sampled_from(["早班", "中班", "夜班", "全天", "行政"])
RULES = st.lists(
    st.fixed_dictionaries({
        "shift": SHIFT_NAMES, "agents": st.just(["8001"]),
        "days": st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, max_size=4),
    }),
    min_size=1, max_size=3,
)  # fmt: skip
DAY = 1440


def minutes_worked(rules: list[dict[str, Any]], days: range) -> tuple[Counter[int], set[int], set[int]]:
    """Minutes from ``NOW`` on that 8001 is on a shift (how often) and works, and the days on which a shift begins."""
    on, breaks, begun = Counter[int](), set[int](), set[int]()
    for day in days:
        weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day % 7]
        for name in {rule["shift"] for rule in rules if weekday in rule["days"]}:
            begun.add(day)
            first, last = (60 * int(SHIFTS[name][key][:2]) for key in ("from", "to"))
            resting = range(720, 780) if name == "行政" else range(0)
            span = range(first, last if last > first else last + DAY)
            on.update(day * DAY + minute for minute in span)
            breaks.update(day * DAY + minute for minute in span if minute in resting)
    worked = {minute for minute in on if on[minute] > 1 or minute not in breaks}
    return on, worked, begun


@hypothesis_settings(max_examples=60, deadline=None)
@given(rules=RULES)
def test_what_is_asked_of_a_person_as_a_count_of_minutes_says(rules: list[dict[str, Any]]) -> None:
    found = problems(rules, days=14, limits={"rest": 11, "week": 40, "days_in_a_row": 3})
    on, worked, begun = minutes_worked(rules, range(-14, 18))
    there = [one.code for one in found]
    assert ("double-booked" in there) == any(on[minute] > 1 for minute in range(14 * DAY))
    duty = sorted(on)
    breaks = [(one, other) for one, other in pairwise(duty) if 0 <= other < 14 * DAY]
    assert ("too-little-rest" in there) == any(1 < other - one <= 11 * 60 for one, other in breaks)
    weeks = [sum(minute in worked for minute in range(week * 7 * DAY, (week + 1) * 7 * DAY)) for week in (0, 1)]
    if "double-booked" not in there:
        assert ("long-week" in there) == any(week > 40 * 60 for week in weeks)
    in_a_row = [day for day in begun if all(day + number in begun for number in range(4))]
    assert ("days-in-a-row" in there) == any(day + 3 >= 0 and day <= 14 for day in in_a_row)


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    away=st.lists(st.tuples(st.sampled_from(["8001", "8002", "8003"]), st.integers(19, 30)), min_size=1, max_size=3),
    more=st.lists(st.fixed_dictionaries({
        "shift": SHIFT_NAMES, "agents": st.sampled_from([["8004"], ["8005"]]),
        "days": st.lists(st.sampled_from(["mon", "wed", "sat"]), min_size=1, max_size=2),
    }), max_size=2),
)  # fmt: skip
def test_what_is_suggested_mends_it(away: list[tuple[str, int]], more: list[dict[str, Any]]) -> None:
    changes = [change(leave="sick", agent=agent, date=f"2027-01-{day}") for agent, day in away]
    rules = [*ROUND, *more]
    before = settings_of(rules, changes=changes, limits={"rest": 11})
    found = proven(before, days=16)
    for problem in found.problems:
        said = re.match(r"hotline roster extra (\d+) (\S+) (\S+) \(", problem.fix)
        if said is None:
            continue
        extra = change(extra=said[3], agent=said[1], date=said[2])
        after = proven(settings_of(rules, changes=[*changes, extra], limits={"rest": 11}), days=16, before=before)
        assert not after.errors
        assert share_covered(after.covers) > share_covered(found.covers)
