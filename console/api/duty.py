"""Who is on duty, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel

from console import duty
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom

room = ApiRoom("duty")


class Device(BaseModel):
    """A phone that rings on this shift."""

    name: str
    reachable: bool


class Person(BaseModel):
    """Somebody on duty; ``state`` is that of the desk, empty where it does not know them."""

    agent: str
    name: str
    shift: str
    line: Literal["first", "backup"]
    since_iso: dt.datetime
    until_iso: dt.datetime
    break_until_iso: dt.datetime | None
    state: str
    devices: list[Device]
    in_place_of: str
    queues: list[str]


class Queue(BaseModel):
    """A queue: who can answer now, and who comes next."""

    name: str
    label: str
    closed: bool
    opens_iso: dt.datetime | None
    now: list[str]
    next_at_iso: dt.datetime | None
    next: list[str]


class Now(BaseModel):
    """An instant; ``people`` are one page of ``many``."""

    at_iso: dt.datetime
    many: int
    people: list[Person]
    queues: list[Queue]


class Shift(BaseModel):
    """One duty of a person. ``why``: ``extra``, ``swap``, ``cover``, or empty for what the roster's pattern says."""

    date: dt.date
    shift: str
    times: str
    backup: bool
    why: str
    in_place_of: str


class Leave(BaseModel):
    """A day off that was granted."""

    date: dt.date
    what: str


class Row(BaseModel):
    """One person's week."""

    agent: str
    name: str
    team: str
    hours: float
    nights: int
    shifts: list[Shift]
    leaves: list[Leave]


class Gap(BaseModel):
    """Somebody needed is missing, in words; ``filled``: backups make up for it."""

    words: str
    filled: bool


class Week(BaseModel):
    """Seven days; ``people`` are one page of ``many``."""

    first: dt.date
    many: int
    people: list[Row]
    gaps: list[Gap]


class Problem(BaseModel):
    """What must be mended of the roster in force, or known (``warning``)."""

    code: str
    place: str
    what: str
    fix: str
    warning: bool


class Proof(BaseModel):
    """The proof of the roster in force: the first of ``many`` problems, errors before warnings; and the errors of files
    that were changed and are not in force."""

    many: int
    problems: list[Problem]
    file_errors: list[str]


Page = Annotated[int, Query(ge=1, le=1_000, description="Fifty people each.")]
Name = Annotated[str, Query(max_length=60, description="A part of a name or number, or of a team's name.")]


@room.read("/duty", Verb.DUTY_READ)
async def now(ask: Asked, page: Page = 1, name: Name = "") -> Now:
    """Who is on duty now, and who comes next."""
    found = await duty.now(ask.site, ask.who, page=page, name=name.strip())
    people = [
        Person(agent=one.agent, name=one.name, shift=one.shift, line="backup" if one.backup else "first",
               since_iso=one.since, until_iso=one.until, break_until_iso=one.break_until, state=one.state,
               devices=[Device(name=name, reachable=reached) for name, reached in one.devices],
               in_place_of=one.instead_of, queues=list(one.queues))
        for one in found.people
    ]  # fmt: skip
    queues = [
        Queue(name=one.name, label=one.label, closed=one.closed, opens_iso=one.opens, now=list(one.now),
              next_at_iso=one.next_at, next=list(one.next))
        for one in found.queues
    ]  # fmt: skip
    return Now(at_iso=found.at, many=found.many, people=people, queues=queues)


@room.read("/duty/week", Verb.DUTY_READ)
async def week(
    ask: Asked, first: Annotated[dt.date | None, Query(alias="from")] = None, page: Page = 1, name: Name = ""
) -> Week:
    """Seven days of the roster in force, from `from` on (today without)."""
    found = await duty.week(ask.site, ask.who, first)
    some = await ask.thread(duty.people, found, page, name.strip())
    dates = [day.date for day in found.days]
    people = [
        Row(agent=row.agent, name=row.name, team=row.team, hours=row.hours, nights=row.nights,
            shifts=[Shift(date=dates[0] + dt.timedelta(days=bar.day), shift=bar.shift, times=bar.when,
                          backup=bar.backup, why=bar.why, in_place_of=bar.instead_of) for bar in row.bars],
            leaves=[Leave(date=dates[place], what=what) for place, what in row.leaves.items()])
        for row in some.rows
    ]  # fmt: skip
    gaps = [Gap(words=hole.words, filled=hole.filled) for hole in found.holes]
    return Week(first=dates[0], many=some.many, people=people, gaps=gaps)


@room.read("/duty/proof", Verb.DUTY_READ)
async def proof(ask: Asked) -> Proof:
    """What the proof of the roster says, with the file, the line, and what to do."""
    proven = await duty.proof(ask.site, ask.who)
    problems = [
        Problem(code=one.code, place=str(one.place), what=one.what, fix=one.fix, warning=one.warning)
        for one in proven.problems
    ]
    return Proof(many=proven.many, problems=problems, file_errors=await duty.file_errors(ask.site, ask.who))
