"""What ARI speaks of, as msgspec structs: the things (channels, bridges …) and the events.

Names and fields are those of Asterisk 22's ``rest-api/api-docs/*.json`` (served live under
``/ari/api-docs``). Unknown fields are passed over, so a newer Asterisk is no fault. Times are aware
datetimes. The events are in `ari.events`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


# gc=False: decoded structs form trees, never cycles, and a flood of them must not wake the collector.
class Thing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of what ARI answers with."""


class CallerID(Thing, frozen=True):
    """A name and a number as the other side sent them: any text, never to be trusted."""

    name: str = ""
    number: str = ""


class Dialplan(Thing, frozen=True):
    """Where in the dialplan a channel stands."""

    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    app_data: str = ""


class Channel(Thing, frozen=True):
    """`state` is Down, Rsrvd, OffHook, Dialing, Ring, Ringing, Up, Busy …; `protocol_id` is the SIP
    Call-ID."""

    id: str
    name: str = ""
    state: str = ""
    protocol_id: str = ""
    caller: CallerID = CallerID()
    connected: CallerID = CallerID()
    accountcode: str = ""
    dialplan: Dialplan = Dialplan()
    creationtime: datetime | None = None
    language: str = ""
    channelvars: dict[str, Any] = msgspec.field(default_factory=dict)
    """Those that ``channelvars`` in ``ari.conf`` asks for."""
    caller_rdnis: str = ""
    tenantid: str = ""


class Bridge(Thing, frozen=True):
    """`bridge_type` is mixing or holding; `technology` e.g. simple_bridge; `channels` are channel ids."""

    id: str
    technology: str = ""
    bridge_type: str = ""
    bridge_class: str = ""
    creator: str = ""
    name: str = ""
    channels: tuple[str, ...] = ()
    video_mode: str = ""
    creationtime: datetime | None = None


class Playback(Thing, frozen=True):
    """`state` is queued, playing, continuing, paused, done, failed; `target_uri` ``channel:ID`` or
    ``bridge:ID``."""

    id: str
    media_uri: str = ""
    next_media_uri: str = ""
    target_uri: str = ""
    language: str = ""
    state: str = ""

    @property
    def target_id(self) -> str:
        """The id of the channel or bridge that it plays to."""
        return self.target_uri.partition(":")[2]


class LiveRecording(Thing, frozen=True):
    """`state` is queued, recording, paused, done, failed, canceled; the durations are whole seconds."""

    name: str
    format: str = ""
    target_uri: str = ""
    state: str = ""
    duration: int | None = None
    talking_duration: int | None = None
    silence_duration: int | None = None
    cause: str = ""

    @property
    def target_id(self) -> str:
        """The id of the channel or bridge that is recorded."""
        return self.target_uri.partition(":")[2]


class StoredRecording(Thing, frozen=True):
    """A finished file in Asterisk's recording folder; `name` is without the extension."""

    name: str
    format: str = ""


class Endpoint(Thing, frozen=True):
    """A peer, e.g. technology PJSIP and resource 6001; `state` is online, offline or unknown."""

    technology: str
    resource: str
    state: str = ""
    channel_ids: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``TECHNOLOGY/RESOURCE``, as it is dialled."""
        return f"{self.technology}/{self.resource}"


class DeviceState(Thing, frozen=True):
    """`state` is NOT_INUSE, INUSE, BUSY, INVALID, UNAVAILABLE, RINGING, RINGINUSE, ONHOLD or UNKNOWN."""

    name: str
    state: str = ""


class ContactInfo(Thing, frozen=True):
    """`contact_status` is Reachable, Unreachable, NonQualified, Created, Removed …; round trip in
    microseconds."""

    uri: str = ""
    contact_status: str = ""
    aor: str = ""
    roundtrip_usec: str = ""


class Peer(Thing, frozen=True):
    """How a peer stands: `peer_status` is e.g. Registered, Unregistered, Reachable, Lagged."""

    peer_status: str = ""
    cause: str = ""
    address: str = ""
    port: str = ""
    time: str = ""


class Application(Thing, frozen=True):
    """A Stasis application and what it is subscribed to."""

    name: str
    channel_ids: tuple[str, ...] = ()
    bridge_ids: tuple[str, ...] = ()
    endpoint_ids: tuple[str, ...] = ()
    device_names: tuple[str, ...] = ()
    events_allowed: tuple[dict[str, Any], ...] = ()
    events_disallowed: tuple[dict[str, Any], ...] = ()


class SystemInfo(Thing, frozen=True):
    """Asterisk's release, and the id of this instance."""

    version: str = ""
    entity_id: str = ""


class ConfigInfo(Thing, frozen=True):
    """Some of asterisk.conf; a limit that is not set is None."""

    name: str = ""
    default_language: str = ""
    max_channels: int | None = None
    max_open_files: int | None = None


class StatusInfo(Thing, frozen=True):
    """When Asterisk was started and last reloaded."""

    startup_time: datetime | None = None
    last_reload_time: datetime | None = None


class AsteriskInfo(Thing, frozen=True):
    """`build` is what Asterisk was built with and on (os, kernel, options, machine, date, user)."""

    system: SystemInfo = SystemInfo()
    config: ConfigInfo = ConfigInfo()
    status: StatusInfo = StatusInfo()
    build: dict[str, Any] = msgspec.field(default_factory=dict)


class AsteriskPing(Thing, frozen=True):
    """The answer to a ping: which Asterisk, and its time."""

    asterisk_id: str = ""
    ping: str = ""
    timestamp: datetime | None = None


class Variable(Thing, frozen=True):
    """The value of a channel's or of a global variable."""

    value: str = ""


class RtpStatistics(Thing, frozen=True):
    """Packets that a channel's phone sent and received, each kind of them (comfort noise and keys too)."""

    rxcount: int
    txcount: int = 0
