"""Who was there: arrivals, lateness, hours worked and time off in lieu, by the journal against the roster. Pure.

Theory of operation. Each shift is judged by the roster in force when it ended, so that a sick leave that was entered in
the morning of the shift counts, and what is edited afterwards changes no past. Presence is when the desk had the agent
signed in (any state but ``off``). Times are integers, µs since 1970 UTC; intervals are half-open.

    planned   the shift without its breaks
    worked    planned, and present
    late      planned, from the beginning until the first presence, when that is more than the grace; no daemon ran: not
    early     planned, from the last presence to the end, likewise
    away      planned, less worked, late and early
    earned    worked, by the day on which it was: festival hours times ``lieu.rates.festival``; of extra duty else,
              hours times ``workday`` (working days) or ``restday`` (rest days and other days off)
    taken     of leave ``lieu``: ``lieu.day`` hours a date on which there would have been a shift; by times: its hours
    balance   ``lieu.opening`` + earned - taken, from ``lieu.since`` (else from the first word of the journal) on
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from config.roster_file import DAY, RosterFile
from routing.answering import HOUR, answering
from routing.counts import Interval, clipped, common, total, union, without
from routing.pattern import Why
from routing.roster import Roster
from routing.spans import Span, instant, microseconds

MINUTE = 60_000_000
"""µs."""

ALWAYS = -(1 << 62)
"""Since when the roster is taken to have been in force that stood before the first word of the journal."""


class Version:
    """A roster that took effect at ``at``."""

    def __init__(self, at: int, file: RosterFile, zone: ZoneInfo, country: str) -> None:
        self.at, self.file, self.zone, self._country = at, file, zone, country

    @cached_property
    def roster(self) -> Roster:
        """Its duty."""
        return Roster(self.file, self.zone, self._country)

    @cached_property
    def without_lieu(self) -> Roster:
        """Its duty if nobody had taken time off in lieu."""
        changes = tuple(one for one in self.file.changes if one.leave != "lieu")
        return Roster(self.file.model_copy(update={"changes": changes}), self.zone, self._country)

    def ends(self, shift: str, date: dt.date) -> int | None:
        """When a shift of that date ends; None where it has no such shift."""
        found = self.file.shifts.get(shift)
        return None if found is None else microseconds(instant(found.wall_span(date)[1], self.zone))


@dataclass(frozen=True, slots=True)
class Presence:
    """When an agent was signed in (``there``), and when signed in or waiting for the shift to begin (``come``)."""

    there: tuple[Interval, ...] = ()
    come: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Attended:
    """One shift of one agent. ``arrived`` and ``left`` are 0 where they did not; ``left`` also while they are there.

    ``over``: the shift has ended. The lengths are in µs.
    """

    agent: str
    shift: str
    date: dt.date
    begins: int
    ends: int
    why: Why
    instead_of: str
    planned: int
    worked: int
    arrived: int
    left: int
    late: int
    early: int
    away: int
    absent: bool
    over: bool
    earned: float

    @property
    def extra(self) -> bool:
        """Whether it was extra duty."""
        return self.why == "extra"


@dataclass(frozen=True, slots=True)
class Person:
    """The sums of one agent over a period; hours, except where they count. ``balance`` is that at its end."""

    agent: str
    shifts: int = 0
    planned: float = 0.0
    worked: float = 0.0
    extra: float = 0.0
    late: int = 0
    late_hours: float = 0.0
    early: int = 0
    early_hours: float = 0.0
    absent: int = 0
    earned: float = 0.0
    taken: float = 0.0
    balance: float = 0.0


@dataclass(frozen=True, slots=True)
class Past:
    """What the journal knows. ``versions`` in order of ``at``, the first from :data:`ALWAYS`; ``outages``: no daemon
    ran, so nobody could sign in."""

    versions: Sequence[Version]
    presence: Mapping[str, Presence] = field(default_factory=dict)
    outages: Sequence[Interval] = ()
    now: int = 0
    grace: int = 5 * MINUTE


def presence(changes: Iterable[tuple[int, bool, bool]], until: int) -> Presence:
    """Of an agent's changes in order: when (µs), whether signed in from then on, or else waiting for the shift."""
    there: list[Interval] = []
    come: list[Interval] = []
    since: dict[int, int] = {}
    for at, is_in, is_early in (*changes, (until, False, False)):
        for number, (so, found) in enumerate(((is_in, there), (is_in or is_early, come))):
            if so:
                since.setdefault(number, at)
            elif number in since and since[number] < at:
                found.append((since.pop(number), at))
            else:
                since.pop(number, None)
    return Presence(tuple(union(there)), tuple(union(come)))


