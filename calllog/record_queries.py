"""Questions about call records: what was written, which are missing, and their completeness as a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from calllog.queries import ask_all
from calllog.tables import call, call_record, note, talk


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
