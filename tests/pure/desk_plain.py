"""A plain model of the desk: it does the desk's work without any data structure.

After every event it looks at every caller and every agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from config.settings import Queue
from routing.agents import COOL_DOWN, IllegalTransition
from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    CancelRing,
    Command,
    GiveUp,
    Input,
    RaiseAlarm,
    RecordSaved,
    Ring,
    RingReport,
    Rules,
    SettingsChanged,
    Standing,
    TalkBegan,
    TalkEnded,
)
from routing.plan import Plan, PlannedTry
from routing.queue import RING_GUARD
from routing.roster import Line

SECOND = 1_000_000
QUICK = ("busy", "rejected", "unreachable", "failed")


def on(duty: Mapping[str, int | Line], **more: Any) -> Standing:
    """These are on duty: since when, first line and with all devices, or as the line says."""
    lines = {who: Line(one, False, ()) if isinstance(one, int) else one for who, one in duty.items()}
    return Standing(lines, **more)


@dataclass
class _Person:
    mode: str = "off"
    since: int = 0
    missed: int = 0
    pause: str = ""
    until: int = 0
    since_until: int = 0
    free: int = 0
    extended: int = 0
    recorded: bool = False
    cool: int = 0
    changed: int = 0
    call: str = ""
    bridged: bool = False
    talk: str = ""
    queue: str = ""
    began: int = 0
    paused: tuple[int, str] = (0, "")


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
    standing: Standing = field(default_factory=Standing)
    reached: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0
    wrap_ups: int = 0
    said: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues.update(self.rules.queues)
        self.people = {number: _Person() for number in self.rules.agents}

    def on_duty(self, number: str) -> bool:
        return number in self.standing.duty and number in self.rules.agents

    def can(self, number: str, queue: Queue) -> bool:
        """On duty, and good enough on this date."""
        if not self.on_duty(number):
            return False
        return self.rules.agents[number].skills_at(self.standing.date).get(queue.skill, 0) >= queue.level

    def serves(self, number: str, queue: Queue) -> bool:
        """There for calls, even if busy now."""
        return self.can(number, queue) and bool(self.plan(number).tries) and self.people[number].mode not in (
            "off", "paused"
        )  # fmt: skip

    def is_backup(self, number: str) -> bool:
        return self.standing.duty[number].backup

    def may_ring(self, number: str, call: _Wait, now: int) -> bool:
        """A backup only when nobody of the first line serves, or when the caller has waited for too long."""
        queue = self.queues[call.asked.queue]
        if not self.can(number, queue):
            return False
        if not self.is_backup(number) or 0 < self.backup_due(call) <= now:
            return True
        return not any(self.serves(one, queue) and not self.is_backup(one) for one in self.people)

    def backup_due(self, call: _Wait) -> int:
        after = self.rules.backup_after
        return 0 if after is None else (call.asked.waiting_since or call.asked.asked_at) + round(after * SECOND)

    def nobody(self, call: CallAsked) -> GiveUp:
        closed = self.standing.closed.get(call.queue)
        return GiveUp(call.call_id, "closed", closed.opens) if closed else GiveUp(call.call_id, "uncovered")

    def due(self, call: _Wait) -> int:
        longest = self.queues[call.asked.queue].longest_wait
        return (call.asked.waiting_since or call.asked.asked_at) + round(longest * SECOND)

    def plan(self, number: str) -> Plan:
        agent, tries = self.rules.agents.get(number), []
        names = self.standing.duty[number].devices if number in self.standing.duty else ()
        devices = [one for name in names for one in agent.devices if one.named == name] if agent else []
        for device in devices or (agent.devices if agent else ()):
            if device.number is not None or (number, device.sip) in self.reached:
                ring = self.rules.ring if device.ring_time is None else device.ring_time
                tries.append(PlannedTry(device, ring, self.rules.confirm if device.number or device.confirm else 0))
        return Plan(tuple(tries), agent is not None and agent.ring == "at_once")

    def longest(self, plan: Plan) -> float:
        each = [one.ring + one.confirm for one in plan.tries]
        return max(each) if plan.at_once else sum(each)

    def covered(self, queue: str) -> bool:
        return any(self.can(one, self.queues[queue]) for one in self.people)

    def others_serve(self, number: str) -> list[str]:
        """Queues that only this agent could serve."""
        alone = []
        for name, queue in self.rules.queues.items():
            serving = [one for one in self.people if self.serves(one, queue)]
            if self.can(number, queue) and not set(serving) - {number}:
                alone.append(name)
        return sorted(alone)

    def rest(self, now: int, number: str, since: int) -> None:
        """Free again: off, paused or ready."""
        person = self.people[number]
        person.changed, person.call, person.free, person.extended, person.recorded = now, "", 0, 0, False
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
        elif not self.covered(call.asked.queue):
            self.calls.remove(call)
            self.said.append(self.nobody(call.asked))
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
                elif self.awaits(number):
                    limit = max(wrap_up, round(self.rules.record.time_limit * SECOND))
                    person.mode, person.free, person.changed = "wrap_up", now + wrap_up, now
                    self.wraps_until(person, now + limit)
                elif wrap_up:
                    person.mode, person.changed = "wrap_up", now
                    self.wraps_until(person, now + wrap_up)
                else:
                    self.rest(now, number, now)
                person.recorded = False
                return

    def awaits(self, number: str) -> bool:
        """A record, before the next call: of whoever has more than an outside number."""
        tries = self.plan(number).tries
        at_home = tries and all(one.device.number for one in tries)
        return self.rules.record.required and not self.people[number].recorded and not at_home

    def wraps_until(self, person: _Person, until: int) -> None:
        if person.until != until:
            self.wrap_ups += 1
            person.until, person.since_until = until, self.wrap_ups

    def record_done(self, now: int, number: str) -> None:
        person = self.people[number]
        free, person.free, person.extended, person.changed = person.free, 0, 0, now
        if free <= now:
            self.rest(now, number, now)
        else:
            self.wraps_until(person, free)

    def keep_duty(self, now: int) -> None:
        for number, person in self.people.items():
            line = self.standing.duty.get(number) if number in self.rules.agents else None
            began = line.begun if line else None
            if began is None and person.mode != "off":
                paused = (person.began, person.pause if person.mode == "paused" else "")
                if person.mode in ("ready", "paused"):
                    person = self.people[number] = _Person(changed=now, cool=person.cool)
                person.paused = paused
            if began is None:
                continue
            goes_on = person.paused[1] if person.paused[0] == began else ""
            person.paused, person.began = (0, ""), began
            if person.mode == "off" or (person.pause and began > person.changed):
                person.pause, person.missed, person.changed = "", 0, now
                if person.mode in ("off", "paused"):
                    person.mode, person.since = "ready", now
                if goes_on:
                    person.pause = goes_on
                    self.rest(now, number, now)

    def step(self, now: int, event: Input) -> list[Command]:
        self.said = []
        match event:
            case CallAsked():
                call = _Wait(event, self.count, event.rings, set(event.avoid))
                self.count += 1
                closed = self.standing.closed.get(event.queue)
                if self.covered(event.queue) and not (closed and closed.since <= event.asked_at):
                    self.calls.append(call)
                else:
                    self.said.append(self.nobody(event))
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
            case Standing():
                self.standing = event
                self.keep_duty(now)
            case AgentCommand():
                person = self.people[event.agent]
                no_more = not person.free or person.extended >= self.rules.record.extensions
                if person.mode == "off" or (event.verb == "extend" and no_more):
                    raise IllegalTransition(event.agent, "off", None)  # type: ignore[arg-type]
                before = replace(person)
                if event.verb == "extend":
                    person.extended += 1
                    self.wraps_until(person, person.until + round(self.rules.record.extend_by * SECOND))
                elif person.free:
                    person.pause = event.reason if event.verb == "pause" else ""
                    person.missed = person.missed if event.verb == "pause" else 0
                    person.free = min(person.free, now)
                elif event.verb == "pause":
                    person.pause = event.reason
                    if person.mode in ("ready", "wrap_up", "paused"):
                        self.rest(now, event.agent, 0)
                else:
                    person.pause, person.missed = "", 0
                    if person.mode in ("wrap_up", "paused"):
                        self.rest(now, event.agent, now)
                changed = replace(self.people[event.agent], changed=before.changed) != before
                self.people[event.agent].changed = now if changed else before.changed
            case RecordSaved():
                for number, person in self.people.items():
                    if person.call == event.call_id and person.mode in ("ringing", "talking"):
                        person.recorded = event.complete
                    elif person.call == event.call_id and person.free and event.complete:
                        self.record_done(now, number)
            case SettingsChanged():
                self.rules = event.rules
                self.queues.update(event.rules.queues)
                for number in event.rules.agents:
                    self.people.setdefault(number, _Person())
                self.keep_duty(now)
                for number, person in self.people.items():
                    if person.free and not self.rules.record.required:
                        self.record_done(now, number)
        self.time_passes(now)
        return self.said

    def time_passes(self, now: int) -> None:
        over = [one for one, person in self.people.items() if person.mode == "wrap_up" and person.until <= now]
        for number in sorted(over, key=lambda one: (self.people[one].until, self.people[one].since_until)):
            person = self.people[number]
            if person.free and self.rules.record.at_limit == "pause" and not self.others_serve(number):
                person.pause = person.pause or "no_record"
            self.rest(now, number, now)
        for call in list(self.calls):
            if call.ringing and call.ring_due <= now:
                talk_id = f"{call.asked.call_id}-{call.rings}"
                params = {"call_id": call.asked.call_id, "talk_id": talk_id, "agent": call.ringing}
                self.said.append(RaiseAlarm("ring_unreported", params))
                self.said.append(CancelRing(call.asked.call_id, talk_id, call.ringing, "failed"))
                self.ring_ends(now, call, "failed")
        for call in list(self.calls):
            if not call.ringing and not self.covered(call.asked.queue):
                self.calls.remove(call)
                self.said.append(self.nobody(call.asked))
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
            skill = self.queues[call.asked.queue].skill
            free = [
                (
                    self.is_backup(number),
                    -self.rules.agents[number].skills_at(self.standing.date)[skill],
                    person.since,
                    number,
                )
                for number, person in self.people.items()
                if self.may_ring(number, call, now)
                if person.mode == "ready" and person.cool <= now and self.plan(number).tries
            ]
            if not free:
                continue
            fresh = [one for one in free if one[-1] not in call.tried]
            if not fresh:
                call.tried.clear()
            number = min(fresh or free)[-1]
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
        times += [due for call in self.calls if (due := self.backup_due(call)) > now]
        return min(times, default=0)
