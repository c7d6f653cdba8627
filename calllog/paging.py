"""Pages of rows that an index holds in order: asked for by the row behind or before which they begin, so that nothing
is repeated or skipped while rows come in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from calllog.store import connect_to_read, explain

T = TypeVar("T")
Statement = tuple[str, dict[str, Any]]
Way = Literal["", "on", "back"]
"""From the beginning; on from a row, in the order of the page; back from it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order; ``on``, ``back``: there are others behind the last, before the first."""

    rows: tuple[T, ...]
    on: bool = False
    back: bool = False


def cut(
    rows: list[Any], limit: int, way: Way, any_back: Callable[[], bool]
) -> tuple[list[Any], bool, bool]:
    """The page of these keys (one more than ``limit`` was asked for), and whether there are others behind and before
    it; ``any_back`` asks whether there are any before the row from which one went on."""
    more, rows = len(rows) > limit, rows[:limit]
    if way == "back":
        return rows[::-1], True, more
    return rows, more, way == "on" and any_back()


def dicts(run: sqlite3.Connection, statement: str, values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The rows by their columns' names."""
    cursor = run.execute(statement, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


async def reading(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Ask in a thread, about one moment of the store. Raises StoreError."""

    def asked() -> T:
        with closing(connect_to_read(path)) as run:
            try:
                run.execute("BEGIN")
                return work(run)
            except sqlite3.Error as error:
                raise explain(path, error) from error

    return await asyncio.to_thread(asked)
