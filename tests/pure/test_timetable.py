"""Service hours and what else changes by the clock, against a plain reading minute by minute."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from config.settings import Queue, RosterFile
from routing.calendar import Calendar
from routing.messages import Closed
from routing.roster import Roster
from routing.spans import EPOCH, MICROSECOND, microseconds
from routing.timetable import ServiceHours, Timetable, on_break

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
FIVES = st.integers(0, 287).map(lambda n: f"{n // 12:02}:{n % 12 * 5:02}")
WORDS = ["mon", "tue", "sat", "sun", "workday", "restday", "holiday", "festival", "makeup"]
HOURS = st.fixed_dictionaries(
    {"from": FIVES, "to": FIVES},
    optional={
        "days": st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
        "not_on": st.lists(st.sampled_from(WORDS), max_size=1),
        "dates": st.lists(st.dates(dt.date(2026, 9, 28), dt.date(2026, 10, 9)), min_size=1, max_size=2),
    },
)


def queue(hours: list[dict[str, Any]]) -> Queue:
    return Queue.model_validate({"label": "q", "skill": "a", "hours": hours})


def plainly_open(one: Queue, calendar: Calendar, wall: dt.datetime) -> bool:
    """As a person reads it."""
    for hours in one.hours:
        for date in (wall.date() - DAY, wall.date()):
            begins, ends = (dt.datetime.combine(date, time) for time in (hours.start, hours.end))
            said = date in hours.dates or calendar.fits(date, hours.days) or not (hours.days or hours.dates)
            said = said and not calendar.fits(date, hours.not_on)
            if said and begins <= wall < (ends if ends > begins else ends + DAY):
                return True
    return not one.hours


@settings(max_examples=60, deadline=None)
@given(st.lists(HOURS, max_size=3), st.integers(0, 12 * 288))
@example([{"from": "08:00", "to": "20:00", "days": ["workday"]}], 0)
def test_a_queue_is_open_when_its_hours_say_so(hours: list[dict[str, Any]], start: int) -> None:
    """Over China's National Day, with its make-up workdays."""
    one, calendar = queue(hours), Calendar(())
    service = ServiceHours({"q": one}, calendar, SHANGHAI)
    first = dt.datetime(2026, 9, 26, tzinfo=SHANGHAI) + start * 5 * MINUTE
    plain = [plainly_open(one, calendar, (first + n * 5 * MINUTE).replace(tzinfo=None)) for n in range(3 * 288)]
    for n in range(0, 288, 7):
        at = first + n * 5 * MINUTE
        found = service.closed(at).get("q")
        assert (found is None) == plain[n]
        after = [plain[later] for later in range(n, len(plain))]
        change = next((later for later, is_open in enumerate(after) if is_open != plain[n]), None)
        if found is not None:
            assert found.since <= microseconds(at)
            if change is not None:
                assert found.opens == microseconds(at + change * 5 * MINUTE)
        if change is not None:
            assert service.next_change(at) == microseconds(at + change * 5 * MINUTE)


def test_since_when_it_is_closed_and_until_when() -> None:
    one = queue([{"from": "09:00", "to": "18:00", "days": ["workday"]}])
    service = ServiceHours({"q": one}, Calendar(()), SHANGHAI)
    friday = dt.datetime(2026, 11, 27, tzinfo=SHANGHAI)
    evening = service.closed(friday + dt.timedelta(hours=20))["q"]
    assert evening.since == microseconds(friday + dt.timedelta(hours=18))
    assert evening.opens == microseconds(friday + dt.timedelta(days=3, hours=9))
    assert service.closed(friday + dt.timedelta(hours=18))["q"] == evening, "closed from its end on"
    assert service.closed(friday + dt.timedelta(hours=9)) == {}, "open from its beginning on"


@pytest.mark.parametrize("hours, opens", [
    ([{"from": "09:00", "to": "18:00", "dates": ["2027-01-04"]}], dt.datetime(2027, 1, 4, 9, tzinfo=SHANGHAI)),
    ([{"from": "09:00", "to": "18:00", "dates": ["2020-01-04"]}], None),
])  # fmt: skip
def test_a_queue_that_opens_in_weeks_or_never(hours: list[dict[str, Any]], opens: dt.datetime | None) -> None:
    service = ServiceHours({"q": queue(hours)}, Calendar(()), SHANGHAI)
    found = service.closed(dt.datetime(2026, 11, 25, tzinfo=SHANGHAI))["q"]
    assert found == Closed(0, microseconds(opens) if opens else 0)


ROSTER = {
    "shifts": {
        "日班": {"from": "09:00", "to": "18:00", "breaks": [{"from": "12:00", "to": "13:00"}]},
        "夜备": {"from": "18:00", "to": "09:00", "backup": True, "ring": ["mobile"]},
    },
    "rules": [{"shift": "日班", "agents": ["8001"]}, {"shift": "夜备", "agents": ["8002"]}],
}


def test_a_day_at_the_desk_by_the_clock_alone() -> None:
    roster = Roster.compile(RosterFile.model_validate(ROSTER), SHANGHAI)
    table = Timetable({"q": queue([{"from": "10:00", "to": "17:00"}])}, roster)
    at = dt.datetime(2026, 11, 25, 8, tzinfo=SHANGHAI)
    seen: list[tuple[str, list[str], list[str], list[str]]] = []
    while at < dt.datetime(2026, 11, 26, 1, tzinfo=SHANGHAI):
        now = table.standing(at)
        words = [f"{agent}{' backup' if line.backup else ''}" for agent, line in now.duty.items()]
        seen.append((f"{at.astimezone(SHANGHAI):%d %H:%M}", words, sorted(now.closed), sorted(on_break(roster, at))))
        later = table.next_change(at)
        assert table.standing(later - MICROSECOND) == now, "nothing changes before it says so"
        at = later
    assert seen == [
        ("25 08:00", ["8002 backup"], ["q"], []),
        ("25 09:00", ["8001"], ["q"], []),
        ("25 10:00", ["8001"], [], []),
        ("25 12:00", [], [], ["8001"]),
        ("25 13:00", ["8001"], [], []),
        ("25 17:00", ["8001"], ["q"], []),
        ("25 18:00", ["8002 backup"], ["q"], []),
        ("26 00:00", ["8002 backup"], ["q"], []),
    ]
    noon = dt.datetime(2026, 11, 25, 12, 30, tzinfo=dt.UTC) - 8 * dt.timedelta(hours=1)
    shift, until = on_break(roster, noon)["8001"]
    assert (shift.shift, until) == ("日班", dt.datetime(2026, 11, 25, 13, tzinfo=SHANGHAI))
    assert EPOCH + table.standing(noon).duty.get("8001", (0,))[0] * MICROSECOND == EPOCH, "nobody on a break is rung"
