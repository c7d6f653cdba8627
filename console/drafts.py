"""What somebody has begun to write and not saved yet: kept as typed, so that a closed tab loses nothing.

A file of its own, ``drafts.sqlite`` (mode 0600): drafts hold what people write about callers, so erasing a person
empties them too (:meth:`Drafts.forget`). Synchronous: for the console's threads.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

NAME = "drafts.sqlite"
LONGEST = 100_000
"""Characters of one draft."""
MOST = 200
"""Drafts of one user; the oldest go first."""
PATIENCE = 5.0
"""Seconds that a change waits for that of another process."""


class Drafts:
    """The file in this state folder; it is made when the first draft is kept. The methods raise sqlite3.Error, OSError.

    ``about`` is what is written: a kind and a call, ``review:hotline-1770321600.12``.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        self._lock = threading.Lock()

    def put(self, user_id: str, about: str, text: str, at: int) -> None:
        """Keep this in the place of what was there. Raises ValueError for a text that is too long."""
        if len(text) > LONGEST:
            raise ValueError(f"a draft of {len(text)} characters")
        with self._lock, closing(self._open()) as run, run:
            run.execute("INSERT OR REPLACE INTO draft (user_id, about, text, at) VALUES (?, ?, ?, ?)",
                        (user_id, about, text, at))  # fmt: skip
            run.execute(
                "DELETE FROM draft WHERE user_id = ?1 AND about NOT IN"
                " (SELECT about FROM draft WHERE user_id = ?1 ORDER BY at DESC LIMIT ?2)", (user_id, MOST),
            )  # fmt: skip

    def get(self, user_id: str, about: str) -> str:
        """The draft; empty where there is none."""
        if not self._path.exists():
            return ""
        with self._lock, closing(self._open()) as run:
            row = run.execute("SELECT text FROM draft WHERE user_id = ? AND about = ?", (user_id, about)).fetchone()
        return str(row[0]) if row else ""

    def of(self, user_id: str) -> set[str]:
        """What this user has begun."""
        if not self._path.exists():
            return set()
        with self._lock, closing(self._open()) as run:
            return {about for (about,) in run.execute("SELECT about FROM draft WHERE user_id = ?", (user_id,))}

    def drop(self, user_id: str, about: str) -> None:
        """It was saved for good, or thrown away."""
        if self._path.exists():
            with self._lock, closing(self._open()) as run, run:
                run.execute("DELETE FROM draft WHERE user_id = ? AND about = ?", (user_id, about))

    def forget(self, call_id: str) -> int:
        """Erase everybody's drafts about this call; returns how many there were."""
        if not self._path.exists():
            return 0
        with self._lock, closing(self._open()) as run, run:
            return run.execute("DELETE FROM draft WHERE about GLOB '*:' || ?", (call_id,)).rowcount

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        run = sqlite3.connect(self._path, timeout=PATIENCE)
        try:
            run.execute("PRAGMA secure_delete = ON")
            run.execute(
                "CREATE TABLE IF NOT EXISTS draft (user_id TEXT NOT NULL, about TEXT NOT NULL, text TEXT NOT NULL,"
                " at INTEGER NOT NULL, PRIMARY KEY (user_id, about)) STRICT"
            )
        except BaseException:
            run.close()
            raise
        return run
