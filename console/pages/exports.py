"""Exports: many recordings taken along. Ordered from lists and searches, proved in the background, downloaded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from calllog.search import find
from config.catalogue import _
from console import calls, grade_lists, hearing
from console.ask import Ask, Asked
from console.exports import MOST, Part
from console.pages.quality import tabs
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal
from console.sounding import UNKEPT, attachment, begun
from recordings.playback import NotPlayable

room = Room("exports", topics={"exports": Verb.RECORDING_EXPORT})

PATH = "/quality/exports"
NAMED = 20
"""Recordings named one by one that are not in an export; its manifest has all."""
Source = Literal["", "calls", "grades"]
LISTS = frozenset({"/calls", "/quality", "/quality/grades", "/quality/appeals", "/quality/exemplary"})
"""Pages on which recordings are ticked."""


@room.page(PATH, Verb.RECORDING_EXPORT)
async def listing(ask: Asked) -> Response:
    """One's own exports."""
    return await ask.page("exports.html", tabs=tabs(ask), here="exports", **_shown(ask))


@room.page(f"{PATH}/now", Verb.RECORDING_EXPORT)
async def now(ask: Asked) -> Response:
    """What changes of it."""
    return await ask.page("_exports.html", **_shown(ask))


@room.act(PATH, Verb.RECORDING_EXPORT, body=1 << 20)
async def order(
    ask: Asked, request: Request, call: Annotated[list[str] | None, Field(max_length=1000)] = None,
    which: Annotated[Source, Field()] = "",
    query: Annotated[str, Field(max_length=4000)] = "", reason: Annotated[hearing.Reason, Field()] = "",
    words: Annotated[str, Field(max_length=400)] = "",
) -> Response:  # fmt: skip
    """Order those that are ticked (``call``), or ``which`` list whole, as ``query`` finds it."""
    try:
        wanted = await found_by(ask, which, dict(parse_qsl(query))) if which else call or []
        await ask.office.exports.order(ask.who, wanted, reason, words)
    except Refusal as refusal:
        if not (back := _list_of(request)):
            raise
        filled = {"call": frozenset(call or ()), "reason": reason, "words": words}
        return ask.go(back, said=str(refusal), bad=True, filled=filled)
    return ask.go(PATH, said=_("The export is ordered. It can be downloaded as soon as each recording is proved."))


@room.act(PATH + "/{export_id}/stop", Verb.RECORDING_EXPORT)
async def stop(ask: Asked, export_id: str) -> Response:
    """Go no further."""
    await ask.office.exports.stop(ask.who, export_id)
    return ask.go(PATH)


@room.act(PATH + "/{export_id}/on", Verb.RECORDING_EXPORT)
async def go_on(ask: Asked, export_id: str) -> Response:
    """Go on with it."""
    await ask.office.exports.go_on(ask.who, export_id)
    return ask.go(PATH)


@room.act(PATH + "/{export_id}/remove", Verb.RECORDING_EXPORT)
async def remove(ask: Asked, export_id: str) -> Response:
    """Take it away."""
    await ask.office.exports.remove(ask.who, export_id)
    return ask.go(PATH, said=_("The export is deleted. The recordings are not touched."))


@room.act(PATH + "/{export_id}/address", Verb.RECORDING_EXPORT)
async def address(ask: Asked, export_id: str) -> Response:
    """To where it can be downloaded for a while."""
    return RedirectResponse(ask.office.exports.address(ask.who, export_id).path, 303)


@room.page(PATH + "/file/{token}", Verb.RECORDING_EXPORT)
async def file(ask: Asked, request: Request, token: str) -> Response:
    """The zip, or the range of it that is asked for (RFC 9110, section 14)."""
    headers = request.headers
    try:
        part = await ask.office.exports.at_address(ask.who, token, headers.get("range"), headers.get("if-range"))
    except hearing.NoSuchRange as wrong:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{wrong.size}"})
    return await answer(part)


async def answer(part: Part) -> Response:
    """The bytes, with what a browser needs to go on where it was cut."""
    headers = {
        "Accept-Ranges": "bytes", "Content-Length": str(part.end - part.first), "ETag": f'"{part.bundle.tag}"',
        "Content-Disposition": attachment(part.name), **UNKEPT,
    }  # fmt: skip
    if not part.whole:
        headers["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{part.bundle.size}"
    try:
        first = await anext(part.pieces, b"")
    except NotPlayable as fault:
        raise Refusal(str(fault)) from None
    return StreamingResponse(begun(first, part.pieces), 200 if part.whole else 206, headers, "application/zip")


async def found_by(ask: Ask, which: Source, fields: Mapping[str, str]) -> list[str]:
    """The calls that a list shows with these wishes: one more than an export may have, where there are too many.
    Raises Refusal."""
    if which == "grades":
        return await grade_lists.graded_calls(ask.site, ask.who, fields, MOST + 1)
    ask.who.must(Verb.CALLS_READ)
    question = calls.asked({**fields, "category": fields.get("category") or "any"}, ask.site, ask.who)
    for why in question.faults.values():
        raise Refusal(why, status=422)
    return list((await find(ask.site.store, question.wanted, limit=MOST + 1)).call_ids)


def _list_of(request: Request) -> str:
    """The list on which this was ordered, as it was narrowed and turned to; empty where it was on none."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.path not in LISTS:
        return ""
    return f"{came.path}?{came.query}" if came.query else came.path


def _shown(ask: Ask) -> dict[str, Any]:
    mine = ask.office.exports.of(ask.who)
    return {"exports": mine, "until": ask.office.exports.until, "name": ask.office.exports.name, "named": NAMED,
            "reason_word": hearing.reason_word, "hours": ask.site.settings.hotline.recording.export_hours}  # fmt: skip
