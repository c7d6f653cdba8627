"""The room of keeping: who heard and took what, what must stay, what goes by its time, and one caller's data."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Form, Query, Request
from starlette.responses import Response

from calllog.keep_words import VERBS, rule_word, verb_word
from calllog.wording import category_word
from config.catalogue import _
from console import access_log, caller, hearing, holding, purging, sounding, taking
from console.access_log import FIELDS
from console.ask import Ask, Asked
from console.called import Called
from console.keeping_words import left_word, odd_word
from console.permits import Verb
from console.rooms import Room
from console.sheets import long_sheet
from console.site import Refusal
from console.sounding import UNKEPT, attachment
from console.works import Work
from recordings.retention import keep_of

room = Room("keeping", title=lambda: _("Keeping"), path="/keeping", verb=Verb.HOLD_READ, order=60)

Text = Annotated[str, Form(max_length=1000)]
Place = Annotated[int | None, Query(ge=0, le=2**62)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


def tabs(ask: Ask) -> list[tuple[str, str, str]]:
    """The room's parts that this person may enter: name, path, title."""
    parts = [
        (Verb.ACCESS_READ, "access", "/keeping/access", _("Access log")),
        (Verb.HOLD_READ, "holds", "/keeping/holds", _("Holds")),
        (Verb.PURGE_READ, "purge", "/keeping/purge", _("Deletion")),
        (Verb.PERSON_EXPORT, "person", "/keeping/person", _("One caller")),
    ]
    return [(name, path, title) for verb, name, path, title in parts if ask.may(verb)]


@room.page("/keeping", Verb.HOLD_READ)
async def first(ask: Asked) -> Response:
    """The first part that this person may enter."""
    return ask.go(tabs(ask)[0][1])


# --- who heard and took what ------------------------------------------------------------------------------------------


@room.page("/keeping/access", Verb.ACCESS_READ)
async def access(ask: Asked, request: Request, below: Place = None, above: Place = None) -> Response:
    """The access log, and whether it is whole."""
    fields, sought, wrong = await _sought(ask, request)
    page = await access_log.accesses(ask.site, ask.who, sought, below=below, above=above)
    if wrong:
        page = replace(page, rows=(), older=False, newer=False, faults={**page.faults, "who": wrong})
    return await ask.page(
        "keeping_access.html", tabs=tabs(ask), here="access", page=page, fields=fields,
        query=urlencode({name: fields[name] for name in page.given}),
        verbs=[(verb, verb_word(verb)) for verb in VERBS], word=verb_word, proved=ask.office.proofs.last,
        proving=ask.office.works.running("verify"), category_word=category_word, quote=quote,
        reason_word=hearing.reason_word,
    )  # fmt: skip


@room.page("/keeping/access/export.csv", Verb.ACCESS_READ)
async def access_sheet(ask: Asked, request: Request) -> Response:
    """The entries as a file for a sheet; that it was taken is an entry too."""
    _fields, sought, wrong = await _sought(ask, request)
    if wrong:
        raise Refusal(wrong, status=422)
    return long_sheet("access-log.csv", await access_log.taken_along(ask.site, ask.who, sought))


async def _sought(ask: Ask, request: Request) -> tuple[dict[str, str], dict[str, str], str]:
    """The fields as they were written; as the log is asked, with the name in it of whoever is meant; and what is wrong
    with that name."""
    fields = {name: request.query_params.get(name, "")[:200] for name in FIELDS}
    try:
        return fields, fields | {"who": await ask.thread(Called(ask.office).sought, fields["who"])}, ""
    except Refusal as refusal:
        return fields, fields, str(refusal)


@room.act("/keeping/access/verify", Verb.ACCESS_READ)
async def verify(ask: Asked, anchor: Text = "") -> Response:
    """Compute the whole chain anew."""
    try:
        known = access_log.known_anchor(anchor)
        running = ask.office.works.running("verify")
        if running is None:
            ask.office.works.begin("verify", ask.who, lambda work: ask.office.proofs.prove(work.by, known))
    except Refusal as refusal:
        return ask.go("/keeping/access", said=str(refusal), bad=True)
    return ask.go("/keeping/access")


