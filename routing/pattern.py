"""Who works which shift of a date: teams, rotations and rules, then the dated changes on top, layer by layer. Pure.

Theory of operation. A date is read by itself, in five layers; within a layer the order in the file means nothing::

     rules and rotations, by the teams of that date      what is worked as a rule
       └► shifts / off       exactly these instead
            └► swap          the shifts so far of each go to the other, each on their own date
                 └► leave    takes away what begins on its dates, or cuts out its hours; a cover works it instead
                      └► extra     one more shift, also for somebody on leave

A shift belongs to the date on which it begins. Somebody who is lent to another team works what that team works and
nothing else. A cover who is on leave on that date does not cover. What two rules give to one agent is kept twice, so
that the proof can say so; nobody is on duty twice for it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from config.roster_file import DAY, Change, LeaveKind, RosterFile, Rule
from routing.calendar import Calendar

Why = Literal["pattern", "change", "swap", "cover", "extra"]

LONGEST = 3
"""Days before a date on which a shift can begin that reaches into it."""

SPREAD = 62
"""Days of a change that are noted one by one; a longer one is looked at for every date."""

WallSpan = tuple[dt.datetime, dt.datetime]
"""Naive wall times, half-open."""


class Work(NamedTuple):
    """One shift of one agent that begins on ``date``, and why they work it.

    ``instead_of``: whose shift it is by right (a swap or a cover). ``parts``: the hours of it that are worked, where a
    leave cut some out or a cover works some only; empty: all of it.
    """

    agent: str
    shift: str
    date: dt.date
    why: Why = "pattern"
    instead_of: str = ""
    parts: tuple[WallSpan, ...] = ()


class Absence(NamedTuple):
    """A leave: of whole dates, or of the hours ``times`` (naive wall times). ``change``: its place in the file."""

    agent: str
    leave: LeaveKind
    change: int
    times: WallSpan | None
    cover: str
    note: str


class _Dated:
    """Changes by date, each with its place in the file."""

    def __init__(self) -> None:
        self._by_date: dict[dt.date, list[int]] = {}
        self._long: list[tuple[dt.date, dt.date, int]] = []

    def note(self, first: dt.date, last: dt.date, index: int) -> None:
        days = (last - first).days
        if days >= SPREAD:
            self._long.append((first, last, index))
        else:
            for number in range(days + 1):
                self._by_date.setdefault(first + number * DAY, []).append(index)

    def on(self, date: dt.date) -> Iterable[int]:
        found = self._by_date.get(date, ())
        if not self._long:
            return found
        return *found, *(index for first, last, index in self._long if first <= date <= last)


class Pattern:
    """Answers for every date. What the file names and does not have is passed over (``config`` refuses it)."""

    def __init__(self, file: RosterFile, calendar: Calendar) -> None:
        self.file = file
        self.calendar = calendar
        self._members = {team: _epochs(team, file) for team in file.teams}
        self._changes: dict[str, _Dated] = {}
        for index, change in enumerate(file.changes):
            self._note(index, change)

    def _note(self, index: int, change: Change) -> None:
        kind, days, times = change.kind, change.days, change.times
        if kind == "swap":
            for date in set((change.swap or {}).values()) if len(change.swap or {}) == 2 else ():
                self._dated("swap").note(date, date, index)
        elif kind is not None and days is not None and change.agent is not None:
            first, last = days
            if kind == "leave" and times is not None:
                reach = max(first, dt.date.min + LONGEST * DAY) - LONGEST * DAY
                self._dated("hours").note(reach, last, index)
            else:
                self._dated(kind).note(first, last, index)

    def _dated(self, kind: str) -> _Dated:
        return self._changes.setdefault(kind, _Dated())

    def _on(self, kind: str, date: dt.date) -> Iterator[tuple[int, Change]]:
        if kind in self._changes:
            for index in self._changes[kind].on(date):
                yield index, self.file.changes[index]

    # --- answers ------------------------------------------------------------------------------------------------

    def works(self, date: dt.date) -> tuple[Work, ...]:
        """Every shift that begins on this date, by agent, after all changes."""
        plain, changed = self.laid(date)
        usual = [Work(agent, shift, date) for agent, shifts in plain.items() for shift in shifts]
        return tuple(sorted((*usual, *changed)))

    def worked(self, date: dt.date) -> dict[str, tuple[str, ...]]:
        """Each agent who works on this date and the shifts they begin there, each once, after all changes."""
        plain, changed = self.laid(date)
        for work in changed:
            plain[work.agent] = (*plain.get(work.agent, ()), work.shift)
        return {agent: tuple(dict.fromkeys(shifts)) for agent, shifts in sorted(plain.items())}

    def pattern_only(self, date: dt.date) -> dict[str, tuple[str, ...]]:
        """The same by rules and rotations alone, as if there were no changes."""
        return {agent: tuple(dict.fromkeys(shifts)) for agent, shifts in sorted(self._pattern(date, {}).items())}

    def extra(self, date: dt.date) -> dict[str, tuple[str, ...]]:
        """Each agent's extra shifts of this date."""
        found: dict[str, tuple[str, ...]] = {}
        for _index, change in self._on("extra", date):
            if change.agent is not None and change.extra is not None:
                found[change.agent] = (*found.get(change.agent, ()), change.extra)
        return found

    def absences(self, date: dt.date) -> dict[str, tuple[Absence, ...]]:
        """Who is on leave on this date, for all of it or for hours."""
        begins = dt.datetime.combine(date, dt.time())
        found: dict[str, tuple[Absence, ...]] = {}
        for kind in ("leave", "hours"):
            for index, change in self._on(kind, date):
                times = change.times
                if times is None or (times[0] < begins + DAY and times[1] > begins):
                    one = _absence(index, change)
                    found[one.agent] = (*found.get(one.agent, ()), one)
        return found

    def first_teams(self, dates: Collection[dt.date]) -> dict[str, str]:
        """By agent, the first team that has them on any of these dates."""
        found: dict[str, str] = {}
        for team in self.file.teams:
            for date in dates:
                for agent in self.members(team, date):
                    found.setdefault(agent, team)
        return found

    def members(self, team: str, date: dt.date) -> tuple[str, ...]:
        """The agents of a team on this date, without those who are lent."""
        epochs = self._members.get(team)
        return epochs[1][bisect_right(epochs[0], date)] if epochs else ()

    def news(self) -> list[dt.date]:
        """Every date from which on something may be otherwise than by the pattern before it, in order."""
        file, found = self.file, set[dt.date]()
        for rule in file.rules:
            found |= {*rule.dates, *_after(rule.since, rule.until)}
        for rotation in file.rotations.values():
            found |= set(_after(rotation.start, rotation.until))
        for members in file.teams.values():
            for one in members:
                found |= set(_after(one.since, one.until))
        for change in file.changes:
            found |= {*(change.swap or {}).values(), *_after(*(change.days or (None, None)))}
        for special in file.calendar:
            found |= set(_after(*(special.days or (None, None))))
        return sorted(found)

    # --- the layers ---------------------------------------------------------------------------------------------

    def laid(self, date: dt.date) -> tuple[dict[str, tuple[str, ...]], list[Work]]:
        """The shifts of those whom no change of this date concerns, and the works of the others."""
        lent: dict[str, set[str]] = {}
        for _index, change in self._on("team", date):
            lent.setdefault(change.agent or "", set()).add(change.team or "")
        day = _Day(date, self.file, self._pattern(date, lent))
        if self._changes:
            day.instead([change for _index, change in self._on("shifts", date)])
            day.swap([change for _index, change in self._on("swap", date)])
            day.leave([change for _index, change in self._on("leave", date)])
            day.cut([change for _index, change in self._on("hours", date)])
            day.more(self.extra(date))
        return day.plain, [work for works in day.works.values() for work in works]

    def _pattern(self, date: dt.date, lent: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
        """What rules and rotations give; ``lent``: the teams that these agents follow instead of all else."""
        worked: dict[str, tuple[str, ...]] = {}

        def give(shifts: tuple[str, ...], agents: Iterable[str]) -> None:
            for agent in agents:
                worked[agent] = worked[agent] + shifts if agent in worked else shifts

        def team(name: str) -> Iterable[str]:
            members = self.members(name, date)
            if not lent:
                return members
            return *(one for one in members if one not in lent), *(one for one, teams in lent.items() if name in teams)

        def single(agents: Iterable[str]) -> Iterable[str]:
            return (one for one in dict.fromkeys(agents) if one not in lent)

        for rule in self.file.rules:
            if rule.shift in self.file.shifts and self._holds(rule, date):
                people = single(rule.agents)
                if rule.teams:
                    people = dict.fromkeys((*(one for name in rule.teams for one in team(name)), *people))
                give((rule.shift,), people)
        for rotation in self.file.rotations.values():
            past = (date - rotation.start).days
            if past < 0 or (rotation.until is not None and date > rotation.until):
                continue
            if rotation.not_on and self.calendar.fits(date, rotation.not_on):
                continue
            for number, names, agents in (
                *((number, (name,), ()) for name, number in rotation.teams.items()),
                *((number, (), (agent,)) for agent, number in rotation.agents.items()),
            ):
                shifts = rotation.cycle[(past + number - 1) % len(rotation.cycle)]
                known = tuple(shift for shift in shifts if shift in self.file.shifts)
                if known:
                    for name in names:
                        give(known, team(name))
                    give(known, single(agents))
        return worked

    def _holds(self, rule: Rule, date: dt.date) -> bool:
        if (rule.since is not None and date < rule.since) or (rule.until is not None and date > rule.until):
            return False
        if rule.not_on and self.calendar.fits(date, rule.not_on):
            return False
        if not rule.days and not rule.dates:
            return True
        return date in rule.dates or (bool(rule.days) and self.calendar.fits(date, rule.days))


class _Day:
    """One date while its layers are laid: agents move from ``plain`` to ``works`` when a change concerns them."""

    def __init__(self, date: dt.date, file: RosterFile, plain: dict[str, tuple[str, ...]]) -> None:
        self.date, self.plain, self._shifts = date, plain, file.shifts
        self.works: dict[str, list[Work]] = {}
        self._absent: set[str] = set()

    def _of(self, agent: str) -> list[Work]:
        if agent not in self.works:
            self.works[agent] = [Work(agent, shift, self.date) for shift in self.plain.pop(agent, ())]
        return self.works[agent]

    def instead(self, changes: Iterable[Change]) -> None:
        """Exactly these shifts, or none."""
        given: dict[str, list[str]] = {}
        for change in changes:
            given.setdefault(change.agent or "", []).extend(change.shifts or ())
        for agent, shifts in given.items():
            self._of(agent)[:] = self._known(Work(agent, shift, self.date, "change") for shift in dict.fromkeys(shifts))

    def swap(self, changes: Iterable[Change]) -> None:
        """Each gives what they had before any swap of this date."""
        given: dict[str, list[Work]] = {}
        taken: list[Work] = []
        for change in changes:
            (one, first), (other, second) = (change.swap or {}).items()
            for giver, date, taker in ((one, first, other), (other, second, one)):
                if date == self.date:
                    given.setdefault(giver, list(self._of(giver)))
                    taken += [Work(taker, work.shift, self.date, "swap", giver) for work in given[giver]]
        for giver in given:
            self._of(giver).clear()
        for work in taken:
            self._of(work.agent).append(work)

    def leave(self, changes: Sequence[Change]) -> None:
        """Away for the whole date; the cover, unless away too, works it."""
        self._absent = {change.agent or "" for change in changes}
        covers: dict[str, str] = {change.agent or "": change.cover for change in changes if change.cover}
        taken = {agent: list(self._of(agent)) for agent in self._absent}
        for agent, works in taken.items():
            self._of(agent).clear()
            self._cover(covers.get(agent), [work._replace(instead_of=agent) for work in works])

    def cut(self, changes: Iterable[Change]) -> None:
        """Away for some hours; the cover, unless away for the whole date, works them. Nobody covers for a cover."""
        hours: dict[str, list[WallSpan]] = {}
        covered: list[tuple[str, Work]] = []
        for change in changes:
            times, agent = change.times, change.agent or ""
            if times is not None:
                hours.setdefault(agent, []).append(times)
                for work in self._of(agent) if change.cover else ():
                    parts = _overlap(self._parts(work), times)
                    if parts:
                        covered.append((change.cover or "", work._replace(instead_of=agent, parts=parts)))
        for cover, work in covered:
            self._cover(cover, [work])
        for agent, away in hours.items():
            for place, work in reversed(list(enumerate(self._of(agent)))):
                whole = self._parts(work)
                parts = _without(whole, away)
                if not parts:
                    del self._of(agent)[place]
                elif parts != whole:
                    self._of(agent)[place] = work._replace(parts=parts)

    def more(self, extra: Mapping[str, Iterable[str]]) -> None:
        """One more shift, whatever else there is."""
        for agent, shifts in extra.items():
            self._of(agent).extend(self._known(Work(agent, shift, self.date, "extra") for shift in shifts))

    def _cover(self, cover: str | None, works: Iterable[Work]) -> None:
        if cover and cover not in self._absent:  # so nobody covers their own leave
            self._of(cover).extend(work._replace(agent=cover, why="cover") for work in works)

    def _known(self, works: Iterable[Work]) -> list[Work]:
        return [work for work in works if work.shift in self._shifts]

    def _parts(self, work: Work) -> tuple[WallSpan, ...]:
        return work.parts or (self._shifts[work.shift].wall_span(self.date),)


def _overlap(parts: Iterable[WallSpan], times: WallSpan) -> tuple[WallSpan, ...]:
    cut = ((max(begins, times[0]), min(ends, times[1])) for begins, ends in parts)
    return tuple((begins, ends) for begins, ends in cut if begins < ends)


def _without(parts: tuple[WallSpan, ...], hours: Iterable[WallSpan]) -> tuple[WallSpan, ...]:
    for away, back in hours:
        halves = (half for part in parts for half in ((part[0], min(part[1], away)), (max(part[0], back), part[1])))
        parts = tuple((begins, ends) for begins, ends in halves if begins < ends)
    return parts


def _absence(index: int, change: Change) -> Absence:
    return Absence(change.agent or "", change.leave or "other", index, change.times, change.cover or "", change.note)


def _after(first: dt.date | None, last: dt.date | None) -> Iterator[dt.date]:
    if first is not None:
        yield first
    if last is not None and last < dt.date.max:
        yield last + DAY


def _epochs(team: str, file: RosterFile) -> tuple[list[dt.date], list[tuple[str, ...]]]:
    """The dates on which the team changes, and its members before the first and from each on."""
    members = file.teams[team]
    dates = sorted({date for one in members for date in _after(one.since, one.until)})
    held = [tuple(dict.fromkeys(one.agent for one in members if one.holds(date))) for date in (dt.date.min, *dates)]
    return dates, held
