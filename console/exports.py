"""Taking many recordings along: an export is ordered, proved in the background, and downloaded by range.

Theory of operation. The order names the recordings; the access log has each before the order is kept. One worker
process after the other reads them whole, each once, and proves them by SHA-256 (``recordings.proving``); what is proved
is written down line by line, so an export goes on where it was after a reload, a restart or a full disk. Then the zip's
layout is known to the byte, and a download (or what is left of one that was cut) is made from the archive as it is
sent (``recordings.bundle``): no copy lies on the disk. Whoever ordered it, and nobody else, sees and downloads it,
until ``recording.export_hours`` are over. A recording that was deleted or damaged since makes it be proved anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog
from uuid_utils import uuid7

from calllog import keep_queries
from calllog.errors import StoreError
from calllog.keep_queries import Wanted
from config.catalogue import _
from config.lengths import at
from console import hearing, taking
from console.export_shelf import Order, Shelf, State
from console.permits import Verb, Who
from console.site import Refusal, Site
from recordings import worker
from recordings.bundle import Bundle, Key, Proof, bundle_of
from recordings.export_names import Item
from recordings.folders import Folders
from recordings.jobs import ProveJob, ProveResult
from recordings.lane import Lane, WorkerLost
from recordings.notes import say_fault
from recordings.playback import NotPlayable, range_of
from recordings.signed import Grant, NotSigned, opens, sign

log = structlog.get_logger()

MOST = 10_000
"""Recordings in one export; the command takes any number."""
MOST_OF_ONE = 20
"""Exports of one person."""
PROVE_TIMEOUT = 900.0
"""Seconds for one recording on a busy disk."""
IDLE = 60.0
SWEEP_EVERY = 60.0
VALID_FOR = 3600
"""Seconds in which a download that was cut can go on at the same address."""
_ABOUT = b"hotline export address 1\0"
_KEPT = 4
"""Layouts kept in memory."""

Standing = Literal["waiting", "running", "ready", "stopped", "full"]


@dataclass(slots=True)
class Export:
    """One export, as far as it is. ``size``: bytes proved so far; ``faults``: recordings that are not in it."""

    order: Order
    proofs: dict[Key, Proof] = field(default_factory=dict)
    state: State | None = None
    running: bool = False

    @property
    def export_id(self) -> str:
        """By which it is found."""
        return self.order.export_id

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.state is not None:
            return self.state.how
        return "running" if self.running else "waiting"

    @property
    def size(self) -> int:
        """Bytes of the recordings that are proved."""
        return sum(proof.size for proof in self.proofs.values())

    @property
    def faults(self) -> list[tuple[Item, str]]:
        """What cannot be had, and why."""
        return [(item, self.proofs[item.key].fault) for item in self.order.items
                if item.key in self.proofs and self.proofs[item.key].fault]  # fmt: skip


class NoSuchRange(hearing.NoSuchRange):
    """The range lies behind the end of the zip."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes [first, end) of an export's zip; ``whole``: no range was asked for, or it has changed since."""

    bundle: Bundle
    name: str
    first: int
    end: int
    whole: bool
    pieces: AsyncIterator[bytes]


