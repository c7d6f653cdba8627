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
from console.permits import Verb
from console.rooms import Room
from console.week import Bar, Week

LOOK_EVERY = 5.0
"""Seconds between two looks while somebody has the room open."""

WIDTH, LEFT, ROW, BAR, HEAD = 960, 128, 34, 26, 26
"""Pixels of the week's picture: its width, the names' column, a person's line, a bar, and the line of days."""

DAY = dt.timedelta(days=1)

room = Room("duty", title=lambda: _("Duty"), path="/duty", verb=Verb.DUTY_READ, order=20,
            topics={"duty": Verb.DUTY_READ})  # fmt: skip

First = Annotated[dt.date | None, Query(alias="from")]


@room.page("/duty", Verb.DUTY_READ)
async def page(ask: Asked, first: First = None) -> Response:
    """The whole room."""
    week = await duty.week(ask.site, ask.who, first)
    begins = week.days[0].date
    return await ask.page(
        "duty.html", **await _seen(ask), week=week, drawn=_Drawn(week), first=begins, before=begins - 7 * DAY,
        after=begins + 7 * DAY, problems=await duty.proof(ask.site, ask.who),
        errors=await duty.file_errors(ask.site, ask.who), most=duty.MOST_TOLD,
    )  # fmt: skip


@room.page("/duty/now", Verb.DUTY_READ)
async def now(ask: Asked) -> Response:
    """What changes of it."""
    return await ask.page("_duty.html", **await _seen(ask))


@room.page("/duty/coverage.svg", Verb.DUTY_READ)
async def coverage(ask: Asked, first: First = None, theme: Literal["light", "dark"] = "light") -> Response:
    """The map of coverage."""
    week = await duty.week(ask.site, ask.who, first)
    return Response(week.picture[theme], media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def _seen(ask: Ask) -> dict[str, Any]:
    found = await duty.now(ask.site, ask.who)

    async def changed() -> object:
        standing = ask.site.standing
        return standing, [(state.agent, state.mode) for state in ask.site.agents()]

    ask.office.live.watch("duty", LOOK_EVERY, changed)
    return {"now": found, "alike": _alike(found.queues), "mode_word": mode_word, "clock": _clock(found.at)}


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

    def __init__(self, week: Week) -> None:
        self.width, self.left, self.row, self.bar, self.head = WIDTH, LEFT, ROW, BAR, HEAD
        self.height = HEAD + ROW * len(week.rows) + 4
        self.day = (WIDTH - LEFT) / len(week.days)
        self.now = self.x(week.now) if week.now is not None else None
        self._week = week

    def x(self, share: float) -> float:
        """The place of a share of the week."""
        return round(LEFT + (WIDTH - LEFT) * share, 1)

    def bars(self, row: int) -> Iterator[tuple[Bar, float, float, str]]:
        """A person's bars with place, width, and the words that fit into it."""
        for bar in self._week.rows[row].bars:
            x, end = self.x(bar.first), self.x(bar.end)
            if end > x:
                room = (end - x - 6) / 13
                words = bar.shift if len(bar.shift) <= room else bar.short[: max(0, int(room))]
                yield bar, x, round(end - x - 1, 1), words
