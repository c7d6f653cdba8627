"""Measures a recording while it is decoded: one pass over blocks that are read anyway. What is meant by each measure
stands in ``recordings.measures``. Imports numpy: for workers and commands only.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recordings.folders import RATE
from recordings.measures import PEAKS_PER_SECOND, QUIETEST, Measures, Spans
from recordings.sound import Samples

PIECES_PER_SECOND = 50
"""20 ms, one RTP packet's worth."""
HOP = 5
"""Pieces in 100 ms: the step of BS.1770's gating blocks."""
BLOCK_HOPS = 4
"""Steps in a gating block of 400 ms."""
SPEECH_DBFS = -50.0
FAINT = 10 ** (-60 / 10)
"""Mean square of 100 ms below which the weighting, by far the dearest part, is left out: it would change by some dB
what is far below all that is heard. In most talks one side is silent at any time."""
HANGOVER = 10
"""Pieces of a pause that still belong to what is said: 0.2 s."""
SHORTEST_SPEECH = 3
"""Pieces: what is shorter is a click."""
PEAK_PIECES = PIECES_PER_SECOND // PEAKS_PER_SECOND

_SHELF_B, _SHELF_A = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
_HIGH_PASS_B, _HIGH_PASS_A = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)
"""BS.1770-5, tables 1 and 2: the two filters at 48 kHz."""

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class Measuring:
    """Takes a recording block by block: give :meth:`take` to ``recordings.sound.decode``, then ask :meth:`result`."""

    def __init__(self) -> None:
        self._rate, self._frames, self._hop = RATE, 0, 0
        self._rest = np.zeros((0, 0), dtype=np.int16)
        self._peaks: list[npt.NDArray[np.int32]] = []
        self._squares: list[Floats] = []
        self._weighted: list[Floats] = []
        self._weights = np.zeros(0, dtype=np.float32)

    def take(self, block: Samples, rate: int) -> None:
        """The next block, of (frames, sides) at ``rate`` Hz."""
        if not self._hop:
            self._rate = rate
            self._rest = np.zeros((block.shape[1], 0), dtype=np.int16)
            self._hop = rate // PIECES_PER_SECOND * HOP
            self._weights = _weights(rate, self._hop)
        self._frames += len(block)
        sides = block.T
        sides = np.concatenate((self._rest, sides), axis=1) if self._rest.shape[1] else np.ascontiguousarray(sides)
        whole = sides.shape[1] // self._hop * self._hop
        self._measure(sides[:, :whole], self._hop)
        self._rest = sides[:, whole:].copy()

    def result(
        self, silence_from: float, talk_over_from: float, within: Iterable[tuple[int, int]] = (),
        paused: Iterable[tuple[int, int]] = (),
    ) -> Measures:  # fmt: skip
        """What was measured. ``within``: the frames of talks, outside of which silence is none (nothing: everything is
        one talk); ``paused``: frames in which the recording was meant to be silent."""
        sides = len(self._rest) or 1
        if self._rest.size:
            weighted = len(self._weighted)
            self._measure(np.pad(self._rest, ((0, 0), (0, self._hop - self._rest.shape[1]))), self._hop)
            if weighted:  # BS.1770: an incomplete block does not count
                self._weighted.pop()
            self._rest = self._rest[:, :0]
        pieces = self._piece(self._frames, up=True)
        none = np.zeros((sides, 0))
        squares = np.concatenate([none, *self._squares], axis=1)[:, :pieces]
        peaks = np.concatenate([none, *self._peaks], axis=1)[:, :pieces]
        weighted_power = np.concatenate([none, *self._weighted], axis=1)
        speaks = np.stack([_speech(side) for side in squares >= 10 ** (SPEECH_DBFS / 10)])
        talk = np.zeros(pieces, dtype=bool)
        for first, end in list(within) or [(0, self._frames)]:
            talk[self._piece(first) : self._piece(end, up=True)] = True
        for first, end in paused:
            talk[self._piece(first) : self._piece(end, up=True)] = False
        silence = talk & ~speaks.any(axis=0)
        over = np.zeros(pieces, dtype=bool)
        if sides > 1:
            over |= speaks.all(axis=0)
        return Measures(
            seconds=round(self._frames / self._rate, 2),
            peaks=tuple(_steps(side) for side in peaks),
            loudness=tuple(_loudness(side) for side in weighted_power),
            speech=tuple(_spans(side) for side in list(speaks)),
            silences=_spans(silence, silence_from),
            talk_overs=_spans(over, talk_over_from),
            silence_from=silence_from,
            talk_over_from=talk_over_from,
        )

    def _piece(self, frame: int, *, up: bool = False) -> int:
        return max(0, (-(-frame * PIECES_PER_SECOND // self._rate) if up else frame * PIECES_PER_SECOND // self._rate))

    def _measure(self, sides: Samples, hop: int) -> None:
        """Whole steps of 100 ms."""
        if not sides.size:
            return
        pieces = sides.reshape(len(sides), -1, hop // HOP)
        high, low = pieces.max(axis=2).astype(np.int32), pieces.min(axis=2).astype(np.int32)
        self._peaks.append(np.maximum(high, -low))
        scaled = sides.astype(np.float32)
        scaled *= np.float32(1 / 32768)
        split = scaled.reshape(pieces.shape)
        self._squares.append(np.einsum("spf,spf->sp", split, split) * np.float32(HOP / hop))
        weighted = self._squares[-1].reshape(len(sides), -1, HOP).mean(axis=2)
        loud = weighted > FAINT
        spectrum = np.fft.rfft(scaled.reshape(len(sides), -1, hop)[loud], axis=1)
        weighted[loud] = (spectrum.real**2 + spectrum.imag**2) @ self._weights
        self._weighted.append(weighted)


@lru_cache(maxsize=4)
def _weights(rate: int, frames: int) -> Floats:
    """By bin of a spectrum of so many frames: what its power counts for in the mean square (Parseval, both halves)."""
    hz = np.arange(frames // 2 + 1) * rate / frames
    z = np.exp(-2j * np.pi * hz / 48_000)
    shape = np.ones(len(hz))
    for above, below in ((_SHELF_B, _SHELF_A), (_HIGH_PASS_B, _HIGH_PASS_A)):
        shape *= np.abs(np.polyval(above[::-1], z) / np.polyval(below[::-1], z)) ** 2
    shape *= 2 / frames**2
    shape[0] /= 2
    shape[-1] /= 2
    return shape.astype(np.float32)


def _loudness(power: npt.NDArray[np.float64]) -> float:
    """Gated loudness in LUFS, by the weighted mean square of each 100 ms (BS.1770-5, annex 1)."""
    if not len(power):
        return QUIETEST
    hops = min(BLOCK_HOPS, len(power))
    blocks = np.convolve(power, np.full(hops, 1 / hops), "valid")
    loud = blocks[blocks > _power(QUIETEST)]
    if not len(loud):
        return QUIETEST
    loud = loud[loud > loud.mean() / 10]
    return max(QUIETEST, round(float(10 * np.log10(loud.mean())) - 0.691, 1))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _runs(where: Bools) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """First pieces and ends of each run of True."""
    edges = np.flatnonzero(np.diff(where, prepend=False, append=False))
    return edges[::2], edges[1::2]


def _speech(loud: Bools) -> Bools:
    """The loud pieces with short pauses taken in and clicks left out."""
    starts, ends = _runs(loud)
    if not len(starts):
        return loud
    apart = starts[1:] - ends[:-1] > HANGOVER
    starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
    long = ends - starts >= SHORTEST_SPEECH
    change = np.zeros(len(loud) + 1, dtype=np.int8)
    change[starts[long]] = 1
    change[ends[long]] -= 1
    speaks: Bools = np.cumsum(change[:-1], dtype=np.int8).astype(bool)
    return speaks


def _spans(where: Bools, shortest: float = 0.0) -> Spans:
    starts, ends = _runs(where)
    long = ends - starts >= shortest * PIECES_PER_SECOND
    found = np.stack([starts[long], ends[long]], axis=1) / PIECES_PER_SECOND
    return tuple((first, end) for first, end in found.tolist())


def _steps(peaks: npt.NDArray[np.float64]) -> bytes:
    """The highest of each 40 ms in 255 steps of the square root of full scale."""
    rest = -len(peaks) % PEAK_PIECES
    highest = np.pad(peaks, (0, rest)).reshape(-1, PEAK_PIECES).max(axis=1, initial=0)
    return bytes(np.ceil(np.sqrt(np.minimum(highest, 32767) / 32767) * 255).astype(np.uint8))
