"""What can be heard in a recording, measured: level, dominant frequency, and the tones one after another.

Imports numpy: only for workers, commands and tests, never for the daemon's own process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calllog.events import Span
from recordings.folders import RATE, RAW_FRAME
from recordings.keys import NO_KEYS, Ring
from recordings.sound import Samples, raw_blocks, sound_blocks

PIECE_SECONDS = 0.02
"""One RTP packet's worth; sound is counted in these."""
SOUND_DBFS = -50.0
"""A piece above this level holds sound; a line's noise lies below, speech above."""
WINDOW_SECONDS = 0.1
"""What a tone is looked for in: 10 Hz wide bins, so that 440 and 660 Hz are far apart."""
PURE = 0.6
"""Share of a window's power that a tone holds; speech and music reach it only for moments."""
SAME_TONE = 0.04
"""Share of its frequency by which a tone may waver and be the same."""
LOWEST_HZ = 50.0
"""Below this is hum and offset, not a tone."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChannelMeasure:
    """One channel of a span. ``channel``: 0 = left = caller, 1 = right = agent.

    ``rms_dbfs`` is the level of what sounds, 0 for a full-scale square wave (a full-scale sine is -3), -inf
    where nothing sounds; ``dominant_hz`` is the strongest frequency of it, 0.0 where nothing sounds;
    ``sound_seconds`` counts the 20 ms pieces above -50 dBFS.
    """

    channel: int
    seconds: float
    rms_dbfs: float
    dominant_hz: float
    sound_seconds: float
    talk_id: str = ""


@dataclass(frozen=True, slots=True)
class Tone:
    """A stretch of one steady tone in one channel: Hz, and frames, half-open, to 0.1 s exact."""

    channel: int
    hz: float
    first: int
    end: int
    rate: int

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end - self.first) / self.rate


def measure(
    path: Path, spans: Sequence[Span] | None = None, *, name: str = "", ring: Ring = NO_KEYS
) -> list[ChannelMeasure]:
    """Measure every channel of each span (of the whole file without ``spans``).

    Reads FLAC, WAV, or a raw part (``.raw``: 2 channels, 8 kHz); what is sealed by its ``name`` in the archive and the
    ``ring`` of keys. Raises OSError, and ``recordings.sound.Unreadable``.
    """
    rate, channels, blocks = _open(path, name, ring)
    chosen = [Span("", 0, 1 << 62, True)] if spans is None else list(spans)
    running = [[_Running(rate) for _ in range(channels)] for _ in chosen]
    at = 0
    for block in blocks:
        for span, channel_runs in zip(chosen, running, strict=True):
            part = block[max(0, span.first - at) : max(0, span.end - at)]
            if len(part):
                for channel, run in enumerate(channel_runs):
                    run.take(part[:, channel])
        at += len(block)
    return [
        run.result(channel, span.talk_id)
        for span, channel_runs in zip(chosen, running, strict=True)
        for channel, run in enumerate(channel_runs)
    ]


def tones(
    path: Path, channel: int, *, shortest: float = 0.2, name: str = "", ring: Ring = NO_KEYS
) -> list[Tone]:
    """The steady tones of a channel (0 = left) in order, each of at least ``shortest`` seconds.

    Two tones at once, speech and noise are none. Reads and raises as ``measure`` does; IndexError for a
    channel that the file does not have.
    """
    rate, channels, blocks = _open(path, name, ring)
    if not 0 <= channel < channels:
        raise IndexError(f"{path} has {channels} channels")
    window = round(rate * WINDOW_SECONDS)
    found: list[Tone] = []
    weights: list[int] = []
    for number, piece in enumerate(_pieces((block[:, channel] for block in blocks), window)):
        hz = _pure_tone(piece, rate)
        if not hz:
            continue
        first, end = number * window, number * window + len(piece)
        last = found[-1] if found else None
        if last and last.end == first and abs(last.hz - hz) <= SAME_TONE * hz:
            count = weights[-1] + 1
            found[-1] = Tone(channel, last.hz + (hz - last.hz) / count, last.first, end, rate)
            weights[-1] = count
        else:
            found.append(Tone(channel, hz, first, end, rate))
            weights.append(1)
    return [tone for tone in found if tone.seconds >= shortest]


def _open(path: Path, name: str, ring: Ring) -> tuple[int, int, Iterator[Samples]]:
    if path.suffix == ".raw":
        return RATE, 2, raw_blocks(path, 0, path.stat().st_size // RAW_FRAME, 2)
    return sound_blocks(path, name, ring)


def _pieces(blocks: Iterable[Samples], size: int) -> Iterator[Floats]:
    """The stream in pieces of ``size`` frames, full scale 1.0; a last piece shorter than that is left out."""
    rest = np.zeros(0)
    for block in blocks:
        rest = np.concatenate((rest, block.astype(np.float64) / 32768))
        whole = len(rest) // size * size
        yield from rest[:whole].reshape(-1, size)
        rest = rest[whole:]


def _spectrum(window: Floats, size: int) -> Floats:
    power: Floats = np.abs(np.fft.rfft((window - window.mean()) * np.hanning(len(window)), size)) ** 2
    return power


def _peak(power: Floats, hz_per_bin: float) -> tuple[int, float]:
    """The strongest bin above LOWEST_HZ, and its frequency by a parabola through its neighbours (in dB)."""
    lowest = max(1, math.ceil(LOWEST_HZ / hz_per_bin))
    at = lowest + int(np.argmax(power[lowest:-1]))
    before, here, after = np.log(power[at - 1 : at + 2] + 1e-30)
    bend = before - 2 * here + after
    return at, float((at + (0.5 * (before - after) / bend if bend < 0 else 0.0)) * hz_per_bin)


def _pure_tone(window: Floats, rate: int) -> float:
    """The frequency of a window that holds one tone; 0.0 for anything else."""
    if _dbfs(float(np.mean(window**2))) < SOUND_DBFS:
        return 0.0
    power = _spectrum(window, len(window))
    at, hz = _peak(power, rate / len(window))
    # A Hann window spreads a tone over four bins.
    share = power[max(0, at - 2) : at + 3].sum() / max(power.sum(), 1e-30)
    return hz if share >= PURE else 0.0


def _dbfs(mean_square: float) -> float:
    return 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


class _Running:
    """The measure of one channel, taken in block by block."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._piece = round(rate * PIECE_SECONDS)
        # Whole pieces, so that each is judged whole wherever the windows fall; 0.24 s, 4 Hz.
        self._window = 12 * self._piece
        self._frames = self._sounding = 0
        self._square = 0.0
        self._power = np.zeros(self._window // 2 + 1)
        self._rest = np.zeros(0)

    def take(self, samples: npt.NDArray[np.int16]) -> None:
        self._frames += len(samples)
        held = np.concatenate((self._rest, samples.astype(np.float64) / 32768))
        whole = len(held) // self._window * self._window
        for window in held[:whole].reshape(-1, self._window):
            self._measure(window)
        self._rest = held[whole:]

    def _measure(self, window: Floats) -> None:
        power = np.zeros(0)
        for start in range(0, len(window), self._piece):
            piece = window[start : start + self._piece]
            square = float(np.mean(piece**2))
            if _dbfs(square) >= SOUND_DBFS:
                self._sounding += len(piece)
                self._square += square * len(piece)
                power = power if len(power) else _spectrum(window, self._window)
        if len(power):
            self._power += power

    def result(self, channel: int, talk_id: str) -> ChannelMeasure:
        if len(self._rest):
            self._measure(self._rest)
            self._rest = np.zeros(0)
        level, hz = -math.inf, 0.0
        if self._sounding:
            level = _dbfs(self._square / self._sounding)
            hz = _peak(self._power, self._rate / self._window)[1]
        return ChannelMeasure(
            channel, self._frames / self._rate, level, hz, self._sounding / self._rate, talk_id
        )
