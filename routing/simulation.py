"""A stated day in virtual time: synthetic callers and agents on the desk and the roster that serve the real ones. Pure.

Theory of operation. The desk's core (:mod:`routing.queue`) and the compiled roster run unchanged; only what the world
would do is drawn by lot: when callers come, how long they wait, how soon an agent picks up, how long a talk takes. A
heap holds what will happen; the desk's own wake-ups are taken in between, each at its instant. Callers and agents draw
from generators of their own, so that another roster is tried on the very same callers. The same seed, the same day.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

from calllog.kpi import ANSWER_WITHIN, SHORT_ABANDON
from config.day import Day, Length, Staff
from config.settings import Agent, Device, RosterFile, Rule, Shift, Skill
from routing.agents import NO_RECORD, SECOND
from routing.messages import (
    AgentChange,
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    GiveUp,
    Input,
    RecordSaved,
    Ring,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
    WakeAt,
)
from routing.played import Played, Quarter
from routing.queue import Desk
from routing.roster import Roster
from routing.spans import instant, microseconds
from routing.timetable import Timetable

Draw = Callable[[], float]


@dataclass(slots=True)
class _Call:
    """A caller who waits, is rung for, or talks."""

    quarter: Quarter
    asked_at: int
    handling: float
    ring: Ring | None = None
    talking: bool = False


class Simulation:
    """One day of ``rules`` and ``roster``, on ``date`` in ``zone``, every phone reachable.

    ``calls`` scales the arrivals to so many expected ones; ``within`` is the service level's T in seconds.
    """

    def __init__(
        self, day: Day, rules: Rules, roster: Roster, date: dt.date, zone: ZoneInfo, *,
        seed: int = 1, calls: float | None = None, within: float = ANSWER_WITHIN,
    ) -> None:  # fmt: skip
        self._day, self._rules, self._within = day, rules, within
        self._timetable = Timetable(rules.queues, roster)
        self._desk = Desk(rules)
        begins, self._ends = (
            microseconds(instant(dt.datetime.combine(each, dt.time()), zone))
            for each in (date, date + dt.timedelta(days=1))
        )
        self._played = Played.of(begins, self._ends)
        rates = [day.rate(_wall_quarter(quarter.begins, zone)) for quarter in self._played.quarters]
        whole = math.fsum(rates)
        scale = calls / whole if calls is not None and whole else 1.0
        self._rates = [rate * scale for rate in rates]
        self.expected = sum(self._rates)
        """Calls that the day is expected to bring."""
        self._arrivals_dice = random.Random(f"{seed} arrivals")
        self._callers_dice = callers = random.Random(f"{seed} callers")
        self._agents_dice = agents = random.Random(f"{seed} agents")
        self._queues = list(day.queues)
        self._shares = [share.share for share in day.queues.values()]
        self._handling = {name: drawn(of.handling or day.handling, callers) for name, of in day.queues.items()}
        self._patience = {
            name: drawn(of.patience or day.patience, callers, without=math.inf) for name, of in day.queues.items()
        }
        self._picks_up = drawn(day.picks_up, agents)
        self._writes = drawn(day.record, agents) if day.record is not None and rules.record.required else None
        self._later: list[tuple[int, int, str, str]] = []
        self._count = 0
        self._calls: dict[str, _Call] = {}
        self._waiting = 0
        self._wake = 0
        self._now = begins

    def run(self, progress: Callable[[int], None] = lambda calls: None) -> Played:
        """Play the day to the end of its last call; ``progress`` is told the number of calls so far."""
        self._played.duty(self._now, 0)
        for agent, found in self._rules.agents.items():
            for device in found.devices:
                if device.sip is not None:  # a number is always reachable to the desk
                    self._tell(AgentReachable(agent, device.sip, True))
        self._change_duty()
        arrivals, number = self._arrivals(), 0
        coming = next(arrivals, None)
        while coming or self._calls:
            at = min(at for at in (self._wake, coming and coming[0], self._later and self._later[0][0]) if at)
            self._now = max(self._now, at)
            if at == self._wake:
                self._tell(Tick())
            elif self._later and self._later[0][0] == at:
                _, _, what, who = heapq.heappop(self._later)
                self._happens(what, who)
            elif coming:
                number += 1
                self._arrive(f"c{number}", coming[1])
                coming = next(arrivals, None)
                if number % 500 == 0:
                    progress(number)
        progress(number)
        self._played.close(max(self._now, self._ends))
        return self._played

    # --- what the world does ----------------------------------------------------------------------------------------

    def _arrivals(self) -> Iterator[tuple[int, Quarter]]:
        """Poisson arrivals: exponential gaps at each quarter-hour's own rate."""
        dice = self._arrivals_dice
        for quarter, rate in zip(self._played.quarters, self._rates, strict=True):
            at = float(quarter.begins)
            while rate and (at := at + dice.expovariate(rate / quarter.length)) < quarter.begins + quarter.length:
                yield int(at), quarter

    def _at(
        self, seconds: float, what: Literal["gone", "picks_up", "missed", "ends", "duty", "written"], who: str = ""
    ) -> None:
        self._count += 1
        heapq.heappush(self._later, (self._now + round(seconds * SECOND), self._count, what, who))

    def _arrive(self, call_id: str, quarter: Quarter) -> None:
        queue = self._callers_dice.choices(self._queues, self._shares)[0]
        handling = self._handling[queue]()
        patience = self._patience[queue]()
        if patience < math.inf:
            self._at(patience, "gone", call_id)
        self._calls[call_id] = _Call(quarter, self._now, handling)
        self._waiting += 1
        quarter.tally.asked += 1
        quarter.load += handling * SECOND / quarter.length
        quarter.most_waiting = max(quarter.most_waiting, self._waiting)
        self._tell(CallAsked(call_id, queue, self._now, self._rules.queues[queue].priority))

    def _happens(self, what: str, who: str) -> None:
        if what == "duty":
            self._change_duty()
            return
        if what == "written":
            self._written(who)
            return
        call_id = who.partition("-")[0]
        call = self._calls.get(call_id)
        if call is None:
            return
        rung = call.ring is not None and call.ring.talk_id == who
        match what:
            case "gone" if not call.talking:
                waited = (self._now - call.asked_at) / SECOND
                call.quarter.tally.abandoned_short += waited <= SHORT_ABANDON
                call.quarter.tally.abandoned_in_time += waited <= self._within
                self._leaves(call_id, "abandoned")
                self._tell(CallGone(call_id))
            case "picks_up" if rung and call.ring is not None:
                self._talk(call_id, call, call.ring)
            case "missed" if rung and call.ring is not None:
                ring, call.ring = call.ring, None
                self._tell(RingReport(call_id, who, ring.agent, "missed"))
            case "ends":
                del self._calls[call_id]
                self._talk_ends(call_id, who, call.ring.agent if call.ring is not None else "")
            case _:
                pass

    def _talk(self, call_id: str, call: _Call, ring: Ring) -> None:
        call.talking = True
        self._waiting -= 1
        self._played.answered(call.quarter, (self._now - call.asked_at) / SECOND, self._within)
        self._at(call.handling, "ends", ring.talk_id)
        self._tell(RingReport(call_id, ring.talk_id, ring.agent, "answered"))
        self._tell(TalkBegan(call_id, ring.talk_id))

    def _talk_ends(self, call_id: str, talk_id: str, agent: str) -> None:
        """The agent writes the record; who needs longer than the limit asks for more time as often as they may."""
        if self._writes is None:
            self._tell(RecordSaved(call_id, True))  # with the wrap-up, as the day says no more
            self._tell(TalkEnded(call_id, talk_id))
            return
        self._tell(TalkEnded(call_id, talk_id))
        state, seconds = self._desk.agent(agent), self._writes()
        if state.call_id != call_id or not state.free_from:  # reached at home: nothing is awaited of them
            return
        while self._now + seconds * SECOND > state.until and state.extended < self._rules.record.extensions:
            self._tell(AgentCommand(agent, "extend"))
            state = self._desk.agent(agent)
        self._at(seconds, "written", f"{agent} {call_id}")

    def _written(self, who: str) -> None:
        """The record is complete; who was paused because it was not is ready again."""
        agent, _, call_id = who.partition(" ")
        self._tell(RecordSaved(call_id, True))
        if self._desk.agent(agent).reason == NO_RECORD:
            self._tell(AgentCommand(agent, "ready"))

    def _leaves(self, call_id: str, outcome: Literal["abandoned", "voicemail", "uncovered", "closed"]) -> None:
        tally = self._calls.pop(call_id).quarter.tally
        self._waiting -= 1
        setattr(tally, outcome, getattr(tally, outcome) + 1)

    def _change_duty(self) -> None:
        now = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=self._now)
        standing = self._timetable.standing(now)
        self._played.duty(self._now, sum(not line.backup for line in standing.duty.values()))
        self._tell(standing)
        change = self._timetable.next_change(now)
        if microseconds(change) < self._ends:
            self._at((microseconds(change) - self._now) / SECOND, "duty")

    # --- the desk ---------------------------------------------------------------------------------------------------

    def _tell(self, message: Input) -> None:
        self._played.steps += 1
        for command in self._desk.step(self._now, message):
            match command:
                case AgentChange(agent=agent, event=event):
                    self._played.agent(self._now, agent, event.mode)
                case Ring():
                    self._ring(command)
                case WakeAt(at=at):
                    self._wake = at
                case GiveUp(call_id=call_id, why=why):
                    leaves_message = self._agents_dice.random() < self._day.leaves_message
                    self._leaves(call_id, "voicemail" if leaves_message
                                 else "abandoned" if why == "longest_wait" else why)  # fmt: skip
                case _:  # alarms, and rings taken back for callers who are gone
                    pass

    def _ring(self, ring: Ring) -> None:
        self._calls[ring.call_id].ring = ring
        if self._agents_dice.random() < self._day.missed:
            self._at(self._rules.ring, "missed", ring.talk_id)
        else:
            self._at(min(self._picks_up(), self._rules.ring), "picks_up", ring.talk_id)


