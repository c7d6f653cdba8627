"""Holding recordings back from deletion, and taking them along: one as a file, many as a zip with its manifest.

Who takes what and why is written into the access log before the first byte is given out (``recordings.access``). The
bytes come from the worker that plays (``recordings.playback``), proved and decrypted there, a piece at a time.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from uuid_utils import uuid7

from calllog import keep_queries
from calllog.access import Access
from calllog.events import Archived, Category
from calllog.keep_queries import ExportRow, HoldRow, Wanted
from calllog.recording_coverage import Coverage, coverage as ask_coverage
from config.catalogue import _
from config.masking import shown
from console import hearing
from console.permits import Verb, Who, own_agent
from console.site import Refusal, Site
from recordings import holds
from recordings.export import stream_zip
from recordings.export_names import Item, names
from recordings.ledger import Degraded
from recordings.playback import NotPlayable, Playing
from recordings.turns import Busy

MOST = 500
"""Recordings in one zip from a browser; the command takes any number, and goes on where it was stopped."""
GAPS = 200
"""Talks without a recording that are listed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What may be given out now: the access log has it."""

    items: tuple[Item, ...]
    about: dict[str, Any]


async def holds_on(site: Site, who: Who, call_id: str) -> list[HoldRow]:
    """The holds in force on this call. Raises NotPermitted, LookupError."""
    await hearing.call_of(site, who, call_id)
    return await asyncio.to_thread(keep_queries.list_holds, site.store, call_id=call_id)


async def hold(site: Site, who: Who, call_id: str, reason: str) -> None:
    """Nothing of this call may be deleted from now on. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.HOLD_SET)
    await hearing.call_of(site, who, call_id)
    await _kept(holds.hold(site.state_dir, site.ledger(who.name), [call_id], _stated(reason), by=who.name))


async def release(site: Site, who: Who, call_id: str, reason: str) -> None:
    """Every hold on this call is lifted. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.HOLD_SET)
    await hearing.call_of(site, who, call_id)
    await _kept(holds.release(site.store, site.ledger(who.name), [call_id], _stated(reason), by=who.name))


async def take(site: Site, who: Who, call_ids: Sequence[str], reason: hearing.Reason, words: str = "") -> Taken:
    """These calls' recordings, once the access log has each. Raises NotPermitted, LookupError (one of them is not for
    this person), Refusal, StoreError."""
    who.must(Verb.RECORDING_EXPORT)
    wanted = tuple(dict.fromkeys(call_ids))
    if not wanted:
        raise Refusal(_("Choose at least one recording."), status=422)
    if len(wanted) > MOST:
        text = _("At most {n} at once; 'hotline recordings export' takes any number.")
        raise Refusal(text.format(n=MOST), status=422)
    why = hearing.stated(reason, words)
    rows = await asyncio.to_thread(keep_queries.exportable, site.store, Wanted(call_ids=wanted))
    only = own_agent(who)
    if only is not None and any(only not in row.agents for row in rows):
        raise LookupError(wanted[0])
    if not rows:
        raise Refusal(_("There is no finished recording among them."), status=404)
    batch = str(uuid7())
    await site.access.note([
        Access(who.name, "recording.export", why, role=hearing.roles(who), call_id=row.call_id, category=row.category,
               address=who.address, batch=batch)
        for row in rows
    ])  # fmt: skip
    about = {"made_at": site.wall().astimezone(site.settings.hotline.zone).isoformat(timespec="seconds"), "why": why,
             "access_log_batch": batch, "by": who.name}  # fmt: skip
    return Taken(tuple(_item(site, row, whole=who.may(Verb.NUMBER_SEE)) for row in rows), about)


async def as_zip(site: Site, taken: Taken) -> AsyncIterator[bytes]:
    """The zip's bytes; what is missing or damaged is left out, and its manifest says so."""
    loop, ended = asyncio.get_running_loop(), object()
    pieces = stream_zip(taken.items, _opener(site, taken.items, loop), site.settings.hotline.zone, taken.about)
    while (piece := await asyncio.to_thread(next, pieces, ended)) is not ended:
        if piece:
            yield piece  # type: ignore[misc]


async def as_file(site: Site, taken: Taken) -> tuple[Playing, str, AsyncIterator[bytes]]:
    """The one recording's own file: opened and proved, a readable name, its bytes. Raises Refusal."""
    item = taken.items[0]
    try:
        playing = await site.playback.open(_archived(item), "stored")
    except NotPlayable as fault:
        raise Refusal(str(fault)) from None
    return playing, names([item], site.settings.hotline.zone)[item.key], site.playback.read(playing)


async def coverage(site: Site, who: Who, since: int) -> Coverage:
    """录音完整率 of the calls since then, and the talks that lack a recording. Raises NotPermitted."""
    who.must(Verb.RECORDING_VERIFY)
    return await ask_coverage(site.store, since=since, gaps=GAPS)


async def _kept(work: Any) -> None:
    try:
        await work
    except (Busy, Degraded) as refused:
        raise Refusal(str(refused), status=503) from None


def _stated(reason: str) -> str:
    text = " ".join(reason.split())[: hearing.LONGEST_WHY]
    if not text:
        raise Refusal(_("Say why."), status=422)
    return text


def _item(site: Site, row: ExportRow, *, whole: bool) -> Item:
    known = site.settings.queues.queues.get(row.queue)
    return Item(
        row.call_id, row.category, row.file, row.sha256, row.began_at, row.seconds, row.channels,
        row.label or (known.label if known else row.queue), row.agents,
        shown(row.number, site.settings.hotline.country, whole=whole), row.outcome,
    )  # fmt: skip


def _archived(item: Item) -> Archived:
    category: Category = "voicemail" if item.category == "voicemail" else "call"
    return Archived(category=category, file=item.file, sha256=item.sha256, frames=0, rate=0, channels=item.channels)


def _opener(site: Site, items: Sequence[Item], loop: asyncio.AbstractEventLoop) -> Callable[[str], IO[bytes]]:
    by_file = {item.file: item for item in items}

    def opened(file: str) -> IO[bytes]:
        return io.BufferedReader(_Stored(site, by_file[file], loop), 256 * 1024)

    return opened


class _Stored(io.RawIOBase):
    """A recording's file as the worker gives it, for a thread that writes it into a zip."""

    def __init__(self, site: Site, item: Item, loop: asyncio.AbstractEventLoop) -> None:
        self._site, self._loop, self._at = site, loop, 0
        try:
            self._playing = self._wait(site.playback.open(_archived(item), "stored"))
        except NotPlayable as fault:
            raise OSError(str(fault)) from None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """The next bytes."""
        data = self._wait(self._bytes(self._at, self._at + len(into)))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)

    async def _bytes(self, first: int, end: int) -> bytes:
        try:
            return b"".join([piece async for piece in self._site.playback.read(self._playing, first, end)])
        except NotPlayable as fault:
            raise OSError(str(fault)) from None

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
