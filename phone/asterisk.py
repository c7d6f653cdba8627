"""The Phone port over a real Asterisk: ARI for the calls, AMI for what ARI cannot do."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

import structlog

from ari import Client, events as ari_ev
from ari.errors import (
    AriError,
    InboxFull,
    NotFound,
)
from phone import port
from phone.ami import Ami, AmiError
from phone.bridges import Bridges
from phone.builds import has_opus_patch
from phone.leftovers import Leftovers
from phone.lines import AsteriskLine
from phone.monitors import Monitors
from phone.names import Names
from phone.reachability import Reachability
from phone.requests import Requests
from phone.room import WaitingRoom
from phone.snapshot import arrival_of, dialled_of, snapshot
from phone.translate import ALLOWED_EVENTS, call_of

log = structlog.get_logger()
T = TypeVar("T")

Reachable = Callable[[str, bool], None]


class AsteriskPhone:
    """A :class:`phone.port.Phone`.

    ``prompts`` holds the built prompts, a folder for each language; ``spool`` is that of unfinished recordings (both
    absolute, read and written by Asterisk). ``devices`` are the SIP accounts whose reachability is followed.

    ``prompts`` may be set anew at any time. A call plays from the folder with which it began, so that a menu is heard
    in its own words; once it waits for a person the menu is over, and it plays from the folder of today.
    """

    def __init__(self, client: Client, ami: Ami, *, prompts: Path, spool: Path, devices: Iterable[str],
                 names: Names | None = None) -> None:  # fmt: skip
        self._ari = client
        self._requests = Requests(client)
        self._room = WaitingRoom(client, self._requests)
        self._ami = ami
        self._names = names or Names()
        self.prompts = prompts
        self._monitors = Monitors(ami, spool)
        self._reachability = Reachability(
            client, self._names, devices,
            tell=lambda device, reachable: self.on_reachable(device, reachable),
            is_ours=lambda device: self.is_ours(device),
        )  # fmt: skip
        self._lines: dict[str, AsteriskLine] = {}
        self._lengths: defaultdict[Path, dict[str, float]] = defaultdict(dict)
        self._asterisk_started = ""
        self.one_recorder = True
        self._leftovers = Leftovers()
        self._bridges = Bridges(client, self._requests, self._leftovers, self._lives)
        self.on_arrival: Callable[[port.Arrival], None] = lambda arrival: None
        self.on_dialled: Callable[[port.Dialled], None] = lambda dialled: None
        self.on_reachable: Reachable = lambda device, reachable: None
        self.is_ours: Callable[[str], bool] = lambda device: True
        """Whether a device that is in use is so by us; one that the lifeboat has given a caller cannot be rung."""
        self.on_user_event: Callable[[str], None] = lambda name: None
        self.on_back: Callable[[bool], Awaitable[None]] | None = None
        """Called after each (re)connect, before new callers are taken; tells whether Asterisk restarted."""
        self.on_connected: Callable[[], Awaitable[None]] | None = None
        """Called first after each (re)connect."""
        self.on_lost: Callable[[str], None] = lambda why: None
        client.on_connect = self._connected
        client.on_disconnect = lambda client: self.on_lost("the event connection broke")

    # --- the connection -------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether both connections stand."""
        return self._ari.ready and self._ami.ready

    async def run(self) -> None:
        """Take in arrivals and device states, for ever; the connections are run by their owners."""
        try:
            await self._run()
        finally:
            self._leftovers.close()

    async def connection(self) -> bool:
        """Return once Asterisk can be asked for things; whether it could not when this was called."""
        broken = not self._ari.ready
        with contextlib.suppress(AriError):  # what ended the connection for good ends the daemon, too
            await self._ari.wait_ready()
        return broken

    async def _run(self) -> None:
        while True:
            try:
                event = await self._ari.unclaimed.get()
            except InboxFull as full:
                log.error("arrivals were lost: reading back", why=str(full))
                self._ari.unclaimed.reset()
                try:
                    if self.on_back is not None:
                        await self.on_back(False)
                except Exception:  # the next connection reads back again; arrivals must go on meanwhile
                    log.exception("reading back failed")
                continue
            try:
                self._unclaimed(event)
            except Exception:  # one odd event must not stop all calls from arriving
                log.exception("an event could not be taken in", kind=event.kind)

    def _unclaimed(self, event: ari_ev.Event) -> None:
        # Between a StasisStart and its call's line, later events of that leg come here too: pass them on.
        for name in event.ids():
            line = self._lines.get(call_of(name))
            if line is not None and name in line.legs:
                if not (isinstance(event, ari_ev.StasisStart) and name == line.call_id):
                    line.put(event)
                return
        match event:
            case ari_ev.DeviceStateChanged(device_state=state):
                self._reachability.changed(state.name, state.state)
            case ari_ev.ChannelUserevent(eventname=name):
                self.on_user_event(name)
            case ari_ev.StasisStart(channel=channel, args=args) if args[:1] == ("incoming",):
                self.on_arrival(arrival_of(self._names, channel, args))
            case ari_ev.StasisStart(channel=channel, args=args) if args[:1] == ("code",):
                self.on_dialled(dialled_of(self._names, channel, args))
            case ari_ev.StasisStart(channel=channel):
                log.warning("a leg without a call: hanging it up", leg=channel.id)
                self._leftovers.remember(channel.id, lambda: self._hang_up(channel.id))
                self._leftovers.hurry()
            case ari_ev.ApplicationReplaced():
                log.error("another program took over our Stasis application; is a second daemon running?")
            case _:
                pass

    async def _connected(self, client: Client) -> None:
        """After each (re)connect, before anybody sees the new events."""
        if self.on_connected is not None:
            await self.on_connected()
        await client.applications.set_event_filter(allowed=list(ALLOWED_EVENTS))
        await self._room.open()
        await self._reachability.connected()
        info = await client.asterisk.info()
        self.one_recorder = not has_opus_patch(info.system.version)
        started = str(info.status.startup_time)
        restarted = bool(self._asterisk_started) and started != self._asterisk_started
        for line in list(self._lines.values()):
            await self.read_back(line, lost=restarted)
        if self.on_back is not None:
            await self.on_back(restarted)
        self._asterisk_started = started  # only now: should this connection break, the next must tell all the same
        self._leftovers.hurry()

    async def read_back(self, line: AsteriskLine, *, lost: bool = False) -> None:
        """Tell a line what it missed, from what Asterisk has now."""
        for leg in sorted(line.legs):
            try:
                channel = await self._ari.channels.get(leg)
            except NotFound:
                line.lose(leg, lost)
                continue
            if leg == line.call_id and channel.dialplan.app_name != "Stasis":
                line.left(leg)
                continue
            if channel.state == "Up" and leg not in line.answered:
                line.answered.add(leg)
                line.post(port.LegAnswered(leg))
        for play, (leg, _lost_at) in list(line.plays.items()):
            try:
                await self._ari.playbacks.get(play)
            except NotFound:
                line.plays.pop(play, None)
                line.post(port.PlayEnded(leg, play, True))
        for message, leg in list(line.messages.items()):
            if not await self.message_open(message):
                line.messages.pop(message, None)
                line.post(port.MessageEnded(leg, message, True))

    def line(self, call_id: str, legs: Iterable[str]) -> AsteriskLine:
        """An inbox for a call, following these legs."""
        line = self._lines[call_id] = AsteriskLine(self, self._ari, call_id, legs)
        line.prompts = line.began_with = self.prompts
        return line

    def prompts_in_use(self) -> set[Path]:
        """Every folder that some call still plays from."""
        return {self.prompts, *(folder for line in self._lines.values() for folder in (line.prompts, line.began_with))}

    async def follow(self, devices: Iterable[str]) -> None:
        """Follow the reachability of these SIP accounts from now on, and tell that of each.

        Accounts that are gone are followed no more. Raises PhoneFault; the next connection follows them all the same.
        """
        await self._reachability.follow(devices)

    def _lives(self, leg: str) -> bool:
        line = self._lines.get(call_of(leg))
        return line is not None and leg in line.legs

    def line_closed(self, call_id: str) -> None:
        """Forget this line."""
        self._lines.pop(call_id, None)
        self._room.left(call_id)

    # --- the verbs ------------------------------------------------------------------------------------------------

    async def answer(self, leg: str) -> None:
        """Answer a ringing caller."""
        await self._requests.do(leg, "answer", lambda: self._ari.channels.answer(leg))

    async def hang_up(self, leg: str, *, elsewhere: bool = False) -> None:
        """End a leg; one that is gone already is no error. A phone that is told of ``elsewhere`` notes no missed call
        (SIP: a Reason header, RFC 3326). Tried again later where it fails."""
        line = self._lines.get(call_of(leg))
        if line is not None and leg in line.ended:
            return
        try:
            await self._hang_up(leg, "answered_elsewhere" if elsewhere else "normal")
        except (port.PhoneFault, asyncio.CancelledError):
            self._leftovers.remember(leg, lambda: self._hang_up(leg))
            raise

    async def _hang_up(self, leg: str, reason: str = "normal") -> None:
        with contextlib.suppress(port.LegGone):
            await self._requests.do(leg, "hang up", lambda: self._ari.channels.hangup(leg, reason=reason))

    async def play(self, leg: str, play: str, sounds: port.Sounds) -> None:
        """Start playing to a leg."""
        line = self._lines.get(call_of(leg))
        folder = line.prompts if line is not None else self.prompts
        if line is not None:
            if not all(self._seconds(folder, name) for name in sounds):
                folder = line.began_with
            line.playing(play, leg, sum(self._seconds(folder, name) for name in sounds))
        media = [f"sound:{folder}/{name}" for name in sounds]
        try:
            await self._requests.do(leg, "play", lambda: self._ari.channels.play(leg, play, media))
        except BaseException:
            if line is not None:
                line.plays.pop(play, None)
            raise

    def _seconds(self, folder: Path, name: str) -> float:
        """The length of a built prompt: 8 kHz, 16-bit, mono, behind a header of 44 bytes."""
        known = self._lengths[folder]
        if name not in known:
            try:
                known[name] = max(0, (folder / f"{name}.wav").stat().st_size - 44) / 16_000
            except OSError:
                return 0.0
        return known[name]

    async def stop_play(self, play: str) -> None:
        """Cut a play short; one that ended already is no error."""
        try:
            await self._ari.playbacks.stop(play)
        except NotFound:
            pass
        except AriError as error:
            raise port.PhoneFault(f"stop play: {error}") from None

    async def wait_with_music(self, leg: str) -> None:
        """Put a leg into the waiting room."""
        line = self._lines.get(call_of(leg))
        if line is not None:
            line.prompts = self.prompts
        await self._room.enter(leg)

    async def keep_music(self) -> None:
        """Make sure that the waiting room has its music."""
        await self._room.keep_music()

    async def stop_music(self, leg: str) -> None:
        """Take a leg out of the waiting room; one that is not there is no error."""
        await self._room.leave(leg)

    async def ring(self, leg: str, endpoint: str, *, number: str, longest: float) -> None:
        """Ring an endpoint as a new leg, showing ``number``."""
        shown = "".join(char for char in number if char in "+0123456789") or "anonymous"
        line = self._lines.get(call_of(leg))
        try:
            await self._requests.do(
                leg,
                "ring",
                lambda: self._ari.channels.originate(
                    endpoint,
                    channel_id=leg,
                    app_args="agent",
                    caller_id=f'"{shown}" <{shown}>',
                    timeout=max(1, round(longest)),
                    variables={"HOTLINE_CALL": line.call_id if line is not None else ""},
                ),
            )
        except port.PhoneFault as fault:
            if not await self.is_there(leg):
                raise port.LegGone(leg) from fault
            raise

    async def is_there(self, leg: str) -> bool:
        """Whether Asterisk still has this leg, wherever it is; true when that cannot be told."""
        return await self._requests.is_there(leg)

    async def connect(self, bridge: str, caller: str, agent: str) -> None:
        """Let two legs hear each other. The agent's keys are not for the caller's ears (absorb)."""
        self._room.left(caller)
        await self._bridges.connect(bridge, caller, agent)

    async def disconnect(self, bridge: str) -> None:
        """Take a bridge away; its legs stay up. One that is gone already is no error. Tried again later where it
        fails."""
        await self._bridges.disconnect(bridge)

    async def record_talk(self, leg: str, file: str) -> str:
        """Record both directions of the caller's leg into ``file`` of the spool folder."""
        return await self._requests.monitored(leg, self._monitors.start(leg, file))

    async def pause_recording(self, leg: str, monitor: str) -> None:
        """From now on that recording holds silence."""
        await self._requests.monitored(leg, self._monitors.mute(leg, monitor, on=True))

    async def resume_recording(self, leg: str, monitor: str) -> None:
        """Undo ``pause_recording``."""
        await self._requests.monitored(leg, self._monitors.mute(leg, monitor, on=False))

    async def stop_recording(self, leg: str, monitor: str) -> None:
        """End that recording; its file is complete on return. A leg that is gone is no error."""
        line = self._lines.get(call_of(leg))
        if line is not None and leg in line.ended:
            return  # the file closed with the channel
        try:
            await self._monitors.stop(leg, monitor)
        except AmiError as error:
            raise port.PhoneFault(str(error)) from None

    async def received(self, leg: str) -> int:
        """Packets that came from this leg's phone so far."""
        return (await self._requests.do(leg, "count packets", lambda: self._ari.channels.rtp_statistics(leg))).rxcount

    async def record_message(self, leg: str, message: str, *, longest: float, silence: float) -> None:
        """Record what the leg says."""
        line = self._lines.get(call_of(leg))
        if line is not None:
            line.messages[message] = leg
        await self._requests.do(
            leg,
            "record a message",
            lambda: self._ari.channels.record(
                leg,
                self._names.recording(message),
                "wav",
                max_duration=max(1, round(longest)),
                max_silence=max(1, round(silence)),
                if_exists="overwrite",
                terminate_on="#",
            ),
        )

    async def message_open(self, message: str) -> bool:
        """Whether this message is still being recorded."""
        try:
            await self._ari.recordings.get_live(self._names.recording(message))
        except NotFound:
            return False
        except AriError as error:
            raise port.PhoneFault(f"look for a message: {error}") from None
        return True

    async def guard(self, leg: str, seconds: float) -> None:
        """Should we die, the dialplan takes this leg after so many seconds (extension T); 0 takes the guard away."""
        value = f"{seconds:.0f}"
        await self._requests.do(leg, "guard", lambda: self._ari.channels.set_variable(leg, "TIMEOUT(absolute)", value))

    async def hand_over(self, leg: str) -> None:
        """Send the caller to the dialplan's apology, emergency number and voicemail."""
        await self._requests.do(
            leg,
            "hand over",
            lambda: self._ari.channels.continue_in_dialplan(leg, context="hotline-away", extension="s", priority=1),
        )

    async def snapshot(self) -> port.Snapshot:
        """What is there now. Raises PhoneFault."""
        return await snapshot(self._ari, self._names)
