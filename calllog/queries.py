"""Questions to the store: SQLAlchemy Core over :mod:`calllog.tables`, on read-only connections.

Times are µs since 1970 UTC, 0 for "not yet"; intervals are half-open. The functions are for the console's loop, and
for commands by ``asyncio.run``: each question runs in a thread of its own, since SQLite has no other way to wait.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, Table, create_engine, exists, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from calllog.envelope import fold_call, recorded
from calllog.events import Outcome, Party, Recorded
from calllog.folds import AgentState, CallState
from calllog.rows import AGENT_COLUMNS, agent_of
from calllog.search import Wanted, chunks, find
from calllog.store import connect_to_read, explain
from calllog.tables import agent_state, call, card, event, party, recording, talk


@dataclass(frozen=True, slots=True)
class CallRow:
    """One line of ``hotline calls``. ``number`` is E.164, else as the trunk gave it; empty: hidden or erased.

    ``agents`` talked with the caller, ``rings`` counts rings at agents, ``recorded``: there is a finished file.
    ``rating``: the caller's, 1 (best) to 5; 0: none.
    """

    call_id: str
    direction: str
    did: str
    trunk: str
    party_id: str
    number: str
    name: str
    stage: str
    arrived_at: int
    answered_at: int
    asked_at: int
    queue: str
    label: str
    first_talk_at: int
    talk_us: int
    rings: int
    agents: tuple[str, ...]
    ended_at: int
    outcome: str
    reason: str
    recorded: bool
    rating: int = 0


@dataclass(frozen=True, slots=True)
class TalkRow:
    """One ring at an agent, and the talk that came of it (``started_at`` not 0). Frames are the recording's.

    ``invited_at``: when the caller was asked to rate it; ``rating``: 1 (best) to 5, 0 for none.
    """

    call_id: str
    n: int
    talk_id: str
    agent: str
    device: str
    rung_at: int
    ring_result: str
    ring_ended_at: int
    started_at: int
    ended_at: int
    ended_by: str
    held_us: int
    parts: int
    recording_failed: str
    first_frame: int
    end_frame: int
    verified: bool
    note: str
    invited_at: int = 0
    rating: int = 0


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording. ``file`` is relative to the recordings folder and empty until it is finished.

    ``state``: ``open`` (the call goes on), ``due`` (to be finished), ``finished``, ``failed`` (``archive_failed``
    says why). ``rate`` is in Hz.
    """

    call_id: str
    category: str
    state: str
    arrived_at: int
    begun_at: int
    file: str
    sha256: str
    frames: int
    rate: int
    channels: int
    parts: int
    archive_failed: str
    number: str
    name: str
    agents: tuple[str, ...]
    rating: int = 0
    """The caller's, of the call: 1 (best) to 5; 0: none."""

    @property
    def seconds(self) -> float:
        """Length of the finished file, in seconds; 0.0 before."""
        return self.frames / self.rate if self.rate else 0.0


@dataclass(frozen=True, slots=True)
class CallDetail:
    """Everything about one call. ``party`` is all empty when the number was hidden or erased."""

    row: CallRow
    party: Party
    state: CallState
    talks: tuple[TalkRow, ...]
    recordings: tuple[RecordingRow, ...]
    events: tuple[Recorded, ...]


async def list_calls(
    path: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    outcome: Outcome | None = None,
    agent: str | None = None,
    number: str | None = None,
    limit: int = 100,
    after: str | None = None,
) -> list[CallRow]:
    """Calls that arrived in [since, until), the newest first; :func:`calllog.search.find` knows more wishes.

    ``agent`` (staff number) keeps calls in which that agent talked; ``number`` is a part of the caller's number;
    ``after`` is the call_id of the last row of the page before. Raises StoreError.
    """
    wanted = Wanted(since=since, until=until, outcome=outcome, agent=agent, number=number)
    return await calls_of(path, (await find(path, wanted, limit=limit, after=after)).call_ids)


