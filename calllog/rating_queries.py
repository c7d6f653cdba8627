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

_KEYS = {"": "''", "queue": "call.queue", "agent": "talk.agent"}


def question(by: Literal["", "queue", "agent"], *, own: bool = False) -> str:
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
    return (await asyncio.to_thread(_grouped, path, "", since, until, None)).get("", Ratings())


async def ratings_by(
    path: Path, by: By, zone: ZoneInfo, *, since: int = 0, until: int = 2**62, agent: str | None = None
) -> dict[str, Ratings]:
    """The same for each local day (2026-11-26), queue or agent that had any, in order; of the talks of this ``agent``
    alone. Raises StoreError."""
    if by == "day":
        return await asyncio.to_thread(_daily, path, zone, since, until, agent)
    return await asyncio.to_thread(_grouped, path, by, since, until, agent)


def _grouped(
    path: Path, by: Literal["", "queue", "agent"], since: int, until: int, agent: str | None
) -> dict[str, Ratings]:
    own = () if agent is None else (agent,)
    with reading(path) as connection:
        return summed(connection.execute(question(by, own=bool(own)), (since, until, *own)))


def _daily(path: Path, zone: ZoneInfo, since: int, until: int, agent: str | None) -> dict[str, Ratings]:
    """Day by day, since no arithmetic of SQLite's knows a zone's days."""
    found: dict[str, Ratings] = {}
    own = () if agent is None else (agent,)
    within = "SELECT arrived_at FROM call WHERE arrived_at >= ? AND arrived_at < ? ORDER BY arrived_at"
    with reading(path) as connection:
        ends = [connection.execute(f"{within} {way} LIMIT 1", (since, until)).fetchone() for way in ("", "DESC")]
        if ends[0] is None:
            return {}
        day = dt.datetime.fromtimestamp(ends[0][0] // 1_000_000, zone).date()
        while (begins := _midnight(day, zone)) <= ends[1][0]:
            following = day + dt.timedelta(days=1)
            span = (max(since, begins), min(until, _midnight(following, zone)))
            one = summed(connection.execute(question("", own=bool(own)), (*span, *own))).get("")
            if one is not None:
                found[day.isoformat()] = one
            day = following
    return found


def _midnight(day: dt.date, zone: ZoneInfo) -> int:
    return round(dt.datetime.combine(day, dt.time(), zone).timestamp() * 1e6)


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
    """Key, rating (0 to 5) and count, put together by key."""
    counts: dict[str, list[int]] = {}
    for key, rating, n in rows:
        counts.setdefault(key, [0] * 6)[rating] += n
    return {key: Ratings(sum(many), tuple(many[1:])) for key, many in sorted(counts.items())}
