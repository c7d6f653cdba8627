"""Recordings as files for a thread of the console: proved and decrypted by the worker that plays, piece by piece."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from typing import IO, Any

from console.site import Site
from console.taking import archived_as
from recordings.export_names import Item
from recordings.playback import NotPlayable


def opener(site: Site, items: Sequence[Item], loop: asyncio.AbstractEventLoop) -> Callable[[str], IO[bytes]]:
    """Opens these recordings by their names in the archive, for a thread that is not the loop's."""
    by_file = {item.file: item for item in items}

    def opened(file: str) -> IO[bytes]:
        return io.BufferedReader(_Stored(site, by_file[file], loop), 256 * 1024)

    return opened


class _Stored(io.RawIOBase):
    def __init__(self, site: Site, item: Item, loop: asyncio.AbstractEventLoop) -> None:
        self._site, self._loop, self._at = site, loop, 0
        try:
            self._playing = self._wait(site.playback.open(archived_as(item), "stored"))
        except NotPlayable as fault:
            raise OSError(str(fault)) from None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """The next bytes."""
        data = self._wait(self._bytes(self._at, self._at + len(into)))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)

    async def _bytes(self, first: int, end: int) -> bytes:
        try:
            return b"".join([piece async for piece in self._site.playback.read(self._playing, first, end)])
        except NotPlayable as fault:
            raise OSError(str(fault)) from None

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
