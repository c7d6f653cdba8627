"""A play before the desk, and a referee who holds it to its promises.

The referee knows only what was said to the desk and what it answered.
"""

from __future__ import annotations

from calllog.folds import AgentState
from config.settings import Agent, Device, Queue, Skill
from routing.agents import COOL_DOWN
from routing.messages import (
    AgentChange,
    AgentReachable,
    CallAsked,
    CallGone,
    CancelRing,
    Command,
    GiveUp,
    Input,
    RaiseAlarm,
    Restore,
    Ring,
    RingReport,
    Rules,
    SettingsChanged,
    Standing,
    TalkEnded,
    WakeAt,
)
from routing.plan import Plan, PlannedTry
from routing.queue import Desk
from tests.pure.desk_plain import QUICK, SECOND, Naive

START = 1_700_000_000 * SECOND


def queue(
    skill: str, priority: int = 5, longest_wait: float = 300, wrap_up: float | None = None, level: int = 1
) -> Queue:
    return Queue(
        label=skill, skill=skill, priority=priority, longest_wait=longest_wait, wrap_up=wrap_up, level=level
    )  # fmt: skip


def agent(
    number: str, *skills: str | Skill, devices: tuple[str | Device, ...] = (), at_once: bool = False
) -> Agent:
    found = tuple(Device(sip=one) if isinstance(one, str) else one for one in devices or (f"p{number}",))
    able = tuple(Skill(skill=one) if isinstance(one, str) else one for one in skills)
    return Agent(name=number, skills=able, devices=found, ring="at_once" if at_once else "in_order")


def plan(*sips: str, ring: float = 20.0) -> Plan:
    """These phones, one after the other."""
    return Plan(tuple(PlannedTry(Device(sip=sip), ring, 0.0) for sip in sips))


