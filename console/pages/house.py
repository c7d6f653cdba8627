"""What belongs to no room: the browser's files, the stream of what changed, and the questions of machines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from console.ask import Asked
from console.permits import Verb
from console.rooms import ANYONE, Room

room = Room("house")

KEEP = "public, max-age=31536000, immutable"


@room.page("/static/{digest}/{name:path}", ANYONE)
async def static(
    ask: Asked, request: Request, digest: Annotated[str, Path(max_length=40)],
    name: Annotated[str, Path(max_length=200)],
) -> Response:  # fmt: skip
    """A file from memory, by a name that is looked up and never made into a path."""
    asset = ask.office.assets.get(name)
    if asset is None:
        raise LookupError(name)
    headers = {"Cache-Control": KEEP if digest == ask.office.assets.digest else "no-store", "Vary": "Accept-Encoding"}
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.kind)
    return Response(asset.plain, headers=headers, media_type=asset.kind)


@room.page("/favicon.ico", ANYONE)
async def favicon(ask: Asked) -> Response:
    """For whoever asks without having read the page."""
    asset = ask.office.assets.get("icon.svg")
    assert asset is not None
    return Response(asset.plain, media_type=asset.kind, headers={"Cache-Control": "max-age=86400"})


@room.page("/live", Verb.SELF)
async def live(ask: Asked, topics: Annotated[str, Query(max_length=300)] = "") -> Response:
    """Which of these topics changed, for as long as the session lasts (``console.live``)."""
    return stream(await ask.office.follow(ask.who, topics))


def stream(pieces: AsyncIterator[bytes]) -> Response:
    """The answer of a stream that no proxy may keep back."""
    return StreamingResponse(pieces, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@room.page("/healthz", ANYONE)
async def healthz(ask: Asked) -> Response:
    """That this process answers; nothing else."""
    return PlainTextResponse("ok\n")


@room.page("/readyz", ANYONE)
async def readyz(ask: Asked) -> Response:
    """Whether calls are taken: 200, or 503 while Asterisk is not there."""
    ready = (await ask.site.facts()).in_service
    return JSONResponse({"ready": ready}, 200 if ready else 503)
