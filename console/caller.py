"""Everything about one caller, for that caller, or gone: from a page. The command does the same by the same rooms."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calllog import keep_queries
from calllog.access import Access
from calllog.erasing import Person
from calllog.folds import CallState
from config.catalogue import _
from config.masking import shown
from console import hearing, person
from console.book import Book
from console.export_shelf import Shelf
from console.holding import stated
from console.office import Office
from console.permits import Verb, Who
from console.purging import alone, moment
from console.site import Refusal, Site
from console.stored_reader import opener
from console.works import Work
from phone.numbers import e164
from recordings import erasing
from recordings.erasing import ErasedReport, ErasePlan, Left
from recordings.export import Exported

LONGEST = 40
"""Characters of a number as somebody writes it."""
NAMED = 100
"""Calls that are named one by one."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is kept about a number. ``number`` as whoever asks may see it; ``calls`` in all, of which ``going`` could be
    erased, and ``left`` not (the first of ``many_left``); ``refused``: calls of which the store took nothing."""

    number: str
    calls: int
    going: int
    recordings: int
    size: int
    left: dict[str, Left]
    many_left: int
    refused: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class Packed:
    """An export that can be fetched. ``missing``: recordings that are not in it, and why."""

    token: str
    until: int
    name: str
    size: int
    calls: int
    recordings: int
    missing: dict[str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did. ``left``: calls that stay whole, and why; ``remains``: files of the state folder in which
    the number still stands; ``failed``: (file, why) that could not be deleted."""

    calls: int
    recordings: int
    freed: int
    manifest: str
    left: dict[str, Left]
    remains: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


async def look(site: Site, who: Who, number: str) -> Looked:
    """What there is. Raises NotPermitted, LookupError (nobody), Refusal, StoreError."""
    who.must(Verb.PERSON_EXPORT)
    made = await _plan(site, number)
    left = dict(list(made.left.items())[:NAMED])
    return Looked(
        _shown(site, who, number), len(made.calls) + len(made.left), len(made.calls), len(made.recordings), made.size,
        left, len(made.left), len(made.refused), made.waiting,
    )  # fmt: skip


async def export(office: Office, who: Who, number: str, why: str) -> Work:
    """Begin to pack everything about this number, once the access log says for whom and why. Raises NotPermitted,
    LookupError (nobody), Refusal, StoreError (then nothing is packed)."""
    who.must(Verb.PERSON_EXPORT)
    site, reason = office.site, stated(why)
    made = await _plan(site, number)
    people, call_ids = (*made.people, *made.kept), [*made.calls, *made.left]
    if not people:
        raise LookupError("nobody")
    alone(office, "erase")
    await site.access.note(_entries(who, "person.export", reason, people))

    async def course(work: Work) -> Packed:
        return await _packed(office, who, people, call_ids, reason, work)

    alone(office, "erase")
    return office.works.begin("export", who, course)


async def erase(office: Office, who: Who, number: str, again: str, why: str) -> Work:
    """Begin to erase what is kept about this number, which is written twice. Raises NotPermitted, LookupError (nobody),
    Refusal."""
    who.must(Verb.PERSON_ERASE)
    site, reason, country = office.site, stated(why), office.site.settings.hotline.country
    if not again.strip() or (e164(again, country) or again.strip()) != (e164(number, country) or number.strip()):
        raise Refusal(_("The number written to confirm is another one: nothing was erased."), status=422)
    await _plan(site, number)

    async def course(work: Work) -> Erasure:
        return await _erased(office, who, number, reason, work)

    alone(office, "purge", "erase", "export")
    return office.works.begin("erase", who, course)


# --- the work ---------------------------------------------------------------------------------------------------------