def attended(past: Past, first: dt.date, last: dt.date) -> list[Attended]:
    """Every shift of the first line that begins on a date from ``first`` to ``last``, both included; by agent, time."""
    found = []
    for (agent, shift, date), (version, spans) in sorted(_planned(past, first, last).items(), key=_order):
        one = _attended(agent, shift, date, version, spans, past)
        if one is not None:
            found.append(one)
    return found


def taken(past: Past, first: dt.date, last: dt.date) -> dict[str, float]:
    """Hours of time off in lieu that each agent took on these dates, as the roster in force at the end of each has
    them."""
    found: dict[str, float] = {}
    date = first
    while date <= last:
        version = _in_force(past.versions, microseconds(instant(_midnight(date + DAY), past.versions[0].zone)))
        for agent, absences in version.roster.pattern.absences(date).items():
            lieu = [one for one in absences if one.leave == "lieu"]
            if lieu:
                missed = _of_date(version.without_lieu, agent, date) - _of_date(version.roster, agent, date)
                whole = any(one.times is None for one in lieu)
                hours = version.file.lieu.day if whole and missed else missed / HOUR
                found[agent] = found.get(agent, 0.0) + hours
        date += DAY
    return found


def people(
    shifts: Iterable[Attended], first: dt.date, last: dt.date, since: dt.date, opening: Mapping[str, float],
    taken_in: Mapping[str, float], taken_all: Mapping[str, float],
) -> list[Person]:  # fmt: skip
    """The sums of the dates ``first`` to ``last``, by staff number. ``shifts`` and ``taken_all`` reach from ``since``
    on, when ``opening`` was the balance; ``taken_in`` is of ``first`` to ``last`` alone."""
    theirs: dict[str, list[Attended]] = {agent: [] for agent in (*opening, *taken_all, *taken_in)}
    for one in shifts:
        if one.date <= last:
            theirs.setdefault(one.agent, []).append(one)
    found = []
    for agent, every in sorted(theirs.items()):
        period = [one for one in every if one.date >= first]
        found.append(Person(
            agent=agent,
            shifts=len(period),
            planned=sum(one.planned for one in period) / HOUR,
            worked=sum(one.worked for one in period) / HOUR,
            extra=sum(one.worked for one in period if one.extra) / HOUR,
            late=sum(one.late > 0 for one in period),
            late_hours=sum(one.late for one in period) / HOUR,
            early=sum(one.early > 0 for one in period),
            early_hours=sum(one.early for one in period) / HOUR,
            absent=sum(one.absent for one in period),
            earned=sum(one.earned for one in period),
            taken=taken_in.get(agent, 0.0),
            balance=opening.get(agent, 0.0) - taken_all.get(agent, 0.0)
            + sum(one.earned for one in every if one.date >= since),
        ))  # fmt: skip
    return found


# --- the plan -------------------------------------------------------------------------------------------------------

_Key = tuple[str, str, dt.date]


