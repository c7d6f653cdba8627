"""The access log, for those who watch: who heard, took or erased what, when, why and from where; and its proof."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from calllog.access import Access, Anchor, anchor_of
from calllog.access_queries import AccessRow, list_accesses
from config.catalogue import _, language
from console import hearing
from console.finding import question_of
from console.permits import Verb, Who
from console.render import moment
from console.site import Refusal, Site
from recordings import worker
from recordings.access_proof import Proof, ProofJob
from recordings.lane import Lane

PAGE = 50
"""Entries on one page."""
MOST = 200
"""Entries that a program may ask for at once."""
PIECE = 1_000
"""Entries that an export reads at a time."""
FIELDS = ("who", "verb", "call", "since", "until")
TIMEOUT = 600.0
"""Seconds for the proof of a very long log."""
IDLE = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first; ``given`` are the fields, ``faults`` why one was not understood."""

    rows: tuple[AccessRow, ...] = ()
    older: bool = False
    newer: bool = False
    given: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proved:
    """What the last proof found, when (µs) and for whom."""

    proof: Proof
    at: int
    by: str


class Proofs:
    """The worker that proves the log, and what it found last."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lane: Lane[ProofJob, Proof] = Lane(worker.prove_access, TIMEOUT, idle=IDLE)
        self.last: Proved | None = None

    async def prove(self, by: str, known: tuple[Anchor, ...] = ()) -> Proved:
        """Compute every digest anew. Raises StoreError, recordings.lane.WorkerLost."""
        site = self._site
        job = ProofJob(str(site.store), str(site.state_dir), language(), known)
        proof = await self._lane.do(job, "the access log")
        self.last = Proved(proof, site.now(), by)
        return self.last

    def close(self) -> None:
        """End the worker."""
        self._lane.kill()


def known_anchor(text: str) -> tuple[Anchor, ...]:
    """What somebody has kept elsewhere; nothing where nothing is given. Raises Refusal."""
    try:
        return (anchor_of(text, _("the anchor given")),) if text.strip() else ()
    except ValueError as error:
        raise Refusal(str(error), status=422) from None


async def accesses(
    site: Site, who: Who, fields: Mapping[str, str], *, limit: int = PAGE, below: int | None = None,
    above: int | None = None,
) -> Page:  # fmt: skip
    """One page; ``below`` (older than) and ``above`` (newer than) are places in the journal. Raises NotPermitted,
    StoreError."""
    who.must(Verb.ACCESS_READ)
    given, faults, wanted = _wanted(site, fields)
    if faults:
        return Page(given=given, faults=faults)
    rows = await list_accesses(site.store, limit=limit + 1, below=below, above=above, **wanted)
    more = len(rows) > limit
    if above is not None and below is None:
        return Page(tuple(rows[-limit:]), True, more, given)
    rows = rows[:limit]
    newest = rows[0].seq if rows else below
    newer = below is not None and newest is not None and bool(
        await list_accesses(site.store, limit=1, above=newest, **wanted)
    )
    return Page(tuple(rows), more, newer, given)


async def taken_along(site: Site, who: Who, fields: Mapping[str, str]) -> AsyncIterator[Mapping[str, object]]:
    """Every entry that is wanted, the newest first, as a line of a sheet, once the log says who takes it. Raises
    NotPermitted, Refusal, StoreError."""
    who.must(Verb.ACCESS_READ)
    given, faults, wanted = _wanted(site, fields)
    for name, fault in faults.items():
        raise Refusal(f"{name}: {fault}", status=422)
    why = "; ".join(f"{name}={text}" for name, text in given.items())
    await site.access.note([
        Access(who.name, "access.export", why, role=hearing.roles(who), address=who.address)
    ])  # fmt: skip
    return _all(site, wanted)


async def _all(site: Site, wanted: _Wanted) -> AsyncIterator[Mapping[str, object]]:
    below: int | None = None
    while True:
        rows = await list_accesses(site.store, limit=PIECE, below=below, **wanted)
        for row in rows:
            yield _line(row, site)
        if len(rows) < PIECE:
            return
        below = rows[-1].seq


def _line(row: AccessRow, site: Site) -> dict[str, object]:
    entry = row.entry
    return {
        "n": entry.n, "time": moment(row.at, site.settings.hotline.zone), "who": entry.who, "role": entry.role,
        "verb": entry.verb, "call_id": entry.call_id, "category": entry.category, "party_id": entry.party_id,
        "why": entry.why, "address": entry.address, "batch": entry.batch, "at": row.at, "previous": entry.previous,
        "digest": entry.digest,
    }  # fmt: skip


class _Wanted(TypedDict):
    since: int | None
    until: int | None
    who: str | None
    verb: str | None
    call_id: str | None


def _wanted(site: Site, fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str], _Wanted]:
    """The fields without empty ones, what is wrong with them, and what they ask."""
    given = {name: text for name in FIELDS if (text := fields.get(name, "").strip())}
    question = question_of({name: given.get(name, "") for name in ("since", "until")}, site.settings, site.wall())
    wanted: _Wanted = {
        "since": question.wanted.since, "until": question.wanted.until, "who": given.get("who"),
        "verb": given.get("verb"), "call_id": call_id_of(site, given["call"]) if "call" in given else None,
    }  # fmt: skip
    return given, dict(question.faults), wanted


def call_id_of(site: Site, text: str) -> str:
    """A call's whole id, where Asterisk's name in front of it was left out."""
    name = f"{site.settings.hotline.asterisk.systemname}-"
    text = text.strip()
    return text if text.startswith(name) or not text[:1].isdigit() else name + text
