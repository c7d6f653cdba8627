"""What was heard: which prompts at which time, tones, and silence.

A prompt is found by its first half second of speech: normalised cross-correlation by FFT. Asterisk plays files sample
by sample, so a prompt that was played correlates with 0.99 through A-law, and other speech with less than 0.5. Since
prompts may begin alike ("您前面还有…"), a find is then followed frame by frame to where it stops agreeing; of several
that begin at the same moment the one that agrees longest is it. What agrees equally long because it was cut off before
the prompts part is named after all of them: ``a|b``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import g711
from .g711 import RATE, Samples

Spectra = npt.NDArray[np.complex64]

HEAD = RATE // 2
"""Samples of speech by which a prompt is found."""

LEAST = RATE // 8
"""Samples of speech that a prompt must have (0.125 s; "一" has 0.2 s): less would be found in anything."""

BLOCK, SHORT_BLOCK = 1 << 15, 1 << 13
"""Samples per FFT, for a whole call (4 s) and for what is new in one that goes on."""

HEAD_ALIKE, SHORT_ALIKE = 0.7, 0.97
"""Correlation from which a head is found, torn in its second half perhaps; a single syllable is more easily like
another."""

TEAR = RATE * 6 // 10
"""Longest silence that may tear a prompt: on a loaded machine an Asterisk that stalls sends the rest so much later."""

TEARS, AFTER, MENDED = 3, 3, 0.95
"""How many tears a prompt may have; within how many frames it must go on after each, and how alike."""

FRAME = RATE // 10
FRAME_ALIKE = 0.8
FAINT = 10 ** (-50 / 20)
"""RMS below which a frame counts as silent: A-law's own noise is at -66 dBFS."""

SAME_START = RATE // 20
"""Finds whose starts differ by less are of the same sound."""


@dataclass(frozen=True, slots=True)
class PromptHeard:
    """A prompt that was heard: from ``at``, for ``seconds``; ``whole``: to its end; ``going``: it may go on."""

    name: str
    at: float
    seconds: float
    whole: bool
    going: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """``sound`` is from the first speech to the last; ``lead`` the samples of silence in the file before that."""

    name: str
    sound: Samples
    lead: int

    @property
    def head(self) -> Samples:
        return self.sound[:HEAD]


@dataclass(frozen=True, slots=True)
class _Find:
    prompt: Prompt
    place: int
    run: int
    going: bool

    @property
    def whole(self) -> bool:
        return self.run >= len(self.prompt.sound) - FRAME


