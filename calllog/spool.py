"""The spool: a bounded, synced file that takes events while the store fails. Synchronous: run it in a thread.

One event per line, in order of ``seq``. A line counts once its newline is on disk; a torn last line is what a crash
left of an event that nobody was promised, and is cut off.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from calllog.envelope import Item, from_line, to_line
from config.plain import sync_folder

log = structlog.get_logger("calllog")

LIMIT = 64 * 1024 * 1024
"""Bytes that the spool may hold: about 400,000 events, several days of a busy hotline."""


class SpoolFailed(Exception):
    """The spool did not take the events: it is full, or its own disk fails."""


class Spool:
    """The spool file at ``path``; it exists only while it holds something."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._size = 0
        """Bytes that are whole and synced; anything behind them is cut off before the next line is added."""

    @property
    def holds(self) -> bool:
        """Whether events wait in it."""
        return self._size > 0

    def open(self) -> int:
        """Look at what a former run left; returns its highest ``seq``, 0 for none. Raises OSError."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        self._size = content.rfind(b"\n") + 1
        highest = 0
        for line in content[: self._size].splitlines():
            try:
                highest = max(highest, from_line(line).seq)
            except ValueError as error:
                log.error("a line of the spool cannot be read", file=str(self._path), why=str(error))
        return highest

    def add(self, items: list[Item]) -> None:
        """Add the items and sync them. Raises SpoolFailed; then none of them counts."""
        lines = b"".join(to_line(item) for item in items)
        if self._size + len(lines) > self._limit:
            raise SpoolFailed(f"it is full ({self._size} of {self._limit} bytes)")
        try:
            made = not self._path.exists()
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(file, self._size)
                done = 0
                while done < len(lines):
                    done += os.pwrite(file, lines[done:], self._size + done)
                os.fsync(file)
            finally:
                os.close(file)
            if made:
                sync_folder(self._path.parent)
        except OSError as error:
            raise SpoolFailed(error.strerror or str(error)) from error
        self._size += len(lines)

    def read(self, offset: int, most: int) -> tuple[list[Item], list[bytes], int]:
        """Up to about ``most`` items from ``offset`` (bytes) on, lines that cannot be read, and the next offset.

        The end is reached when that offset has not moved. Raises OSError.
        """
        items: list[Item] = []
        unreadable: list[bytes] = []
        if offset >= self._size:
            return items, unreadable, offset
        with self._path.open("rb") as file:
            file.seek(offset)
            while offset < self._size and len(items) < most and (line := file.readline()):
                offset += len(line)
                try:
                    items.append(from_line(line))
                except ValueError:
                    unreadable.append(line)
        return items, unreadable, offset

    def peek(self) -> list[Item]:
        """Every item in it; none where it has just been emptied."""
        try:
            return self.read(0, self._limit)[0]
        except FileNotFoundError:
            return []

    def remove(self) -> None:
        """Empty it: its events are in the store. Raises OSError."""
        self._path.unlink(missing_ok=True)
        self._size = 0
        sync_folder(self._path.parent)

    def set_aside(self, line: bytes, why: str) -> None:
        """Keep a line that no store will take in ``<spool>.refused``, for a person to look at. Never raises."""
        refused = self._path.with_name(self._path.name + ".refused")
        try:
            with os.fdopen(
                os.open(refused, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb"
            ) as file:
                file.write(line.rstrip(b"\n") + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.critical("an event is lost", line=line.decode(errors="replace"), why=why, error=str(error))
        else:
            log.error("an event was set aside", file=str(refused), why=why)
