"""The page of a month, out of the settings: people, cells with their remarks, shifts, what each queue needs. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from config.catalogue import _
from config.leave_words import leave_word
from config.roster_file import DAY, Night, RosterFile, Shift
from config.settings import Agent, Settings
from hotline.palette import colours_of
from hotline.sheet.find import days_of
from hotline.sheet.page import DAY_MINUTES, LONGEST, Box, Day, Group, Need, Page, Person, ShiftWord
from hotline.sheet.solve import want_of
from hotline.sheet.words import Vocabulary
from routing.calendar import Calendar
from routing.counts import Interval, common, total, union, without
from routing.needs import needs
from routing.pattern import Absence, Pattern, Work
from routing.shares import NIGHT_LEAST
from routing.spans import EPOCH, MICROSECOND, instant


def page_of(settings: Settings, month: dt.date) -> Page:
    """The month that begins on this date."""
    file = settings.roster
    calendar = Calendar(file.calendar, settings.hotline.country)
    pattern = Pattern(file, calendar)
    days = [Day(date, calendar.kind(date), calendar.name(date)) for date in days_of(month)]
    colors = colours_of({name: shift.color for name, shift in file.shifts.items()})
    shorts = Vocabulary(file.shifts, chinese=True).shorts
    people = tuple(_people(settings, pattern, days))
    return Page(
        company=settings.hotline.company,
        days=tuple(days),
        shifts=tuple(
            shift_word(name, shift, shorts[name], colors[name], file.limits.night)
            for name, shift in file.shifts.items()
        ),
        people=people,
        groups=tuple(_groups(settings, calendar, pattern, days)),
        away=tuple((day, person) for person in people for day, box in enumerate(person.boxes) if box.away),
    )


# --- shifts -----------------------------------------------------------------------------------------------------------

MINUTE = dt.timedelta(minutes=1) // MICROSECOND
"""In the unit of the roster's spans, µs."""

_ANY = dt.date(2001, 1, 1)
"""A date by which a shift's wall times become minutes."""


def shift_word(name: str, shift: Shift, short: str, color: str, night: Night) -> ShiftWord:
    """A shift as the sheet shows it."""
    begins, ends = (_minutes(at, _ANY) for at in shift.wall_span(_ANY))
    breaks = [(_minutes(one, _ANY), _minutes(other, _ANY)) for one, other in shift.wall_breaks(_ANY)]
    spans = tuple(without([(begins, ends)], union(breaks)))
    return ShiftWord(
        name=name, short=short, color=color, begins=begins, ends=ends, spans=spans,
        hours=round(total(spans) / 60, 2),
        night=total(common(spans, union(_nights(night)))) >= NIGHT_LEAST // MINUTE,
        backup=shift.backup,
    )  # fmt: skip


def _nights(night: Night) -> Iterator[Interval]:
    """The hours of night from the day before on, as far as a shift can reach."""
    begins, ends = (time.hour * 60 + time.minute for time in (night.start, night.end))
    length = (ends - begins) % DAY_MINUTES or DAY_MINUTES
    for day in range(-1, LONGEST + 1):
        yield begins + day * DAY_MINUTES, begins + day * DAY_MINUTES + length


# --- people -----------------------------------------------------------------------------------------------------------


def _people(settings: Settings, pattern: Pattern, days: list[Day]) -> Iterator[Person]:
    agents = settings.agents.agents
    boxes: dict[str, list[Box]] = {number: [] for number in agents}
    for day in days:
        wants = want_of(pattern, day.date, agents)
        works: dict[str, list[Work]] = {}
        for work in pattern.works(day.date):
            works.setdefault(work.agent, []).append(work)
        absences = pattern.absences(day.date)
        for number in agents:
            done, absent = works.get(number, []), absences.get(number, ())
            remarks = tuple(dict.fromkeys(_remarks(done, absent, agents)))
            boxes[number].append(Box(wants[number], remarks, tuple(_away(done, settings.roster, day.date))))
    teams = {number: _teams(settings.roster, number, days) for number in agents}
    order = {name: place for place, name in enumerate(settings.roster.teams)}

    def place(number: str) -> tuple[int, str, str]:
        first = teams[number][0] if teams[number] else ""
        return order.get(first, len(order)), number.zfill(12), number

    for number in sorted(agents, key=place):
        yield Person(number, agents[number].name, "→".join(teams[number]), tuple(boxes[number]))


def _teams(file: RosterFile, number: str, days: list[Day]) -> list[str]:
    """The teams of this agent in the month, in the order of time."""
    found: dict[str, dt.date] = {}
    for team, members in file.teams.items():
        for member in members:
            if member.agent == number:
                first = next((day.date for day in days if member.holds(day.date)), None)
                if first is not None:
                    found[team] = min(first, found.get(team, first))
    return sorted(found, key=lambda team: found[team])


