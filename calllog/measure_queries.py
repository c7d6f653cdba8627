"""Which finished recordings are not measured yet. Plain SQL: the daemon's own process asks, without SQLAlchemy."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from calllog.events import Category
from calllog.store import connect_to_read, explain

MEASURED_BY = 1
"""The version of the measuring; what an older one measured is measured again."""

_WANTED = """
    FROM recording LEFT JOIN measure USING (call_id, category)
    WHERE recording.state = 'finished' AND recording.fault = '' AND coalesce(measure.measured_by, 0) < ?
"""


async def unmeasured(path: Path, limit: int) -> tuple[list[tuple[str, Category]], int]:
    """The newest finished recordings without measures, at most ``limit``, and how many there are. Raises StoreError."""
    return await asyncio.to_thread(_unmeasured, path, limit)


def _unmeasured(path: Path, limit: int) -> tuple[list[tuple[str, Category]], int]:
    with closing(connect_to_read(path)) as store:
        try:
            (count,) = store.execute(f"SELECT count(*) {_WANTED}", (MEASURED_BY,)).fetchone()
            query = f"SELECT call_id, category {_WANTED} ORDER BY begun_at DESC, call_id LIMIT ?"
            return store.execute(query, (MEASURED_BY, limit)).fetchall(), int(count)
        except sqlite3.Error as error:
            raise explain(path, error) from error
