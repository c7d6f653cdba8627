"""The daily edits of roster.yaml as text to text: a leave, a swap, one more shift, other shifts on a day. Pure.

Each writes into the list ``changes`` alone; comments, order and spelling of everything else stay byte for byte
(:mod:`config.list_edit`). Whether the change is a good one is for the roster's proof to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from config.explain import explain
from config.list_edit import MARK, Entry, Value, edited
from config.problems import Refused
from config.roster_file import DAY, Change, ChangeKind, LeaveKind, RosterFile
from config.tree import Tree, composed

FILE = "roster.yaml"

Cell = tuple[str, dt.date]
"""An agent and a date."""


# --- entries ----------------------------------------------------------------------------------------------------------


def leave_entry(
    agent: str, begins: dt.date, ends: dt.date, *, kind: LeaveKind = "annual", cover: str = "", note: str = ""
) -> Entry:
    """Away from ``begins`` to ``ends``: dates (both included), or naive wall times (``ends`` excluded)."""
    plain = begins == ends and not isinstance(begins, dt.datetime)
    when = {"date": moment(begins)} if plain else {"from": moment(begins), "to": moment(ends)}
    return {"leave": kind, "agent": agent} | when | _more(cover=cover, note=note)


def swap_entry(one: str, date: dt.date, other: str, day: dt.date, *, note: str = "") -> Entry:
    """What ``one`` works on ``date`` goes to ``other``, and what ``other`` works on ``day`` to ``one``."""
    return {"swap": {one: date.isoformat(), other: day.isoformat()}} | _more(note=note)


def extra_entry(agent: str, date: dt.date, shift: str, *, note: str = "") -> Entry:
    """One more shift."""
    return {"extra": shift, "agent": agent, "date": date.isoformat()} | _more(note=note)


def shifts_entry(agent: str, date: dt.date, shifts: Sequence[str], *, note: str = "") -> Entry:
    """Exactly these shifts instead of the pattern's; without any: off."""
    what: dict[str, Value] = {"shifts": tuple(shifts)} if shifts else {"off": True}
    return what | {"agent": agent, "date": date.isoformat()} | _more(note=note)


def moment(at: dt.date) -> str:
    """A date, or a naive wall time, as the file has it."""
    return at.strftime("%Y-%m-%d %H:%M") if isinstance(at, dt.datetime) else at.isoformat()


def _more(**said: str) -> dict[str, Value]:
    return {key: value for key, value in said.items() if value}


# --- what stands there ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """One change as it stands in the file: its place in the list, its line, and its values as written there."""

    place: int
    line: int
    change: Change
    values: Mapping[str, Value]


def concerns(change: Change, agent: str, date: dt.date) -> bool:
    """Whether the change says anything about this agent on this date."""
    if change.swap is not None:
        return agent in change.swap and date in change.swap.values()
    days = change.days
    return agent in (change.agent, change.cover) and days is not None and days[0] <= date <= days[1]


def file_of(text: str) -> RosterFile:
    """The roster of this text by its shape. Raises Refused."""
    return _parsed(text)[0]


def changes_of(text: str) -> list[Written]:
    """Every change in the file. Raises Refused where the file has errors of shape."""
    file, tree = _parsed(text)
    values = (tree.value.get("changes") or []) if isinstance(tree.value, dict) else []
    return [
        Written(place, tree.line(f"changes[{place}]"), change, values[place])
        for place, change in enumerate(file.changes)
    ]


def _parsed(text: str) -> tuple[RosterFile, Tree]:
    tree, _root = composed(FILE, text.removeprefix(MARK))
    if tree.problems:
        raise Refused(tree.problems)
    try:
        return RosterFile.model_validate(tree.value), tree
    except ValidationError as error:
        raise Refused(explain(error, RosterFile, tree)) from None


