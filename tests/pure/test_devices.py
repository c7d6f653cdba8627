"""Devices in the settings, in the journal of an older version, and in the ids of legs."""

from __future__ import annotations

from pathlib import Path

import pytest

from calllog import events as ev
from calllog.codec import decode, encode
from calllog.folds import CallState
from config.load import load
from config.settings import AgentFile, Settings
from config.telephony import Outgoing
from phone.devices import check
from phone.translate import call_of
from routing.plan import leg_id

TRACKED = load(Path(__file__).parents[2] / "config").settings
TRUNK = TRACKED.hotline.trunks[0].model_copy(update={"outgoing": Outgoing(present="02112345678")})
SETTINGS = TRACKED.model_copy(update={"hotline": TRACKED.hotline.model_copy(update={"trunks": (TRUNK,)})})


def found(*devices: list[dict[str, object]], base: Settings = SETTINGS) -> list[tuple[str, str, bool]]:
    people = {
        str(8001 + at): {"name": "x", "skills": ["general"], "devices": theirs} for at, theirs in enumerate(devices)
    }
    settings = base.model_copy(update={"agents": AgentFile.model_validate({"agents": people})})
    return [(problem.code, problem.place.key, problem.warning) for problem in check(settings)]


def test_a_good_number_is_taken_however_it_is_written() -> None:
    assert found([{"sip": "8001"}, {"number": "13800138000"}], [{"number": "+8613800138001"}]) == []
    assert found([{"number": "013800138000"}], [{"number": "02112345679"}]) == []


@pytest.mark.parametrize(
    ("device", "code", "key", "warning"),
    [
        ({"number": "110"}, "number-emergency", "number", False),
        ({"number": "120"}, "number-emergency", "number", False),
        ({"number": "4001234567"}, "number-is-hotline", "number", False),
        ({"number": "4008001234"}, "number-dear", "number", False),
        ({"number": "+862112345678"}, "number-shown", "number", True),
        ({"number": "123"}, "number-wrong", "number", False),
        ({"number": "95588"}, "number-unknown", "number", True),
        ({"number": "13800138000", "confirm": False}, "device-unconfirmed", "confirm", False),
        ({"number": "13800138000", "sip": "x"}, "device-unclear", "", False),
        ({"ring_time": 5}, "device-unclear", "", False),
    ],
)
def test_a_number_nobody_may_be_rung_at(device: dict[str, object], code: str, key: str, warning: bool) -> None:
    place = f"agents.8002.devices[1]{'.' if key else ''}{key}"
    assert found([{"sip": "8001"}], [{"sip": "8002"}, device]) == [(code, place, warning)]


def test_a_number_needs_a_trunk_that_carries_calls_out() -> None:
    missing = [("number-no-trunk", "agents.8001.devices[0].number", False)]
    assert found([{"number": "13800138000"}], base=TRACKED) == missing
    assert found([{"sip": "8001"}], base=TRACKED) == []
    assert found([{"number": "13800138000"}], [{"number": "13800138001"}], base=TRACKED) == missing  # told once


def test_one_number_belongs_to_one_agent() -> None:
    doubled = [("number-doubled", "agents.8002.devices[1].number", False)]
    assert found([{"number": "13800138000"}], [{"sip": "x"}, {"number": "+8613800138000"}]) == doubled
    twice = [("number-doubled", "agents.8001.devices[1].number", False)]
    assert found([{"number": "13800138000"}, {"number": "013800138000"}]) == twice


@pytest.mark.parametrize("call", ["hotline-1795491170.12", "my-agent-1795491170.0", "h-1-agent-1.2"])
def test_every_leg_tells_its_call(call: str) -> None:
    assert call_of(call) == call
    for device in (0, 1, 11):
        for way in (0, 1):
            assert call_of(leg_id(f"{call}-7", device, way)) == call


def test_a_ring_journalled_by_the_version_before_is_read() -> None:
    began = decode("ring_started", 1, '{"kind":"ring_started","talk_id":"t","agent":"8001","device":"8001","leg":"l"}')
    ended = decode("ring_ended", 1, '{"kind":"ring_ended","talk_id":"t","agent":"8001","result":"answered"}')
    assert began == ev.RingStarted(talk_id="t", agent="8001", device="8001", leg="l")
    assert ended == ev.RingEnded(talk_id="t", agent="8001", result="answered")
    assert encode(ended)[:2] == ("ring_ended", 2)


def test_the_device_that_accepted_is_that_of_the_talk() -> None:
    state = CallState("c")
    ring: list[ev.CallEvent] = [
        ev.RingStarted(talk_id="t", agent="8001", device="8001", leg="l1"),
        ev.DeviceRung(talk_id="t", agent="8001", device="*8000", leg="l2", trunk="carrier"),
        ev.ConfirmAsked(talk_id="t", leg="l2"),
    ]
    for at, event in enumerate(ring, 1):
        state.apply(at, event)
    assert state.talk is not None and state.talk.open_legs == ["l1", "l2"] and len(state.talks) == 1
    state.apply(5, ev.DeviceEnded(talk_id="t", leg="l1", result="elsewhere"))
    assert state.talk.open_legs == ["l2"]
    state.apply(6, ev.RingEnded(talk_id="t", agent="8001", result="answered", leg="l2"))
    assert state.talk.open_legs == []
    state.apply(6, ev.TalkStarted(talk_id="t", agent="8001", bridge="b"))
    assert (state.talk.device, state.talk.leg, state.talk.open_legs) == ("*8000", "l2", ["l2"])
