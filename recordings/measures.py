"""What is measured of a finished recording, and the small file beside it that holds the waveform and the spans.

``<recording>.measure`` can be made again from the sound at any time (``hotline recordings measure``); it is sealed
where the recording is, since it tells who spoke when. Light to import: the measuring itself is
``recordings.measuring``.

- **Loudness** is that of ITU-R BS.1770-5 (the one that EBU R 128 uses), gated, in LUFS, of each side by itself. Its
  frequency weighting is applied in the spectrum of 100 ms pieces, and only to those above -60 dBFS.
- A side **speaks** where 20 ms pieces are above -50 dBFS; pauses of up to 0.2 s belong to it (the hangover time of
  ITU-T P.56), and bursts below 60 ms do not count.
- **Silences**: both sides silent, within talks and not while the recording was paused. **Talk-over**: both speak.
- **Peaks**: the highest sample of each 40 ms, as the square root of its share of full scale in 255 steps, so that quiet
  voices are still seen.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from calllog.events import Category, Measured
from calllog.measure_queries import MEASURED_BY
from recordings.errors import Unreadable

SUFFIX = ".measure"
PEAKS_PER_SECOND = 25
QUIETEST = -70.0
"""LUFS: the absolute gate of BS.1770; a side in which nothing is louder has this loudness."""

Spans = tuple[tuple[float, float], ...]
"""Seconds from the beginning of the recording, half-open, in order."""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """All that is measured of one recording. Per side: the caller, then the agent; of a voicemail the caller alone."""

    v: int = MEASURED_BY
    seconds: float
    peaks_per_second: int = PEAKS_PER_SECOND
    peaks: tuple[bytes, ...]
    loudness: tuple[float, ...]
    speech: tuple[Spans, ...]
    silences: Spans
    talk_overs: Spans
    silence_from: float
    talk_over_from: float

    def waveform(self, side: int, most: int) -> list[float]:
        """The peaks of a side (0: caller) from 0 to 1 as they are drawn, by their square root, so that quiet voices are
        seen too: ``most`` of them at most, each the highest of those that it stands for."""
        steps = self.peaks[side]
        each = max(1, -(-len(steps) // most))
        return [round(max(steps[first : first + each]) / 255, 3) for first in range(0, len(steps), each)]

    def event(self, category: Category) -> Measured:
        """The small numbers, for the journal."""
        silences, over = [_lengths(spans) for spans in (self.silences, self.talk_overs)]
        return Measured(
            category=category, by=self.v, seconds=self.seconds, loudness=self.loudness,
            speech=tuple(round(sum(_lengths(spans)), 2) for spans in self.speech),
            silences=len(silences), silence=round(sum(silences), 2), longest_silence=max(silences, default=0.0),
            talk_overs=len(over), talk_over=round(sum(over), 2), longest_talk_over=max(over, default=0.0),
            silence_from=self.silence_from, talk_over_from=self.talk_over_from,
        )  # fmt: skip


def _lengths(spans: Spans) -> list[float]:
    return [round(end - first, 2) for first, end in spans]


def measure_file(file: str) -> str:
    """The measure file's name of a recording's (``Archived.file``); both relative to the archive."""
    return f"{file}{SUFFIX}"


def write_measures(archive: Path, file: str, measures: Measures, seal: object = None) -> None:
    """Write the file beside the recording ``file``; a crash may lose it. ``seal``: a ``recordings.keys.Ring``.

    Raises OSError and NoKey.
    """
    name = measure_file(file)
    target = archive / name
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o640)) as out:
            if seal is None:
                out.write(msgspec.json.encode(measures))
            else:
                from recordings.sealed import Sealer

                sealer = Sealer(out, name, seal)  # type: ignore[arg-type]
                sealer.write(msgspec.json.encode(measures))
                sealer.finish()
        os.replace(draft, target)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def read_plain(archive: Path, file: str) -> Measures | None:
    """The measures of the recording ``file`` where they are not sealed: for a thread of any process. Raises OSError,
    and ValueError where they are sealed or damaged."""
    return msgspec.json.decode((archive / measure_file(file)).read_bytes(), type=Measures)


def read_measures(archive: Path, file: str, ring: object) -> Measures:
    """The measures of the recording ``file``, with the keys of ``ring``. Raises OSError and Unreadable.

    Imports ``cryptography``: for workers and commands; the daemon asks :mod:`recordings.playback`.
    """
    from recordings.sealed import open_stored

    name = measure_file(file)
    with open_stored(archive / name, name, ring) as source:  # type: ignore[arg-type]
        data = source.read()
    try:
        return msgspec.json.decode(data, type=Measures)
    except msgspec.DecodeError as error:
        raise Unreadable(f"{name}: {error}") from error
