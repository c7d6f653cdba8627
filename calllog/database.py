"""The writer's side of the store: one connection, one transaction per batch of events and the rows folded from them.

The states held in memory are a cache of what is committed: a transaction that fails drops those it touched, and
they are loaded again from the events. So a batch may be tried any number of times.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from json import dumps
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiosqlite
import msgspec
import structlog
from uuid_utils import uuid7

from calllog import words
from calllog.codec import encode
from calllog.envelope import Item, fold_agent, fold_call, recorded
from calllog.events import Arrived, Party
from calllog.folds import AgentState, CallState
from calllog.review_folds import TABLES_OF, thread_rows
from calllog.rows import AGENT_COLUMNS, UPSERTS, Row, agent_of, agent_row, call_rows
from calllog.store import OPEN_PATIENCE, uri

log = structlog.get_logger("calllog")
T = TypeVar("T")

_INSERT_EVENT = "INSERT INTO event (seq, at, stream, stream_id, kind, v, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
EVENT_COLUMNS = "seq, at, stream, stream_id, kind, v, data"
_LAST_SEQ = (
    "SELECT max(coalesce((SELECT max(seq) FROM event), 0),"
    " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0))"
)
_KNOWN_PARTIES = """
    SELECT party_id, raw, e164, name FROM party
    WHERE e164 != '' AND e164 IN (SELECT value FROM json_each(?))
    UNION ALL
    SELECT party_id, raw, e164, name FROM party
    WHERE e164 = '' AND raw != '' AND raw IN (SELECT value FROM json_each(?))
"""
CALLS_EVENTS = f"""
    SELECT {EVENT_COLUMNS} FROM event
    WHERE stream = 'call' AND stream_id IN (SELECT value FROM json_each(?)) ORDER BY seq
