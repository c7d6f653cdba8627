"""Recordings for programs: holds, taking many along, and coverage."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console import exports, hearing, taking
from console.ask import Ask, Asked
from console.pages.exports import answer, found_by
from console.permits import Verb
from console.rooms import ApiRoom, Trouble
from console.said import Known, Other, Words

room = ApiRoom("recordings")

Short = Annotated[str, Field(max_length=200)]
RANGES: dict[int | str, dict[str, Any]] = {
    206: {"description": "The range that was asked for"},
    416: {"model": Trouble, "description": "The range lies behind the end"},
}


class Hold(BaseModel):
    """A hold in force; its reason is empty where it was erased."""

    hold_id: str
    set_by: str
    set_at: int
    reason: str


class Reason(BaseModel):
    """Why, in words."""

    model_config = ConfigDict(extra="forbid")

    why: Words


class Which(BaseModel):
    """Which calls' recordings: ``call_ids``, or all that ``calls`` or ``grades`` finds (the parameters of GET /calls or
    GET /reviews)."""

    call_ids: Annotated[list[Short], Field(max_length=exports.MOST)] = []
    calls: Annotated[dict[Short, Short], Field(max_length=30)] | None = None
    grades: Annotated[dict[Short, Short], Field(max_length=30)] | None = None


class TakingKnown(Which, Known):
    """Which calls' recordings, and why."""


class TakingOther(Which, Other):
    """The same for another reason, in words."""


Taking = Annotated[TakingKnown | TakingOther, Field(discriminator="reason")]


class Missing(BaseModel):
    """A recording that is not in an export, and why."""

    call_id: str
    category: str
    why: str


class Export(BaseModel):
    """An export of one's own. ``state``: waiting, running, ready, stopped or full (the disk); ``size``: bytes of the
    recordings that are proved; ``until``: when it is taken away, once it is ready or stopped (µs, else 0)."""

    export_id: str
    made_at: int
    why: str
    access_log_batch: str
    state: exports.Standing
    recordings: int
    proved: int
    size: int
    missing: list[Missing]
    until: int
    name: str


class Address(BaseModel):
    """Where it can be downloaded, with ranges, for whoever asked, until ``until``."""

    path: str
    until: int


class Gap(BaseModel):
    """A talk over 3 s without a verified recording; ``why`` in codes."""

    call_id: str
    talk_id: str
    agent: str
    started_at: int
    seconds: float
    why: str


class Covered(BaseModel):
    """``share`` = verified / talks; null where there was no talk."""

    talks: int
    verified: int
    share: float | None
    gaps: list[Gap]


@room.read("/calls/{call_id}/holds", Verb.HOLD_READ)
async def holds(ask: Asked, call_id: str) -> list[Hold]:
    """The holds in force on this call."""
    found = await taking.holds_on(ask.site, ask.who, call_id)
    return [Hold(hold_id=one.hold_id, set_by=one.set_by, set_at=one.set_at, reason=one.reason) for one in found]


@room.do("POST", "/calls/{call_id}/holds", Verb.HOLD_SET, status_code=204)
async def hold(ask: Asked, call_id: str, reason: Reason) -> None:
    """Nothing of this call is deleted from now on."""
    await taking.hold(ask.site, ask.who, call_id, reason.why)


@room.do("POST", "/calls/{call_id}/holds/lift", Verb.HOLD_SET, status_code=204)
async def release(ask: Asked, call_id: str, reason: Reason) -> None:
    """Every hold on this call is lifted."""
    await taking.release(ask.site, ask.who, call_id, reason.why)


@room.read("/recordings/exports", Verb.RECORDING_EXPORT)
async def own_exports(ask: Asked) -> list[Export]:
    """One's own exports, the newest first."""
    return [_export(ask, one) for one in ask.office.exports.of(ask.who)]


@room.do("POST", "/recordings/exports", Verb.RECORDING_EXPORT, status_code=202, body=1 << 20)
async def order(ask: Asked, wanted: Taking) -> Export:
    """Order recordings as one zip file with a manifest, once the access log says who takes each and why. They are
    proved in the background."""
    call_ids = wanted.call_ids
    if wanted.calls is not None:
        call_ids = call_ids + await found_by(ask, "calls", wanted.calls)
    if wanted.grades is not None:
        call_ids = call_ids + await found_by(ask, "grades", wanted.grades)
    return _export(ask, await ask.office.exports.order(ask.who, call_ids, wanted.reason, wanted.words))


@room.read("/recordings/exports/{export_id}", Verb.RECORDING_EXPORT)
async def one_export(ask: Asked, export_id: str) -> Export:
    """How far it is."""
    return _export(ask, ask.office.exports.one(ask.who, export_id))


@room.do("POST", "/recordings/exports/{export_id}/stop", Verb.RECORDING_EXPORT, status_code=204)
async def stop(ask: Asked, export_id: str) -> None:
    """Go no further with it."""
    await ask.office.exports.stop(ask.who, export_id)


@room.do("POST", "/recordings/exports/{export_id}/on", Verb.RECORDING_EXPORT, status_code=204)
async def go_on(ask: Asked, export_id: str) -> None:
    """Go on with it."""
    await ask.office.exports.go_on(ask.who, export_id)


@room.do("DELETE", "/recordings/exports/{export_id}", Verb.RECORDING_EXPORT, status_code=204)
async def remove(ask: Asked, export_id: str) -> None:
    """Take it away; the recordings are not touched."""
    await ask.office.exports.remove(ask.who, export_id)


@room.do("POST", "/recordings/exports/{export_id}/address", Verb.RECORDING_EXPORT, status_code=201)
async def address(ask: Asked, export_id: str) -> Address:
    """An address that opens it for whoever asked, for a while."""
    found = ask.office.exports.address(ask.who, export_id)
    return Address(path=found.path, until=found.until)


@room.read("/recordings/exports/{export_id}/file", Verb.RECORDING_EXPORT, response_class=Response, responses=RANGES)
async def file(ask: Asked, request: Request, export_id: str) -> Response:
    """The zip, or the range of it that is asked for; ``If-Range`` with its ETag is understood."""
    headers = request.headers
    try:
        part = await ask.office.exports.part(ask.who, export_id, headers.get("range"), headers.get("if-range"))
    except hearing.NoSuchRange as wrong:
        raise HTTPException(416, headers={"Content-Range": f"bytes */{wrong.size}"}) from None
    return await answer(part)


def _export(ask: Ask, one: exports.Export) -> Export:
    return Export(
        export_id=one.export_id, made_at=one.order.made_at, why=one.order.why, access_log_batch=one.order.batch,
        state=one.standing, recordings=len(one.order.items), proved=len(one.proofs), size=one.size,
        missing=[Missing(call_id=item.call_id, category=item.category, why=why) for item, why in one.faults],
        until=ask.office.exports.until(one), name=ask.office.exports.name(one),
    )  # fmt: skip


@room.read("/recordings/coverage", Verb.RECORDING_VERIFY)
async def coverage(
    ask: Asked, since: Annotated[int, Query(ge=0, le=2**62, description="µs since 1970 UTC")]
) -> Covered:
    """Which talks have a verified recording, and why the others have none."""
    found = await taking.coverage(ask.site, ask.who, since)
    gaps = [Gap(call_id=one.call_id, talk_id=one.talk_id, agent=one.agent, started_at=one.started_at,
                seconds=one.seconds, why=one.why) for one in found.gaps]  # fmt: skip
    return Covered(talks=found.talks, verified=found.verified, share=found.share, gaps=gaps)
