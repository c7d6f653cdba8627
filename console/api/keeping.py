"""Keeping, for programs: the access log and its proof, holds, deletion, and one caller's data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from console import access_log, caller, holding, purging, sounding
from console.access_log import MOST, PAGE
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom
from console.sheets import DESCRIBED, long_sheet
from console.site import Refusal
from console.sounding import UNKEPT, attachment
from console.works import Work
from recordings.manifest import Summary
from recordings.purge import Purged

room = ApiRoom("keeping")

Text = Annotated[str, Query(max_length=200)]
Why = Annotated[str, Field(max_length=200, min_length=1, pattern=r"\S")]
Number = Annotated[str, Field(max_length=caller.LONGEST, min_length=1)]
Place = Annotated[int | None, Query(ge=0, le=2**62)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


class Entry(BaseModel):
    """An entry of the access log: ``n`` counts them, ``at`` is in µs since 1970 UTC, ``seq`` its place in the journal.
    How ``digest`` is computed stands in docs/recordings.md."""

    n: int
    seq: int
    at: int
    who: str
    role: str
    verb: str
    call_id: str
    category: str
    party_id: str
    why: str
    address: str
    batch: str
    previous: str
    digest: str


class Entries(BaseModel):
    """One page, the newest first. The next one: ``below`` the last ``seq`` of this one."""

    entries: list[Entry]
    older: bool
    newer: bool


class Wrong(BaseModel):
    """What is wrong with the log: at entry ``n``, in event ``seq`` of the journal (0: behind its end)."""

    n: int
    seq: int
    text: str


class Proof(BaseModel):
    """The log computed anew: how many entries, the last one, how many that stand elsewhere were compared, and what is
    wrong (the first of ``many``)."""

    at: int
    by: str
    whole: bool
    entries: int
    last: str
    anchors: int
    faults: list[Wrong]
    many: int


class ToProve(BaseModel):
    """``anchor``: an entry kept elsewhere, as ``N:DIGEST``; empty for none."""

    anchor: Annotated[str, Field(max_length=100)] = ""


class HoldOnCall(BaseModel):
    """A hold. Times are µs since 1970 UTC, 0 for not lifted; the reason is empty where it was erased."""

    call_id: str
    hold_id: str
    set_by: str
    set_at: int
    reason: str
    lifted_by: str
    lifted_at: int


class Holds(BaseModel):
    """One page, the newest first."""

    holds: list[HoldOnCall]
    older: bool


class Group(BaseModel):
    """Recordings that go by one rule; ``size`` in bytes."""

    category: str
    kind: str
    days: int
    recordings: int
    size: int


class Left(BaseModel):
    """A file that is left, and why (odd, no_folder)."""

    file: str
    why: str


class Plan(BaseModel):
    """What would go as of ``at`` (µs): ``recordings`` of ``of``, ``size`` bytes. ``held`` would be over but for a hold.
    ``too_many``: more than ``most`` per cent of all, which is only done with ``everything``."""

    at: int
    recordings: int
    of: int
    size: int
    held: int
    odd: list[Left]
    most: int
    too_many: bool
    groups: list[Group]


class ToPurge(BaseModel):
    """``at`` and ``recordings`` of the plan that was looked at, not more than an hour ago."""

    at: Annotated[int, Field(ge=0, le=2**62)]
    recordings: Annotated[int, Field(ge=0, le=2**62)]
    why: Why
    everything: bool = False


class Gone(BaseModel):
    """A purge or an erasure of earlier, by its manifest. Times are µs since 1970 UTC."""

    name: str
    what: str
    made_at: int
    by: str
    why: str
    recordings: int
    size: int
    calls: int
    left: int
    finished: bool
    sha256: str


class Manifests(BaseModel):
    """One page, the newest first."""

    manifests: list[Gone]
    older: bool


class Person(BaseModel):
    """A caller's number, whole."""

    number: Number


class ToExport(Person):
    """Whose data, and why."""

    why: Why


class ToErase(ToExport):
    """The number is written twice."""

    again: Number


class Kept(BaseModel):
    """What is kept about a number: calls, recordings and bytes that could go, and calls that must stay, with why."""

    number: str
    calls: int
    going: int
    recordings: int
    size: int
    left: dict[str, str]
    many_left: int
    refused: int
    waiting: bool


class Parcel(BaseModel):
    """A zip that can be fetched at ``path`` until ``until`` (µs), with this token alone."""

    path: str
    until: int
    name: str
    size: int
    calls: int
    recordings: int
    missing: dict[str, str]


