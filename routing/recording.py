"""The recording of one talk, from its beginning (or its adoption) to its end: begun, paused, watched, begun anew.

A recorder can stop writing without anybody being told: somebody stopped it on Asterisk's console, or its disk filled
up. So its file is watched: while two people talk it grows with every second. One that stands still, or that cannot be
brought to go on after a pause, is replaced: what follows is another part, the call's log says why, and somebody is
told.
"""

from __future__ import annotations

from calllog import events as ev
from calllog.talk import Part, Talk
from routing.pausing import Pausing
from routing.recorder import start_recording
from routing.session import Call

AGAIN = 10.0
"""Seconds until a recorder that could not be begun is tried again: it may be back."""

LOOK = 4.0
"""Seconds between two looks at the size of a part's file."""

STILL = 8.0
"""Seconds after which a file that does not grow is no longer written: Asterisk writes 32 kB a second, in blocks of as
many (DESIGN.md section 5)."""

LONGEST_STILL = 300.0
"""Seconds at the most: a recorder that never wrote anything is replaced less and less often, since the next may not
either."""


class Growth:
    """Whether a part's file grows. Pure: told its size at each look."""

    def __init__(self) -> None:
        self._file = ""
        self._size = 0
        self._since = 0
        self._patience = STILL

    def stands_still(self, file: str, size: int, now: int) -> bool:
        """Whether this file has had this size for too long at ``now`` (µs)."""
        if file != self._file:
            self._file, self._size, self._since = file, size, now
            self._patience = STILL if size else self._patience
        elif size != self._size:
            self._size, self._since, self._patience = size, now, STILL
        elif now - self._since >= self._patience * 1e6:
            self._file, self._patience = "", min(2 * self._patience, LONGEST_STILL)
            return True
        return False


class Recording:
    """See above; what may go wrong with it never harms the talk."""

    def __init__(self, call: Call, talk: Talk) -> None:
        self._call, self._talk = call, talk
        self._pausing = Pausing(call, talk)
        self._growth = Growth()
        self._begun = False
        """Whether nothing more can be done to record the talk."""

    async def begin(self) -> None:
        """Record, unless it is recorded already; a pause that the journal has is one."""
        self._begun = await start_recording(self._call, self._talk)
        await self._pausing.take_over()

    def wait(self, otherwise: float | None) -> float | None:
        """Seconds to wait for an event of the talk: ``otherwise``, or until :meth:`look` is due."""
        watched = LOOK if self._pausing.part is not None else None
        waits = (otherwise, self._pausing.left(), watched if self._begun else AGAIN)
        return min((each for each in waits if each is not None), default=None)

    async def look(self) -> None:
        """Begin what could not be begun, end a pause that is over, replace what does not record any more."""
        if not self._begun and not self._pausing.wished:
            self._begun = await start_recording(self._call, self._talk)
        goes_on = await self._pausing.look()
        part = self._pausing.part
        if part is None:
            return
        if not goes_on:
            await self._replace(part, "muted")
        elif not part.paused_since and self._stands_still(part):
            await self._replace(part, "still")

    async def hears(self, event: object) -> bool:
        """Whether this was a matter of pausing; it is done then."""
        return await self._pausing.hears(event)

    def _stands_still(self, part: Part) -> bool:
        size = self._call.house.part_size
        return size is not None and self._growth.stands_still(part.file, size(part.file), self._call.clock.now())

    async def _replace(self, part: Part, why: ev.BrokeOff) -> None:
        call, talk = self._call, self._talk
        call.log.error("a recorder does not record any more: another part begins", part=part.part, why=why)
        if not await call.quietly(call.phone.stop_recording(call.leg, part.monitor)):
            return  # Asterisk cannot be asked: the next look tries again
        call.note(ev.RecordingStopped(talk_id=talk.talk_id, part=part.part, why=why))
        call.house.alarm("recording_broke", {"agent": talk.agent, "why": why})
        self._begun = await start_recording(call, talk)
        if why == "muted":
            await self._pausing.replaced()
