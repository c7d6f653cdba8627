"""Between events and the store: each event as (kind, version, JSON), and back, brought up to date on reading.

A changed shape of an event gets the next number in ``VERSIONS`` and one function in ``UPCASTS``, which turns stored
data of the version before into that of the next; what is stored is never rewritten. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from calllog.events import (
    Accessed,
    AgentChanged,
    AnyEvent,
    CallEvent,
    Event,
    FormPublished,
    ListDrawn,
    ReviewEvent,
    RollCalled,
    RosterTookEffect,
    Stream,
    SystemEvent,
)

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

VERSIONS: dict[str, int] = {"ring_started": 2, "ring_ended": 2, "notice_given": 2, "position_told": 2,
                            "alarm": 2, "archived": 2, "agent_changed": 2, "recording_stopped": 2,
                            "recording_resumed": 2, "talk_ended": 2}  # fmt: skip
"""The current version of each kind that has had more than one; every other kind is at version 1."""


def _same(fields: dict[str, Any]) -> dict[str, Any]:
    """For a field that came new, and whose default says what was so before."""
    return fields


UPCASTS: dict[tuple[str, int], Upcast] = {
    ("ring_started", 1): _same,  # trunk: no number was rung
    ("ring_ended", 1): _same,  # leg: there was one device
    ("notice_given", 1): _same,  # language: there was only the hotline's own
    ("position_told", 1): _same,  # wait: none was told
    ("alarm", 1): _same,  # key, params: there was the line alone
    ("archived", 1): _same,  # size: it was not told
    ("agent_changed", 1): _same,  # free_from, extended: no wrap-up waited for a record
    ("recording_stopped", 1): _same,  # why: no part ended before its talk
    ("recording_resumed", 1): _same,  # why: it was not told
    ("talk_ended", 1): _same,  # lost: it was not told
}
"""How the data of (kind, version) becomes that of the next version; one entry for each step ever made."""

_KINDS: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyEvent)}
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_ENCODER = msgspec.json.Encoder()


class Undecodable(ValueError):
    """A stored event that this code cannot read: of a newer version, of an unknown kind, or damaged."""


def kind_of(event: AnyEvent) -> str:
    """The event's tag, as it stands in the table."""
    return str(event.__struct_config__.tag)


def version_of(kind: str) -> int:
    """The version in which events of this kind are written now."""
    return VERSIONS.get(kind, 1)


def encode(event: AnyEvent) -> tuple[str, int, str]:
    """Kind, version and JSON of an event. Raises ValueError or TypeError for text or values JSON cannot hold."""
    kind = kind_of(event)
    return kind, version_of(kind), _ENCODER.encode(event).decode()


def decode(kind: str, v: int, data: str | bytes) -> AnyEvent:
    """The event, brought up to the current version. Raises Undecodable."""
    current = version_of(kind)
    try:
        if kind not in _KINDS or v > current:
            raise Undecodable(f"{kind} version {v}: unknown, written by a newer Hotline")
        if v < current:
            fields: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
            for step in range(v, current):
                fields = UPCASTS[kind, step](fields)
            event: AnyEvent = msgspec.convert(fields, AnyEvent)
        else:
            event = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, LookupError) as error:
        raise Undecodable(f"{kind} version {v}: {error}") from error
    if type(event) is not _KINDS[kind]:
        raise Undecodable(f"{kind} version {v}: its data is of kind {kind_of(event)}")
    return event


_STREAM_OF: dict[type[Event], Stream] = {
    **{kind: "call" for kind in get_args(CallEvent)},
    **{kind: "system" for kind in get_args(SystemEvent)},
    AgentChanged: "agent",
    RosterTookEffect: "roster",
    RollCalled: "roster",
    Accessed: "access",
    **{kind: "review" for kind in get_args(ReviewEvent)},
    FormPublished: "form",
    ListDrawn: "drawing",
}


def stream_of(event: AnyEvent) -> Stream:
    """The stream to which events of this kind belong."""
    return _STREAM_OF[type(event)]