async def calls_of(path: Path, call_ids: Sequence[str]) -> list[CallRow]:
    """The rows of these calls, in this order. Raises StoreError."""
    asked = chunks(call_ids)
    answers = await ask_all(path, *(_calls().where(call.c.call_id.in_(_listed(ids))) for ids in asked)) if asked else []
    rows = {row.call_id: _call_row(row) for rows in answers for row in rows}
    return [rows[call_id] for call_id in call_ids if call_id in rows]


async def get_call(path: Path, call_id: str) -> CallDetail | None:
    """One call whole, or None when there is none of that id. Raises StoreError."""
    columns = (event.c.seq, event.c.at, event.c.stream, event.c.stream_id, event.c.kind, event.c.v, event.c.data)
    rows, parties, talks, recordings, events = await ask_all(
        path,
        _calls().where(call.c.call_id == call_id),
        select(party.c.raw, party.c.e164, party.c.name).join(call, call.c.party_id == party.c.party_id)
        .where(call.c.call_id == call_id),
        select(*_columns(talk, TalkRow)).where(talk.c.call_id == call_id).order_by(talk.c.n),
        _recordings().where(recording.c.call_id == call_id).order_by(recording.c.category),
        select(*columns).where(event.c.stream == "call", event.c.stream_id == call_id).order_by(event.c.seq),
    )  # fmt: skip
    if not rows:
        return None
    state = CallState(call_id)
    history = recorded(events)
    for each in history:
        fold_call(state, each.at, each.event)
    return CallDetail(
        row=_call_row(rows[0]),
        party=Party(*parties[0]) if parties else Party(),
        state=state,
        talks=tuple(TalkRow(**{**row._mapping, "verified": bool(row.verified)}) for row in talks),
        recordings=tuple(_recording_row(row) for row in recordings),
        events=tuple(history),
    )


async def call_ids(path: Path, beginning: str, *, limit: int = 10) -> list[str]:
    """The ids of calls that begin so, the newest first, at most ``limit``. Raises StoreError."""
    query = select(call.c.call_id).where(call.c.call_id.startswith(beginning, autoescape=True))
    query = query.order_by(call.c.arrived_at.desc(), call.c.call_id.desc()).limit(limit)
    return [call_id for (call_id,) in await _ask(path, query)]


async def list_recordings(
    path: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    agent: str | None = None,
    category: str | None = None,
    limit: int = 100,
    after: str | None = None,
) -> list[RecordingRow]:
    """Recordings of calls that arrived in [since, until), the newest first; a call's talks before its voicemail.

    ``after`` is the call_id of the last row of the page before. Raises StoreError.
    """
    wanted = Wanted(since=since, until=until, agent=agent, recorded=True, category=category)
    found = await find(path, wanted, limit=limit, after=after)
    return (await recordings_of(path, found.call_ids, category))[:limit]


async def recordings_of(path: Path, call_ids: Sequence[str], category: str | None = None) -> list[RecordingRow]:
    """The recordings of these calls, in this order; a call's talks before its voicemail. Raises StoreError."""
    asked = chunks(call_ids)
    query = _recordings().order_by(recording.c.category)
    if category is not None:
        query = query.where(recording.c.category == category)
    questions = (query.where(recording.c.call_id.in_(_listed(ids))) for ids in asked)
    answers = await ask_all(path, *questions) if asked else []
    order = {call_id: place for place, call_id in enumerate(call_ids)}
    return sorted((_recording_row(row) for rows in answers for row in rows), key=lambda row: order[row.call_id])


async def get_recording(path: Path, call_id: str, category: str | None = None) -> RecordingRow | None:
    """The call's recording: of its talks, else of its voicemail; or of the category asked for. Raises StoreError."""
    query = _recordings().where(recording.c.call_id == call_id).order_by(recording.c.category)
    if category is not None:
        query = query.where(recording.c.category == category)
    rows = await _ask(path, query.limit(1))
    return _recording_row(rows[0]) if rows else None


async def agent_rows(path: Path) -> list[AgentState]:
    """Every agent's latest state, by staff number. Raises StoreError."""
    columns = [agent_state.c[name] for name in AGENT_COLUMNS]
    return [agent_of(tuple(row)) for row in await _ask(path, select(*columns).order_by(agent_state.c.agent))]


