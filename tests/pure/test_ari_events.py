"""Decoding: what Asterisk sends, what it may send some day, and what it never should."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, strategies as st

import ari
from ari.decode import decode

CHANNEL = {
    "id": "c1",
    "name": "PJSIP/trunk-00000001",
    "state": "Ring",
    "protocol_id": "abc@10.0.0.1",
    "caller": {"name": "张三", "number": "13800138000"},
    "connected": {"name": "", "number": ""},
    "accountcode": "",
    "dialplan": {"context": "in", "exten": "400", "priority": 3, "app_name": "Stasis", "app_data": "hotline"},
    "creationtime": "2025-11-24T09:50:00.123+0800",
    "language": "zh",
}
BRIDGE = {"id": "b1", "technology": "simple_bridge", "bridge_type": "mixing", "channels": ["c1", "c2"]}


def event(kind: str, **fields: object) -> ari.Event:
    common = {"type": kind, "application": "hotline", "timestamp": "2025-11-24T09:50:00.500+0800"}
    return decode(msgspec.json.encode(common | fields))


def test_a_stasis_start_holds_all_that_asterisk_says() -> None:
    start = event("StasisStart", args=["a", "b"], channel=CHANNEL)
    assert isinstance(start, ari.StasisStart)
    assert start.kind == "StasisStart"
    assert start.application == "hotline"
    assert start.timestamp == datetime(2025, 11, 24, 1, 50, 0, 500_000, UTC)
    assert start.args == ("a", "b")
    assert start.replace_channel is None
    assert start.channel.caller == ari.CallerID(name="张三", number="13800138000")
    assert start.channel.dialplan.exten == "400"
    assert start.channel.dialplan.priority == 3
    assert start.channel.channelvars == {}


def test_unknown_fields_pass() -> None:
    end = event("StasisEnd", channel=CHANNEL | {"colour": {"deep": [1]}}, new=[{"x": 1}])
    assert isinstance(end, ari.StasisEnd)
    assert end.channel.id == "c1"


def test_an_unknown_type_keeps_its_type_and_all_of_it() -> None:
    odd = event("ChannelDreams", channel=CHANNEL, of=["electric", "sheep"])
    assert isinstance(odd, ari.UnknownEvent)
    assert (odd.type, odd.kind, odd.application, odd.why) == ("ChannelDreams", "ChannelDreams", "hotline", "")
    assert odd.raw["of"] == ["electric", "sheep"]
    assert odd.ids() == ("c1",)


def test_a_known_type_of_unexpected_shape_is_not_lost() -> None:
    odd = event("ChannelDestroyed", channel=CHANNEL, cause="sixteen")
    assert isinstance(odd, ari.UnknownEvent)
    assert odd.type == "ChannelDestroyed"
    assert "cause" in odd.why
    assert odd.ids() == ("c1",)


@pytest.mark.parametrize("text", [b"", b"x", b"[]", b"{}", b'{"type": 3}', b'{"type": "StasisEnd"', b"\xff"])
def test_what_is_no_event_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_asterisk_cannot_send_our_local_events() -> None:
    assert isinstance(event("Disconnected"), ari.UnknownEvent)
    assert isinstance(event("Connected"), ari.UnknownEvent)
    assert isinstance(event("ChannelEvent", channel=CHANNEL), ari.UnknownEvent)


PLAYBACK = {"id": "p1", "media_uri": "sound:hello", "target_uri": "bridge:b:1", "state": "done"}
RECORDING = {"name": "r1", "format": "wav", "target_uri": "channel:c1", "state": "done", "duration": 3}
ENDPOINT = {"technology": "PJSIP", "resource": "6001", "state": "online", "channel_ids": []}
OTHER = CHANNEL | {"id": "c2"}
THIRD = CHANNEL | {"id": "c3"}


@pytest.mark.parametrize(
    ("kind", "fields", "ids"),
    [
        ("StasisStart", {"args": [], "channel": CHANNEL}, {"c1"}),
        ("StasisStart", {"args": [], "channel": CHANNEL, "replace_channel": OTHER}, {"c1", "c2"}),
        ("ChannelCreated", {"channel": CHANNEL}, {"c1"}),
        ("ChannelStateChange", {"channel": CHANNEL}, {"c1"}),
        ("ChannelDtmfReceived", {"channel": CHANNEL, "digit": "#", "duration_ms": 90}, {"c1"}),
        ("ChannelHangupRequest", {"channel": CHANNEL, "cause": 16, "soft": True}, {"c1"}),
        ("ChannelDestroyed", {"channel": CHANNEL, "cause": 16, "cause_txt": "Normal"}, {"c1"}),
        ("ChannelHold", {"channel": CHANNEL, "musicclass": "default"}, {"c1"}),
        ("ChannelUnhold", {"channel": CHANNEL}, {"c1"}),
        ("ChannelVarset", {"variable": "X", "value": "1"}, set()),
        ("ChannelVarset", {"variable": "X", "value": "1", "channel": CHANNEL}, {"c1"}),
        ("ChannelUserevent", {"eventname": "beat", "userevent": {"n": "1"}}, set()),
        (
            "ChannelUserevent",
            {"eventname": "e", "userevent": {}, "channel": CHANNEL, "bridge": BRIDGE},
            {"c1", "b1"},
        ),
        ("Dial", {"peer": CHANNEL, "dialstatus": "RINGING"}, {"c1"}),
        (
            "Dial",
            {"peer": CHANNEL, "caller": OTHER, "forwarded": THIRD, "dialstatus": ""},
            {"c1", "c2", "c3"},
        ),
        ("BridgeCreated", {"bridge": BRIDGE}, {"b1"}),
        ("BridgeDestroyed", {"bridge": BRIDGE}, {"b1"}),
        ("ChannelEnteredBridge", {"bridge": BRIDGE, "channel": CHANNEL}, {"b1", "c1"}),
        ("ChannelLeftBridge", {"bridge": BRIDGE, "channel": CHANNEL}, {"b1", "c1"}),
        ("PlaybackStarted", {"playback": PLAYBACK}, {"p1", "b:1"}),
        ("PlaybackFinished", {"playback": PLAYBACK}, {"p1", "b:1"}),
        ("RecordingStarted", {"recording": RECORDING}, {"r1", "c1"}),
        ("RecordingFinished", {"recording": RECORDING}, {"r1", "c1"}),
        ("RecordingFailed", {"recording": RECORDING | {"cause": "disk"}}, {"r1", "c1"}),
        ("EndpointStateChange", {"endpoint": ENDPOINT}, {"PJSIP/6001"}),
        (
            "ContactStatusChange",
            {"endpoint": ENDPOINT, "contact_info": {"uri": "sip:x", "aor": "6001"}},
            {"PJSIP/6001"},
        ),
        ("PeerStatusChange", {"endpoint": ENDPOINT, "peer": {"peer_status": "Registered"}}, {"PJSIP/6001"}),
        ("DeviceStateChanged", {"device_state": {"name": "PJSIP/6001", "state": "INUSE"}}, {"PJSIP/6001"}),
        ("ApplicationReplaced", {}, set()),
        ("ApplicationMoveFailed", {"channel": CHANNEL, "args": [], "destination": "x"}, {"c1"}),
        (
            "ChannelTransfer",
            {
                "state": "Invite",
                "refer_to": {
                    "requested_destination": {"protocol_id": "xyz", "destination": "0"},
                    "connected_channel": THIRD,
                },
                "referred_by": {"source_channel": CHANNEL, "connected_channel": OTHER, "bridge": BRIDGE},
            },
            {"c1", "c2", "c3", "b1"},
        ),
    ],
)
def test_each_event_is_known_and_names_its_ids(kind: str, fields: dict[str, object], ids: set[str]) -> None:
    got = event(kind, **fields)
    assert not isinstance(got, ari.UnknownEvent), got
    assert got.kind == kind
    assert set(got.ids()) == ids


words = st.sampled_from(["", "id", "name", "target_uri", "c1", "张三", "2025-11-24T09:50:00.123+0800"])
json = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 2**70, 0.5]) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["channel", "bridge", "playback", "recording", "peer", "application", "timestamp", "args"])
kinds = st.sampled_from(["StasisStart", "Dial", "PlaybackFinished", "RecordingFailed", "ChannelVarset", "Odd"])


@given(kinds, st.dictionaries(keys, json))
def test_no_object_with_a_type_is_refused(kind: str, fields: dict[str, object]) -> None:
    got = decode(msgspec.json.encode(fields | {"type": kind}))
    assert got.kind == kind
    assert all(isinstance(id_, str) for id_ in got.ids())
