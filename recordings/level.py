"""Is this the same sound, heard after a lossy codec? By the level of each side in each second.

A lossy file cannot be proved sample by sample. What can go wrong with it in earnest (a side missing, sides exchanged,
sound of another call, silence, a part dropped or doubled) changes the level of whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from recordings.folders import RATE
from recordings.sound import Samples

FAINT_DBFS = -50.0
"""Below this a second's level says nothing: a codec leaves faint noise away, or makes some."""
OFF_DB = 6.0
"""By how much a second's level may differ. At its edges a codec smears a sound into the next second: so it may be as
loud as the seconds beside it are."""
TOTAL_DB = 1.5
"""By how much the level of a side may differ as a whole."""


class Level:
    """The mean square of each side in each 8000 frames, taken in block by block."""

    def __init__(self) -> None:
        self._rest = np.zeros((0, 0), dtype=np.int16)
        self._seconds: list[npt.NDArray[np.float64]] = []

    def take(self, block: Samples) -> None:
        """The next block."""
        held = np.concatenate((self._rest, block)) if self._rest.size else block
        whole = len(held) // RATE * RATE
        split = held[:whole].reshape(-1, RATE, held.shape[1]).astype(np.float64) / 32768
        self._seconds.append(np.einsum("nfs,nfs->ns", split, split) / RATE)
        self._rest = held[whole:].copy()

    def through(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """The blocks as they are, each taken in on its way."""
        for block in blocks:
            self.take(block)
            yield block

    def dbfs(self) -> npt.NDArray[np.float64]:
        """(seconds, sides); the rest of a second at the end by what there is of it."""
        found = list(self._seconds)
        if self._rest.size:
            rest = self._rest.astype(np.float64) / 32768
            found.append((rest**2).mean(axis=0, keepdims=True))
        if not found:
            return np.zeros((0, 0))
        level: npt.NDArray[np.float64] = 10 * np.log10(np.concatenate(found) + 1e-12)
        return level


def alike(given: Level, heard: Level) -> bool:
    """Whether both are as long, and as loud on each side all along."""
    one, other = np.maximum(given.dbfs(), FAINT_DBFS), np.maximum(heard.dbfs(), FAINT_DBFS)
    if one.shape != other.shape:
        return False
    if not one.size:
        return True
    beside = np.pad(one, ((1, 1), (0, 0)), mode="edge")
    loudest = np.maximum(np.maximum(beside[:-2], beside[2:]), one)
    if (other < one - OFF_DB).any() or (other > loudest + OFF_DB).any():
        return False
    totals = [10 * np.log10((10 ** (level / 10)).mean(axis=0)) for level in (one, other)]
    return bool((np.abs(totals[0] - totals[1]) <= TOTAL_DB).all())
