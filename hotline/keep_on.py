"""Work at the daemon's side, which must not take the hotline down with it: what fails begins anew, or at its next turn.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import structlog

log = structlog.get_logger()

AGAIN = 10.0
"""Seconds until work that failed begins anew."""


async def keep_on(work: str, course: Callable[[], Awaitable[object]]) -> NoReturn:
    """Run ``course``, which has no end, for ever: a fault of ours in it stands in the log under the name ``work``.

    Callers do not need it: an exception in the daemon's own tasks ends all of them, and would at each new start.
    """
    while True:
        try:
            await course()
        except Exception:
            log.exception("a side work of the daemon failed; it begins anew", work=work)
        await asyncio.sleep(AGAIN)


async def tried(work: str, course: Awaitable[object]) -> None:
    """One turn of work that has turns: a fault of ours in it stands in the log, and the next turn comes when it would.
    """
    try:
        await course
    except Exception:
        log.exception("a side work of the daemon failed; it is tried again at its next turn", work=work)


@dataclass(slots=True)
class Daily:
    """Work that has one turn each day, from a time of the clock on the wall on. Pure.

    By the local date: an hour that comes twice a year, or not at all, changes nothing of it, and a machine that slept
    over the time takes its turn when it wakes.
    """

    last: dt.date | None = None
    """The day whose turn was taken last."""

    def takes(self, now: dt.datetime, at: dt.time) -> bool:
        """Whether the day's turn has come; then it is taken. ``now`` is of the zone that is meant."""
        if now.time() < at or self.last == now.date():
            return False
        self.last = now.date()
        return True
