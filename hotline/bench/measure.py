"""What is done to each side, and what is read from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from hotline.bench.cost import Cost, children, resident_mb
from hotline.bench.sides import FEW, FEW_KEY, Ground, Running
from hotline.bench.stage import Stage, stage

LENGTH, TALK = 8.0, 3.5
"""Seconds of a call that the warm-up makes, and of the talk in every call that counts."""
RING = 1.0
"""Seconds that a phone rings."""
WARM_UP = 20
"""Calls before those that count: processes start, files are read, memory is had for the first time."""
AFTER = 1.0
"""Seconds after the last call until the processes' times are read."""
QUIET = 60.0
"""Seconds that the last talks may take to end."""
SUFFERS = 0.01
"""Share of late or missing packets, for two seconds on end, at which sound suffers."""
SLOW_ANSWER = 1.0
"""Seconds to the 200 at which a call counts as failed: a caller hears nothing until then."""
MISSED = 0.02
"""Share of a step's calls that may be without an agent before the step counts as failed: those at its edges."""


@dataclass(slots=True)
class Busy:
    """One run at a steady rate a second. ``cost``: CPU seconds per call; ``answer``: seconds from INVITE to 200;
    ``talk``: seconds per call; ``lost``: share of packets late or missing; ``late``: seconds, the generator's p99."""

    rate: float
    calls: int
    good: int
    talks: int
    talk: float
    cost: Cost
    answer: list[float]
    lost: float = 0.0
    late: float = 0.0


async def busy(ground: Ground, side: Running, phones: int, runs: Sequence[tuple[float, float]]) -> list[Busy]:
    """Each of ``runs``: calls at a rate a second, for so many seconds; talks last ``TALK`` seconds on the average."""
    found: list[Busy] = []
    async with stage(ground, side, ground.phones(phones), ring=RING) as on:
        await on.callers.call(WARM_UP, WARM_UP / 2, LENGTH)
        await _quiet(on)
        # Where callers wait longer for an agent, they stay longer: each talks, and is recorded, for the same time.
        length = LENGTH + TALK - fmean(end - begin for begin, end in on.agents.talks)
        for rate, seconds in runs:
            on.agents.talks.clear()
            before = side.cost()
            made = await on.callers.call(round(rate * seconds), rate, length)
            await asyncio.sleep(AFTER)
            await side.idle()
            used, count = side.cost() - before, max(1, made.made)
            talks = [end - begin for begin, end in on.agents.talks]
            per_call = Cost(used.asterisk / count, used.daemon / count, used.workers / count)
            found.append(Busy(rate, made.made, made.good, len(talks), fmean(talks or [0.0]), per_call, made.delays))
    for one in found:
        one.lost, one.late = on.heard.lost, on.heard.late_p99
    return found


async def free_to_ring(ground: Ground, side: Running, each: int) -> list[float]:
    """Seconds from an agent's hang-up to the next ring at the same agent, with callers waiting all the time.

    ``each``: calls per agent.
    """
    async with stage(ground, side, ground.few(), ring=0.2, talk=1.0, key=FEW_KEY) as on:
        calls = FEW * each
        await on.callers.call(calls, FEW * 2.0, each * 2.5 + 15.0, hang_up=False)
        await _quiet(on)
        return list(on.agents.free_to_ring)


@dataclass(slots=True)
class Talks:
    """``most``: talks that were on when sound began to suffer; ``suffered``: whether it did at all."""

    most: int
    suffered: bool
    lost: float
    late: float
    daemon_mb: float = 0.0
    """Resident memory of the daemon at 200 calls, MB; 0 where there is no daemon or so many calls were not reached."""
    workers_mb: float = 0.0


async def talks(ground: Ground, side: Running, phones: int, rate: float) -> Talks:
    """More and more recorded talks until sound suffers, or all phones are busy."""
    found = Talks(0, False, 0.0, 0.0)
    on_at: dict[int, int] = {}
    longest = phones / rate + 12.0
    async with stage(ground, side, ground.phones(phones), ring=0.3) as on:
        calling = asyncio.create_task(on.callers.call(phones, rate, longest, longest=longest))
        try:
            while not calling.done():
                on_at[int(time.time())] = on.agents.talking
                if side.daemon is not None and on.agents.talking >= 200 and not found.daemon_mb:
                    found.daemon_mb, found.workers_mb = memory(side)
                await asyncio.sleep(0.25)
            await calling
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
    second = on.heard.suffered_at(SUFFERS)
    found.suffered = second is not None
    found.most = on_at.get(second, 0) if second is not None else max(on_at.values(), default=0)
    found.lost, found.late = on.heard.lost, on.heard.late_p99
    return found


@dataclass(slots=True)
class Rate:
    """``best``: the highest rate a second, of the steps, at which no call failed; ``failed``: why the next one did."""

    best: float
    failed: str
    steps: list[tuple[float, int, int, float]] = field(default_factory=list)
    """Rate, calls, calls that failed or were answered late or never reached an agent, slowest answer (s)."""


async def calls_a_second(
    ground: Ground, side: Running, phones: int, first: float, grow: float, steps: int, every: float = 5.0
) -> Rate:
    """Short calls at a rate that grows step by step, until the first one fails."""
    length = ground.key_after() + 2.5
    found = Rate(0.0, "")
    async with stage(ground, side, ground.phones(phones), ring=0.2) as on:
        for number in range(steps):
            rate = first + grow * number
            on.agents.rings.clear()
            made = await on.callers.call(round(rate * every), rate, length)
            slow = sum(1 for delay in made.delays if delay > SLOW_ANSWER)
            alone = max(0, made.made - len(on.agents.rings))
            bad = made.made - made.good + slow + (alone if alone > MISSED * made.made else 0)
            found.steps.append((rate, made.made, bad, max(made.delays, default=0.0)))
            if bad:
                why = {"failed": made.made - made.good, "slow": slow, "alone": alone}
                found.failed = max(why, key=lambda one: why[one])
                break
            found.best = rate
            await _quiet(on)
    return found


def memory(side: Running) -> tuple[float, float]:
    """Resident memory in MB of the daemon's own process, and of its workers together."""
    assert side.daemon is not None
    return resident_mb(side.daemon), sum(resident_mb(child) for child in children(side.daemon))


async def _quiet(on: Stage) -> None:
    """Return when the last talk has ended and everything of it is done."""
    async with asyncio.timeout(QUIET):
        await on.agents.quiet.wait()
    await on.side.idle()


