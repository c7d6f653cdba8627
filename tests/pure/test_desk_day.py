"""The desk through whole days in virtual time: thousands of synthetic callers, agents with habits, everything seeded.

The referee holds every single step to the desk's promises; for the smaller days the plain model decides alongside.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    Command,
    LiveTalk,
    Restore,
    Ring,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
)
from routing.queue import Desk
from tests.pure.desk_plain import on
from tests.pure.desk_play import SECOND, START, Play, agent, queue

SKILLS = ["a", "b", "c", "d"]
QUEUES = {
    "consult": queue("a", 5, 240),
    "complain": queue("b", 3, 180),
    "suggest": queue("c", 6, 120, wrap_up=0),
    "business": queue("d", 5, 300),
    "vip": queue("a", 1, 600),
}


class Day:
    """Callers come, wait, lose patience; agents answer, miss, talk, pause, lose their phones, change shifts."""

    def __init__(self, seed: int, agents: int, calls: int, per_second: float, naive: bool) -> None:
        self.dice = dice = random.Random(seed)
        numbers = [str(8001 + n) for n in range(agents)]
        people = {one: agent(one, *dice.sample(SKILLS, dice.choice([1, 2, 2, 3]))) for one in numbers}
        self.play = Play(Rules(QUEUES, people, wrap_up=12), naive=naive)
        self.later: list[tuple[int, int, Any]] = []
        self.numbers, self.count, self.served = numbers, 0, 0
        self.duty: dict[str, int] = {}
        self.queue: dict[str, str] = {}
        self.rings: Counter[str] = Counter()
        for one in numbers:
            self.play.tell(AgentReachable(one, f"p{one}", True))
        at = 0.0
        for n in range(calls):
            at += dice.expovariate(per_second)
            self.at(at, ("call", f"c{n}"))
        for minute in range(0, int(at) + 60, 600):
            self.at(minute, ("shift",))
        for _ in range(int(at / 20)):
            self.at(dice.uniform(0, at), dice.choice([("phone",), ("pause",), ("ready",)]))

    def at(self, seconds: float, what: Any) -> None:
        self.count += 1
        heapq.heappush(self.later, (self.play.now + round(seconds * SECOND), self.count, what))

    def run(self) -> list[Command]:
        while self.later or self.play.wake:
            due = self.later[0][0] if self.later else self.play.wake
            if self.play.wake and self.play.wake <= due:
                self.play.now = self.play.wake
                self.tell(Tick())
            else:
                self.play.now, _, what = heapq.heappop(self.later)
                self.happens(*what)
        return self.play.log

    def tell(self, event: Any) -> None:
        for command in self.play.tell(event):
            if isinstance(command, Ring):
                self.rung(command)

    def crash(self) -> None:
        """The daemon is gone and comes back: all it knows is the journal, and which talks are up in Asterisk."""
        play, referee = self.play, self.play.referee
        old, play.desk, play.wake = play.desk, Desk(play.rules), 0
        referee.rung.clear()
        referee.cool.clear()
        self.tell(
            Restore(
                agents=old.agents(),
                waiting=[replace(asked, rings=self.rings[call]) for call, asked in referee.waiting.items()],
                talks=[
                    LiveTalk(call, ring.talk_id, ring.agent, self.queue[call]) for call, ring in referee.talks.items()
                ],
                standing=on(self.duty),
                reachable=sorted(referee.reached),
            )
        )

    def rung(self, ring: Ring) -> None:
        self.rings[ring.call_id] += 1
        results = ["answered", "missed", "busy", "rejected", "unreachable", "failed"]
        result = self.dice.choices(results, [80, 8, 4, 3, 3, 2])[0]
        after = {"answered": self.dice.uniform(1, 18), "missed": 20}.get(result, 0.05)
        self.at(after, ("ring", RingReport(ring.call_id, ring.talk_id, ring.agent, result)))

    def happens(self, what: str, *about: Any) -> None:
        dice, now, desk = self.dice, self.play.now, self.play.desk
        match what:
            case "call":
                (call,) = about
                name = dice.choices(list(QUEUES), [40, 20, 10, 25, 5])[0]
                self.queue[call] = name
                self.tell(CallAsked(call, name, now, QUEUES[name].priority))
                if dice.random() < 0.4:
                    self.at(dice.expovariate(1 / 60), ("gone", call))
            case "gone":
                self.tell(CallGone(about[0]))
            case "ring":
                (report,) = about
                live = self.play.referee.rung.get(report.call_id)
                self.tell(report)  # also when the caller hung up in the meantime
                if live is not None and live.talk_id == report.talk_id and report.result == "answered":
                    if dice.random() < 0.98:
                        self.tell(TalkBegan(report.call_id, report.talk_id))
                    self.served += 1
                    self.at(dice.expovariate(1 / 90), ("end", TalkEnded(report.call_id, report.talk_id)))
            case "end":
                self.tell(about[0])
            case "crash":
                self.crash()
            case "shift":
                share = dice.choice([0, 0.1, 0.6, 0.8, 0.9])
                self.duty = {one: now for one in self.numbers if dice.random() < share}
                self.tell(on(self.duty))
            case "phone":
                one = dice.choice(self.numbers)
                self.tell(AgentReachable(one, f"p{one}", False))
                self.at(dice.uniform(5, 120), ("back", one))
            case "back":
                self.tell(AgentReachable(about[0], f"p{about[0]}", True))
            case _:
                one = dice.choice(self.numbers)
                if desk.agent(one).mode != "off":
                    self.tell(AgentCommand(one, what, "meal"))


@pytest.mark.parametrize(("seed", "agents", "calls", "per_second"), [(1, 6, 1000, 0.05), (2, 25, 1500, 0.3)])
def test_a_day_beside_the_plain_model(seed: int, agents: int, calls: int, per_second: float) -> None:
    ended(Day(seed, agents, calls, per_second, naive=True), calls)


@pytest.mark.parametrize(("seed", "agents", "calls", "per_second"), [(3, 60, 6000, 0.5), (4, 40, 4000, 0.9)])
def test_thousands_of_callers(seed: int, agents: int, calls: int, per_second: float) -> None:
    ended(Day(seed, agents, calls, per_second, naive=False), calls)


def test_crashes_in_the_middle_of_the_day() -> None:
    day = Day(6, 40, 3000, 0.5, naive=False)
    for minute in range(1, 90, 3):
        day.at(60 * minute, ("crash",))
    ended(day, 3000)


def ended(day: Day, calls: int) -> None:
    """Every call has exactly one end, and the day was worth playing."""
    day.run()
    referee = day.play.referee
    ends = [tuple(end for end in found if end != "gone" or len(found) == 1) for found in referee.ends.values()]
    assert len(ends) == calls and all(len(end) == 1 for end in ends)
    counted = {end: ends.count((end,)) for end in ("answered", "gone", "uncovered", "longest_wait")}
    assert sum(counted.values()) == calls and min(counted.values()) > 0, counted
    assert counted["answered"] == day.served > calls / 6
    assert not referee.waiting and not referee.rung and not referee.talks
    referee.compare(day.play.desk)
    modes = {state.mode for state in day.play.desk.agents()}
    assert modes <= {"off", "ready", "paused"}


def test_the_same_day_twice() -> None:
    once, again = (Day(5, 20, 800, 0.3, naive=False).run() for _ in range(2))
    assert once == again and len(once) > 1500


def test_the_turn_goes_round() -> None:
    """With nothing else to tell them apart, everyone gets the same share of the calls."""
    people = {f"80{n:02}": agent(f"80{n:02}", "a") for n in range(10)}
    play = Play(Rules(QUEUES, people, wrap_up=1))
    for number in people:
        play.tell(AgentReachable(number, f"p{number}", True))
    play.tell(on(dict.fromkeys(people, START)))
    rung: list[str] = []
    for n in range(200):
        play.now += 10 * SECOND
        play.tell(Tick())
        rings = [one for one in play.tell(CallAsked(f"c{n}", "vip", play.now, 1)) if isinstance(one, Ring)]
        rung.append(rings[0].agent)
        play.tell(RingReport(f"c{n}", f"c{n}-1", rung[-1], "answered"))
        play.tell(TalkBegan(f"c{n}", f"c{n}-1"))
        play.tell(TalkEnded(f"c{n}", f"c{n}-1"))
    assert all(sorted(rung[n : n + 10]) == sorted(people) for n in range(0, 200, 10))
