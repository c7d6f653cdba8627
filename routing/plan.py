"""The ring at one agent with several devices: who rings when, who must press 1, who wins. Pure.

Theory of operation. A plan is a list of tries, one for each device that can be reached. In order, the next try begins
when the one before is over; at once, all begin together. A try rings by its first way (a phone has one, a number one
for each trunk); when that way is broken, by the next, within the same time. Each try is in one of four states::

     waiting ──dial──► ringing ──picked up, to be confirmed──► asking ──1──► accepted
                          ├──picked up────────────────────────────────────► accepted
                          └──time, busy, refused, gone──► over ◄──time, hang-up──┘

The first that accepts wins and the ring is over in that step: every other leg is dropped in the same list of commands,
and nothing that comes later changes anything. So a device that answers in the very same instant has lost, whatever
the order of the events on the wire. Nobody is told to connect a leg that was not accepted.

What each device answered becomes one result for the agent, who was rung once (:func:`verdict`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from calllog.events import DeviceResult, RingResult
from config import settings
from phone.port import KeyPress, LegAnswered, LegEnded, PlayEnded

ACCEPT_KEY = "1"
"""The key by which an agent takes a call on a device that must be confirmed."""

ASK_AGAIN = 1.0
"""Seconds between the end of the question and its repetition."""

BUSY, NO_ANSWER, REJECTED = frozenset({17}), frozenset({0, 16, 18, 19}), frozenset({21})
UNREACHABLE = frozenset({1, 3, 20, 22, 27})
"""Q.850 causes of a ring that ended, as Asterisk maps them from SIP (res_pjsip_session, hangup_sip2cause)."""

TRUNK_BROKEN = frozenset({3, 27, 34, 38, 41, 42, 44, 47, 58, 102})
"""Q.850 causes by which a trunk says that the way is broken, not that the far phone does not answer: no route, out of
order, no circuit, network out of order, failure, congestion, channel not available, no resource, no such capability
now, recovery on timer. The next trunk may do better."""

NO_ANSWER_CAUSE, ABSENT_CAUSE = 19, 20
"""Q.850 causes noted for a ring that we ended, and for a device that could not be rung at all."""


# --- the desk's plan ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedTry:
    """A device that rings for ``ring`` seconds; who picks it up has ``confirm`` seconds for key 1 (0: need not)."""

    device: settings.Device
    ring: float
    confirm: float

    @property
    def longest(self) -> float:
        """Seconds until it has accepted or is over."""
        return self.ring + self.confirm


@dataclass(frozen=True, slots=True)
class Plan:
    """How an agent is rung now."""

    tries: tuple[PlannedTry, ...] = ()
    at_once: bool = False

    @property
    def longest(self) -> float:
        """Seconds that the whole ring may take."""
        each = [one.longest for one in self.tries]
        return max(each, default=0.0) if self.at_once else sum(each)


def chosen(agent: settings.Agent, names: Iterable[str]) -> tuple[settings.Device, ...]:
    """The agent's devices that a shift names, in its order; all, where it names none that there are."""
    return tuple(one for name in names for one in agent.devices if one.named == name) or agent.devices


def plan_of(agent: settings.Agent, devices: Iterable[settings.Device], ring: float, confirm: float) -> Plan:
    """The plan for these devices of the agent; ``ring`` and ``confirm`` are the seconds where a device has no own."""
    tries = tuple(
        PlannedTry(one, ring if one.ring_time is None else one.ring_time, confirm if one.confirms else 0.0)
        for one in devices
    )
    return Plan(tries, agent.ring == "at_once")


# --- the ring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """What is dialled, which number it shows, and through which trunk (empty: a phone of ours)."""

    endpoint: str
    shown: str
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """A device and its ways, in order; times as in :class:`PlannedTry`."""

    device: str
    ways: tuple[Way, ...]
    ring: float
    confirm: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Broken:
    """This leg could not be rung."""

    leg: str
    result: Literal["unreachable", "failed"]


RingInput = LegAnswered | LegEnded | KeyPress | PlayEnded | Tick | Broken


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring this device; it ends by itself ``longest`` seconds from now at the latest."""

    leg: str
    device: str
    way: Way
    longest: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask who picked up to press 1; ``first``: for the first time."""

    leg: str
    play: str
    first: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """This device does not get the call. ``up``: its leg may be there still, hang it up."""

    leg: str
    result: DeviceResult
    cause: int
    up: bool


@dataclass(frozen=True, slots=True)
class Accept:
    """This leg gets the call; ``play`` is what it hears at this moment, if anything."""

    leg: str
    play: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """No device accepted: the agent's one result."""

    result: RingResult
    cause: int


RingCommand = Dial | Ask | Drop | Accept | Nobody


@dataclass(slots=True, eq=False)
class _Course:
    """A try under way. Times are those of the loop, in seconds."""

    number: int
    what: Try
    state: Literal["waiting", "ringing", "asking", "over"] = "waiting"
    way: int = -1
    leg: str = ""
    until: float = 0.0
    ask_at: float | None = None
    asked: int = 0
    play: str = ""
    result: DeviceResult = "failed"
    cause: int = 0


