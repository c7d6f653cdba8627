"""All calls of this moment: one task each, begun by an arrival or adopted from a daemon that died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

import structlog

from calllog import events as ev
from calllog.folds import CallState
from calllog.journal import Journal
from config.settings import Settings
from hotline.ends import At, believed
from phone import port
from phone.trunks import caller_e164
from routing import call as story
from routing.messages import CallAsked, CallSettingsChanged, Handled, LiveTalk
from routing.session import Call, House, settings_of_running_call
from routing.steps import asked, message_taken
from routing.wait import RECENT, SECOND

log = structlog.get_logger()

GUARD_LIMIT = 3.0
"""Seconds that all guards together may take when the daemon stops."""


class Adoption:
    """What was found at a start or after a broken connection, sorted into what must be done."""

    def __init__(self) -> None:
        self.waiting: list[CallAsked] = []
        self.lines: dict[str, port.Line] = {}
        self.talks: list[LiveTalk] = []
        self.begin: list[tuple[Call, Coroutine[None, None, None]]] = []
        self.arrivals: list[port.Arrival] = []

    def drop(self) -> None:
        """Nothing comes of it: the next reading back begins anew, with lines of its own."""
        for call, course in self.begin:
            course.close()
            call.line.close()


class Calls:
    """The running calls. ``ended`` is told each call that has its outcome, ``away`` each that the dialplan took."""

    def __init__(
        self,
        house: House,
        settings: Callable[[], Settings],
        ended: Callable[[CallState], None],
        away: Callable[[CallState], None],
    ) -> None:
        self._house = house
        self._settings = settings
        self._ended = ended
        self._away = away
        self._running: dict[str, tuple[Call, asyncio.Task[None]]] = {}
        self._stopping = False
        self.others: Callable[[str], bool] = lambda leg: False
        """Whether this leg of ours belongs to no call: a code that an agent dialled, a roll call."""

    def __len__(self) -> int:
        return len(self._running)

    def running(self) -> frozenset[str]:
        """The calls that have a task now."""
        return frozenset(self._running)

    def running_call(self, call_id: str) -> Call | None:
        """The call of this id, while it has a task."""
        found = self._running.get(call_id)
        return found[0] if found is not None else None

    def talking(self, agent: str) -> Call | None:
        """The call in which this agent talks."""
        for call, _task in self._running.values():
            talk = call.state.talk
            if talk is not None and talk.live and talk.agent == agent:
                return call
        return None

    def arrive(self, arrival: port.Arrival, *, found: bool = False) -> None:
        """A caller is here: begin their call. One that is known already is no new call. ``found`` at a read-back: a
        daemon that was killed may have said something already, which must end.

        After :meth:`stop` began none begins: nobody would guard it, and the dialplan takes whom nobody answers.
        """
        call_id = arrival.leg
        if call_id in self._running or self._stopping:
            return
        state = CallState(call_id, leg=call_id)
        settings = self._settings()
        line = self._house.phone.line(call_id, [call_id])
        call = Call(self._house, settings, state, line, arrival.number, arrival.up)
        party = ev.Party(arrival.number, caller_e164(arrival.number, arrival.trunk, settings.hotline), arrival.name)
        call.note(ev.Arrived(leg=call_id, did=arrival.did, trunk=arrival.trunk), party)
        if found:
            call.note(ev.Adopted(stage=state.stage))
        self._begin(call, story.run(call))

    def settings_changed(self, settings: Settings) -> None:
        """New settings, in force for running calls too, as far as they can be (``settings_of_running_call``)."""
        for call, _task in self._running.values():
            call.settings = settings_of_running_call(call.settings, settings)
            call.line.post(CallSettingsChanged())

    async def read_back(
        self,
        open_calls: Iterable[CallState],
        *,
        asterisk_started: int,
        was_away: Callable[[str], bool],
        is_over: Callable[[str], Awaitable[bool]] | None = None,
        ends: Callable[[], Awaitable[Mapping[str, int]]] | None = None,
    ) -> Adoption:
        """Compare Asterisk's legs and bridges with the journal's open calls; ``asterisk_started`` is in µs.

        ``was_away`` tells whether the dialplan's apology had (or has) this call, ``is_over`` whether the journal has
        its outcome: a caller who could not be hung up then must not begin a second life under the same id. ``ends``
        tells when callers hung up, by our clock, as far as Asterisk wrote it down (``hotline.traces``).

        Leftover legs and bridges are taken away, calls nobody knows begin, and what is to be adopted is returned:
        :meth:`adopt` begins it, after the desk was told. ``open_calls`` must hold none that was :meth:`running` when
        they were read: it may have ended since. Raises PhoneFault.
        """
        running = self.running()  # before the snapshot: one that ends meanwhile is neither open nor unknown
        there = await self._house.phone.snapshot()
        ended = await ends() if ends is not None else {}  # later: the line of a leg that is gone has been written
        adoption = Adoption()
        bridges: set[str] = {bridge for call, _task in self._running.values() for bridge in _bridges(call.state)}
        legs: set[str] = {leg for call, _task in self._running.values() for leg in _legs(call.state)}
        for state in open_calls:
            if state.call_id in running:
                continue
            live = there.legs.get(state.leg)
            if live is None:
                if state.stage == "away" or was_away(state.call_id):
                    self._adopt_away(state)
                else:
                    lost = asterisk_started > state.arrived_at
                    end = ended.get(state.call_id, asterisk_started if lost else 0)
                    self._adopt_gone(adoption, state, lost=lost, end=end)
            elif not live.ours:
                self._adopt_away(state)
            else:
                self._adopt_live(adoption, state, live, there)
                legs |= set(_legs(state))
                bridges |= _bridges(state)
        try:
            for leg in there.legs.values():
                if leg.ours and leg.leg not in legs and not self.others(leg.leg):
                    if leg.arrival is not None and leg.leg in running:
                        continue
                    if leg.arrival is not None and not (is_over is not None and await is_over(leg.leg)):
                        log.warning("a caller whom the journal does not know: beginning", call=leg.leg)
                        adoption.arrivals.append(leg.arrival)
                    else:
                        log.warning("a leg left over: hanging it up", leg=leg.leg)
                        await self._tidy(self._house.phone.hang_up(leg.leg))
            for bridge in there.bridges.values():
                if bridge.bridge not in bridges:
                    await self._tidy(self._house.phone.disconnect(bridge.bridge))
        except BaseException:  # the store cannot be read, or the connection broke again
            adoption.drop()
            raise
        return adoption

    @staticmethod
    async def _tidy(verb: Awaitable[None]) -> None:
        """What is left over must not keep the calls that are there from being adopted."""
        try:
            await verb
        except port.PhoneFault as fault:
            log.warning("something left over in Asterisk stays", why=str(fault))

    def adopt(self, adoption: Adoption) -> None:
        """Begin the tasks of the adopted calls, and those of the callers whom the journal does not know.

        None of them earlier: even one whose caller has just gone speaks to the desk, which must be told first.
        """
        for call, course in adoption.begin:
            self._begin(call, course)
        for arrival in adoption.arrivals:
            self.arrive(arrival, found=True)

    async def abandon(self) -> None:
        """End every task and say nothing to Asterisk: it refuses us, or another daemon has the calls."""
        tasks = [task for _call, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self, grace: float) -> None:
        """Leave every call as it is for the next daemon.

        Talks go on. Whoever waits gets the dialplan's apology when no daemon has followed within ``grace`` seconds.
        """
        self._stopping = True
        calls = [call for call, _task in self._running.values()]
        await self.abandon()

        async def guard(call: Call) -> None:
            # A prompt that plays would hold the setting of the variable up until its end (DESIGN.md section 5).
            await call.quietly(call.stop_play())
            await call.quietly(call.phone.guard(call.leg, max(1.0, grace)))

        waiting = [call for call in calls if not _talks(call.state) and call.state.stage not in ("ended", "away")]
        try:
            async with asyncio.timeout(GUARD_LIMIT + grace / 10):
                await asyncio.gather(*(guard(call) for call in waiting))
        except TimeoutError:
            log.error("not every waiting caller could be guarded", waiting=len(waiting))

    # --- one call ---------------------------------------------------------------------------------------------------

    def _begin(self, call: Call, course: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(course, name=f"call {call.call_id}")
        self._running[call.call_id] = (call, task)
        task.add_done_callback(lambda done: self._done(call, done))

    def _done(self, call: Call, task: asyncio.Task[None]) -> None:
        self._running.pop(call.call_id, None)
        call.line.close()
        if task.cancelled():
            return
        if task.exception() is not None:
            # Even the end of the call failed: it stays open in the journal, and the next read-back ends it.
            log.error("a call could not be ended", call=call.call_id, exc_info=task.exception())
            self._house.desk.gone(call.call_id)
        elif call.state.ended_at:
            self._ended(call.state)
        elif call.state.stage == "away":
            self._away(call.state)

    def _call(self, state: CallState, legs: Iterable[str], number: str = "", *, up: bool = False) -> Call:
        return Call(self._house, self._settings(), state, self._house.phone.line(state.call_id, legs), number, up)

    def _adopt_gone(self, adoption: Adoption, state: CallState, *, lost: bool, end: int) -> None:
        call = self._call(state, [state.leg])
        call.note(ev.Adopted(stage=state.stage))
        call.clock = At(believed(end, state, self._house.clock.now()))
        adoption.begin.append((call, story.close(call, lost=lost)))

    def _adopt_away(self, state: CallState) -> None:
        call = self._call(state, [])
        if state.stage != "away":
            call.note(ev.HandedOver(why="guard"))
        talk = state.talk
        if talk is not None and talk.ringing:
            call.note(ev.RingEnded(talk_id=talk.talk_id, agent=talk.agent, result="caller_gone"))
        if talk is not None and talk.live:
            call.note(ev.TalkEnded(talk_id=talk.talk_id, agent=talk.agent, by="hotline"))
        if state.voicemail_open:  # it ended when the dialplan took the caller
            call.note(message_taken(call))
        call.line.close()
        self._away(state)

    def _adopt_live(self, adoption: Adoption, state: CallState, live: port.LiveLeg, there: port.Snapshot) -> None:
        talk = state.talk
        call = self._call(state, _legs(state), live.arrival.number if live.arrival is not None else "", up=live.up)
        call.note(ev.Adopted(stage=state.stage))
        if talk is not None and talk.ringing:
            bridge = there.bridges.get(f"{talk.talk_id}-bridge")
            other = [leg for leg in bridge.legs if leg != state.leg and leg in there.legs] if bridge else []
            if bridge is not None and other and state.leg in bridge.legs:
                # Killed between the bridging and its note: they are talking.
                which = "" if other[0] == talk.leg else other[0]
                call.line.follow(other[0])
                call.note(ev.RingEnded(talk_id=talk.talk_id, agent=talk.agent, result="answered", leg=which))
                call.note(ev.TalkStarted(talk_id=talk.talk_id, agent=talk.agent, bridge=bridge.bridge))
            else:  # its legs are left over: nobody has been connected to one, and nobody will be
                call.note(ev.RingEnded(talk_id=talk.talk_id, agent=talk.agent, result="failed"))
        if talk is not None and talk.live:
            adoption.talks.append(LiveTalk(state.call_id, talk.talk_id, talk.agent, state.queue))
            if talk.leg not in there.legs:
                call.line.post(port.LegEnded(talk.leg, 16))
        elif state.stage in ("queue", "ringing"):
            if not state.enqueued_at:  # killed between the two: the desk must know the queue's priority
                rules = call.settings.queues.queues.get(state.queue)
                call.note(ev.Enqueued(queue=state.queue, priority=rules.priority if rules else state.priority))
            adoption.waiting.append(asked(state))
            adoption.lines[state.call_id] = call.line
        adoption.begin.append((call, story.run(call)))


def _legs(state: CallState) -> list[str]:
    """The legs this call holds, as far as the journal knows."""
    return [state.leg, *(state.talk.open_legs if state.talk is not None else ())]


def _bridges(state: CallState) -> set[str]:
    """The bridge this call's legs are in, or are about to be: it is there before the journal knows that they talk."""
    talk = state.talk
    return {f"{talk.talk_id}-bridge"} if talk is not None and (talk.ringing or talk.live) else set()


def _talks(state: CallState) -> bool:
    return state.talk is not None and state.talk.live


async def recent_talks(journal: Journal, now: int) -> list[Handled]:
    """What a new desk must know of the last hours to tell callers how long they may wait. Raises StoreError."""
    return [
        Handled(one.queue, one.ended_at, (one.free_at - one.rung_at) / SECOND, 0.0) if one.free_at
        else Handled(one.queue, one.ended_at, (one.ended_at - one.rung_at) / SECOND)
        for one in await journal.handled(now - round(RECENT * SECOND))
    ]  # fmt: skip
