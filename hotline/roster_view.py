"""What ``hotline roster show`` and ``coverage`` show, made from the settings and the compiled roster. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from config.catalogue import _, ngettext
from config.leave_words import leave_word
from config.roster_file import DAY, Shift
from config.settings import Settings
from hotline.day_words import Day
from hotline.heat import Gap, Heat, HeatRow, Panel, rows_of, worst
from hotline.no_such import no_agent
from hotline.palette import Level, colours_of
from hotline.roster_grid import (
    COVER,
    EXTRA,
    PART,
    SWAP,
    Cell,
    Grid,
    Person,
    Piece,
    QueueLine,
    ShiftKey,
    Worst,
    hours_of,
    shorts,
)
from routing.check_cover import check_cover
from routing.coverage import Cover, Gap as Short, coverage, gaps
from routing.proof import Proof
from routing.roster import Duty, Roster
from routing.shares import Share, nights, shares
from routing.spans import instant

MARKS = {"swap": SWAP, "cover": COVER, "extra": EXTRA}
"""The mark of a duty by why it is (``routing.pattern.Why``)."""

AROUND = 3 * DAY
"""How far beyond the days is looked for where a gap begins and ends."""

GAPS_TOLD = 12
"""Gaps told below one grid or panel; the rest are counted."""


class Unknown(ValueError):
    """Nothing is called so; the message says what is."""


@dataclass(frozen=True)
class Seen:
    """Some whole days of a roster, compiled."""

    days: tuple[Day, ...]
    proof: Proof

    @classmethod
    def of(cls, settings: Settings, first: dt.date, many: int, today: dt.date) -> Seen:
        """``many`` days from ``first`` on."""
        zone = settings.hotline.zone
        begins, ends = (instant(dt.datetime.combine(date, dt.time()), zone) for date in (first, first + many * DAY))
        proof = Proof(settings, Roster.of(settings), begins, ends)
        kind, name = proof.calendar.kind, proof.calendar.name
        dates = [first + number * DAY for number in range(many)]
        days = tuple(Day(date, kind(date), name(date), date == today) for date in dates)
        return cls(days, proof)

    @cached_property
    def covers(self) -> list[Cover]:
        """How each queue and level is covered in these days; counted when it is first wanted."""
        begins, ends = self.proof.begins, self.proof.ends
        return [
            replace(one, begins=max(one.begins, begins), ends=min(one.ends, ends)) for one in self._around
            if one.begins < ends and one.ends > begins
        ]  # fmt: skip

    def gaps(self, asked: Collection[tuple[str, int]]) -> Iterator[Gap]:
        """Each span in which somebody needed is missing at these queues and levels, as ``hotline roster check`` tells
        it, whole where it begins before these days or ends after them; the first few."""
        needed = (replace(one, want=one.need) for one in self._around if (one.queue, one.level) in asked)
        short = [(self._seen(gap), True) for gap in gaps(needed) if self._touches(gap)]
        found = list(check_cover(self.proof, short))
        for finding in found[:GAPS_TOLD]:
            yield Gap(finding.tell().what, filled=finding.warning)
        if len(found) > GAPS_TOLD:
            more = len(found) - GAPS_TOLD
            words = ngettext("And {n} more gap.", "And {n} more gaps.", more).format(n=more)
            yield Gap(words, filled=all(finding.warning for finding in found[GAPS_TOLD:]))

    @cached_property
    def _around(self) -> list[Cover]:
        proof = self.proof
        return coverage(proof.settings, proof.roster, proof.begins - AROUND, proof.ends + AROUND, spans=proof.spans)

    def _touches(self, gap: Short) -> bool:
        return gap.begins < self.proof.ends and gap.ends > self.proof.begins

    def _seen(self, gap: Short) -> Short:
        """The gap, cut to these days on a side on which it goes on for longer than was looked at."""
        begins, ends = self.proof.begins, self.proof.ends
        return replace(
            gap,
            begins=begins if gap.begins <= begins - AROUND else gap.begins,
            ends=ends if gap.ends >= ends + AROUND else gap.ends,
        )

    @property
    def dates(self) -> list[dt.date]:
        """The days' dates."""
        return [day.date for day in self.days]