class Ringing:
    """One ring: events in, commands out. ``talk_id`` is the beginning of the legs' ids."""

    def __init__(self, talk_id: str, tries: Sequence[Try], *, at_once: bool) -> None:
        self._talk_id = talk_id
        self._courses = [_Course(number, one) for number, one in enumerate(tries)]
        self._at_once = at_once
        self._out: list[RingCommand] = []
        self.over = False

    def begin(self, now: float) -> list[RingCommand]:
        """The first commands; ``now`` is a time of the loop."""
        return self._next(now)

    @property
    def due(self) -> float | None:
        """When a :class:`Tick` is to be said, at the latest; None when there is nothing to wait for."""
        times = [one.until for one in self._open()]
        times += [one.ask_at for one in self._open() if one.ask_at is not None]
        return min(times, default=None)

    @property
    def plain(self) -> bool:
        """One phone that need not be confirmed: its end is the ring's end, and says all."""
        return len(self._courses) == 1 and not self._courses[0].what.confirm and len(self._courses[0].what.ways) == 1

    def step(self, now: float, event: RingInput) -> list[RingCommand]:
        """Take in what happened. What concerns no leg of this ring, or comes when it is over, changes nothing."""
        if self.over:
            return []
        if isinstance(event, Tick):
            for one in self._open():
                self._time(now, one)
            return self._next(now)
        course = next((one for one in self._open() if one.leg == event.leg), None)
        if course is None:
            return []
        match event:
            case LegAnswered() if course.state == "ringing":
                if course.what.confirm:
                    course.state, course.until = "asking", now + course.what.confirm
                    self._ask(course)
                else:
                    self._accept(course)
            case KeyPress(key=key) if course.state == "asking" and key == ACCEPT_KEY:
                self._accept(course)
            case PlayEnded(play=play) if course.state == "asking" and play == course.play:
                course.play, course.ask_at = "", now + ASK_AGAIN
            case LegEnded(cause=cause):
                if course.state == "asking":
                    self._drop(course, "unconfirmed", cause, up=False)
                else:
                    self._failed(now, course, result_of(cause), cause)
            case Broken(result=result):
                gone = result == "unreachable"
                self._failed(now, course, result, ABSENT_CAUSE if gone else 0, up=not gone, broken=gone)
            case _:
                pass
        return self._next(now)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _open(self) -> list[_Course]:
        return [one for one in self._courses if one.state in ("ringing", "asking")]

    def _next(self, now: float) -> list[RingCommand]:
        """Begin what may begin now; end the ring when nothing is left."""
        while not self.over:
            waiting = [one for one in self._courses if one.state == "waiting"]
            if waiting and (self._at_once or not self._open()):
                waiting[0].until = now + waiting[0].what.ring
                self._dial(now, waiting[0])
            elif not waiting and not self._open():
                self.over = True
                self._out.append(verdict([(one.result, one.cause) for one in self._courses]))
            else:
                break
        out, self._out = self._out, []
        return out

    def _dial(self, now: float, course: _Course) -> None:
        course.way += 1
        if course.way >= len(course.what.ways):
            course.state, course.result = "over", "unreachable"
            return
        way = course.what.ways[course.way]
        course.state, course.leg = "ringing", leg_id(self._talk_id, course.number, course.way)
        self._out.append(Dial(course.leg, course.what.device, way, course.until - now))

    def _ask(self, course: _Course) -> None:
        course.asked += 1
        course.play, course.ask_at = f"{course.leg}-q{course.asked}", None
        self._out.append(Ask(course.leg, course.play, course.asked == 1))

    def _time(self, now: float, course: _Course) -> None:
        if now >= course.until:
            result: DeviceResult = "unconfirmed" if course.state == "asking" else "missed"
            self._drop(course, result, NO_ANSWER_CAUSE, up=True)
        elif course.ask_at is not None and now >= course.ask_at:
            self._ask(course)

    def _failed(
        self, now: float, course: _Course, result: DeviceResult, cause: int, *, up: bool = False, broken: bool = False
    ) -> None:
        """The device could not be rung by this way, or said no."""
        broken = bool(course.what.ways[course.way].trunk) and (broken or cause in TRUNK_BROKEN)
        self._drop(course, "unreachable" if broken else result, cause, up=up)
        if broken and course.way + 1 < len(course.what.ways) and now < course.until:
            self._dial(now, course)

    def _drop(self, course: _Course, result: DeviceResult, cause: int, *, up: bool) -> None:
        course.state, course.result, course.cause, course.ask_at = "over", result, cause, None
        self._out.append(Drop(course.leg, result, cause, up))

    def _accept(self, course: _Course) -> None:
        self.over = True
        course.state = "over"
        for other in self._open():
            self._drop(other, "elsewhere", 0, up=True)
        self._out.append(Accept(course.leg, course.play))


_WEIGHT: tuple[tuple[DeviceResult, RingResult], ...] = (
    ("missed", "missed"), ("unconfirmed", "missed"), ("rejected", "rejected"), ("busy", "busy"),
    ("unreachable", "unreachable"), ("failed", "failed"),
)  # fmt: skip


def verdict(devices: Sequence[tuple[DeviceResult, int]]) -> Nobody:
    """The agent's one result: the first of missed, rejected, busy, unreachable, failed that any device gave.

    What says most of the person counts before what says something of a phone or a line.
    """
    for device, ring in _WEIGHT:
        for result, cause in devices:
            if result == device:
                return Nobody(ring, cause)
    return Nobody("unreachable", ABSENT_CAUSE)


def result_of(cause: int) -> DeviceResult:
    """What a Q.850 cause says of a device that ended its ring itself."""
    if cause in BUSY:
        return "busy"
    if cause in REJECTED:
        return "rejected"
    if cause in NO_ANSWER:
        return "missed"
    return "unreachable" if cause in UNREACHABLE else "failed"


def leg_id(talk_id: str, device: int, way: int) -> str:
    """The leg of the ``way``-th way to the ``device``-th device, both from 0.

    No id is the beginning of another's: Asterisk would take it for taken.
    """
    return f"{talk_id}-agent" if device == way == 0 else f"{talk_id}-d{device + 1}w{way + 1}-agent"
