"""What Asterisk tells: one struct per event type, decoded in one pass.

An event type that is not here, or one of an unexpected shape, becomes an `UnknownEvent`: a newer Asterisk or
a strange caller name never stops the reader. `Event.ids` says which channels, bridges, playbacks,
recordings, endpoints or devices an event names; the inboxes are fed by it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ari.model import (
    Bridge,
    Channel,
    ContactInfo,
    DeviceState,
    Endpoint,
    LiveRecording,
    Peer,
    Playback,
    Thing,
)


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=True):
    """Base of all events. `timestamp` is Asterisk's, aware."""

    application: str = ""
    timestamp: datetime | None = None
    asterisk_id: str = ""

    @property
    def kind(self) -> str:
        """The event's type as ARI names it, e.g. ``StasisStart``."""
        return type(self).__name__

    def ids(self) -> tuple[str, ...]:
        """Every id that the event names; ids may repeat."""
        return ()


# --- channels


class ChannelEvent(Event, frozen=True):
    """Base of the events about one channel."""

    channel: Channel

    def ids(self) -> tuple[str, ...]:
        return (self.channel.id,)


class StasisStart(ChannelEvent, frozen=True):
    """A channel came under our control; `replace_channel` is the one whose place it takes (attended
    transfer)."""

    args: tuple[str, ...] = ()
    replace_channel: Channel | None = None

    def ids(self) -> tuple[str, ...]:
        if self.replace_channel is None:
            return (self.channel.id,)
        return (self.channel.id, self.replace_channel.id)


class StasisEnd(ChannelEvent, frozen=True):
    """A channel left our control: hung up, or gone on in the dialplan."""


class ApplicationMoveFailed(ChannelEvent, frozen=True):
    """The channel could not be given to the application `destination` (`Channels.move`)."""

    args: tuple[str, ...] = ()
    destination: str = ""


class ChannelCreated(ChannelEvent, frozen=True):
    """A channel has come to be; its StasisStart, if any, follows when it enters an application."""


class ChannelDestroyed(ChannelEvent, frozen=True):
    """The channel is gone; `cause` is a Q.850 cause, `tech_cause` e.g. the SIP status."""

    cause: int = 0
    cause_txt: str = ""
    tech_cause: int | None = None


class ChannelStateChange(ChannelEvent, frozen=True):
    """`channel.state` is new, e.g. Ringing or Up."""


class ChannelDtmfReceived(ChannelEvent, frozen=True):
    """A key was released; `digit` is one of ``0123456789*#ABCD``."""

    digit: str
    duration_ms: int = 0


class ChannelHangupRequest(ChannelEvent, frozen=True):
    """Somebody hangs the channel up; `soft` when Asterisk only asks for it."""

    cause: int | None = None
    tech_cause: int | None = None
    soft: bool = False


class ChannelHold(ChannelEvent, frozen=True):
    """The phone put its side on hold; `musicclass` is what it asks to be played, mostly empty."""

    musicclass: str = ""


class ChannelUnhold(ChannelEvent, frozen=True):
    """The phone took its side off hold."""


class ChannelDialplan(ChannelEvent, frozen=True):
    """The channel went on to another application of the dialplan."""

    dialplan_app: str = ""
    dialplan_app_data: str = ""


class ChannelCallerId(ChannelEvent, frozen=True):
    """The caller's name or number changed; `caller_presentation` is Asterisk's number for how far it may be
    shown."""

    caller_presentation: int = 0
    caller_presentation_txt: str = ""


class ChannelConnectedLine(ChannelEvent, frozen=True):
    """The other side that the phone shows changed (`channel.connected`)."""


class ChannelToneDetected(ChannelEvent, frozen=True):
    """A tone was found that `TONE_DETECT()` was asked to watch for."""


class ChannelTalkingStarted(ChannelEvent, frozen=True):
    """The phone speaks; sent where `TALK_DETECT()` was set on the channel."""


class ChannelTalkingFinished(ChannelEvent, frozen=True):
    """`duration` of the talking in milliseconds."""

    duration: int = 0


class ChannelVarset(Event, frozen=True):
    """A variable was set; without `channel` it is a global one."""

    variable: str = ""
    value: str = ""
    channel: Channel | None = None

    def ids(self) -> tuple[str, ...]:
        return _ids(self.channel)


class ChannelUserevent(Event, frozen=True):
    """`UserEvent()`, or ``POST /events/user/NAME``; `userevent` holds its variables."""

    eventname: str = ""
    userevent: dict[str, Any] = msgspec.field(default_factory=dict)
    channel: Channel | None = None
    bridge: Bridge | None = None
    endpoint: Endpoint | None = None

    def ids(self) -> tuple[str, ...]:
        return _ids(self.channel, self.bridge, self.endpoint)


class Dial(Event, frozen=True):
    """`dialstatus` is empty at first, then RINGING, PROGRESS, ANSWER, BUSY, NOANSWER, CANCEL, CHANUNAVAIL
    …"""

    peer: Channel
    caller: Channel | None = None
    forwarded: Channel | None = None
    forward: str = ""
    dialstring: str = ""
    dialstatus: str = ""

    def ids(self) -> tuple[str, ...]:
        return _ids(self.peer, self.caller, self.forwarded)


class RequiredDestination(Thing, frozen=True):
    """Blind: `destination` is the extension. Attended: `protocol_id` is the other call's SIP Call-ID."""

    protocol_id: str = ""
    destination: str = ""
    additional_protocol_params: tuple[dict[str, Any], ...] = ()


class ReferTo(Thing, frozen=True):
    """Where a transfer is to go; the channels are there when Asterisk knows them (an attended transfer)."""

    requested_destination: RequiredDestination = RequiredDestination()
    destination_channel: Channel | None = None
    connected_channel: Channel | None = None
    bridge: Bridge | None = None


