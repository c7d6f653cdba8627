"""The roster's answers, against a plain minute-by-minute reading of the file."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from config.settings import RosterFile
from routing.roster import DAY, WEEKDAYS, Roster, instant, microseconds

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = dt.timedelta(minutes=1)

ODD_DAYS = [
    ("Asia/Shanghai", dt.date(2026, 2, 17)),
    ("Asia/Shanghai", dt.date(2028, 2, 29)),  # a leap day
    ("Asia/Shanghai", dt.date(1986, 5, 4)),  # China had summer time
    ("Europe/Berlin", dt.date(2026, 3, 29)),  # 02:00 -> 03:00
    ("Europe/Berlin", dt.date(2026, 10, 25)),  # 03:00 -> 02:00
    ("America/Havana", dt.date(2026, 3, 8)),  # 00:00 -> 01:00
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),  # half an hour back
    ("Pacific/Apia", dt.date(2011, 12, 30)),  # a date that was left out
]
WALLS = ["00:00", "01:30", "02:00", "02:30", "03:00", "06:00", "14:00", "22:00", "23:59"]


def roster_file(**parts: Any) -> RosterFile:
    return RosterFile.model_validate(parts)


@st.composite
def files(draw: st.DrawFn, around: dt.date) -> RosterFile:
    near = st.integers(-5, 5).map(lambda days: around + days * DAY)
    shifts = {f"s{n}": {"from": draw(st.sampled_from(WALLS)), "to": draw(st.sampled_from(WALLS))} for n in range(4)}
    name, agent = st.sampled_from(sorted(shifts)), st.sampled_from(["8001", "8002", "8003"])
    weekly = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "shift": name,
                    "days": st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(sorted),
                    "agents": st.sets(agent, min_size=1).map(sorted),
                },
                optional={"from": near, "to": near},
            ),
            max_size=5,
        )
    )
    changes = draw(
        st.lists(
            st.fixed_dictionaries({"date": near, "agent": agent, "shifts": st.lists(name, max_size=2)}),
            max_size=4,
            unique_by=lambda change: (change["date"], change["agent"]),
        )
    )
    for change in changes:
        change["off"] = not change["shifts"]
    return roster_file(shifts=shifts, weekly=weekly, changes=changes)


def plain(file: RosterFile, date: dt.date) -> set[tuple[str, str]]:
    """Who works what on a date, read as a person reads the file."""
    changed = {change.agent: change.shifts for change in file.changes if change.date == date}
    found = {(agent, shift) for agent, shifts in changed.items() for shift in shifts}
    for rule in file.weekly:
        holds = (rule.since or date) <= date < (rule.until or dt.date.max)
        if holds and WEEKDAYS[date.weekday()] in rule.days:
            found |= {(agent, rule.shift) for agent in rule.agents if agent not in changed}
    return found


def minutes(
    file: RosterFile, zone: ZoneInfo, first: dt.date, days: int
) -> dict[dt.datetime, set[tuple[str, str, dt.date]]]:
    """Every minute of these days (UTC) and who is on which shift of which date then.

    The clock on the wall is followed as it runs; one that is put back shows nothing new until it has caught up.
    """
    at = dt.datetime.combine(first - 2 * DAY, dt.time(), dt.UTC)
    end = dt.datetime.combine(first + days * DAY, dt.time(), dt.UTC)
    shown = dt.datetime.min
    on: dict[dt.datetime, set[tuple[str, str, dt.date]]] = {}
    worked = {first + day * DAY: plain(file, first + day * DAY) for day in range(-4, days + 3)}
    while at < end:
        shown = max(shown, at.astimezone(zone).replace(tzinfo=None))
        on[at] = set()
        for date in (shown.date() - DAY, shown.date()):
            for agent, name in worked[date]:
                shift = file.shifts[name]
                ends = dt.datetime.combine(date if shift.end > shift.start else date + DAY, shift.end)
                if dt.datetime.combine(date, shift.start) <= shown < ends:
                    on[at].add((agent, name, date))
        at += MINUTE
    return on


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_like_a_minute_by_minute_reading(data: st.DataObject) -> None:
    zone_name, around = data.draw(st.sampled_from(ODD_DAYS))
    zone, file = ZoneInfo(zone_name), data.draw(files(around))
    roster = Roster.compile(file, zone)
    on = minutes(file, zone, around - DAY, 4)
    times = sorted(on)[2 * 1440 :]
    last = times[-1]
    for at in data.draw(st.lists(st.sampled_from(times), min_size=20, max_size=20)):
        duties = roster.on_duty(at)
        assert [duty.agent for duty in duties] == sorted({agent for agent, _, _ in on[at]})
        for duty in duties:
            assert duty.shift in {name for agent, name, _ in on[at] if agent == duty.agent}
            assert duty.begins <= at < duty.ends <= duty.until
            until = at
            while until <= last and any(agent == duty.agent for agent, _, _ in on[until]):
                until += MINUTE
            assert duty.until.astimezone(dt.UTC) == until or until > last
        assert roster.begun(at) == {duty.agent: microseconds(duty.begins) for duty in duties}
        later = at + MINUTE
        while later <= last and on[later] == on[at]:
            later += MINUTE
        change = roster.next_change(at)
        if later <= last:
            assert change == later
        else:
            assert change is None or change > last
        begun = later
        while begun <= last and on[begun] <= on[begun - MINUTE]:
            begun += MINUTE
        if begun <= last:
            coming = roster.next_on_duty(at)
            assert {(one.agent, one.shift) for one in coming} == {one[:2] for one in on[begun] - on[begun - MINUTE]}
            assert {one.begins.astimezone(dt.UTC) for one in coming} == {begun}
    some, more = sorted(data.draw(st.lists(st.sampled_from(times), min_size=2, max_size=2, unique=True)))
    seen = {one for at, found in on.items() if some <= at < more for one in found}
    spans = roster.spans(some, more)
    assert len(spans) == len(seen)
    assert {(one.agent, one.shift) for one in spans} == {one[:2] for one in seen}


FILE = roster_file(
    shifts={"day": {"from": "06:00", "to": "22:00"}, "night": {"from": "22:00", "to": "06:00"},
            "whole": {"from": "08:00", "to": "08:00"}},
    weekly=[
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


def test_a_rule_holds_from_its_first_date_up_to_its_last_which_is_no_longer_worked() -> None:
    rule = {"shift": "night", "days": list(WEEKDAYS), "agents": ["8001"], "from": "2026-03-02", "to": "2026-03-04"}
    roster = Roster.compile(roster_file(shifts=FILE.shifts, weekly=[rule]), SHANGHAI)
    begun = [duty.begins for duty in roster.spans(at("2026-02-01 00:00"), at("2026-04-01 00:00"))]
    assert begun == [at("2026-03-02 22:00"), at("2026-03-03 22:00")]


def test_an_empty_roster_wakes_at_the_date_it_names_or_never() -> None:
    one = {"shift": "s", "days": ["wed"], "agents": ["8001"]}
    shifts = {"s": {"from": "10:00", "to": "11:00"}}
    far = Roster.compile(roster_file(shifts=shifts, weekly=[{**one, "from": "2040-01-01"}]), SHANGHAI)
    assert far.next_change(at("2026-01-01 00:00")) == at("2040-01-04 10:00")
    past = Roster.compile(roster_file(shifts=shifts, weekly=[{**one, "to": "2020-01-01"}]), SHANGHAI)
    assert past.next_change(at("2026-01-01 00:00")) is None
    assert past.next_on_duty(at("2026-01-01 00:00")) == ()
    assert past.on_duty(at("2026-01-01 00:00")) == ()
    off = [{"date": f"2026-01-{day:02}", "agent": "8001", "off": True} for day in (7, 14, 21, 28)]
    leave = Roster.compile(roster_file(shifts=shifts, weekly=[one], changes=off), SHANGHAI)
    assert leave.next_change(at("2026-01-01 00:00")) == at("2026-02-04 10:00")
    once = Roster.compile(roster_file(shifts=shifts, weekly=[one], changes=off[:1]), SHANGHAI)
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
