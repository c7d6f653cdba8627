"""The store as a file: where it is, whether it is ours, of which shape, and who may write it. Synchronous."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from calllog.errors import (
    NotAStore,
    StoreError,
    StoreInUse,
    StoreMissing,
    StoreNewer,
    StoreOutdated,
    StoreUnwritable,
)
from config.catalogue import _

SCHEMA = "0011"
"""The newest migration; four digits, counting up."""
APPLICATION_ID = 0x484F544C
"""SQLite's application_id of a store of ours: "HOTL"."""
OPEN_PATIENCE = 5.0
"""Seconds that opening waits for a lock of another process (a backup tool, a long question)."""
HANDOVER_PATIENCE = 10.0
"""Seconds that a new daemon waits for an old one to let go of the store."""
_HANDOVER_POLL = 0.05

_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL)
_FOREIGN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT)


def uri(path: Path, mode: Literal["ro", "rw"]) -> str:
    """The name by which SQLite opens an existing store and never makes one (sqlite.org/uri.html)."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def make_file(path: Path) -> None:
    """Make the folder (0700) and an empty file (0600) where they are missing. Raises StoreUnwritable.

    SQLite gives the files beside the store (``-wal``, ``-shm``) the store's own mode.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnwritable(
            _("The call store {path} cannot be written: {why}.").format(path=path, why=error.strerror)
        ) from error


def explain(path: Path, error: sqlite3.Error) -> StoreError:
    """SQLite's error as a StoreError with a line for the operator."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FOREIGN:
        text = _("{path} is not a call store, or it is damaged: {why}.")
        return NotAStore(text.format(path=path, why=error))
    if code in _UNWRITABLE:
        return StoreUnwritable(_("The call store {path} cannot be written: {why}.").format(path=path, why=error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreInUse(_("The call store {path} is locked by another program.").format(path=path))
    return StoreError(_("The call store {path} cannot be used: {why}.").format(path=path, why=error))


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads, for a question or two. Raises StoreError, also for what the questions run into."""
    with closing(connect_to_read(path)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise explain(path, error) from error


def shape(path: Path, mode: Literal["ro", "rw"] = "rw") -> str:
    """The migration that an existing file is at; empty for a new, empty file. Cheap: three small reads.

    Raises NotAStore, StoreNewer, StoreUnwritable, StoreInUse.
    """
    try:
        with closing(sqlite3.connect(uri(path, mode), uri=True, timeout=OPEN_PATIENCE)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                return ""
            if application != APPLICATION_ID:
                raise NotAStore(_("{path} is a database, but not a call store of Hotline's.").format(path=path))
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise explain(path, error) from error
    version = str(row[0]) if row else ""
    if version > SCHEMA:
        text = _("The call store {path} was made by a newer Hotline (shape {theirs}, this one knows {ours}).")
        raise StoreNewer(text.format(path=path, theirs=version, ours=SCHEMA))
    return version


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to a store of the current shape, safe beside a daemon.

    Raises StoreMissing, NotAStore, StoreNewer, StoreOutdated or another StoreError.
    """
    if not path.is_file():
        raise StoreMissing(_("There is no call store at {path} yet; the daemon makes it.").format(path=path))
    version = shape(path, "ro")
    if version != SCHEMA:
        text = _("The call store {path} has an older shape; the daemon brings it up to date when it starts.")
        raise StoreOutdated(text.format(path=path))
    try:
        connection = sqlite3.connect(
            uri(path, "ro"), uri=True, timeout=OPEN_PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = 1")
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return connection


class WriterLock:
    """The right to write a store, held by one daemon at a time; the kernel frees it however the daemon ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file: int | None = None

    async def take(self) -> None:
        """Wait up to ``HANDOVER_PATIENCE`` for the right. Raises StoreInUse, StoreUnwritable."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HANDOVER_PATIENCE
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            text = _("The call store {path} cannot be written: {why}.")
            raise StoreUnwritable(text.format(path=self._path, why=error.strerror)) from error
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if loop.time() >= deadline:
                    holder = os.pread(file, 20, 0).decode(errors="replace").strip() or "?"
                    os.close(file)
                    text = _("Another Hotline (process {pid}) writes the call store {path}.")
                    raise StoreInUse(text.format(pid=holder, path=self._path.with_suffix(""))) from error
                try:
                    await asyncio.sleep(_HANDOVER_POLL)
                except BaseException:
                    os.close(file)
                    raise
            else:
                os.ftruncate(file, 0)
                os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
                self._file = file
                return

    def free(self) -> None:
        """Give the right back; without effect when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
