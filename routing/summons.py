"""Ringing a person of ours about something that is no call: each device by the plan, a question, key 1, thanks.

:mod:`routing.plan` decides, as in a ring for a caller; here every device must be confirmed, so that neither a voicemail
nor a child answers for anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from config.settings import Agent, Device, Settings
from phone.port import KeyPress, LegAnswered, LegEnded, LegGone, Line, Phone, PhoneFault, PlayEnded
from routing.plan import Accept, Ask, Broken, Dial, Drop, Nobody, PlannedTry, RingCommand, Ringing, RingInput, Tick
from routing.ringing import RING_SLACK, tried
from routing.session import in_language

log = structlog.get_logger()

THANKS_LIMIT = 10.0
"""Seconds that the word of thanks may take."""


@dataclass(frozen=True, slots=True)
class Summons:
    """What is asked of whom: ``name`` is that of the ring, in no other use; ``question`` and ``thanks`` are prompts."""

    name: str
    person: str
    agent: Agent
    devices: tuple[Device, ...]
    question: str
    thanks: str


async def summon(phone: Phone, settings: Settings, wanted: Summons, accepted: Callable[[], Awaitable[None]]) -> bool:
    """Ring them; whether somebody pressed 1: then ``accepted`` writes it down before they are thanked. No leg is left,
    however it ends."""
    line = phone.line(wanted.name, [])
    ring = _Ring(phone, line, settings, wanted)
    try:
        accept = await ring.run()
        if accept is not None:
            await accepted()
            await ring.thank(accept)
        return accept is not None
    finally:
        await ring.hang_up()
        line.close()


class _Ring:
    """The hands and ears of one summons."""

    def __init__(self, phone: Phone, line: Line, settings: Settings, wanted: Summons) -> None:
        self._phone, self._line, self._wanted = phone, line, wanted
        hotline = settings.hotline
        self._language = hotline.language
        planned = [
            PlannedTry(one, hotline.times.ring if one.ring_time is None else one.ring_time, hotline.times.confirm)
            for one in wanted.devices
        ]
        tries = [tried(hotline, one, hotline.numbers[0]) for one in planned]
        self._ringing = Ringing(f"{wanted.name}-1", tries, at_once=wanted.agent.ring == "at_once")
        self._up: set[str] = set()

    async def run(self) -> Accept | None:
        """Until a device has accepted, or none is left (None)."""
        loop = asyncio.get_running_loop()
        commands = self._ringing.begin(loop.time())
        while True:
            end = await self._carry_out(commands)
            if end is not None:
                return end if isinstance(end, Accept) else None
            due = self._ringing.due
            event: object = Tick()
            with contextlib.suppress(TimeoutError):
                event = await self._line.next(None if due is None else max(0.0, due - loop.time()))
            commands = []
            if isinstance(event, LegAnswered | LegEnded | KeyPress | PlayEnded | Tick):
                if isinstance(event, LegEnded):
                    self._up.discard(event.leg)
                commands = self._ringing.step(loop.time(), event)

    async def hang_up(self) -> None:
        """End every leg that may be there."""
        await asyncio.gather(*(self._end(leg) for leg in sorted(self._up)))

    async def _carry_out(self, commands: Iterable[RingCommand]) -> Accept | Nobody | None:
        todo = deque(commands)
        while todo:
            event: RingInput | None = None
            match todo.popleft():
                case Dial() as dial:
                    event = await self._dial(dial)
                case Ask() as question:
                    event = await self._ask(question)
                case Drop(leg=leg, up=up):
                    if up:
                        await self._end(leg)
                    self._up.discard(leg)
                case Accept() | Nobody() as end:
                    return end
            if event is not None:
                todo.extend(self._ringing.step(asyncio.get_running_loop().time(), event))
        return None

    async def _dial(self, dial: Dial) -> RingInput | None:
        self._line.follow(dial.leg)
        self._up.add(dial.leg)
        way = dial.way
        try:
            await self._phone.ring(dial.leg, way.endpoint, number=way.shown, longest=dial.longest + RING_SLACK)
        except LegGone:
            self._up.discard(dial.leg)
            return Broken(dial.leg, "unreachable")
        except PhoneFault as fault:
            log.error("a duty phone could not be rung", agent=self._wanted.person, device=dial.device, why=str(fault))
            return Broken(dial.leg, "failed")
        return None

    async def _ask(self, question: Ask) -> RingInput | None:
        try:
            await self._phone.play(question.leg, question.play, in_language(self._language, (self._wanted.question,)))
        except LegGone:
            return None  # its end is on the way
        except PhoneFault as fault:
            log.error("nobody heard what a duty phone was rung for", agent=self._wanted.person, why=str(fault))
            return PlayEnded(question.leg, question.play, False)
        return None

    async def thank(self, accepted: Accept) -> None:
        """A word, so that they know that it counts; it counts whatever becomes of the word."""
        play = f"{accepted.leg}-thanks"
        try:
            async with asyncio.timeout(THANKS_LIMIT):
                if accepted.play:
                    await self._phone.stop_play(accepted.play)
                await self._phone.play(accepted.leg, play, in_language(self._language, (self._wanted.thanks,)))
                while True:
                    match await self._line.next():
                        case PlayEnded(play=ended) if ended == play:
                            return
                        case LegEnded(leg=leg) if leg == accepted.leg:
                            self._up.discard(leg)
                            return
                        case _:
                            pass
        except (LegGone, PhoneFault, TimeoutError):
            return

    async def _end(self, leg: str) -> None:
        try:
            await self._phone.hang_up(leg)
        except PhoneFault as fault:  # the port goes on trying
            log.warning("a duty phone's leg is left for the moment", agent=self._wanted.person, why=str(fault))