class Referee:
    """Follows the play and fails it at the first broken promise."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.queues = dict(rules.queues)
        self.standing = Standing()
        self.reached: set[tuple[str, str]] = set()
        self.agents: dict[str, AgentState] = {}
        self.waiting: dict[str, CallAsked] = {}
        self.order: dict[str, int] = {}
        self.rung: dict[str, Ring] = {}
        self.talks: dict[str, Ring] = {}
        self.cool: dict[str, int] = {}
        self.ends: dict[str, list[str]] = {}
        self.rings = 0

    def can(self, number: str, call_id: str) -> bool:
        """On duty, and good enough for this caller on this date."""
        found = self.rules.agents.get(number)
        if found is None or number not in self.standing.duty:
            return False
        queue = self.queues[self.waiting[call_id].queue]
        return found.skills_at(self.standing.date).get(queue.skill, 0) >= queue.level

    def reachable(self, number: str) -> bool:
        found, line = self.rules.agents[number], self.standing.duty[number]
        ringing = [one for one in found.devices if one.named in line.devices] or found.devices
        return any(device.number or (number, device.sip) in self.reached for device in ringing)

    def serves(self, number: str) -> bool:
        state = self.agents.get(number)
        return state is not None and state.mode not in ("off", "paused") and self.reachable(number)

    def may_be_rung(self, number: str, call_id: str, now: int) -> bool:
        """Good enough; a backup only where nobody of the first line serves, or after a long wait."""
        if not self.can(number, call_id):
            return False
        if not self.standing.duty[number].backup:
            return True
        asked, after = self.waiting[call_id], self.rules.backup_after
        if after is not None and now >= (asked.waiting_since or asked.asked_at) + round(after * SECOND):
            return True
        first = [one for one, line in self.standing.duty.items() if not line.backup and self.can(one, call_id)]
        return not any(self.serves(one) for one in first)

    def free(self, number: str, now: int) -> bool:
        state = self.agents.get(number)
        return (
            number in self.rules.agents
            and number in self.standing.duty
            and state is not None
            and state.mode == "ready"
            and self.reachable(number)
            and now >= self.cool.get(number, 0)
        )

    def place(self, call_id: str) -> tuple[int, int, int]:
        asked = self.waiting[call_id]
        return asked.priority, asked.asked_at, self.order[call_id]

    def heard(self, now: int, event: Input) -> None:
        """What was said to the desk, before it acts."""
        match event:
            case CallAsked():
                if event.call_id not in self.waiting and event.call_id not in self.talks:
                    self.waiting[event.call_id] = event
                    self.order[event.call_id] = len(self.order)
                    self.ends.setdefault(event.call_id, [])
            case CallGone(call_id=call_id):
                if call_id in self.waiting or call_id in self.talks:
                    self.ends[call_id].append("gone")
                self.waiting.pop(call_id, None)
                self.talks.pop(call_id, None)
            case RingReport():
                ring = self.rung.get(event.call_id)
                if ring is None or ring.talk_id != event.talk_id:
                    return
                del self.rung[event.call_id]
                if event.result in QUICK:
                    self.cool[event.agent] = now + COOL_DOWN
                if event.result == "answered":
                    self.talks[event.call_id] = ring
                    self.ends[event.call_id].append("answered")
                    del self.waiting[event.call_id]
                elif event.result == "caller_gone":
                    self.ends[event.call_id].append("gone")
                    del self.waiting[event.call_id]
            case TalkEnded():
                if event.call_id in self.talks and self.talks[event.call_id].talk_id == event.talk_id:
                    del self.talks[event.call_id]
            case AgentReachable():
                (self.reached.add if event.reachable else self.reached.discard)((event.agent, event.device))
            case Standing():
                self.standing = event
            case SettingsChanged():
                self.rules, self.standing = event.rules, event.standing or self.standing
                self.queues.update(event.rules.queues)
            case Restore():
                self.standing = event.standing
                self.reached |= set(event.reachable)
                for asked in event.waiting:
                    self.heard(now, asked)

    def answered(self, now: int, commands: list[Command]) -> None:
        """What the desk answered."""
        for command in commands:
            match command:
                case AgentChange():
                    self.agents.setdefault(command.agent, AgentState(command.agent)).apply(now, command.event)
                case Ring():
                    self.rings += 1
                    self.ring(now, command)
                case CancelRing(why="failed"):
                    del self.rung[command.call_id]
                    self.cool[command.agent] = now + COOL_DOWN
                case CancelRing():
                    if command.call_id in self.rung and self.rung[command.call_id].talk_id == command.talk_id:
                        del self.rung[command.call_id]
                case GiveUp():
                    assert command.call_id not in self.rung, "given up while an agent rings"
                    asked = self.waiting[command.call_id]
                    self.ends[command.call_id].append(command.why)
                    covered = any(self.can(one, command.call_id) for one in self.standing.duty)
                    closed = self.standing.closed.get(asked.queue)
                    assert (command.why == "closed") <= (closed is not None)
                    assert (command.why == "uncovered") <= (closed is None and not covered)
                    assert (command.why == "closed") <= (not covered or bool(closed and closed.since <= asked.asked_at))
                    assert (command.why == "longest_wait") <= covered
                    assert command.opens == (closed.opens if closed and command.why == "closed" else 0)
                    del self.waiting[command.call_id]
                    since = asked.waiting_since or asked.asked_at
                    due = since + round(self.queues[asked.queue].longest_wait * SECOND)
                    assert now >= due or command.why != "longest_wait"
                case RaiseAlarm() | WakeAt():
                    pass
        self.nobody_idle(now)
        self.all_is_bounded(now)

    def ring(self, now: int, ring: Ring) -> None:
        assert ring.call_id in self.waiting, "a ring for a call that does not wait"
        assert ring.call_id not in self.rung, "two rings for one call"
        busy = [*self.rung.values(), *self.talks.values()]
        assert ring.agent not in [other.agent for other in busy], "an agent with two calls"
        assert ring.plan.tries, "nothing is rung"
        for one in ring.plan.tries:
            assert one.device.number is not None or (ring.agent, one.device.sip) in self.reached
        assert now >= self.cool.get(ring.agent, 0), "rung within the cool-down"
        assert self.agents[ring.agent].mode == "ringing"
        line, known = self.standing.duty[ring.agent], self.rules.agents[ring.agent].devices
        wanted = [one for name in line.devices for one in known if one.named == name]
        if wanted:
            left = [one.device for one in ring.plan.tries]
            assert left == [one for one in wanted if one in left], "the shift's devices, in its order"
        assert self.may_be_rung(ring.agent, ring.call_id, now)
        for call_id in self.waiting:
            if call_id not in self.rung and self.may_be_rung(ring.agent, call_id, now):
                assert self.place(ring.call_id) <= self.place(call_id), "a caller was passed over"
        self.rung[ring.call_id] = ring

    def nobody_idle(self, now: int) -> None:
        waiting = {asked.queue: call for call, asked in self.waiting.items() if call not in self.rung}
        late = [call for call in self.waiting if call not in self.rung] if self.rules.backup_after is not None else []
        for number in self.agents:
            if waiting and self.free(number, now):
                for call in [*waiting.values(), *late]:
                    assert not self.may_be_rung(number, call, now), "a free agent beside a caller who waits"

    def all_is_bounded(self, now: int) -> None:
        for call_id, asked in self.waiting.items():
            if call_id not in self.rung:
                since = asked.waiting_since or asked.asked_at
                assert now < since + round(self.queues[asked.queue].longest_wait * SECOND)

    def compare(self, desk: Desk) -> None:
        """The desk's agents are the fold of what it journalled."""
        for state in desk.agents():
            assert state == self.agents.get(state.agent, AgentState(state.agent))


def decisions(commands: list[Command]) -> tuple[list[Command], list[str]]:
    """What the two must agree on: rings in their order; the rest in any order."""
    rings: list[Command] = [one for one in commands if isinstance(one, Ring)]
    rest = sorted(repr(one) for one in commands if isinstance(one, GiveUp | CancelRing | RaiseAlarm))
    return rings, rest


class Play:
    """A desk, its referee and (where wanted) the plain model, all told the same; time moves by its own clock."""

    def __init__(self, rules: Rules, naive: bool = True) -> None:
        self.now = START
        self.rules = rules
        self.desk = Desk(rules)
        self.referee = Referee(rules)
        self.naive = Naive(rules) if naive else None
        self.wake = 0
        self.log: list[Command] = []

    def tell(self, event: Input) -> list[Command]:
        """Say it now, hold the answer to the promises, and give it."""
        self.referee.heard(self.now, event)
        commands = self.desk.step(self.now, event)
        self.log += commands
        for command in commands:
            if isinstance(command, WakeAt):
                self.wake = command.at
        self.referee.answered(self.now, commands)
        if self.naive is not None:
            assert decisions(commands) == decisions(self.naive.step(self.now, event))
            assert self.wake == self.naive.next_time(self.now)
            for state in self.desk.agents():
                person = self.naive.people[state.agent]
                assert (state.mode, state.missed) == (person.mode, person.missed), state.agent
                if state.mode == "ready":
                    assert state.since == person.since, state.agent
        return commands
