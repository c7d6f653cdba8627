"""The Phone port over the exchange of :mod:`tests.virtual.fake_asterisk`: what one daemon has of it, and dies with.

A request takes :data:`WAY` seconds there and as long back, so a leg can end, and the daemon can die, before, between
and after; what was sent is carried out even where nobody waits for the answer any more. Events come over one wire, in
order. ``fault`` is asked about every request and may have it fail.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from phone import port
from tests.virtual.fake_asterisk import FakeAsterisk, Leg

T = TypeVar("T")

WAY = 0.001
"""Seconds of a request, and of its answer."""

WIRE = 0.0015
"""Seconds of an event: more than an answer, so that a verb can know of a leg's end before its line does."""

NO_ANSWER = 5.0
"""Seconds until a request without an answer is given up, as ``ari`` does."""

PATIENCE = 10.0
"""Seconds that a request waits for a connection, as ``phone.requests`` does."""

Failure = Literal["", "refused", "unanswered"]
"""``refused``: nothing was done. ``unanswered``: it was done, and the answer was lost."""


@dataclass(frozen=True, slots=True)
class Request:
    """The ``number``-th request of this daemon."""

    number: int
    verb: str
    leg: str


class FakeLine:
    """A :class:`phone.port.Line`."""

    def __init__(self, phone: FakePhone, call_id: str, legs: Iterable[str]) -> None:
        self.call_id = call_id
        self._phone = phone
        self._box: deque[object] = deque()
        self._waiter: asyncio.Future[None] | None = None
        for leg in legs:
            self.follow(leg)

    def follow(self, leg: str) -> None:
        """Events of this leg come here from now on."""
        self._phone.followed[leg] = self

    def post(self, message: object) -> None:
        """Put a message into the inbox."""
        self._box.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self, timeout: float | None = None) -> object:
        """The next event or message. Raises TimeoutError."""
        if not self._box:
            self._waiter = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(timeout):
                await self._waiter
        return self._box.popleft()

    def close(self) -> None:
        """Follow nothing any more."""
        if self._phone.lines.get(self.call_id) is self:
            del self._phone.lines[self.call_id]
            for leg in [leg for leg, line in self._phone.followed.items() if line is self]:
                del self._phone.followed[leg]