class Deleted(BaseModel):
    """What a purge did. ``left``: held meanwhile; ``failed``: files that could not be deleted, and why."""

    recordings: int
    freed: int
    left: int
    manifest: str
    failed: list[tuple[str, str]]


class Erased(BaseModel):
    """What an erasure did; ``left``: calls that stay whole, and why."""

    calls: int
    recordings: int
    freed: int
    manifest: str
    left: dict[str, str]
    remains: list[str]
    failed: list[tuple[str, str]]


class Progress(BaseModel):
    """A long work: ask again until ``state`` is not running. Times are µs since 1970 UTC."""

    work_id: str
    kind: Literal["verify", "purge", "erase", "export"]
    state: Literal["running", "done", "failed"]
    done: int
    of: int
    began: int
    ended: int
    fault: str
    proof: Proof | None = None
    deleted: Deleted | None = None
    erased: Erased | None = None
    parcel: Parcel | None = None


def _bytes(media_type: str) -> dict[int | str, dict[str, Any]]:
    """A file, in the description for programs."""
    kind = "object" if media_type == "application/json" else "string"
    return {200: {"description": "The file.", "content": {media_type: {"schema": {"type": kind}}}}}


@room.read("/access", Verb.ACCESS_READ)
async def access(
    ask: Asked, who: Text = "", verb: Text = "", call: Text = "", since: Text = "", until: Text = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE, below: Place = None, above: Place = None,
) -> Entries:  # fmt: skip
    """Who heard, took or erased what."""
    fields = {"who": who, "verb": verb, "call": call, "since": since, "until": until}
    page = await access_log.accesses(ask.site, ask.who, fields, limit=limit, below=below, above=above)
    for name, why in page.faults.items():
        raise Refusal(f"{name}: {why}", status=422)
    return Entries(
        entries=[
            Entry(seq=row.seq, at=row.at, **{name: getattr(row.entry, name) for name in row.entry.__struct_fields__})
            for row in page.rows
        ],
        older=page.older, newer=page.newer,
    )  # fmt: skip


@room.read("/access/export.csv", Verb.ACCESS_READ, response_class=Response, responses=DESCRIBED)
async def access_sheet(
    ask: Asked, who: Text = "", verb: Text = "", call: Text = "", since: Text = "", until: Text = ""
) -> Response:
    """All of them as CSV; that it was taken is an entry too."""
    fields = {"who": who, "verb": verb, "call": call, "since": since, "until": until}
    return long_sheet("access-log.csv", await access_log.taken_along(ask.site, ask.who, fields))


@room.do("POST", "/access/proofs", Verb.ACCESS_READ, status_code=202)
async def prove(ask: Asked, wanted: ToProve) -> Progress:
    """Compute the whole chain anew."""
    known = access_log.known_anchor(wanted.anchor)
    return _progress(ask.office.works.begin("verify", ask.who, lambda work: ask.office.proofs.prove(work.by, known)))


@room.read("/access/proofs/last", Verb.ACCESS_READ)
async def last_proof(ask: Asked) -> Proof:
    """What was found last; 404 while it was not asked since the console was opened."""
    if ask.office.proofs.last is None:
        raise LookupError("no proof")
    return _proof(ask.office.proofs.last)


@room.read("/holds", Verb.HOLD_READ)
async def holds(ask: Asked, lifted: bool = False, page: PageNumber = 1) -> Holds:
    """The holds in force, with ``lifted`` also those that are over. One is set and lifted at /calls/{call_id}/holds."""
    found = await holding.holds(ask.site, ask.who, lifted=lifted, page=page)
    return Holds(older=found.older, holds=[
        HoldOnCall(call_id=row.call_id, hold_id=row.hold_id, set_by=row.set_by, set_at=row.set_at,
                   reason=holding.reason_of(row, ask.who), lifted_by=row.lifted_by, lifted_at=row.lifted_at)
        for row in found.rows
    ])  # fmt: skip


@room.read("/purges/plan", Verb.PURGE_READ)
async def plan(ask: Asked) -> Plan:
    """What would go now: nothing is deleted."""
    made = await purging.planned(ask.site, ask.who)
    return Plan(
        at=made.at, recordings=made.n, of=made.of, size=made.size, held=made.held, most=made.most,
        too_many=made.too_many, odd=[Left(file=file, why=why) for file, why in made.odd],
        groups=[Group(category=one.category, kind=one.kind, days=one.days, recordings=one.n, size=one.size)
                for one in made.groups],
    )  # fmt: skip


