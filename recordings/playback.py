"""Hearing a finished recording: its bytes by range, for a browser that seeks.

::

    playback = Playback(folders, lambda: key_folder(...))
    playing = await playback.open(archived)              # proved; its length and media type are known
    first, end = range_of(request_header, playing.size)  # ValueError: answer 416
    async for piece in playback.read(playing, first, end): ...
    await playback.close()

The view ``wav`` is decoded to 16-bit PCM, in which every browser seeks to the sample whatever the file's format;
``stored`` is the file itself (FLAC or Ogg Opus), decrypted. A worker process does the work, one piece at a time, so
that neither the daemon's loop nor its memory feels a call of hours. Light to import.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from calllog.events import Archived, RecordingFault
from recordings import worker
from recordings.folders import Folders
from recordings.lane import Lane, WorkerLost
from recordings.measures import Measures, read_plain
from recordings.notes import say_fault

PIECE = 256 * 1024
"""Bytes asked of the worker at a time: 8 s of two channels."""
WAV_HEADER = 44
TIMEOUT = 60.0
"""Seconds for one piece; the first one of a long recording on a busy disk reads the whole file to prove it."""
IDLE = 300.0
"""Seconds after which the worker process ends when nobody listens."""

View = Literal["wav", "stored"]
_TYPES = {".flac": "audio/flac", ".opus": "audio/ogg"}


class NotPlayable(Exception):
    """The recording is not played. ``fault`` is for programs, the text for a person, in the language in force."""

    def __init__(self, fault: RecordingFault) -> None:
        super().__init__(fault)
        self.fault: RecordingFault = fault

    def __str__(self) -> str:
        return say_fault(self.fault)


@dataclass(frozen=True, slots=True)
class PlayJob:
    """One piece of a recording, [first, end) in bytes of the view; or its measures."""

    root: str
    file: str
    sha256: str
    frames: int
    rate: int
    channels: int
    keys: str
    view: Literal["wav", "stored", "measures"]
    first: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class PlayResult:
    """The piece and the view's whole size in bytes, or what is wrong."""

    data: bytes = b""
    size: int = 0
    measures: Measures | None = None
    fault: RecordingFault = ""


@dataclass(frozen=True, slots=True)
class Playing:
    """A recording that was opened: bytes of the view in all, its media type, a file name for it."""

    size: int
    media_type: str
    name: str
    job: PlayJob


class Playback:
    """One for the daemon. ``keys`` tells the folder of keys at each piece."""

    def __init__(self, folders: Folders, keys: Callable[[], Path]) -> None:
        self._folders, self._keys = folders, keys
        self._lane: Lane[PlayJob, PlayResult] = Lane(worker.play, TIMEOUT, idle=IDLE)

    def another(self) -> Playback:
        """One with a worker of its own, so that no listener waits for somebody's export."""
        return Playback(self._folders, self._keys)

    @property
    def keys(self) -> Path:
        """The folder of keys."""
        return self._keys()

    async def open(self, archived: Archived, view: View = "wav") -> Playing:
        """Open and prove a recording. Raises NotPlayable."""
        job = self._job(archived, view)
        result = await self._do(job)
        path = Path(archived.file)
        name = path.name if view == "stored" else f"{path.stem}.wav"
        return Playing(result.size, "audio/wav" if view == "wav" else _TYPES.get(path.suffix, "audio/flac"), name, job)

    async def read(self, playing: Playing, first: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes [first, end) in pieces. Raises NotPlayable in the midst where the file is damaged: close the
        connection then, so that the browser knows that it has not got all."""
        end = playing.size if end is None else min(end, playing.size)
        while first < end:
            upto = min(end, first + PIECE)
            result = await self._do(replace(playing.job, first=first, end=upto, keys=str(self._keys())))
            if len(result.data) != upto - first:
                raise NotPlayable("damaged")
            yield result.data
            first = upto

    async def measures(self, archived: Archived) -> Measures | None:
        """Waveform and spans; None while there are none, or they are damaged: they are made again in the background."""
        try:
            job = self._job(archived, "measures")
            with suppress(ValueError):  # sealed: only that needs a worker, which takes a moment to begin
                return await asyncio.to_thread(read_plain, self._folders.archive, archived.file)
            return (await self._do(job)).measures
        except (NotPlayable, OSError):
            return None

    async def close(self) -> None:
        """End the worker."""
        self._lane.kill()

    def _job(self, archived: Archived, view: Literal["wav", "stored", "measures"]) -> PlayJob:
        try:
            self._folders.finished(archived.file)
        except ValueError as error:
            raise NotPlayable("gone") from error
        return PlayJob(
            str(self._folders.archive), archived.file, archived.sha256, archived.frames, archived.rate,
            archived.channels, str(self._keys()), view,
        )  # fmt: skip

    async def _do(self, job: PlayJob) -> PlayResult:
        try:
            result = await self._lane.do(job, job.file)
        except WorkerLost as lost:
            raise NotPlayable("unreadable") from lost
        if result.fault:
            raise NotPlayable(result.fault)
        return result


_RANGE = re.compile(r"bytes\s*=\s*(?:(?P<first>[0-9]{1,18})\s*-\s*(?P<last>[0-9]{0,18})|-\s*(?P<suffix>[0-9]{1,18}))")


def range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes [first, end) that a ``Range`` header asks for, of ``size`` (RFC 9110, section 14). Pure.

    None: send all (there is no header, several ranges, or none that can be read). Raises ValueError where nothing of
    the range is there: answer 416.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None:
        return None
    if found["suffix"] is not None:
        first, end = max(0, size - int(found["suffix"])), size
        if not int(found["suffix"]):
            raise ValueError("an empty range")
    else:
        first = int(found["first"])
        end = min(size, int(found["last"]) + 1) if found["last"] else size
        if found["last"] and int(found["last"]) < first:
            return None
    if first >= end:
        raise ValueError("a range behind the end")
    return first, end
