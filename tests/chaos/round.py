"""One fault under a crowd: warm up until calls are in every stage, strike, let the crowd go home, audit."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field

from tests.chaos.audit import Audit, audit
from tests.chaos.house import House

STAGES = ({"arrived", "greeting"}, {"menu"}, {"queue", "ringing"}, {"talk"}, {"offer", "voicemail"})
"""There is a call in each of these groups when a fault strikes."""

EVERY_STAGE = 20.0
"""Seconds to wait for that; then the fault strikes all the same, and the row says so."""

WARM = 5.0
"""The same in the short form."""

Fault = Callable[[House], Awaitable[None]]


@dataclass
class Row:
    """One line of the table."""

    fault: str
    tries: int = 0
    seconds: float = 0.0
    struck_in: list[str] = field(default_factory=list)
    skipped: str = ""
    audit: Audit = field(default_factory=Audit)

    @property
    def losses(self) -> list[str]:
        return self.audit.losses

    def add(self, other: Audit) -> None:
        """One more audit of the same fault."""
        mine = self.audit
        for name in ("callers", "answered", "talks", "long_talks", "verified"):
            setattr(mine, name, getattr(mine, name) + getattr(other, name))
        mine.outcomes += other.outcomes
        mine.reasons += other.reasons
        mine.shares += other.shares
        mine.losses += other.losses


async def every_stage(house: House, limit: float = EVERY_STAGE) -> list[str]:
    """Return when calls are in every stage; which stages have calls."""
    there: set[str] = set()
    until = time.monotonic() + limit
    while time.monotonic() < until:
        there = await asyncio.to_thread(_stages, house)
        if all(group & there for group in STAGES):
            break
        await asyncio.sleep(0.05)
    return sorted(there)


def _stages(house: House) -> set[str]:
    try:
        with closing(sqlite3.connect(f"file:{house.store}?mode=ro", uri=True, timeout=1)) as connection:
            return {row[0] for row in connection.execute("SELECT stage FROM call WHERE ended_at = 0")}
    except sqlite3.Error:
        return set()


async def one_round(house: House, row: Row, fault: Fault, *, rate: float, after: float, leave: bool = False) -> None:
    """Strike once; ``after``: seconds that the crowd goes on arriving once the fault is over.

    ``leave``: then all hang up at once, instead of going home one by one.
    """
    began = time.monotonic()
    house.crowd.arrive(rate)
    row.struck_in = await every_stage(house, WARM if leave else EVERY_STAGE)
    row.tries += 1
    try:
        await fault(house)
        await asyncio.sleep(after)
        if leave:
            await house.crowd.everyone_leaves()
        await house.crowd.drained()
    finally:
        house.crowd.stop_arriving()
    row.add(await audit(house))
    row.seconds += time.monotonic() - began


async def settle(house: House, rate: float, *, leave: bool = False) -> None:
    """A crowd without a fault, so that everything that is opened at first need is open; that is the idle level."""
    house.crowd.arrive(rate)
    await every_stage(house, WARM if leave else EVERY_STAGE)
    await asyncio.sleep(2)
    if leave:
        await house.crowd.everyone_leaves()
    await house.crowd.drained()
    found = await audit(house)
    assert not found.losses, found.losses
    for _look in range(5):  # the most of what is there: some of it comes and goes
        now = await house.open_files()
        house.idle = {what: max(count, house.idle.get(what, 0)) for what, count in now.items()}
        await asyncio.sleep(0.2)
