"""The recording of one talk, from its beginning (or its adoption) to its end: begun, paused, watched, begun anew.

A recorder can stop writing without anybody being told: somebody stopped it on Asterisk's console, or its disk filled
up. So its file is watched: while two people talk it grows with every second. One that stands still, or that cannot be
brought to go on after a pause, is replaced: what follows is another part, the call's log says why, and somebody is
told.

A file that stands still proves nothing by itself: MixMonitor writes when a packet of sound comes and has no clock of
its own (``audiohook_read_frame_both`` in Asterisk's main/audiohook.c), so two phones that send nothing, on hold or
because they suppress silence, make no file grow. While anybody is on hold nothing is judged, since what flows then
depends on the phones; else Asterisk is asked how many packets came: only where enough sound came for a block, and the
file has none of it, the recorder is broken.
"""

from __future__ import annotations

from collections.abc import Mapping

from calllog import events as ev
from calllog.talk import Part, Talk
from phone.port import LegGone, PhoneFault
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

SPEAKS = 10.0
"""Packets a second from which on a phone sends sound: 50 of 20 ms are usual, 10 the fewest; comfort noise (RFC 3389),
keys and keep-alives are fewer."""

ENOUGH = 150
"""Packets of sound that make a block several times over: 3 s of the usual ones, and more of longer ones."""

LONGEST_STILL = 300.0
"""Seconds at the most: a recorder that never wrote anything is replaced less and less often, since the next may not
either."""


class Growth:
    """Whether a part's file grows as it must. Pure: told its size at each look, and what came from the phones."""

    def __init__(self) -> None:
        self._file = ""
        self._size = 0
        self._since = 0
        self._patience = STILL
        self._came: Mapping[str, int] | None = None
        self._counted_at = 0
        self._sound = 0

    def forget(self) -> None:
        """What happens now proves nothing: begin anew at the next look."""
        self._file = ""

    def grows(self, file: str, size: int, now: int) -> bool:
        """Whether this file has another size at ``now`` (µs) than at the look before, or none is known of before."""
        if file == self._file and size == self._size:
            return False
        if file == self._file or size:
            self._patience = STILL
        self._file, self._size, self._since = file, size, now
        self._came, self._sound = None, 0
        return True

    def is_broken(self, came: Mapping[str, int] | None, now: int) -> bool:
        """Of a file that does not grow: whether its recorder writes no more, at ``now`` (µs).

        ``came``: the packets that each leg's phone has sent so far; None where nobody can tell, then time alone counts.
        """
        if came is not None:
            if self._came is not None:
                more = max((count - self._came.get(leg, count) for leg, count in came.items()), default=0)
                if more * 1e6 >= SPEAKS * (now - self._counted_at):
                    self._sound += more
            self._came, self._counted_at = came, now
            if self._sound < ENOUGH:
                return False
        if self.stood(now) < self._patience:
            return False
        self._file, self._patience = "", min(2 * self._patience, LONGEST_STILL)
        return True

    def stood(self, now: int) -> float:
        """For how many seconds it has not grown at ``now`` (µs)."""
        return (now - self._since) / 1e6


class Recording:
    """See above; what may go wrong with it never harms the talk."""

    def __init__(self, call: Call, talk: Talk) -> None:
        self._call, self._talk = call, talk
        self._pausing = Pausing(call, talk)
        self._growth = Growth()
        self._begun = False
        """Whether nothing more can be done to record the talk."""
        self._told_silent = False

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
        elif part.paused_since or self._on_hold():
            self._growth.forget()
        elif await self._writes_no_more(part):
            await self._replace(part, "still")

    async def hears(self, event: object) -> bool:
        """Whether this was a matter of pausing; it is done then."""
        return await self._pausing.hears(event)

    def _on_hold(self) -> bool:
        """Whether either phone has put the other side on hold: by its events, or by the journal after an adoption."""
        return bool(self._talk.held_since) or not self._call.on_hold.isdisjoint((self._call.leg, self._talk.leg))

    async def _writes_no_more(self, part: Part) -> bool:
        call, size = self._call, self._call.house.part_size
        if size is None or self._growth.grows(part.file, size(part.file), call.clock.now()):
            self._told_silent = False
            return False
        came: dict[str, int] = {}
        for leg in (call.leg, self._talk.leg):
            try:
                came[leg] = await call.phone.received(leg)
            except LegGone:
                pass  # it has nothing to count; were it gone itself, its line would soon say so
            except PhoneFault:
                return False  # Asterisk cannot be asked: the next look tries again
        if self._growth.is_broken(came or None, now := call.clock.now()):
            return True
        if self._growth.stood(now) >= STILL and not self._told_silent:
            self._told_silent = True
            call.log.info("no sound comes from either phone: nothing is recorded meanwhile", part=part.part)
        return False

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