async def count_by_outcome(path: Path, *, since: int | None = None, until: int | None = None) -> dict[str, int]:
    """How many calls that arrived in [since, until) have each outcome; ``""`` counts open calls. Raises StoreError."""
    query = select(call.c.outcome, func.count()).where(*_arrived(since, until)).group_by(call.c.outcome)
    return {outcome: count for outcome, count in await _ask(path, query)}


# --- the statements -----------------------------------------------------------------------------------------------


def _columns(table: Table, row: type[Any]) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in row.__dataclass_fields__ if name in table.c]


def agents_of() -> ColumnElement[str]:
    """Who talked in this call, in order, with commas between."""
    talked = (
        select(talk.c.agent).where(talk.c.call_id == call.c.call_id, talk.c.started_at > 0)
        .correlate(call).group_by(talk.c.agent).order_by(func.min(talk.c.n)).subquery()
    )  # fmt: skip
    return select(func.aggregate_strings(talked.c.agent, ",")).scalar_subquery().label("agents")


def _number() -> ColumnElement[str]:
    return func.coalesce(func.nullif(party.c.e164, ""), party.c.raw, "").label("number")


def _rating() -> ColumnElement[int]:
    """How the caller rated this call; 0: not at all."""
    rated = select(card.c.rating).where(card.c.call_id == call.c.call_id).correlate(call).scalar_subquery()
    return func.coalesce(rated, 0).label("rating")


def _calls() -> Select[Any]:
    finished = exists().where(recording.c.call_id == call.c.call_id, recording.c.state == "finished")
    return select(
        *_columns(call, CallRow), _number(), func.coalesce(party.c.name, "").label("name"), agents_of(),
        finished.label("recorded"), _rating(),
    ).select_from(call.outerjoin(party, party.c.party_id == call.c.party_id))  # fmt: skip


def _recordings() -> Select[Any]:
    joined = recording.join(call, call.c.call_id == recording.c.call_id)
    return select(
        *_columns(recording, RecordingRow), call.c.arrived_at, _number(),
        func.coalesce(party.c.name, "").label("name"), agents_of(), _rating(),
    ).select_from(
        joined.outerjoin(party, party.c.party_id == call.c.party_id)
    ).where(recording.c.state != "nothing")  # fmt: skip


def _arrived(since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    found = []
    if since is not None:
        found.append(call.c.arrived_at >= since)
    if until is not None:
        found.append(call.c.arrived_at < until)
    return found


def _listed(ids: str) -> Select[Any]:
    """The ids of a JSON list, as a question."""
    return select(func.json_each(ids).table_valued("value").c.value)


def _split(agents: str | None) -> tuple[str, ...]:
    return tuple(agents.split(",")) if agents else ()


def _call_row(row: Any) -> CallRow:
    return CallRow(**{**row._mapping, "agents": _split(row.agents), "recorded": bool(row.recorded)})


def _recording_row(row: Any) -> RecordingRow:
    return RecordingRow(**{**row._mapping, "agents": _split(row.agents)})


# --- asking -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _engine(path: Path) -> Engine:
    return create_engine("sqlite://", creator=partial(connect_to_read, path), poolclass=NullPool)


async def _ask(path: Path, query: Select[Any]) -> Sequence[Any]:
    return (await ask_all(path, query))[0]


async def ask_all(path: Path, *queries: Select[Any]) -> list[Sequence[Any]]:
    """The answers to several questions about one moment. Raises StoreError."""
    return await asyncio.to_thread(_answer, path, queries)


def _answer(path: Path, queries: Sequence[Select[Any]]) -> list[Sequence[Any]]:
    try:
        with _engine(path.absolute()).connect() as connection:
            connection.exec_driver_sql("BEGIN")
            answers: list[Sequence[Any]] = [connection.execute(query).all() for query in queries]
            connection.rollback()
            return answers
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise explain(path, error.orig) from error
        raise
