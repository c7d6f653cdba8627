"""How a command writes into the journal: by the running daemon, or by itself while none runs.

One process at a time writes the journal. So a command asks the daemon over its socket (``hotline.keep_verbs``), which
knows by the kernel whose process asks; where no daemon runs it opens the journal itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import msgspec

from calllog.access import Access
from calllog.clock import Clock
from calllog.codec import decode, encode
from calllog.journal import Journal
from calllog.keep_events import KeepEvent
from calllog.notes import Note
from config.catalogue import _
from hotline.cli_options import STORE
from hotline.control import LONGEST_LINE, NotRunning, ask
from recordings.access import AccessLog
from recordings.ledger import Degraded, Entry

PIECE = LONGEST_LINE // 2
"""Characters of JSON in one request: in ASCII it may double in length."""


class Ledger(Protocol):
    """Both ways look alike. The methods raise StoreError, NotRunning and Refused; what they return from is safe."""

    async def note(self, accesses: Sequence[Access]) -> None:
        """Write into the access log; ``who`` is the user who gives the command."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """See ``recordings.ledger``."""


@asynccontextmanager
async def ledger(state_dir: Path) -> AsyncIterator[Ledger]:
    """Within it the journal can be written. Raises StoreError where it cannot."""
    try:
        await asyncio.to_thread(ask, state_dir, "status")
    except NotRunning:
        clock = Clock()
        journal = await Journal.open(state_dir / STORE, clock=clock, spool=state_dir / "spool.jsonl")
        try:
            yield Own(journal, AccessLog(journal, clock.now, state_dir), me())
        finally:
            await journal.close()
    else:
        yield _Daemon(state_dir)


class Own:
    """By the journal of this process, in the name of ``who``."""

    def __init__(self, journal: Journal, access: AccessLog, who: str) -> None:
        self._journal, self._access, self._who = journal, access, who

    async def note(self, accesses: Sequence[Access]) -> None:
        """Write into the access log."""
        await self._access.note([replace(one, who=self._who, role="operator") for one in accesses])

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write events of calls; raises Degraded where they would be in the spool only."""
        for entry in entries:
            if self._journal.degraded:
                break
            event = msgspec.structs.replace(entry.event, by=self._who)
            self._journal.append("call", entry.call_id, event, notes=entry.notes)
        await self._journal.flush()
        if self._journal.degraded:
            raise Degraded(_("The call store fails just now: nothing more is deleted or held. Try again later."))


class _Daemon:
    def __init__(self, state_dir: Path) -> None:
        self._state = state_dir

    async def note(self, accesses: Sequence[Access]) -> None:
        for piece in pieces(msgspec.to_builtins(one) for one in accesses):
            await self._ask("access", accesses=piece)

    async def write(self, entries: Sequence[Entry]) -> None:
        for piece in pieces(map(_packed, entries)):
            await self._ask("keep", entries=piece)

    async def _ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        return await asyncio.to_thread(ask, self._state, verb, sudo=os.environ.get("SUDO_USER", ""), **fields)


def _packed(entry: Entry) -> dict[str, Any]:
    kind, v, data = encode(entry.event)
    notes = [msgspec.to_builtins(note) for note in entry.notes]
    return {"call_id": entry.call_id, "kind": kind, "v": v, "data": data, "notes": notes}


def unpacked(packed: Mapping[str, Any]) -> Entry:
    """The entry again. Raises ValueError for anything but an event of keeping."""
    event = decode(str(packed["kind"]), int(packed["v"]), str(packed["data"]))
    if not isinstance(event, KeepEvent):
        raise ValueError(f"{packed['kind']} is no event of keeping")
    return Entry(str(packed["call_id"]), event, tuple(msgspec.convert(packed["notes"], list[Note])))


def me() -> str:
    """The user who gives this command."""
    return user_name(os.getuid(), os.environ.get("SUDO_USER", ""))


def pieces(items: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The items in lists that each go into one request."""
    piece: list[Mapping[str, Any]] = []
    size = 0
    for item in items:
        wide = len(json.dumps(item))
        if piece and size + wide > PIECE:
            yield piece
            piece, size = [], 0
        piece.append(item)
        size += wide
    if piece:
        yield piece


def user_name(uid: int, sudo: str = "") -> str:
    """The user of the operating system as the access log names them: ``os:hotline``, or with the name they had before
    ``sudo``, which is their own word for it: ``os:zhang>hotline``."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return f"os:{sudo}>{name}" if sudo and sudo != name else f"os:{name}"
