"""Does the store hold what the journal says? ``verify`` looks, ``rebuild`` recomputes every folded row.

Both may run beside a daemon: they read one moment of the store (a snapshot of SQLite's write-ahead log), and
``rebuild`` takes the write lock only to look again at the rows that seem wrong, and to write them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from calllog.access import Anchor, faults
from calllog.codec import Undecodable, decode, stream_of
from calllog.database import EVENT_COLUMNS
from calllog.envelope import fold_agent, fold_call
from calllog.events import Accessed, Alarm, Arrived, Ended, Recorded
from calllog.folds import AgentState, CallState
from calllog.notes import notes_named
from calllog.review_folds import TABLES_OF, thread_rows
from calllog.rows import FOLDED, UPSERTS, Row, agent_row, call_rows
from calllog.store import OPEN_PATIENCE, connect_to_read, explain, uri
from calllog.writer import LOST
from config.catalogue import _

Progress = Callable[[int, int], None]
"""Called with events done and events in all."""

_TABLES_OF = {
    "call": ("call", "talk", "recording", "measure", "call_record", "card", "hold", "removal"),
    "agent": ("agent_state",), **TABLES_OF,
}  # fmt: skip
_STEP = 1000


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What ``rebuild`` did: events read, rows computed, rows that were wrong, and which (``table key``)."""

    events: int
    rows: int
    changed: int
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Thread:
    """Every event of one stream_id, in order; ``unreadable`` are (seq, why)."""

    stream: str
    stream_id: str
    events: list[Recorded]
    unreadable: list[tuple[int, str]]


@dataclass(slots=True)
class _Folded:
    """The rows that the events say, and the events that did not fit (seq, why)."""

    rows: dict[str, list[Row]]
    refused: list[tuple[int, str]]


def verify(path: Path, progress: Progress | None = None, anchors: Sequence[Anchor] = ()) -> list[str]:
    """Everything that is wrong with the store, one line each; empty when all is well. Raises StoreError.

    ``anchors`` of the access log were kept elsewhere, and read before.
    """
    found: list[str] = []
    with _snapshot(path) as connection:
        for (line,) in connection.execute("PRAGMA quick_check"):
            if line != "ok":
                found.append(_("The file is damaged: {what}.").format(what=line))
        found += _gaps(connection)
        found += [fault.text for fault in faults(accesses(connection), anchors)]
        parties = {row[0] for row in connection.execute("SELECT party_id FROM party")}
        (unnamed,) = connection.execute("SELECT count(*) FROM note").fetchone()
        for thread in _threads(connection, progress):
            found += _faults_of(thread, parties)
            for note_id in notes_named(each.event for each in thread.events):
                if connection.execute("SELECT 1 FROM note WHERE note_id = ?", (note_id,)).fetchone():
                    unnamed -= 1
                else:
                    found.append(_("The note {note} of {id} is missing.").format(note=note_id, id=thread.stream_id))
            if thread.stream in _TABLES_OF:
                for table, key, _wanted, _stored in _differences(
                    connection, thread.stream, thread.stream_id, _fold(thread)
                ):
                    text = _("The row {key} of table {table} is not what its events say.")
                    found.append(text.format(table=table, key=key))
        for table, key in _orphans(connection):
            found.append(_("The row {key} of table {table} has no events.").format(table=table, key=key))
        if unnamed:
            found.append(_("Notes that no event names: {n}.").format(n=unnamed))
    return found


