"""The desk under any play that hypothesis can think of, against its referee and the plain model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.settings import Device
from routing.agents import IllegalTransition
from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    DutyChanged,
    RingReport,
    Rules,
    SettingsChanged,
    TalkBegan,
    TalkEnded,
    Tick,
)
from tests.pure.desk_play import SECOND, Play, agent, queue

AGENTS = ["8001", "8002", "8003", "8004"]
QUEUES = {
    "sales": queue("a", 5, 60),
    "complaint": queue("b", 3, 90, wrap_up=0),
    "person": queue("a", 5, 30),
    "vip": queue("c", 1, 45),
}
PEOPLE = {
    "8001": agent("8001", "a"),
    "8002": agent("8002", "a", "b"),
    "8003": agent("8003", "b", "c", devices=("p8003", "soft8003")),
    "8004": agent("8004", "a", "b", "c", devices=("p8004", Device(number="13800138000", ring_time=9)), at_once=True),
}
RULES = [
    Rules(QUEUES, PEOPLE, wrap_up=7),
    Rules({**QUEUES, "sales": queue("c", 5, 20)}, PEOPLE, wrap_up=0, misses_before_pause=3),
    Rules(
        {name: QUEUES[name] for name in ("sales", "vip")},
        {"8001": agent("8001", "a", "b"), "8004": PEOPLE["8004"]},
        wrap_up=7,
        misses_before_pause=1,
    ),
]
TEAMS = st.one_of(st.just(set(AGENTS)), st.just(set(AGENTS[:3])), st.sets(st.sampled_from(AGENTS)))
RESULTS = ["answered", "missed", "busy", "rejected", "unreachable", "failed", "caller_gone"]


class DeskMachine(RuleBasedStateMachine):
    @initialize(duty=TEAMS, reach=st.integers(0, 5))
    def start(self, duty: set[str], reach: int) -> None:
        self.play = Play(RULES[0])
        self.calls = 0
        self.old: list[RingReport] = []
        for number in AGENTS:
            if reach:
                self.play.tell(AgentReachable(number, f"p{number}", True))
        self.play.tell(DutyChanged(dict.fromkeys(duty, self.play.now)))

    def pick(self, data: st.DataObject, among: Any) -> Any:
        return data.draw(st.sampled_from(sorted(among)))

    @rule(name=st.sampled_from(sorted(QUEUES)), back=st.sampled_from([0, 0, 0, 5, 25]), other=st.integers(0, 3))
    def ask(self, name: str, back: int, other: int) -> None:
        self.calls += 1
        asked_at = self.play.now - back * SECOND
        priority = QUEUES[name].priority + (other == 3)
        self.play.tell(CallAsked(f"c{self.calls}", name, asked_at, priority))

    @precondition(lambda self: self.play.referee.rung)
    @rule(data=st.data(), result=st.sampled_from(RESULTS))
    def ring_ends(self, data: st.DataObject, result: Any) -> None:
        ring = self.play.referee.rung[self.pick(data, self.play.referee.rung)]
        report = RingReport(ring.call_id, ring.talk_id, ring.agent, result)
        self.old.append(report)
        self.play.tell(report)
        if result == "answered" and data.draw(st.integers(0, 4)):
            self.play.tell(TalkBegan(ring.call_id, ring.talk_id))

    @precondition(lambda self: self.play.referee.talks)
    @rule(data=st.data())
    def talk_ends(self, data: st.DataObject) -> None:
        ring = self.play.referee.talks[self.pick(data, self.play.referee.talks)]
        self.play.tell(TalkEnded(ring.call_id, ring.talk_id))

    @precondition(lambda self: self.play.referee.waiting or self.play.referee.talks)
    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        self.play.tell(CallGone(self.pick(data, {**self.play.referee.waiting, **self.play.referee.talks})))

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def late_report(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.old))
        if old.call_id not in self.play.referee.talks:
            self.play.tell(old)

    @rule(number=st.sampled_from(AGENTS), soft=st.booleans(), on=st.sampled_from([True, True, False]))
    def phone(self, number: str, soft: bool, on: bool) -> None:
        self.play.tell(AgentReachable(number, f"{'soft' if soft else 'p'}{number}", on))

    @rule(duty=TEAMS, new=st.booleans())
    def shift(self, duty: set[str], new: bool) -> None:
        known = self.play.naive.duty
        began = {one: self.play.now if new or one not in known else known[one] for one in duty}
        self.play.tell(DutyChanged(began))

    @rule(number=st.sampled_from(AGENTS), verb=st.sampled_from(["ready", "pause"]))
    def command(self, number: str, verb: Any) -> None:
        if number not in [state.agent for state in self.play.desk.agents()]:
            with pytest.raises(LookupError):
                self.play.desk.step(self.play.now, AgentCommand(number, verb, "meal"))
        elif self.play.desk.agent(number).mode == "off":
            with pytest.raises(IllegalTransition):
                self.play.desk.step(self.play.now, AgentCommand(number, verb, "meal"))
        else:
            self.play.tell(AgentCommand(number, verb, "meal"))

    @rule(seconds=st.sampled_from([0.001, 1, 3, 5, 7, 20, 40]))
    def time_passes(self, seconds: float) -> None:
        until = self.play.now + round(seconds * SECOND)
        while self.play.wake and self.play.wake <= until:
            self.play.now = self.play.wake
            self.play.tell(Tick())
        self.play.now = until

    @rule(which=st.integers(0, 11))
    def new_settings(self, which: int) -> None:
        if which < len(RULES):  # seldom, since callers and agents are more interesting
            self.play.tell(SettingsChanged(RULES[which]))

    @invariant()
    def journal_agrees(self) -> None:
        self.play.referee.compare(self.play.desk)
        for call_id in self.play.referee.waiting:
            assert self.play.desk.position(call_id) is not None
        assert sum(self.play.desk.waiting(name) for name in QUEUES) == len(self.play.referee.waiting)
        for ends in self.play.referee.ends.values():
            assert ends in ([], ["gone"], ["uncovered"], ["longest_wait"], ["answered"], ["answered", "gone"])


TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a play took more than five minutes
)