"""
_THREAD = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = ? AND stream_id = ? ORDER BY seq"
PAGES_BEFORE_CHECKPOINT = 1000
"""Pages of the write-ahead log after which SQLite copies it into the store (its own default, 4 MB)."""


class Database:
    """The connection that writes. Its methods raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._calls: dict[str, CallState] = {}
        self._agents: dict[str, AgentState] = {}

    @property
    def cached_calls(self) -> int:
        """How many calls are held in memory: those still open or not yet archived."""
        return len(self._calls)

    async def open(self) -> None:
        """Connect and load the agents; calls are loaded when something happens in them."""
        self._connection = await connect(self._path, "rw")
        await self._errand(lambda: self._run("PRAGMA synchronous = FULL"))
        await self._errand(lambda: self._run(f"PRAGMA wal_autocheckpoint = {PAGES_BEFORE_CHECKPOINT}"))
        agents = await self._errand(lambda: self._rows(f"SELECT {', '.join(AGENT_COLUMNS)} FROM agent_state"))
        self._agents = {row[0]: agent_of(row) for row in agents}
        self._calls = {}

    async def close(self) -> None:
        """Disconnect; what SQLite has to say about that is of no use any more."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error, ValueError):
                await connection.close()

    async def be_patient(self, seconds: float) -> None:
        """How long a transaction waits for another program's lock."""
        await self._errand(lambda: self._run(f"PRAGMA busy_timeout = {round(seconds * 1000)}"))

    async def last_seq(self) -> int:
        """The highest ``seq`` ever committed; 0 for none."""
        return await self._errand(self._last_seq)

    async def write(self, items: Sequence[Item], *, doubtful: bool) -> None:
        """Commit the items and their rows, with full sync; or nothing at all.

        ``doubtful``: an earlier try of these items may have been committed although it failed (SQLite can report an
        I/O error for a commit that a recovery then finds whole); items that are stored already are left out.
        """
        # All in one errand to the connection's thread: each costs more than most of the statements.
        await self._errand(lambda: self._transaction(items, doubtful))

    def _transaction(self, items: Sequence[Item], doubtful: bool) -> None:
        self._run("BEGIN IMMEDIATE")
        try:
            if doubtful:
                stored = self._last_seq()
                items = [item for item in items if item.seq > stored]
            touched = self._write(items)
            self._run("COMMIT")
        except BaseException:
            for item in items:
                self._calls.pop(item.stream_id, None)
            with suppress(Exception):
                self._run("ROLLBACK")
            raise
        for call_id in touched:
            state = self._calls[call_id]
            if state.ended_at and not state.archives_due:
                del self._calls[call_id]

    def _write(self, items: Sequence[Item]) -> Iterable[str]:
        items = self._name_parties(items)
        calls = dict.fromkeys(item.stream_id for item in items if item.stream == "call")
        agents = dict.fromkeys(item.stream_id for item in items if item.stream == "agent")
        self._load([call_id for call_id in calls if call_id not in self._calls])
        staged = {agent: _copy(self._agents.get(agent) or AgentState(agent)) for agent in agents}
        for item in items:
            refused = ""
            if item.stream == "call":
                refused = fold_call(self._calls[item.stream_id], item.at, item.event)
            elif item.stream == "agent":
                refused = fold_agent(staged[item.stream_id], item.at, item.event)
            if refused:
                log.error("an event does not fit", seq=item.seq, id=item.stream_id, kind=item.kind, why=refused)
        rows: dict[str, list[Row]] = {"agent_state": [agent_row(state) for state in staged.values()]}
        for call_id in calls:
            for table, some in call_rows(self._calls[call_id]).items():
                rows.setdefault(table, []).extend(some)
        threads = dict.fromkeys((item.stream, item.stream_id) for item in items if item.stream in TABLES_OF)
        for stream, name in threads:
            for table, some in self._thread_rows(stream, name, items).items():
                rows.setdefault(table, []).extend(some)
        self._many(
            _INSERT_EVENT,
            [(item.seq, item.at, item.stream, item.stream_id, item.kind, item.v, item.data) for item in items],
        )
        for table, some in rows.items():
            self._many(UPSERTS[table], some)
        # Behind the cards, by which their words are found.
        self._many(
            "INSERT INTO note (note_id, call_id, kind, field, at, text) VALUES (?, ?, ?, ?, ?, ?)",
            [(note.note_id, note.call_id, note.kind, note.field, item.at, note.text)
             for item in items for note in item.notes],
        )  # fmt: skip
        self._agents |= staged
        return calls

    def _thread_rows(self, stream: str, name: str, items: Sequence[Item]) -> dict[str, list[Row]]:
        """The rows of one thread of reviews, forms or drawings, from what is stored of it and these items."""
        events = recorded(self._rows(_THREAD, (stream, name)))
        events += [item.recorded for item in items if item.stream == stream and item.stream_id == name]
        rows, refused = thread_rows(stream, name, events)
        for seq, why in refused:
            log.error("an event does not fit", seq=seq, id=name, why=why)
        return rows

    def _load(self, call_ids: Sequence[str]) -> None:
        """Bring calls into memory from their events; a call without any begins empty."""
        if not call_ids:
            return
        fresh = {call_id: CallState(call_id) for call_id in call_ids}
        for each in recorded(self._rows(CALLS_EVENTS, (dumps(list(call_ids)),))):
            fold_call(fresh[each.stream_id], each.at, each.event)
        self._calls |= fresh

    def _name_parties(self, items: Sequence[Item]) -> list[Item]:
        """The items, each arrival with the id of its party; parties not known yet are made."""
        arrivals = {
            item.seq: (item.party or Party())
            for item in items
            if isinstance(item.event, Arrived) and not item.event.party_id
        }
        if not arrivals:
            return list(items)
        e164s = [party.e164 for party in arrivals.values() if party.e164]
        raws = [party.raw for party in arrivals.values() if party.raw and not party.e164]
        known: dict[tuple[str, str], tuple[str, Party]] = {}
        for party_id, raw, e164, name in self._rows(_KNOWN_PARTIES, (dumps(e164s), dumps(raws))):
            known[_identity(Party(raw, e164, name))] = (party_id, Party(raw, e164, name))
        made: dict[str, Row] = {}
        renamed: dict[str, Row] = {}
        named: list[Item] = []
        for item in items:
            party = arrivals.get(item.seq)
            if party is None:
                named.append(item)
                continue
            party_id, before = known.get(_identity(party), ("", party))
            if not party_id:
                party_id = str(uuid7())
                made[party_id] = (party_id, party.raw, party.e164, party.name, item.at)
            latest = Party(party.raw or before.raw, party.e164, party.name or before.name)
            if latest != before:
                renamed[party_id] = (latest.raw, latest.name, party_id)
            if party.raw or party.e164:
                known[_identity(party)] = (party_id, latest)
            named.append(_with_party(item, party_id))
        self._many(
            "INSERT INTO party (party_id, raw, e164, name, first_at) VALUES (?, ?, ?, ?, ?)",
            list(made.values()),
        )
        self._many("UPDATE party SET raw = ?, name = ? WHERE party_id = ?", list(renamed.values()))
        return named

    # --- on the connection's own thread

    async def _errand(self, work: Callable[[], T]) -> T:
        """Have this done on the connection's thread."""
        done: T = await self._connected._execute(work)  # type: ignore[no-untyped-call]
        return done

    def _run(self, statement: str) -> None:
        self._connected._conn.execute(statement).close()

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._connected._conn.execute(statement, values).fetchall()

    def _many(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            self._connected._conn.executemany(statement, rows).close()

    def _last_seq(self) -> int:
        return int(self._rows(_LAST_SEQ)[0][0])

    @property
    def _connected(self) -> aiosqlite.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("not connected")
        return self._connection


async def connect(path: Path, mode: Literal["ro", "rw"]) -> aiosqlite.Connection:
    """A connection to an existing store that begins no transaction by itself. Raises sqlite3.Error."""
    connection = aiosqlite.connect(uri(path, mode), uri=True, isolation_level=None, timeout=OPEN_PATIENCE)
    # aiosqlite's thread would keep a process alive for ever that dies without closing the journal.
    connection._thread.daemon = True
    await connection
    await connection._execute(lambda: words.teach(connection._conn))  # type: ignore[no-untyped-call]
    return connection


def _identity(party: Party) -> tuple[str, str]:
    return (party.e164, "") if party.e164 else ("", party.raw)


def _with_party(item: Item, party_id: str) -> Item:
    event = msgspec.structs.replace(item.event, party_id=party_id)
    return Item(item.seq, item.at, item.stream, item.stream_id, event, item.party, *encode(event), item.notes)


def _copy(state: AgentState) -> AgentState:
    return agent_of(agent_row(state))