class PromptBook:
    """The prompts that may be heard, read from wav files.

    A prompt's name is its file's; in a folder beside the first (another language) with that folder's name before it:
    ``en/greeting``. One that sounds the same in both, as the beep does, has the first folder's name alone. Reads when
    first asked, and again when a file has changed. Files with less than 0.125 s of sound are left out.
    """

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self.prompts: tuple[Prompt, ...] = ()
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._spectra: dict[int, Spectra] = {}
        self._lock = threading.Lock()

    def find(self, heard: Samples) -> list[PromptHeard]:
        """The prompts in what was heard, in order of time; ``at`` from its beginning. Blocks: 4 ms per second."""
        return Listener(self).listen(heard)

    def spectra(self, size: int) -> Spectra:
        """The conjugate spectra of the prompts' heads for FFTs of ``size`` samples."""
        if size not in self._spectra:
            rows = [np.conj(np.fft.rfft(prompt.head, size)) for prompt in self.prompts]
            self._spectra[size] = np.array(rows, np.complex64).reshape(-1, size // 2 + 1)
        return self._spectra[size]

    def read(self) -> bool:
        """Look for new and changed files; returns whether there were any. Safe in any thread."""
        if not self.folders:
            return False
        with self._lock:
            paths = (path for folder in self.folders for path in sorted(folder.glob("*.wav")))
            files = [(path, path.stat()) for path in paths]
            stamps = {path: (stat.st_mtime_ns, stat.st_size) for path, stat in files}
            if stamps == self._stamps:
                return False
            read = [_trimmed(path, self._name(path)) for path in stamps]
            self.prompts = tuple(_once([prompt for prompt in read if len(prompt.sound) >= LEAST]))
            self._spectra = {}
            self._stamps = stamps
            return True

    def _name(self, path: Path) -> str:
        return path.stem if path.parent == self.folders[0] else f"{path.parent.name}/{path.stem}"


class Listener:
    """Follows one leg: each :meth:`listen` searches only what is new since the last."""

    def __init__(self, book: PromptBook) -> None:
        self._book = book
        self._lock = threading.Lock()
        self._searched = 0
        self._places: set[tuple[int, int]] = set()

    def listen(self, heard: Samples) -> list[PromptHeard]:
        """The prompts in ``heard`` (all of it, from the beginning), in order of time. Blocks; safe in any thread."""
        with self._lock:
            if self._book.read():
                self._searched, self._places = 0, set()
            if self._book.prompts and len(heard) >= LEAST:
                self._search(heard)
            return _in_order(self._finds(heard))

    def _search(self, heard: Samples) -> None:
        """Where each prompt's head is in what is new; the last half second stays for the next time."""
        prompts = self._book.prompts
        size = BLOCK if len(heard) - self._searched > BLOCK else SHORT_BLOCK
        spectra, step = self._book.spectra(size), size - HEAD
        shortest = min(len(prompt.head) for prompt in prompts)
        first = max(0, self._searched - HEAD)
        sums = np.concatenate(([0.0], np.cumsum(heard[first:].astype(np.float64) ** 2)))
        for start in range(first, len(heard) - shortest, step):
            block = heard[start : start + size]
            if _rms(block) < FAINT / 10:
                continue
            scores = np.fft.irfft(np.fft.rfft(block, size).astype(np.complex64) * spectra, size, axis=1)
            for row, prompt in enumerate(prompts):
                head = len(prompt.head)
                count = min(step, len(heard) - start - head + 1)
                if count <= 0:
                    continue
                at = start - first
                energy = np.sqrt(np.maximum(sums[at + head : at + head + count] - sums[at : at + count], 0.0))
                norm = float(np.linalg.norm(prompt.head))
                alike = scores[row, :count] / (np.maximum(energy, FAINT * head**0.5) * norm)
                for place in _peaks(alike, HEAD_ALIKE if head == HEAD else SHORT_ALIKE, head // 2):
                    self._places.add((row, start + place))
        self._searched = max(0, len(heard) - HEAD)

    def _finds(self, heard: Samples) -> list[_Find]:
        found = []
        for row, place in self._places:
            prompt = self._book.prompts[row]
            run, going = _agreement(heard[place:], prompt.sound)
            if run >= min(HEAD, len(prompt.sound)) - FRAME:
                found.append(_Find(prompt, place, run, going))
        return found


def _once(prompts: list[Prompt]) -> list[Prompt]:
    """Without those of another language that sound as the first one's do: nobody could tell them apart."""
    first = {prompt.name: prompt.sound.tobytes() for prompt in prompts if "/" not in prompt.name}
    return [
        prompt
        for prompt in prompts
        if "/" not in prompt.name or first.get(prompt.name.partition("/")[2]) != prompt.sound.tobytes()
    ]


def _in_order(finds: list[_Find]) -> list[PromptHeard]:
    """One prompt at a time: a find inside another prompt is a part of that one."""
    finds.sort(key=lambda find: find.place)
    found: list[PromptHeard] = []
    free_from = 0
    while finds:
        first = finds[0].place
        group = [find for find in finds if find.place - first < SAME_START]
        finds = finds[len(group) :]
        if first < free_from - FRAME:
            continue
        best = _longest(group)
        free_from = max(find.place + find.run for find in best)
        found.append(
            PromptHeard(
                "|".join(sorted({find.prompt.name for find in best})),
                max(0.0, (best[0].place - best[0].prompt.lead) / RATE),
                best[0].run / RATE,
                best[0].whole,
                any(find.going for find in best),
            )
        )
    return found


def tone_spans(heard: Samples, hz: float) -> list[tuple[float, float]]:
    """When ``hz`` was heard, in steps of 50 ms: at least 60 % of the energy (a voice has less at any frequency)."""
    step = RATE // 20
    frames = _frames(heard, step)
    wave = np.exp(-2j * np.pi * hz * np.arange(step) / RATE)
    power = 2 * np.abs(frames @ wave) ** 2 / step
    energy = np.maximum((frames**2).sum(axis=1), step * FAINT**2)
    return _spans(power / energy > 0.6, step)


def silent_spans(heard: Samples, longer_than: float) -> list[tuple[float, float]]:
    """When nothing was heard for more than ``longer_than`` seconds, in steps of 100 ms."""
    frames = _frames(heard, FRAME)
    spans = _spans(np.sqrt((frames**2).mean(axis=1)) < FAINT, FRAME)
    return [span for span in spans if span[1] - span[0] > longer_than]


def _longest(group: list[_Find]) -> list[_Find]:
    """Of finds at one moment those that agree longest; of equal ones those that were heard to their end."""
    longest = max(find.run for find in group)
    best = [find for find in group if find.run >= longest - 2 * FRAME]
    undecided = any(find.going and not find.whole for find in best)
    return best if undecided else [find for find in best if find.whole] or best


def _agreement(heard: Samples, sound: Samples, tears: int = TEARS) -> tuple[int, bool]:
    """For how many samples of ``sound`` ``heard`` goes along, and whether ``heard`` ended before they parted.

    One frame in between may be amiss (a lost packet), and silence may tear it.
    """
    run, going = _straight(heard, sound)
    if going or not tears or run < 2 * FRAME:
        return run, going
    for rest in range(run + FRAME, len(sound) - FRAME + 1, FRAME)[:AFTER]:  # the frame that is torn is of no use
        at = _found(sound[rest : rest + FRAME], heard[rest : rest + TEAR + FRAME])
        if at is not None:
            more, going = _agreement(heard[rest + at :], sound[rest:], tears - 1)
            return (rest + more, going) if more else (run, False)
    return run, going


def _found(piece: Samples, window: Samples) -> int | None:
    """Where the very sound of ``piece`` is in ``window``."""
    norm = float(np.linalg.norm(piece))
    if len(window) <= len(piece) or norm < 2 * FAINT * len(piece) ** 0.5:
        return None
    sums = np.concatenate(([0.0], np.cumsum(window.astype(np.float64) ** 2)))
    loud = np.sqrt(np.maximum(sums[len(piece) :] - sums[: -len(piece)], len(piece) * FAINT**2))
    alike = np.correlate(window, piece, "valid") / (loud * norm)
    at = int(np.argmax(alike))
    return at if alike[at] > MENDED else None


def _straight(heard: Samples, sound: Samples) -> tuple[int, bool]:
    """The same up to the first tear."""
    count = min(len(heard), len(sound))
    ours, theirs = _frames(heard[:count], FRAME), _frames(sound[:count], FRAME)
    loud_ours, loud_theirs = np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1)
    faint = FAINT * FRAME**0.5
    alike = (ours * theirs).sum(axis=1) / np.maximum(loud_ours * loud_theirs, faint**2)
    both_silent = (loud_ours < 2 * faint) & (loud_theirs < 2 * faint)
    same_level = (loud_ours < 4 * loud_theirs) & (loud_theirs < 4 * loud_ours)
    good = both_silent | ((alike > FRAME_ALIKE) & same_level)
    # What comes after a prompt in silence agrees with the prompt's own pauses: only speech prolongs a run.
    run, parted = 0, False
    for at, fine in enumerate(good):
        if fine and not both_silent[at]:
            run = at + 1
        elif not fine and (at + 1 < len(good) and not good[at + 1]):
            parted = True
            break
    return min(count, run * FRAME), not parted and len(heard) < len(sound) + FRAME


def _peaks(scores: npt.NDArray[np.floating], least: float, apart: int) -> list[int]:
    places: list[int] = []
    high = np.flatnonzero(scores > least)
    while len(high):
        group = high[high < high[0] + apart]
        places.append(int(group[np.argmax(scores[group])]))
        high = high[len(group) :]
    return places


def _trimmed(path: Path, name: str) -> Prompt:
    """Through A-law, since that is how it is heard, and without the silence around it."""
    sound = g711.decode(g711.encode(g711.read_sound(path)))
    step = RATE // 100
    loud = np.flatnonzero(np.sqrt((_frames(sound, step) ** 2).mean(axis=1)) > 2 * FAINT)
    if not len(loud):
        return Prompt(name, sound[:0], 0)
    first, last = int(loud[0]) * step, int(loud[-1] + 1) * step
    return Prompt(name, sound[first:last], first)


def _frames(sound: Samples, step: int) -> Samples:
    return sound[: len(sound) // step * step].reshape(-1, step)


def _rms(sound: Samples) -> float:
    return float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0


def _spans(marks: npt.NDArray[np.bool_], step: int) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])).astype(np.int8)))
    return [(float(a * step / RATE), float(b * step / RATE)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
