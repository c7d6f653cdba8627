"""Emptying what names a person: their number and name, and what was written about their calls. Synchronous.

Rows stay, empty, so that every figure and every reference stays; the journal names people by ``party_id`` alone. The
bytes go too: SQLite overwrites what it frees (``secure_delete``), and the write-ahead log, which still holds the old
pages, is copied into the store and cut to nothing. What SQLite once copied elsewhere while it was arranging pages could
outlast that: :func:`stands_in` looks through the file itself, and :func:`rewrite` makes it anew.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from calllog.store import OPEN_PATIENCE, explain, reading, uri
from calllog.words import scrub, teach

CUT_PATIENCE = 15.0
"""Seconds that readers have to finish, until the write-ahead log can be cut."""


@dataclass(frozen=True, slots=True)
class Person:
    """One row of ``party``: as the trunk gave it, and in E.164."""

    party_id: str
    raw: str
    e164: str
    name: str


@dataclass(frozen=True, slots=True)
class CallOf:
    """A call of a person. ``due``: its recording is being finished."""

    call_id: str
    party_id: str
    ended: bool
    held: bool
    due: bool


def persons(path: Path, e164: str, raw: str) -> list[Person]:
    """Who has this number: by E.164 where it is one, else by what the trunk gave, letter by letter. Raises StoreError.
    """
    query = """
        SELECT party_id, raw, e164, name FROM party
        WHERE (? != '' AND e164 = ?) OR (e164 = '' AND raw != '' AND raw = ?)
    """
    with reading(path) as connection:
        return [Person(*row) for row in connection.execute(query, (e164, e164, raw))]


def calls_of(path: Path, party_ids: Collection[str]) -> list[CallOf]:
    """Every call of these persons, in order of arrival. Raises StoreError."""
    query = """
        SELECT call_id, party_id, ended_at > 0,
            EXISTS (SELECT 1 FROM hold WHERE hold.call_id = call.call_id AND hold.lifted_at = 0),
            EXISTS (SELECT 1 FROM recording WHERE recording.call_id = call.call_id AND state IN ('open', 'due'))
        FROM call WHERE party_id IN (SELECT value FROM json_each(?)) ORDER BY arrived_at, call_id
    """
    with reading(path) as connection:
        rows = connection.execute(query, (dumps(list(party_ids)),)).fetchall()
    return [CallOf(call_id, party_id, *map(bool, flags)) for call_id, party_id, *flags in rows]


def empty(path: Path, party_ids: Iterable[str], call_ids: Iterable[str]) -> int:
    """Empty these persons, and every note on these calls, in one transaction; returns how many rows were changed.

    May be repeated. Beside a daemon it waits for the writer's lock. Raises StoreError.
    """
    changed = 0
    try:
        with closing(_writing(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement, ids in (
                ("UPDATE party SET raw = '', e164 = '', name = '' WHERE party_id IN (SELECT value FROM json_each(?))"
                 " AND (raw != '' OR e164 != '' OR name != '')", party_ids),
                ("UPDATE note SET text = '' WHERE call_id IN (SELECT value FROM json_each(?))"
                 " AND text != ''", call_ids),
            ):  # fmt: skip
                changed += connection.execute(statement, (dumps(list(ids)),)).rowcount
            connection.execute("COMMIT")
            if changed:
                scrub(connection)
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return changed


def cut_log(path: Path, patience: float = CUT_PATIENCE) -> bool:
    """Copy the write-ahead log into the store and cut it to nothing; False where readers kept it longer than
    ``patience`` seconds. Raises StoreError."""
    deadline = time.monotonic() + patience
    try:
        with closing(_writing(path)) as connection:
            while True:
                (busy, _pages, _copied) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return True
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.1)
    except sqlite3.Error as error:
        raise explain(path, error) from error


def rewrite(path: Path) -> None:
    """Make the store's file anew (VACUUM). Nobody else can write meanwhile: calls go on, their events wait in the
    spool. Raises StoreError."""
    try:
        with closing(_writing(path)) as connection:
            connection.execute("VACUUM")
    except sqlite3.Error as error:
        raise explain(path, error) from error
    cut_log(path)


def needles(people: Iterable[Person]) -> list[bytes]:
    """The bytes by which these persons' numbers would be found in a file."""
    numbers = [number for person in people for number in (person.raw, person.e164.removeprefix("+")) if len(number) > 4]
    return [number.encode() for number in dict.fromkeys(numbers)]


def stands_in(files: Iterable[Path], wanted: Sequence[bytes]) -> list[Path]:
    """Those of these files in which any of these bytes stand; one that cannot be read is passed over."""
    return [file for file in files if wanted and _holds(file, wanted)]


def _holds(file: Path, wanted: Sequence[bytes]) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
            return any(view.find(each) >= 0 for each in wanted)
    except (OSError, ValueError):  # empty, or no plain file
        return False
    finally:
        os.close(descriptor)


def _writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri(path, "rw"), uri=True, timeout=OPEN_PATIENCE, isolation_level=None)
    teach(connection)
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
