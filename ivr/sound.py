"""Sound as numbers: any recording becomes one that Asterisk plays. Heavy: for a worker process, never the
loop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped,unused-ignore]
import soxr  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from ivr.prompts import FAINTEST_PEAK, RATE, SHORTEST_SAMPLES

Samples = NDArray[np.float32]
"""Mono samples, full scale 1.0."""

LONGEST = 120.0
"""Seconds of one prompt; nobody listens to more, and a song put here by mistake is found."""

SPEECH_LEVEL = 10 ** (-20 / 20)
"""RMS of spoken prompts while they speak, -20 dBFS: with Asterisk's own prompts (-18 to -22), above ITU-T
G.101's mean of conversation, since callers stand in the street."""

HIGHEST_PEAK = 10 ** (-2 / 20)
"""-2 dBFS: alaw and resampling add a little, and a clipped prompt sounds like a bad line."""

SILENCE = 10 ** (-45 / 20)
"""Below this a window of 10 ms counts as silence when the ends of spoken prompts are cut."""

SLOWEST, FASTEST = 4_000, 192_000
"""Sample rates of own recordings, Hz."""


class Unusable(Exception):
    """A recording that cannot become a prompt; ``reason`` is one of the words of REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


REASONS = ("unreadable", "empty", "too-long", "silent", "odd-rate")


def convert(source: Path, target: Path) -> None:
    """Write a company's own recording as 16-bit mono WAV of 8,000 Hz. Its loudness stays as it was made,
    unless it would clip. Raises Unusable, OSError."""
    samples = to_rate(*read(source))
    peak = float(np.max(np.abs(samples), initial=0.0))
    write(target, samples if peak <= 1.0 else samples * (HIGHEST_PEAK / peak))


def finish_speech(source: Path, target: Path, pause: float) -> None:
    """Write what espeak-ng spoke as a prompt: ends cut to the words, then ``pause`` seconds of silence, at
    the same loudness as every other. Raises Unusable, OSError."""
    samples = trim(to_rate(*read(source)))
    loud = samples[np.abs(samples) > SILENCE]
    level = float(np.sqrt(np.mean(np.square(loud, dtype=np.float64)))) if loud.size else 0.0
    if level == 0.0:
        raise Unusable("silent")
    gain = min(SPEECH_LEVEL / level, HIGHEST_PEAK / float(np.max(np.abs(samples))))
    write(target, np.concatenate([samples * gain, np.zeros(round(pause * RATE), np.float32)]))


def beep(target: Path) -> None:
    """Write the tone after which a caller speaks: 1,000 Hz, 0.3 s, -15 dBFS, with soft edges."""
    seconds = np.arange(round(0.3 * RATE)) / RATE
    edges = np.clip(np.minimum(seconds, 0.3 - seconds) / 0.01, 0, 1)
    tone = np.sin(2 * np.pi * 1_000 * seconds) * edges * 10 ** (-15 / 20) * np.sqrt(2)
    write(target, tone.astype(np.float32))


def read(source: Path) -> tuple[Samples, int]:
    """A recording as mono samples and its rate in Hz; at most LONGEST seconds. Raises Unusable, OSError."""
    if not source.is_file():
        raise Unusable("unreadable", "not a file")
    try:
        with soundfile.SoundFile(source) as sound:
            rate = int(sound.samplerate)
            if not SLOWEST <= rate <= FASTEST:
                raise Unusable("odd-rate", f"{rate} Hz")
            data: NDArray[Any] = sound.read(int(LONGEST * rate) + 1, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        raise Unusable("unreadable", str(getattr(error, "error_string", error))) from error
    if len(data) > LONGEST * rate:
        raise Unusable("too-long")
    if len(data) / rate * RATE < SHORTEST_SAMPLES:
        raise Unusable("empty")
    samples = data.mean(axis=1, dtype=np.float32)
    if not np.all(np.isfinite(samples)):
        raise Unusable("unreadable", "NaN")
    if float(np.max(np.abs(samples))) < FAINTEST_PEAK / 32_768:
        raise Unusable("silent")
    return samples, rate


def to_rate(samples: Samples, rate: int) -> Samples:
    """The samples at 8,000 Hz."""
    return samples if rate == RATE else np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def trim(samples: Samples) -> Samples:
    """The samples without the silence at both ends, but 10 ms of it."""
    window = RATE // 100
    padded = np.pad(samples, (0, -len(samples) % window)).reshape(-1, window)
    loud = np.flatnonzero(np.max(np.abs(padded), axis=1) > SILENCE)
    if not loud.size:
        return samples
    return samples[max(int(loud[0]) - 1, 0) * window : (int(loud[-1]) + 2) * window]


def write(target: Path, samples: Samples) -> None:
    """Write samples as a 16-bit WAV in one step: the file is there complete, or as it was before. Raises
    OSError."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            whole = np.round(np.clip(samples, -1.0, 1.0) * 32_767).astype("<i2")
            soundfile.write(file, whole, RATE, format="WAV", subtype="PCM_16")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
