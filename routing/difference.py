"""What differs in people's duty between two rosters, date by date, gathered into what a person can read. Pure.

Theory of operation. Both rosters are laid for every date of a window (:mod:`routing.pattern`), and the hours of each
agent compared. What differs gets its reason: the dated change that is in one file alone and concerns this agent on this
date, else another team, else the pattern. Dates of one agent with one reason make one :class:`DutyChange`, and agents
for whom all is the same share it. Where the times of a shift itself are others, that is one change, whoever works it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import lcm

from config.duty_change import DayChange, DutyChange, Piece, Why
from config.roster_edit import concerns
from config.roster_file import DAY, Change, RosterFile
from routing.pattern import LONGEST, Pattern, Work

MOST_DAYS = 4
"""Dates of one change that are kept one by one; the others are counted."""

BACK, AHEAD = 62 * DAY, 400 * DAY
"""How far into the past and the future a change is looked for, whatever the files name."""

ONCE_ROUND = 14 * DAY
"""How long a pattern that begins later is looked at: a week's pattern shows twice."""

RANK = ("leave", "swap", "extra", "shifts", "team")
"""Of several changes that concern an agent on a date, the reason is the one laid last."""

_Reason = tuple[Why, bool, int, tuple[str, ...]]
"""Why, whether it is taken back, the change's place in its file (-1: none), and the teams."""


def window(old: RosterFile, new: RosterFile, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last date that must be looked at: as far as the proof looks, and what the files say anew."""
    first, last = today - DAY, today + DAY * max(old.limits.look_ahead, new.limits.look_ahead)
    for date in _named(old) ^ _named(new):
        first, last = min(first, date - LONGEST * DAY), max(last, date + ONCE_ROUND)
    for change in _apart(old, new) + _apart(new, old):
        dates = [*(change.swap or {}).values(), *(change.days or ())]
        first, last = min([first, *(date - LONGEST * DAY for date in dates)]), max([last, *dates])
    return max(first, today - BACK), min(last, today + AHEAD)


def difference(old: Pattern, new: Pattern, first: dt.date, last: dt.date) -> tuple[DutyChange, ...]:
    """What differs on the dates from ``first`` to ``last``, both included; by its first date."""
    return _Comparison(old, new, first, last).result()


def changed(old: RosterFile, new: RosterFile, country: str, today: dt.date) -> tuple[DutyChange, ...]:
    """What differs between two files, as seen on ``today``."""
    from routing.calendar import Calendar

    if old == new:
        return ()
    before, after = (Pattern(file, Calendar(file.calendar, country)) for file in (old, new))
    return difference(before, after, *window(old, new, today))


def _named(file: RosterFile) -> set[dt.date]:
    """The dates that rules, rotations, teams and the calendar name."""
    found = {date for rule in file.rules for date in (*rule.dates, rule.since, rule.until) if date is not None}
    found |= {date for one in file.rotations.values() for date in (one.start, one.until) if date is not None}
    members = [one for members in file.teams.values() for one in members]
    found |= {date for one in members for date in (one.since, one.until) if date is not None}
    return found | {date for special in file.calendar for date in special.days or ()}


def _apart(one: RosterFile, other: RosterFile) -> list[Change]:
    """The changes of ``one`` that ``other`` does not have."""
    there = {repr(change) for change in other.changes}
    return [change for change in one.changes if repr(change) not in there]


@dataclass(slots=True)
class _Group:
    """One agent's dates with one reason."""

    days: list[DayChange] = field(default_factory=list)
    other: str = ""


class _Comparison:
    def __init__(self, old: Pattern, new: Pattern, first: dt.date, last: dt.date) -> None:
        self.old, self.new, self.first, self.last = old, new, first, last
        self.added, self.removed = _apart(new.file, old.file), _apart(old.file, new.file)
        self.retimed = {
            name
            for name, shift in new.file.shifts.items()
            if name in old.file.shifts
            and (shift.start, shift.wall_length) != (old.file.shifts[name].start, old.file.shifts[name].wall_length)
        }
        self.groups: dict[tuple[str, _Reason], _Group] = {}
        self.shifts: dict[str, list[tuple[str, DayChange]]] = {}
        self.teams_on, self.teams = dt.date.min, (dict[str, str](), dict[str, str]())

    def result(self) -> tuple[DutyChange, ...]:
        date = self.first
        while date <= self.last:
            self._date(date)
            date += DAY
        alike: dict[tuple[object, ...], list[DutyChange]] = {}
        """By all that can be told of it: those that share it."""
        for (agent, reason), group in self.groups.items():
            one = self._told(agent, reason, group)
            alike.setdefault((reason[:3], one.other, one.teams, *group.days), []).append(one)
        found = [_shared(those) for those in alike.values()]
        found += [self._shift(cases) for cases in self.shifts.values()]
        return tuple(sorted(found, key=lambda one: (one.first, one.agents)))

    # --- one date -----------------------------------------------------------------------------------------------

    def _date(self, date: dt.date) -> None:
        was, is_now = self.old.laid(date), self.new.laid(date)
        if was == is_now and not self.retimed:
            return
        works = is_now[1]
        before, after = _by_agent(was[1]), _by_agent(works)
        usual: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[DayChange, bool] | None] = {}
        """What differs for those whom no dated change concerns, by their shifts before and after."""
        for agent in sorted(was[0].keys() | is_now[0].keys() | before.keys() | after.keys()):
            shifts = was[0].get(agent, ()), is_now[0].get(agent, ())
            if agent in before or agent in after:
                old = before.get(agent) or [Work(agent, shift, date) for shift in shifts[0]]
                new = after.get(agent) or [Work(agent, shift, date) for shift in shifts[1]]
                found = self._compared(date, old, new)
            else:
                if shifts not in usual:
                    usual[shifts] = self._compared(date, *([Work("", name, date) for name in one] for one in shifts))
                found = usual[shifts]
            if found is not None:
                self._note(agent, *found, works)

    def _compared(self, date: dt.date, old: list[Work], new: list[Work]) -> tuple[DayChange, bool] | None:
        """What differs, and whether that is only because the shifts themselves have other times."""
        before, after = _pieces(self.old.file, old), _pieces(self.new.file, new)
        lost = tuple(one for one in before if one not in after)
        gained = tuple(one for one in after if one not in before)
        if not lost and not gained:
            return None
        same = {(work.shift, work.parts) for work in old} == {(work.shift, work.parts) for work in new}
        return DayChange(date, lost, gained), same and all(piece.shift in self.retimed for piece in lost)

    def _note(self, agent: str, day: DayChange, retimed: bool, works: list[Work]) -> None:
        if retimed:
            for lost in day.lost:
                gained = tuple(one for one in day.gained if one.shift == lost.shift)
                self.shifts.setdefault(lost.shift, []).append((agent, DayChange(day.date, (lost,), gained)))
            return
        reason, change = self._reason(agent, day.date)
        group = self.groups.setdefault((agent, reason), _Group())
        group.days.append(day)
        group.other = group.other or _other(agent, change, works)

    def _reason(self, agent: str, date: dt.date) -> tuple[_Reason, Change | None]:
        for back, changes in ((False, self.added), (True, self.removed)):
            found = [(RANK.index(change.kind or "team"), place) for place, change in enumerate(changes)
                     if _reaches(change, agent, date)]  # fmt: skip
            if found:
                place = min(found)[1]
                change = changes[place]
                why: Why = change.kind or "pattern"
                if why == "leave" and change.agent != agent:
                    why = "cover"
                return (why, back, place, (change.team,) if change.team else ()), change
        was, is_now = (teams.get(agent, "") for teams in self._teams(date))
        return ("pattern", False, -1, (was, is_now) if was != is_now else ()), None

    def _teams(self, date: dt.date) -> tuple[dict[str, str], dict[str, str]]:
        """Everybody's team before and after."""
        if self.teams_on != date:
            self.teams_on, self.teams = date, (self.old.first_teams([date]), self.new.first_teams([date]))
        return self.teams

    # --- gathering ----------------------------------------------------------------------------------------------

    def _told(self, agent: str, reason: _Reason, group: _Group) -> DutyChange:
        why, back, place, teams = reason
        days = group.days
        change = None if place < 0 else (self.removed if back else self.added)[place]
        leave = change.leave if change else None
        return DutyChange(
            agents=(agent,), why=why, first=days[0].date, last=days[-1].date, count=len(days),
            days=tuple(days[:MOST_DAYS]), lost=_counted(day.lost for day in days),
            gained=_counted(day.gained for day in days), back=back,
            goes_on=why == "pattern" and self._goes_on(day.date for day in days), leave=leave or "",
            other=group.other, teams=teams,
        )  # fmt: skip

    def _shift(self, cases: list[tuple[str, DayChange]]) -> DutyChange:
        days = [day for _agent, day in cases]
        dates = {day.date for day in days}
        return DutyChange(
            agents=tuple(sorted({agent for agent, _day in cases})), why="shift", first=min(dates), last=max(dates),
            count=len(days), days=(days[0],), lost=_counted(day.lost for day in days),
            gained=_counted(day.gained for day in days), goes_on=self._goes_on(dates),
        )  # fmt: skip

    def _goes_on(self, dates: Iterable[dt.date]) -> bool:
        """Whether what shows on these dates shows until the end: within the pattern's last coming round."""
        rotations = [*self.old.file.rotations.values(), *self.new.file.rotations.values()]
        round_ = lcm(7, *(len(rotation.cycle) for rotation in rotations))
        found = sorted(dates)
        return len(found) > 1 and found[-1] > self.last - min(DAY * round_, (self.last - self.first) / 3)


