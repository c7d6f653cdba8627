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
from calllog.journal import Journal
from hotline.cli_options import STORE
from hotline.control import LONGEST_LINE, NotRunning, ask
from recordings.access import AccessLog

PIECE = LONGEST_LINE // 2
"""Characters of JSON in one request: in ASCII it may double in length."""


class Ledger(Protocol):
    """Both ways look alike. The methods raise StoreError, NotRunning and Refused; what they return from is safe."""

    async def note(self, accesses: Sequence[Access]) -> None:
        """Write into the access log; ``who`` is the user who gives the command."""


@asynccontextmanager
async def ledger(state_dir: Path) -> AsyncIterator[Ledger]:
    """Within it the journal can be written. Raises StoreError where it cannot."""
    try:
        await asyncio.to_thread(ask, state_dir, "status")
    except NotRunning:
        clock = Clock()
        journal = await Journal.open(state_dir / STORE, clock=clock, spool=state_dir / "spool.jsonl")
        try:
            yield _Own(journal, AccessLog(journal, clock.now, state_dir))
        finally:
            await journal.close()
    else:
        yield _Daemon(state_dir)


class _Own:
    def __init__(self, journal: Journal, access: AccessLog) -> None:
        self._journal, self._access = journal, access

    async def note(self, accesses: Sequence[Access]) -> None:
        who = user_name(os.getuid(), os.environ.get("SUDO_USER", ""))
        await self._access.note([replace(one, who=who, role="operator") for one in accesses])


class _Daemon:
    def __init__(self, state_dir: Path) -> None:
        self._state = state_dir

    async def note(self, accesses: Sequence[Access]) -> None:
        for piece in pieces(msgspec.to_builtins(one) for one in accesses):
            await self._ask("access", accesses=piece)

    async def _ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        return await asyncio.to_thread(ask, self._state, verb, sudo=os.environ.get("SUDO_USER", ""), **fields)


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