@room.page("/keeping/access/proof", Verb.ACCESS_READ)
async def proof(ask: Asked) -> Response:
    """What the last proof found, while it is waited for."""
    return await ask.page("_proof.html", proved=ask.office.proofs.last, proving=ask.office.works.running("verify"))


# --- what must stay ---------------------------------------------------------------------------------------------------


@room.page("/keeping/holds", Verb.HOLD_READ)
async def holds(
    ask: Asked, lifted: Annotated[bool, Query()] = False, page: PageNumber = 1,
    call: Annotated[str, Query(max_length=200)] = "",
) -> Response:  # fmt: skip
    """The holds in force; one is set on a call by its id."""
    return await _holds(ask, lifted=lifted, page=page, call=call)


@room.act("/keeping/holds", Verb.HOLD_SET)
async def hold(ask: Asked, call: Text = "", why: Text = "") -> Response:
    """Nothing of this call is deleted from now on."""
    try:
        await taking.hold(ask.site, ask.who, access_log.call_id_of(ask.site, call), why)
    except LookupError:
        wrong = _("There is no call {call}. Look for it in the call log: its page has its id, and leads back here.")
        return await _holds(ask, call=call, why=why, wrong=wrong.format(call=call[:60]), status=404)
    except Refusal as refusal:
        return await _holds(ask, call=call, why=why, wrong=str(refusal), status=refusal.status)
    return ask.go("/keeping/holds", said=_("The call is held: nothing of it is deleted until the hold is lifted."))


async def _holds(
    ask: Ask, *, lifted: bool = False, page: int = 1, call: str = "", why: str = "", wrong: str = "", status: int = 200
) -> Response:
    found = await holding.holds(ask.site, ask.who, lifted=lifted, page=page)
    return await ask.page(
        "keeping_holds.html", status=status, tabs=tabs(ask), here="holds", found=found, lifted=lifted, call=call,
        why=why, wrong=wrong, quote=quote, reason_of=lambda row: holding.reason_of(row, ask.who),
    )  # fmt: skip


@room.act("/keeping/holds/lift", Verb.HOLD_SET)
async def lift(ask: Asked, call: Text = "", why: Text = "") -> Response:
    """The holds on this call are lifted."""
    try:
        await taking.release(ask.site, ask.who, call, why)
    except Refusal as refusal:
        return ask.go("/keeping/holds", said=str(refusal), bad=True)
    return ask.go("/keeping/holds", said=_("The hold is lifted."))


# --- what goes by its time --------------------------------------------------------------------------------------------


@room.page("/keeping/purge", Verb.PURGE_READ)
async def purge(ask: Asked, look: Annotated[bool, Query()] = False, page: PageNumber = 1) -> Response:
    """What would go, where it is looked at; what goes just now; and what went."""
    return await _purge(ask, look=look, page=page)


