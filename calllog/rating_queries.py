"""Questions about the callers' ratings as figures: how many were invited, and what they answered (``calllog.kpi``).

A talk counts for the period in which its call arrived, as in every other figure. Plain SQL, since the choice of the
index is ours.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from json import dumps
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from calllog.kpi import Ratings
from calllog.store import reading

By = Literal["day", "queue", "agent"]

_PIECE = 900_000_000
"""µs: every local day begins and ends at a quarter of an hour (the offsets of all time zones of today)."""

_KEYS: dict[By | None, str] = {
    None: "''", "day": f"call.arrived_at / {_PIECE}", "queue": "call.queue", "agent": "talk.agent"
}  # fmt: skip


def question(by: By | None, *, own: bool = False) -> str:
    """Key, rating (0: invited, but did not rate) and how many, of the calls that arrived in [?, ?); ``own``: of the
    talks of this agent (?) alone."""
    return f"""
        SELECT {_KEYS[by]} AS about, talk.rating, count(*)
        FROM call INDEXED BY call_by_arrival
        CROSS JOIN talk INDEXED BY talk_invited ON talk.call_id = call.call_id AND talk.invited_at > 0
        WHERE call.arrived_at >= ? AND call.arrived_at < ? {"AND talk.agent = ?" if own else ""}
        GROUP BY about, talk.rating
    """


async def ratings(path: Path, *, since: int = 0, until: int = 2**62) -> Ratings:
    """Of the calls that arrived in [since, until) (µs). Raises StoreError."""
    rows = await asyncio.to_thread(_rows, path, None, since, until)
    return summed((str(key), rating, n) for key, rating, n in rows).get("", Ratings())


async def ratings_by(
    path: Path, by: By, zone: ZoneInfo, *, since: int = 0, until: int = 2**62, agent: str | None = None
) -> dict[str, Ratings]:
    """The same for each local day (2026-11-26), queue or agent that had any, in order; of the talks of this ``agent``
    alone. Raises StoreError."""
    rows = await asyncio.to_thread(_rows, path, by, since, until, agent)
    return summed(
        (_day(int(key) * _PIECE, zone) if by == "day" else str(key), rating, n) for key, rating, n in rows
    )  # fmt: skip


def _rows(
    path: Path, by: By | None, since: int, until: int, agent: str | None = None
) -> list[tuple[int | str, int, int]]:
    values = (since, until) if agent is None else (since, until, agent)
    with reading(path) as connection:
        return connection.execute(question(by, own=agent is not None), values).fetchall()


async def ratings_of(path: Path, agent: str, call_ids: Sequence[str]) -> dict[str, int]:
    """What the callers said of this agent's talks in these calls, of the last one that they rated; a call without is
    left out. Raises StoreError."""
    return await asyncio.to_thread(_ratings_of, path, agent, call_ids)


def _ratings_of(path: Path, agent: str, call_ids: Sequence[str]) -> dict[str, int]:
    query = """
        SELECT call_id, rating FROM talk
        WHERE call_id IN (SELECT value FROM json_each(?)) AND agent = ? AND rating > 0 ORDER BY call_id, n
    """
    with reading(path) as connection:
        return dict(connection.execute(query, (dumps(list(call_ids)), agent)).fetchall())


def summed(rows: Iterable[tuple[str, int, int]]) -> dict[str, Ratings]:
    """Key, rating and count, put together by key."""
    found: dict[str, Ratings] = {}
    for key, rating, n in rows:
        given = tuple(n if rating == each else 0 for each in range(1, 6))
        found[key] = found.get(key, Ratings()) + Ratings(n, given)
    return dict(sorted(found.items()))


def _day(at: int, zone: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(at // 1_000_000, zone).date().isoformat()
