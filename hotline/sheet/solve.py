"""Cells of a month become dated changes of roster.yaml: the fewest that make the roster say what the sheet says. Pure.

Theory of operation. What a date says is laid in layers (see ``routing.pattern``): a leave goes over a swap, a swap over
``shifts``. So a cell may need more than one entry: whoever comes back from leave gets that date cut out of it, and
whoever gives up a swapped shift has the swap written out as what each of the two works. A shift that comes on top of
those of the pattern is ``extra`` duty, since that is what it is paid or given time off for. Each round mends every cell
that does not yet say what it should, then all people of all dates concerned are read again, also those whose cells
nobody touched; it ends when everything is as wanted. Where it does not end so, nothing is changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.roster_edit import moment
from config.roster_file import DAY, Change, RosterFile
from hotline.sheet.words import Want
from routing.calendar import Calendar
from routing.pattern import LONGEST, Pattern, Work

MOST_ROUNDS = 6
"""Each round takes a layer away at the worst; there are four that can stand in a cell's way."""

Wants = Mapping[tuple[str, dt.date], Want]
"""By staff number and date."""


class NotSaid(Exception):
    """No changes make this cell say what it should; carries the staff number and the date."""

    def __init__(self, agent: str, date: dt.date) -> None:
        super().__init__(agent, date)
        self.agent, self.date = agent, date


@dataclass(frozen=True, slots=True)
class Answer:
    """Places in the file's ``changes`` with what stands there instead (nothing: they go), and changes that come."""

    instead: Mapping[int, tuple[Change, ...]]
    add: tuple[Change, ...]


def want_of(pattern: Pattern, date: dt.date, agents: Iterable[str]) -> dict[str, Want]:
    """What the sheet says of each agent on this date."""
    return _Date(pattern, date).wants(agents)


class _Date:
    """One date as the roster has it."""

    def __init__(self, pattern: Pattern, date: dt.date) -> None:
        self.works: dict[str, list[Work]] = {}
        for work in pattern.works(date):
            self.works.setdefault(work.agent, []).append(work)
        self._order = {name: place for place, name in enumerate(pattern.file.shifts)}
        self._absences = pattern.absences(date)

    def wants(self, agents: Iterable[str]) -> dict[str, Want]:
        return {agent: self.want(agent) for agent in agents}

    def want(self, agent: str) -> Want:
        """Shifts where there are any; else the leave, of whole dates before one of hours; else nothing."""
        shifts = dict.fromkeys(work.shift for work in self.works.get(agent, ()))
        if shifts:
            return Want(tuple(sorted(shifts, key=lambda name: self._order.get(name, 0))))
        absent = sorted(self._absences.get(agent, ()), key=lambda one: (one.times is not None, one.change))
        return Want(leave=absent[0].leave) if absent else Want()

    def exactly(self, agent: str) -> frozenset[tuple[str, Any]]:
        """Shifts with the parts of them that are worked: what must not change of cells that nobody touched."""
        return frozenset((work.shift, work.parts) for work in self.works.get(agent, ()))


def solve(file: RosterFile, calendar: Calendar, wanted: Wants) -> Answer:
    """The changes by which the roster says what these cells say, and elsewhere the same as before. Raises NotSaid.
    """
    return _Solution(file, calendar, wanted).answer()


