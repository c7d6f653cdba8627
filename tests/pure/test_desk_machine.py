"""The desk under any play that hypothesis can think of, against its referee and the plain model."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.settings import CallRecords, Device, Skill
from routing.agents import IllegalTransition
from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    Closed,
    RecordSaved,
    RingReport,
    Rules,
    SettingsChanged,
    TalkBegan,
    TalkEnded,
    Tick,
)
from routing.roster import Line
from tests.pure.desk_plain import on
from tests.pure.desk_play import SECOND, Play, agent, queue

AGENTS = ["8001", "8002", "8003", "8004"]
QUEUES = {
    "sales": queue("a", 5, 60),
    "complaint": queue("b", 3, 90, wrap_up=0),
    "person": queue("a", 5, 30),
    "vip": queue("c", 1, 45),
    "expert": queue("b", 4, 60, level=2),
}
DATES = [dt.date(2027, 2, 5), dt.date(2027, 2, 6), dt.date(2027, 2, 7)]
PEOPLE = {
    "8001": agent("8001", "a"),
    "8002": agent("8002", "a", Skill(skill="b", level=3)),
    "8003": agent(
        "8003", Skill(skill="b", level=2), Skill.model_validate({"skill": "c", "to": DATES[0]}),
        devices=("p8003", Device(sip="soft8003", name="soft")),
    ),
    "8004": agent("8004", "a", "b", "c", devices=("p8004", Device(number="13800138000", ring_time=9)), at_once=True),
}  # fmt: skip
RULES = [
    Rules(QUEUES, PEOPLE, wrap_up=7),
    Rules(QUEUES, PEOPLE, wrap_up=7, record=CallRecords(required=True, time_limit=20, extend_by=5, at_limit="pause")),
    Rules({**QUEUES, "sales": queue("c", 5, 20)}, PEOPLE, wrap_up=0, misses_before_pause=3, backup_after=15),
    Rules(
        {name: QUEUES[name] for name in ("sales", "vip")},
        {"8001": agent("8001", Skill.model_validate({"skill": "a", "level": 2, "from": DATES[1]}), "b"),
         "8004": PEOPLE["8004"]},
        wrap_up=7,
        misses_before_pause=1,
        record=CallRecords(required=True, time_limit=3, extensions=1),
    ),
]
TEAMS = st.one_of(st.just(set(AGENTS)), st.just(set(AGENTS[:3])), st.sets(st.sampled_from(AGENTS)))
RESULTS = ["answered", "missed", "busy", "rejected", "unreachable", "failed", "caller_gone"]


class DeskMachine(RuleBasedStateMachine):
    @initialize(duty=TEAMS, reach=st.integers(0, 5), records=st.booleans())
    def start(self, duty: set[str], reach: int, records: bool) -> None:
        self.play = Play(RULES[records])
        self.calls = 0
        self.old: list[RingReport] = []
        self.begun: dict[str, int] = {}
        for number in AGENTS:
            if reach:
                self.play.tell(AgentReachable(number, f"p{number}", True))
        self.play.tell(on(dict.fromkeys(duty, self.play.now)))

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

    @rule(
        duty=TEAMS, new=st.booleans(), backups=st.one_of(st.just(set[str]()), TEAMS), date=st.sampled_from(DATES),
        devices=st.sampled_from([(), (), ("desk",), ("mobile", "desk"), ("soft",)]),
        closed=st.sets(st.sampled_from(["sales", "vip", "expert"]), max_size=2), since=st.sampled_from([0, 3, 30]),
    )  # fmt: skip
    def shift(
        self, duty: set[str], new: bool, backups: set[str], date: dt.date, devices: tuple[str, ...],
        closed: set[str], since: int,
    ) -> None:  # fmt: skip
        now = self.play.now
        lines = {
            one: Line(now if new or one not in self.begun else self.begun[one], one in backups, devices) for one in duty
        }
        self.begun |= {one: line.begun for one, line in lines.items()}
        shut = {name: Closed(now - since * SECOND, now + since) for name in closed}
        self.play.tell(on(lines, closed=shut, date=date))

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

    @precondition(lambda self: self.about_calls())
    @rule(data=st.data(), complete=st.sampled_from([True, True, False]))
    def record(self, data: st.DataObject, complete: bool) -> None:
        self.play.tell(RecordSaved(self.pick(data, self.about_calls()), complete))

    @precondition(lambda self: [one for one in self.play.desk.agents() if one.free_from])
    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        number = self.pick(data, [one.agent for one in self.play.desk.agents() if one.free_from])
        state = self.play.desk.agent(number)
        if state.extended < self.play.referee.rules.record.extensions:
            self.play.tell(AgentCommand(number, "extend"))
            assert self.play.desk.agent(number).until > state.until
        else:
            with pytest.raises(IllegalTransition):
                self.play.desk.step(self.play.now, AgentCommand(number, "extend"))

    def about_calls(self) -> list[str]:
        return [one.call_id for one in self.play.desk.agents() if one.call_id]

    @invariant()
    def nobody_is_kept_for_ever(self) -> None:
        for one in self.play.desk.agents():
            if one.free_from:
                assert one.mode == "wrap_up" and 0 < one.until <= self.play.now + (20 + 2 * 60) * SECOND

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
            assert ends in ([], ["answered", "gone"]) or (
                len(ends) == 1 and ends[0] in ("gone", "uncovered", "closed", "longest_wait", "answered")
            )


TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a play took more than five minutes
)
