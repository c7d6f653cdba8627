"""One call's hands and ears: note what happened, hear what happens next, say something. It decides nothing.

``routing.call`` tells the story with these. Whatever the caller's leg does in the middle of a sentence arrives as
:class:`CallerGone` or :class:`CallerTaken`, so a stage needs no branch for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from calllog.errors import StoreLost
from calllog.events import AnyEvent, CallEvent, Party, RingResult, Stream
from calllog.folds import CallState
from config.settings import Language, Settings
from phone.port import KeyPress, LegEnded, LegGone, LegHeld, LegTaken, Line, Phone, PhoneFault, PlayEnded
from routing.messages import CallAsked, Ring
from routing.wait import Outlook

log = structlog.get_logger()

SOUND_SLACK = 120.0
"""Longest time one play may take, in seconds: no prompt is longer, and a lost PlayEnded must not hold a call."""

PLAYS = 8
"""How many ids a call's plays take by turns, so that the next daemon can end one that goes on: one plays at a time."""

CLEAN_UP = 10.0
"""Longest time one verb of cleaning up may take, in seconds: above every request's own time-out."""


class CallerGone(Exception):
    """The caller's leg ended; ``lost`` when Asterisk died with it."""

    def __init__(self, cause: int = 0, lost: bool = False) -> None:
        super().__init__(f"caller gone, cause {cause}")
        self.cause = cause
        self.lost = lost


class CallerTaken(Exception):
    """The dialplan has the caller now."""


class Journal(Protocol):
    """What a call and the desk need of the journal."""

    def append(
        self, stream: Stream, stream_id: str, event: AnyEvent, *, party: Party | None = None, at: int | None = None
    ) -> None:
        """Write soon, without waiting."""

    async def commit(
        self, stream: Stream, stream_id: str, event: AnyEvent, *, party: Party | None = None, at: int | None = None,
        hurry: bool = True,
    ) -> None:
        """Write, and return when it can no longer be lost; without ``hurry`` together with what others write."""


class Clock(Protocol):
    """The steady clock."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""


class Desk(Protocol):
    """What a call may say to the desk; answers arrive on its line as ``Ring``, ``CancelRing`` and ``GiveUp``."""

    longest_ring: float
    """Seconds that a ring at any agent may take, with all their devices."""

    def ask(self, asked: CallAsked, line: Line) -> None:
        """Wait for an agent from now on; the same again changes nothing."""

    def gone(self, call_id: str) -> None:
        """No longer want an agent."""

    def ring_ended(self, call_id: str, talk_id: str, agent: str, result: RingResult) -> None:
        """How the ring ended."""

    def talk_began(self, call_id: str, talk_id: str) -> None:
        """Bridged."""

    def talk_ended(self, call_id: str, talk_id: str) -> None:
        """The agent's part is over."""

    def outlook(self, call_id: str) -> Outlook | None:
        """How many wait ahead, and how long it may take."""


@dataclass(frozen=True, slots=True)
class House:
    """What every call shares, wired once. ``message_seconds`` gives the length of a voicemail's file in the spool,
    ``part_size`` the bytes of a part's file (0: there is none); ``alarm`` is told a code and its parameters."""

    phone: Phone
    journal: Journal
    clock: Clock
    desk: Desk
    message_seconds: Callable[[str], float]
    part_size: Callable[[str], int] | None = None
    alarm: Callable[[str, Mapping[str, str | int]], None] = lambda code, params: None


def settings_of_running_call(began: Settings, now: Settings) -> Settings:
    """What new settings mean to a call that runs: all of them at once, but it keeps the menu it began with, and the
    queues which that menu can still lead to although they are gone. Pure."""
    kept = {name: queue for name, queue in began.queues.queues.items() if name not in now.queues.queues}
    queues = now.queues.model_copy(update={"queues": {**now.queues.queues, **kept}}) if kept else now.queues
    return now.model_copy(update={"menu": began.menu, "queues": queues})