def _remarks(works: Iterable[Work], absences: Iterable[Absence], agents: Mapping[str, Agent]) -> Iterator[str]:
    for work in works:
        other = f"{work.instead_of} {agents[work.instead_of].name}" if work.instead_of in agents else work.instead_of
        if work.why == "extra":
            yield _("Extra duty: {shift}").format(shift=work.shift)
        elif work.why == "swap":
            yield _("Swapped with {agent}: {shift}").format(agent=other, shift=work.shift)
        elif work.why == "cover":
            yield _("Covers for {agent}: {shift}").format(agent=other, shift=work.shift)
    for absence in absences:
        said = leave_word(absence.leave)
        if absence.times is not None:
            said += " {:%m-%d %H:%M} – {:%m-%d %H:%M}".format(*absence.times)
        yield f"{said}: {absence.note}" if absence.note else said


def _away(works: Iterable[Work], file: RosterFile, date: dt.date) -> Iterator[Interval]:
    """The parts of these shifts that are not worked, in minutes of the date."""
    for work in works:
        if work.parts and work.shift in file.shifts:
            whole = [_span(file.shifts[work.shift].wall_span(date), date)]
            yield from without(whole, union(_span(part, date) for part in work.parts))


# --- queues -----------------------------------------------------------------------------------------------------------


def _groups(settings: Settings, calendar: Calendar, pattern: Pattern, days: list[Day]) -> Iterator[Group]:
    zone = settings.hotline.zone
    edges = [instant(dt.datetime.combine(day.date, dt.time()), zone) for day in days]
    edges.append(instant(dt.datetime.combine(days[-1].date + DAY, dt.time()), zone))
    earlier = [
        [work for work in pattern.works(days[0].date - back * DAY) if not work.parts] for back in range(1, LONGEST + 1)
    ]
    for (name, level), spans in needs(settings, calendar, edges[0], edges[-1]).items():
        queue = settings.queues.queues[name]
        label = queue.label
        if level != queue.level:
            label = _("{queue}, level {level}").format(queue=queue.label, level=level)
        skilled = {
            number: held
            for number, agent in settings.agents.agents.items()
            if (held := tuple(_held(agent, queue.skill, level, days[0].date - LONGEST * DAY, days[-1].date)))
        }
        by_day: list[list[Need]] = [[] for _day in days]
        for one, other, need in spans:
            begins, ends = EPOCH + one * MICROSECOND, EPOCH + other * MICROSECOND
            for place, day in enumerate(days):
                first, last = max(begins, edges[place]), min(ends, edges[place + 1])
                if first < last and need.open and need.want > 0:
                    span = _span((_naive(first, zone), _naive(last, zone)), day.date)
                    if span[0] < span[1]:
                        by_day[place].append(Need(*span, need.need, need.want))
        group = Group(label, skilled, tuple(tuple(_merged(needed)) for needed in by_day))
        before: dict[tuple[int, str], int] = {}
        for back, works in enumerate(earlier, 1):
            date = days[0].date - back * DAY
            for work in works:
                if any(since <= date <= until for since, until in skilled.get(work.agent, ())):
                    before[back, work.shift] = before.get((back, work.shift), 0) + 1
        yield Group(group.label, group.skilled, group.needs, before)


def _held(agent: Agent, skill: str, level: int, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """From when to when the agent has the skill at that level, both days included, within these dates."""
    spans = sorted(
        (max(one.since or first, first), min(one.until or last, last))
        for one in agent.skills
        if one.skill == skill and one.level >= level
    )
    joined: list[tuple[dt.date, dt.date]] = []
    for since, until in spans:
        if since > until:
            continue
        if joined and since <= joined[-1][1] + DAY:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    yield from joined


def _merged(found: Iterable[Need]) -> Iterator[Need]:
    """Neighbours that need the same, as one."""
    last: Need | None = None
    for one in sorted(found, key=lambda need: need.begins):
        if last is not None and (last.ends, last.need, last.want) == (one.begins, one.need, one.want):
            last = Need(last.begins, one.ends, one.need, one.want)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


# --- minutes ----------------------------------------------------------------------------------------------------------


def _naive(at: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _minutes(at: dt.datetime, date: dt.date) -> int:
    return (at - dt.datetime.combine(date, dt.time())) // dt.timedelta(minutes=1)


def _span(times: tuple[dt.datetime, dt.datetime], date: dt.date) -> Interval:
    return _minutes(times[0], date), _minutes(times[1], date)
