"""The time of the journal: microseconds UTC from a steady clock, anchored once to the wall clock.

The wall clock can be stepped (by an operator, by NTP after a long absence); differences between two times of one
call must not jump with it. So the wall clock is read once, at the start, and the steady clock carries on from
there (``CLOCK_MONOTONIC``, which NTP slews but never steps). How far the wall clock has left it since is ``drift``.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Tells the time of events.

    ``wall`` and ``steady`` return nanoseconds and are replaced in tests; ``offset`` (seconds) moves both alike, so
    that a whole daemon can be run at another time of day.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
        offset: float = 0.0,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = round(offset * 1e9)
        self._ahead = 0
        self.resync()

    def now(self) -> int:
        """Microseconds since 1970 UTC; never runs backwards between two calls of ``resync``."""
        return (self._steady() + self._ahead) // 1000

    def drift(self) -> float:
        """Seconds by which the wall clock is ahead of this one (negative: behind)."""
        return (self._wall() + self._offset - self._steady() - self._ahead) / 1e9

    def resync(self) -> float:
        """Anchor anew to the wall clock; returns the seconds by which this clock was moved."""
        before = self._ahead
        self._ahead = self._wall() + self._offset - self._steady()
        return (self._ahead - before) / 1e9