class _Solution:
    """The list of changes in the making: those of the file with their places, and new ones."""

    def __init__(self, file: RosterFile, calendar: Calendar, wanted: Wants) -> None:
        self._file, self._calendar, self._wanted = file, calendar, wanted
        self._items: list[tuple[int | None, Change]] = list(enumerate(file.changes))
        self._before = Pattern(file, calendar)
        lent = [change for change in file.changes if change.kind == "team"]
        self._plain = Pattern(file.model_copy(update={"changes": tuple(lent)}), calendar)
        self._dates = {date for _agent, date in wanted}
        self._known: dict[dt.date, _Date] = {}

    def answer(self) -> Answer:
        """Round after round."""
        for number in range(MOST_ROUNDS):
            wrong = list(self._wrong())
            if not wrong:
                return self._written()
            now = self._now()
            for agent, date, want in wrong:
                self._mend(now, agent, date, want, hard=number > 0)
        agent, date, _want = next(self._wrong(), ("", dt.date.min, Want()))
        if agent:
            raise NotSaid(agent, date)
        return self._written()

    def _now(self) -> Pattern:
        changes = tuple(change for _place, change in self._items)
        return Pattern(self._file.model_copy(update={"changes": changes}), self._calendar)

    def _was(self, date: dt.date) -> _Date:
        if date not in self._known:
            self._known[date] = _Date(self._before, date)
        return self._known[date]

    def _wrong(self) -> Iterator[tuple[str, dt.date, Want]]:
        """Every cell that does not say what it should: as wanted, or, of those that nobody touched, as before."""
        now = self._now()
        for date in sorted(self._dates):
            was, is_now = self._was(date), _Date(now, date)
            agents = {*was.works, *is_now.works, *(agent for agent, day in self._wanted if day == date)}
            agents |= {*self._before.absences(date), *now.absences(date)}
            for agent in sorted(agents):
                want = self._wanted.get((agent, date))
                if want is not None:
                    if is_now.want(agent) != want:
                        yield agent, date, want
                elif is_now.want(agent) != was.want(agent) or is_now.exactly(agent) != was.exactly(agent):
                    yield agent, date, was.want(agent)

    # --- mending ------------------------------------------------------------------------------------------------

    def _mend(self, now: Pattern, agent: str, date: dt.date, want: Want, hard: bool) -> None:
        """Let the entries for this agent and date say it; ``hard``: also by cutting leaves of hours."""
        if want.leave is not None:
            self._take_out(date, lambda one: one.agent == agent and one.kind == "leave" and one.times is None)
            self._take_out(date, lambda one: one.agent == agent and one.kind == "extra")
            self._add({"leave": want.leave, "agent": agent, "from": date, "to": date})
            return
        self._dissolve(agent, date)
        self._take_out(date, lambda one: one.kind == "leave" and one.agent == agent and (hard or one.times is None))
        self._take_out(
            date, lambda one: one.kind == "extra" and one.agent == agent and one.extra not in want.shifts
        )
        kept = {*now.extra(date).get(agent, ())} & {*want.shifts}
        covered = {work.shift for work in now.works(date) if work.agent == agent and work.why == "cover"}
        if covered and (hard or not covered <= {*want.shifts}):
            self._uncover(agent, date)
            covered = set()
        base = tuple(shift for shift in want.shifts if shift not in kept | covered)
        self._take_out(date, lambda one: one.kind == "shifts" and one.agent == agent)
        plain = {work.shift for work in self._plain.works(date) if work.agent == agent}
        if plain < {*base}:  # what comes on top of their own is extra duty, which earns time off
            for shift in base:
                if shift not in plain:
                    self._add({"extra": shift, "agent": agent, "date": date})
        elif plain != {*base}:
            said: dict[str, Any] = {"shifts": base} if base else {"off": True}
            self._add({**said, "agent": agent, "date": date})

    def _add(self, entry: dict[str, Any]) -> None:
        self._items.append((None, Change.model_validate(entry)))

    def _take_out(self, date: dt.date, which: Any) -> None:
        """This date goes out of the changes for which ``which`` is true; their other dates stay."""
        kept: list[tuple[int | None, Change]] = []
        for place, change in self._items:
            days = change.days
            if days is None or not days[0] <= date <= days[1] or not which(change):
                kept.append((place, change))
            else:
                kept += [(place, rest) for rest in _without(change, date)]
                if change.times is not None:
                    self._near(date)
        self._items = kept

    def _uncover(self, agent: str, date: dt.date) -> None:
        """On this date this agent covers for nobody."""
        kept: list[tuple[int | None, Change]] = []
        for place, change in self._items:
            days = change.days
            reach = LONGEST * DAY if change.times is not None else dt.timedelta()
            if change.cover != agent or days is None or not days[0] - reach <= date <= days[1]:
                kept.append((place, change))
            elif change.times is not None:
                self._near(date)
                kept.append((place, change.model_copy(update={"cover": None})))
            else:
                alone = {"cover": None, "date": None, "since": date, "until": date}
                pieces = [*_without(change, date), change.model_copy(update=alone)]
                kept += [(place, piece) for piece in sorted(pieces, key=_order)]
        self._items = kept

    def _dissolve(self, agent: str, date: dt.date) -> None:
        """Swaps of this agent on this date are written out: the next round gives each of the two what they have now."""
        for place, change in list(self._items):
            swap = change.swap or {}
            if date in swap.values() and agent in swap:
                self._items.remove((place, change))
                self._dates |= {*swap.values()}

    def _near(self, date: dt.date) -> None:
        """Hours of this date may be those of a shift that began before."""
        self._dates |= {date - number * DAY for number in range(LONGEST + 1)}

    # --- writing ------------------------------------------------------------------------------------------------

    def _written(self) -> Answer:
        pieces: dict[int, list[Change]] = {place: [] for place in range(len(self._file.changes))}
        for place, change in self._items:
            if place is not None:
                pieces[place].append(change)
        instead = {
            place: tuple(found) for place, found in pieces.items() if found != [self._file.changes[place]]
        }
        return Answer(instead, tuple(_joined([change for place, change in self._items if place is None])))


