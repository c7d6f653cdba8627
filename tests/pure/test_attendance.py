"""Attendance by the roster in force then: a month computed by hand, and a reading of every minute."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from routing.attendance import (
    ALWAYS,
    MINUTE,
    Attended,
    Past,
    Person,
    Presence,
    Version,
    attended,
    people,
    presence,
    taken,
)
from routing.spans import instant, microseconds
from tests.pure.roster_play import ODD_DAYS, files, roster_file

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 60 * MINUTE
SHIFTS = {
    "行政": {"from": "09:00", "to": "18:00", "breaks": [{"from": "12:00", "to": "13:00"}]},
    "夜班": {"from": "22:00", "to": "06:00"},
}


def at(text: str, zone: ZoneInfo = ZONE) -> int:
    return microseconds(instant(dt.datetime.fromisoformat(text), zone))


def version(since: int = ALWAYS, **parts: Any) -> Version:
    whole: dict[str, Any] = {"shifts": SHIFTS, "rules": [{"shift": "行政", "days": ["workday"], "agents": [8001]}]}
    return Version(since, roster_file(**{**whole, **parts}), ZONE, "CN")


def there(*spans: tuple[str, str]) -> Presence:
    found = tuple((at(begins), at(ends)) for begins, ends in spans)
    return Presence(found, found)


def one(past: Past, date: str, agent: str = "8001") -> Attended:
    day = dt.date.fromisoformat(date)
    (found,) = (each for each in attended(past, day, day) if each.agent == agent)
    return found


def minutes(*lengths: int) -> list[int]:
    return [length // MINUTE for length in lengths]


def test_a_week_by_hand() -> None:
    """2026-11-23 is a Monday. 行政: 09:00–18:00 without 12:00–13:00, so 8 h."""
    past = Past([version()], {"8001": there(
        ("2026-11-23 08:58", "2026-11-23 18:01"),  # there
        ("2026-11-24 09:20", "2026-11-24 18:00"),  # 20 min late
        ("2026-11-25 09:03", "2026-11-25 12:00"),  # within the grace; home at noon: 13–18 is missing
        ("2026-11-26 09:00", "2026-11-26 10:00"), ("2026-11-26 10:30", "2026-11-26 18:00"),  # half an hour away
    )}, now=at("2026-11-28 00:00"))  # fmt: skip
    found = {each.date.day: each for each in attended(past, dt.date(2026, 11, 23), dt.date(2026, 11, 29))}
    assert list(found) == [23, 24, 25, 26, 27]
    figures = {day: minutes(each.worked, each.late, each.early, each.away) for day, each in found.items()}
    assert figures == {
        23: [480, 0, 0, 0], 24: [460, 20, 0, 0], 25: [177, 0, 300, 3], 26: [450, 0, 0, 30], 27: [0, 0, 0, 0],
    }  # fmt: skip
    assert [each.absent for each in found.values()] == [False, False, False, False, True]
    (person,) = people(found.values(), dt.date(2026, 11, 23), dt.date(2026, 11, 29), dt.date(2026, 11, 23), {}, {}, {})
    assert person == Person("8001", 5, 40.0, (480 + 460 + 177 + 450) / 60, 0.0, 1, 20 / 60, 1, 5.0, 1)


def test_time_off_in_lieu_by_hand() -> None:
    """2027-02-06 (正月初一) is a festival, a Saturday; so are the 5th (除夕) and the 7th and 8th. Of the night shift of
    the 8th 2 h are on that day, the last of them."""
    past = Past([version(
        rules=[{"shift": "行政", "days": ["mon", "tue", "wed", "thu", "fri"], "agents": [8001]}],
        changes=[
            {"extra": "夜班", "agent": 8001, "date": "2027-02-08"},
            {"extra": "夜班", "agent": 8001, "date": "2027-02-19"},  # a Friday, 22:00 to Saturday 06:00
            {"leave": "lieu", "agent": 8001, "from": "2027-02-22", "to": "2027-02-28"},  # five days with a shift
            {"leave": "lieu", "agent": 8001, "from": "2027-02-16 14:00", "to": "2027-02-16 16:30"},
        ],
        lieu={"rates": {"workday": 1.5, "restday": 2.0, "festival": 3.0}, "day": 8, "opening": {8001: 10}},
    )], {"8001": there(("2027-02-01 00:00", "2027-03-01 00:00"))}, now=at("2027-03-01 00:00"))  # fmt: skip
    first, last = dt.date(2027, 2, 1), dt.date(2027, 2, 28)
    every = attended(past, first, last)
    earned = {(each.date.day, each.shift): round(each.earned, 6) for each in every if each.earned}
    assert earned == {
        (5, "行政"): 24.0,  # 除夕: 8 h of ordinary duty on a festival, times 3
        (8, "行政"): 24.0,  # 初三
        (8, "夜班"): 2 * 3.0 + 6 * 1.5,  # until midnight on the festival, then a Tuesday
        (19, "夜班"): 2 * 1.5 + 6 * 2.0,  # Friday, then Saturday
    }
    used = taken(past, first, last)
    assert used == {"8001": 5 * 8 + 2.5}
    (person,) = people(every, first, last, first, {"8001": 10.0}, used, used)
    assert round(person.balance, 6) == 10 + 24 + 24 + 15 + 15 - 42.5


def test_each_shift_is_judged_by_the_roster_in_force_when_it_ended() -> None:
    sick = {"leave": "sick", "agent": 8001, "date": "2026-11-24"}
    later = {"leave": "sick", "agent": 8001, "date": "2026-11-23"}
    past = Past(
        [version(), version(at("2026-11-24 09:30"), changes=[sick]), version(at("2026-11-25 10:00"), changes=[later])],
        {}, now=at("2026-11-26 00:00"),
    )  # fmt: skip
    found = attended(past, dt.date(2026, 11, 23), dt.date(2026, 11, 25))
    assert [(each.date.day, each.absent) for each in found] == [(23, True), (25, True)]  # the 24th is a sick leave


def test_a_sick_leave_from_noon_that_is_entered_at_noon_is_no_leaving_early() -> None:
    sick = {"leave": "sick", "agent": 8001, "from": "2026-11-24 12:00", "to": "2026-11-24 18:00"}
    past = Past([version(), version(at("2026-11-24 12:05"), changes=[sick])],
                {"8001": there(("2026-11-24 09:00", "2026-11-24 12:05"))}, now=at("2026-11-26 00:00"))  # fmt: skip
    found = one(past, "2026-11-24")
    assert minutes(found.planned, found.worked, found.early) == [180, 180, 0]


def test_while_no_daemon_ran_nobody_is_late() -> None:
    presence = {"8001": there(("2026-11-24 09:40", "2026-11-24 18:00"))}
    outage = (at("2026-11-24 08:00"), at("2026-11-24 09:38"))
    found = one(Past([version()], presence, [outage], at("2026-11-25 00:00")), "2026-11-24")
    assert (found.late, minutes(found.away)) == (0, [40])
    whole = (at("2026-11-24 08:00"), at("2026-11-24 19:00"))
    assert not one(Past([version()], {}, [whole], at("2026-11-25 00:00")), "2026-11-24").absent


def test_a_shift_that_goes_on_has_no_end_yet() -> None:
    past = Past([version()], {"8001": there(("2026-11-24 08:50", "2026-11-24 10:00"))}, now=at("2026-11-24 10:00"))
    found = one(past, "2026-11-24")
    assert (found.over, found.left, found.early, minutes(found.worked, found.away)) == (False, 0, 0, [60, 0])
    soon = Past([version()], {}, now=at("2026-11-24 09:04"))
    assert not one(soon, "2026-11-24").absent


def test_who_signs_in_before_the_shift_has_arrived_then() -> None:
    changes = [(at("2026-11-24 08:40"), False, True), (at("2026-11-24 09:00"), True, False),
               (at("2026-11-24 18:10"), False, False)]  # fmt: skip
    found = one(Past([version()], {"8001": presence(changes, at("2026-11-25 00:00"))}, now=at("2026-11-25 00:00")),
                "2026-11-24")  # fmt: skip
    assert (found.arrived, found.left) == (at("2026-11-24 08:40"), at("2026-11-24 18:10"))
    assert minutes(found.worked, found.late) == [480, 0]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ODD_DAYS), st.data())
def test_worked_late_early_and_away_are_what_a_reading_of_every_minute_gives(
    odd: tuple[str, dt.date], data: st.DataObject
) -> None:
    zone, around = ZoneInfo(odd[0]), odd[1]
    known = Version(ALWAYS, data.draw(files(around)), zone, "CN")
    start = microseconds(instant(dt.datetime.combine(around, dt.time()), zone)) - 24 * HOUR
    edges = sorted(data.draw(st.lists(st.integers(0, 72 * 6), max_size=12, unique=True)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    spans = tuple((start + a * 10 * MINUTE, start + b * 10 * MINUTE) for a, b in pairs)
    now = start + data.draw(st.integers(0, 100)) * HOUR
    seen = tuple((a, min(b, now)) for a, b in spans if a < now)
    past = Past([known], {agent: Presence(seen, seen) for agent in ("8001", "8002")}, now=now, grace=0)
    for each in attended(past, around, around):
        assert each.worked + each.late + each.early + each.away <= each.planned
        duty = [one for one in known.roster.of_agent(each.agent, dt.datetime.fromtimestamp(each.begins / 1e6, dt.UTC),
                                                     dt.datetime.fromtimestamp(each.ends / 1e6, dt.UTC))
                if one.shift == each.shift and one.date == each.date and not one.backup]  # fmt: skip
        planned = {minute for one in duty for begins, ends in one.stretches()
                   for minute in range(microseconds(begins) // MINUTE, microseconds(ends) // MINUTE)}  # fmt: skip
        assert len(planned) == each.planned // MINUTE
        mine = past.presence.get(each.agent, Presence()).there
        present = {minute for minute in planned if any(a <= minute * MINUTE < b for a, b in mine)}
        assert each.worked // MINUTE == len(present)
        so_far = {minute for minute in planned if minute * MINUTE < now}
        if present:
            first, last = min(present), max(present)
            assert each.late // MINUTE == sum(minute < first for minute in so_far)
            if each.over and each.left:
                assert each.early // MINUTE == sum(minute > last for minute in so_far)
        else:
            assert each.absent == bool(so_far) and not each.late and not each.early
