"""Do the dated changes of roster.yaml say one thing each, of people and shifts that exist, and of each date once.

Whether they fit the pattern (is there a shift to swap, is somebody on leave on duty) is checked in ``routing``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from config.catalogue import _
from config.check_roster import Held, Known, Path, dates_given, doubled, overlapping, problem
from config.problems import Problem, key_path
from config.roster_file import Change
from config.settings import AgentFile, QueueFile, RosterFile


def check_changes(roster: RosterFile, agents: AgentFile | None, queues: QueueFile | None) -> Iterator[Problem]:
    """Everything about the changes. The problems have no line."""
    known = Known(roster, agents, queues)
    for index, change in enumerate(roster.changes):
        yield from _one(change, ("changes", index), known)
    yield from _twice(roster)


def _one(change: Change, path: Path, known: Known) -> Iterator[Problem]:
    kinds = change.kinds
    if len(kinds) != 1:
        what = (
            _("A change is one of {kinds}, not several at once.").format(kinds=", ".join(kinds))
            if kinds
            else _("A change must say what it is.")
        )
        fix = _("Write one of leave, swap, extra, shifts, off: true, team; more changes are more lines.")
        yield problem("change-unclear", path, what, fix)
        return
    if change.kind == "swap":
        yield from _swap(change, path, known)
        return
    if change.agent is None:
        yield problem("agent-missing", path, _("It is not said whose change this is."), _("Add agent: and the number."))
    else:
        yield from known.agent(change.agent, (*path, "agent"))
    yield from _dates(change, path)
    if change.cover is not None:
        if change.kind != "leave":
            what = _("Only a leave has a cover.")
            yield problem("cover-unclear", (*path, "cover"), what, _("Give the other agent the shift with extra."))
        elif change.cover == change.agent:
            what = _("Agent {agent} cannot cover their own leave.").format(agent=change.agent)
            yield problem("cover-unclear", (*path, "cover"), what, _("Name another, or remove cover."))
        yield from known.agent(change.cover, (*path, "cover"))
    if change.extra is not None:
        yield from known.shift(change.extra, (*path, "extra"))
    for place, shift in enumerate(change.shifts or ()):
        yield from known.shift(shift, (*path, "shifts", place))
    yield from doubled(change.shifts or (), (*path, "shifts"), "shift-doubled")
    if change.shifts == ():
        what = _("This is empty.")
        yield problem("change-unclear", (*path, "shifts"), what, _("For a day without a shift write off: true."))
    if change.team is not None:
        yield from known.team(change.team, (*path, "team"))


def _dates(change: Change, path: Path) -> Iterator[Problem]:
    given = list(dates_given(change.date, _day(change.since), _day(change.until), path))
    yield from given
    timed = [isinstance(one, dt.datetime) for one in (change.since, change.until) if one is not None]
    if not any(timed):
        return
    if change.kind != "leave":
        what = _("Only a leave can have times of day.")
        yield problem("times-unclear", path, what, _("Write dates; both days are included."))
    elif not all(timed) and not given:
        what = _("One of from and to is a date, the other has a time of day.")
        yield problem("times-unclear", path, what, _("Write both as dates, or both with a time."))
    elif not given and change.times is not None and change.times[0] >= change.times[1]:
        what = _("It ends ({until}) before it begins ({since}).")
        what = what.format(since=f"{change.times[0]:%Y-%m-%d %H:%M}", until=f"{change.times[1]:%Y-%m-%d %H:%M}")
        fix = _("A time in to is the moment at which it ends.")
        yield problem("dates-reversed", (*path, "to"), what, fix)


def _day(moment: dt.date | None) -> dt.date | None:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _swap(change: Change, path: Path, known: Known) -> Iterator[Problem]:
    swap = change.swap or {}
    if len(swap) != 2:
        what = _("A swap has two people, each with the date of the shift they give; here are {n}.").format(n=len(swap))
        fix = _("Write swap: {{8001: 2027-02-06, 8005: 2027-02-08}}.").format()
        yield problem("swap-unclear", (*path, "swap"), what, fix)
    for agent in swap:
        yield from known.agent(agent, (*path, "swap", agent))
    for key, value in (
        ("agent", change.agent), ("date", change.date), ("from", change.since), ("to", change.until),
        ("cover", change.cover),
    ):  # fmt: skip
        if value is not None:
            what = _("A swap has its people and dates in itself.")
            yield problem("swap-unclear", (*path, key), what, _("Remove the key {key}.").format(key=key))


def _twice(roster: RosterFile) -> Iterator[Problem]:
    """Two changes of one kind for one agent and date (leaves by the hour: that overlap)."""
    held: dict[tuple[str, str], list[Held]] = {}
    hours: dict[str, list[tuple[dt.datetime, dt.datetime, Path]]] = {}
    for index, change in enumerate(roster.changes):
        path: Path = ("changes", index)
        if change.kind == "swap":
            for agent, date in (change.swap or {}).items():
                held.setdefault(("swap", agent), []).append((date, date, (*path, "swap", agent)))
        elif change.kind is not None and change.days is not None and change.agent is not None:
            if change.times is not None:
                hours.setdefault(change.agent, []).append((*change.times, path))
            elif change.days[0] <= change.days[1]:
                kind = f"extra {change.extra}" if change.kind == "extra" else change.kind
                held.setdefault((kind, change.agent), []).append((*change.days, path))
    for (kind, agent), spans in held.items():
        for later, earlier in overlapping(spans):
            what = _("There are two such changes for agent {agent} on {date}; the other is {place}.").format(
                agent=agent, date=max(later[0], earlier[0]), place=key_path(earlier[2])
            )
            fix = _("Make one of them, or mend the dates.")
            if kind == "leave":
                fix = _("Take that day out of the other first ({command}), or mend the dates.")
                day = max(later[0], earlier[0]).isoformat()
                fix = fix.format(command=f"hotline roster cancel {agent} {day} --day")
            yield problem("change-doubled", later[2], what, fix)
    for agent, times in hours.items():
        end: tuple[dt.datetime, Path] | None = None
        for begins, ends, path in sorted(times):
            if end is not None and begins < end[0]:
                what = _("There are two such changes for agent {agent} on {date}; the other is {place}.").format(
                    agent=agent, date=begins.date(), place=key_path(min(end[1], path))
                )
                yield problem("change-doubled", max(end[1], path), what, _("Make one of them, or mend the dates."))
            if end is None or ends > end[0]:
                end = ends, path
