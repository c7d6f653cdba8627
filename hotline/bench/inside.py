"""What can be measured without a telephone: the desk's decisions and the journal's speed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import median

from calllog import events as ev
from calllog.clock import Clock
from calllog.journal import Journal
from config import settings
from routing.messages import AgentReachable, CallAsked, Ring, RingReport, Rules, Standing, TalkBegan, TalkEnded
from routing.queue import Desk
from routing.roster import Line

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
SIZES = (100, 300, 1_000, 3_000, 10_000, 20_000)
"""Callers who wait; the agents are a fifth of them."""
LONGEST = 36_000.0
"""Seconds that everybody is ready to wait, so that the queue keeps its length."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Seconds that one step of the desk takes. ``growth``: how many times the median of the smallest size."""

    waiting: int
    agents: int
    median: float
    p99: float
    growth: float
    logarithmic: float
    """What a growth with the logarithm of the size would be."""


def decisions(sizes: tuple[int, ...] = SIZES, rounds: int = 4_000) -> list[Decisions]:
    """Let desks of several sizes work: talks end, the next rings, answers, talks; new callers keep the queue full."""
    found: list[Decisions] = []
    for waiting in sizes:
        took = _steps(waiting, max(1, waiting // 5), rounds)
        middle = median(took)
        first = found[0].median if found else middle
        found.append(Decisions(
            waiting, max(1, waiting // 5), middle, took[round(0.99 * (len(took) - 1))], middle / first,
            log(waiting) / log(sizes[0]),
        ))  # fmt: skip
    return found


def _steps(waiting: int, agents: int, rounds: int) -> list[float]:
    """The sorted lengths of all steps, once the desk is full."""
    dice = random.Random(waiting)
    names = [str(10_000 + number) for number in range(agents)]
    skills = (settings.Skill(skill="a"),)
    people = {name: settings.Agent(name=name, skills=skills, devices=(settings.Device(sip=name),)) for name in names}
    rules = Rules({"q": settings.Queue(label="q", skill="a", longest_wait=LONGEST)}, people, wrap_up=0.0)
    desk = Desk(rules)
    now, calls = START, 0
    desk.step(now, Standing({name: Line(START, False, ()) for name in names}))
    for name in names:
        desk.step(now, AgentReachable(name, name, True))
    talks: list[tuple[str, str]] = []
    took: list[float] = []

    def tell(event: CallAsked | RingReport | TalkBegan | TalkEnded) -> list[Ring]:
        began = time.perf_counter()
        commands = desk.step(now, event)
        took.append(time.perf_counter() - began)
        return [command for command in commands if isinstance(command, Ring)]

    def ask() -> None:
        nonlocal calls, now
        calls += 1
        now += dice.randrange(1, 2 * SECOND // 10)
        pick_up(tell(CallAsked(f"c{calls}", "q", now, dice.choice((4, 5, 5, 6)))))

    def pick_up(rings: list[Ring]) -> None:
        nonlocal now
        for ring in rings:
            now += SECOND // 100
            tell(RingReport(ring.call_id, ring.talk_id, ring.agent, "answered"))
            tell(TalkBegan(ring.call_id, ring.talk_id))
            talks.append((ring.call_id, ring.talk_id))

    for _ in range(waiting + agents):
        ask()
    took.clear()
    for _ in range(rounds):
        place = dice.randrange(len(talks))
        talks[place], talks[-1] = talks[-1], talks[place]
        call_id, talk_id = talks.pop()
        pick_up(tell(TalkEnded(call_id, talk_id)))
        ask()
    return sorted(took)


@dataclass(frozen=True, slots=True)
class JournalSpeed:
    """``rate``: events a second that came in steadily; ``commit_p99`` and ``commit_most``: seconds from an event that
    must not be lost to its being synced meanwhile; ``most``: events a second when they come as fast as they are taken.
    """

    rate: float
    written: int
    commit_p99: float
    commit_most: float
    most: float


async def journal(folder: Path, rate: float = 2_000.0, seconds: float = 10.0, burst: int = 40_000) -> JournalSpeed:
    """Write events of calls as they come in service, each tenth awaited, on the disk of ``folder``."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    path = folder / "bench.sqlite"
    _remove(folder)
    book = await Journal.open(path, clock=Clock(), spool=folder / "bench.spool")
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    try:
        course = _events()
        tick, written, awaited = 0.02, 0, set[asyncio.Task[None]]()

        async def kept(call_id: str, event: ev.CallEvent) -> None:
            began = loop.time()
            await book.commit("call", call_id, event)
            waits.append(loop.time() - began)

        began = loop.time()
        for number in range(round(seconds / tick)):
            for _ in range(round(rate * tick)):
                call_id, event = next(course)
                written += 1
                if written % 10:
                    book.append("call", call_id, event)
                else:
                    task = loop.create_task(kept(call_id, event))
                    awaited.add(task)
                    task.add_done_callback(awaited.discard)
            await asyncio.sleep(max(0.0, began + (number + 1) * tick - loop.time()))
        await book.flush()
        steady = written / (loop.time() - began)
        await asyncio.gather(*awaited)
        began = loop.time()
        for number in range(burst):
            call_id, event = next(course)
            book.append("call", call_id, event)
            if number % 1_000 == 999:
                await book.flush()
        most = burst / (loop.time() - began)
    finally:
        await book.close()
        _remove(folder)
    waits.sort()
    return JournalSpeed(steady, written, waits[round(0.99 * (len(waits) - 1))], waits[-1], most)


def _remove(folder: Path) -> None:
    for file in folder.glob("bench.s*"):
        file.unlink()


def _events() -> Iterator[tuple[str, ev.CallEvent]]:
    """Calls of fourteen events each, a hundred of them interleaved."""
    count = 0
    while True:
        ids = [f"bench-{count + number}.0" for number in range(100)]
        count += 100
        for place in range(14):
            for call_id in ids:
                yield call_id, _event(call_id, place)


def _event(call_id: str, place: int) -> ev.CallEvent:
    talk = f"{call_id}-1"
    course: tuple[ev.CallEvent, ...] = (
        ev.Arrived(leg=call_id, did="4001234567", trunk="carrier", party_id="p"),
        ev.Answered(),
        ev.Greeted(),
        ev.NoticeGiven(version="1"),
        ev.MenuEntered(menu="main"),
        ev.KeyPressed(menu="main", key="1", meaning="queue"),
        ev.Asked(queue="inquiry", label="", via="menu"),
        ev.Enqueued(queue="inquiry", priority=5),
        ev.RingStarted(talk_id=talk, agent="8001", device="8001", leg=f"{talk}-agent"),
        ev.RingEnded(talk_id=talk, agent="8001", result="answered"),
        ev.TalkStarted(talk_id=talk, agent="8001", bridge=f"{talk}-bridge"),
        ev.TalkEnded(talk_id=talk, agent="8001", by="caller"),
        ev.HungUp(by="caller", cause=16),
        ev.Ended(outcome="answered", reason="caller"),
    )
    return course[place]