def rebuild(path: Path, progress: Progress | None = None) -> RebuildReport:
    """Recompute every folded row from the events, and write those that differ in one transaction. Raises StoreError."""
    rows = 0
    suspects: dict[tuple[str, str], None] = {}
    with _snapshot(path) as connection:
        (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
        for thread in _threads(connection, progress):
            if thread.stream not in _TABLES_OF:
                continue
            folded = _fold(thread)
            rows += sum(map(len, folded.rows.values()))
            if any(_differences(connection, thread.stream, thread.stream_id, folded)):
                suspects[thread.stream, thread.stream_id] = None
        for table, key in _orphans(connection):
            suspects[next(stream for stream, tables in _TABLES_OF.items() if table in tables), key] = None
    return RebuildReport(events, rows, *_mend(path, suspects))


def _mend(path: Path, suspects: Iterable[tuple[str, str]]) -> tuple[int, list[str]]:
    changed: list[str] = []
    try:
        with closing(
            sqlite3.connect(uri(path, "rw"), uri=True, timeout=OPEN_PATIENCE, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for stream, name in suspects:
                events = connection.execute(
                    f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = ? AND stream_id = ? ORDER BY seq", (stream, name)
                )
                folded = _fold(_thread(stream, name, events))
                for table, key, wanted, stored in list(_differences(connection, stream, name, folded)):
                    changed.append(f"{table} {key}")
                    columns, keys = FOLDED[table]
                    if wanted is not None:
                        connection.execute(UPSERTS[table], wanted)
                    elif stored is not None:
                        where = " AND ".join(f"{column} = ?" for column in columns[:keys])
                        connection.execute(f"DELETE FROM {table} WHERE {where}", stored[:keys])
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return len(changed), changed


# --- reading ------------------------------------------------------------------------------------------------------


@contextmanager
def _snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_to_read(path)) as connection:
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise explain(path, error) from error


def _threads(connection: sqlite3.Connection, progress: Progress | None) -> Iterator[_Thread]:
    """Every stream_id with its events; one at a time in memory."""
    (total,) = connection.execute("SELECT count(*) FROM event").fetchone()
    done = 0
    cursor = connection.execute(f"SELECT {EVENT_COLUMNS} FROM event ORDER BY stream, stream_id, seq")
    for (stream, name), events in groupby(cursor, key=lambda row: (row[2], row[3])):
        thread = _thread(stream, name, events)
        before, done = done, done + len(thread.events) + len(thread.unreadable)
        if progress is not None and before // _STEP != done // _STEP:
            progress(done, total)
        yield thread
    if progress is not None:
        progress(done, total)


def _thread(stream: str, name: str, rows: Iterable[tuple[int, int, str, str, str, int, str]]) -> _Thread:
    thread = _Thread(stream, name, [], [])
    for seq, at, _stream, _name, kind, v, data in rows:
        try:
            thread.events.append(Recorded(seq, at, stream, name, decode(kind, v, data)))  # type: ignore[arg-type]
        except Undecodable as error:
            thread.unreadable.append((seq, str(error)))
    return thread


def _fold(thread: _Thread) -> _Folded:
    """The rows of a call or of an agent. No events, no rows."""
    folded = _Folded({table: [] for table in _TABLES_OF[thread.stream]}, [])
    if not thread.events and not thread.unreadable:
        return folded
    if thread.stream in TABLES_OF:
        return _Folded(*thread_rows(thread.stream, thread.stream_id, thread.events))
    call, agent = CallState(thread.stream_id), AgentState(thread.stream_id)
    for each in thread.events:
        if thread.stream == "call":
            refused = fold_call(call, each.at, each.event)
        else:
            refused = fold_agent(agent, each.at, each.event)
        if refused:
            folded.refused.append((each.seq, refused))
    folded.rows |= call_rows(call) if thread.stream == "call" else {"agent_state": [agent_row(agent)]}
    return folded


# --- comparing ----------------------------------------------------------------------------------------------------


def _differences(
    connection: sqlite3.Connection, stream: str, name: str, folded: _Folded
) -> Iterator[tuple[str, str, Row | None, Row | None]]:
    """Table, key, the row as it should be, the row as it is, wherever the two differ."""
    for table in _TABLES_OF[stream]:
        columns, keys = FOLDED[table]
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {columns[0]} = ?"
        stored = {row[:keys]: row for row in connection.execute(query, (name,))}
        wanted = {row[:keys]: row for row in folded.rows[table]}
        for key in dict.fromkeys([*wanted, *stored]):
            if wanted.get(key) != stored.get(key):
                yield table, "/".join(map(str, key)), wanted.get(key), stored.get(key)


def _orphans(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Table and first key of rows that no event accounts for."""
    for stream, tables in _TABLES_OF.items():
        for table in tables:
            column = FOLDED[table][0][0]
            query = (
                f"SELECT DISTINCT {column} FROM {table} EXCEPT SELECT DISTINCT stream_id FROM event WHERE stream = ?"
            )
            for (key,) in connection.execute(query, (stream,)):
                yield table, key


def _gaps(connection: sqlite3.Connection) -> Iterator[str]:
    """Numbers missing from ``seq`` that no alarm of the writer's accounts for: events that were lost or deleted."""
    explained: set[tuple[int, int]] = set()
    alarms = connection.execute("SELECT kind, v, data FROM event WHERE stream = 'system' AND kind = 'alarm'")
    for kind, v, data in alarms:
        try:
            event = decode(kind, v, data)
        except Undecodable:
            continue
        if isinstance(event, Alarm) and event.code == LOST:
            first, _dash, last = event.what.partition("-")
            if first.isdecimal() and last.isdecimal():
                explained.add((int(first), int(last)))
    query = """
        SELECT before + 1, seq - 1 FROM (SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq) AS before FROM event)
        WHERE seq != before + 1
        UNION ALL
        SELECT newest + 1, ever FROM (SELECT (SELECT coalesce(max(seq), 0) FROM event) AS newest, seq AS ever
                                      FROM sqlite_sequence WHERE name = 'event') WHERE ever > newest
    """
    for first, last in connection.execute(query):
        if not any(start <= first and last <= end for start, end in explained):
            yield _("Events {first} to {last} are missing.").format(first=first, last=last)


def accesses(connection: sqlite3.Connection) -> Iterator[tuple[int, int, Accessed]]:
    """The access log; what cannot be read of it is missing from the chain."""
    for seq, at, kind, v, data in connection.execute(
        "SELECT seq, at, kind, v, data FROM event WHERE stream = 'access' ORDER BY seq"
    ):
        try:
            event = decode(kind, v, data)
        except Undecodable:
            continue
        if isinstance(event, Accessed):
            yield seq, at, event


def _faults_of(thread: _Thread, parties: set[str]) -> Iterator[str]:
    """What is wrong with one stream_id's events themselves."""
    for seq, why in thread.unreadable:
        yield _("Event {seq} cannot be read: {why}.").format(seq=seq, why=why)
    for each in thread.events:
        if stream_of(each.event) != each.stream:
            yield _("Event {seq} stands in the wrong stream, {stream}.").format(seq=each.seq, stream=each.stream)
    if thread.stream in _TABLES_OF:
        for seq, why in _fold(thread).refused:
            yield _("Event {seq} does not fit what was before it: {why}.").format(seq=seq, why=why)
    if thread.stream != "call" or not thread.events:
        return
    first = thread.events[0].event
    if not isinstance(first, Arrived):
        yield _("Call {call} does not begin with its arrival.").format(call=thread.stream_id)
    for each in thread.events:
        if isinstance(each.event, Arrived) and each.event.party_id not in parties:
            yield _("Call {call} is of a person who is not in the store.").format(call=thread.stream_id)
    outcomes = [each.event.outcome for each in thread.events if isinstance(each.event, Ended)]
    if len(outcomes) > 1:
        text = _("Call {call} ended more than once: {outcomes}.")
        yield text.format(call=thread.stream_id, outcomes=", ".join(outcomes))
