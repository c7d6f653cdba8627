"""Questions about grades, lists and appeals, like those of :mod:`calllog.queries`. Scores in tenths, times in µs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from calllog.envelope import recorded
from calllog.queries import agents_of, ask_all
from calllog.review_events import Drawn
from calllog.review_folds import ReviewState
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
    reviewed,
)

_EVENT = (event.c.seq, event.c.at, event.c.stream, event.c.stream_id, event.c.kind, event.c.v, event.c.data)


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One grade. ``appeal``: empty, ``open``, ``kept`` or ``changed``; ``standing``: it counts."""

    call_id: str
    arrived_at: int
    review_id: str
    form: str
    version: str
    grader: str
    agent: str
    given_at: int
    score: int
    passed: bool
    fatal: int
    standing: bool
    appeal: str
    appeal_at: int
    decided_by: str


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One call on a grader's list. ``review_id``, ``score``: this grader's grade by the form, once it is given; -1."""

    call_id: str
    agent: str
    grader: str
    rule: str
    plan: str
    form: str
    week: str
    drawn_at: int
    arrived_at: int
    talk_us: int
    queue: str
    label: str
    review_id: str
    score: int
    exemplary: bool


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


@dataclass(frozen=True, slots=True)
class ExemplaryRow:
    """A call that others can learn from."""

    call_id: str
    arrived_at: int
    agents: tuple[str, ...]
    talk_us: int
    label: str
    score: int


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a form, and when it was first used."""

    form: str
    version: str
    published_at: int
    text: str


async def list_reviews(
    path: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    grader: str | None = None,
    agent: str | None = None,
    form: str | None = None,
    appeal: str | None = None,
    standing: bool = True,
    limit: int = 100,
) -> list[ReviewRow]:
    """Grades given in [since, until), the newest first; ``standing``: only those that count. Raises StoreError."""
    query = _reviews().order_by(review.c.given_at.desc(), review.c.call_id).limit(limit)
    for column, wanted in ((review.c.grader, grader), (review.c.agent, agent), (review.c.form, form),
                           (review.c.appeal, appeal)):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(review.c.given_at >= since)
    if until is not None:
        query = query.where(review.c.given_at < until)
    if standing:
        query = query.where(review.c.standing == 1)
    return [_review_row(row) for row in await _ask(path, query)]


async def call_facts(path: Path, call_id: str) -> tuple[tuple[str, ...], int, bool] | None:
    """Who talked in this call, how long (µs), and whether its recording is finished. Raises StoreError."""
    query = select(agents_of(), call.c.talk_us, _finished().label("recorded")).where(call.c.call_id == call_id)
    rows = await _ask(path, query)
    return (_split(rows[0].agents), rows[0].talk_us, bool(rows[0].recorded)) if rows else None


async def listed(
    path: Path,
    *,
    grader: str | None = None,
    due: bool | None = None,
    week: str | None = None,
    call_id: str | None = None,
    limit: int = 200,
) -> list[ListedRow]:
    """Calls on graders' lists, the newest week first; ``due``: only those not graded yet, or only those that are.

    Raises StoreError.
    """
    given = (
        select(review.c.review_id, review.c.score)
        .where(
            review.c.call_id == review_list.c.call_id, review.c.grader == review_list.c.grader,
            review.c.form == review_list.c.form, review.c.appealed == 0,
        )
        .correlate(review_list).order_by(review.c.n.desc()).limit(1)
    )  # fmt: skip
    review_id = func.coalesce(given.with_only_columns(review.c.review_id).scalar_subquery(), "")
    query = (
        select(
            review_list.c.call_id, review_list.c.agent, review_list.c.grader, review_list.c.rule, review_list.c.plan,
            review_list.c.form, review_list.c.week, review_list.c.drawn_at, call.c.arrived_at, call.c.talk_us,
            call.c.queue, call.c.label, review_id.label("review_id"),
            func.coalesce(given.with_only_columns(review.c.score).scalar_subquery(), -1).label("score"),
            func.coalesce(reviewed.c.exemplary, 0).label("exemplary"),
        )
        .join(call, call.c.call_id == review_list.c.call_id)
        .outerjoin(reviewed, reviewed.c.call_id == review_list.c.call_id)
        .order_by(review_list.c.week.desc(), review_list.c.drawn_at.desc(), review_list.c.n)
        .limit(limit)
    )  # fmt: skip
    if grader is not None:
        query = query.where(review_list.c.grader == grader)
    if week is not None:
        query = query.where(review_list.c.week == week)
    if call_id is not None:
        query = query.where(review_list.c.call_id == call_id)
    if due is not None:
        query = query.where((review_id == "") if due else (review_id != ""))
    return [ListedRow(**{**row._mapping, "exemplary": bool(row.exemplary)}) for row in await _ask(path, query)]


async def gradable(path: Path, since: int, until: int) -> list[Gradable]:
    """Calls that arrived in [since, until), in which an agent talked and whose recording is finished.

    Raises StoreError.
    """
    query = (
        select(
            call.c.call_id, agents_of(), call.c.talk_us, call.c.queue,
            func.coalesce(call_record.c.subject, "").label("subject"),
            func.coalesce(measure.c.longest_silence, 0.0).label("silence"),
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


async def exemplary(path: Path, *, limit: int = 100) -> list[ExemplaryRow]:
    """The calls that others can learn from, the newest first. Raises StoreError."""
    query = (
        select(
            call.c.call_id, call.c.arrived_at, agents_of(), call.c.talk_us, call.c.label, reviewed.c.score
        )
        .select_from(reviewed).join(call, call.c.call_id == reviewed.c.call_id)
        .where(reviewed.c.exemplary == 1).order_by(call.c.arrived_at.desc()).limit(limit)
    )  # fmt: skip
    return [ExemplaryRow(**{**row._mapping, "agents": _split(row.agents)}) for row in await _ask(path, query)]


async def texts_of(path: Path, call_id: str) -> dict[str, str]:
    """What was written about this call, by note_id; a text that was erased is empty. Raises StoreError."""
    query = select(note.c.note_id, note.c.text).where(note.c.call_id == call_id)
    return {row.note_id: row.text for row in await _ask(path, query)}


def _reviews() -> Select[Any]:
    names = [name for name in ReviewRow.__dataclass_fields__ if name in review.c]
    return select(*(review.c[name] for name in names), call.c.arrived_at).join(
        call, call.c.call_id == review.c.call_id
    )


def _finished() -> ColumnElement[bool]:
    return exists().where(
        and_(recording.c.call_id == call.c.call_id, recording.c.category == "call", recording.c.state == "finished")
    )


def _review_row(row: Any) -> ReviewRow:
    return ReviewRow(**{**row._mapping, "passed": bool(row.passed), "standing": bool(row.standing)})


def _split(agents: str | None) -> tuple[str, ...]:
    return tuple(agents.split(",")) if agents else ()


async def _ask(path: Path, query: Select[Any]) -> Sequence[Any]:
    return (await ask_all(path, query))[0]
