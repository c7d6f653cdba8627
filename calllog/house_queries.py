"""Questions to the store about the house itself: its agents' presence, its rosters, its warnings and faults.

As in :mod:`calllog.queries`: times are µs since 1970 UTC, intervals are half-open, StoreError is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, or_, select

from calllog.envelope import recorded
from calllog.events import Recorded, RosterTookEffect
from calllog.queries import ask_all
from calllog.tables import event

_COLUMNS = (event.c.seq, event.c.at, event.c.stream, event.c.stream_id, event.c.kind, event.c.v, event.c.data)


class Sign(NamedTuple):
    """From ``at`` on the agent is signed in (``is_in``), or off; then ``reason`` is why, where one is known."""

    agent: str
    at: int
    is_in: bool
    reason: str


class House(NamedTuple):
    """``signs`` and ``rosters`` (when, text) in the journal's order; ``outages`` when no daemon wrote it; ``begins`` is
    the first word of it, 0 for none."""

    signs: tuple[Sign, ...] = ()
    rosters: tuple[tuple[int, str], ...] = ()
    outages: tuple[tuple[int, int], ...] = ()
    begins: int = 0


async def house(path: Path, until: int) -> House:
    """What the journal holds of these before ``until``."""
    mode, reason = (func.json_extract(event.c.data, f"$.{name}") for name in ("mode", "reason"))
    now = case((mode == "off", literal("off ") + func.coalesce(reason, "")), else_="in").label("now")
    every = (
        select(event.c.seq, event.c.stream_id, event.c.at, now,
               func.lag(now).over(partition_by=event.c.stream_id, order_by=event.c.seq).label("before"))
        .where(event.c.stream == "agent", event.c.at < until).subquery()
    )  # fmt: skip
    signs, rosters, starts, first = await ask_all(
        path,
        select(every.c.stream_id, every.c.at, every.c.now)
        .where(or_(every.c.before.is_(None), every.c.before != every.c.now)).order_by(every.c.seq),
        select(*_COLUMNS).where(event.c.stream == "roster", event.c.stream_id == "roster", event.c.at < until)
        .order_by(event.c.seq),
        select(event.c.seq, event.c.at).where(
            event.c.stream == "system", event.c.kind == "daemon_started", event.c.at < until
        ).order_by(event.c.seq),
        select(event.c.at).order_by(event.c.seq).limit(1),
    )  # fmt: skip
    before = await ask_all(
        path,
        *(select(event.c.at).where(event.c.seq < seq).order_by(event.c.seq.desc()).limit(1) for seq, _at in starts),
    ) if starts else []  # fmt: skip
    return House(
        tuple(Sign(agent, at, state == "in", state[4:]) for agent, at, state in signs),
        tuple((each.at, each.event.text) for each in recorded(rosters) if isinstance(each.event, RosterTookEffect)),
        tuple((rows[0][0], at) for (_seq, at), rows in zip(starts, before, strict=True) if rows and rows[0][0] < at),
        first[0][0] if first else 0,
    )


async def system_events(path: Path, since: int, until: int) -> list[Recorded]:
    """What the system said of itself in [since, until), in order."""
    query = select(*_COLUMNS).where(event.c.stream == "system", event.c.at >= since, event.c.at < until)
    found: Sequence[Any] = (await ask_all(path, query.order_by(event.c.seq)))[0]
    return recorded(found)
