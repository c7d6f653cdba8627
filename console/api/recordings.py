"""Recordings for programs: holds, taking many along, and coverage."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from console import hearing, taking
from console.ask import Asked
from console.pages.recording import UNKEPT, attachment
from console.permits import Verb
from console.rooms import ApiRoom

room = ApiRoom("recordings")

Short = Annotated[str, Field(max_length=200)]


class Hold(BaseModel):
    """A hold in force; its reason is empty where it was erased."""

    hold_id: str
    set_by: str
    set_at: int
    reason: str


class Reason(BaseModel):
    """Why, in words."""

    why: Short


class Taking(BaseModel):
    """Which calls' recordings, and why; ``words`` where the reason is ``other``."""

    call_ids: Annotated[list[Short], Field(min_length=1, max_length=taking.MOST)]
    reason: hearing.Reason
    words: Short = ""


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


@room.read("/calls/{call_id}/holds", Verb.REVIEW_READ)
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


@room.do("POST", "/recordings/exports", Verb.RECORDING_EXPORT, response_class=Response)
async def export(ask: Asked, wanted: Taking) -> Response:
    """A zip of these recordings with its manifest, once the access log says who takes each and why."""
    taken = await taking.take(ask.site, ask.who, wanted.call_ids, wanted.reason, wanted.words)
    headers = {"Content-Disposition": attachment("recordings.zip")} | UNKEPT
    return StreamingResponse(taking.as_zip(ask.site, taken), headers=headers, media_type="application/zip")


@room.read("/recordings/coverage", Verb.RECORDING_VERIFY)
async def coverage(
    ask: Asked, since: Annotated[int, Query(ge=0, le=2**62, description="µs since 1970 UTC")]
) -> Covered:
    """Which talks have a verified recording, and why the others have none."""
    found = await taking.coverage(ask.site, ask.who, since)
    gaps = [Gap(call_id=one.call_id, talk_id=one.talk_id, agent=one.agent, started_at=one.started_at,
                seconds=one.seconds, why=one.why) for one in found.gaps]  # fmt: skip
    return Covered(talks=found.talks, verified=found.verified, share=found.share, gaps=gaps)
