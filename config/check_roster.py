"""Does roster.yaml agree with itself and with the other files: every name in it exists, nothing is there twice, dates
run forward. What it means in time (who is where when, is everything covered) is checked in ``routing``.

The dated changes are in :mod:`config.check_changes`. Dates in ``from`` and ``to`` are both included.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path, shown
from config.roster_file import DAY, OFF, Hours, RosterFile
from config.settings import AgentFile, QueueFile

Path = tuple[str | int, ...]

ANY_DAY = dt.date(2000, 1, 1)

LONGEST_SPECIAL = 366
"""Days of one line of ``calendar``."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the roster may name; None where that file could not be read."""

    roster: RosterFile
    agents: AgentFile | None
    queues: QueueFile | None

    def shift(self, name: str, path: Path) -> Iterator[Problem]:
        """A shift of the roster?"""
        if name not in self.roster.shifts:
            what = _("There is no shift {shift}.").format(shift=shown(name))
            yield problem("unknown-shift", path, what, did_you_mean(name, self.roster.shifts))

    def team(self, name: str, path: Path) -> Iterator[Problem]:
        """A team of the roster?"""
        if name not in self.roster.teams:
            what = _("There is no team {team}.").format(team=shown(name))
            fix = did_you_mean(name, self.roster.teams) or _("Name its members in teams.")
            yield problem("unknown-team", path, what, fix)

    def agent(self, number: str, path: Path) -> Iterator[Problem]:
        """An agent of agents.yaml?"""
        if self.agents is not None and number not in self.agents.agents:
            what = _("There is no agent {agent} in agents.yaml.").format(agent=number)
            yield problem("unknown-agent", path, what, did_you_mean(number, self.agents.agents))


def check_roster(roster: RosterFile, agents: AgentFile | None, queues: QueueFile | None) -> Iterator[Problem]:
    """Everything but the changes. The problems have no line."""
    known = Known(roster, agents, queues)
    yield from _shifts(known)
    yield from _teams(known)
    yield from _rotations(known)
    yield from _rules(known)
    yield from _calendar(roster)
    yield from _requirements(known)
    for number in roster.lieu.opening:
        yield from known.agent(number, ("lieu", "opening", number))


def problem(
    code: str, path: Path, what: str, fix: str, *, warning: bool = False, file: str = "roster.yaml"
) -> Problem:
    """One of the roster's, by the key that is meant."""
    return Problem(code, Place(file, 0, key_path(path)), what, fix, warning)


def doubled(names: Iterable[object], path: Path, code: str, file: str = "roster.yaml") -> Iterator[Problem]:
    """Each that has come before in the same list."""
    seen: set[object] = set()
    for index, name in enumerate(names):
        if name in seen:
            what = _("{name} stands here twice.").format(name=shown(name))
            yield problem(code, (*path, index), what, _("Remove one of them."), file=file)
        seen.add(name)


def reversed_dates(
    since: dt.date | None, until: dt.date | None, path: Path, file: str = "roster.yaml"
) -> Iterator[Problem]:
    """A last day before the first."""
    if since is not None and until is not None and until < since:
        what = _("It ends ({until}) before it begins ({since}).").format(until=until, since=since)
        fix = _("Both days are included: from the first to the last on which it holds.")
        yield problem("dates-reversed", path, what, fix, file=file)


Held = tuple[dt.date, dt.date, Path]
"""A first and a last date, both included, and where they stand."""


def overlapping(spans: Sequence[Held]) -> Iterator[tuple[Held, Held]]:
    """Each span that begins before one of those before it is over, with that one."""
    longest: Held | None = None
    for span in sorted(spans):
        if longest is not None and span[0] <= longest[1]:
            later, earlier = (span, longest) if span[2] > longest[2] else (longest, span)
            yield later, earlier
        if longest is None or span[1] > longest[1]:
            longest = span


