"""The console's own file, ``console.sqlite``: users, sessions, tokens, wrong passwords, and who changed what of them.

Apart from the call store on purpose: whoever copies calls copies no password, and a fault of one is none of the other.
Synchronous: the console asks in threads of its own, the ``hotline users`` command directly; both may be at it at once.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from config.catalogue import _

T = TypeVar("T")

NAME = "console.sqlite"
SCHEMA = 1
PATIENCE = 5.0
"""Seconds that a change waits for that of another process."""

_TABLES = """
CREATE TABLE user (
    user_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, shown TEXT NOT NULL, roles TEXT NOT NULL,
    agent TEXT NOT NULL, language TEXT NOT NULL, password TEXT NOT NULL, must_change INTEGER NOT NULL,
    password_until INTEGER NOT NULL, disabled_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    signed_in_at INTEGER NOT NULL) STRICT;
CREATE TABLE session (
    key TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES user, csrf TEXT NOT NULL, began INTEGER NOT NULL,
    seen INTEGER NOT NULL, address TEXT NOT NULL, browser TEXT NOT NULL) STRICT;
CREATE INDEX session_user ON session (user_id);
CREATE TABLE token (
    token_id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES user, label TEXT NOT NULL,
    verbs TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER NOT NULL) STRICT;
CREATE INDEX token_user ON token (user_id);
CREATE TABLE failure (key TEXT PRIMARY KEY, failures INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
CREATE TABLE change (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, kind TEXT NOT NULL,
    whom TEXT NOT NULL, detail TEXT NOT NULL, address TEXT NOT NULL) STRICT;
"""


class BookFault(Exception):
    """The console's file cannot be used; the text is one line for the operator."""


class Book:
    """One connection to the file, which is made (mode 0600) where it is missing. Raises BookFault."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / NAME
        self._lock = threading.Lock()
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            os.chmod(self.path, 0o600)
            self._connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._begin()
        except (OSError, sqlite3.Error) as error:
            raise self._fault(error) from error

    def _begin(self) -> None:
        run = self._connection.execute
        self._connection.row_factory = sqlite3.Row
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA secure_delete = ON")
        with self._transaction():
            (version,) = run("PRAGMA user_version").fetchone()
            if version > SCHEMA:
                raise BookFault(_("{path} was written by a newer Hotline.").format(path=self.path))
            if version == 0:
                for statement in _TABLES.split(";"):
                    run(statement)
                run(f"PRAGMA user_version = {SCHEMA}")

    def read(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """The rows. Raises BookFault."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._fault(error) from error

    def do(self, work: Callable[[Callable[..., sqlite3.Cursor]], T]) -> T:
        """Do all of it in one transaction, or nothing. Raises BookFault, and what ``work`` raises."""
        with self._lock:
            try:
                with self._transaction():
                    return work(self._connection.execute)
            except sqlite3.Error as error:
                raise self._fault(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _fault(self, error: Exception) -> BookFault:
        why = getattr(error, "strerror", None) or str(error)
        return BookFault(_("The console's file {path} cannot be used: {why}.").format(path=self.path, why=why))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()
