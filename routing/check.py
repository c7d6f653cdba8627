"""What the roster's settings mean: agents who would be in two places at once, changes that change nothing, and hours
without anybody. Names, dates and their shape are config's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import combinations

from config.catalogue import _
from config.problems import Place, Problem, key_path, shown
from config.settings import QueueFile, RosterFile, Settings, Shift, Weekly
from routing.roster import DAY, WEEKDAYS, Roster, wall_span

MINUTES = 7 * 24 * 60
"""Minutes of a week."""

MONDAY = dt.date(2024, 1, 1)
"""Any Monday, for a pattern without dates."""

GAPS_SHOWN = 4
"""Gaps named in one problem; the rest are counted."""


def check(settings: Settings) -> list[Problem]:
    """Every problem of meaning in the roster; one without a fault gives an empty list."""
    roster = settings.roster
    compiled = Roster.compile(roster, settings.hotline.zone)
    return [
        *_double_booked(roster),
        *_double_booked_by_change(roster, compiled),
        *_changes_nothing(roster, Roster.compile(roster.model_copy(update={"changes": ()}), settings.hotline.zone)),
        *_uncovered(settings, settings.queues),
    ]


def _problem(code: str, path: tuple[str | int, ...], what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place("roster.yaml", 0, key_path(path)), what, fix, warning)


def _double_booked(roster: RosterFile) -> Iterator[Problem]:
    """Two rules of the pattern that put one agent on two shifts at once."""
    numbered = [(index, rule) for index, rule in enumerate(roster.weekly) if rule.shift in roster.shifts]
    for (__, first), (index, second) in combinations(numbered, 2):
        clash = _clash(roster.shifts, first, second)
        if clash is None:
            continue
        for agent in sorted(set(first.agents) & set(second.agents)):
            what = _("Agent {agent} is on {first} and on {second} at once, for example on {date}.").format(
                agent=agent, first=shown(first.shift), second=shown(second.shift), date=clash
            )
            fix = _("Take the agent off one of the two rules, or move a shift.")
            yield _problem("double-booked", ("weekly", index, "agents", second.agents.index(agent)), what, fix)


def _clash(shifts: dict[str, Shift], first: Weekly, second: Weekly) -> dt.date | None:
    """A date on which ``second`` begins while ``first`` is on, or the other way round; None when there is none.

    Both repeat weekly, so where they hold together for longer than a week, the first days show it.
    """
    if not set(first.agents) & set(second.agents):
        return None
    start = max((date for date in (first.since, second.since) if date), default=MONDAY)
    for number in range(-1, 9):
        date = start + number * DAY
        if not _works(second, date):
            continue
        begins, ends = wall_span(date, shifts[second.shift])
        for other in (date - DAY, date, date + DAY):
            if _works(first, other):
                other_begins, other_ends = wall_span(other, shifts[first.shift])
                if begins < other_ends and other_begins < ends:
                    return max(date, other)
    return None


def _works(rule: Weekly, date: dt.date) -> bool:
    return (
        WEEKDAYS[date.weekday()] in rule.days
        and (rule.since is None or rule.since <= date)
        and (rule.until is None or date < rule.until)
    )


def _double_booked_by_change(roster: RosterFile, compiled: Roster) -> Iterator[Problem]:
    """A change whose shifts overlap each other, or those of the day before or after."""
    changed = {(change.date, change.agent) for change in roster.changes}
    for index, change in enumerate(roster.changes):
        here = [(change.date, name) for name in change.shifts if name in roster.shifts]
        there = [
            (date, name)
            for date in (change.date - DAY, change.date + DAY)
            if date < change.date or (date, change.agent) not in changed  # each pair once
            for name in compiled.worked(date).get(change.agent, ())
            if name in roster.shifts
        ]
        pairs = [*combinations(here, 2), *((one, other) for one in here for other in there)]
        for one, other in pairs:
            begins, ends = wall_span(one[0], roster.shifts[one[1]])
            other_begins, other_ends = wall_span(other[0], roster.shifts[other[1]])
            if begins < other_ends and other_begins < ends:
                what = _("On {date}, {first} overlaps {second} of {other_date} for agent {agent}.").format(
                    date=one[0], first=shown(one[1]), second=shown(other[1]), other_date=other[0], agent=change.agent
                )
                fix = _("Take one of the two shifts out, or change the other day as well.")
                yield _problem("double-booked", ("changes", index), what, fix)


def _changes_nothing(roster: RosterFile, pattern: Roster) -> Iterator[Problem]:
    """A change that says what the pattern says already: most often a date or a staff number is wrong."""
    for index, change in enumerate(roster.changes):
        usual = pattern.worked(change.date).get(change.agent, ())
        if change.off and change.shifts:
            continue
        if change.off and not usual:
            what = _("Agent {agent} has no shift on {date} to be off from.")
        elif change.shifts and set(change.shifts) == set(usual):
            what = _("Agent {agent} works just these shifts on {date} anyway.")
        else:
            continue
        fix = _("Check the date and the staff number, or remove the change.")
        what = what.format(agent=change.agent, date=change.date)
        yield _problem("change-without-effect", ("changes", index), what, fix, warning=True)


def _uncovered(settings: Settings, queues: QueueFile) -> Iterator[Problem]:
    """Hours of the week in which nobody with a queue's skill is on duty, in the pattern as it lasts."""
    week = _lasting_week(settings.roster)
    for name, queue in queues.queues.items():
        skilled = {number for number, agent in settings.agents.agents.items() if queue.skill in agent.skills}
        gaps = _gaps(settings.roster, skilled, week)
        if not skilled or not gaps:
            continue
        told = [f"{_moment(begins)} – {_moment(ends)}" for begins, ends in gaps[:GAPS_SHOWN]]
        more = len(gaps) - len(told)
        if more:
            told.append(_("and {more} more").format(more=more))
        whole = len(gaps) == 1 and gaps[0] == (0, MINUTES)
        what = (
            _("Nobody is ever on duty for queue {queue}.").format(queue=shown(name))
            if whole
            else _("Nobody is on duty for queue {queue}: {gaps}.").format(queue=shown(name), gaps=", ".join(told))
        )
        fix = _("Until an agent with the skill {skill} works then, callers hear that nobody is on duty.")
        yield _problem("uncovered", ("weekly",), what, fix.format(skill=queue.skill), warning=True)


