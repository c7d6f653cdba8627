"""The duty room: who is on duty now and next, the week, how well it is covered, and what the roster's proof says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from calllog.wording import mode_word
from config.catalogue import _
from console import duty
from console.ask import Ask, Asked
from console.live import Live
from console.permits import Verb
from console.rooms import Room
from console.site import Site
from console.week import PEOPLE, Bar, Week, WeekRow

LOOK_EVERY = 5.0
"""Seconds between two looks while somebody has the room open."""

WIDTH, LEFT, ROW, BAR, HEAD = 960, 128, 34, 26, 26
"""Pixels of the week's picture: its width, the names' column, a person's line, a bar, and the line of days."""

MOST_NAMED = 12
"""People of a queue who are named."""

DAY = dt.timedelta(days=1)


def watch(live: Live, site: Site) -> None:
    """Tell when the standing of the roster or somebody's state changed."""

    async def seen() -> object:
        return site.standing, [(state.agent, state.mode) for state in site.agents()]

    live.watch("duty", LOOK_EVERY, seen)


room = Room("duty", title=lambda: _("Duty"), path="/duty", verb=Verb.DUTY_READ, order=20,
            topics={"duty": Verb.DUTY_READ}, watch=watch)  # fmt: skip

First = Annotated[dt.date | None, Query(alias="from")]
Page = Annotated[int, Query(ge=1, le=1_000)]
Name = Annotated[str, Query(max_length=60)]
"""A part of a name, number or team."""


@room.page("/duty", Verb.DUTY_READ)
async def whole(ask: Asked, first: First = None, page: Page = 1, on: Page = 1, name: Name = "") -> Response:
    """The whole room; of a large house the frame of it, which fetches the rest."""
    errors, later = await duty.file_errors(ask.site, ask.who), not duty.is_small(ask.site.settings)
    values: dict[str, Any] = {"first": first, "page": page, "on": on, "name": name.strip()}
    if not later:
        values |= await _seen(ask, on, name) | await _week(ask, first, page, name) | await _proof(ask)
    return await ask.page("duty.html", errors=errors, later=later, **values)


@room.page("/duty/now", Verb.DUTY_READ)
async def now(ask: Asked, on: Page = 1, name: Name = "") -> Response:
    """What changes of it."""
    return await ask.page("_duty.html", **await _seen(ask, on, name))


@room.page("/duty/week", Verb.DUTY_READ)
async def week(ask: Asked, first: First = None, page: Page = 1, name: Name = "") -> Response:
    """The week as a timeline, and how well it is covered."""
    return await ask.page("_duty_week.html", **await _week(ask, first, page, name))


@room.page("/duty/proof", Verb.DUTY_READ)
async def proof(ask: Asked) -> Response:
    """What the roster's proof says."""
    return await ask.page("_duty_proof.html", **await _proof(ask))


@room.page("/duty/coverage.svg", Verb.DUTY_READ)
async def coverage(ask: Asked, first: First = None, theme: Literal["light", "dark"] = "light") -> Response:
    """The map of coverage."""
    week = await duty.week(ask.site, ask.who, first)
    return Response(week.picture[theme], media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def _seen(ask: Ask, on: int, name: str) -> dict[str, Any]:
    found = await duty.now(ask.site, ask.who, page=on, name=name.strip())
    return {"now": found, "alike": _alike(found.queues), "mode_word": mode_word, "clock": _clock(found.at), "on": on,
            "named": MOST_NAMED, "name": name.strip(), "on_pages": _pages(found.many)}  # fmt: skip


async def _week(ask: Ask, first: dt.date | None, page: int, name: str) -> dict[str, Any]:
    found = await duty.week(ask.site, ask.who, first)
    people = await ask.thread(duty.people, found, page, name.strip())
    begins = found.days[0].date
    return {"week": found, "rows": people.rows, "many": people.many, "page": page, "pages": _pages(people.many),
            "name": name.strip(), "drawn": _Drawn(found, people.rows), "first": begins, "before": begins - 7 * DAY,
            "after": begins + 7 * DAY}  # fmt: skip


async def _proof(ask: Ask) -> dict[str, Any]:
    return {"proven": await duty.proof(ask.site, ask.who), "most": duty.MOST_TOLD}


def _pages(many: int) -> int:
    return max(1, -(-many // PEOPLE))


def _alike(queues: Sequence[duty.QueueDuty]) -> list[tuple[list[str], duty.QueueDuty]]:
    """Queues that the same people answer, now and next, under one another's labels."""
    found: dict[object, tuple[list[str], duty.QueueDuty]] = {}
    for one in queues:
        found.setdefault((one.closed, one.opens, one.now, one.next_at, one.next), ([], one))[0].append(one.label)
    return list(found.values())


def _clock(at: dt.datetime) -> Any:
    """``14:00``, with the date where it is another day."""
    return lambda time: f"{time:%H:%M}" if time.date() == at.date() else f"{time:%m-%d %H:%M}"


class _Drawn:
    """Where the week's picture has its things, in pixels."""

    def __init__(self, week: Week, rows: Sequence[WeekRow]) -> None:
        self.width, self.left, self.row, self.bar, self.head = WIDTH, LEFT, ROW, BAR, HEAD
        self.height = HEAD + ROW * len(rows) + 4
        self.day = (WIDTH - LEFT) / len(week.days)
        self.now = self.x(week.now) if week.now is not None else None
        self._rows = rows

    def x(self, share: float) -> float:
        """The place of a share of the week."""
        return round(LEFT + (WIDTH - LEFT) * share, 1)

    def bars(self, row: int) -> Iterator[tuple[Bar, float, float, str]]:
        """A person's bars with place, width, and the words that fit into it."""
        for bar in self._rows[row].bars:
            x, end = self.x(bar.first), self.x(bar.end)
            if end > x:
                room = (end - x - 6) / 13
                words = bar.shift if len(bar.shift) <= room else bar.short[: max(0, int(room))]
                yield bar, x, round(end - x - 1, 1), words