async def _packed(
    office: Office, who: Who, people: Sequence[Person], call_ids: Sequence[str], why: str, work: Work
) -> Packed:
    site, loop = office.site, asyncio.get_running_loop()
    settings = site.settings
    erased = await asyncio.to_thread(keep_queries.erased_among, site.store, call_ids)  # a held call keeps its caller
    details = await person.details(site.store, call_ids)
    items = await asyncio.to_thread(person.items_of, site.store, details, settings)
    folder = await asyncio.to_thread(office.parcels.new, call_ids)
    name = f"person-{site.wall().astimezone(settings.hotline.zone):%Y%m%d-%H%M}.zip"
    try:
        done = await asyncio.to_thread(
            person.write, people, details, items, settings, site.state_dir, folder / "copy",
            opener(site, items, loop), {"why": why, "by": who.name}, work.progress,
        )  # fmt: skip
        await asyncio.to_thread(person.pack, folder / "copy", folder / name)
        size = (folder / name).stat().st_size
        if await asyncio.to_thread(keep_queries.erased_among, site.store, call_ids) != erased:
            raise Refusal(_("The caller was erased meanwhile: what was packed is deleted."))
    except BaseException:
        office.parcels.remove(folder)
        raise
    parcel = office.parcels.offer(who, folder / name, name, "application/zip", frozenset(call_ids))
    return Packed(parcel.token, parcel.until, name, size, len(details), done.written + done.kept, _missing(done))


def _missing(done: Exported) -> dict[str, str]:
    return {call_id: why for (call_id, _category), why in list(done.faults.items())[:NAMED]}


async def _erased(office: Office, who: Who, number: str, why: str, work: Work) -> Erasure:
    site, loop = office.site, asyncio.get_running_loop()
    made = await _plan(site, number)  # anew: somebody may have called since
    people = (*made.people, *made.kept)
    await site.access.note(_entries(who, "person.erase", why, people))

    def forget(call_ids: list[str]) -> None:
        Shelf(site.state_dir).forget(call_ids)
        for call_id in call_ids:
            office.drafts.forget(call_id)
        loop.call_soon_threadsafe(office.parcels.forget, frozenset(call_ids))

    done = await erasing.erase(
        site.store, site.folders, made, moment(site), site.ledger(who.name), by=who.name, why=why, also=forget,
        progress=work.progress,
    )  # fmt: skip
    await asyncio.to_thread(_forget_filters, site, number)
    return _told(done, site.state_dir)


def _forget_filters(site: Site, number: str) -> None:
    """By a connection of its own: the console may have been closed meanwhile."""
    book = Book(site.state_dir)
    try:
        person.forget_filters(book, number, site.settings.hotline.country)
    finally:
        book.close()


def _told(done: ErasedReport, state_dir: Path) -> Erasure:
    counted = Counter(call_id in done.left for call_id in done.plan.calls)
    return Erasure(
        counted[False] + len(done.plan.refused), sum(one.call_id not in done.left for one in done.plan.recordings),
        done.freed, done.manifest.name if done.manifest is not None else "", dict(list(done.left.items())[:NAMED]),
        tuple(str(path.relative_to(state_dir)) for path in done.remains[:NAMED]), tuple(done.failed[:NAMED]),
    )  # fmt: skip


def _entries(who: Who, verb: str, why: str, people: Sequence[Person]) -> list[Access]:
    ids = [one.party_id for one in people] or [""]
    return [Access(who.name, verb, why, role=hearing.roles(who), party_id=one, address=who.address) for one in ids]


async def _plan(site: Site, number: str) -> ErasePlan:
    """What an erasure would take. Raises LookupError where nobody has this number, Refusal, StoreError."""
    written = number.strip()
    if not written or len(written) > LONGEST or not any(char.isdigit() for char in written):
        raise Refusal(_("Write the whole number, as dialled, or with + and country."), status=422)

    async def calls(call_ids: list[str]) -> list[CallState]:
        return [one.state for one in await person.details(site.store, call_ids)]

    made = await erasing.plan(
        site.store, site.folders, e164(written, site.settings.hotline.country), written, calls
    )
    if made.nobody:
        raise LookupError("nobody")
    return made


def _shown(site: Site, who: Who, number: str) -> str:
    country = site.settings.hotline.country
    return shown(e164(number, country) or number.strip(), country, whole=who.may(Verb.NUMBER_SEE))
