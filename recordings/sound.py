"""Sound files, block by block, so that a call of hours needs no more memory than one of seconds.

The only place that knows soundfile. Samples are 16-bit throughout, blocks are arrays of (frames, channels).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from config.plain import open_plain

Samples = npt.NDArray[np.int16]

BLOCK = 65_536
"""Frames handled at a time, 8 s."""


class Unreadable(Exception):
    """A sound file that cannot be decoded to its end."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """What a stream of samples is: its frames, channels, and the BLAKE2b digest of its 16-bit samples."""

    frames: int
    channels: int
    digest: str


class _Digest:
    def __init__(self, channels: int) -> None:
        self._hash, self._frames, self._channels = hashlib.blake2b(digest_size=32), 0, channels

    def take(self, block: Samples) -> None:
        self._hash.update(np.ascontiguousarray(block, dtype="<i2").data)
        self._frames += len(block)

    def pcm(self) -> Pcm:
        return Pcm(self._frames, self._channels, self._hash.hexdigest())


def digest(blocks: Iterable[Samples], channels: int) -> Pcm:
    """The digest of a stream of blocks."""
    running = _Digest(channels)
    for block in blocks:
        running.take(block)
    return running.pcm()


def raw_blocks(path: str | Path, offset: int, frames: int, channels: int) -> Iterator[Samples]:
    """``frames`` frames of a headerless little-endian file from byte ``offset`` on.

    Raises OSError, also for what is no plain file, and Unreadable when the file has become shorter than that.
    """
    with os.fdopen(open_plain(path, links=False), "rb", buffering=0) as file:
        file.seek(offset)
        while frames:
            wanted = min(frames, BLOCK) * channels * 2
            held = bytearray(wanted)
            got = 0
            while got < wanted:
                more = file.readinto(memoryview(held)[got:])
                if not more:
                    raise Unreadable(f"{path}: {wanted - got} bytes are gone")
                got += more
            block = np.frombuffer(held, dtype="<i2").astype(np.int16, copy=False).reshape(-1, channels)
            frames -= len(block)
            yield block


def silence(frames: int, channels: int) -> Iterator[Samples]:
    """Digital silence of this length."""
    while frames > 0:
        count = min(frames, BLOCK)
        yield np.zeros((count, channels), dtype=np.int16)
        frames -= count


class _Sink:
    """A file that remembers its OSError: libsndfile calls it from C, where an exception would be lost."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.error:
            return 0
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.error = self.error or error
            return -1

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def write_flac(path: Path, blocks: Iterable[Samples], rate: int, channels: int, tags: dict[str, str]) -> Pcm:
    """Write a 16-bit FLAC, synced to disk; returns the digest of what was given to it.

    ``tags`` are of libsndfile's names (title, date, comment ...). Raises OSError (also for a full disk), and
    what ``blocks`` raises.
    """
    running = _Digest(channels)
    with open(path, "w+b", opener=_private) as file:
        sink = _Sink(file)
        try:
            with soundfile.SoundFile(
                sink, "w", samplerate=rate, channels=channels, format="FLAC", subtype="PCM_16"
            ) as sound:
                for name, text in tags.items():
                    setattr(sound, name, text)
                for block in blocks:
                    running.take(block)
                    sound.write(block)
                    if sink.error:
                        break
        except (soundfile.SoundFileError, AssertionError) as error:
            # soundfile asserts that all was written; either way the reason is the sink's.
            raise sink.error or OSError(f"{path}: {error}") from error
        if sink.error:
            raise sink.error
        file.flush()
        os.fsync(file.fileno())
        # What is verified next should come from the disk, not from memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return running.pcm()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A finished file, decoded whole: its samples' digest, its rate in Hz, and its comment tag."""

    pcm: Pcm
    rate: int
    title: str
    comment: str


def decode(path: Path) -> Decoded:
    """Decode a sound file to its end. Raises OSError, and Unreadable for anything but an intact file."""
    with open(path, "rb") as file:
        os.fstat(file.fileno())
        try:
            # By its number: through the file object every piece would be a call from C into Python.
            with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                running = _Digest(sound.channels)
                for block in sound.blocks(BLOCK, dtype="int16", always_2d=True):
                    running.take(block)
                if running.pcm().frames != sound.frames:
                    raise Unreadable(f"{path}: ends early")
                return Decoded(running.pcm(), sound.samplerate, sound.title, sound.comment)
        except soundfile.SoundFileError as error:
            raise Unreadable(f"{path}: {error}") from error


def sound_blocks(path: Path) -> tuple[int, int, Iterator[Samples]]:
    """The rate (Hz), channels and blocks of a sound file. Raises OSError and Unreadable."""
    with open(path, "rb"):
        pass
    try:
        sound = soundfile.SoundFile(str(path))
    except soundfile.SoundFileError as error:
        raise Unreadable(f"{path}: {error}") from error

    def blocks() -> Iterator[Samples]:
        with sound:
            try:
                yield from sound.blocks(BLOCK, dtype="int16", always_2d=True)
            except soundfile.SoundFileError as error:
                raise Unreadable(f"{path}: {error}") from error

    return sound.samplerate, sound.channels, blocks()