def hours(days: Hours, path: Path, file: str) -> Iterator[Problem]:
    """Days that stand twice in a line of hours."""
    yield from doubled(days.days, (*path, "days"), "day-doubled", file)
    yield from doubled(days.dates, (*path, "dates"), "day-doubled", file)
    yield from doubled(days.not_on, (*path, "not_on"), "day-doubled", file)


def _shifts(known: Known) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    devices = {one.named for agent in known.agents.agents.values() for one in agent.devices} if known.agents else None
    for name, shift in known.roster.shifts.items():
        path = ("shifts", name)
        if name in OFF:
            what = _("No shift can be called {name}: it is the word for a day without one.").format(name=name)
            yield problem("shift-name", path, what, _("Give it another name."))
        if (shift.end is None) == (shift.length is None):
            what = _("A shift has either to or length.")
            fix = _('Write its end, to: "14:00"; or how long it is, length: "36:00".')
            yield problem("shift-unclear", path, what, fix)
        for word in {name, shift.short} - {None}:
            if word is not None and owners.setdefault(word, name) != name:
                what = _("{short} already means the shift {name}.").format(short=shown(word), name=shown(owners[word]))
                here = (*path, "short") if word == shift.short else path
                yield problem("short-doubled", here, what, _("Give each shift a short name of its own."))
        begins, ends = shift.wall_span(ANY_DAY)
        for index, one in enumerate(shift.breaks):
            start, end = dt.datetime.combine(ANY_DAY, one.start), dt.datetime.combine(ANY_DAY, one.end)
            length = (end - start) % DAY
            within = any(begins <= start + number * DAY <= ends - length for number in range(4))
            if not length or not within:
                what = _("The break {start} – {end} does not lie within the shift.")
                what = what.format(start=f"{one.start:%H:%M}", end=f"{one.end:%H:%M}")
                yield problem("break-outside", (*path, "breaks", index), what, _("Check its times."))
        yield from doubled(shift.ring, (*path, "ring"), "device-doubled")
        for index, device in enumerate(shift.ring):
            if devices is not None and device not in devices:
                what = _("No agent has a device called {name}.").format(name=shown(device))
                fix = did_you_mean(device, sorted(devices))
                yield problem("unknown-device", (*path, "ring", index), what, fix)


def _teams(known: Known) -> Iterator[Problem]:
    for name, members in known.roster.teams.items():
        held: dict[str, list[Held]] = {}
        for index, one in enumerate(members):
            path: Path = ("teams", name, index)
            yield from known.agent(one.agent, path)
            yield from reversed_dates(one.since, one.until, path)
            held.setdefault(one.agent, []).append((one.since or dt.date.min, one.until or dt.date.max, path))
        for agent, spans in held.items():
            for later, _earlier in overlapping(spans):
                what = _("Agent {agent} stands in this team twice.").format(agent=agent)
                yield problem("agent-doubled", later[2], what, _("Remove one of them, or mend its dates."))


def _rotations(known: Known) -> Iterator[Problem]:
    held: dict[tuple[str, str], list[Held]] = {}
    for name, rotation in known.roster.rotations.items():
        path: Path = ("rotations", name)
        yield from reversed_dates(rotation.start, rotation.until, (*path, "to"))
        yield from doubled(rotation.not_on, (*path, "not_on"), "day-doubled")
        for index, shifts in enumerate(rotation.cycle):
            for shift in shifts:
                yield from known.shift(shift, (*path, "cycle", index))
            yield from doubled(shifts, (*path, "cycle", index), "shift-doubled")
        for kind, numbers in (("teams", rotation.teams), ("agents", rotation.agents)):
            for who, number in numbers.items():
                here: Path = (*path, kind, who)
                yield from (known.team if kind == "teams" else known.agent)(who, here)
                if number > len(rotation.cycle):
                    what = _("The cycle has {days} days, so there is no day {number}.")
                    what = what.format(days=len(rotation.cycle), number=number)
                    fix = _("Give the day of the cycle, counted from 1, on which it stands at the start.")
                    yield problem("cycle-day", here, what, fix)
                held.setdefault((kind, who), []).append((rotation.start, rotation.until or dt.date.max, here))
        if not rotation.teams and not rotation.agents:
            what = _("Nobody follows this rotation.")
            yield problem("rotation-unused", path, what, _("Name its teams, each with its day."), warning=True)
    for (kind, who), spans in held.items():
        for later, earlier in overlapping(spans):
            what = (
                _("Team {who} is in two rotations at once; the other is {other}.") if kind == "teams"
                else _("Agent {who} is in two rotations at once; the other is {other}.")
            )  # fmt: skip
            what = what.format(who=shown(who), other=shown(earlier[2][1]))
            yield problem("rotation-doubled", later[2], what, _("Take it out of one, or let that one end (to)."))