@room.act("/keeping/purge", Verb.PURGE_RUN)
async def purge_now(
    ask: Asked, at: Annotated[int, Form(ge=0, le=2**62)], expected: Annotated[int, Form(ge=0, le=2**62)],
    confirm: Text = "", why: Text = "", everything: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Delete what was looked at; its number is written once more."""
    try:
        if confirm.strip() != str(expected):
            raise Refusal(_("The number written to confirm is another one: nothing was deleted."), status=422)
        await purging.purge(ask.office, ask.who, at=at, expected=expected, why=why, everything=everything)
    except Refusal as refusal:
        return await _purge(ask, look=True, why=why, wrong=str(refusal), status=refusal.status)
    return ask.go("/keeping/purge")


async def _purge(
    ask: Ask, *, look: bool, page: int = 1, why: str = "", wrong: str = "", status: int = 200
) -> Response:
    return await ask.page(
        "keeping_purge.html", status=status, tabs=tabs(ask), here="purge", keep=keep_of(ask.site.settings), why=why,
        wrong=wrong, planned=await purging.planned(ask.site, ask.who) if look else None,
        past=await purging.past(ask.site, ask.who, page), work=ask.office.works.last(ask.who, "purge"),
        other=ask.office.works.running("purge", "erase"), category_word=category_word, rule=rule_word, odd=odd_word,
    )  # fmt: skip


@room.page("/keeping/manifests/{name}", Verb.PURGE_READ)
async def manifest(ask: Asked, name: str) -> Response:
    """What one purge or erasure took, whole."""
    data = await purging.manifest(ask.site, ask.who, name)
    return Response(data, headers={"Content-Disposition": attachment(name)} | UNKEPT, media_type="application/json")


# --- one caller -------------------------------------------------------------------------------------------------------


@room.page("/keeping/person", Verb.PERSON_EXPORT)
async def person(ask: Asked) -> Response:
    """Whose data, and what comes of the last work."""
    return await _person(ask)


@room.act("/keeping/person", Verb.PERSON_EXPORT)
async def person_look(ask: Asked, number: Text = "") -> Response:
    """What is kept about this number."""
    try:
        return await _person(ask, number, await caller.look(ask.site, ask.who, number))
    except LookupError:
        return await _person(ask, number, wrong=_("Nobody with this number has called."), status=404)
    except Refusal as refusal:
        return await _person(ask, number, wrong=str(refusal), status=refusal.status)


@room.act("/keeping/person/export", Verb.PERSON_EXPORT)
async def person_export(ask: Asked, number: Text = "", why: Text = "") -> Response:
    """Pack everything about this number."""
    try:
        await caller.export(ask.office, ask.who, number, why)
    except (LookupError, Refusal) as fault:
        return await _again(ask, number, fault, copy_why=why)
    return ask.go("/keeping/person")


@room.act("/keeping/person/erase", Verb.PERSON_ERASE)
async def person_erase(ask: Asked, number: Text = "", again: Text = "", why: Text = "") -> Response:
    """Erase what is kept about this number, which is written once more."""
    try:
        await caller.erase(ask.office, ask.who, number, again, why)
    except (LookupError, Refusal) as fault:
        return await _again(ask, number, fault, erase_why=why)
    return ask.go("/keeping/person")


@room.page("/keeping/parcels/{token}", Verb.PERSON_EXPORT)
async def parcel(ask: Asked, token: str) -> Response:
    """The packed export, for a while and in this session alone."""
    return await sounding.parcel(ask, token)


@room.page("/keeping/works/{work_id}", Verb.HOLD_READ)
async def work(ask: Asked, work_id: str) -> Response:
    """How far a work of one's own is; to htmx the part of the page alone."""
    found = ask.office.works.get(ask.who, work_id)
    # What went stands in a list below the work: once it has ended the page is asked for whole.
    if not ask.htmx or (found.kind == "purge" and found.ended):
        return ask.go("/keeping/purge" if found.kind == "purge" else "/keeping/person")
    return await ask.page("_work.html", **_about(found))


def _about(found: Work | None) -> dict[str, Any]:
    return {"work": found, "left_word": left_word, "quote": quote}


async def _person(
    ask: Ask, number: str = "", looked: caller.Looked | None = None, *, wrong: str = "", status: int = 200, **typed: str
) -> Response:
    return await ask.page(
        "keeping_person.html", status=status, tabs=tabs(ask), here="person", number=number, looked=looked, wrong=wrong,
        typed=typed, **_about(ask.office.works.last(ask.who, "export", "erase")),
    )  # fmt: skip


async def _again(ask: Ask, number: str, fault: Exception, **typed: str) -> Response:
    """The page once more, with what was wrong and what was typed."""
    if not isinstance(fault, Refusal):
        return await _person(ask, number, wrong=_("Nobody with this number has called."), status=404)
    try:
        looked = await caller.look(ask.site, ask.who, number)
    except (LookupError, Refusal):
        looked = None
    return await _person(ask, number, looked, wrong=str(fault), status=fault.status, **typed)
