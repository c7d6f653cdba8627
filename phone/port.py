"""The Phone port: all that a call may ask of telephones, and all that telephones may tell a call.

``routing`` knows this module and never ARI; ``phone.asterisk`` is the port over a real Asterisk, ``tests`` has one in
virtual time. Verbs either do what they say or raise :class:`LegGone` (the leg is no longer there: an ordinary thing
on a telephone) or :class:`PhoneFault` (Asterisk did not do it: a fault). Identifiers are chosen by the caller of a
verb, so that an event can never arrive before its inbox is known. When a broken connection to Asterisk stands again,
the port reads what is there and tells each line what it missed (a leg gone, a play ended), so a call need not know.
Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class LegGone(Exception):
    """The leg hung up before or while the verb was carried out."""

    def __init__(self, leg: str) -> None:
        super().__init__(f"leg {leg} is gone")
        self.leg = leg


class PhoneFault(Exception):
    """Asterisk refused, failed, or did not answer in time."""


# --- what telephones tell a call ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key was pressed on this leg."""

    leg: str
    key: str


@dataclass(frozen=True, slots=True)
class PlayEnded:
    """The sounds of ``play`` ended; not ``ok``: they could not be played."""

    leg: str
    play: str
    ok: bool


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The far phone rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The far phone answered."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone, with its Q.850 cause (0 where unknown); ``lost``: Asterisk itself died or was restarted."""

    leg: str
    cause: int
    lost: bool = False


@dataclass(frozen=True, slots=True)
class LegTaken:
    """The leg left us for the dialplan (its guard ran out, or it was sent there)."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegHeld:
    """This leg put the other side on hold (``on``) or took it back."""

    leg: str
    on: bool


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The recording of a message on this leg ended; not ``ok``: nothing could be recorded."""

    leg: str
    message: str
    ok: bool


LineEvent = (
    KeyPress | PlayEnded | LegRinging | LegAnswered | LegEnded | LegTaken | LegHeld | MessageEnded
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller reached us: their leg, and what the trunk says of them (untrusted text, at most 80 characters).

    ``up``: the dialplan has answered already.
    """

    leg: str
    number: str
    name: str
    did: str
    trunk: str
    up: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """An agent's phone dialled a code: the leg, the SIP account that Asterisk knows it by, and what was dialled."""

    leg: str
    account: str
    code: str


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """A leg that Asterisk has at this moment.

    ``call_id`` is empty for a leg that is not of a Hotline call; ``ours`` is false once it is in the dialplan.
    """

    leg: str
    call_id: str
    up: bool
    ours: bool
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class LiveBridge:
    """A bridge that Asterisk has at this moment."""

    bridge: str
    legs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything of ours that Asterisk has at this moment; read after a start or a broken connection."""

    legs: dict[str, LiveLeg]
    bridges: dict[str, LiveBridge]


class Line(Protocol):
    """The inbox of one call: events of the legs it follows, and messages of the desk, in the order they came."""

    def follow(self, leg: str) -> None:
        """Events of this leg come here from now on."""

    def post(self, message: object) -> None:
        """Put a message of our own process into the inbox; never blocks."""

    async def next(self, timeout: float | None = None) -> object:
        """The next event or message. Raises TimeoutError after ``timeout`` seconds."""

    def close(self) -> None:
        """Follow nothing any more."""


Sounds = Sequence[str]
"""Names of prompts with their language, ``zh/greeting``, played one after the other."""

class Phone(Protocol):
    """The verbs."""

    one_recorder: bool
    """Whether one recorder may run on from talk to talk: some builds of Asterisk lose the second agent's sound."""

    def line(self, call_id: str, legs: Iterable[str]) -> Line:
        """An inbox for a call, following these legs."""

    async def answer(self, leg: str) -> None:
        """Answer a ringing caller."""

    async def hang_up(self, leg: str, *, elsewhere: bool = False) -> None:
        """End a leg; one that is gone already is no error. ``elsewhere``: tell it that another phone took the call.
        Where it fails the port goes on trying."""

    async def play(self, leg: str, play: str, sounds: Sounds) -> None:
        """Start playing to a leg; :class:`PlayEnded` follows. Over music on hold, which goes on afterwards."""

    async def stop_play(self, play: str) -> None:
        """Cut a play short; one that ended already is no error."""

    async def wait_with_music(self, leg: str) -> None:
        """Put a leg into the waiting room."""

    async def keep_music(self) -> None:
        """Make sure that the waiting room has its music; changes nothing where it plays."""

    async def stop_music(self, leg: str) -> None:
        """Take a leg out of the waiting room; one that is not there is no error."""

    async def ring(self, leg: str, endpoint: str, *, number: str, longest: float) -> None:
        """Ring ``PJSIP/ACCOUNT`` or ``PJSIP/NUMBER@TRUNK`` as a new leg, showing ``number``; its events follow.

        Ends by itself after ``longest``. Nobody hears anything of it, and it hears nobody, before :meth:`connect`."""

    async def connect(self, bridge: str, caller: str, agent: str) -> None:
        """Let two legs hear each other."""

    async def disconnect(self, bridge: str) -> None:
        """Take a bridge away; its legs stay up. One that is gone already is no error. Where it fails the port goes on
        trying."""

    async def record_talk(self, leg: str, file: str) -> str:
        """Record both directions of the caller's leg into ``file`` of the spool folder; returns the monitor's id."""

    async def stop_recording(self, leg: str, monitor: str) -> None:
        """End that recording; its file is complete on return. A leg that is gone is no error."""

    async def pause_recording(self, leg: str, monitor: str) -> None:
        """From now on that recording holds silence, until :meth:`resume_recording`."""

    async def resume_recording(self, leg: str, monitor: str) -> None:
        """Undo :meth:`pause_recording`. Raises PhoneFault when that recording runs no more."""

    async def received(self, leg: str) -> int:
        """Packets that came from this leg's phone so far: sound, and (few) of comfort noise and the like.

        Raises LegGone, also where there is nothing to count."""

    async def record_message(self, leg: str, message: str, *, longest: float, silence: float) -> None:
        """Record what the leg says until ``#``, silence, ``longest`` or hang-up; :class:`MessageEnded` follows."""

    async def message_open(self, message: str) -> bool:
        """Whether this message is still being recorded."""

    async def guard(self, leg: str, seconds: float) -> None:
        """Should we die, the dialplan takes this leg after so many seconds; 0 takes the guard away."""

    async def hand_over(self, leg: str) -> None:
        """Send the caller to the dialplan's apology, emergency number and voicemail."""

    async def connection(self) -> bool:
        """Return once Asterisk can be asked for things; whether it could not when this was called. Not bounded here:
        meanwhile the leg's guard bounds what the caller waits."""

    async def snapshot(self) -> Snapshot:
        """What is there now."""