def _rules(known: Known) -> Iterator[Problem]:
    for index, rule in enumerate(known.roster.rules):
        path: Path = ("rules", index)
        yield from known.shift(rule.shift, (*path, "shift"))
        for place, team in enumerate(rule.teams):
            yield from known.team(team, (*path, "teams", place))
        for place, agent in enumerate(rule.agents):
            yield from known.agent(agent, (*path, "agents", place))
        if not rule.teams and not rule.agents:
            what = _("This rule says of nobody that they work.")
            yield problem("rule-without-people", path, what, _("Name teams: [...] or agents: [...]."))
        yield from reversed_dates(rule.since, rule.until, (*path, "to"))
        yield from doubled(rule.days, (*path, "days"), "day-doubled")
        yield from doubled(rule.dates, (*path, "dates"), "day-doubled")
        yield from doubled(rule.not_on, (*path, "not_on"), "day-doubled")
        yield from doubled(rule.teams, (*path, "teams"), "team-doubled")
        yield from doubled(rule.agents, (*path, "agents"), "agent-doubled")


def _calendar(roster: RosterFile) -> Iterator[Problem]:
    held: list[Held] = []
    for index, special in enumerate(roster.calendar):
        path: Path = ("calendar", index)
        yield from dates_given(special.date, special.since, special.until, path)
        if special.days is not None:
            first, last = special.days
            held.append((first, last, path))
            if (last - first).days >= LONGEST_SPECIAL:
                what = _("These are {n} days.").format(n=(last - first).days + 1)
                yield problem("calendar-too-long", path, what, _("Is the year right? A holiday is a few days."))
    for later, earlier in overlapping(held):
        what = _("These dates are already in {place}.").format(place=key_path(earlier[2]))
        yield problem("calendar-doubled", later[2], what, _("Say of each date once what it is."))


def dates_given(
    date: dt.date | None, since: dt.date | None, until: dt.date | None, path: Path
) -> Iterator[Problem]:
    """Either a date, or from and to, in order."""
    if date is not None and (since is not None or until is not None):
        what = _("There is a date, and from or to as well.")
        yield problem("dates-unclear", path, what, _("Write either date, or from and to."))
    elif date is None and (since is None or until is None):
        what = _("It is not said when.") if since is None and until is None else _("There is only one of from and to.")
        yield problem("dates-missing", path, what, _("Write either date, or from and to."))
    else:
        yield from reversed_dates(since, until, (*path, "to"))


def _requirements(known: Known) -> Iterator[Problem]:
    for index, one in enumerate(known.roster.requirements):
        path: Path = ("requirements", index)
        if known.queues is not None and one.queue not in known.queues.queues:
            what = _("There is no queue {queue} in queues.yaml.").format(queue=one.queue)
            yield problem("unknown-queue", (*path, "queue"), what, did_you_mean(one.queue, known.queues.queues))
        if one.want is not None and one.want < one.need:
            what = _("{want} are wanted, but {need} are needed.").format(want=one.want, need=one.need)
            yield problem("want-below-need", (*path, "want"), what, _("Want as many as are needed, or more."))
        yield from hours(one, path, "roster.yaml")