class ReferredBy(Thing, frozen=True):
    """Who asks for a transfer: the phone's channel, its partner, and their bridge."""

    source_channel: Channel | None = None
    connected_channel: Channel | None = None
    bridge: Bridge | None = None


class ChannelTransfer(Event, frozen=True):
    """A phone asks to transfer (REFER) on a channel with ``PJSIP_TRANSFER_HANDLING()=ari-only``; nothing has
    moved."""

    refer_to: ReferTo
    referred_by: ReferredBy
    state: str = ""

    def ids(self) -> tuple[str, ...]:
        to, by = self.refer_to, self.referred_by
        return _ids(
            by.source_channel,
            by.connected_channel,
            by.bridge,
            to.destination_channel,
            to.connected_channel,
            to.bridge,
        )


# --- bridges


class BridgeEvent(Event, frozen=True):
    """Base of the events about one bridge."""

    bridge: Bridge

    def ids(self) -> tuple[str, ...]:
        return (self.bridge.id,)


class BridgeCreated(BridgeEvent, frozen=True):
    """A bridge has come to be."""


class BridgeDestroyed(BridgeEvent, frozen=True):
    """The bridge is gone; its channels live on outside of it."""


class BridgeMerged(BridgeEvent, frozen=True):
    """All channels of `bridge_from` are in `bridge` now."""

    bridge_from: Bridge

    def ids(self) -> tuple[str, ...]:
        return (self.bridge.id, self.bridge_from.id)


class ChannelEnteredBridge(BridgeEvent, frozen=True):
    """A channel came into the bridge; `bridge.channels` holds it already."""

    channel: Channel | None = None

    def ids(self) -> tuple[str, ...]:
        return _ids(self.bridge, self.channel)


class ChannelLeftBridge(BridgeEvent, frozen=True):
    """A channel left the bridge; it is up and in Stasis still, unless its StasisEnd follows."""

    channel: Channel

    def ids(self) -> tuple[str, ...]:
        return (self.bridge.id, self.channel.id)


# --- playbacks and recordings


class PlaybackEvent(Event, frozen=True):
    """Base of the events about one playback."""

    playback: Playback

    def ids(self) -> tuple[str, ...]:
        return (self.playback.id, self.playback.target_id)


class PlaybackStarted(PlaybackEvent, frozen=True):
    """The first medium begins to play."""


class PlaybackContinuing(PlaybackEvent, frozen=True):
    """The next medium of the list begins."""


class PlaybackFinished(PlaybackEvent, frozen=True):
    """`playback.state` tells done from failed: this also ends media that could not be played."""


class RecordingEvent(Event, frozen=True):
    """Base of the events about one recording."""

    recording: LiveRecording

    def ids(self) -> tuple[str, ...]:
        return (self.recording.name, self.recording.target_id)


class RecordingStarted(RecordingEvent, frozen=True):
    """Asterisk writes the recording."""


class RecordingFinished(RecordingEvent, frozen=True):
    """The file is complete; the durations in `recording` are whole seconds."""


class RecordingFailed(RecordingEvent, frozen=True):
    """`recording.cause` says why."""


# --- endpoints, devices, the application


class EndpointEvent(Event, frozen=True):
    """Base of the events about one endpoint; its id is e.g. ``PJSIP/6001``."""

    endpoint: Endpoint

    def ids(self) -> tuple[str, ...]:
        return (self.endpoint.id,)


class EndpointStateChange(EndpointEvent, frozen=True):
    """`endpoint.state` is new: online, offline or unknown."""


class ContactStatusChange(EndpointEvent, frozen=True):
    """A phone registered, went, or answers or no longer answers Asterisk's OPTIONS."""

    contact_info: ContactInfo


class PeerStatusChange(EndpointEvent, frozen=True):
    """As ContactStatusChange, in the words of other technologies than PJSIP."""

    peer: Peer


class DeviceStateChanged(Event, frozen=True):
    """A device that the application is subscribed to has another state."""

    device_state: DeviceState

    def ids(self) -> tuple[str, ...]:
        return (self.device_state.name,)


class ApplicationRegistered(Event, frozen=True):
    """A client has connected under this application's name."""


class ApplicationUnregistered(Event, frozen=True):
    """The last client of this application has gone."""


class ApplicationReplaced(Event, frozen=True):
    """Another client took our application's name: no more events come; `Client.run` raises Replaced."""


# --- not from Asterisk


class UnknownEvent(Event, frozen=True):
    """An event type that is not in this file, or one of unexpected shape; `raw` is all of it."""

    type: str = msgspec.field(default="", name="event_type")  # "type" itself is msgspec's tag
    raw: dict[str, Any] = msgspec.field(default_factory=dict)
    why: str = ""
    """Empty for an unknown type; otherwise what did not fit."""

    @property
    def kind(self) -> str:
        """The type that Asterisk gave it."""
        return self.type

    def ids(self) -> tuple[str, ...]:
        found: list[str] = []
        for key in ("channel", "bridge", "playback", "recording", "peer"):
            thing = self.raw.get(key)
            if isinstance(thing, dict):
                id_ = thing.get("name" if key == "recording" else "id")
                if isinstance(id_, str):
                    found.append(id_)
        return tuple(found)


class Connected(Event, frozen=True):
    """Local: the event connection is up (again). What happened meanwhile is not replayed: read it with
    GET."""


class Disconnected(Event, frozen=True):
    """Local: the event connection is down; Asterisk and its calls may well be alive."""

    reason: str = ""


def _ids(*things: Channel | Bridge | Endpoint | None) -> tuple[str, ...]:
    return tuple(thing.id for thing in things if thing is not None)
