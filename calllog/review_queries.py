"""Questions about grades, lists and appeals, like those of :mod:`calllog.queries`. Scores in tenths, times in µs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from calllog.envelope import recorded
from calllog.paging import Page
from calllog.queries import agents_of, ask_all
from calllog.review_events import Drawn
from calllog.review_folds import ReviewState
from calllog.review_pages import ExemplaryRow, find_examples
from calllog.tables import (
    call,
    call_record,
    event,
    measure,
    note,
    recording,
    review,
    review_form,
    review_list,
    talk,
)

_EVENT = (event.c.seq, event.c.at, event.c.stream, event.c.stream_id, event.c.kind, event.c.v, event.c.data)


@dataclass(frozen=True, slots=True)
class Gradable:
    """A call that a plan may choose. ``agents`` talked, ``talk_us`` in all."""

    call_id: str
    agents: tuple[str, ...]
    talk_us: int
    queue: str
    subject: str
    silence: float
    """The longest silence of both sides, in seconds."""
    rating: int = 0
    rated: str = ""
    """The last rating that the caller gave, and the agent whose talk it is of; 0 and empty: none."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a form, and when it was first used."""

    form: str
    version: str
    published_at: int
    text: str


async def call_facts(path: Path, call_id: str) -> tuple[tuple[str, ...], int, bool] | None:
    """Who talked in this call, how long (µs), and whether its recording is finished. Raises StoreError."""
    query = select(agents_of(), call.c.talk_us, _finished().label("recorded")).where(call.c.call_id == call_id)
    rows = await _ask(path, query)
    return (_split(rows[0].agents), rows[0].talk_us, bool(rows[0].recorded)) if rows else None


async def gradable(path: Path, since: int, until: int) -> list[Gradable]:
    """Calls that arrived in [since, until), in which an agent talked and whose recording is finished.

    Raises StoreError.
    """
    query = (
        select(
            call.c.call_id, agents_of(), call.c.talk_us, call.c.queue,
            func.coalesce(call_record.c.subject, "").label("subject"),
            func.coalesce(measure.c.longest_silence, 0.0).label("silence"),
            _last_rated(talk.c.rating, 0).label("rating"), _last_rated(talk.c.agent, "").label("rated"),
        )
        .outerjoin(call_record, call_record.c.call_id == call.c.call_id)
        .outerjoin(measure, and_(measure.c.call_id == call.c.call_id, measure.c.category == "call"))
        .where(call.c.arrived_at >= since, call.c.arrived_at < until, call.c.first_talk_at > 0, _finished())
    )  # fmt: skip
    return [Gradable(**{**row._mapping, "agents": _split(row.agents)}) for row in await _ask(path, query)]


async def drawn(path: Path, plan: str, week: str) -> list[Drawn]:
    """What this plan has put on lists for this week. Raises StoreError."""
    columns = [review_list.c[name] for name in ("call_id", "agent", "grader", "rule")]
    query = select(*columns).where(review_list.c.plan == plan, review_list.c.week == week)
    return [Drawn(*row) for row in await _ask(path, query)]


async def forms(path: Path, form: str | None = None) -> list[Published]:
    """Every version of the forms that was ever used, the newest first. Raises StoreError."""
    query = select(review_form.c.form, review_form.c.version, review_form.c.published_at, review_form.c.text)
    if form is not None:
        query = query.where(review_form.c.form == form)
    return [Published(*row) for row in await _ask(path, query.order_by(review_form.c.published_at.desc()))]


async def states(path: Path, calls: Select[Any]) -> dict[str, ReviewState]:
    """What quality has said of each of these calls. Raises StoreError."""
    query = select(*_EVENT).where(event.c.stream == "review", event.c.stream_id.in_(calls)).order_by(event.c.seq)
    found: dict[str, ReviewState] = {}
    for each in recorded(await _ask(path, query)):
        found.setdefault(each.stream_id, ReviewState(each.stream_id)).apply(each.at, each.event)
    return found


async def state_of(path: Path, call_id: str) -> ReviewState:
    """What quality has said of this call. Raises StoreError."""
    only = select(call.c.call_id).where(call.c.call_id == call_id)
    return (await states(path, only)).get(call_id) or ReviewState(call_id)


async def graded_twice(path: Path, form: str, *, since: int | None, until: int | None) -> dict[str, ReviewState]:
    """The calls that at least two graders graded by this form in [since, until). Raises StoreError."""
    query = select(review.c.call_id).where(review.c.form == form, review.c.appealed == 0)
    if since is not None:
        query = query.where(review.c.given_at >= since)
    if until is not None:
        query = query.where(review.c.given_at < until)
    return await states(path, query.group_by(review.c.call_id).having(func.count(review.c.grader.distinct()) > 1))


async def examples(
    path: Path, *, agent: str | None = None, limit: int = 50, after: str | None = None, before: str | None = None
) -> Page[ExemplaryRow]:
    """A page of the calls that others can learn from (of this agent), the last one marked first. Raises StoreError."""
    page = await find_examples(path, agent=agent, limit=limit, after=after, before=before)
    if not page.rows:
        return page
    marked = await states(path, _values([row.call_id for row in page.rows]))
    ids = {call_id: state.exemplary_notes.get("why", "") for call_id, state in marked.items()}
    query = select(note.c.note_id, note.c.text).where(note.c.note_id.in_(_values([one for one in ids.values() if one])))
    texts = {row.note_id: row.text for row in await _ask(path, query)}
    rows = tuple(
        replace(row, by=marked[row.call_id].exemplary_by, why=texts.get(ids[row.call_id], ""))
        if row.call_id in marked else row
        for row in page.rows
    )  # fmt: skip
    return replace(page, rows=rows)


def _values(ids: Sequence[str]) -> Select[Any]:
    """These ids, as a question."""
    return select(func.json_each(dumps(list(ids))).table_valued("value").c.value)


async def texts_of(path: Path, call_id: str) -> dict[str, str]:
    """What was written about this call, by note_id; a text that was erased is empty. Raises StoreError."""
    query = select(note.c.note_id, note.c.text).where(note.c.call_id == call_id)
    return {row.note_id: row.text for row in await _ask(path, query)}


def _last_rated(column: ColumnElement[Any], none: int | str) -> ColumnElement[Any]:
    last = (
        select(column).where(talk.c.call_id == call.c.call_id, talk.c.rating > 0).correlate(call)
        .order_by(talk.c.n.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    return func.coalesce(last, none)


def _finished() -> ColumnElement[bool]:
    return exists().where(
        and_(recording.c.call_id == call.c.call_id, recording.c.category == "call", recording.c.state == "finished")
    )


def _split(agents: str | None) -> tuple[str, ...]:
    return tuple(agents.split(",")) if agents else ()


async def _ask(path: Path, query: Select[Any]) -> Sequence[Any]:
    return (await ask_all(path, query))[0]