def _by_agent(works: Iterable[Work]) -> dict[str, list[Work]]:
    found: dict[str, list[Work]] = {}
    for work in works:
        found.setdefault(work.agent, []).append(work)
    return found


def _pieces(file: RosterFile, works: Iterable[Work]) -> tuple[Piece, ...]:
    """The hours that are worked, in order; what stands there twice is worked once."""
    found = {
        (begins, ends, work.shift)
        for work in works
        for begins, ends in work.parts or (file.shifts[work.shift].wall_span(work.date),)
    }
    return tuple(Piece(shift, begins, ends) for begins, ends, shift in sorted(found))


def _reaches(change: Change, agent: str, date: dt.date) -> bool:
    """Whether the change may touch a shift of this agent that begins on this date."""
    if change.times is None:
        return concerns(change, agent, date)
    return any(concerns(change, agent, date + number * DAY) for number in range(LONGEST + 1))


def _other(agent: str, change: Change | None, works: Iterable[Work]) -> str:
    """Who covers this agent, is covered by them, or swapped with them."""
    if change is None:
        return ""
    if change.swap is not None:
        return next((one for one in change.swap if one != agent), "")
    if change.agent != agent:
        return change.agent or ""
    return next((work.agent for work in works if work.why == "cover" and work.instead_of == agent), "")


def _counted(pieces: Iterable[tuple[Piece, ...]]) -> dict[str, int]:
    return dict(Counter(piece.shift for those in pieces for piece in those))


def _shared(those: list[DutyChange]) -> DutyChange:
    first = those[0]
    agents = tuple(sorted(agent for one in those for agent in one.agents))
    return DutyChange(**{name: getattr(first, name) for name in first.__struct_fields__} | {"agents": agents})
