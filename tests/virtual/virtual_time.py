"""An event loop whose time is its own: when nothing is ready it jumps to the next timer, so nothing really sleeps.

Everything is decided by the program alone, so a run can be repeated to the letter; ``turns`` counts the loop's turns,
and ``at_turn`` does something in the middle of any of them: the instants of a sweep.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_767_225_600_000_000
"""µs: when virtual time begins, 2026-01-01 00:00 UTC."""

LONGEST = 500_000.0
"""Virtual seconds after which a run is taken to be endless."""


class NothingWillHappen(Exception):
    """Nothing is ready and no timer is set: in real time this would hang for ever."""


class _Jumping(selectors.SelectSelector):
    """Never waits: tells the loop instead by how much time would have passed."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            self.loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. ``at_turn`` maps a turn's number to what shall happen just before it."""

    def __init__(self) -> None:
        selector = _Jumping()
        selector.loop = self
        self._virtual = 0.0
        self.turns = 0
        self.at_turn: dict[int, Callable[[], object]] = {}
        self._watched: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        super().__init__(selector)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual

    def jump(self, timeout: float | None) -> None:
        """Called once a turn by the selector."""
        self.turns += 1
        action = self.at_turn.pop(self.turns, None)
        if action is not None:
            self.call_soon(action)
            return
        if self._watched and self._came_true():
            return
        if timeout is None:
            raise NothingWillHappen(f"after {self._virtual} s")
        self._virtual += timeout
        if self._virtual > LONGEST:
            raise NothingWillHappen("this goes on for ever")

    def when(self, true: Callable[[], bool]) -> asyncio.Future[None]:
        """Done at the instant in which this becomes true: it is asked whenever nothing else is ready."""
        future: asyncio.Future[None] = self.create_future()
        self._watched.append((true, future))
        return future

    def _came_true(self) -> bool:
        self._watched = [(true, future) for true, future in self._watched if not future.done()]
        came = [future for true, future in self._watched if true()]
        for future in came:
            future.set_result(None)
        return bool(came)


def virtual_loop() -> VirtualLoop:
    """The loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it in a virtual time of its own: what a sweep does hundreds of times."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class VirtualClock:
    """The steady clock on the running loop."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return START + round(asyncio.get_running_loop().time() * 1_000_000)