def in_language(language: Language, sounds: Sequence[str]) -> list[str]:
    """The names as the phone knows them, each with its language; one that has a language already keeps it."""
    return [sound if "/" in sound else f"{language}/{sound}" for sound in sounds]


class Call:
    """One call: its state, its line, its settings (:func:`settings_of_running_call` when they change), and the house.
    """

    def __init__(
        self, house: House, settings: Settings, state: CallState, line: Line, number: str = "", up: bool = False
    ) -> None:
        self.house = house
        self.settings = settings
        self.state = state
        self.line = line
        self.number = number
        """The caller's number as the agent's phone shows it."""
        self.up = up
        """Whether the dialplan had answered when the call came."""
        self.phone = house.phone
        self.desk = house.desk
        self.clock = house.clock
        self.log = log.bind(call=state.call_id)
        self.ring_next: Ring | None = None
        """The ring that the desk asked for, between the stages waiting and ring."""
        self.failed = False
        """Whether a fault of ours, of Asterisk's or of the trunk's ended the call."""
        self._plays = 0
        self._typed: deque[str] = deque(maxlen=20)
        self.playing = ""
        self.on_hold: set[str] = set()
        """The legs whose phones have put the other side on hold, since before a talk began too."""
        self.guard_due = False
        """Whether the guard is to be set anew, by settings that changed."""

    @property
    def call_id(self) -> str:
        """The call's id, which is also that of its first leg."""
        return self.state.call_id

    @property
    def leg(self) -> str:
        """The caller's leg."""
        return self.state.leg

    @property
    def language(self) -> Language:
        """The language in which the caller hears us."""
        return self.state.language or self.settings.hotline.language

    # --- the journal ----------------------------------------------------------------------------------------------

    def note(self, event: CallEvent, party: Party | None = None) -> None:
        """Fold the event into the state and write it soon."""
        at = self.clock.now()
        self.state.apply(at, event)
        self.house.journal.append("call", self.call_id, event, party=party, at=at)

    async def keep(self, event: CallEvent, *, hurry: bool = True) -> None:
        """Fold the event into the state, and wait until it can no longer be lost.

        A store that takes nothing does not cost the caller the call: the journal keeps the event and tries again.
        Without ``hurry`` nobody is on the line who could tell a moment more.
        """
        at = self.clock.now()
        self.state.apply(at, event)
        try:
            await self.house.journal.commit("call", self.call_id, event, at=at, hurry=hurry)
        except StoreLost as lost:
            self.log.error("an event is not safe yet; the call goes on", kind=type(event).__name__, why=str(lost))

    # --- hearing --------------------------------------------------------------------------------------------------

    async def next(self, timeout: float | None = None) -> object:
        """The next event of any leg or message of the desk.

        Raises TimeoutError; CallerGone and CallerTaken when the caller's leg says so.
        """
        event = await self.line.next(timeout)
        match event:
            case LegEnded(leg=leg, cause=cause, lost=lost) if leg == self.leg:
                raise CallerGone(cause, lost)
            case LegTaken(leg=leg) if leg == self.leg:
                raise CallerTaken
            case LegHeld(leg=leg, on=on):
                (self.on_hold.add if on else self.on_hold.discard)(leg)
            case PlayEnded(play=play, ok=ok):
                if play == self.playing:
                    self.playing = ""
                if not ok:
                    self.log.error("a prompt could not be played", play=play)
            case _:
                pass
        return event

    # --- saying ---------------------------------------------------------------------------------------------------

    async def start_play(self, sounds: Sequence[str]) -> str:
        """Start saying something in the caller's language; returns the play's id, empty when it could not even be
        started. A prompt that is to be said in another language has it in its name: ``en/NAME``.

        While Asterisk cannot be reached it waits: a menu that goes on unheard would send the caller astray.
        """
        while True:
            self._plays += 1
            play = self._play(self.state.adopted, self._plays)
            try:
                await self.phone.play(self.leg, play, in_language(self.language, sounds))
            except PhoneFault as fault:
                if await self.phone.connection():
                    continue
                self.log.error("a prompt could not be started", sounds=list(sounds), why=str(fault))
                return ""
            self.playing = play
            return play

    def _play(self, adopted: int, number: int) -> str:
        return f"{self.call_id}-{adopted}-p{number % PLAYS}"

    async def silence(self) -> None:
        """End what the daemon before was saying: until then Asterisk would keep our requests about the leg waiting
        (DESIGN.md section 5), and the caller would hear both, one after the other."""
        for number in range(PLAYS):
            await self.quietly(self.phone.stop_play(self._play(self.state.adopted - 1, number)))

    async def stop_play(self) -> None:
        """Cut short what is being said, if anything is."""
        play, self.playing = self.playing, ""
        if play:
            await self.phone.stop_play(play)

    async def say(self, *sounds: str) -> bool:
        """Say it whole; keys pressed meanwhile are kept for the menu. Returns whether it could be played to its end."""
        play = await self.start_play(sounds)
        while play and self.playing == play:
            try:
                event = await self.next(SOUND_SLACK)
            except TimeoutError:
                self.log.error("a prompt never ended", sounds=sounds)
                await self.stop_play()
                return False
            match event:
                case KeyPress(leg=leg, key=key) if leg == self.leg:
                    self._typed.append(key)
                case PlayEnded(play=ended, ok=ok) if ended == play:
                    return ok
                case _:
                    pass
        return False

    async def forget_keys(self) -> None:
        """What was pressed until now was meant for another question. Raises as :meth:`next` does."""
        self._typed.clear()
        with suppress(TimeoutError):
            while True:
                await self.next(0.0)

    async def ask_key(self, sounds: Sequence[str], patience: float) -> str:
        """Say it and wait for a key, which cuts it short; a key typed ahead is taken first.

        Returns the key, or nothing when none came within ``patience`` seconds after the end of what was said.
        """
        if self._typed:
            return self._typed.popleft()
        loop = asyncio.get_running_loop()
        play = await self.start_play(sounds)
        speaking = bool(play)
        deadline = loop.time() + (SOUND_SLACK if speaking else patience)
        while True:
            if speaking and self.playing != play:
                speaking, deadline = False, loop.time() + patience
            try:
                event = await self.next(max(0.0, deadline - loop.time()))
            except TimeoutError:
                if not speaking:
                    return ""
                await self.stop_play()
                continue
            if isinstance(event, KeyPress) and event.leg == self.leg:
                await self.stop_play()
                return event.key

    # --- faults -----------------------------------------------------------------------------------------------------

    async def outage(self, fault: Exception) -> bool:
        """Log a fault; whether it was no more than a connection to Asterisk that is down: then return once it stands.

        Asterisk and the caller may well be there all the time; they are not given up for it.
        """
        if not isinstance(fault, PhoneFault):
            self.log.error("a fault in this call", stage=self.state.stage, exc_info=fault)
            return False
        if not await self.phone.connection():
            self.log.error("a fault in this call", stage=self.state.stage, why=str(fault))
            return False
        self.log.warning("Asterisk could not be asked; the call goes on", stage=self.state.stage, why=str(fault))
        return True

    # --- doing, when the leg may be gone ----------------------------------------------------------------------------

    async def quietly(self, verb: Awaitable[object]) -> bool:
        """Await a verb of cleaning up: a leg that is gone is no news, a fault is logged, nothing is raised.

        Returns whether nothing is left to be done.
        """
        try:
            async with asyncio.timeout(CLEAN_UP):
                await verb
        except LegGone:
            pass
        except (PhoneFault, TimeoutError) as fault:
            self.log.warning("cleaning up after a call failed", why=str(fault))
            return False
        return True

    async def surely(self, verb: Callable[[], Awaitable[object]]) -> None:
        """The same for what would be left over for ever: tried twice."""
        if not await self.quietly(verb()):
            await self.quietly(verb())