@room.do("POST", "/purges", Verb.PURGE_RUN, status_code=202)
async def purge(ask: Asked, wanted: ToPurge) -> Progress:
    """Delete what the plan has shown, and no more than that. 409 while another purge or erasure goes on."""
    return _progress(await purging.purge(
        ask.office, ask.who, at=wanted.at, expected=wanted.recordings, why=wanted.why, everything=wanted.everything
    ))  # fmt: skip


@room.read("/purges", Verb.PURGE_READ)
async def purges(ask: Asked, page: PageNumber = 1) -> Manifests:
    """Earlier purges and erasures."""
    found = await purging.past(ask.site, ask.who, page)
    return Manifests(manifests=[_gone(row) for row in found.rows], older=found.older)


@room.read("/purges/{name}", Verb.PURGE_READ, response_class=Response, responses={200: {
    "description": "The manifest.", "content": {"application/json": {"schema": {"type": "object"}}},
}})  # fmt: skip
async def manifest(ask: Asked, name: str) -> Response:
    """One manifest whole, as it was written."""
    data = await purging.manifest(ask.site, ask.who, name)
    return Response(data, headers={"Content-Disposition": attachment(name)} | UNKEPT, media_type="application/json")


@room.do("POST", "/persons/look", Verb.PERSON_EXPORT)
async def look(ask: Asked, wanted: Person) -> Kept:
    """What is kept about a number, and what an erasure would have to leave."""
    found = await caller.look(ask.site, ask.who, wanted.number)
    return Kept(
        number=found.number, calls=found.calls, going=found.going, recordings=found.recordings, size=found.size,
        left=dict(found.left), many_left=found.many_left, refused=found.refused, waiting=found.waiting,
    )  # fmt: skip


@room.do("POST", "/persons/exports", Verb.PERSON_EXPORT, status_code=202)
async def export(ask: Asked, wanted: ToExport) -> Progress:
    """Pack everything about a number."""
    return _progress(await caller.export(ask.office, ask.who, wanted.number, wanted.why))


@room.do("POST", "/persons/erasures", Verb.PERSON_ERASE, status_code=202)
async def erase(ask: Asked, wanted: ToErase) -> Progress:
    """Erase what is kept about a number. 409 while another purge or erasure goes on."""
    return _progress(await caller.erase(ask.office, ask.who, wanted.number, wanted.again, wanted.why))


@room.read("/parcels/{token}", Verb.PERSON_EXPORT, response_class=Response, responses=_bytes("application/zip"))
async def parcel(ask: Asked, token: str) -> Response:
    """The packed export."""
    return await sounding.parcel(ask, token)


@room.read("/works/{work_id}", Verb.HOLD_READ)
async def work(ask: Asked, work_id: str) -> Progress:
    """How far a work of one's own is, and what came of it."""
    return _progress(ask.office.works.get(ask.who, work_id))


def _progress(work: Work) -> Progress:
    told = Progress(
        work_id=work.work_id, kind=work.kind, state=work.state, done=work.done, of=work.of, began=work.began,
        ended=work.ended, fault=work.fault,
    )  # fmt: skip
    match work.result:
        case access_log.Proved() as proved:
            told.proof = _proof(proved)
        case Purged() as done:
            name = done.manifest.name if done.manifest is not None else ""
            told.deleted = Deleted(recordings=done.gone, freed=done.freed, left=done.left, manifest=name,
                                   failed=done.failed)  # fmt: skip
        case caller.Erasure() as done:
            told.erased = Erased(
                calls=done.calls, recordings=done.recordings, freed=done.freed, manifest=done.manifest,
                left=dict(done.left), remains=list(done.remains), failed=list(done.failed),
            )  # fmt: skip
        case caller.Packed() as packed:
            told.parcel = Parcel(
                path=f"/api/v1/parcels/{packed.token}", until=packed.until, name=packed.name, size=packed.size,
                calls=packed.calls, recordings=packed.recordings, missing=packed.missing,
            )  # fmt: skip
    return told


def _proof(proved: access_log.Proved) -> Proof:
    found = proved.proof
    return Proof(
        at=proved.at, by=proved.by, whole=not found.many, entries=found.entries,
        last=f"{found.last.n}:{found.last.digest}", anchors=found.anchors, many=found.many,
        faults=[Wrong(n=one.n, seq=one.seq, text=one.text) for one in found.faults],
    )  # fmt: skip


def _gone(row: Summary) -> Gone:
    return Gone(
        name=row.name, what=row.what, made_at=row.made_at, by=row.by, why=row.why, recordings=row.recordings,
        size=row.size, calls=row.calls, left=row.left, finished=row.finished, sha256=row.sha256,
    )  # fmt: skip
