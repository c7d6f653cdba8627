"""Holding recordings back from deletion, and taking them along: one as a file; many are an export (``exports``).

Who takes what and why is written into the access log before the first byte is given out (``recordings.access``). The
bytes come from the worker that plays (``recordings.playback``), proved and decrypted there, a piece at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from uuid_utils import uuid7

from calllog import keep_queries
from calllog.access import Access
from calllog.events import Archived, Category
from calllog.keep_queries import HoldRow, Wanted
from calllog.recording_coverage import Coverage, coverage as ask_coverage
from config.catalogue import _
from console import hearing
from console.holding import reason_of, stated
from console.permits import Verb, Who, own_agent
from console.site import Refusal, Site
from recordings import holds
from recordings.export_names import Item, item_of, names
from recordings.ledger import Degraded
from recordings.playback import NotPlayable, Playing
from recordings.turns import Busy

NOTED = 200
"""Entries of the access log that are made at once: callers wait no longer than for these."""
GAPS = 200
"""Talks without a recording that are listed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What may be given out now: the access log has it."""

    items: tuple[Item, ...]
    about: dict[str, Any]


async def holds_on(site: Site, who: Who, call_id: str) -> list[HoldRow]:
    """The holds in force on this call, their reasons as this person may read them. Raises NotPermitted, LookupError."""
    who.must(Verb.HOLD_READ)
    await hearing.call_of(site, who, call_id)
    rows = await asyncio.to_thread(keep_queries.list_holds, site.store, call_id=call_id)
    return [replace(row, reason=reason_of(row, who)) for row in rows]


async def hold(site: Site, who: Who, call_id: str, reason: str) -> None:
    """Nothing of this call may be deleted from now on. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.HOLD_SET)
    await hearing.call_of(site, who, call_id)
    await _kept(holds.hold(site.state_dir, site.ledger(who.name), [call_id], stated(reason), by=who.name))


async def release(site: Site, who: Who, call_id: str, reason: str) -> None:
    """Every hold on this call is lifted. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.HOLD_SET)
    await hearing.call_of(site, who, call_id)
    await _kept(holds.release(site.store, site.ledger(who.name), [call_id], stated(reason), by=who.name))


async def take(site: Site, who: Who, call_ids: Sequence[str], reason: hearing.Reason, words: str = "") -> Taken:
    """These calls' recordings, once the access log has each. Raises NotPermitted, LookupError (one of them is not for
    this person), Refusal, StoreError."""
    who.must(Verb.RECORDING_EXPORT)
    wanted = tuple(dict.fromkeys(call_ids))
    if not wanted:
        raise Refusal(_("Choose at least one recording."), status=422)
    why = hearing.stated(reason, words)
    rows = await asyncio.to_thread(keep_queries.exportable, site.store, Wanted(wanted))
    only = own_agent(who)
    if only is not None and any(only not in row.agents for row in rows):
        raise LookupError(wanted[0])
    if not rows:
        raise Refusal(_("There is no finished recording among them: one is finished soon after its call, and gone once "
                        "it was deleted."), status=404)  # fmt: skip
    batch = str(uuid7())
    for first in range(0, len(rows), NOTED):
        await site.access.note([
            Access(who.name, "recording.export", why, role=hearing.roles(who), call_id=row.call_id,
                   category=row.category, address=who.address, batch=batch)
            for row in rows[first : first + NOTED]
        ])  # fmt: skip
    about = {"made_at": site.wall().astimezone(site.settings.hotline.zone).isoformat(timespec="seconds"), "why": why,
             "access_log_batch": batch, "by": who.name}  # fmt: skip
    return Taken(tuple(item_of(row, site.settings, whole=who.may(Verb.NUMBER_SEE)) for row in rows), about)


async def as_file(site: Site, taken: Taken) -> tuple[Playing, str, AsyncIterator[bytes]]:
    """The one recording's own file: opened and proved, a readable name, its bytes. Raises Refusal."""
    item = taken.items[0]
    try:
        playing = await site.playback.open(archived_as(item), "stored")
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


def archived_as(item: Item) -> Archived:
    """What playing it needs to know."""
    category: Category = "voicemail" if item.category == "voicemail" else "call"
    return Archived(category=category, file=item.file, sha256=item.sha256, frames=0, rate=0, channels=item.channels)
