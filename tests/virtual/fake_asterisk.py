"""An exchange in virtual time: legs, bridges, the waiting room, plays, messages, guards; and what people do with them.

It outlives the daemon, as Asterisk does. Every change that is of interest to a daemon is told to ``tell``; what
nobody listens to is lost. Times are virtual seconds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from phone import port

SOUND = 2.0
"""Length of every prompt that has none of its own in :data:`LENGTHS`."""

LENGTHS = {"menu_main": 6.0, "beep": 0.2, "recording_notice": 3.0}

CLOSES = 0.02
"""From the hang-up until Asterisk has closed a message's file (DESIGN.md section 5, mechanics 2: within 21 ms)."""

APOLOGY = 10.0
"""How long the dialplan keeps a caller whom it took."""

SLICE = 0.3
"""Length of each piece of a spoken number."""


def length(sound: str) -> float:
    """Seconds that a prompt takes, whatever its language."""
    sound = sound.rpartition("/")[2]
    return LENGTHS.get(sound, SLICE if sound.startswith(("num_", "position_")) else SOUND)


@dataclass(eq=False)
class Playing:
    """A play on a leg: its sounds, one after the other."""

    play: str
    sounds: tuple[str, ...]


@dataclass(eq=False)
class Leg:
    """A channel. ``ours``: in Stasis; ``heard`` has each sound with the instants of its begin and end (0: playing);
    Chinese, the hotline's own language, is not named."""

    leg: str
    call_id: str
    arrival: port.Arrival | None = None
    device: str = ""
    up: bool = False
    ours: bool = True
    held: str = ""
    """The bridge it is in, or the waiting room."""
    plays: deque[Playing] = field(default_factory=deque)
    heard: list[tuple[str, float, bool]] = field(default_factory=list)
    monitors: list[str] = field(default_factory=list)
    message: str = ""
    pressed: str = ""
    """The keys that were pressed on it."""
    speaks: float = 8.0
    """Seconds that this caller speaks into a message."""
    since: float = 0.0
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    when_quiet: list[Callable[[], None]] = field(default_factory=list)
    """What waits for the end of all plays."""
    moved: list[tuple[str, float]] = field(default_factory=list)
    """Where it was, and from when: ``room``, ``bridge``, empty."""


ROOM = "room"