def concerning(text: str, agent: str, date: dt.date, kind: ChangeKind | None = None) -> list[Written]:
    """The changes that say something about this agent on this date. Raises Refused."""
    return [
        one for one in changes_of(text) if concerns(one.change, agent, date) and kind in (None, one.change.kind)
    ]


# --- edits ------------------------------------------------------------------------------------------------------------


def with_changes(text: str, *, add: Sequence[Entry] = (), remove: Collection[int] = ()) -> str:
    """The file with these entries at the end of ``changes``, and without those at these places. Raises Refused."""
    return edited(text, FILE, "changes", add=add, remove=remove)


def edit_changes(
    text: str, replaced: Mapping[int, Sequence[Mapping[str, Any]]], added: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The file with these entries in the place of those changes (none: it goes), and others at the end. Raises Refused.

    Values may be dates and naive wall times too.
    """
    instead = {place: [_entry(one) for one in entries] for place, entries in replaced.items()}
    return edited(text, FILE, "changes", add=[_entry(one) for one in added], instead=instead)


def _entry(values: Mapping[str, Any]) -> Entry:
    def value(one: Any) -> Value:
        match one:
            case bool() | str():
                return one
            case dt.date():
                return moment(one)
            case Mapping():
                return {str(key): moment(each) if isinstance(each, dt.date) else str(each) for key, each in one.items()}
            case list() | tuple():
                return [str(each) for each in one]
        return str(one)

    return {key: value(one) for key, one in values.items()}


def without_day(text: str, written: Written, date: dt.date) -> str:
    """The file in which this change holds on its other days alone; on none it is gone. Raises Refused."""
    return edit_changes(text, {written.place: list(_on_other_days(written, {date}))})


def set_shifts(text: str, wanted: Mapping[Cell, Sequence[str] | None], *, note: str = "") -> str:
    """The file in which each of these agents works exactly these shifts on that date instead of the pattern's.

    An empty sequence: none. None: by the pattern again, so a ``shifts`` or ``off`` for that agent and date goes. One
    that is there already and says the same stays as it is; one for several days holds on the others. Raises Refused.
    """
    asked, replaced = dict(wanted), dict[int, list[Entry]]()
    for written in changes_of(text):
        change, days = written.change, written.change.days
        if change.kind != "shifts" or change.agent is None or days is None:
            continue
        agent, there = change.agent, tuple(change.shifts or ())
        cells = {date for one, date in wanted if one == agent and days[0] <= date <= days[1]}
        if not cells:
            continue
        for date in sorted(cells):
            said = asked.get((agent, date))
            if said is not None and tuple(said) == there:
                del asked[agent, date]
                cells.remove(date)
        if cells:
            replaced[written.place] = list(_on_other_days(written, cells))
    add = [
        shifts_entry(agent, date, shifts, note=note)
        for (agent, date), shifts in sorted(asked.items(), key=lambda cell: (cell[0][1], cell[0][0]))
        if shifts is not None
    ]
    return edit_changes(text, replaced, add)


def _on_other_days(written: Written, dates: Collection[dt.date]) -> Iterator[Entry]:
    """The same change on each run of its days between these."""
    days, change, values = written.change.days, written.change, dict(written.values)
    if days is None or change.date is not None:
        return
    edges = [days[0] - DAY, *sorted(date for date in dates if days[0] <= date <= days[1]), days[1] + DAY]
    for before, after in pairwise(edges):
        first, last = before + DAY, after - DAY
        if first <= last:
            begins = values["from"] if first == days[0] else first.isoformat()
            ends = values["to"] if last == days[1] else last.isoformat()
            when = {"date": begins} if begins == ends else {"from": begins, "to": ends}
            yield {key: value for one in values.items() for key, value in _in_place(one, when)}


def _in_place(one: tuple[str, Value], when: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """The key and its value, or ``when`` in the place where ``from`` stood."""
    if one[0] == "from":
        yield from when.items()
    elif one[0] != "to":
        yield one
