"""One at a time, over all processes: purges, and whoever holds, lifts or deletes. The kernel frees a lock however its
holder ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.catalogue import _

PURGE = "purge.lock"
"""Held by a purge, or an erasure, from its beginning to its end."""
KEEP = "keep.lock"
"""Held while a hold is set or lifted, and while a piece of a purge looks for holds, is journalled and deleted: so no
hold can come between the look and the deletion."""
PATIENCE = 30.0
"""Seconds that somebody waits for ``KEEP``; a piece of a purge takes less than one."""
POLL = 0.02
"""Seconds between two tries; who takes a turn again and again leaves it free for longer than that in between."""


class Busy(Exception):
    """Somebody else has the lock; the text is one line for the operator."""


@asynccontextmanager
async def turn(state_dir: Path, name: str, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Within it nobody else has this turn. Waits up to ``patience`` seconds. Raises Busy and OSError."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    file = os.open(state_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if loop.time() >= deadline:
                    holder = os.pread(file, 20, 0).decode(errors="replace").strip() or "?"
                    text = _("Another purge, erasure or hold is under way (process {pid}): try again.")
                    raise Busy(text.format(pid=holder)) from None
            await asyncio.sleep(POLL)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)