def _lasting_week(roster: RosterFile) -> dt.date:
    """A Monday after all dates of the pattern: the week that repeats from then on."""
    dates = [date for rule in roster.weekly for date in (rule.since, rule.until) if date]
    latest = max(dates, default=MONDAY)
    return latest + (14 - latest.weekday()) * DAY if latest < dt.date.max - 21 * DAY else MONDAY


def _gaps(roster: RosterFile, agents: set[str], week: dt.date) -> list[tuple[int, int]]:
    """Minutes of the week [from, to) with none of these agents; one over the week's end goes beyond it."""
    covered = bytearray(MINUTES)
    for rule in roster.weekly:
        if agents.isdisjoint(rule.agents) or rule.shift not in roster.shifts:
            continue
        for number in range(7):
            if _works(rule, week + number * DAY):
                begins, ends = wall_span(week + number * DAY, roster.shifts[rule.shift])
                first = number * 1440 + begins.hour * 60 + begins.minute
                for minute in range(first, first + (ends - begins) // dt.timedelta(minutes=1)):
                    covered[minute % MINUTES] = 1
    if not any(covered):
        return [(0, MINUTES)]
    start = covered.index(1)
    gaps: list[tuple[int, int]] = []
    for minute in range(start, start + MINUTES):
        if not covered[minute % MINUTES]:
            if gaps and gaps[-1][1] == minute:
                gaps[-1] = (gaps[-1][0], minute + 1)
            else:
                gaps.append((minute, minute + 1))
    return sorted((begins % MINUTES, begins % MINUTES + ends - begins) for begins, ends in gaps)


def _moment(minute: int) -> str:
    """A minute of the week as a person says it: ``Mon 22:00``."""
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    day, rest = divmod(minute % MINUTES, 1440)
    return f"{names[day]} {rest // 60:02}:{rest % 60:02}"
