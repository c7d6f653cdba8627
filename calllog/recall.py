"""What the journal knows now: the store's events, and those that are still in the spool or in memory."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from json import dumps
from pathlib import Path
from typing import Any

import aiosqlite

from calllog.database import (
    CALLS_EVENTS,
    EVENT_COLUMNS,
    connect,
)
from calllog.envelope import Item, fold_agent, fold_call, recorded
from calllog.events import Recorded, Stream
from calllog.folds import AgentState, CallState
from calllog.handled import HandledTalk, with_records
from calllog.rows import AGENT_COLUMNS, agent_of
from calllog.store import explain

OPEN_CALLS = "SELECT call_id FROM call WHERE ended_at = 0"
UNFINISHED_CALLS = "SELECT DISTINCT call_id FROM recording WHERE state IN ('due', 'failed')"
DUE_CALLS = f"{UNFINISHED_CALLS} AND state = 'due'"
"""Said so that SQLite sees that the partial indexes serve (sqlite.org/partialindex.html, section 3)."""
_EVENTS_OF = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = 'call' AND stream_id = ? ORDER BY seq"

_LAST_OF = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = ? AND stream_id = ? ORDER BY seq DESC LIMIT 1"
_LAST_IN = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = '{{}}' ORDER BY seq DESC LIMIT 1"
_SINCE = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = ? AND stream_id = ? AND at >= ? ORDER BY seq"
_LAST_ONES = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = ? AND stream_id = ? ORDER BY seq DESC LIMIT ?"

_HANDLED = """
SELECT call.queue, talk.agent, talk.talk_id, talk.rung_at, talk.ended_at, call.call_id
FROM call JOIN talk ON talk.call_id = call.call_id
WHERE call.arrived_at >= ? AND talk.started_at > 0 AND talk.ended_at > 0 ORDER BY call.arrived_at DESC LIMIT 1000
"""
"""By the index on the arrival, so that a store of years is no slower."""
_OF_AGENTS = f"""
SELECT {EVENT_COLUMNS} FROM event WHERE stream = 'agent' AND stream_id IN (SELECT value FROM json_each(?))
AND seq > (SELECT min(seq) FROM event WHERE stream = 'call' AND stream_id = ?) ORDER BY seq
"""
"""Since a call's first event, by the index on the stream."""


