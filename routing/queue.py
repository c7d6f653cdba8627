"""The desk's core: who gets which caller. Events in, commands out, on state that nobody else touches.

Theory of operation. Callers wait by skill (queues with the same skill and level share their agents, so their callers
share one order): by priority, then by the instant of asking, then by arrival. Free agents stand beside each skill they
have, ordered by the strategy. After every step no skill has both a caller who waits and a free agent whom this caller
may be given; so a step only looks at the skills that it touched, and there only at the heads. An agent with several
skills takes the first caller over all of them.

- A caller whose ring failed keeps their place. An agent they have rung is rung again only when no other is free.
- Longest wait: a ring that is on when the time is up goes to its end, and then there is no other. An agent who
  becomes free in that very instant is still rung.
- Uncovered: nobody with the skill is on duty. Agents who talk, are paused or cannot be reached do cover. A ring that
  is on goes to its end.
- Backups stand apart. They are rung when nobody of the first line serves (is reachable, on duty, not paused), or for a
  caller who has waited for ``backup_after``; after whoever of the first line is free. They do cover.
- Closed: who asks outside the queue's service hours is told so. Who asked before is served while agents are there.
- The last agent who could serve a queue is never paused for missed rings: an alarm is raised, and they ring on.
- The end of a shift lets the ring, the talk and the wrap-up go to their end; the agent gets no new ring.
- A ring of which nobody reports the end is taken back: no agent rings for ever.

Everything about one agent is in :mod:`routing.agents` and :mod:`routing.floor`.
"""

from __future__ import annotations

from typing import assert_never

from config import settings
from routing.agents import COOLS_DOWN, RING_ENDS, SECOND, AgentEvent
from routing.desk_state import DeskState
from routing.floor import Timer
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
    Restore,
    Ring,
    RingReport,
    SettingsChanged,
    Standing,
    TalkBegan,
    TalkEnded,
    Tick,
    WakeAt,
    Why,
)  # fmt: skip
from routing.skills import Caller, Place, Seat, SkillQueue

RING_GUARD = 30 * SECOND
"""µs beyond the ring's plan after which a ring without a report is taken back: longer than an agent who answered in its
last second can be announced (``routing.announce.INTRODUCTION``), and a call's own clean-up together."""