def _without(change: Change, date: dt.date) -> Iterator[Change]:
    """What is left of a change on several dates when this one goes."""
    assert change.days is not None
    first, last = change.days
    if change.times is not None:
        begins, ends = change.times
        midnight = dt.datetime.combine(date, dt.time())
        if begins < midnight:
            yield change.model_copy(update={"date": None, "since": begins, "until": midnight})
        if ends > midnight + DAY:
            yield change.model_copy(update={"date": None, "since": midnight + DAY, "until": ends})
        return
    if first < date:
        yield change.model_copy(update={"date": None, "since": first, "until": date - DAY})
    if date < last:
        yield change.model_copy(update={"date": None, "since": date + DAY, "until": last})


def _joined(changes: list[Change]) -> Iterator[Change]:
    """The same, with a leave on days in a row as one; in the order of people and dates."""
    leaves: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        if change.kind == "leave" and change.times is None:
            leaves.setdefault((change.agent, change.leave, change.cover, change.note), []).append(change)
    found = [change for change in changes if change.kind != "leave" or change.times is not None]
    for same in leaves.values():
        spans = sorted(change.days for change in same if change.days is not None)
        whole: list[tuple[dt.date, dt.date]] = []
        for first, last in spans:
            if whole and first <= whole[-1][1] + DAY:
                whole[-1] = whole[-1][0], max(last, whole[-1][1])
            else:
                whole.append((first, last))
        found += [same[0].model_copy(update={"date": None, "since": first, "until": last}) for first, last in whole]
    yield from sorted(found, key=_order)


def _order(change: Change) -> tuple[dt.date, str]:
    return (change.days[0] if change.days else min((change.swap or {"": dt.date.min}).values())), change.agent or ""


def entry_of(change: Change) -> dict[str, Any]:
    """A change as roster.yaml writes it: words alone, in the order of the examples."""
    found: dict[str, Any] = {}
    if change.leave is not None:
        found["leave"] = str(change.leave)
    if change.extra is not None:
        found["extra"] = change.extra
    if change.off:
        found["off"] = True
    elif change.shifts is not None:
        found["shifts"] = list(change.shifts)
    if change.agent is not None:
        found["agent"] = change.agent
    days = change.days
    if days is not None and days[0] == days[1] and change.times is None:
        found["date"] = days[0].isoformat()
    elif change.since is not None and change.until is not None:
        found["from"], found["to"] = moment(change.since), moment(change.until)
    if change.cover is not None:
        found["cover"] = change.cover
    if change.note:
        found["note"] = change.note
    return found
