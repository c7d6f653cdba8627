"""Questions to the access log; times are µs since 1970 UTC, intervals half-open.

The log grows for good, and who watches it asks for what is rare, or is not there at all: so each question goes by an
index that holds all that it compares, however long the log is (SQLite 3.40 reads an index's expressions from it).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calllog.envelope import recorded
from calllog.events import Accessed
from calllog.paging import Statement, reading


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One entry of the access log, when it was made (µs), and its place in the journal."""

    at: int
    entry: Accessed
    seq: int = 0


@dataclass(frozen=True, slots=True)
class AccessWish:
    """Which entries: each field that is not None must hold; ``below`` (older) and ``above`` (newer) bound ``seq``."""

    since: int | None = None
    until: int | None = None
    call_id: str | None = None
    who: str | None = None
    verb: str | None = None
    below: int | None = None
    above: int | None = None


# Word for word as in the indexes (migration 0011), or SQLite does not see that they serve (sqlite.org/expridx.html).
_WHO = "json_extract(CASE WHEN json_valid(data) THEN data END, '$.who')"
_VERB = "json_extract(CASE WHEN json_valid(data) THEN data END, '$.verb')"
_VALUES = {
    "since": "at >= :since", "until": "at < :until", "call_id": "stream_id = :call_id", "who": f"{_WHO} = :who",
    "verb": f"{_VERB} = :verb", "below": "seq < :below", "above": "seq > :above",
}  # fmt: skip


def access_statement(wish: AccessWish, limit: int) -> Statement:
    """The rows of one page, by the index of the narrowest wish."""
    values = {name: getattr(wish, name) for name in _VALUES if getattr(wish, name) is not None}
    where = ["stream = 'access'", *(_VALUES[name] for name in values)]
    index = (
        "event_by_stream" if wish.call_id is not None else "access_by_who" if wish.who is not None
        else "access_by_verb" if wish.verb is not None else "event_of_access"
    )  # fmt: skip
    order = "ASC" if wish.above is not None and wish.below is None else "DESC"
    return (
        f"SELECT seq, at, stream, stream_id, kind, v, data FROM event INDEXED BY {index} "
        f"WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT :limit"
    ), {**values, "limit": limit}


async def list_accesses(
    path: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    call_id: str | None = None,
    who: str | None = None,
    verb: str | None = None,
    limit: int = 100,
    below: int | None = None,
    above: int | None = None,
) -> list[AccessRow]:
    """Entries, the newest first: with ``above`` alone those next above it. Raises StoreError."""
    wish = AccessWish(since, until, call_id, who, verb, below, above)
    rows = await reading(path, lambda run: run.execute(*access_statement(wish, limit)).fetchall())
    found = [AccessRow(one.at, one.event, one.seq) for one in recorded(rows) if isinstance(one.event, Accessed)]
    return sorted(found, key=lambda row: -row.seq)