class Exports:
    """All exports of this console; ``tell`` is called when one has changed. For the daemon's loop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.tell: Callable[[], None] = lambda: None
        self._shelf = Shelf(site.state_dir)
        self._all: dict[str, Export] = {}
        self._ordering: Counter[str] = Counter()
        self._lane: Lane[ProveJob, ProveResult] = Lane(worker.prove, PROVE_TIMEOUT, idle=IDLE)
        self._playback = site.playback.another()
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Go on with what an earlier run left."""
        self._task = asyncio.create_task(self._run(), name="exports")

    async def close(self) -> None:
        """Stop; what is unfinished goes on at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._lane.kill()
        await self._playback.close()

    # --- what people do

    async def order(
        self, who: Who, call_ids: Sequence[str], reason: hearing.Reason, words: str = ""
    ) -> Export:
        """Order these calls' recordings. Raises NotPermitted, LookupError, Refusal, StoreError."""
        who.must(Verb.RECORDING_EXPORT)
        if len(self.of(who)) + self._ordering[who.user_id] >= MOST_OF_ONE:
            raise Refusal(_("You have {n} exports: take one away first.").format(n=MOST_OF_ONE))
        if len(set(call_ids)) > MOST:
            text = _("At most {n} at once: ask for less, or use 'hotline recordings export'.")
            raise Refusal(text.format(n=f"{MOST:,}"), status=422)
        self._ordering[who.user_id] += 1
        try:
            return await self._ordered(who, call_ids, reason, words)
        finally:
            self._ordering[who.user_id] -= 1

    async def _ordered(self, who: Who, call_ids: Sequence[str], reason: hearing.Reason, words: str) -> Export:
        taken = await taking.take(self._site, who, call_ids, reason, words)
        order = Order(
            str(uuid7()), who.user_id, who.name, self._site.now(), str(taken.about["why"]),
            str(taken.about["access_log_batch"]), list(taken.items),
        )  # fmt: skip
        try:
            await asyncio.to_thread(self._shelf.put, order)
        except OSError as error:
            raise Refusal(_no_room(error), status=503) from None
        made = self._all[order.export_id] = Export(order)
        finished = await self._finished(made)
        if any(finished.get(item.key) != item.sha256 for item in order.items):
            # An erasure may have looked for exports before this one was there; the names in it hold numbers.
            await self._removed(made)
            raise Refusal(_("Recordings of it were deleted in this moment: order it anew."))
        self._changed()
        return made

    def of(self, who: Who) -> list[Export]:
        """This person's exports, the newest first. Raises NotPermitted."""
        who.must(Verb.RECORDING_EXPORT)
        mine = [one for one in self._all.values() if one.order.user_id == who.user_id]
        return sorted(mine, key=lambda one: one.order.made_at, reverse=True)

    def one(self, who: Who, export_id: str) -> Export:
        """One of this person's. Raises LookupError, NotPermitted."""
        who.must(Verb.RECORDING_EXPORT)
        found = self._all.get(export_id)
        if found is None or found.order.user_id != who.user_id:
            raise LookupError(export_id)
        return found

    async def stop(self, who: Who, export_id: str) -> None:
        """Go no further with it. Raises LookupError, NotPermitted, Refusal."""
        export = self.one(who, export_id)
        if export.state is None:
            await self._set(export, State("stopped", self._site.now()))

    async def go_on(self, who: Who, export_id: str) -> None:
        """Go on with one that was stopped. Raises LookupError, NotPermitted, Refusal."""
        export = self.one(who, export_id)
        if export.state is not None and export.state.how != "ready":
            await self._set(export, None)

    async def remove(self, who: Who, export_id: str) -> None:
        """Take it away. Raises LookupError, NotPermitted."""
        await self._removed(self.one(who, export_id))

    def address(self, who: Who, export_id: str) -> hearing.Address:
        """Where it can be downloaded by this session for a while. Raises LookupError, NotPermitted, Refusal."""
        export = self._ready(self.one(who, export_id))
        until = self._site.now() + VALID_FOR * 1_000_000
        grant = Grant(export.export_id, "call", who.user_id, who.key, until)
        return hearing.Address(sign(self._secret(), grant), until, "/quality/exports/file")

    async def at_address(self, who: Who, token: str, header: str | None, same_as: str | None) -> Part:
        """What an address opens; see :meth:`part`. Raises LookupError for one that opens nothing any more."""
        who.must(Verb.RECORDING_EXPORT)
        try:
            grant = opens(self._secret(), token, who.key, self._site.now())
        except NotSigned:
            raise LookupError(token[:20]) from None
        return await self.part(who, grant.call_id, header, same_as)

    async def part(self, who: Who, export_id: str, header: str | None, same_as: str | None) -> Part:
        """The bytes that a Range header asks for; ``same_as`` is its If-Range. Raises LookupError, NotPermitted,
        NoSuchRange, Refusal."""
        export = self._ready(self.one(who, export_id))
        await self._still_there(export)
        bundle = await self._bundle(export)
        if same_as is not None and same_as != f'"{bundle.tag}"':
            header = None
        try:
            asked = range_of(header, bundle.size)
        except ValueError:
            raise NoSuchRange(bundle.size) from None
        first, end = asked or (0, bundle.size)
        return Part(bundle, self.name(export), first, end, asked is None, self._pieces(export, bundle, first, end))

    def name(self, export: Export) -> str:
        """The file's name: when it was ordered."""
        return f"recordings-{at(export.order.made_at, self._site.settings.hotline.zone):%Y%m%d-%H%M%S}.zip"

    def until(self, export: Export) -> int:
        """When it is taken away (µs); 0 while it is at work."""
        hours = self._site.settings.hotline.recording.export_hours
        return export.state.since + hours * 3_600_000_000 if export.state is not None else 0

    # --- the download

    def _ready(self, export: Export) -> Export:
        if export.standing != "ready":
            raise Refusal(_("The export is not ready yet."))
        return export

    async def _still_there(self, export: Export) -> None:
        """Whether all that was proved is still in the archive; else it is proved anew. Raises Refusal."""
        if not await asyncio.to_thread(self._shelf.there, export.export_id):
            self._all.pop(export.export_id, None)
            raise LookupError(export.export_id)
        finished = await self._finished(export)
        gone = [item for item in export.order.items
                if not export.proofs[item.key].fault and finished.get(item.key) != item.sha256]  # fmt: skip
        if gone:
            await self._anew(export)
            raise Refusal(_("Recordings of it were deleted since. It is being proved anew, without them."))

    async def _finished(self, export: Export) -> dict[Key, str]:
        calls = tuple(dict.fromkeys(item.call_id for item in export.order.items))
        rows = await asyncio.to_thread(keep_queries.exportable, self._site.store, Wanted(call_ids=calls))
        return {(row.call_id, row.category): row.sha256 for row in rows}

    async def _bundle(self, export: Export) -> Bundle:
        found = self._bundles.get(export.export_id)
        if found is None:
            zone = self._site.settings.hotline.zone
            found = await asyncio.to_thread(
                bundle_of, export.order.items, dict(export.proofs), zone, export.order.about(zone)
            )
            self._bundles[export.export_id] = found
            while len(self._bundles) > _KEPT:
                self._bundles.popitem(last=False)
        self._bundles.move_to_end(export.export_id)
        return found

    async def _pieces(self, export: Export, bundle: Bundle, first: int, end: int) -> AsyncIterator[bytes]:
        """The bytes. A recording that turns out damaged ends them: the browser sees that it has not got all."""
        held = b""  # a head goes out with what it is of, so that a recording that is gone is told before anything is
        for part in bundle.slices(first, end):
            if part.item is None:
                held += part.data
                continue
            try:
                playing = await self._playback.open(taking.archived_as(part.item), "stored")
                if playing.size != export.proofs[part.item.key].size:
                    raise NotPlayable("size")
                async for piece in self._playback.read(playing, part.first, part.end):
                    yield held + piece
                    held = b""
            except NotPlayable as fault:
                log.error("an export was broken off", call=part.item.call_id, why=str(fault))
                await self._anew(export)
                raise
        if held:
            yield held

    def _secret(self) -> bytes:
        return hashlib.sha256(_ABOUT + self._site.signing).digest()

    # --- the work

    async def _run(self) -> None:
        for order in await asyncio.to_thread(self._shelf.orders):
            proofs = await asyncio.to_thread(self._shelf.proofs, order.export_id)
            self._all[order.export_id] = Export(order, proofs, await asyncio.to_thread(
                self._shelf.state, order.export_id))  # fmt: skip
        self._changed()
        while True:
            try:
                await self._sweep()
                due = next((one for one in self._all.values() if one.state is None), None)
                if due is not None:
                    await self._work(due)
                    continue
            except (OSError, StoreError) as fault:
                log.error("an export waits", why=str(fault))
            except Exception:  # a fault of ours: it must end neither the others' exports nor what sweeps them
                log.exception("an export could not be proved")
            self._rung.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_EVERY):
                    await self._rung.wait()

    async def _work(self, export: Export) -> None:
        export.running = True
        try:
            finished = await self._finished(export)
            for item in export.order.items:
                if export.state is not None or export.export_id not in self._all:
                    return
                if item.key in export.proofs:
                    continue
                proof = await self._proved(item, finished)
                if export.export_id not in self._all:  # taken away meanwhile: nothing of it may come back
                    return
                await asyncio.to_thread(self._shelf.proved, export.export_id, item.key, proof)
                export.proofs[item.key] = proof
                self.tell()
            if export.state is None and export.export_id in self._all:
                state = State("ready", self._site.now())
                await asyncio.to_thread(self._shelf.set, export.export_id, state)
                export.state = state
        except OSError as error:
            log.error("an export was stopped", why=str(error))
            export.state = State("full", self._site.now())  # in memory: it may be all that can be written
        finally:
            export.running = False
            self.tell()

    async def _proved(self, item: Item, finished: dict[Key, str]) -> Proof:
        if finished.get(item.key) != item.sha256:
            return Proof(fault=_("deleted since"))
        site = self._site
        try:
            Folders(site.state_dir).finished(item.file)
            job = ProveJob(str(site.folders.archive), item.file, item.sha256, str(site.playback.keys))
            found = await self._lane.do(job, item.file)
        except ValueError:
            found = ProveResult(fault="gone")
        except WorkerLost:
            found = ProveResult(fault="unreadable")
        return Proof(found.size, found.crc, say_fault(found.fault).rstrip("。."))

    async def _anew(self, export: Export) -> None:
        """Prove it anew, as it is now."""
        self._bundles.pop(export.export_id, None)
        await asyncio.to_thread(self._shelf.anew, export.export_id)
        export.proofs, export.state = {}, None
        self._changed()

    async def _set(self, export: Export, state: State | None) -> None:
        try:
            await asyncio.to_thread(self._shelf.set, export.export_id, state)
        except OSError as error:
            raise Refusal(_no_room(error), status=503) from None
        export.state = state
        self._changed()

    async def _sweep(self) -> None:
        """Take away what was kept long enough, and what somebody else has taken away."""
        now = self._site.now()
        for export in list(self._all.values()):
            over = export.state is not None and now >= self.until(export)
            if over or not await asyncio.to_thread(self._shelf.there, export.export_id):
                await self._removed(export)

    async def _removed(self, export: Export) -> None:
        self._all.pop(export.export_id, None)
        self._bundles.pop(export.export_id, None)
        await asyncio.to_thread(self._shelf.remove, export.export_id)
        self._changed()

    def _changed(self) -> None:
        self._rung.set()
        self.tell()


def _no_room(error: OSError) -> str:
    return _("The export cannot be written down: {why}. Make room on the disk, then go on.").format(
        why=error.strerror or error
    )