def drawn(length: Length | None, dice: random.Random, without: float = 0.0) -> Draw:
    """A generator of lengths in seconds; ``without`` is what it gives where no length is stated."""
    mean = length.mean if length is not None else without
    if length is None or length.spread == 0:
        return lambda: mean
    if length.spread == 1:
        return lambda: dice.expovariate(1 / mean)
    sigma = math.sqrt(math.log1p(length.spread**2))
    mu = math.log(mean) - sigma * sigma / 2
    return lambda: dice.lognormvariate(mu, sigma)


def staffed(rules: Rules, staff: Sequence[Staff], agents: int | None = None) -> tuple[Rules, RosterFile]:
    """Agents and a roster out of a day's own staff; their phones carry their staff numbers.

    ``agents`` scales the staff to so many people in all; without any staff, they are on duty all day with every skill.
    """
    if not staff:
        skills = tuple(dict.fromkeys(queue.skill for queue in rules.queues.values()))
        staff = [Staff.model_validate({"from": "00:00", "to": "00:00", "agents": agents or 1, "skills": skills})]
    scale = agents / sum(group.agents for group in staff) if agents is not None else 1.0
    people: dict[str, Agent] = {}
    shifts: dict[str, Shift] = {}
    worked: list[Rule] = []
    so_far = 0.0
    for group in staff:
        so_far += group.agents * scale
        numbers = [f"{number:05}" for number in range(len(people) + 1, round(so_far) + 1)]
        if numbers:
            name = f"{group.start:%H:%M}–{group.end:%H:%M}"
            shifts[name] = Shift.model_validate({"from": group.start, "to": group.end})
            worked.append(Rule(shift=name, agents=tuple(numbers)))
            able = tuple(Skill(skill=skill) for skill in group.skills)
            people |= {one: Agent(name=one, skills=able, devices=(Device(sip=one),)) for one in numbers}
    return replace(rules, agents=people), RosterFile(shifts=shifts, rules=tuple(worked))


def _wall_quarter(micros: int, zone: ZoneInfo) -> str:
    """The wall time, HH:MM, of the quarter-hour in which this instant (µs) lies."""
    wall = dt.datetime.fromtimestamp(micros / SECOND, zone)
    return f"{wall.hour:02}:{wall.minute // 15 * 15:02}"
