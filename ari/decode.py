"""From the text of a WebSocket message to an event, in one pass; nothing that Asterisk may send stops it."""

from __future__ import annotations

from typing import Union

import msgspec

from ari import events
from ari.events import Event, UnknownEvent

LOCAL = (UnknownEvent, events.Connected, events.Disconnected)
"""What no Asterisk sends."""

_BASES = (
    events.ChannelEvent, events.BridgeEvent, events.PlaybackEvent, events.RecordingEvent, events.EndpointEvent, Event,
)  # fmt: skip
_KNOWN = tuple(
    thing
    for thing in vars(events).values()
    if isinstance(thing, type) and issubclass(thing, Event) and thing not in (*_BASES, *LOCAL)
)
_decode = msgspec.json.Decoder(Union[_KNOWN]).decode  # noqa: UP007


def decode(data: bytes | str) -> Event:
    """An event from the text of one WebSocket message (about 3 µs); never fails on what it does not know.

    Raises ValueError only for what is no JSON object with a "type".
    """
    try:
        event: Event = _decode(data)
        return event
    except msgspec.ValidationError as misfit:
        why = str(misfit)
    raw = msgspec.json.decode(data)  # msgspec.DecodeError is a ValueError
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise ValueError("not an ARI event: no JSON object with a type")
    known = any(raw["type"] == cls.__name__ for cls in _KNOWN)
    application = raw.get("application")
    return UnknownEvent(
        type=raw["type"],
        raw=raw,
        why=why if known else "",
        application=application if isinstance(application, str) else "",
    )