class FakeAsterisk:
    """The exchange. ``tell`` gets the events of the port; ``wrongs`` what must never happen."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.legs: dict[str, Leg] = {}
        self.gone: dict[str, Leg] = {}
        self.gone_at: dict[str, float] = {}
        self.bridges: dict[str, list[str]] = {}
        self.messages: dict[str, float] = {}
        """Lengths of the recorded messages, in seconds, by file."""
        self.recorded: list[str] = []
        self.muted: set[str] = set()
        """The monitors that write silence."""
        self.dead: set[str] = set()
        """Files that nothing more is written into."""
        self._sends: dict[str, tuple[float, float, float, float]] = {}
        """By leg: since when, packets that had come by then, and those with sound; packets a second since then
        (negative: without sound)."""
        self.music = False
        self.started = 0
        self.wrongs: list[str] = []
        self.tell: Callable[[port.LineEvent], None] = lambda event: None
        self.on_arrival: Callable[[port.Arrival], None] = lambda arrival: None
        self.on_away: Callable[[Leg], None] = lambda leg: None
        self.on_ring: Callable[[Leg], None] = lambda leg: None
        self.on_ring_over: Callable[[Leg, int], None] = lambda leg, cause: None

    # --- what a person or a trunk does ------------------------------------------------------------------------------

    def arrive(self, arrival: port.Arrival) -> Leg:
        """A caller rings at the hotline."""
        leg = self.legs[arrival.leg] = Leg(arrival.leg, arrival.leg, arrival)
        self.on_arrival(arrival)
        return leg

    def press(self, leg: Leg, key: str) -> None:
        """A key on a phone; ``#`` ends a message."""
        if key == "#" and leg.message:
            self.end_message(leg, True)
        leg.pressed += key
        self._tell(leg, port.KeyPress(leg.leg, key))

    def hold(self, leg: Leg, on: bool) -> None:
        """A phone puts the other side on hold, or takes it back."""
        self._tell(leg, port.LegHeld(leg.leg, on))

    def end(self, leg: Leg, cause: int = 16, *, lost: bool = False) -> None:
        """The leg is gone, whoever ended it."""
        if self.legs.pop(leg.leg, None) is None:
            return
        self.gone[leg.leg] = leg
        self.gone_at[leg.leg] = self.loop.time()
        for timer in leg.timers.values():
            timer.cancel()
        leg.timers.clear()
        plays = [playing.play for playing in leg.plays]
        leg.plays.clear()
        if leg.held:
            self._move(leg, "")
        leg.monitors.clear()
        if leg.message:
            self.loop.call_later(CLOSES, self.end_message, leg, True, self.loop.time() - leg.since)
        for play in plays:
            self._tell(leg, port.PlayEnded(leg.leg, play, True))
        self._tell(leg, port.LegEnded(leg.leg, cause, lost))
        if leg.arrival is None:
            self.on_ring_over(leg, cause)
        self._quiet(leg)
        if not leg.ours:
            self.on_away(leg)

    def answered(self, leg: Leg) -> None:
        """The far phone answered."""
        if leg.leg in self.legs and not leg.up:
            leg.up = True
            self._timer(leg, "ring", None)
            self._tell(leg, port.LegAnswered(leg.leg))

    def crash(self) -> None:
        """Asterisk dies with every leg, and is there again, empty."""
        for leg in list(self.legs.values()):
            self.end(leg, 0, lost=True)
        self.bridges.clear()

    # --- what a daemon does, each after its request has arrived -----------------------------------------------------

    def leg(self, name: str) -> Leg:
        """The leg, if it is there and in Stasis. Raises LegGone."""
        leg = self.legs.get(name)
        if leg is None or not leg.ours:
            raise port.LegGone(name)
        return leg

    def answer(self, name: str) -> None:
        self.leg(name).up = True

    def hang_up(self, name: str, cause: int = 16) -> None:
        leg = self.legs.get(name)
        if leg is not None:
            self.end(leg, cause)

    def play(self, name: str, play: str, sounds: tuple[str, ...]) -> None:
        leg = self.leg(name)
        if not leg.up:
            self.wrongs.append(f"{sounds} were played to {name}, which nobody had answered")
        leg.plays.append(Playing(play, sounds))
        if len(leg.plays) == 1:
            self._sound(leg, leg.plays[0], 0)

    def stop_play(self, play: str) -> None:
        for leg in self.legs.values():
            for playing in leg.plays:
                if playing.play == play:
                    first = leg.plays[0] is playing
                    leg.plays.remove(playing)
                    self._tell(leg, port.PlayEnded(leg.leg, play, True))
                    if first:
                        self._timer(leg, "play", None)
                        self._next_play(leg)
                    return

    def wait_with_music(self, name: str) -> None:
        self._move(self.leg(name), ROOM)
        self.music = True

    def stop_music(self, name: str) -> None:
        leg = self.legs.get(name)
        if leg is not None and leg.held == ROOM:
            self._move(leg, "")

    def ring(self, name: str, call_id: str, device: str, longest: float) -> None:
        for other in self.legs.values():
            if other.device == device:
                self.wrongs.append(f"{device} rings for {name} while it has {other.leg}")
        leg = self.legs[name] = Leg(name, call_id, device=device)
        self._timer(leg, "ring", longest, lambda: self.end(leg, 19))
        self._tell(leg, port.LegRinging(name))
        self.on_ring(leg)

    def connect(self, bridge: str, caller: str, agent: str) -> None:
        legs = [self.leg(agent), self.leg(caller)]
        if not all(leg.up for leg in legs):
            self.wrongs.append(f"{bridge} has a leg that nobody answered")
        if "@" in legs[0].device and "1" not in legs[0].pressed:
            self.wrongs.append(f"{bridge} has {legs[0].device}, where nobody pressed 1")
        self.bridges.setdefault(bridge, [])
        for leg in legs:
            self._move(leg, bridge)

    def disconnect(self, bridge: str) -> None:
        for name in list(self.bridges.get(bridge, ())):
            self._move(self.legs[name], "")
        self.bridges.pop(bridge, None)

    def record_talk(self, name: str, file: str) -> str:
        leg = self.leg(name)
        if not leg.held.endswith("-bridge"):
            self.wrongs.append(f"{file} is recorded while nobody talks")
        leg.monitors.append(file)
        self.recorded.append(file)
        return file

    def written(self, file: str) -> int:
        """Bytes of a part's file: while it is recorded it grows with the sound that comes, block by block."""
        on = next((leg for leg in self.legs.values() if file in leg.monitors and file not in self.dead), None)
        there = [] if on is None else self.bridges.get(on.held, [])
        return round(sum(self._came(leg)[1] for leg in there)) * 640 // 32_768 * 32_768 if there else 1

    def sends(self, leg: str, packets: float, *, sound: bool = True) -> None:
        """From now on so many packets a second come from this leg's phone; at first it is 50."""
        came, heard = self._came(leg)
        self._sends[leg] = (self.loop.time(), came, heard, packets if sound else -packets)

    def received(self, leg: str) -> int:
        """Packets that came from this leg's phone."""
        self.leg(leg)
        return round(self._came(leg)[0])

    def _came(self, leg: str) -> tuple[float, float]:
        since, came, heard, rate = self._sends.get(leg, (0.0, 0.0, 0.0, 50.0))
        more = (self.loop.time() - since) * rate
        return came + abs(more), heard + max(0.0, more)

    def stop_recording(self, name: str, monitor: str) -> None:
        leg = self.legs.get(name)
        if leg is not None:
            leg.monitors = [other for other in leg.monitors if monitor and other != monitor]

    def mute_recording(self, name: str, monitor: str, on: bool) -> None:
        leg = self.leg(name)
        if monitor not in leg.monitors:
            raise port.PhoneFault(f"no such monitor: {monitor}")
        if not on and not leg.held.endswith("-bridge"):
            self.wrongs.append(f"{monitor} is recorded while nobody talks")
        self.muted = (self.muted | {monitor}) if on else (self.muted - {monitor})

    def record_message(self, name: str, message: str, longest: float, silence: float) -> None:
        leg = self.leg(name)
        leg.message, leg.since = message, self.loop.time()
        self._timer(leg, "message", min(longest, leg.speaks + silence), lambda: self.end_message(leg, True))

    def end_message(self, leg: Leg, ok: bool, seconds: float | None = None) -> None:
        """The file is closed."""
        self._timer(leg, "message", None)
        message, leg.message = leg.message, ""
        heard = self.loop.time() - leg.since if seconds is None else seconds
        self.messages[f"{message}.wav"] = min(heard, leg.speaks)
        self._tell(leg, port.MessageEnded(leg.leg, message, ok))

    def guard(self, name: str, seconds: float) -> None:
        leg = self.leg(name)
        self._timer(leg, "guard", seconds or None, lambda: self.take(leg))

    def take(self, leg: Leg) -> None:
        """The dialplan takes the caller: apology, emergency number, voicemail."""
        if leg.leg not in self.legs or not leg.ours:
            return
        for timer in leg.timers.values():
            timer.cancel()
        leg.timers.clear()
        plays = [playing.play for playing in leg.plays]
        leg.plays.clear()
        self._move(leg, "")
        if leg.message:
            self.end_message(leg, True)
        for play in plays:
            self._tell(leg, port.PlayEnded(leg.leg, play, True))
        self._tell(leg, port.LegTaken(leg.leg))
        leg.ours = False
        self._quiet(leg)
        self._timer(leg, "dialplan", APOLOGY, lambda: self.end(leg, 16))

    def snapshot(self) -> port.Snapshot:
        legs = {
            leg.leg: port.LiveLeg(leg.leg, leg.call_id, leg.up, leg.ours, leg.arrival) for leg in self.legs.values()
        }
        return port.Snapshot(legs, {name: port.LiveBridge(name, tuple(legs)) for name, legs in self.bridges.items()})

    # --- inside -----------------------------------------------------------------------------------------------------

    def _tell(self, leg: Leg, event: port.LineEvent) -> None:
        if leg.ours:
            self.tell(event)

    def _timer(self, leg: Leg, name: str, seconds: float | None, action: Callable[[], None] = lambda: None) -> None:
        timer = leg.timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if seconds is not None:
            leg.timers[name] = self.loop.call_later(seconds, action)

    def _move(self, leg: Leg, where: str) -> None:
        if leg.held in self.bridges:
            self.bridges[leg.held].remove(leg.leg)
        left, leg.held = leg.held, where
        if where in self.bridges:
            self.bridges[where].append(leg.leg)
        leg.moved.append((where, self.loop.time()))
        if left == ROOM and not any(other.held == ROOM for other in self.legs.values()):
            self.music = False  # it ends when the last leg leaves (seen on 22.10.1)

    def _sound(self, leg: Leg, playing: Playing, number: int) -> None:
        if number:
            leg.heard[-1] = (*leg.heard[-1][:2], True)
        if number == len(playing.sounds):
            leg.plays.popleft()
            self._tell(leg, port.PlayEnded(leg.leg, playing.play, True))
            self._next_play(leg)
            return
        sound = playing.sounds[number]
        leg.heard.append((sound.removeprefix("zh/"), self.loop.time(), False))
        self._timer(leg, "play", length(sound), lambda: self._sound(leg, playing, number + 1))

    def _next_play(self, leg: Leg) -> None:
        if leg.plays:
            self._sound(leg, leg.plays[0], 0)
        else:
            self._quiet(leg)

    def _quiet(self, leg: Leg) -> None:
        waiting, leg.when_quiet = leg.when_quiet, []
        for action in waiting:
            self.loop.call_soon(action)
