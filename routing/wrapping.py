"""话后处理: how long an agent is kept from the next call after a talk, so that its record can be written. Pure.

Where records are required, the wrap-up goes on until the call's record is complete, at the longest to its limit, which
the agent may move a bounded number of times. Nobody is kept for ever:

- An agent who is reached by outside numbers alone (on night duty, at home) has no screen before them: nothing is
  awaited of them, the record can be written later and is missing until then.
- Whom the limit would pause is ready instead where a queue would be left with nobody to serve it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from routing.agents import SECOND, AgentEvent, IllegalTransition
from routing.floor import Floor
from routing.messages import AgentCommand, Handled
from routing.skills import Seat


class WrapUps:
    """The wrap-ups of one floor. ``learn`` is told how long each caller took their agent, once that is known: at the
    talk's end or, where the record is awaited, when that is written or its limit is reached."""

    def __init__(self, floor: Floor, learn: Callable[[Handled], None]) -> None:
        self._floor = floor
        self._learn = learn
        self._complete: set[str] = set()
        """Calls that are rung or talked in, and whose record is complete already."""

    def begin(self, seat: Seat, call_id: str, seconds: float) -> None:
        """The talk is over; the ordinary wrap-up takes so long."""
        now, rules = self._floor.now, self._floor.rules.record
        free = now + round(seconds * SECOND)
        complete = call_id in self._complete
        self._complete.discard(call_id)
        if rules.required and not complete and not self._without_screen(seat):
            limit = max(free, now + round(rules.time_limit * SECOND))
            self._floor.change(seat, AgentEvent.TALK_ENDED, wrap_up_until=limit, free_from=max(1, free))
        else:
            self._floor.change(seat, AgentEvent.TALK_ENDED, wrap_up_until=free)
        if seat.taken_at and not seat.state.free_from:
            self._learn(Handled(seat.queue, now, (now - seat.taken_at) / SECOND))

    def record(self, call_id: str, complete: bool) -> None:
        """The call's record was written, and is complete or not."""
        for seat in [one for one in self._floor.seats.values() if one.state.call_id == call_id]:
            if seat.state.mode in ("ringing", "talking"):
                (self._complete.add if complete else self._complete.discard)(call_id)
            elif complete and seat.state.free_from:
                self._complete_now(seat)

    def known(self, complete: Iterable[str]) -> None:
        """At a start: the records that are complete, among those of calls that somebody has to do with."""
        for call_id in complete:
            self.record(call_id, True)

    def command(self, command: AgentCommand) -> None:
        """What an agent or a supervisor says; ``extend`` gives more time for the record. Raises LookupError,
        IllegalTransition: for ``extend`` where no record is awaited, or no more can be given."""
        seat = self._floor.present(command.agent)
        if command.verb != "extend":
            self._floor.command(seat, command)
            return
        state, rules = seat.state, self._floor.rules.record
        if state.extended >= rules.extensions:
            raise IllegalTransition(command.agent, state.mode, AgentEvent.EXTENDED)
        until = state.until + round(rules.extend_by * SECOND)
        self._floor.change(seat, AgentEvent.EXTENDED, wrap_up_until=until)

    def over(self, seat: Seat) -> None:
        """Its time has come."""
        self._taken(seat, self._floor.now)
        pauses = self._floor.rules.record.at_limit == "pause" and not self._floor.queues_left_bare(seat)
        missing = bool(seat.state.free_from) and pauses
        self._floor.change(seat, AgentEvent.RECORD_MISSING if missing else AgentEvent.WRAP_UP_ENDED)

    def settings_changed(self) -> None:
        """Where no record is required any more, none is waited for."""
        if not self._floor.rules.record.required:
            for seat in [one for one in self._floor.seats.values() if one.state.free_from]:
                self._complete_now(seat)

    def _complete_now(self, seat: Seat) -> None:
        """Nothing is awaited of them any more: the wrap-up ends when it may."""
        self._taken(seat, max(self._floor.now, seat.state.free_from))
        self._floor.change(seat, AgentEvent.RECORD_COMPLETE)

    def _taken(self, seat: Seat, until: int) -> None:
        """The record took them until then (µs). Of an agent whom the daemon before sent off to write it, only that one
        knew since when."""
        if seat.state.free_from and seat.taken_at:
            self._learn(Handled(seat.queue, self._floor.now, (until - seat.taken_at) / SECOND, 0.0))

    def _without_screen(self, seat: Seat) -> bool:
        tries = self._floor.plan(seat).tries
        return bool(tries) and all(one.device.number is not None for one in tries)
