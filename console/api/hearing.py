"""One recording for programs: what is known of its sound, the sound itself by range, and its file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel
from starlette.responses import Response

from console import hearing, sounding, taking
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom
from console.said import Why

room = ApiRoom("recordings")

CallId = Annotated[str, Path(max_length=200)]


class Mark(BaseModel):
    """Something that happened: seconds into the recording, negative before it; ``end`` 0 for a moment."""

    kind: str
    at: float
    end: float
    text: str


class Sound(BaseModel):
    """A finished recording. ``peaks`` per side, 0 to 1, drawn by their square root; ``silences`` as [from, to]."""

    category: str
    seconds: float
    channels: int
    peaks: list[list[float]]
    silences: list[tuple[float, float]]
    marks: list[Mark]


def _bytes(about: str, *kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": about, "content": {kind: {"schema": {"type": "string"}} for kind in kinds}}}


@room.read("/calls/{call_id}/recording", Verb.REVIEW_READ)
async def recording(ask: Asked, call_id: CallId) -> Sound:
    """Waveform, silences, and what happened where. To look at it is not to hear it."""
    found = await hearing.heard(ask.site, await hearing.call_of(ask.site, ask.who, call_id))
    if found is None:
        raise LookupError(call_id)
    return Sound(
        category=found.category, seconds=found.seconds, channels=found.channels,
        peaks=[list(side) for side in found.peaks], silences=list(found.silences),
        marks=[Mark(kind=one.kind, at=one.at, end=one.end, text=one.text) for one in found.marks],
    )  # fmt: skip


@room.read("/sound/{token}", Verb.RECORDING_HEAR, response_class=Response, responses={
    **_bytes("The sound.", "audio/wav"), 206: _bytes("The range.", "audio/wav")[200],
    416: {"description": "There is no such range."},
})  # fmt: skip
async def sound(
    ask: Asked, token: Annotated[str, Path(max_length=2000)],
    wanted: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
) -> Response:  # fmt: skip
    """The sound that `POST /calls/{call_id}/hearings` has given an address of."""
    return await sounding.answer(ask, token, wanted)


@room.do("POST", "/calls/{call_id}/recording/download", Verb.RECORDING_EXPORT, response_class=Response,
         responses=_bytes("The recording's own file.", "audio/flac", "audio/ogg"))  # fmt: skip
async def download(ask: Asked, call_id: CallId, why: Why) -> Response:
    """The recording's own file, once the access log says who takes it and why."""
    return await sounding.file(ask, await taking.take(ask.site, ask.who, [call_id], why.reason, why.words))
