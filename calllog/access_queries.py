"""Questions to the access log; times are µs since 1970 UTC, intervals half-open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, literal_column, select

from calllog.envelope import recorded
from calllog.events import Accessed
from calllog.queries import ask_all
from calllog.tables import event


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One entry of the access log, when it was made (µs), and its place in the journal."""

    at: int
    entry: Accessed
    seq: int = 0


async def list_accesses(
    path: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    call_id: str | None = None,
    who: str | None = None,
    verb: str | None = None,
    limit: int = 100,
    before: int | None = None,
    below: int | None = None,
    above: int | None = None,
) -> list[AccessRow]:
    """Entries, the newest first. ``before`` is the number ``n`` of the last row of the page before; ``below`` (older)
    and ``above`` (newer) bound ``seq`` instead, which costs the same on every page. Raises StoreError.
    """
    query = select(event.c.seq, event.c.at, event.c.stream, event.c.stream_id, event.c.kind, event.c.v, event.c.data)
    # As a literal, so that SQLite sees that the partial index serves (sqlite.org/partialindex.html, section 3).
    query = query.where(event.c.stream == literal_column("'access'"))
    if since is not None:
        query = query.where(event.c.at >= since)
    if until is not None:
        query = query.where(event.c.at < until)
    if call_id is not None:
        query = query.where(event.c.stream_id == call_id)
    for field, wanted in (("who", who), ("verb", verb)):
        if wanted is not None:
            query = query.where(func.json_extract(event.c.data, f"$.{field}") == wanted)
    if before is not None:
        query = query.where(func.json_extract(event.c.data, "$.n") < before)
    if below is not None:
        query = query.where(event.c.seq < below)
    if above is not None:
        query = query.where(event.c.seq > above)
    order = event.c.seq.asc() if above is not None and below is None else event.c.seq.desc()
    (rows,) = await ask_all(path, query.order_by(order).limit(limit))
    found = [AccessRow(one.at, one.event, one.seq) for one in recorded(rows) if isinstance(one.event, Accessed)]
    return sorted(found, key=lambda row: -row.seq)
