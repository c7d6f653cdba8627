"""A journal in memory: events in order, synced in batches, and lost with a kill where they were not synced yet.

``committed`` is what a next start finds. ``fault`` is asked about every barrier and may have it fail, as when neither
the store nor the spool took the event in time; the event is then still kept and synced later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from calllog.errors import StoreLost
from calllog.events import AgentChanged, AnyEvent, CallEvent, Ended, Party, Recorded, Stream
from calllog.folds import AgentState, CallState
from tests.virtual.virtual_time import VirtualClock

BATCH = 0.05
"""Seconds until an event that nobody waits for is synced."""

SYNC = 0.003
"""Seconds of a barrier."""

BARRIER = 15.0
"""Seconds after which a barrier fails, as the real one's."""


class Shelf:
    """What is on disk. Outlives daemons."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.by_call: dict[str, list[Recorded]] = {}
        self.wrongs: list[str] = []
        self.calls: dict[str, CallState] = {}
        self.agents: dict[str, AgentState] = {}

    def put(self, recorded: Recorded) -> None:
        """Take an event in; an event of a ring or part that never began is a wrong."""
        self.events.append(recorded)
        match recorded.event:
            case AgentChanged() as event:
                agent = self.agents.setdefault(recorded.stream_id, AgentState(recorded.stream_id))
                agent.apply(recorded.at, event)
            case event if isinstance(event, CallEvent):
                self.by_call.setdefault(recorded.stream_id, []).append(recorded)
                try:
                    self.calls.setdefault(recorded.stream_id, CallState(recorded.stream_id)).apply(recorded.at, event)
                except LookupError as error:
                    self.wrongs.append(str(error))
            case _:
                pass

    def of(self, call_id: str) -> list[AnyEvent]:
        """Every event of one call."""
        return [each.event for each in self.by_call.get(call_id, ())]

    def open_calls(self) -> list[CallState]:
        """Copies, in order of arrival."""
        still = [call_id for call_id, call in self.calls.items() if not call.ended_at]
        copies = [CallState.of(call_id, self.by_call[call_id]) for call_id in still]
        return sorted(copies, key=lambda call: (call.arrived_at, call.call_id))


class FakeJournal:
    """A :class:`routing.session.Journal` of one daemon."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.clock = VirtualClock()
        self.fault: Callable[[AnyEvent], bool] = lambda event: False
        self.dead = False
        self.posthumous: list[AnyEvent] = []
        self.barriers = 0
        self.on_event: Callable[[Recorded], None] = lambda recorded: None
        self._loop = asyncio.get_running_loop()
        self._memory: list[Recorded] = []
        self._batch: asyncio.TimerHandle | None = None

    def die(self) -> None:
        """Killed: what was not synced is lost."""
        self.dead = True
        self._memory.clear()

    def append(
        self, stream: Stream, stream_id: str, event: AnyEvent, *, party: Party | None = None, at: int | None = None
    ) -> None:
        """Write soon."""
        if self.dead:
            self.posthumous.append(event)
            return
        moment = self.clock.now() if at is None else at
        recorded = Recorded(len(self.shelf.events) + len(self._memory) + 1, moment, stream, stream_id, event)
        self._memory.append(recorded)
        self.on_event(recorded)
        if self._batch is None:
            self._batch = self._loop.call_later(BATCH, self.sync)

    async def commit(
        self, stream: Stream, stream_id: str, event: AnyEvent, *, party: Party | None = None, at: int | None = None,
        hurry: bool = True,
    ) -> None:
        """Write, and wait until it cannot be lost. Raises StoreLost."""
        self.append(stream, stream_id, event, party=party, at=at)
        self.barriers += 1
        if self.fault(event):
            await asyncio.sleep(BARRIER)
            raise StoreLost("the disk is full")
        await asyncio.sleep(SYNC if hurry else BATCH)
        self.sync()

    def sync(self) -> None:
        """Everything is on disk."""
        if self._batch is not None:
            self._batch.cancel()
            self._batch = None
        memory, self._memory = self._memory, []
        for recorded in memory:
            self.shelf.put(recorded)

    async def events_of(self, call_id: str) -> list[Recorded]:
        """Every event of one call, in order."""
        mine = (each for each in self._memory if each.stream == "call" and each.stream_id == call_id)
        return [*self.shelf.by_call.get(call_id, ()), *mine]


def outcomes(shelf: Shelf, call_id: str) -> list[str]:
    """The outcome of each Ended: must be one."""
    return [event.outcome for event in shelf.of(call_id) if isinstance(event, Ended)]
