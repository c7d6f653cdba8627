"""Questions about call records: what was written, which are missing, and their completeness as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from calllog.queries import CallRow, ask_all, calls_of
from calllog.tables import call, call_record, note, party, talk


@dataclass(frozen=True, slots=True)
class Completeness:
    """Answered calls, and those of them that have a complete record (``calllog.kpi.record_completeness``)."""

    answered: int = 0
    complete: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """An answered call whose record is missing (``version`` 0) or incomplete; ``agent`` talked last."""

    call_id: str
    arrived_at: int
    agent: str
    version: int
    subject: str


async def note_texts(path: Path, call_id: str) -> dict[str, str]:
    """Text by note_id of everything written about this call. Raises StoreError."""
    (rows,) = await ask_all(path, select(note.c.note_id, note.c.text).where(note.c.call_id == call_id))
    return {row.note_id: row.text for row in rows}


async def completeness(
    path: Path, *, since: int | None = None, until: int | None = None, agent: str | None = None
) -> Completeness:
    """Of the calls that arrived in [since, until) (µs); of ``agent``: those in which they talked. Raises StoreError."""
    joined = call.outerjoin(call_record, call_record.c.call_id == call.c.call_id)
    columns: list[Any] = [func.count(), func.sum(case((call_record.c.complete == 1, 1), else_=0))]
    (rows,) = await ask_all(path, select(*columns).select_from(joined).where(*_answered(since, until, agent)))
    answered, complete = rows[0]
    return Completeness(answered, complete or 0)


async def due_records(
    path: Path, *, since: int | None = None, until: int | None = None, agent: str | None = None, limit: int = 100
) -> list[Due]:
    """The answered calls that lack a complete record, the newest first. Raises StoreError."""
    last = (
        select(talk.c.agent).where(talk.c.call_id == call.c.call_id, talk.c.started_at > 0)
        .order_by(talk.c.n.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    query = (
        select(
            call.c.call_id, call.c.arrived_at, last.label("agent"),
            func.coalesce(call_record.c.version, 0).label("version"),
            func.coalesce(call_record.c.subject, "").label("subject"),
        ).select_from(call.outerjoin(call_record, call_record.c.call_id == call.c.call_id))
        .where(*_answered(since, until, agent), or_(call_record.c.complete == 0, call_record.c.call_id.is_(None)))
        .order_by(call.c.arrived_at.desc(), call.c.call_id.desc()).limit(limit)
    )  # fmt: skip
    (rows,) = await ask_all(path, query)
    return [Due(row.call_id, row.arrived_at, row.agent or "", row.version, row.subject) for row in rows]


@dataclass(frozen=True, slots=True)
class Stands:
    """How a call's record stands, without its texts."""

    version: int
    subject: str
    solved: str
    complete: bool


async def records_of(path: Path, call_ids: Sequence[str]) -> dict[str, Stands]:
    """How the records of these calls stand; a call without one is left out. Raises StoreError."""
    table = call_record.c
    columns = (table.call_id, table.version, table.subject, table.solved, table.complete)
    (rows,) = await ask_all(path, select(*columns).where(table.call_id.in_(call_ids)))
    return {row.call_id: Stands(row.version, row.subject, row.solved, bool(row.complete)) for row in rows}


async def talked_in(path: Path, call_id: str, agent: str) -> bool:
    """Whether this agent talked in this call. Raises StoreError."""
    query = select(talk.c.n).where(talk.c.call_id == call_id, talk.c.agent == agent, talk.c.started_at > 0).limit(1)
    (rows,) = await ask_all(path, query)
    return bool(rows)


async def earlier_calls(path: Path, number: str, *, before: str, limit: int) -> list[CallRow]:
    """The calls of this number (E.164, else as the trunk gave it), the newest first, without the call ``before``.

    Raises StoreError.
    """
    same = or_(  # said so that SQLite sees that the partial indexes serve
        and_(party.c.e164 != "", party.c.e164 == number),
        and_(party.c.e164 == "", party.c.raw != "", party.c.raw == number),
    )
    (people,) = await ask_all(path, select(party.c.party_id).where(same))
    if not people:
        return []
    mine = call.c.party_id.in_([one.party_id for one in people])
    query = select(call.c.call_id).where(mine, call.c.call_id != before)
    (rows,) = await ask_all(path, query.order_by(call.c.arrived_at.desc(), call.c.call_id.desc()).limit(limit))
    return await calls_of(path, [row.call_id for row in rows])


def _answered(since: int | None, until: int | None, agent: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [call.c.outcome == "answered"]
    if since is not None:
        found.append(call.c.arrived_at >= since)
    if until is not None:
        found.append(call.c.arrived_at < until)
    if agent is not None:
        found.append(exists().where(and_(
            talk.c.call_id == call.c.call_id, talk.c.agent == agent, talk.c.started_at > 0
        )))  # fmt: skip
    return found
