"""The tests' words for a journal that fails: locks held by others, what the store holds, waiting for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from calllog import events as ev
from calllog.journal import Journal
from tests.pure.journal_play import (
    Entry,
    journalled,
    stored,
)

C = "hotline-1.1"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the store's write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def put(journal: Journal, entries: list[Entry]) -> None:
    for stream, stream_id, event, party in entries:
        journal.append(stream, stream_id, event, party=party)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 (there is nothing to wait for but the store itself)
            await asyncio.sleep(0.005)


def of_calls(path: Path) -> list[tuple[str, str]]:
    return [(stream_id, kind) for stream, stream_id, kind in journalled(path) if stream == "call"]


def kinds(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(stream_id, ev_kind(event)) for _stream, stream_id, event, _party in entries]


def ev_kind(event: ev.AnyEvent) -> str:
    return str(event.__struct_config__.tag)


def note(n: int) -> ev.Alarm:
    return ev.Alarm(code="n", what=str(n))


def notes(path: Path) -> list[int]:
    return [int(n) for (n,) in stored(path, "SELECT json_extract(data, '$.what') FROM event WHERE kind = 'alarm' "
                                            "AND json_extract(data, '$.code') = 'n' ORDER BY seq")]  # fmt: skip
