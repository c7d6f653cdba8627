"""录音完整率, recording coverage: of the talks over 3 s those with a verified recording, and why the others have none.

The formula stands in ``calllog.kpi``. A talk counts when it has ended; a period is meant by the arrival of the call, as
in every other figure. A recording whose file was found gone or damaged since is no verified one; one that was purged
when its time had come still is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, text, union

from calllog.kpi import LEAST_TALK, recording_coverage
from calllog.queries import ask_all
from calllog.tables import call, recording, talk

_LEAST_US = round(LEAST_TALK * 1_000_000)


@dataclass(frozen=True, slots=True)
class Gap:
    """A talk over 3 s without a verified recording. ``why`` is of ``recordings.notes``'s words."""

    call_id: str
    talk_id: str
    agent: str
    started_at: int
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """``talks`` over 3 s, ``verified`` of them with a verified recording; the newest ``gaps``, as many as asked."""

    talks: int
    verified: int
    gaps: tuple[Gap, ...]

    @property
    def share(self) -> float | None:
        """录音完整率; None where there was no talk."""
        return recording_coverage(self.verified, self.talks)


async def coverage(
    path: Path, *, since: int | None = None, until: int | None = None, gaps: int = 1000
) -> Coverage:
    """Recording coverage of the calls that arrived in [since, until) (µs). Raises StoreError."""
    counts, bad, rows = await ask_all(path, *questions(since, until, gaps))
    talks, lacking = int(counts[0][0]), int(bad[0][0])
    return Coverage(talks, talks - lacking, tuple(_gap(row) for row in rows))


def questions(since: int | None, until: int | None, gaps: int) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """How many talks there are, how many of them lack a recording, and the newest of those.

    Those that lack one are few, and have indexes of their own (``talk_unverified``, ``recording_faulty``), whose
    conditions stand in the question word by word so that SQLite sees that they serve.
    """
    unverified = text("talk.verified = 0 AND talk.started_at > 0")
    lacking = union(
        select(talk.c.call_id, talk.c.n).where(unverified, *_long()),
        select(talk.c.call_id, talk.c.n).join(recording, recording.c.call_id == talk.c.call_id)
        .where(text("recording.fault != ''"), recording.c.category == "call", *_long()),
    ).subquery("lacking")  # fmt: skip
    among = and_(lacking.c.call_id == talk.c.call_id, lacking.c.n == talk.c.n)
    return (
        _period(select(func.count()).select_from(talk.join(call, call.c.call_id == talk.c.call_id)).where(*_long()),
                since, until),
        _period(
            select(func.count()).select_from(lacking.join(call, call.c.call_id == lacking.c.call_id)), since, until
        ),
        _period(select(
            talk.c.call_id, talk.c.talk_id, talk.c.agent, talk.c.started_at, talk.c.ended_at,
            talk.c.parts, talk.c.recording_failed, talk.c.verified, talk.c.note, recording.c.state,
            recording.c.archive_failed, recording.c.fault,
        ).select_from(
            lacking.join(talk, among).join(call, call.c.call_id == talk.c.call_id).outerjoin(
                recording, and_(recording.c.call_id == talk.c.call_id, recording.c.category == "call")
            )
        ).order_by(call.c.arrived_at.desc(), call.c.call_id.desc(), talk.c.n).limit(gaps), since, until),
    )  # fmt: skip


def _long() -> tuple[ColumnElement[bool], ...]:
    return talk.c.started_at > 0, talk.c.ended_at - talk.c.started_at > _LEAST_US


def _period(query: Select[Any], since: int | None, until: int | None) -> Select[Any]:
    if since is not None:
        query = query.where(call.c.arrived_at >= since)
    return query if until is None else query.where(call.c.arrived_at < until)


def _gap(row: Any) -> Gap:
    seconds = (row.ended_at - row.started_at) / 1_000_000
    return Gap(row.call_id, row.talk_id, row.agent, row.started_at, seconds, reason(row))


def reason(row: Any) -> str:
    """Why a talk has no verified recording, by its row and its recording's: the first cause that is known. Pure."""
    if not row.parts:
        return "off"
    if row.fault:
        return f"file={row.fault}"
    if row.recording_failed in ("declined", "no_notice"):
        return str(row.recording_failed)
    if row.state in (None, "open", "due"):
        return f"refused={_one_word(row.recording_failed)}" if row.recording_failed else "due"
    if row.state == "failed":
        return str(row.archive_failed) or "due"
    if row.recording_failed and row.note in ("", "unrecorded"):
        return f"refused={_one_word(row.recording_failed)}"
    return str(row.note) or "unproved"


def _one_word(text: str) -> str:
    """Asterisk's own words as one of ours: notes are parted by spaces."""
    return "\u00a0".join(text.split())
