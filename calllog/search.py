"""Find calls: by everything they have, all wishes at once, the newest first, page by page.

With a million calls an answer takes well under 0.2 s (``make bench``); the plan is in ``calllog.search_plan``. A page
is asked for by the call after which it begins, so that no row is repeated or skipped when calls come in meanwhile.
Plain SQL, since SQLAlchemy has no words for FTS5 and for the choice of an index.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from calllog import words
from calllog.errors import StoreError
from calllog.search_plan import (
    Search,
    Span as Span,
    Statement,
    Wanted as Wanted,
    Wish,
    best,
    counts,
    found,
    wishes_of,
)
from calllog.store import connect_to_read, explain
from config.catalogue import _

MOST_COUNTED = 1_000
"""How far hits are counted: whoever has more needs another wish, not the number."""
COUNTING = 0.12
"""Seconds that counting may take; what was not reached by then is "more than"."""
LONGEST = 10.0
"""Seconds that a search may take at all; no search known to us needs one."""

ENOUGH = 200
"""Cards that are read sooner than something better is found."""

_CHUNK = 500
_PIECE = 5_000
"""Calls that :func:`find_all` asks for at a time."""
_STEPS = 20_000
"""Instructions of SQLite's between looks at the clock: about a millisecond."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The ids of one page, the newest first. ``older`` and ``newer``: there are calls beyond its ends."""

    call_ids: tuple[str, ...]
    older: bool
    newer: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls there are; ``more``: at least one more than ``n``."""

    n: int
    more: bool


class TooSlow(StoreError):
    """The search was given up after ``LONGEST``."""


async def find(
    path: Path, wanted: Wanted, *, limit: int = 50, after: str | None = None, before: str | None = None
) -> Hits:
    """The newest calls that are as wanted; those ``after`` (older than) that call, or ``before`` (newer than) it.

    A page after or before a call that is not in the store is empty. Raises StoreError, calllog.words.Unsearchable.
    """
    search = wishes_of(wanted)
    return await asyncio.to_thread(_find, path, search, limit, after, before)


async def count(path: Path, wanted: Wanted, *, most: int = MOST_COUNTED, seconds: float = COUNTING) -> Count:
    """How many calls are as wanted, counted up to ``most`` and for so many ``seconds``. Raises as :func:`find`."""
    search = wishes_of(wanted)
    return await asyncio.to_thread(_count, path, search, most, seconds)


def _find(path: Path, search: Search, limit: int, after: str | None, before: str | None) -> Hits:
    with closing(_Asker(path)) as ask:
        place = None
        if (named := after if after is not None else before) is not None:
            rows = ask.rows(Statement("SELECT place FROM card WHERE call_id = ?", (named,)))
            if not rows:
                return Hits((), False, False)
            place = int(rows[0][0])
        out = ask.best(search)
        newer_wanted = after is None and before is not None
        way = {"above": place} if newer_wanted else {"below": place}
        rows = ask.rows(found(search, out, limit + 1, **way))
        more, rows = len(rows) > limit, rows[:limit]
        if newer_wanted:
            rows.reverse()
        ids = tuple(call_id for _place, call_id in rows)
        if newer_wanted:
            return Hits(ids, True, more)
        newer = False
        if after is not None:
            first = rows[0][0] if rows else place
            newer = bool(ask.rows(found(search, out, 1, above=first)))
        return Hits(ids, more, newer)


def _count(path: Path, search: Search, most: int, seconds: float) -> Count:
    with closing(_Asker(path)) as ask:
        statement = found(search, ask.best(search), most + 1)
        return ask.count(statement, most, seconds)


class _Asker:
    """One moment of the store, asked with an eye on the clock. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect_to_read(path)
        self._until = time.monotonic() + LONGEST
        words.teach(self._connection)
        self._connection.execute("BEGIN")
        self._connection.set_progress_handler(lambda: int(time.monotonic() > self._until), _STEPS)

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def rows(self, statement: Statement) -> list[tuple[int, str]]:
        """The answer."""
        try:
            return self._connection.execute(statement.sql, statement.values).fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def best(self, search: Search) -> Wish:
        """From where the search sets out; nothing more is counted once something with very few cards is found."""
        counted: dict[str, int] = {}
        for name, statement in counts(search).items():
            counted[name] = int(self.rows(statement)[0][0])
            if counted[name] <= ENOUGH:
                break
        return best(search, counted)

    def count(self, statement: Statement, most: int, seconds: float) -> Count:
        """How many rows there are, as far as they can be counted."""
        self._until, n = time.monotonic() + seconds, 0
        try:
            for _row in self._connection.execute(statement.sql, statement.values):
                n += 1
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise self._explained(error) from error
            return Count(max(0, n - 1), True) if n else Count(0, True)
        return Count(min(n, most), n > most)

    def _explained(self, error: sqlite3.Error) -> StoreError:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return TooSlow(_("The search took too long and was given up: narrow it, by a span of time above all."))
        return explain(self._path, error)


async def find_all(path: Path, wanted: Wanted, *, most: int | None = None) -> list[str]:
    """Every call that is as wanted, the newest first; no more than ``most``. A call that comes in meanwhile is left
    out. Raises as :func:`find`."""
    found: list[str] = []
    while True:
        room = _PIECE if most is None else min(_PIECE, most - len(found))
        hits = await find(path, wanted, limit=room, after=found[-1] if found else None)
        found += hits.call_ids
        if not hits.older or (most is not None and len(found) >= most):
            return found


def chunks(call_ids: Sequence[str]) -> list[str]:
    """The ids in JSON lists that a statement can take."""
    return [dumps(call_ids[start : start + _CHUNK]) for start in range(0, len(call_ids), _CHUNK)]