def _planned(past: Past, first: dt.date, last: dt.date) -> dict[_Key, tuple[Version, list[Span]]]:
    zone, versions = past.versions[0].zone, past.versions
    begins, ends = instant(_midnight(first), zone), instant(_midnight(last + DAY), zone)
    judges: dict[tuple[str, dt.date], Version] = {}
    found: dict[_Key, tuple[Version, list[Span]]] = {}
    for place, version in enumerate(versions):
        until = versions[place + 1].at if place + 1 < len(versions) else None
        if until is not None and until < microseconds(begins):
            continue  # another had taken its place before anything of this period ended
        for agent, spans in version.roster.by_agent(begins, ends).items():
            for span in spans:
                if span.backup or not first <= span.date <= last:
                    continue
                named = span.shift, span.date
                if named not in judges:
                    judges[named] = _judge(versions, *named)
                if judges[named] is version:
                    found.setdefault((agent, *named), (version, []))[1].append(span)
    return found


def _judge(versions: Sequence[Version], shift: str, date: dt.date) -> Version:
    """The roster in force when the shift of this date ended."""
    ends = [end for version in versions if (end := version.ends(shift, date)) is not None]
    return _in_force(versions, max(ends))


def _in_force(versions: Sequence[Version], at: int) -> Version:
    return next((version for version in reversed(versions) if version.at < at), versions[0])


def _order(one: tuple[_Key, tuple[Version, list[Span]]]) -> tuple[str, int, str]:
    return one[0][0], min(span.begins for span in one[1][1]), one[0][1]


# --- one shift ------------------------------------------------------------------------------------------------------


def _attended(
    agent: str, shift: str, date: dt.date, version: Version, spans: list[Span], past: Past
) -> Attended | None:
    parts = union(part for span in spans for part in answering(span))
    if not parts:
        return None
    begins, ends = parts[0][0], parts[-1][1]
    so_far = clipped(parts, begins, max(begins, min(ends, past.now)))
    seen = past.presence.get(agent, Presence())
    work = common(so_far, seen.there)
    there = [one for one in seen.come if common(so_far, [one])]
    over, worked = ends <= past.now, total(work)
    arrived = there[0][0] if there else 0
    left = there[-1][1] if there and there[-1][1] < past.now else 0
    excused, tolerated = without(so_far, past.outages), max(past.grace, MINUTE - 1)
    late = _more_than(tolerated, total(clipped(excused, begins, max(begins, arrived)))) if there else 0
    early = _more_than(tolerated, total(clipped(excused, min(left, ends), ends))) if left and over else 0
    absent = not there and total(excused) > tolerated
    why = next((span.why for span in spans if span.why != "pattern"), spans[0].why)
    instead_of = next((span.instead_of for span in spans if span.instead_of), "")
    return Attended(
        agent, shift, date, begins, ends, why, instead_of, total(parts), worked, arrived, left, late, early,
        max(0, total(so_far) - worked - late - early) if there else 0, absent, over,
        _earned(work, version, extra=why == "extra"),
    )  # fmt: skip


def _more_than(grace: int, length: int) -> int:
    return length if length > grace else 0


def _earned(work: Iterable[Interval], version: Version, *, extra: bool) -> float:
    rates, earned = version.file.lieu.rates, 0.0
    for date, length in _by_date(work, version.zone):
        kind = version.roster.calendar.kind(date)
        if kind == "festival":
            earned += length / HOUR * rates.festival
        elif extra:
            earned += length / HOUR * (rates.workday if kind in ("workday", "makeup") else rates.restday)
    return earned


def _by_date(work: Iterable[Interval], zone: ZoneInfo) -> Iterator[tuple[dt.date, int]]:
    """The lengths (µs) on each date of the wall."""
    for begins, ends in work:
        at = begins
        while at < ends:
            date = dt.datetime.fromtimestamp(at / 1e6, zone).date()
            midnight = microseconds(instant(_midnight(date + DAY), zone))
            upto = min(ends, midnight) if midnight > at else ends
            yield date, upto - at
            at = upto


def _of_date(roster: Roster, agent: str, date: dt.date) -> int:
    """µs that the agent works of the shifts of this date, without breaks."""
    begins, ends = instant(_midnight(date), roster.zone), instant(_midnight(date + DAY), roster.zone)
    spans = roster.by_agent(begins, ends).get(agent, [])
    return total(union(part for one in spans if one.date == date and not one.backup for part in answering(one)))


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time())
