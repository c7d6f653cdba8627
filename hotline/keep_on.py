"""Work at the daemon's side, which must not take the hotline down with it: what fails begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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