@dataclass(frozen=True, slots=True)
class Entry:
    """One person's day for a program: the shifts they begin, or their leave."""

    day: Day
    person: Person
    duties: tuple[Duty, ...]
    leave: str
    """``annual``, ``sick`` ... or empty."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """The grid, and the same for a program."""

    grid: Grid
    entries: tuple[Entry, ...]


# --- the grid ---------------------------------------------------------------------------------------------------------


def weeks_of(seen: Seen, *, agents: Sequence[str] = (), team: str = "") -> Weeks:
    """The days as a grid; only these ``agents`` and this ``team`` where any are named. Raises Unknown."""
    proof, settings, dates = seen.proof, seen.proof.settings, seen.dates
    _known(settings, agents, team)
    duties: dict[tuple[str, dt.date], list[Duty]] = {}
    for duty in proof.roster.spans(proof.begins, proof.ends):
        if duty.date >= dates[0]:
            duties.setdefault((duty.agent, duty.date), []).append(duty)
    leaves = {(agent, date): found[0].leave
              for date in dates for agent, found in proof.pattern.absences(date).items()}  # fmt: skip
    teams = proof.pattern.first_teams(dates)
    busy = {agent for agent, _date in (*duties, *leaves)}
    shown = [
        agent for agent in _in_order(settings, teams, busy | set(teams) | set(agents))
        if (not agents or agent in agents) and (not team or teams.get(agent) == team)
    ]  # fmt: skip
    sums = _sums(proof, shown, dates)
    people, entries = [], []
    for agent in shown:
        begun = [tuple(duties.get((agent, date), ())) for date in dates]
        away = [leaves.get((agent, date), "") for date in dates]
        cells = tuple(_cell(settings.roster.shifts, *one) for one in zip(begun, away, strict=True))
        about = settings.agents.agents.get(agent)
        person = Person(agent, about.name if about else "", teams.get(agent, ""), cells,
                        sums[agent].hours, sums[agent].nights)  # fmt: skip
        people.append(person)
        entries += [
            Entry(day, person, shifts, leave)
            for day, shifts, leave in zip(seen.days, begun, away, strict=True) if shifts or leave
        ]  # fmt: skip
    title = _("{company}: duty roster from {first} to {last}").format(
        company=settings.hotline.company, first=dates[0], last=dates[-1]
    )
    queues = () if agents or team else _queue_lines(seen)
    told = tuple(seen.gaps(_by_queue(seen))) if queues else ()
    grid = Grid(title, seen.days, tuple(people), queues, _keys(settings), told, tuple(_notes(seen, people)))
    return Weeks(grid, tuple(entries))


def _sums(proof: Proof, agents: Sequence[str], dates: Sequence[dt.date]) -> dict[str, Share]:
    """Hours and nights of the shifts that begin on these dates."""
    begun = {agent: [span for span in proof.spans.get(agent, ()) if dates[0] <= span.date <= dates[-1]]
             for agent in agents}  # fmt: skip
    return {share.agent: share for share in shares(begun, nights(proof), proof.calendar.kind)}


def _known(settings: Settings, agents: Iterable[str], team: str) -> None:
    for agent in agents:
        if agent not in settings.agents.agents:
            raise Unknown(no_agent(agent, settings.agents.agents))
    if team and team not in settings.roster.teams:
        named = _(", ").join(settings.roster.teams)
        raise Unknown(_("There is no team {team}; there are: {teams}.").format(team=team, teams=named or "–"))


def _in_order(settings: Settings, teams: dict[str, str], agents: set[str]) -> list[str]:
    """Team by team as they stand in the file, then all others; each by staff number."""
    places = {team: number for number, team in enumerate(settings.roster.teams)}
    return sorted(agents, key=lambda agent: (places.get(teams.get(agent, ""), len(places)), agent))


def _cell(shifts: Mapping[str, Shift], duties: Sequence[Duty], leave: str) -> Cell:
    pieces = []
    for duty in duties:
        sign = MARKS.get(duty.why, "") or (PART if _is_part(shifts[duty.shift], duty) else "")
        pieces.append(Piece(duty.shift, sign))
    return Cell(tuple(dict.fromkeys(pieces)), leave_word(leave) if leave else "")


def _is_part(shift: Shift, duty: Duty) -> bool:
    walls = tuple(time.replace(tzinfo=None, fold=0) for time in (duty.begins, duty.ends))
    return walls != shift.wall_span(duty.date)


def _keys(settings: Settings) -> dict[str, ShiftKey]:
    shifts = settings.roster.shifts
    colours = colours_of({name: shift.color for name, shift in shifts.items()})
    words = shorts({name: shift.short for name, shift in shifts.items()})
    keys = {}
    for name, shift in shifts.items():
        begins, ends = shift.wall_span(dt.date(2001, 1, 1))
        more = (ends.date() - begins.date()).days
        last = f"{ends:%H:%M}" if more < 2 and ends != begins + DAY else f"{ends:%H:%M} (+{more})"
        keys[name] = ShiftKey(name, words[name], colours[name], f"{begins:%H:%M}–{last}",
                              hours_of(begins.time(), ends.time()), shift.backup)  # fmt: skip
    return keys


def _queue_lines(seen: Seen) -> tuple[QueueLine, ...]:
    """Each queue and level at its worst of each day."""
    settings, lines = seen.proof.settings, []
    for (queue, level), covers in _by_queue(seen).items():
        rows = _rows(seen, covers)
        lines.append(QueueLine(queue_label(settings, queue, level), tuple(_worst(row) for row in rows)))
    return tuple(lines)


def _worst(row: HeatRow) -> Worst | None:
    one = worst(row.quarters)
    if one is None:
        return None
    return Worst(one.level, one.have, one.want if one.level is Level.TIGHT else one.need, one.backup)


def _rows(seen: Seen, covers: Iterable[Cover]) -> tuple[HeatRow, ...]:
    return rows_of((one for one in covers if one.open), seen.days, seen.proof.settings.hotline.zone)


def _by_queue(seen: Seen) -> dict[tuple[str, int], list[Cover]]:
    """The covers of each queue and level, in the order of the file."""
    found: dict[tuple[str, int], list[Cover]] = {}
    for cover in seen.covers:
        found.setdefault((cover.queue, cover.level), []).append(cover)
    places = {name: number for number, name in enumerate(seen.proof.settings.queues.queues)}
    return dict(sorted(found.items(), key=lambda one: (places.get(one[0][0], len(places)), one[0][1])))


def queue_label(settings: Settings, queue: str, level: int) -> str:
    """``投诉``, and with the level where it is not the lowest."""
    label = settings.queues.queues[queue].label
    return label if level <= 1 else _("{queue}, level {level} and up").format(queue=label, level=level)


def _notes(seen: Seen, people: Sequence[Person]) -> Iterator[str]:
    if not people:
        yield _("Nobody is on the roster in these days.")
    unknown = seen.proof.calendar.no_data_from
    if unknown is not None and seen.days[-1].date >= unknown:
        said = _("From {date} on, bridging days and make-up workdays are not known yet: add them under 'calendar'.")
        yield said.format(date=unknown)


# --- the map ----------------------------------------------------------------------------------------------------------


def heat_of(seen: Seen, now: dt.datetime, *, queues: Sequence[str] = (), latin: bool = False) -> Heat:
    """The map of coverage; only these ``queues`` (by key or label) where any are named. Raises Unknown.

    Queues that are covered alike share a panel.
    ``latin``: without names that the operator gave, for a picture without Chinese characters.
    """
    settings = seen.proof.settings
    wanted = {_queue_named(settings, name) for name in queues}
    alike: dict[tuple[HeatRow, ...], list[tuple[str, int]]] = {}
    for (queue, level), covers in _by_queue(seen).items():
        if not wanted or queue in wanted:
            alike.setdefault(_rows(seen, covers), []).append((queue, level))
    panels = []
    for rows, queues_of in alike.items():
        names = [f"{one} {level}+" if latin else queue_label(settings, one, level) for one, level in queues_of]
        told = () if latin else tuple(seen.gaps(queues_of))
        panels.append(Panel(_(", ").join(names), rows, told, tuple(one for one, _level in queues_of)))
    here = now.astimezone(settings.hotline.zone)
    title = _("{company}: coverage from {first} to {last}").format(
        company="Hotline" if latin else settings.hotline.company, first=seen.dates[0], last=seen.dates[-1]
    )
    past = (here.hour * 60 + here.minute) / 1440
    return Heat(title, _("as of {when}").format(when=f"{here:%Y-%m-%d %H:%M}"), tuple(panels), (here.date(), past))


def _queue_named(settings: Settings, name: str) -> str:
    for key, queue in settings.queues.queues.items():
        if name in (key, queue.label):
            return key
    named = _(", ").join(f"{key} ({queue.label})" for key, queue in settings.queues.queues.items())
    raise Unknown(_("There is no queue {queue}; there are: {queues}.").format(queue=name, queues=named))
