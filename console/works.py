"""Long work that somebody begins from a page: it goes on by itself, tells how far it is, and keeps what came of it.

What blocks is done in threads and worker processes; a work is only the task that waits for them. Works are known to
whoever began them for as long as the daemon runs, however often the console is closed meanwhile; what must outlast
that, manifests and the journal, is written by the work itself. Those that a stop breaks off stand in ``works.json`` of
the state folder (who began what, and when, no more): the next daemon says so to their person.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from uuid_utils import uuid7

from calllog.errors import StoreError
from config.catalogue import _
from console.permits import Verb, Who
from console.site import Refusal
from recordings.export import ExportStopped
from recordings.lane import WorkerLost
from recordings.ledger import Degraded
from recordings.purge import PurgeRefused
from recordings.turns import Busy

log = structlog.get_logger()

NAME = "works.json"

KEPT = 50
"""Works that are remembered after their end."""
SHOWN = 3600
"""Seconds for which a page shows by itself what came of a work."""
MOST = 4
"""Works at once, of all persons together."""

REFUSED = (Refusal, StoreError, OSError, Busy, Degraded, PurgeRefused, ExportStopped, WorkerLost)
"""By which work says that it cannot be done now; the text is for whoever began it."""

Kind = Literal["verify", "purge", "erase", "export"]

SEEN_BY: Mapping[Kind, Verb] = {
    "verify": Verb.ACCESS_READ, "purge": Verb.PURGE_READ, "erase": Verb.PERSON_ERASE, "export": Verb.PERSON_EXPORT,
}  # fmt: skip
"""What somebody must be permitted still to see what came of their work: roles change, and tokens may less."""


@dataclass(slots=True)
class Work:
    """One work. Times are µs since 1970 UTC, 0 for not yet; ``fault`` says why it failed, ``result`` is what came of
    it, in the kind's own type."""

    work_id: str
    kind: Kind
    by: str
    user_id: str
    key: str
    began: int
    done: int = 0
    of: int = 0
    ended: int = 0
    fault: str = ""
    result: object = None
    broken: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def state(self) -> Literal["running", "done", "failed"]:
        """Where it is."""
        return "running" if not self.ended else "failed" if self.fault else "done"

    def progress(self, done: int, of: int) -> None:
        """So much of it is done; may be called from any thread."""
        self.done, self.of = done, of


class Works:
    """All of them. Belongs to the daemon's loop; ``now`` gives µs."""

    def __init__(self, state_dir: Path, now: Callable[[], int]) -> None:
        self._path, self._now = state_dir / NAME, now
        self._known: dict[str, Work] = {}
        for begun in self._begun():
            work = Work(begun.work_id, begun.kind, begun.by, begun.user_id, "", begun.began, ended=now())
            work.fault = _("The hotline was stopped meanwhile. Begin it again: what was done stays done.")
            self._known[work.work_id] = work

    def begin(self, kind: Kind, who: Who, course: Callable[[Work], Awaitable[object]]) -> Work:
        """Begin; ``course`` does it, and its result is the work's. Raises Refusal where too much goes on already."""
        if sum(one.state == "running" for one in self._known.values()) >= MOST:
            raise Refusal(_("Much is being done already. Try again when something of it has ended."), status=503)
        work = Work(str(uuid7()), kind, who.name, who.user_id, who.key, self._now())
        self._known[work.work_id] = work
        self._note()
        for old in [one for one in self._known.values() if one.ended][: max(0, len(self._known) - KEPT)]:
            del self._known[old.work_id]
        work.task = asyncio.get_running_loop().create_task(self._run(work, course), name=f"work {kind}")
        return work

    async def _run(self, work: Work, course: Callable[[Work], Awaitable[object]]) -> None:
        try:
            work.result = await course(work)
        except asyncio.CancelledError:
            work.fault, work.broken = _("It was broken off."), True
            raise
        except REFUSED as fault:
            work.fault = _told(fault)
            log.warning("a long work of the console ended early", kind=work.kind, by=work.by, why=work.fault)
        except Exception:
            work.fault = _("A fault of ours. It is in the hotline's log.")
            log.exception("a long work of the console failed", kind=work.kind, by=work.by)
        finally:
            work.ended = self._now()
            if not work.broken:
                self._note()

    def running(self, *kinds: Kind) -> Work | None:
        """One of these kinds that goes on."""
        return next((one for one in self._known.values() if one.kind in kinds and not one.ended), None)

    def get(self, who: Who, work_id: str) -> Work:
        """One's own. Raises LookupError, NotPermitted."""
        work = self._known.get(work_id)
        if work is None or work.user_id != who.user_id:
            raise LookupError(work_id)
        who.must(SEEN_BY[work.kind])
        return work

    def last(self, who: Who, *kinds: Kind) -> Work | None:
        """The newest of one's own of these kinds, while it goes on and for a while afterwards."""
        since = self._now() - SHOWN * 1_000_000
        mine = [
            one for one in self._known.values()
            if one.kind in kinds and one.user_id == who.user_id and who.may(SEEN_BY[one.kind])
        ]
        return mine[-1] if mine and (not mine[-1].ended or mine[-1].ended > since) else None

    def _begun(self) -> list[_Begun]:
        """What an earlier daemon had begun and not ended."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[_Begun])
        except (OSError, msgspec.MsgspecError):
            return []

    def _note(self) -> None:
        """Write down what goes on. Few words: it costs a moment, and a disk that takes nothing costs the work nothing.
        """
        going = [_Begun(one.work_id, one.kind, one.by, one.user_id, one.began)
                 for one in self._known.values() if not one.ended]  # fmt: skip
        try:
            if not going:
                self._path.unlink(missing_ok=True)
                return
            draft = self._path.with_name(f"{NAME}.part")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(going))
            draft.replace(self._path)
        except OSError as fault:
            log.warning("a work of the console cannot be noted; a stop would be said to nobody", why=str(fault))

    def close(self) -> None:
        """Break all of them off; each can be begun again."""
        for work in self._known.values():
            if work.task is not None:
                work.task.cancel()


class _Begun(msgspec.Struct, frozen=True):
    """What the file has of a work that goes on."""

    work_id: str
    kind: Kind
    by: str
    user_id: str
    began: int


def _told(fault: Exception) -> str:
    if isinstance(fault, WorkerLost):
        return _("The worker process died, or took too long. Try again.")
    if isinstance(fault, OSError):
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror or str(fault)
    return str(fault) or type(fault).__name__
