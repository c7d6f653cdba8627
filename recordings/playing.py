"""The worker's side of playback: pieces of a finished recording, decrypted and decoded as they are asked for.

Nothing of a recording is given out before it is proved: a plain file by its SHA-256 when it is opened, a sealed one
chunk by chunk. Imports numpy and ``cryptography``: for workers and commands only.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import OrderedDict
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calllog.events import RecordingFault
from recordings.errors import Damaged, NoKey, Unreadable
from recordings.keys import BadKey, Ring, load_ring
from recordings.measures import Measures, read_measures
from recordings.playback import WAV_HEADER, PlayJob, PlayResult
from recordings.sealed import Sealed, open_stored
from recordings.sound import Opened, opened

MOST_OPEN = 8
"""Recordings kept open between two pieces."""


@dataclass(slots=True)
class _Open:
    """A recording that is being heard: its stamp on disk, its content, and (for the WAV view) its decoder."""

    stamp: tuple[int, ...]
    stack: ExitStack
    file: Any
    it: Opened | None
    size: int


_OPEN: OrderedDict[tuple[str, str], _Open] = OrderedDict()


def play(job: PlayJob) -> PlayResult:
    """One piece of a recording, or what is wrong with it. Never raises an Exception."""
    try:
        if job.view == "measures":
            return PlayResult(measures=_measures(job))
        playing = _opened(job)
        data = _wav(job, playing) if job.view == "wav" else _stored(job, playing)
        return PlayResult(data=data, size=_wav_size(job) if job.view == "wav" else playing.size)
    except Exception as error:
        close_all(job.file)
        return PlayResult(fault=fault_of(error))


def fault_of(error: Exception) -> RecordingFault:
    """What an exception says of a recording's file."""
    match error:
        case FileNotFoundError():
            return "gone"
        case NoKey() | BadKey():
            return "no_key"
        case Unreadable():
            return "damaged"
    return "unreadable"


def close_all(file: str | None = None) -> None:
    """Close what is kept open; with ``file`` that recording alone."""
    for key in [key for key in _OPEN if file in (None, key[0])]:
        _close(_OPEN.pop(key))


def _close(playing: _Open) -> None:
    with suppress(Unreadable, OSError):  # told when it was read
        playing.stack.close()


def _measures(job: PlayJob) -> Measures:
    return read_measures(Path(job.root), job.file, _ring(job))


def _ring(job: PlayJob) -> Ring:
    return load_ring(Path(job.keys)) if job.keys else Ring({})


def _opened(job: PlayJob) -> _Open:
    path = Path(job.root, job.file)
    stat = os.stat(path, follow_symlinks=False)
    stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    key = (job.file, job.view)
    found = _OPEN.get(key)
    if found is not None and found.stamp == stamp:
        _OPEN.move_to_end(key)
        return found
    close_all(job.file)
    with ExitStack() as stack:
        file = stack.enter_context(open_stored(path, job.file, _ring(job)))
        if isinstance(file, Sealed):
            size = file.size
        else:
            if hashlib.file_digest(file, "sha256").hexdigest() != job.sha256:  # type: ignore[arg-type]
                raise Damaged(job.file)
            size = stat.st_size
        it = stack.enter_context(opened(path, job.file, _ring(job))) if job.view == "wav" else None
        if it is not None and (it.sound.samplerate, it.sound.channels) != (job.rate, job.channels):
            raise Unreadable(job.file)
        _OPEN[key] = playing = _Open(stamp, stack.pop_all(), file, it, size)
    while len(_OPEN) > MOST_OPEN:
        _close(_OPEN.popitem(last=False)[1])
    return playing


def _stored(job: PlayJob, playing: _Open) -> bytes:
    playing.file.seek(job.first)
    wanted = max(0, min(job.end, playing.size) - job.first)
    data = bytearray()
    while len(data) < wanted:
        piece = playing.file.read(wanted - len(data))
        if not piece:
            raise Unreadable(job.file)
        data += piece
    return bytes(data)


def _wav_size(job: PlayJob) -> int:
    return WAV_HEADER + job.frames * job.channels * 2


def _wav(job: PlayJob, playing: _Open) -> bytes:
    """Bytes of the recording as a WAV of 16-bit samples (RIFF, WAVE_FORMAT_PCM)."""
    head = wav_head(job.frames, job.rate, job.channels)[job.first : job.end]
    width = job.channels * 2
    first, end = max(0, job.first - WAV_HEADER), max(0, min(job.end, _wav_size(job)) - WAV_HEADER)
    if end <= first or playing.it is None:
        return head
    at, until = first // width, -(-end // width)
    samples = playing.it.read(at, until)
    data = np.ascontiguousarray(samples, dtype="<i2").tobytes()
    return head + data[first - at * width : end - at * width]


def wav_head(frames: int, rate: int, channels: int) -> bytes:
    """The first 44 bytes of a WAV of so many 16-bit frames."""
    width, size = channels * 2, frames * channels * 2
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, channels, rate, rate * width,
                       width, 16, b"data", size)  # fmt: skip
