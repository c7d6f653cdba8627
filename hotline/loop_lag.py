"""How late the event loop comes: the one number that says whether the daemon's own process has time for its calls."""

from __future__ import annotations

import asyncio
from collections import deque

EVERY = 0.5
"""Seconds between two looks."""

SPAN = 60.0
"""Seconds over which the longest is kept."""


class LoopLag:
    """:meth:`run` it; ``longest`` is in seconds, of the last minute."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=round(SPAN / EVERY))

    @property
    def longest(self) -> float:
        """The longest time for which something that was due had to wait."""
        return max(self._seen, default=0.0)

    async def run(self) -> None:
        """Look for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY
            await asyncio.sleep(EVERY)
            self._seen.append(max(0.0, loop.time() - due))
