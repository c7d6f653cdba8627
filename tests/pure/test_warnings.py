"""What is warned of when: gaps ahead, people who are missing, callers whom nobody serves; once, whatever clocks do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from hypothesis import given, settings, strategies as st

from routing.coverage import Gap
from routing.roster import Duty
from routing.waiting import Waiting
from routing.warnings import AHEAD, GONE, REPEAT, Facts, Memory, Seen, due

T = dt.datetime(2027, 2, 6, 3, 0, tzinfo=dt.UTC)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
GAP = Gap("complaint", 1, T, T + 3 * HOUR, 0, 0, 1, True)


def duty(begins: dt.datetime = T, **about: Any) -> Duty:
    whole = {"agent": "8001", "shift": "夜班", "begins": begins, "ends": begins + 8 * HOUR, "until": begins + 8 * HOUR,
             "date": begins.date(), "backup": False, "devices": (), "breaks": (), "why": "pattern",
             "instead_of": ""}  # fmt: skip
    return Duty(**{**whole, **about})


def codes(now: dt.datetime, facts: Facts, memory: Memory, steady: float = 0.0) -> list[str]:
    return [one.code for one in due(now, steady, facts, memory)]


def test_a_gap_is_told_a_day_ahead_and_two_hours_ahead_and_when_it_begins() -> None:
    facts, memory = Facts([GAP]), Memory()
    told = []
    for minutes in range(-27 * 60, 4 * 60):
        now = T + minutes * MINUTE
        told += [(minutes / 60, one.code) for one in due(now, 0.0, facts, memory)]
    assert told == [(-24, "gap_ahead"), (-2, "gap_ahead"), (0, "gap_now")]


def test_a_gap_that_comes_into_being_late_is_told_once_for_how_near_it_is() -> None:
    memory = Memory()
    assert codes(T - HOUR, Facts([GAP]), memory) == ["gap_ahead"]
    assert codes(T - HOUR, Facts([GAP]), memory) == []
    assert codes(T - HOUR, Facts([replace(GAP, refuses=False)]), Memory()) == []  # backups make up for it


def test_a_gap_is_told_again_when_it_changed_or_came_back_and_not_for_an_edit_of_something_else() -> None:
    memory = Memory()
    longer, shorter = replace(GAP, ends=T + 5 * HOUR), replace(GAP, begins=T + HOUR)
    other = replace(GAP, queue="inquiry")
    assert codes(T - HOUR, Facts([GAP]), memory) == ["gap_ahead"]
    assert codes(T - HOUR, Facts([GAP, other]), memory) == ["gap_ahead"]  # the other alone
    assert codes(T - HOUR, Facts([longer]), memory) == ["gap_ahead"]
    assert codes(T - HOUR, Facts([shorter]), memory) == ["gap_ahead"]
    assert codes(T - HOUR, Facts([]), memory) == []
    assert codes(T - HOUR, Facts([shorter]), memory) == ["gap_ahead"]  # mended and broken again
    outside = Facts([], T + 2 * HOUR)  # the clock was stepped: nobody looked there
    assert codes(T - HOUR, outside, memory) == codes(T - HOUR, Facts([shorter]), memory) == []


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    before = Memory()
    told = due(T - 3 * HOUR, 0.0, Facts([GAP]), before)
    assert codes(T - 3 * HOUR, Facts([GAP]), Memory(dict.fromkeys(one.key for one in told))) == []


def test_a_gap_without_a_known_beginning_is_told_once_a_day() -> None:
    memory, told = Memory(), 0
    for hours in range(24 * 3):
        now = T + hours * HOUR
        begins = now - dt.timedelta(days=1)  # where the looking began
        told += len(codes(now, Facts([replace(GAP, begins=begins, ends=now + HOUR)], begins), memory))
    assert told == 4  # the dates it touched


@settings(max_examples=60)
@given(st.lists(st.integers(-6 * 60, 6 * 60), max_size=40), st.integers(-30 * 60, 0))
def test_whatever_the_clock_does_each_stage_of_a_gap_is_told_at_most_once_and_not_missed(
    steps: list[int], start: int
) -> None:
    memory, told = Memory(), []
    now = T + start * MINUTE
    for step in steps:
        now += step * MINUTE
        told += [one.key for one in due(now, 0.0, Facts([GAP]), memory)]
        if GAP.begins - AHEAD[-1] <= now < GAP.ends:
            assert told  # it is near: somebody knows
    assert len(told) == len(set(told)) <= 3


def test_who_has_not_signed_in_ten_minutes_into_the_shift_is_missed_once() -> None:
    memory, told = Memory(), []
    facts = Facts(duties=[duty()], agents={"8001": Seen("off", "", True)})
    for second in range(0, 3600, 10):
        told += [(second, dict(one.params)) for one in due(T + second * dt.timedelta(seconds=1), second, facts, memory)]
    assert [(second, params["why"]) for second, params in told] == [(600, "off")]


def test_a_phone_that_is_gone_for_a_moment_is_not_missed_and_one_that_stays_away_is() -> None:
    memory, told = Memory(), []
    for second in range(0, 3600, 10):
        gone = second in range(1000, 1060) or second >= 2000
        facts = Facts(duties=[duty()], agents={"8001": Seen("ready", "", not gone)})
        told += [second for _one in due(T + second * dt.timedelta(seconds=1), second, facts, memory)]
    assert told == [2000 + GONE]


def test_backups_need_not_sign_in_and_who_talks_is_there() -> None:
    assert not codes(T + HOUR, Facts(duties=[duty(backup=True)], agents={"8001": Seen("off", "", True)}), Memory())
    memory = Memory()
    facts = Facts(duties=[duty()], agents={"8001": Seen("talking", "", False)})
    assert not codes(T + HOUR, facts, memory) and not codes(T + HOUR, facts, memory, GONE)
    gone = Facts(duties=[duty()], agents={"8001": Seen("off", "signed_out", True)})
    assert not due(T + HOUR, 0.0, gone, memory)
    assert [one.params["why"] for one in due(T + HOUR, GONE, gone, memory)] == ["signed_out"]


def test_callers_whom_nobody_serves_are_told_of_again_and_again_but_seldom() -> None:
    memory, told = Memory(), []
    for second in range(0, 3600, 10):
        facts = Facts(waiting=[Waiting("complaint", 2, float(second), 0), Waiting("inquiry", 5, float(second), 1)])
        told += [(second, one.params["queue"]) for one in due(T, float(second), facts, memory)]
    assert told == [(20 + n * REPEAT, "complaint") for n in range(4)]
