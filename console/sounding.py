"""Sound and files of recordings as answers: by range, never kept by anybody on the way, under readable names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse

from console import hearing, taking
from console.ask import Ask
from console.site import Refusal
from recordings.playback import NotPlayable

UNKEPT = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


async def answer(ask: Ask, token: str, wanted: str | None) -> Response:
    """The sound that an address opens, or the range of it that is ``wanted`` (RFC 9110, section 14). Raises
    NotPermitted, LookupError, Refusal."""
    try:
        part = await hearing.sound(ask.site, ask.who, token, wanted)
    except hearing.NoSuchRange as wrong:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{wrong.size}"})
    headers = UNKEPT | {
        "Accept-Ranges": "bytes", "Content-Length": str(part.end - part.first), "Content-Disposition": "inline",
    }  # fmt: skip
    if not part.whole:
        headers["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{part.playing.size}"
    pieces = part.pieces(ask.site)
    try:
        first = await anext(pieces, b"")
    except NotPlayable as fault:
        raise Refusal(str(fault)) from None
    return StreamingResponse(begun(first, pieces), 200 if part.whole else 206, headers, part.playing.media_type)


async def file(ask: Ask, taken: taking.Taken) -> Response:
    """The one recording's own file. Raises Refusal."""
    playing, name, pieces = await taking.as_file(ask.site, taken)
    headers = {"Content-Length": str(playing.size), "Content-Disposition": attachment(name)} | UNKEPT
    return StreamingResponse(pieces, headers=headers, media_type=playing.media_type)


def attachment(name: str) -> str:
    """The header that has a browser save this under its name (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name)}"


async def parcel(ask: Ask, token: str) -> Response:
    """The file at this address, for a while and for this session or token alone. Raises LookupError."""
    found = ask.office.parcels.get(ask.who, token)
    headers = {"Content-Disposition": attachment(found.name)} | UNKEPT
    return FileResponse(found.path, media_type=found.media_type, headers=headers)


async def begun(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, of which the first was taken already to see whether there are any."""
    yield first
    async for piece in rest:
        yield piece
