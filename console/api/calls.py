"""Calls, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from calllog.events import Category, Outcome
from console import calls
from console.ask import Asked
from console.calls import MOST, PAGE, Eyes
from console.filters import Filter, Filters
from console.finding import FIELDS, LONGEST
from console.permits import Verb
from console.rooms import ApiRoom
from console.sheets import DESCRIBED, sheet
from console.site import Refusal
from console.timeline import words

room = ApiRoom("calls")

Text = Annotated[str, Query(max_length=LONGEST)]
Id = Annotated[str, Query(max_length=200)]
Outcomes = Literal["", Outcome]
Recorded = Literal["", Category, "any"]
Rated = Annotated[int, Field(ge=0, le=5)]
Period = Literal["", "today", "yesterday", "7d", "30d"]


class Call(BaseModel):
    """A call. Times are µs since 1970 UTC, 0 for not yet; ``waited`` and ``talked`` seconds. ``number`` is masked
    without the permission number.see, and empty where the caller hid theirs. ``rating``: the caller's, 1 (best) to 5, 0
    for none."""

    call_id: str
    arrived_at: int
    direction: str
    number: str
    name: str
    did: str
    trunk: str
    queue: str
    label: str
    agents: list[str]
    rings: int
    waited: float | None
    talked: float | None
    ended_at: int
    stage: str
    outcome: str
    reason: str
    recorded: bool
    rating: Rated


class Many(BaseModel):
    """How many calls there are: ``n``, and at least one more where ``more``."""

    n: int
    more: bool


class Calls(BaseModel):
    """One page, the newest first. The next one: ``after`` the last call of this one."""

    calls: list[Call]
    older: bool
    newer: bool
    count: Many | None


class Talk(BaseModel):
    """A ring at an agent, and the talk that came of it where ``started_at`` is not 0. ``held`` in seconds.
    ``invited_at``: when the caller was asked to rate it, 0 for never."""

    talk_id: str
    agent: str
    rung_at: int
    ring_result: str
    started_at: int
    ended_at: int
    ended_by: str
    held: float
    verified: bool
    invited_at: int
    rating: Rated


class Recording(BaseModel):
    """A recording of the call; ``seconds`` is 0 until it is finished."""

    category: str
    state: str
    seconds: float
    sha256: str


class Step(BaseModel):
    """What happened, in the reader's language."""

    seq: int
    at: int
    kind: str
    text: str


class WholeCall(BaseModel):
    """A call from its arrival to its outcome."""

    call: Call
    talks: list[Talk]
    recordings: list[Recording]
    course: list[Step]


class SavedFilter(BaseModel):
    """A saved filter of one's own; ``fields`` are the parameters of GET /calls."""

    filter_id: str
    name: str
    fields: dict[str, str]


class NewFilter(BaseModel):
    """A filter to keep; one of the same name is replaced."""

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=r"\S")]
    fields: dict[str, Annotated[str, Field(max_length=LONGEST)]]


@room.read("/calls", Verb.CALLS_READ)
async def listing(
    ask: Asked, request: Request, since: Text = "", until: Text = "", number: Text = "", agent: Text = "",
    queue: Text = "", subject: Text = "", outcome: Outcomes = "", length: Text = "", hold: Text = "",
    silence: Text = "", talk_over: Text = "", score: Text = "", rating: Text = "", category: Recorded = "",
    words: Text = "", period: Period = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE, after: Id = "", before: Id = "",
) -> Calls:  # fmt: skip
    """Calls that are all of this; the grammar of each field is that of docs/finding-calls.md."""
    fields = {key: request.query_params.get(key, "") for key in (*FIELDS, "period")}
    found = await calls.found_calls(
        ask.site, ask.who, fields, limit=limit, after=after or None, before=(before or None) if not after else None,
        counted=not (after or before),
    )  # fmt: skip
    for name, why in found.question.faults.items():
        raise Refusal(f"{name}: {why}", status=422)
    eyes, now = Eyes.of(ask.site, ask.who), ask.site.now()
    return Calls(
        calls=[Call.model_validate(row) for row in calls.rows_of(found, eyes, now)], older=found.older,
        newer=found.newer, count=Many(n=found.count.n, more=found.count.more) if found.count is not None else None,
    )  # fmt: skip


@room.read("/calls/export.csv", Verb.CALLS_READ, response_class=Response, responses=DESCRIBED)
async def export(
    ask: Asked, request: Request, since: Text = "", until: Text = "", number: Text = "", agent: Text = "",
    queue: Text = "", subject: Text = "", outcome: Text = "", length: Text = "", hold: Text = "", silence: Text = "",
    talk_over: Text = "", score: Text = "", rating: Text = "", category: Text = "", words: Text = "",
    period: Text = "",
) -> Response:  # fmt: skip
    """The same calls as CSV, up to 10,000; who took it stands in the access log."""
    fields = {key: text for key in (*FIELDS, "period") if (text := request.query_params.get(key, "").strip())}
    found = await calls.exported_calls(ask.site, ask.who, fields)
    return sheet("calls.csv", calls.sheet_rows(found, Eyes.of(ask.site, ask.who), ask.site.now()))


@room.read("/calls/filters", Verb.CALLS_READ)
async def filters(ask: Asked) -> list[SavedFilter]:
    """One's own saved filters."""
    return [_saved(each) for each in await ask.thread(Filters(ask.office.book).of, ask.who)]


@room.do("POST", "/calls/filters", Verb.CALLS_READ, status_code=201)
async def save(ask: Asked, wanted: NewFilter) -> SavedFilter:
    """Keep a filter by a name."""
    return _saved(await ask.thread(Filters(ask.office.book).save, ask.who, wanted.name, wanted.fields))


@room.do("DELETE", "/calls/filters/{filter_id}", Verb.CALLS_READ, status_code=204)
async def drop(ask: Asked, filter_id: str) -> None:
    """Take one of one's own away."""
    await ask.thread(Filters(ask.office.book).drop, ask.who, filter_id)


@room.read("/calls/{call_id}", Verb.CALLS_READ)
async def one(ask: Asked, call_id: str) -> WholeCall:
    """One call whole."""
    detail = await calls.one_call(ask.site, ask.who, call_id)
    eyes = Eyes.of(ask.site, ask.who)
    found = calls.Found(calls.asked({}, ask.site, ask.who), (detail.row,))
    (row,) = calls.rows_of(found, eyes, ask.site.now())
    return WholeCall(
        call=Call.model_validate(row),
        talks=[
            Talk(talk_id=talk.talk_id, agent=talk.agent, rung_at=talk.rung_at, ring_result=talk.ring_result,
                 started_at=talk.started_at, ended_at=talk.ended_at, ended_by=talk.ended_by, held=talk.held_us / 1e6,
                 verified=talk.verified, invited_at=talk.invited_at, rating=talk.rating)
            for talk in detail.talks
        ],
        recordings=[
            Recording(category=each.category, state=each.state, seconds=round(each.seconds, 3), sha256=each.sha256)
            for each in detail.recordings
        ],
        course=[
            Step(seq=each.seq, at=each.at, kind=_kind(each.event), text=eyes.plain(words(each.event, eyes.names)))
            for each in detail.events
        ],
    )  # fmt: skip


def _kind(event: Any) -> str:
    return str(msgspec.to_builtins(event)["kind"])


def _saved(each: Filter) -> SavedFilter:
    return SavedFilter(filter_id=each.filter_id, name=each.name, fields=dict(each.fields))
