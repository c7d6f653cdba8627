"""Sound files, block by block, so that a call of hours needs no more memory than one of seconds.

The only place that knows soundfile. Samples are 16-bit throughout, blocks are arrays of (frames, channels). A file may
be sealed (``recordings.sealed``): it is then decrypted as it is read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from config.plain import open_plain
from recordings.errors import Unreadable as Unreadable
from recordings.jobs import Format
from recordings.keys import NO_KEYS, Ring
from recordings.sealed import Sealed, Sealer, open_stored

Samples = npt.NDArray[np.int16]

BLOCK = 65_536
"""Frames handled at a time, 8 s."""

OPUS_RATES = frozenset({8000, 12_000, 16_000, 24_000, 48_000})
"""Hz that Opus knows (RFC 6716, section 2); a voicemail of another rate is kept as FLAC."""
_WRITTEN: dict[Format, dict[str, Any]] = {
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}


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
    """A file that remembers its error: libsndfile calls it from C, where an exception would be lost."""

    def __init__(self, file: IO[bytes] | Sealer | Sealed) -> None:
        self._file = file
        self.error: Exception | None = None

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
        try:
            return b"" if self.error else self._file.read(size) or b""
        except (OSError, Unreadable) as error:
            self.error = error
            return b""


def write_sound(
    path: Path,
    blocks: Iterable[Samples],
    rate: int,
    channels: int,
    tags: dict[str, str],
    *,
    format: Format = "flac",
    seal: tuple[str, Ring] | None = None,
) -> Pcm:
    """Write a 16-bit FLAC, or an Ogg Opus, synced to disk; returns the digest of what was given to it.

    ``tags`` are of libsndfile's names (title, date, comment ...). ``seal``: under this name, by the newest key of the
    ring. Raises OSError (also for a full disk), NoKey, and what ``blocks`` raises.
    """
    running = _Digest(channels)
    with open(path, "w+b", opener=_private) as file:
        sealer = Sealer(file, *seal) if seal else None
        sink = _Sink(sealer or file)
        try:
            with soundfile.SoundFile(sink, "w", samplerate=rate, channels=channels, **_WRITTEN[format]) as sound:
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
        if sealer:
            sealer.finish()
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


def decode(
    path: Path, name: str = "", ring: Ring = NO_KEYS, tap: Callable[[Samples, int], object] | None = None
) -> Decoded:
    """Decode a sound file to its end. Each block also goes to ``tap``, with the rate in Hz.

    Raises OSError, Unreadable for anything but an intact file, and NoKey.
    """
    with opened(path, name, ring) as it:
        sound = it.sound
        running = _Digest(sound.channels)
        for block in sound.blocks(BLOCK, dtype="int16", always_2d=True):
            running.take(block)
            if tap:
                tap(block, sound.samplerate)
        if running.pcm().frames != sound.frames:
            raise Unreadable(f"{path}: ends early")
        return Decoded(running.pcm(), sound.samplerate, sound.title, sound.comment)


@dataclass(frozen=True, slots=True)
class Opened:
    """A finished file: soundfile's ``SoundFile``, and what it is read from where that is sealed."""

    sound: Any
    source: _Sink | None

    def prove(self) -> None:
        """After reading: raises what went wrong meanwhile, which the sound library takes for the end of the file."""
        if self.source and self.source.error:
            raise self.source.error

    def read(self, first: int, end: int) -> Samples:
        """These frames. Raises OSError, Unreadable, Damaged."""
        try:
            if self.sound.tell() != first:
                self.sound.seek(first)
            samples: Samples = self.sound.read(end - first, dtype="int16", always_2d=True)
        except (soundfile.SoundFileError, AssertionError) as error:
            self.prove()
            raise Unreadable(str(error)) from error
        self.prove()
        if len(samples) != end - first:
            raise Unreadable("ends early")
        return samples


@contextmanager
def opened(path: Path, name: str = "", ring: Ring = NO_KEYS) -> Iterator[Opened]:
    """A finished file to be decoded. Raises OSError, Unreadable, Damaged, NoKey, also while it is read.

    ``name``: what the file is for, by which it was sealed.
    """
    with open_stored(path, name, ring) as file:
        # A plain file by its number: through the file object every piece would be a call from C into Python.
        source = _Sink(file) if isinstance(file, Sealed) else None
        try:
            with soundfile.SoundFile(source or file.fileno(), closefd=False) as sound:
                yield (it := Opened(sound, source))
                it.prove()
        except (soundfile.SoundFileError, AssertionError, Unreadable) as error:
            if source and source.error and source.error is not error:
                raise source.error from error
            if isinstance(error, Unreadable):
                raise
            raise Unreadable(f"{path}: {error}") from error


def sound_blocks(path: Path, name: str = "", ring: Ring = NO_KEYS) -> tuple[int, int, Iterator[Samples]]:
    """The rate (Hz), channels and blocks of a sound file. Raises as :func:`opened` does."""
    with opened(path, name, ring) as it:
        rate, channels = it.sound.samplerate, it.sound.channels

    def blocks() -> Iterator[Samples]:
        with opened(path, name, ring) as it:
            yield from it.sound.blocks(BLOCK, dtype="int16", always_2d=True)

    return rate, channels, blocks()
