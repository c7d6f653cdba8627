"""Rosters drawn at random, and a reading of the file as a person reads it: date by date, minute by minute.

The reading shares nothing with ``routing`` but the calendar. It knows no spans and no instants: it follows the clock on
the wall and asks of every minute who works.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from config.settings import Change, RosterFile, Rotation, Rule, Shift
from routing.calendar import Calendar

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDS = (*WEEKDAYS, "workday", "restday", "holiday", "festival", "makeup")
AGENTS = ("8001", "8002", "8003", "8004")
TEAMS = ("t0", "t1")
SHIFTS = ("s0", "s1", "s2", "s3")

ODD_DAYS = [
    ("Asia/Shanghai", dt.date(2026, 2, 17)),  # the spring festival
    ("Asia/Shanghai", dt.date(2028, 2, 29)),  # a leap day
    ("Asia/Shanghai", dt.date(1986, 5, 4)),  # China had summer time
    ("Europe/Berlin", dt.date(2026, 3, 29)),  # 02:00 -> 03:00
    ("Europe/Berlin", dt.date(2026, 10, 25)),  # 03:00 -> 02:00
    ("America/Havana", dt.date(2026, 3, 8)),  # 00:00 -> 01:00
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),  # half an hour back
    ("Pacific/Apia", dt.date(2011, 12, 30)),  # a date that was left out
]
MARKS = (0, 29, 30, 59)
"""Minutes of the hour at which anything can begin or end: of those below, and those half an hour later."""

WALLS = ["00:00", "01:30", "02:00", "02:30", "03:00", "06:00", "10:00", "14:00", "22:00", "23:59"]


def roster_file(**parts: Any) -> RosterFile:
    return RosterFile.model_validate(parts)


@st.composite
def files(draw: st.DrawFn, around: dt.date) -> RosterFile:
    """Shifts, teams, rotations, rules, the calendar and every kind of change, within a few days of ``around``."""
    near = st.integers(-5, 5).map(lambda days: around + days * DAY)
    wall, agent, shift = st.sampled_from(WALLS), st.sampled_from(AGENTS), st.sampled_from(SHIFTS)
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True)
    moment = st.tuples(near, wall).map(lambda both: f"{both[0]} {both[1]}")

    def either(drawn: dict[str, Any]) -> dict[str, Any]:
        """Dates in order."""
        if "from" in drawn and "to" in drawn:
            drawn["from"], drawn["to"] = sorted((drawn["from"], drawn["to"]))
        return drawn

    spans = st.one_of(
        st.fixed_dictionaries({"from": wall, "to": wall}),
        st.fixed_dictionaries({"from": wall, "length": st.sampled_from(["00:30", "09:00", "24:00", "36:00", "72:00"])}),
    )
    breaks = st.lists(st.fixed_dictionaries({"from": wall, "to": wall}), max_size=2)
    shifts = {name: draw(spans) | {"breaks": draw(breaks), "backup": draw(st.booleans())} for name in SHIFTS}
    member = st.fixed_dictionaries({"agent": agent}, optional={"from": near, "to": near}).map(either)
    teams = {name: draw(st.lists(member, max_size=3, unique_by=lambda one: one["agent"])) for name in TEAMS}
    cycle = st.lists(st.one_of(shift, st.just("休"), st.lists(shift, max_size=2, unique=True)), min_size=1, max_size=5)
    rotation = st.fixed_dictionaries(
        {"start": near, "cycle": cycle},
        optional={
            "to": near, "not_on": words, "teams": st.dictionaries(st.sampled_from(TEAMS), st.integers(1, 5)),
            "agents": st.dictionaries(agent, st.integers(1, 5), max_size=2),
        },
    )  # fmt: skip
    some_agents = st.lists(agent, max_size=3, unique=True)
    rule = st.fixed_dictionaries(
        {"shift": shift, "agents": some_agents, "teams": st.lists(st.sampled_from(TEAMS), max_size=2, unique=True)},
        optional={"days": words, "dates": st.lists(near, max_size=3), "not_on": words, "from": near, "to": near},
    ).map(either)
    dates = st.fixed_dictionaries({"from": near, "to": near}).map(either)
    hours = st.fixed_dictionaries({"from": moment, "to": moment}).map(either)
    one_of: dict[str, st.SearchStrategy[dict[str, Any]]] = {
        "leave": st.tuples(
            st.one_of(dates, hours), st.fixed_dictionaries({"leave": st.just("annual")}, optional={"cover": agent})
        ),
        "extra": st.tuples(dates, shift.map(lambda name: {"extra": name})),
        "shifts": st.tuples(dates, st.lists(shift, max_size=2, unique=True).map(
            lambda names: {"shifts": names} if names else {"off": True})),
        "team": st.tuples(dates, st.sampled_from(TEAMS).map(lambda name: {"team": name})),
    }  # fmt: skip
    changes: list[dict[str, Any]] = []
    for kind, who in draw(st.lists(st.tuples(st.sampled_from(sorted(one_of)), agent), max_size=6, unique=True)):
        when, what = draw(one_of[kind])
        changes.append({"agent": who, **when, **what})
    if draw(st.booleans()):
        changes.append({"swap": draw(st.dictionaries(agent, near, min_size=2, max_size=2))})
    special = st.fixed_dictionaries(
        {"date": near, "is": st.sampled_from(["festival", "holiday", "makeup", "ordinary"])}
    )
    return roster_file(
        shifts=shifts, teams=teams, rotations={f"r{n}": draw(rotation) for n in range(draw(st.integers(0, 2)))},
        rules=draw(st.lists(rule, max_size=3)), changes=draw(st.permutations(changes)),
        calendar=draw(st.lists(special, max_size=2)),
    )  # fmt: skip


class Worked(NamedTuple):
    """A shift of a date, as it stands before leaves by the hour."""

    agent: str
    shift: str
    extra: bool = False


def covers(date: dt.date, change: Change) -> bool:
    """Whether a change by dates holds on this date."""
    first, last = (change.date, change.date) if change.date else (change.since, change.until)
    return first is not None and last is not None and first <= date <= last


def in_team(file: RosterFile, team: str, agent: str, date: dt.date) -> bool:
    lent = [change.team for change in file.changes if change.team and change.agent == agent and covers(date, change)]
    if lent:
        return team in lent
    return any(
        one.agent == agent and (one.since or date) <= date <= (one.until or date) for one in file.teams.get(team, ())
    )


def named(file: RosterFile, agent: str, date: dt.date) -> bool:
    """Whether rules that name the agent hold: not while they are lent to a team."""
    return not any(change.team and change.agent == agent and covers(date, change) for change in file.changes)


def by_rule(rule: Rule, date: dt.date, calendar: Calendar) -> bool:
    if (rule.since or date) > date or (rule.until or date) < date or calendar.fits(date, rule.not_on):
        return False
    return not (rule.days or rule.dates) or date in rule.dates or calendar.fits(date, rule.days)


def by_rotation(rotation: Rotation, number: int, date: dt.date, calendar: Calendar) -> tuple[str, ...]:
    if date < rotation.start or date > (rotation.until or date) or calendar.fits(date, rotation.not_on):
        return ()
    day, stands = rotation.start, number
    while day < date:
        day, stands = day + DAY, stands + 1
    while stands > len(rotation.cycle):
        stands -= len(rotation.cycle)
    return rotation.cycle[stands - 1]


def before_swaps(file: RosterFile, calendar: Calendar, agent: str, date: dt.date) -> set[str]:
    """The shifts of an agent on a date by the pattern, or by what is said instead of it."""
    of_agent = [change for change in file.changes if change.kind == "shifts" and change.agent == agent]
    said = [change for change in of_agent if covers(date, change)]
    if said:
        return {shift for change in said for shift in change.shifts or ()}
    found: set[str] = set()
    for rule in file.rules:
        people = any(in_team(file, team, agent, date) for team in rule.teams)
        if (people or (agent in rule.agents and named(file, agent, date))) and by_rule(rule, date, calendar):
            found.add(rule.shift)
    for rotation in file.rotations.values():
        numbers = [number for team, number in rotation.teams.items() if in_team(file, team, agent, date)]
        if agent in rotation.agents and named(file, agent, date):
            numbers.append(rotation.agents[agent])
        for number in numbers:
            found |= set(by_rotation(rotation, number, date, calendar))
    return found


def away(file: RosterFile, agent: str, date: dt.date) -> Change | None:
    """The leave of whole dates that this agent has on this date."""
    leaves = [one for one in file.changes if one.leave and one.agent == agent]
    return next((one for one in leaves if not isinstance(one.since, dt.datetime) and covers(date, one)), None)


def worked(file: RosterFile, calendar: Calendar, date: dt.date) -> set[Worked]:
    """Who works what on a date, before leaves by the hour."""
    usual = {agent: before_swaps(file, calendar, agent, date) for agent in AGENTS}
    swapped = {agent: set(shifts) for agent, shifts in usual.items()}
    for swap in [change.swap for change in file.changes if change.swap]:  # one at most, by two
        (one, first), (other, second) = swap.items()
        given = usual[one] if first == date else set()
        taken = usual[other] if second == date else set()
        swapped[one] = (set() if first == date else usual[one]) | taken
        swapped[other] = (set() if second == date else usual[other]) | given
    there = {agent: shifts for agent, shifts in swapped.items() if not away(file, agent, date)}
    found = {Worked(agent, shift) for agent, shifts in there.items() for shift in shifts}
    for agent, shifts in swapped.items():
        leave = away(file, agent, date)
        if leave and leave.cover and leave.cover != agent and not away(file, leave.cover, date):
            found |= {Worked(leave.cover, shift) for shift in shifts}
    for change in file.changes:
        if change.extra and covers(date, change):
            found.add(Worked(change.agent or "", change.extra, extra=True))
    return found


def at_minute(file: RosterFile, one: Worked, date: dt.date, wall: dt.datetime) -> Iterator[str]:
    """Who works this shift of this date at this minute of its wall time: its own agent, or who covers their hours."""

    def hours(agent: str) -> list[Change]:
        leaves = [each for each in file.changes if each.leave and each.agent == agent]
        return [each for each in leaves if isinstance(each.since, dt.datetime) and each.since <= wall < _end(each)]

    leaves = [] if one.extra else hours(one.agent)
    if not leaves:
        yield one.agent
    for leave in leaves:
        cover = leave.cover
        if cover and cover != one.agent and not away(file, cover, date) and not hours(cover):
            yield cover


def _end(change: Change) -> dt.datetime:
    assert isinstance(change.until, dt.datetime)
    return change.until


def on_break(shift: Shift, date: dt.date, wall: dt.datetime) -> bool:
    for one in shift.breaks:
        for day in range(-1, 5):
            begins, ends = (dt.datetime.combine(date + day * DAY, time) for time in (one.start, one.end))
            if begins <= wall < (ends if ends > begins else ends + DAY):
                return True
    return False


class Minute(NamedTuple):
    """Agent, shift and date of all shifts that are on, and of those that are not on a break."""

    working: frozenset[tuple[str, str, dt.date]]
    there: frozenset[tuple[str, str, dt.date]]


def minutes(file: RosterFile, zone: ZoneInfo, first: dt.date, days: int) -> dict[dt.datetime, Minute]:
    """Every minute of these days (UTC).

    The clock on the wall is followed as it runs; one that is put back shows nothing new until it has caught up.
    """
    calendar = Calendar(file.calendar)
    lists = {date: worked(file, calendar, date) for date in (first + day * DAY for day in range(-6, days + 3))}
    at = dt.datetime.combine(first - DAY, dt.time(), dt.UTC)
    shown, found = dt.datetime.min, dict[dt.datetime, Minute]()
    while at < dt.datetime.combine(first + days * DAY, dt.time(), dt.UTC):
        wall = at.astimezone(zone).replace(tzinfo=None)
        still = wall <= shown or (wall == shown + MINUTE and wall.minute not in MARKS)
        if found and still:
            shown, found[at] = max(wall, shown), found[at - MINUTE]
        else:
            shown, working, there = wall, set(), set()
            for date in (shown.date() - day * DAY for day in range(5)):
                for one in lists[date]:
                    shift = file.shifts[one.shift]
                    begins = dt.datetime.combine(date, shift.start)
                    if shift.length is not None:
                        ends = begins + shift.length
                    else:
                        assert shift.end is not None
                        ends = dt.datetime.combine(date if shift.end > shift.start else date + DAY, shift.end)
                    if begins <= shown < ends:
                        for agent in at_minute(file, one, date, shown):
                            working.add((agent, one.shift, date))
                            if not on_break(shift, date, shown):
                                there.add((agent, one.shift, date))
            found[at] = Minute(frozenset(working), frozenset(there))
        at += MINUTE
    return found
