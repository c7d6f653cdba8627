"""ARI's events in the words of the Phone port. Pure."""

from __future__ import annotations

import re

from ari import events as ari_ev
from phone import port

ALLOWED_EVENTS = (
    "StasisStart",
    "StasisEnd",
    "ChannelHangupRequest",
    "ChannelDestroyed",
    "ChannelStateChange",
    "ChannelDtmfReceived",
    "ChannelHold",
    "ChannelUnhold",
    "PlaybackFinished",
    "RecordingFinished",
    "RecordingFailed",
    "DeviceStateChanged",
    "ChannelUserevent",
    "ApplicationReplaced",
)
"""The only event types that Asterisk shall send: a short call makes 45 events, of which these are what a call reads."""

LONGEST_TEXT = 80
"""Characters kept of what a trunk says of a caller: more is an attack, not a name."""

AGENT_LEG = "-agent"
"""The end of the id of every agent's leg; what stands before it is the talk's id, ``CALL-N``, and for another than the
first device or way also which, ``CALL-N-d2w1``."""

_OF_CALL = re.compile(r"(.*)-\d+(?:-d\d+w\d+)?-agent", re.DOTALL)


def line_event(event: ari_ev.Event) -> port.LineEvent | None:
    """What this event means to a call; None for one without meaning there (StasisEnd has its own way)."""
    match event:
        case ari_ev.ChannelDtmfReceived():
            return port.KeyPress(event.channel.id, event.digit)
        case ari_ev.PlaybackFinished():
            return port.PlayEnded(event.playback.target_id, event.playback.id, event.playback.state != "failed")
        case ari_ev.ChannelStateChange() if event.channel.state == "Ringing":
            return port.LegRinging(event.channel.id)
        case ari_ev.StasisStart():
            return port.LegAnswered(event.channel.id)
        case ari_ev.ChannelDestroyed():
            return port.LegEnded(event.channel.id, event.cause)
        case ari_ev.ChannelHold():
            return port.LegHeld(event.channel.id, True)
        case ari_ev.ChannelUnhold():
            return port.LegHeld(event.channel.id, False)
        case ari_ev.RecordingFinished():
            return port.MessageEnded(event.recording.target_id, _message(event), True)
        case ari_ev.RecordingFailed():
            return port.MessageEnded(event.recording.target_id, _message(event), False)
        case _:
            return None


def _message(event: ari_ev.RecordingFinished | ari_ev.RecordingFailed) -> str:
    """Our name of it; in an Asterisk of one's own it has a folder before it."""
    return event.recording.name.rpartition("/")[2]


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text from outside without control characters, at most ``longest`` characters."""
    return "".join(char for char in text[: 4 * longest] if char.isprintable())[:longest].strip()


def arrival(channel_id: str, number: str, name: str, args: tuple[str, ...], up: bool = False) -> port.Arrival:
    """A caller from the arguments of ``Stasis(app,incoming,DID,trunk)``, the channel's caller id and its state."""
    did = args[1] if len(args) > 1 else ""
    trunk = args[2] if len(args) > 2 else ""
    return port.Arrival(channel_id, clean(number), clean(name), clean(did, 32), clean(trunk, 40), up)


def call_of(leg: str) -> str:
    """The call a leg of ours belongs to: the caller's leg is named like it, an agent's ``CALL-N-agent``."""
    found = _OF_CALL.fullmatch(leg)
    return found[1] if found else leg
