"""A talk's recording, paused while something is said that must not be kept: a card's number, a password.

The agent presses a code on their phone in the middle of the talk (the caller does not hear it: ``phone.bridges``), or
somebody gives a command or clicks in the console; each arrives here and is answered. The recorder runs on and writes
silence of the right length on both sides, so that everything after it stands where it belongs. The agent alone hears
what was done. A pause ends by itself with the talk, and after ``recording.longest_pause`` seconds, of which the agent
is warned; one that is on when the daemon dies is kept up by the next.

The journal has the pause before the recorder is told, and its end after: whatever dies in between, nothing that the
agent believes to be paused is recorded. It has the wish to go on before, too: the next daemon carries that out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from calllog import events as ev
from calllog.talk import Part, Talk
from phone.port import KeyPress, LegGone, PhoneFault
from routing.session import Call, in_language

BETWEEN = 4_000_000
"""µs between two keys of one code at most; who waits longer has begun anew."""

WARNED = 10.0
"""Seconds before the end of the longest pause at which the agent is warned."""

AGAIN = 2.0
"""Seconds until a recorder that did not go on is told so again."""

TRIES = 3
"""How often; one that will not go on even then is replaced (``routing.recording``)."""

Switched = Literal["paused", "resumed", "unrecorded", "failed"]
"""What became of it; ``unrecorded``: nothing of this talk is being recorded."""


@dataclass(slots=True)
class Typed:
    """The keys of an agent's phone in a talk, among which a code may be. Pure."""

    keys: str = ""
    at: int = 0

    def press(self, key: str, now: int, codes: Collection[str]) -> str:
        """The code that this key, pressed at ``now`` (µs), completes; empty where it completes none."""
        keys = (self.keys if now - self.at <= BETWEEN else "") + key
        while keys and not any(code.startswith(keys) for code in codes):
            keys = keys[1:]
        self.at, self.keys = now, "" if keys in codes else keys
        return keys if keys in codes else ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Said to a call by others than its agent's phone: pause its recording, or let it go on."""

    pause: bool
    by: ev.PausedBy
    answer: asyncio.Future[Switched] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Pausing:
    """The pauses of one talk, from its beginning (or its adoption) to its end."""

    def __init__(self, call: Call, talk: Talk) -> None:
        self._call, self._talk = call, talk
        self._typed = Typed()
        self._warned = False
        self._going_on: tuple[ev.PausedBy, ev.PauseEnd] | None = None
        """Who wants it to go on, and why, though the recorder does not yet."""
        self._tries = 0
        self._not_before = 0
        self._wished_at = 0
        self._told = 0

    @property
    def wished(self) -> bool:
        """Whether somebody wanted a pause while nothing was being recorded: then nothing begins to be, either."""
        return self._wished_at > 0 and (self._call.clock.now() - self._wished_at) / 1e6 < self._longest

    @property
    def part(self) -> Part | None:
        """The part that is being recorded, or held in silence."""
        last = self._talk.parts[-1] if self._talk.parts else None
        return last if last is not None and last.started_at and not last.stopped_at else None

    async def take_over(self) -> None:
        """After an adoption: a pause that the journal has is one, whether the daemon before had told the recorder or
        not; one that was to end goes on to be ended, whether it had just told the recorder that or not."""
        part = self.part
        if part is None or not part.paused_since or not self._call.state.adopted:
            return
        if part.asked_on is not None:
            self._going_on, self._not_before = part.asked_on, self._call.clock.now()
        else:
            await self._call.quietly(self._call.phone.pause_recording(self._call.leg, part.monitor))

    def left(self) -> float | None:
        """Seconds until :meth:`look` is due; None while nothing is paused."""
        part = self.part
        if part is None or not part.paused_since:
            return None
        longest, now = self._longest, self._call.clock.now()
        if self._going_on is not None:
            return max(0.0, (self._not_before - now) / 1e6)
        due = longest if self._warned or longest <= WARNED else longest - WARNED
        return max(0.0, part.paused_since / 1e6 + due - now / 1e6)

    async def look(self) -> bool:
        """Warn of the end of the longest pause, end it, and let go on what did not at once. False: it cannot be let go
        on, so its recorder must be replaced."""
        part = self.part
        if part is None or not part.paused_since or (self.left() or 0.0) > 0:
            return True
        if self._going_on is not None:
            if self._tries >= TRIES:
                self._not_before = self._call.clock.now() + round(AGAIN * 1e6)
                return False
            await self._resume(part, *self._going_on)
        elif (self._call.clock.now() - part.paused_since) / 1e6 < self._longest:
            self._warned = True
            await self._tell("recording_resumes_soon")
        else:
            self._call.log.warning("the longest pause of a recording is over: it goes on", talk=self._talk.talk_id)
            await self._resume(part, "hotline", "longest")
        return True

    async def replaced(self) -> None:
        """Another recorder is there instead of the one that could not be let go on, or will be."""
        self._going_on = None
        if self.part is not None:
            await self._tell("recording_resumed")

    async def hears(self, event: object) -> bool:
        """Whether this was a matter of pausing; it is done then."""
        match event:
            case KeyPress(leg=leg, key=key) if leg == self._talk.leg:
                codes = self._call.settings.hotline.codes
                code = self._typed.press(key, self._call.clock.now(), (codes.record_pause, codes.record_resume))
                if code:
                    await self._switch(code == codes.record_pause, "agent")
            case Switch(pause=pause, by=by, answer=answer):
                done = await self._switch(pause, by)
                if not answer.done():
                    answer.set_result(done)
            case _:
                return False
        return True

    @property
    def _longest(self) -> float:
        return self._call.settings.hotline.recording.longest_pause

    async def _switch(self, pause: bool, by: ev.PausedBy) -> Switched:
        part = self.part
        self._wished_at = self._call.clock.now() if pause and part is None else 0
        if part is None:
            await self._tell("recording_off")
            return "unrecorded"
        return await (self._pause(part, by) if pause else self._resume(part, by))

    async def _pause(self, part: Part, by: ev.PausedBy) -> Switched:
        call, self._going_on = self._call, None
        if not part.paused_since or part.asked_on is not None:  # it may have been told to go on, and the answer lost
            self._warned = False
            await call.keep(ev.RecordingPaused(talk_id=self._talk.talk_id, part=part.part, by=by))
            try:
                await call.phone.pause_recording(call.leg, part.monitor)
            except (LegGone, PhoneFault) as fault:
                call.log.error("a recording could not be paused", talk=self._talk.talk_id, why=str(fault))
                # It may have been done and the answer lost.
                await self._asked_on(part, "hotline", "failed")
                if await call.quietly(call.phone.resume_recording(call.leg, part.monitor)):
                    self._resumed(part, "hotline", "failed")
                else:
                    self._try_again("hotline", "failed")
                await self._tell("recording_goes_on")
                return "failed"
        await self._tell("recording_paused")
        return "paused"

    async def _resume(self, part: Part, by: ev.PausedBy, why: ev.PauseEnd = "") -> Switched:
        call = self._call
        if part.paused_since:
            await self._asked_on(part, by, why)
            try:
                await call.phone.resume_recording(call.leg, part.monitor)
            except (LegGone, PhoneFault) as fault:
                call.log.error("a paused recording does not go on yet", talk=self._talk.talk_id, why=str(fault))
                self._try_again(by, why)
                return "failed"
            self._resumed(part, by, why)
        self._going_on = None
        await self._tell("recording_resumed")
        return "resumed"

    async def _asked_on(self, part: Part, by: ev.PausedBy, why: ev.PauseEnd) -> None:
        if part.asked_on != (by, why):
            await self._call.keep(ev.RecordingResumeAsked(talk_id=self._talk.talk_id, part=part.part, by=by, why=why))

    def _resumed(self, part: Part, by: ev.PausedBy, why: ev.PauseEnd) -> None:
        self._call.note(ev.RecordingResumed(talk_id=self._talk.talk_id, part=part.part, by=by, why=why))

    def _try_again(self, by: ev.PausedBy, why: ev.PauseEnd) -> None:
        self._tries = self._tries + 1 if self._going_on is not None else 1
        self._going_on, self._not_before = (by, why), self._call.clock.now() + round(AGAIN * 1e6)

    async def _tell(self, prompt: str) -> None:
        """Say it to the agent alone. One who does not hear it is told by the console, and by the journal."""
        self._told += 1
        play = f"{self._talk.talk_id}-told{self._call.state.adopted}-{self._told}"
        try:
            words = in_language(self._call.settings.hotline.language, [prompt])
            await self._call.phone.play(self._talk.leg, play, words)
        except (LegGone, PhoneFault) as fault:
            self._call.log.warning("an agent was not told of a pause", talk=self._talk.talk_id, why=str(fault))