class FakePhone:
    """A :class:`phone.port.Phone`. ``requests`` has all that were sent; ``dead`` after the daemon's end."""

    def __init__(self, asterisk: FakeAsterisk) -> None:
        self.asterisk = asterisk
        self.lines: dict[str, FakeLine] = {}
        self.followed: dict[str, FakeLine] = {}
        """By leg, the line that gets its events."""
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Failure] = lambda request: ""
        self.up = asyncio.Event()
        """Whether Asterisk can be reached; calls there go on meanwhile."""
        self.up.set()
        self.one_recorder = True
        self.dead = False
        self.posthumous: list[Request] = []
        self.on_arrival: Callable[[port.Arrival], None] = lambda arrival: None
        self.unregistered: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._wire: deque[port.LineEvent | port.Arrival] = deque()
        asterisk.tell = self._sent
        asterisk.on_arrival = self._sent

    def die(self) -> None:
        """The daemon is killed: nothing more comes, nothing more is sent."""
        self.dead = True
        self._wire.clear()
        self.lines.clear()
        self.followed.clear()

    def line(self, call_id: str, legs: Iterable[str]) -> FakeLine:
        """An inbox for a call."""
        line = self.lines[call_id] = FakeLine(self, call_id, legs)
        return line

    # --- the verbs ------------------------------------------------------------------------------------------------

    async def answer(self, leg: str) -> None:
        await self._do("answer", leg, lambda: self.asterisk.answer(leg))

    async def hang_up(self, leg: str, *, elsewhere: bool = False) -> None:
        await self._do("hang_up", leg, lambda: self.asterisk.hang_up(leg, 26 if elsewhere else 16))

    async def play(self, leg: str, play: str, sounds: port.Sounds) -> None:
        await self._do("play", leg, lambda: self.asterisk.play(leg, play, tuple(sounds)))

    async def stop_play(self, play: str) -> None:
        await self._do("stop_play", "", lambda: self.asterisk.stop_play(play))

    async def wait_with_music(self, leg: str) -> None:
        await self._do("wait_with_music", leg, lambda: self.asterisk.wait_with_music(leg), waits_for_play=True)

    async def keep_music(self) -> None:
        def music() -> None:
            self.asterisk.music = True

        await self._do("keep_music", "", music)

    async def stop_music(self, leg: str) -> None:
        await self._do("stop_music", leg, lambda: self.asterisk.stop_music(leg))

    async def ring(self, leg: str, endpoint: str, *, number: str, longest: float) -> None:
        device = endpoint.removeprefix("PJSIP/")
        line = self.followed.get(leg)
        if line is None:
            self.asterisk.wrongs.append(f"{leg} is rung before its inbox is known")
            return
        if device in self.unregistered:
            raise port.LegGone(leg)
        call_id = line.call_id
        await self._do("ring", leg, lambda: self.asterisk.ring(leg, call_id, device, longest))

    async def connect(self, bridge: str, caller: str, agent: str) -> None:
        # The agent's leg is in no bridge yet: what it hears must have ended (DESIGN.md section 5, mechanics 5).
        effect = partial(self.asterisk.connect, bridge, caller, agent)
        await self._do("connect", caller, effect, waits_for_play=True, of=agent)

    async def disconnect(self, bridge: str) -> None:
        await self._do("disconnect", "", lambda: self.asterisk.disconnect(bridge))

    async def record_talk(self, leg: str, file: str) -> str:
        return await self._do("record_talk", leg, lambda: self.asterisk.record_talk(leg, file))

    async def stop_recording(self, leg: str, monitor: str) -> None:
        await self._do("stop_recording", leg, lambda: self.asterisk.stop_recording(leg, monitor))

    async def pause_recording(self, leg: str, monitor: str) -> None:
        await self._do("pause_recording", leg, lambda: self.asterisk.mute_recording(leg, monitor, True))

    async def resume_recording(self, leg: str, monitor: str) -> None:
        await self._do("resume_recording", leg, lambda: self.asterisk.mute_recording(leg, monitor, False))

    async def received(self, leg: str) -> int:
        return await self._do("received", leg, lambda: self.asterisk.received(leg))

    async def record_message(self, leg: str, message: str, *, longest: float, silence: float) -> None:
        await self._do(
            "record_message", leg, lambda: self.asterisk.record_message(leg, message, longest, silence)
        )

    async def message_open(self, message: str) -> bool:
        return await self._do(
            "message_open", "", lambda: any(leg.message == message for leg in self.asterisk.legs.values())
        )

    async def guard(self, leg: str, seconds: float) -> None:
        await self._do("guard", leg, lambda: self.asterisk.guard(leg, seconds), waits_for_play=True)

    async def hand_over(self, leg: str) -> None:
        await self._do("hand_over", leg, lambda: self.asterisk.take(self.asterisk.leg(leg)), waits_for_play=True)

    async def connection(self) -> bool:
        broken = not self.up.is_set()
        await self.up.wait()
        return broken

    async def snapshot(self) -> port.Snapshot:
        return await self._do("snapshot", "", self.asterisk.snapshot)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _do(
        self, verb: str, leg: str, effect: Callable[[], T], *, waits_for_play: bool = False, of: str = ""
    ) -> T:
        request = Request(len(self.requests) + 1, verb, leg)
        if self.dead:
            self.posthumous.append(request)
            raise asyncio.CancelledError
        self.requests.append(request)
        if not self.up.is_set():
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.up.wait()
            except TimeoutError:
                raise port.PhoneFault(f"{verb}: not connected") from None
        failure = self.fault(request)
        answer: asyncio.Future[T] = self._loop.create_future()

        def arrives() -> None:
            there = self.asterisk.legs.get(of or leg)
            if waits_for_play and there is not None and _busy(there):
                # Setting a variable, addChannel and continue wait for the end of a prompt (DESIGN.md section 5, 5).
                there.when_quiet.append(arrives)
                return
            try:
                result = effect()
            except port.LegGone as gone:
                self._loop.call_later(WAY, _settle, answer, gone)
            else:
                if failure != "unanswered":
                    self._loop.call_later(WAY, _settle, answer, None, result)

        if failure == "refused":
            self._loop.call_later(2 * WAY, _settle, answer, port.PhoneFault(f"{verb}: refused"))
        else:
            self._loop.call_later(WAY, arrives)
        try:
            async with asyncio.timeout(NO_ANSWER):
                return await answer
        except TimeoutError:
            raise port.PhoneFault(f"{verb}: no answer within {NO_ANSWER} s") from None

    def _sent(self, event: port.LineEvent | port.Arrival) -> None:
        self._wire.append(event)
        self._loop.call_later(WIRE, self._came)

    def _came(self) -> None:
        if self.dead:
            return
        event = self._wire.popleft()
        if isinstance(event, port.Arrival):
            self.on_arrival(event)
            return
        line = self.followed.get(event.leg)
        if line is not None:
            line.post(event)
            if isinstance(event, port.LegEnded):
                del self.followed[event.leg]


def _busy(leg: Leg) -> bool:
    return bool(leg.plays) and not leg.held and leg.ours


def _settle(answer: asyncio.Future[T], error: Exception | None, result: T | None = None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)  # type: ignore[arg-type]
