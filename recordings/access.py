"""The one who writes the access log (``calllog.access``): who heard or took what, when and why, before they get it.

The log's last entry is also kept in a file of its own, synced, so that ``calllog verify`` sees a log whose end was cut
off; the daemon writes it into its own log once a day as well, for whoever keeps that elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from calllog.access import Access, Anchor, linked
from calllog.events import Accessed, AnyEvent, Recorded, Stream

log = structlog.get_logger(__name__)

LOG = "log"
"""The stream_id of entries that are about no one call."""

HEAD = "access.head"
"""The file in the state folder; one that did not fit the log is kept as ``access.head.N``."""


class Journal(Protocol):
    """What the log needs of the journal (``calllog.journal``)."""

    @property
    def degraded(self) -> bool:
        """Whether the store fails."""

    def append(self, stream: Stream, stream_id: str, event: AnyEvent, *, at: int | None = None) -> None:
        """Write soon."""

    async def flush(self) -> None:
        """Wait until all is safe. Raises StoreLost."""

    async def last_in(self, stream: Stream) -> Recorded | None:
        """The latest event of a stream. Raises StoreError."""


class AccessLog:
    """``now`` gives µs since 1970 UTC; ``on_cut`` hears that the log ends before an entry that the head file knows
    (the last number of the log, and of the file)."""

    def __init__(
        self, journal: Journal, now: Callable[[], int], state_dir: Path,
        on_cut: Callable[[int, int], None] = lambda last, known: None,
    ) -> None:  # fmt: skip
        self._journal, self._now, self._state, self._on_cut = journal, now, state_dir, on_cut
        self._last: Anchor | None = None
        self._turn = asyncio.Lock()

    async def note(self, accesses: Sequence[Access]) -> None:
        """Write these down, and return when they cannot be lost: only then hand out what they are about.

        Raises StoreError; then nothing may be handed out.
        """
        async with self._turn:
            last = await self._where()
            for access in accesses:
                at = self._now()
                event = linked(last, at, access)
                self._journal.append("access", event.call_id or LOG, event, at=at)
                last = self._last = Anchor(event.n, event.digest)
            await self._journal.flush()
            if not self._journal.degraded:  # what is in the spool only would be missed by a verification
                await asyncio.to_thread(_keep, self._state / HEAD, last)

    async def anchor(self) -> Anchor:
        """The last entry. Raises StoreError."""
        async with self._turn:
            return await self._where()

    async def _where(self) -> Anchor:
        if self._last is None:
            found = await self._journal.last_in("access")
            last = Anchor()
            if found is not None and isinstance(found.event, Accessed):
                last = Anchor(found.event.n, found.event.digest)
            known = await asyncio.to_thread(_fits, self._state / HEAD, last)
            if known:
                log.error("the access log ends before what its head file knows", last=last.n, known=known)
                self._on_cut(last.n, known)
            self._last = last
        return self._last


def anchors(state_dir: Path) -> list[Anchor]:
    """The entries that the head files know; a file that cannot be read is an anchor that no log fits.

    Read them before the store: the log only grows.
    """
    found = []
    for path in sorted(state_dir.glob(f"{HEAD}*")):
        if not path.name.endswith(".part"):
            known = _read(path)
            found.append(Anchor(known.n, known.digest, path.name) if known else Anchor(1, "", path.name))
    return found


def _read(path: Path) -> Anchor | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchor)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return None


def _fits(path: Path, last: Anchor) -> int:
    """0, or the number that the file knows and the log does not have; the file is then kept under another name."""
    known = _read(path)
    if known is None or known.n < last.n or (known.n, known.digest) == (last.n, last.digest):
        return 0
    number = 1
    while (kept := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    path.rename(kept)
    return known.n


def _keep(path: Path, last: Anchor) -> None:
    draft = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(last) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:  # the chain itself is safe
        log.error("the access log's head file cannot be written", file=str(path), why=str(error))
