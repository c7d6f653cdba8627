"""A day at the real desk's core in virtual time: seeded callers and agents, and every wait that a caller is told."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from calllog.events import PositionTold
from config.record_file import CallRecords
from routing.messages import (
    AgentReachable,
    CallAsked,
    RecordSaved,
    Ring,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
    WakeAt,
)
from routing.queue import Desk
from routing.wait import tell
from tests.pure.desk_plain import on
from tests.pure.desk_play import START, agent, queue

SECOND = 1_000_000
EVERY = 30 * SECOND
"""Between two announcements to the same caller."""

LATE = 1.25
"""Much longer than told: a quarter of it and half a minute beyond."""


@dataclass
class Waiter:
    """One caller: what they were told when (s), and when they were served (s; 0: never)."""

    asked: float
    told: list[tuple[float, PositionTold]] = field(default_factory=list)
    served: float = 0.0


@dataclass
class Day:
    """How the day is; ``handling`` draws a talk's length in seconds, ``agents`` are at work from and to (s)."""

    seed: int
    handling: Callable[[Random], float]
    load: float
    agents: int
    hours: float = 8.0
    urgent: float = 0.0
    record: Callable[[Random], float] | None = None
    """Draws how long an agent takes for a call's record (s); None: it is not awaited."""
    leave_at: float = 0.0
    leaving: int = 0


class Bank:
    """Plays a day."""

    def __init__(self, day: Day) -> None:
        self.day, self.random = day, Random(day.seed)
        people = {f"{8001 + n}": agent(f"{8001 + n}", "a", "b") for n in range(day.agents)}
        queues = {"sales": queue("a", 5, 86_400, 15), "complaint": queue("b", 2, 86_400, 15)}
        rules = CallRecords(required=True, time_limit=600) if day.record else CallRecords()
        self.desk = Desk(Rules(queues, people, record=rules))
        self.now = START
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self.count = count()
        self.waiters: dict[str, Waiter] = {}
        self.wake = 0
        for number in people:
            self.step(AgentReachable(number, f"p{number}", True))
        self.duty = dict.fromkeys(people, START)
        self.step(on(self.duty))

    def play(self) -> list[Waiter]:
        """Everybody who called, once all were served."""
        day = self.day
        after = day.record or (lambda random: 15.0)
        mean = sum(day.handling(Random(n)) + max(15.0, after(Random(n))) for n in range(2000)) / 2000 + 3
        gap = mean / day.agents / day.load
        at, number = 0.0, 0
        while at < day.hours * 3600:
            at += self.random.expovariate(1 / gap)
            number += 1
            self.at(at, lambda number=number: self.arrives(f"c{number}"))
        if day.leaving:
            self.at(day.leave_at, self.leave)
        while self.due or self.wake:
            if self.wake and (not self.due or self.wake <= self.due[0][0]):
                self.now = max(self.now, self.wake)
                self.step(Tick())
            else:
                self.now, _number, do = heapq.heappop(self.due)
                do()
        return list(self.waiters.values())

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.due, (START + round(seconds * SECOND), next(self.count), do))

    @property
    def seconds(self) -> float:
        return (self.now - START) / SECOND

    def leave(self) -> None:
        """Some agents' shift ends."""
        self.duty = dict(list(self.duty.items())[: self.day.agents - self.day.leaving])
        self.step(on(self.duty))

    def arrives(self, call: str) -> None:
        urgent = self.random.random() < self.day.urgent
        self.waiters[call] = Waiter(self.seconds)
        self.step(CallAsked(call, "complaint" if urgent else "sales", self.now, 2 if urgent else 5))
        self.tell(call)

    def tell(self, call: str) -> None:
        """As ``routing.announce`` does."""
        found = self.desk.outlook(call, self.now)
        if found is None:
            return
        self.desk._outlooks._teams.clear()  # who asked before must make no difference
        assert self.desk.outlook(call, self.now) == found
        waiter = self.waiters[call]
        said = [event for _at, event in waiter.told]
        timed = [event for event in said if event.wait is not None]
        told = tell(said[-1] if said else None, timed[-1] if timed else None, found)
        waiter.told.append((self.seconds, told))
        self.at(self.seconds + EVERY / SECOND, lambda: self.tell(call))

    def step(self, event: Any) -> None:
        for command in self.desk.step(self.now, event):
            if isinstance(command, WakeAt):
                self.wake = command.at
            elif isinstance(command, Ring):
                self.at(self.seconds + 3, lambda ring=command: self.answered(ring))

    def answered(self, ring: Ring) -> None:
        self.waiters[ring.call_id].served = self.seconds
        self.step(RingReport(ring.call_id, ring.talk_id, ring.agent, "answered"))
        self.step(TalkBegan(ring.call_id, ring.talk_id))
        talk = self.day.handling(self.random)
        self.at(self.seconds + talk, lambda: self.step(TalkEnded(ring.call_id, ring.talk_id)))
        if self.day.record is not None:
            written = self.seconds + talk + self.day.record(self.random)
            self.at(written, lambda: self.step(RecordSaved(ring.call_id, True)))


def verdicts(waiters: list[Waiter]) -> list[tuple[float, float]]:
    """What was told (s) and what it became, for every time that was told."""
    return [
        (60.0 * max(1, told.wait), waiter.served - at)
        for waiter in waiters
        for at, told in waiter.told
        if told.wait is not None
    ]


def late(told: float, became: float) -> bool:
    """Much longer than told."""
    return became > LATE * told + 30