class Desk(DeskState):
    """All callers who wait and all agents.

    ``step`` raises, and then nothing has happened: LookupError for a command to an unknown agent,
    :class:`routing.agents.IllegalTransition` for a command that the agent's state forbids, ValueError for a
    :class:`Restore` that is not the first input. Reports that come too late change nothing.
    """

    # --- the step -----------------------------------------------------------------------------------------------

    def step(self, now: int, event: Input) -> list[Command]:
        """Take in what happened at ``now`` (µs since 1970 UTC) and say what must be done, in this order."""
        out: list[Command] = []
        self._now = self._floor.now = max(now, self._now)
        self._out = self._floor.out = out
        match event:
            case Tick():
                pass
            case CallAsked():
                self._call_asked(event)
            case CallGone():
                self._call_gone(event.call_id)
            case RingReport():
                self._ring_report(event)
            case TalkBegan() | TalkEnded():
                seat = self._talks.get(event.call_id)
                if seat is not None and seat.state.talk_id == event.talk_id:
                    if isinstance(event, TalkBegan):
                        seat.bridged = True
                    else:
                        self._end_talk(event.call_id)
            case AgentCommand():
                self._wrap_ups.command(event)
            case AgentReachable():
                self._floor.reach(event.agent, event.device, event.reachable)
            case Standing():
                self._closed = event.closed
                self._floor.stand(event)
            case RecordSaved():
                self._wrap_ups.record(event.call_id, event.complete)
            case SettingsChanged():
                self._settings_changed(event)
            case Restore():
                self._restore(event)
            case _:
                assert_never(event)
        self._used = True
        late = self._run_timers()
        self._give_up_uncovered()
        self._match()
        for caller in late:
            if caller.asked.call_id in self._callers and caller.rung is None:
                self._give_up(caller, "longest_wait")
        wake = self._timers.next(self._holds)
        if wake != self._wake or (wake and isinstance(event, Tick)):  # a Tick may come a microsecond early
            self._wake = wake
            out.append(WakeAt(wake))
        return out

    # --- callers ------------------------------------------------------------------------------------------------

    def _call_asked(self, asked: CallAsked) -> None:
        rings = asked.rings
        here = self._callers.get(asked.call_id)
        if here is not None:
            if here.asked.queue == asked.queue and (here.rung is None or asked.rings < here.rings):
                return
            rings = max(rings, here.rings)
        self._call_gone(asked.call_id)
        queue = self._queues.get(asked.queue)
        if queue is None:
            self._out.append(RaiseAlarm("unknown_queue", {"call_id": asked.call_id, "queue": asked.queue}))
        skill = self._floor.skill(queue.skill, queue.level) if queue else None
        closed = self._closed.get(asked.queue)
        after_hours = closed is not None and closed.since <= asked.asked_at
        if queue is None or skill is None or not skill.on_duty or after_hours:
            self._out.append(self._nobody(asked, "uncovered"))
            return
        self._arrivals += 1
        caller = Caller(asked, skill, self._arrivals, rings, set(asked.avoid))
        self._callers[asked.call_id] = caller
        self._waiting[asked.queue] += 1
        self._wait(caller)
        self._set_due(caller, queue)

    def _wait(self, caller: Caller) -> None:
        """The caller waits, anew or after a ring, in their place."""
        if caller.rung is None:
            caller.skill.enter(caller)
        else:
            caller.skill.ring(caller, None)
        self._floor.touched[caller.skill] = None

    def _set_due(self, caller: Caller, queue: settings.Queue) -> None:
        since = caller.asked.waiting_since or caller.asked.asked_at
        caller.due = since + round(queue.longest_wait * SECOND)
        self._timers.set(caller.due, "longest_wait", caller.asked.call_id)
        after = self._floor.rules.backup_after
        caller.backup_due = 0 if after is None else since + round(after * SECOND)
        if caller.backup_due:
            self._timers.set(caller.backup_due, "backup", caller.asked.call_id)

    def _call_backups(self, caller: Caller) -> None:
        """They have waited so long that backups are rung for them too."""
        caller.skill.leave(caller)
        caller.overdue = True
        caller.skill.enter(caller)
        self._floor.touched[caller.skill] = None

    def _leave(self, caller: Caller) -> None:
        caller.skill.leave(caller)
        del self._callers[caller.asked.call_id]
        self._waiting[caller.asked.queue] -= 1

    def _give_up(self, caller: Caller, why: Why) -> None:
        self._leave(caller)
        self._out.append(self._nobody(caller.asked, why))

    def _nobody(self, asked: CallAsked, why: Why) -> GiveUp:
        """Nobody is on duty, or the time is up; outside the service hours the former is no wonder."""
        closed = self._closed.get(asked.queue)
        if closed is not None and why == "uncovered":
            return GiveUp(asked.call_id, "closed", closed.opens)
        return GiveUp(asked.call_id, why)

    def _give_up_uncovered(self) -> None:
        for skill in self._floor.bared:
            if not skill.on_duty:
                for place in list(skill.waiting):
                    self._give_up(self._callers[place[-1]], "uncovered")
        self._floor.bared.clear()

    def _call_gone(self, call_id: str) -> None:
        caller = self._callers.get(call_id)
        if caller is not None:
            self._leave(caller)
            if caller.rung is not None:
                ring = caller.rung.state
                self._out.append(CancelRing(call_id, ring.talk_id, ring.agent, "caller_gone"))
                self._floor.change(caller.rung, AgentEvent.RING_LOST)
        elif call_id in self._talks:
            self._end_talk(call_id)

    # --- rings and talks ----------------------------------------------------------------------------------------

    def _match(self) -> None:
        """Ring while a touched skill has both a caller and a free agent; the first caller of all skills first."""
        touched = self._floor.touched
        while touched:
            best: SkillQueue | None = None
            first: Place | None = None
            for skill in list(touched):
                place = skill.next()
                if place is None:
                    del touched[skill]
                elif first is None or place < first:
                    best, first = skill, place
            if best is not None and first is not None:
                caller = self._callers[first[-1]]
                self._ring(caller, self._floor.seats[best.choose(caller)])

    def _ring(self, caller: Caller, seat: Seat) -> None:
        call_id = caller.asked.call_id
        caller.rings += 1
        talk_id = f"{call_id}-{caller.rings}"
        caller.skill.ring(caller, seat)
        plan = self._floor.plan(seat)
        caller.ring_due = self._now + round(plan.longest * SECOND) + RING_GUARD
        self._timers.set(caller.ring_due, "ring", call_id)
        seat.queue, seat.taken_at = caller.asked.queue, self._now
        self._floor.change(seat, AgentEvent.RUNG, call_id=call_id, talk_id=talk_id)
        self._out.append(Ring(call_id, talk_id, seat.state.agent, plan))

    def _ring_report(self, report: RingReport) -> None:
        caller = self._callers.get(report.call_id)
        seat = caller.rung if caller is not None else None
        if caller is None or seat is None or seat.state.talk_id != report.talk_id:
            talking = self._talks.get(report.call_id)
            if report.result == "answered" and (talking is None or talking.state.talk_id != report.talk_id):
                self._out.append(CancelRing(report.call_id, report.talk_id, report.agent, "caller_gone"))
            return
        event = RING_ENDS[report.result]
        if event is AgentEvent.RING_MISSED:
            event = self._count_miss(seat)
        if report.result in COOLS_DOWN:
            self._floor.cool_down(seat)
        match report.result:
            case "answered":
                self._leave(caller)
                seat.bridged = False
                self._talks[report.call_id] = seat
            case "caller_gone":
                self._leave(caller)
            case _:
                self._wait(caller)
        self._floor.change(seat, event)
        if report.call_id in self._callers:
            self._wait_on(caller)

    def _wait_on(self, caller: Caller) -> None:
        """After a ring that failed: whether there can be another."""
        if not caller.skill.on_duty:
            self._give_up(caller, "uncovered")
        elif self._now >= caller.due:
            self._give_up(caller, "longest_wait")
        else:
            self._timers.set(caller.due, "longest_wait", caller.asked.call_id)  # dropped while the ring was on

    def _count_miss(self, seat: Seat) -> AgentEvent:
        """One more missed ring: one too many pauses the agent, unless a queue would be left with nobody."""
        missed = seat.state.missed + 1
        if missed < self._floor.rules.misses_before_pause or not seat.on_duty:
            return AgentEvent.RING_MISSED
        queues = self._floor.queues_left_bare(seat)
        if not queues:
            return AgentEvent.MISSED_TOO_OFTEN
        self._out.append(RaiseAlarm(
            "last_agent_missed", {"agent": seat.state.agent, "missed": missed, "queues": ",".join(queues)}
        ))  # fmt: skip
        return AgentEvent.RING_MISSED

    def _take_back(self, caller: Caller, seat: Seat) -> None:
        """The ring's report is overdue: the fault is ours, so the agent keeps their turn."""
        call_id, talk_id, agent = caller.asked.call_id, seat.state.talk_id, seat.state.agent
        self._out.append(RaiseAlarm("ring_unreported", {"call_id": call_id, "talk_id": talk_id, "agent": agent}))
        self._out.append(CancelRing(call_id, talk_id, agent, "failed"))
        self._floor.cool_down(seat)
        self._wait(caller)
        self._floor.change(seat, AgentEvent.RING_LOST)
        self._wait_on(caller)

    def _end_talk(self, call_id: str) -> None:
        seat = self._talks.pop(call_id)
        if not seat.bridged:
            self._floor.change(seat, AgentEvent.NEVER_BRIDGED)
            return
        queue = self._queues.get(seat.queue)
        seconds = self._floor.rules.wrap_up if queue is None or queue.wrap_up is None else queue.wrap_up
        self._wrap_ups.begin(seat, call_id, seconds)

    # --- settings and starts ------------------------------------------------------------------------------------

    def _settings_changed(self, change: SettingsChanged) -> None:
        self._queues.update(change.rules.queues)  # one that is gone drains, and still takes who was sent to it
        self._floor.refurnish(change.rules, change.standing)
        self._wrap_ups.settings_changed()
        if change.standing is not None:
            self._closed = change.standing.closed
        for caller in self._callers.values():
            queue = self._queues[caller.asked.queue]
            caller.skill.leave(caller)
            caller.skill = self._floor.skill(queue.skill, queue.level)
            caller.overdue = False  # by the timer, if they still are
            caller.skill.enter(caller)
            self._floor.touched[caller.skill] = self._floor.bared[caller.skill] = None
            self._set_due(caller, queue)

    def _restore(self, start: Restore) -> None:
        if self._used:
            raise ValueError("a desk is restored once, at its start")
        floor = self._floor
        self._closed = start.standing.closed
        floor.start(start.agents, start.reachable, start.standing)
        for handled in start.handled:
            self._learn(handled)
        for talk in start.talks:
            seat = floor.seat(talk.agent)
            seat.bridged, seat.queue, seat.taken_at = True, talk.queue, seat.state.changed_at
            self._talks[talk.call_id] = seat
            floor.change(seat, AgentEvent.ADOPTED, call_id=talk.call_id, talk_id=talk.talk_id)
        self._wrap_ups.known(start.complete)
        for seat in list(floor.seats.values()):
            floor.keep_duty(seat)
            call_id = seat.state.call_id
            if seat.state.mode == "ringing":
                floor.change(seat, AgentEvent.RING_LOST)
            elif seat.state.mode == "talking" and self._talks.get(call_id) is not seat:
                seat.bridged = True
                self._talks[call_id] = seat
                self._end_talk(call_id)
        for asked in start.waiting:
            self._call_asked(asked)

    # --- time ---------------------------------------------------------------------------------------------------

    def _holds(self, timer: Timer) -> bool:
        """Whether the timer still means something."""
        if timer.kind in ("wrap_up", "cool_down"):
            return self._floor.holds(timer)
        caller = self._callers.get(timer.who)
        if caller is None:
            return False
        if timer.kind == "longest_wait":
            return caller.due == timer.at and caller.rung is None
        if timer.kind == "backup":
            return caller.backup_due == timer.at and not caller.overdue
        return caller.ring_due == timer.at and caller.rung is not None

    def _run_timers(self) -> list[Caller]:
        """Do what is due; gives the callers whose longest wait is over, who may still be rung in this step."""
        late: list[Caller] = []
        for timer in self._timers.due(self._now):
            if not self._holds(timer):
                continue
            match timer.kind:
                case "longest_wait":
                    late.append(self._callers[timer.who])
                case "ring":
                    caller = self._callers[timer.who]
                    if caller.rung is not None:
                        self._take_back(caller, caller.rung)
                case "backup":
                    self._call_backups(self._callers[timer.who])
                case "cool_down":
                    self._floor.settle(self._floor.seats[timer.who])
                case "wrap_up":
                    self._wrap_ups.over(self._floor.seats[timer.who])
        return late
