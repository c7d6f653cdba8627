"""A play before the desk in the words of the floor: who asks, who answers, how much time passes."""

from __future__ import annotations

from typing import Any

from routing.messages import (
    AgentReachable,
    CallAsked,
    Command,
    GiveUp,
    RaiseAlarm,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
)
from tests.pure.desk_plain import SECOND, on as standing
from tests.pure.desk_play import Play, agent, queue

QUEUES = {"sales": queue("a"), "vip": queue("a", priority=1), "complaint": queue("b", wrap_up=0)}


class Floor(Play):
    """A play in the words of the floor."""

    def __init__(self, skills: str = "a a a", on: str = "", **rules: Any) -> None:
        people = {f"800{n}": agent(f"800{n}", *each.split("+")) for n, each in enumerate(skills.split(), 1)}
        super().__init__(Rules(QUEUES, people, **{"wrap_up": 10, **rules}))
        for number in people:
            self.tell(AgentReachable(number, f"p{number}", True))
        self.duty = dict.fromkeys(on.split() or people, self.now)
        self.tell(standing(self.duty))

    def asks(self, call: str, queue: str = "sales", **more: Any) -> list[Command]:
        return self.tell(CallAsked(call, queue, self.now, QUEUES[queue].priority, **more))

    def ringing(self) -> dict[str, str]:
        return {ring.agent: ring.call_id for ring in self.referee.rung.values()}

    def ends(self, number: str, result: Any) -> list[Command]:
        ring = next(ring for ring in self.referee.rung.values() if ring.agent == number)
        return self.tell(RingReport(ring.call_id, ring.talk_id, number, result))

    def answers(self, number: str) -> None:
        self.ends(number, "answered")
        ring = next(ring for ring in self.referee.talks.values() if ring.agent == number)
        self.tell(TalkBegan(ring.call_id, ring.talk_id))

    def hangs_up(self, number: str) -> None:
        ring = next(ring for ring in self.referee.talks.values() if ring.agent == number)
        self.tell(TalkEnded(ring.call_id, ring.talk_id))

    def shift(self, *on: str, new: bool = False) -> list[Command]:
        self.duty = {number: self.now if new else self.duty.get(number, self.now) for number in on}
        return self.tell(standing(self.duty))

    def passes(self, seconds: float) -> list[Command]:
        until, said = self.now + round(seconds * SECOND), len(self.log)
        while self.wake and self.wake <= until:
            self.now = self.wake
            self.tell(Tick())
        self.now = until
        return self.log[said:]

    def mode(self, number: str) -> str:
        state = self.desk.agent(number)
        return f"{state.mode} {state.reason}".strip()


def given_up(commands: list[Command]) -> list[tuple[str, str]]:
    return [(one.call_id, one.why) for one in commands if isinstance(one, GiveUp)]


def alarms(commands: list[Command]) -> list[str]:
    return [one.code for one in commands if isinstance(one, RaiseAlarm)]
