"""The floor: every agent's seat, kept in accord with roster, phones and settings, and listed beside the queues.

Whatever happens to an agent goes through :meth:`Floor.change`; so the table of :mod:`routing.agents` holds, what
changed is journalled, and the lists are right, always together. ``out`` takes the commands of the step that is on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from calllog.folds import AgentState
from routing.agents import COOL_DOWN, SIGNED_IN, AgentEvent, IllegalTransition, by_duty, change, same
from routing.messages import AgentChange, AgentCommand, Command, Rules, Standing
from routing.plan import Plan, chosen, plan_of
from routing.skills import Seat, SkillQueue
from routing.strategy import Strategy

TimerKind = Literal["wrap_up", "cool_down", "longest_wait", "backup", "ring"]

COMMANDS: Mapping[str, AgentEvent] = {
    "ready": AgentEvent.READY, "pause": AgentEvent.PAUSE,
    "sign_in": AgentEvent.SIGN_IN, "sign_out": AgentEvent.SIGN_OUT,
}  # fmt: skip
"""What each verb of an :class:`AgentCommand` is to the agent."""


class Timer(NamedTuple):
    """Something that is due at ``at`` (µs); ``who`` is an agent or a call."""

    at: int
    number: int
    kind: TimerKind
    who: str


class Timers:
    """What is due when. A timer is never taken back: its owner says whether it still holds when its turn comes."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._count = 0

    def set(self, at: int, kind: TimerKind, who: str) -> None:
        """Be due at ``at`` (µs)."""
        self._count += 1
        heapq.heappush(self._heap, Timer(at, self._count, kind, who))

    def due(self, now: int) -> Iterator[Timer]:
        """Those due at ``now`` or before, earliest first; they are then gone."""
        while self._heap and self._heap[0].at <= now:
            yield heapq.heappop(self._heap)

    def next(self, holds: Callable[[Timer], bool]) -> int:
        """When the next one that holds is due (µs); 0: none."""
        while self._heap and not holds(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else 0


class Floor:
    """All agents. ``touched`` are the skills in which somebody may be rung now, ``bared`` those that lost cover."""

    def __init__(self, rules: Rules, strategy: Strategy, timers: Timers) -> None:
        self.rules = rules
        self.now = 0
        self.out: list[Command] = []
        self.seats: dict[str, Seat] = {}
        self.touched: dict[SkillQueue, None] = {}
        self.bared: dict[SkillQueue, None] = {}
        self._skills: dict[str, dict[int, SkillQueue]] = {}
        self._strategy = strategy
        self._timers = timers
        self._standing = Standing()
        self._reached: dict[str, set[str]] = {}
        self.refurnish(rules)

    # --- asking -------------------------------------------------------------------------------------------------

    def skill(self, name: str, level: int) -> SkillQueue:
        """The queue of those who may be answered from this level of the skill on, made when there is none."""
        levels = self._skills.setdefault(name, {})
        if level not in levels:
            levels[level] = SkillQueue(name, level)
        return levels[level]

    def seat(self, agent: str) -> Seat:
        """The agent's seat, made when there is none, and kept: one who is not in the settings has no skills."""
        if agent not in self.seats:
            self.seats[agent] = Seat(AgentState(agent))
            self._furnish(self.seats[agent])
        return self.seats[agent]

    def present(self, agent: str) -> Seat:
        """The seat of an agent whom the settings know, or who has yet to finish. Raises LookupError."""
        seat = self.seats[agent]
        if not seat.known and seat.state.mode == "off":
            raise LookupError(agent)
        return seat

    def plan(self, seat: Seat) -> Plan:
        """How the agent is rung now: by the devices that can be reached, in the order of the settings."""
        agent, reached = self.rules.agents.get(seat.state.agent), self._reached.get(seat.state.agent, ())
        if agent is None:
            return Plan()
        devices = [one for one in seat.devices if one.number is not None or one.sip in reached]
        return plan_of(agent, devices, self.rules.ring, self.rules.confirm)

    def reachable(self, seat: Seat) -> bool:
        """Whether any device can be reached; an outside number counts as reachable."""
        reached = self._reached.get(seat.state.agent, ())
        return any(one.number is not None or one.sip in reached for one in seat.devices)

    def queues_left_bare(self, seat: Seat) -> list[str]:
        """The queues that would have nobody to serve them without this agent."""
        alone = {(skill.skill, skill.level) for skill in seat.skills if skill.serving == seat.counted_serving}
        return sorted(name for name, queue in self.rules.queues.items() if (queue.skill, queue.level) in alone)

    def holds(self, timer: Timer) -> bool:
        """Whether a timer of an agent still means something."""
        seat = self.seats.get(timer.who)
        if seat is None:
            return False
        if timer.kind == "cool_down":
            return seat.cool_until == timer.at
        return seat.state.mode == "wrap_up" and seat.state.until == timer.at

    # --- what happens to one agent ------------------------------------------------------------------------------

    def change(
        self, seat: Seat, event: AgentEvent, reason: str = "", *,
        call_id: str = "", talk_id: str = "", wrap_up_until: int = 0, free_from: int = 0,
    ) -> None:  # fmt: skip
        """Take the agent through the table. Raises IllegalTransition, and then nothing has happened."""
        changed = change(
            seat.state, event, self.now, on_duty=seat.on_duty, reason=reason,
            call_id=call_id, talk_id=talk_id, wrap_up_until=wrap_up_until, free_from=free_from,
        )  # fmt: skip
        if not same(seat.state, changed):
            seat.state.apply(self.now, changed)
            self.out.append(AgentChange(seat.state.agent, changed))
            if changed.mode == "wrap_up":
                self._timers.set(changed.until, "wrap_up", seat.state.agent)
        self.settle(seat)

    def command(self, seat: Seat, command: AgentCommand) -> None:
        """What an agent or a supervisor says. Raises IllegalTransition: only who is on duty, or is soon to be and signs
        in, can say anything."""
        event, off = COMMANDS[command.verb], seat.state.mode == "off"
        takes_back = event is AgentEvent.SIGN_OUT and seat.state.reason == SIGNED_IN
        early = event is AgentEvent.SIGN_IN and command.soon
        if off and not (seat.on_duty or early or takes_back):
            raise IllegalTransition(seat.state.agent, seat.state.mode, event)
        self.change(seat, event, command.reason)

    def settle(self, seat: Seat) -> None:
        """List the agent anew."""
        for skill in seat.skills:
            self.bared[skill] = self.touched[skill] = None
        seat.unlist()
        seat.list(self.now, self.reachable(seat), self._strategy)

    def cool_down(self, seat: Seat) -> None:
        """No ring for a while; the agent is listed by the change that follows."""
        seat.cool_until = self.now + COOL_DOWN
        self._timers.set(seat.cool_until, "cool_down", seat.state.agent)

    def reach(self, agent: str, device: str, reachable: bool) -> None:
        """A device registered or was lost."""
        devices = self._reached.setdefault(agent, set())
        (devices.add if reachable else devices.discard)(device)
        if agent in self.seats:
            self.settle(self.seats[agent])

    def keep_duty(self, seat: Seat) -> None:
        """Bring the agent in accord with the roster. A shift that began after their pause ends the pause, a break does
        not: it goes on after it."""
        line = self._standing.duty.get(seat.state.agent) if seat.known else None
        seat.on_duty, paused = line is not None, ""
        if line is not None:
            paused = seat.paused if line.begun == seat.begun else ""
            seat.begun, seat.backup, seat.paused = line.begun, line.backup, ""
            seat.devices = chosen(self.rules.agents[seat.state.agent], line.devices)
        must_sign_in = self.rules.must_sign_in and not seat.backup  # a backup is at home, and rung when need be
        event = by_duty(seat.state, line.begun if line is not None else None, must_sign_in=must_sign_in)
        if event is AgentEvent.SHIFT_ENDED:
            seat.paused = seat.state.reason if seat.state.mode == "paused" else ""
        if event is not None:
            self.change(seat, event)
            if paused:
                self.change(seat, AgentEvent.PAUSE, paused)
        self.settle(seat)

    # --- what happens to all ------------------------------------------------------------------------------------

    def stand(self, standing: Standing) -> None:
        """Duty and date of now. Only those are looked at for whom something is new."""
        before, self._standing = self._standing, standing
        news = {agent for agent, _ in before.duty.items() ^ standing.duty.items()}
        if before.date != standing.date:
            for agent, found in self.rules.agents.items():
                if found.skills_at(before.date) != found.skills_at(standing.date):
                    self._furnish(self.seats[agent])
                    news.add(agent)
        for agent in sorted(news & self.seats.keys()):
            self.keep_duty(self.seats[agent])

    def refurnish(self, rules: Rules, standing: Standing | None = None) -> None:
        """New settings: seats for new agents, new skills and devices for the others; ``standing`` where it is new too.
        """
        self.rules = rules
        if standing is not None:
            self._standing = standing
        for queue in rules.queues.values():
            self.skill(queue.skill, queue.level)
        for agent in rules.agents:
            self.seat(agent)
        for seat in list(self.seats.values()):
            self._furnish(seat)
            self.keep_duty(seat)

    def _furnish(self, seat: Seat) -> None:
        for skill in seat.skills:
            self.bared[skill] = None
        seat.unlist()
        found = self.rules.agents.get(seat.state.agent)
        seat.known = found is not None
        seat.levels = found.skills_at(self._standing.date) if found else {}
        seat.skills = tuple(
            queue for name, own in seat.levels.items() for level, queue in self._skills.get(name, {}).items()
            if level <= own
        )  # fmt: skip
        seat.devices = found.devices if found else ()

    def start(
        self, states: Iterable[AgentState], reachable: Iterable[tuple[str, str]], standing: Standing
    ) -> None:
        """All as the journal and Asterisk know them. Nobody is brought in accord with the roster yet."""
        self._standing = standing
        for agent, device in reachable:
            self._reached.setdefault(agent, set()).add(device)
        for state in states:
            self.seat(state.agent).state = replace(state)
            if state.mode == "wrap_up":
                self._timers.set(state.until, "wrap_up", state.agent)
        for seat in self.seats.values():
            self._furnish(seat)
