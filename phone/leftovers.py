"""What could not be taken away when it had to be (a leg, a bridge), since Asterisk did not answer: tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from phone.port import PhoneFault

log = structlog.get_logger()

AGAIN = 3.0
"""Seconds between two tries; every reconnect brings one, too."""

LONGEST = 600.0
"""Seconds after which it is left to the next start, which reads everything back: its connection is beyond help."""

MOST = 10_000
"""Things that are remembered; more, and the oldest are left to the next start."""


class Leftovers:
    """By name, what is still to be taken away. One task works on them while there are any."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[Callable[[], Awaitable[None]], float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._now = asyncio.Event()

    def __len__(self) -> int:
        return len(self._left)

    def remember(self, name: str, take_away: Callable[[], Awaitable[None]]) -> None:
        """Call ``take_away`` until it does not raise PhoneFault. The same name again changes nothing."""
        loop = asyncio.get_running_loop()
        if name in self._left:
            return
        if len(self._left) >= MOST:
            del self._left[next(iter(self._left))]
        self._left[name] = (take_away, loop.time() + LONGEST)
        if self._task is None:
            self._task = loop.create_task(self._work(), name="leftovers")

    def hurry(self) -> None:
        """Asterisk is there again: try now."""
        self._now.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._left:
                self._now.clear()
                try:
                    async with asyncio.timeout(AGAIN):
                        await self._now.wait()
                except TimeoutError:
                    pass
                for name, (take_away, until) in list(self._left.items()):
                    try:
                        await take_away()
                    except PhoneFault as fault:
                        if loop.time() < until:
                            break  # the others would fail in the same way
                        log.error("this stays in Asterisk until the next start", what=name, why=str(fault))
                    self._left.pop(name, None)
        finally:
            self._task = None

    def close(self) -> None:
        """Try no more."""
        if self._task is not None:
            self._task.cancel()
