"""A plain model of the desk: it does the desk's work without any data structure.

After every event it looks at every caller and every agent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from config.settings import Queue
from routing.agents import COOL_DOWN, IllegalTransition
from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    CancelRing,
    Command,
    DutyChanged,
    GiveUp,
    Input,
    RaiseAlarm,
    Ring,
    RingReport,
    Rules,
    SettingsChanged,
    TalkBegan,
    TalkEnded,
)
from routing.plan import Plan, PlannedTry
from routing.queue import RING_GUARD

SECOND = 1_000_000
QUICK = ("busy", "rejected", "unreachable", "failed")


@dataclass
class _Person:
    mode: str = "off"
    since: int = 0
    missed: int = 0
    pause: str = ""
    until: int = 0
    cool: int = 0
    changed: int = 0
    call: str = ""
    bridged: bool = False
    talk: str = ""
    queue: str = ""


@dataclass
class _Wait:
    asked: CallAsked
    number: int
    rings: int
    tried: set[str]
    ringing: str = ""
    ring_due: int = 0


@dataclass
class Naive:
    """The desk's rules, each looked up in full every time."""

    rules: Rules
    queues: dict[str, Queue] = field(default_factory=dict)
    people: dict[str, _Person] = field(default_factory=dict)
    calls: list[_Wait] = field(default_factory=list)
    duty: dict[str, int] = field(default_factory=dict)
    reached: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0
    said: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues.update(self.rules.queues)
        self.people = {number: _Person() for number in self.rules.agents}

    def on_duty(self, number: str) -> bool:
        return number in self.duty and number in self.rules.agents

    def skill(self, call: _Wait) -> str:
        return self.queues[call.asked.queue].skill

    def due(self, call: _Wait) -> int:
        longest = self.queues[call.asked.queue].longest_wait
        return (call.asked.waiting_since or call.asked.asked_at) + round(longest * SECOND)

    def plan(self, number: str) -> Plan:
        agent, tries = self.rules.agents.get(number), []
        for device in agent.devices if agent else ():
            if device.number is not None or (number, device.sip) in self.reached:
                ring = self.rules.ring if device.ring_time is None else device.ring_time
                tries.append(PlannedTry(device, ring, self.rules.confirm if device.number or device.confirm else 0))
        return Plan(tuple(tries), agent is not None and agent.ring == "at_once")

    def longest(self, plan: Plan) -> float:
        each = [one.ring + one.confirm for one in plan.tries]
        return max(each) if plan.at_once else sum(each)

    def covered(self, skill: str) -> bool:
        return any(self.on_duty(one) and skill in self.rules.agents[one].skill_names for one in self.people)

    def others_serve(self, number: str) -> list[str]:
        """Queues that only this agent could serve."""
        alone = []
        for name, queue in self.rules.queues.items():
            can = [
                one
                for one, person in self.people.items()
                if self.on_duty(one) and self.plan(one).tries and person.mode not in ("off", "paused")
                if queue.skill in self.rules.agents[one].skill_names
            ]
            if queue.skill in self.rules.agents[number].skill_names and not set(can) - {number}:
                alone.append(name)
        return sorted(alone)

    def rest(self, now: int, number: str, since: int) -> None:
        """Free again: off, paused or ready."""
        person = self.people[number]
        person.changed, person.call = now, ""
        if not self.on_duty(number):
            self.people[number] = _Person(changed=now, cool=person.cool)
        elif person.pause:
            person.mode = "paused"
        else:
            person.mode, person.since = "ready", since

    def ring_ends(self, now: int, call: _Wait, result: str) -> None:
        number, call.ringing = call.ringing, ""
        person = self.people[number]
        if result in QUICK:
            person.cool = now + COOL_DOWN
        if result in ("missed", "busy", "rejected"):
            person.missed += 1
            if person.missed >= self.rules.misses_before_pause and self.on_duty(number):
                left = self.others_serve(number)
                if left:
                    params = {"agent": number, "missed": person.missed, "queues": ",".join(left)}
                    self.said.append(RaiseAlarm("last_agent_missed", params))
                else:
                    person.pause = person.pause or "missed"
        if result == "answered":
            person.mode, person.missed, person.changed, person.bridged = "talking", 0, now, False
            person.queue = call.asked.queue
            self.calls.remove(call)
            return
        self.rest(now, number, person.since if result in ("failed", "caller_gone") else now)
        if result == "caller_gone":
            self.calls.remove(call)
        elif not self.covered(self.skill(call)):
            self.calls.remove(call)
            self.said.append(GiveUp(call.asked.call_id, "uncovered"))
        elif now >= self.due(call):
            self.calls.remove(call)
            self.said.append(GiveUp(call.asked.call_id, "longest_wait"))

    def talk_ends(self, now: int, call_id: str, talk_id: str = "") -> None:
        for number, person in self.people.items():
            if person.mode == "talking" and person.call == call_id and talk_id in ("", person.talk):
                queue = self.queues[person.queue]
                wrap_up = round((self.rules.wrap_up if queue.wrap_up is None else queue.wrap_up) * SECOND)
                if not person.bridged:
                    self.rest(now, number, person.since)
                elif wrap_up:
                    person.mode, person.until, person.changed = "wrap_up", now + wrap_up, now
                else:
                    self.rest(now, number, now)
                return

    def keep_duty(self, now: int) -> None:
        for number, person in self.people.items():
            began = self.duty.get(number) if number in self.rules.agents else None
            if began is None and person.mode in ("ready", "paused"):
                self.people[number] = _Person(changed=now, cool=person.cool)
            elif began is not None and (person.mode == "off" or (person.pause and began > person.changed)):
                person.pause, person.missed, person.changed = "", 0, now
                if person.mode in ("off", "paused"):
                    person.mode, person.since = "ready", now

    def step(self, now: int, event: Input) -> list[Command]:
        self.said = []
        match event:
            case CallAsked():
                call = _Wait(event, self.count, event.rings, set(event.avoid))
                self.count += 1
                if self.covered(self.skill(call)):
                    self.calls.append(call)
                else:
                    self.said.append(GiveUp(event.call_id, "uncovered"))
            case CallGone():
                for call in [call for call in self.calls if call.asked.call_id == event.call_id]:
                    if call.ringing:
                        talk_id = f"{event.call_id}-{call.rings}"
                        self.said.append(CancelRing(event.call_id, talk_id, call.ringing, "caller_gone"))
                        self.ring_ends(now, call, "caller_gone")
                    else:
                        self.calls.remove(call)
                self.talk_ends(now, event.call_id)
            case RingReport():
                for call in self.calls:
                    if call.ringing and f"{call.asked.call_id}-{call.rings}" == event.talk_id:
                        self.ring_ends(now, call, event.result)
                        break
                else:
                    if event.result == "answered":
                        self.said.append(CancelRing(event.call_id, event.talk_id, event.agent, "caller_gone"))
            case TalkBegan():
                for person in self.people.values():
                    person.bridged = person.bridged or (person.mode == "talking" and person.call == event.call_id)
            case TalkEnded():
                self.talk_ends(now, event.call_id, event.talk_id)
            case AgentReachable():
                (self.reached.add if event.reachable else self.reached.discard)((event.agent, event.device))
            case DutyChanged():
                self.duty = dict(event.duty)
                self.keep_duty(now)
            case AgentCommand():
                person = self.people[event.agent]
                if person.mode == "off":
                    raise IllegalTransition(event.agent, "off", None)  # type: ignore[arg-type]
                before = replace(person)
                if event.verb == "pause":
                    person.pause = event.reason
                    if person.mode in ("ready", "wrap_up", "paused"):
                        self.rest(now, event.agent, 0)
                else:
                    person.pause, person.missed = "", 0
                    if person.mode in ("wrap_up", "paused"):
                        self.rest(now, event.agent, now)
                changed = replace(self.people[event.agent], changed=before.changed) != before
                self.people[event.agent].changed = now if changed else before.changed
            case SettingsChanged():
                self.rules = event.rules
                self.queues.update(event.rules.queues)
                for number in event.rules.agents:
                    self.people.setdefault(number, _Person())
                self.keep_duty(now)
        self.time_passes(now)
        return self.said

    def time_passes(self, now: int) -> None:
        for number, person in self.people.items():
            if person.mode == "wrap_up" and person.until <= now:
                self.rest(now, number, now)
        for call in list(self.calls):
            if call.ringing and call.ring_due <= now:
                talk_id = f"{call.asked.call_id}-{call.rings}"
                params = {"call_id": call.asked.call_id, "talk_id": talk_id, "agent": call.ringing}
                self.said.append(RaiseAlarm("ring_unreported", params))
                self.said.append(CancelRing(call.asked.call_id, talk_id, call.ringing, "failed"))
                self.ring_ends(now, call, "failed")
        for call in list(self.calls):
            if not call.ringing and not self.covered(self.skill(call)):
                self.calls.remove(call)
                self.said.append(GiveUp(call.asked.call_id, "uncovered"))
        while self.ring_one(now):
            pass
        for call in list(self.calls):
            if not call.ringing and self.due(call) <= now:
                self.calls.remove(call)
                self.said.append(GiveUp(call.asked.call_id, "longest_wait"))

    def ring_one(self, now: int) -> bool:
        for call in sorted(self.calls, key=lambda one: (one.asked.priority, one.asked.asked_at, one.number)):
            if call.ringing:
                continue
            free = [
                (person.since, number)
                for number, person in self.people.items()
                if self.on_duty(number) and self.skill(call) in self.rules.agents[number].skill_names
                if person.mode == "ready" and person.cool <= now and self.plan(number).tries
            ]
            if not free:
                continue
            fresh = [one for one in free if one[1] not in call.tried]
            if not fresh:
                call.tried.clear()
            number = min(fresh or free)[1]
            person = self.people[number]
            call.ringing, call.rings = number, call.rings + 1
            plan = self.plan(number)
            call.ring_due = now + round(self.longest(plan) * SECOND) + RING_GUARD
            call.tried.add(number)
            person.talk = f"{call.asked.call_id}-{call.rings}"
            person.mode, person.call, person.changed = "ringing", call.asked.call_id, now
            self.said.append(Ring(call.asked.call_id, f"{call.asked.call_id}-{call.rings}", number, plan))
            return True
        return False

    def next_time(self, now: int) -> int:
        """When something is due next; 0: nothing."""
        times = [person.until for person in self.people.values() if person.mode == "wrap_up"]
        times += [person.cool for person in self.people.values() if person.cool > now]
        times += [call.ring_due if call.ringing else self.due(call) for call in self.calls]
        return min(times, default=0)