class Recall:
    """A connection that reads. ``pending`` gives the items that may not be in the store yet, in order.

    Each question first asks for the pending items and then opens its snapshot: an item that is taken into the store
    between the two is seen twice, and told apart by its ``seq``, but never missed. Raises StoreError.
    """

    def __init__(self, path: Path, pending: Callable[[], Awaitable[list[Item]]]) -> None:
        self._path = path
        self._pending = pending
        self._connection: aiosqlite.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Disconnect."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def open_calls(self) -> list[CallState]:
        """Calls without an outcome, in order of arrival."""
        return [call for call in await self._calls(OPEN_CALLS) if not call.ended_at]

    async def unarchived_calls(self, retry_failed: bool) -> list[CallState]:
        """Ended calls that lack a recording, in order of arrival."""
        calls = await self._calls(UNFINISHED_CALLS if retry_failed else DUE_CALLS)
        return [
            call for call in calls if call.archives_due or (retry_failed and call.ended_at and call.archives_failed)
        ]

    async def _calls(self, wanted: str) -> list[CallState]:
        async with self._snapshot() as (rows, pending):
            ids = {row[0] for row in await rows(wanted)}
            ids |= {item.stream_id for item in pending if item.stream == "call"}
            calls = {call_id: CallState(call_id) for call_id in ids}
            for each in recorded(await rows(CALLS_EVENTS, (dumps(list(ids)),))):
                fold_call(calls[each.stream_id], each.at, each.event)
        for item in pending:
            if item.stream == "call":
                fold_call(calls[item.stream_id], item.at, item.event)
        return sorted(calls.values(), key=lambda call: (call.arrived_at, call.call_id))

    async def agent_states(self) -> dict[str, AgentState]:
        """The latest state of every agent, by staff number."""
        async with self._snapshot() as (rows, pending):
            found = await rows(f"SELECT {', '.join(AGENT_COLUMNS)} FROM agent_state ORDER BY agent")
        agents = {row[0]: agent_of(row) for row in found}
        for item in pending:
            if item.stream == "agent":
                fold_agent(agents.setdefault(item.stream_id, AgentState(item.stream_id)), item.at, item.event)
        return agents

    async def handled(self, since: int) -> list[HandledTalk]:
        """The latest talks of calls that arrived at ``since`` (µs) or later, in order of their ends. Those that the
        store does not have yet are not among them."""
        async with self._snapshot() as (rows, _pending):
            found = await rows(_HANDLED, (since,))
            if not found:
                return []
            talks = [HandledTalk(*talk) for *talk, _call_id in found]
            agents = dumps(sorted({talk.agent for talk in talks}))
            changes = recorded(await rows(_OF_AGENTS, (agents, found[-1][-1])))
        return with_records(sorted(talks, key=lambda talk: talk.ended_at), changes)

    async def events_of(self, call_id: str) -> list[Recorded]:
        """Every event of one call, in order."""
        async with self._snapshot() as (rows, pending):
            found = recorded(await rows(_EVENTS_OF, (call_id,)))
        mine = (item for item in pending if item.stream == "call" and item.stream_id == call_id)
        return found + [item.recorded for item in mine]

    async def notes_of(self, call_id: str) -> dict[str, str]:
        """Text by note_id of everything written about one call."""
        async with self._snapshot() as (rows, pending):
            found = dict(await rows("SELECT note_id, text FROM note WHERE call_id = ?", (call_id,)))
        return found | {note.note_id: note.text for item in pending for note in item.notes if note.call_id == call_id}

    async def last_event(self, stream: Stream, stream_id: str) -> Recorded | None:
        """The latest event of a stream's one."""
        async with self._snapshot() as (rows, pending):
            found = recorded(await rows(_LAST_OF, (stream, stream_id)))
        mine = [item.recorded for item in pending if item.stream == stream and item.stream_id == stream_id]
        return (found + mine)[-1] if found or mine else None

    async def last_in(self, stream: Stream) -> Recorded | None:
        """The latest event of a whole stream."""
        async with self._snapshot() as (rows, pending):
            found = recorded(await rows(_LAST_IN.format(stream)))
        mine = [item.recorded for item in pending if item.stream == stream]
        return (found + mine)[-1] if found or mine else None

    async def events_since(self, stream: Stream, stream_id: str, since: int) -> list[Recorded]:
        """The events of a stream's one from ``since`` (µs) on, in order."""
        async with self._snapshot() as (rows, pending):
            found = recorded(await rows(_SINCE, (stream, stream_id, since)))
        mine = [item.recorded for item in pending if item.stream == stream and item.stream_id == stream_id]
        return found + [one for one in mine if one.at >= since]

    async def last_events(self, stream: Stream, stream_id: str, most: int) -> list[Recorded]:
        """The latest events of a stream's one, in order."""
        async with self._snapshot() as (rows, pending):
            found = recorded(await rows(_LAST_ONES, (stream, stream_id, most)))
        mine = [item.recorded for item in pending if item.stream == stream and item.stream_id == stream_id]
        return (found[::-1] + mine)[-most:]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[tuple[Any, list[Item]]]:
        """A reader of one moment of the store, and the items that were not in it at that moment."""
        async with self._one_at_a_time:
            pending = await self._pending()
            try:
                if self._connection is None:
                    self._connection = await connect(self._path, "ro")
                connection = self._connection

                async def rows(statement: str, values: Sequence[Any] = ()) -> list[Any]:
                    return list(await connection.execute_fetchall(statement, values))

                await rows("BEGIN")
                try:
                    stored = (await rows("SELECT coalesce(max(seq), 0) FROM event"))[0][0]
                    yield rows, [item for item in pending if item.seq > stored]
                finally:
                    await rows("ROLLBACK")
            except sqlite3.Error as error:
                await self.close()
                raise explain(self._path, error) from error
