"""The roster's answers, against a plain minute-by-minute reading of the file."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from routing.roster import Roster
from routing.spans import instant, microseconds
from tests.pure.roster_play import DAY, MINUTE, ODD_DAYS, WEEKDAYS, files, minutes, roster_file

SHANGHAI = ZoneInfo("Asia/Shanghai")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_like_a_minute_by_minute_reading(data: st.DataObject) -> None:
    zone_name, around = data.draw(st.sampled_from(ODD_DAYS))
    zone, file = ZoneInfo(zone_name), data.draw(files(around))
    roster = Roster.compile(file, zone)
    on = minutes(file, zone, around - DAY, 3)
    times = sorted(on)[1440:]
    last = times[-1]
    whole = roster.spans(times[0] - 5 * DAY, last + 5 * DAY)
    edges = {edge.astimezone(dt.UTC) for one in whole for edge in (one.begins, one.ends, *sum(one.breaks, ()))}
    painted = {at: (set(), set()) for at in times}  # type: ignore[var-annotated]
    for one in whole:
        for place, parts in enumerate((((one.begins, one.ends),), one.stretches())):
            for begins, ends in parts:
                minute = max(begins.astimezone(dt.UTC), times[0])
                while minute < ends.astimezone(dt.UTC) and minute <= last:
                    painted[minute][place].add((one.agent, one.shift, one.date))
                    minute += MINUTE
    assert painted == {at: (on[at].working, on[at].there) for at in times}
    for at in data.draw(st.lists(st.sampled_from(times), min_size=12, max_size=12)):
        duties, lines = roster.on_duty(at), roster.lines(at)
        assert [duty.agent for duty in duties] == sorted({agent for agent, _, _ in on[at].there})
        for duty in duties:
            assert (duty.agent, duty.shift, duty.date) in on[at].there
            own = [name for agent, name, _ in on[at].there if agent == duty.agent]
            assert duty.backup == all(file.shifts[name].backup for name in own)
            assert duty.begins <= at < duty.ends <= duty.until
            assert any(begins <= at < ends for begins, ends in duty.stretches())
            until = at
            while until <= last and any(agent == duty.agent for agent, _, _ in on[until].working):
                until += MINUTE
            assert duty.until.astimezone(dt.UTC) == until or until > last
            assert lines[duty.agent] == (microseconds(duty.begins), duty.backup, duty.devices)
        assert roster.begun(at) == {duty.agent: microseconds(duty.begins) for duty in duties}
        later = at + MINUTE
        while later <= last and on[later] == on[at]:
            later += MINUTE
        change = roster.next_change(at)
        assert change == min((edge for edge in edges if edge > at), default=None) or (change and change > last)
        assert later > last or (change and change <= later)
    some, more = sorted(data.draw(st.lists(st.sampled_from(times), min_size=2, max_size=2, unique=True)))
    seen = {one for at, found in on.items() if some <= at < more for one in found.working}
    spans = roster.spans(some, more)
    assert {(one.agent, one.shift, one.date) for one in spans} == seen
    assert spans == tuple(sorted(spans, key=lambda one: (one.begins.astimezone(dt.UTC), one.agent)))
    for agent in {one.agent for one in spans}:
        assert sorted(roster.of_agent(agent, some, more)) == sorted(one for one in spans if one.agent == agent)
        assert len(roster.by_agent(some, more)[agent]) == sum(one.agent == agent for one in spans)
    begun = [one.begins for one in whole if one.begins > times[0]]
    if begun:
        assert {one.begins for one in roster.next_on_duty(times[0])} == {min(begun)}


FILE = roster_file(
    shifts={"day": {"from": "06:00", "to": "22:00"}, "night": {"from": "22:00", "to": "06:00"},
            "whole": {"from": "08:00", "to": "08:00"}},
    rules=[
        {"shift": "day", "days": ["mon", "tue", "wed", "thu", "fri"], "agents": ["8001"]},
        {"shift": "night", "days": ["fri"], "agents": ["8001", "8002"]},
        {"shift": "whole", "days": ["sat", "sun"], "agents": ["8003"]},
    ],
    changes=[
        {"date": "2026-02-17", "agent": "8001", "off": True},
        {"date": "2026-02-18", "agent": "8004", "shifts": ["whole"]},
    ],
)  # fmt: skip


def at(text: str, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def names(roster: Roster, text: str) -> list[str]:
    return [duty.agent for duty in roster.on_duty(at(text))]


def test_a_night_shift_belongs_to_the_day_it_begins_and_ends_half_open() -> None:
    roster = Roster.compile(FILE, SHANGHAI)
    assert names(roster, "2026-02-20 21:59") == ["8001"]  # a Friday
    assert names(roster, "2026-02-20 22:00") == ["8001", "8002"]
    assert names(roster, "2026-02-21 05:59") == ["8001", "8002"]
    assert names(roster, "2026-02-21 06:00") == []
    assert names(roster, "2026-02-22 07:59") == names(roster, "2026-02-22 08:00") == ["8003"]
    assert names(roster, "2026-02-23 08:00") == ["8001"]


def test_spans_begin_with_the_night_shift_that_is_still_on() -> None:
    spans = Roster.compile(FILE, SHANGHAI).spans(at("2026-02-21 05:59"), at("2026-02-21 08:01"))
    assert [(one.agent, one.shift) for one in spans] == [("8001", "night"), ("8002", "night"), ("8003", "whole")]


def test_shifts_that_meet_are_one_duty() -> None:
    roster = Roster.compile(FILE, SHANGHAI)
    (duty,) = roster.on_duty(at("2026-02-20 12:00"))
    assert (duty.shift, duty.ends, duty.until) == ("day", at("2026-02-20 22:00"), at("2026-02-21 06:00"))
    (duty,) = roster.on_duty(at("2026-02-21 12:00"))
    assert (duty.ends, duty.until) == (at("2026-02-22 08:00"), at("2026-02-23 08:00"))


def test_a_change_takes_the_place_of_the_pattern() -> None:
    roster = Roster.compile(FILE, SHANGHAI)
    assert names(roster, "2026-02-17 12:00") == []
    assert names(roster, "2026-02-18 12:00") == ["8001", "8004"]
    assert roster.next_change(at("2026-02-16 22:00")) == at("2026-02-18 06:00")
    assert [one.agent for one in roster.next_on_duty(at("2026-02-16 22:00"))] == ["8001"]
    assert roster.next_change(at("2026-02-16 21:59:59.999999")) == at("2026-02-16 22:00")


@pytest.mark.parametrize("year", [2, 1582, 1900, 2026, 2100, 9997])
def test_any_year(year: int) -> None:
    roster = Roster.compile(FILE, SHANGHAI)
    for day in range(1, 9):
        when = dt.datetime(year, 3, day, 12, tzinfo=SHANGHAI)
        expected = ["8003"] if when.weekday() > 4 else ["8001"]
        assert [duty.agent for duty in roster.on_duty(when)] == expected
        assert roster.next_change(when) is not None


def test_a_rule_holds_from_its_first_date_to_its_last_both_included() -> None:
    rule = {"shift": "night", "days": list(WEEKDAYS), "agents": ["8001"], "from": "2026-03-02", "to": "2026-03-04"}
    roster = Roster.compile(roster_file(shifts=FILE.shifts, rules=[rule]), SHANGHAI)
    begun = [duty.begins for duty in roster.spans(at("2026-02-01 00:00"), at("2026-04-01 00:00"))]
    assert begun == [at("2026-03-02 22:00"), at("2026-03-03 22:00"), at("2026-03-04 22:00")]


def test_an_empty_roster_wakes_at_the_date_it_names_or_never() -> None:
    one = {"shift": "s", "days": ["wed"], "agents": ["8001"]}
    shifts = {"s": {"from": "10:00", "to": "11:00"}}
    far = Roster.compile(roster_file(shifts=shifts, rules=[{**one, "from": "2040-01-01"}]), SHANGHAI)
    assert far.next_change(at("2026-01-01 00:00")) == at("2040-01-04 10:00")
    past = Roster.compile(roster_file(shifts=shifts, rules=[{**one, "to": "2020-01-01"}]), SHANGHAI)
    assert past.next_change(at("2026-01-01 00:00")) is None
    assert past.next_on_duty(at("2026-01-01 00:00")) == ()
    assert past.on_duty(at("2026-01-01 00:00")) == ()
    off = [{"date": f"2026-01-{day:02}", "agent": "8001", "off": True} for day in (7, 14, 21, 28)]
    leave = Roster.compile(roster_file(shifts=shifts, rules=[one], changes=off), SHANGHAI)
    assert leave.next_change(at("2026-01-01 00:00")) == at("2026-02-04 10:00")
    once = Roster.compile(roster_file(shifts=shifts, rules=[one], changes=off[:1]), SHANGHAI)
    for day in range(1, 14):
        assert once.next_change(at(f"2026-01-{day:02} 12:00")) == at("2026-01-14 10:00")


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        Roster.compile(FILE, SHANGHAI).on_duty(dt.datetime(2026, 1, 1))


@given(st.sampled_from(ODD_DAYS), st.integers(-1440, 2880))
@example(("Europe/Berlin", dt.date(2026, 3, 29)), 150)
def test_a_wall_time_is_the_first_instant_that_shows_it_or_later(odd: tuple[str, dt.date], minute: int) -> None:
    zone, wall = ZoneInfo(odd[0]), dt.datetime.combine(odd[1], dt.time()) + minute * MINUTE
    found = instant(wall, zone)
    assert found.astimezone(zone).replace(tzinfo=None) >= wall
    for back in (1, 61, 60 * 24 + 1):
        assert (found - back * dt.timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall


def test_the_same_instant_in_any_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    roster = Roster.compile(FILE, zone)
    when = at("2026-10-23 23:30", zone)
    assert roster.on_duty(when) == roster.on_duty(when.astimezone(dt.UTC)) == roster.on_duty(when.astimezone(SHANGHAI))
