"""Lists as files for a sheet: CSV in UTF-8 with the mark by which Excel knows it; no cell can become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from starlette.responses import StreamingResponse

from config.cells import plain_cell

DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The sheet.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""A sheet, in the description for programs."""

MARK = b"\xef\xbb\xbf"


def lines(rows: Iterable[Mapping[str, object]], *, titled: bool = True) -> Iterator[bytes]:
    """One piece for each row; the first one begins with the titles, where it is to be ``titled``."""
    for row in rows:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        if titled:
            writer.writerow(row)
            titled = False
        writer.writerow([plain_cell(value) for value in row.values()])
        yield out.getvalue().encode()


def sheet(name: str, rows: Iterable[Mapping[str, object]]) -> StreamingResponse:
    """The rows as a download."""

    def pieces() -> Iterator[bytes]:
        yield MARK
        yield from lines(rows)

    return _download(name, pieces())


def long_sheet(name: str, rows: AsyncIterable[Mapping[str, object]]) -> StreamingResponse:
    """The same for rows that are fetched on the way."""

    async def pieces() -> AsyncIterator[bytes]:
        yield MARK
        titled = True
        async for row in rows:
            for piece in lines([row], titled=titled):
                yield piece
            titled = False

    return _download(name, pieces())


def _download(name: str, pieces: Iterable[bytes] | AsyncIterable[bytes]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
               "X-Content-Type-Options": "nosniff"}  # fmt: skip
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)
