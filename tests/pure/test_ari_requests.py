"""Requests against a fake Asterisk: what goes over the wire, what comes back, and each way to fail."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from aiohttp import web
from ari_play import FakeAri, a_client, refuse

import ari

CHANNEL = {"id": "c1", "name": "PJSIP/x-1", "state": "Up", "new_field": 1}
BRIDGE = {"id": "b1", "technology": "simple_bridge", "bridge_type": "mixing", "channels": ["c1"]}
PLAYBACK = {"id": "p1", "media_uri": "sound:a", "target_uri": "channel:c1", "state": "queued"}
RECORDING = {"name": "r/1", "format": "wav", "target_uri": "channel:c1", "state": "queued"}
APPLICATION = {
    "name": "hotline",
    "channel_ids": ["c1"],
    "bridge_ids": [],
    "endpoint_ids": [],
    "device_names": [],
}
ENDPOINT = {"technology": "PJSIP", "resource": "6001", "state": "online", "channel_ids": []}
AWKWARD = 'a "quote", a comma & a \n newline = 100 % + \\ 张三; ' + "x" * 500

Doing = Callable[[ari.Client], Awaitable[object]]

REQUESTS: list[tuple[Doing, str, dict[str, str], object, object]] = [
    # what is done, method and raw path, query, body, answer
    (lambda c: c.channels.list(), "GET /channels", {}, None, [CHANNEL]),
    (lambda c: c.channels.get("c1"), "GET /channels/c1", {}, None, CHANNEL),
    (lambda c: c.channels.get("a/b c?"), "GET /channels/a%2Fb%20c%3F", {}, None, CHANNEL),
    (
        lambda c: c.channels.originate(
            "PJSIP/6001",
            channel_id="c1",
            caller_id=AWKWARD,
            timeout=20,
            variables={"X": AWKWARD},
            formats=["alaw"],
        ),
        "POST /channels",
        {},
        {
            "endpoint": "PJSIP/6001",
            "channelId": "c1",
            "app": "hotline",
            "callerId": AWKWARD,
            "timeout": 20,
            "variables": {"X": AWKWARD},
            "formats": "alaw",
        },
        CHANNEL,
    ),
    (
        lambda c: c.channels.originate("Local/1@x", context="in", extension="400", priority=1),
        "POST /channels",
        {},
        {"endpoint": "Local/1@x", "context": "in", "extension": "400", "priority": 1},
        CHANNEL,
    ),
    (
        lambda c: c.channels.create("PJSIP/6001", channel_id="c1", originator="c0"),
        "POST /channels/create",
        {},
        {"endpoint": "PJSIP/6001", "channelId": "c1", "app": "hotline", "originator": "c0"},
        CHANNEL,
    ),
    (lambda c: c.channels.dial("c1", timeout=15), "POST /channels/c1/dial", {}, {"timeout": 15}, None),
    (lambda c: c.channels.answer("c1"), "POST /channels/c1/answer", {}, None, None),
    (lambda c: c.channels.hangup("c1"), "DELETE /channels/c1", {}, None, None),
    (
        lambda c: c.channels.hangup("c1", reason_code=21),
        "DELETE /channels/c1",
        {"reason_code": "21"},
        None,
        None,
    ),
    (
        lambda c: c.channels.continue_in_dialplan("c1", context="x", extension="s", priority=1),
        "POST /channels/c1/continue",
        {},
        {"context": "x", "extension": "s", "priority": 1},
        None,
    ),
    (
        lambda c: c.channels.play("c1", "p1", ["sound:a,b", "digits:1"], lang="zh"),
        "POST /channels/c1/play/p1",
        {},
        {"media": ["sound:a,b", "digits:1"], "lang": "zh"},
        PLAYBACK,
    ),
    (
        lambda c: c.channels.record("c1", "r/1", "wav", max_duration=60, beep=False),
        "POST /channels/c1/record",
        {},
        {"name": "r/1", "format": "wav", "maxDurationSeconds": 60, "beep": False},
        RECORDING,
    ),
    (
        lambda c: c.channels.get_variable("c1", "CALLERID(num)"),
        "GET /channels/c1/variable",
        {"variable": "CALLERID(num)"},
        None,
        {"value": "138"},
    ),
    (
        lambda c: c.channels.rtp_statistics("c1"),
        "GET /channels/c1/rtp_statistics",
        {},
        None,
        {"rxcount": 7, "txcount": 5, "rxjitter": 0.1},
    ),
    (
        lambda c: c.channels.set_variable("c1", "X", AWKWARD),
        "POST /channels/c1/variable",
        {},
        {"variable": "X", "value": AWKWARD},
        None,
    ),
    (
        lambda c: c.channels.set_variable("c1", "X", ""),
        "POST /channels/c1/variable",
        {},
        {"variable": "X", "value": ""},
        None,
    ),
    (
        lambda c: c.channels.snoop("c1", "s1", spy="both", whisper="out"),
        "POST /channels/c1/snoop/s1",
        {},
        {"spy": "both", "whisper": "out", "app": "hotline"},
        CHANNEL,
    ),
    (
        lambda c: c.bridges.create("b1", type="mixing,dtmf_events", name="talk"),
        "POST /bridges/b1",
        {},
        {"type": "mixing,dtmf_events", "name": "talk"},
        BRIDGE,
    ),
    (
        lambda c: c.bridges.add_channel("b1", "c1", "c2", absorb_dtmf=True),
        "POST /bridges/b1/addChannel",
        {},
        {"channel": ["c1", "c2"], "absorbDTMF": True},
        None,
    ),
    (
        lambda c: c.bridges.remove_channel("b1", "c1"),
        "POST /bridges/b1/removeChannel",
        {},
        {"channel": ["c1"]},
        None,
    ),
    (lambda c: c.bridges.destroy("b1"), "DELETE /bridges/b1", {}, None, None),
    (lambda c: c.playbacks.stop("p1"), "DELETE /playbacks/p1", {}, None, None),
    (lambda c: c.recordings.stop_live("r/1"), "POST /recordings/live/r%2F1/stop", {}, None, None),
    (lambda c: c.endpoints.list("PJSIP"), "GET /endpoints/PJSIP", {}, None, [ENDPOINT]),
    (
        lambda c: c.device_states.get("PJSIP/6001"),
        "GET /deviceStates/PJSIP%2F6001",
        {},
        None,
        {"name": "PJSIP/6001", "state": "INUSE"},
    ),
    (
        lambda c: c.applications.subscribe("endpoint:PJSIP/6001", "bridge:b1"),
        "POST /applications/hotline/subscription",
        {},
        {"eventSource": ["endpoint:PJSIP/6001", "bridge:b1"]},
        APPLICATION,
    ),
    (
        lambda c: c.applications.unsubscribe("endpoint:PJSIP/6001", "bridge:b1"),
        "DELETE /applications/hotline/subscription",
        {"eventSource": "endpoint:PJSIP/6001,bridge:b1"},
        None,
        APPLICATION,
    ),
    (
        lambda c: c.applications.set_event_filter(disallowed=["ChannelVarset", "ChannelDialplan"]),
        "PUT /applications/hotline/eventFilter",
        {},
        {"disallowed": [{"type": "ChannelVarset"}, {"type": "ChannelDialplan"}]},
        APPLICATION,
    ),
    (
        lambda c: c.asterisk.set_variable("BEAT", "1"),
        "POST /asterisk/variable",
        {},
        {"variable": "BEAT", "value": "1"},
        None,
    ),
    (
        lambda c: c.events.user_event("beat", variables={"n": AWKWARD}),
        "POST /events/user/beat",
        {},
        {"application": "hotline", "variables": {"n": AWKWARD}},
        None,
    ),
]


@pytest.mark.parametrize(("doing", "line", "query", "body", "answer"), REQUESTS, ids=[r[1] for r in REQUESTS])
async def test_what_goes_over_the_wire(
    doing: Doing, line: str, query: dict[str, str], body: object, answer: object
) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204) if answer is None else web.json_response(answer)

    async with FakeAri() as server, a_client(server) as client:
        server.answer = reply
        got = await doing(client)
        (request,) = server.seen
        assert f"{request.method} {request.raw_path.partition('?')[0]}" == line.replace(" ", " /ari", 1)
        assert dict(request.query) == query
        sent = await request.read()
        assert (msgspec.json.decode(sent) if sent else None) == body
        assert (got is None) == (answer is None)


async def test_answers_are_typed() -> None:
    answers: dict[str, object] = {
        "/ari/channels": [CHANNEL],
        "/ari/channels/c1/variable": {"value": "v"},
        "/ari/bridges/b1": BRIDGE,
        "/ari/asterisk/info": {"system": {"version": "22.10.1", "entity_id": "00"}, "build": {"os": "Linux"}},
        "/ari/recordings/stored/r/file": None,
    }

    async def reply(request: web.Request) -> web.StreamResponse:
        answer = answers[request.path]
        return web.Response(body=b"RIFF\x00\xff") if answer is None else web.json_response(answer)

    async with FakeAri() as server, a_client(server) as client:
        server.answer = reply
        assert await client.channels.list() == [ari.Channel(id="c1", name="PJSIP/x-1", state="Up")]
        assert await client.channels.get_variable("c1", "X") == "v"
        assert (await client.bridges.get("b1")).channels == ("c1",)
        assert (await client.asterisk.info()).system.version == "22.10.1"
        assert await client.recordings.get_stored_file("r") == b"RIFF\x00\xff"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ari.BadRequest),
        (401, ari.Unauthorized),
        (403, ari.Unauthorized),
        (404, ari.NotFound),
        (409, ari.Conflict),
        (412, ari.Conflict),
        (422, ari.Unprocessable),
        (418, ari.AriResponseError),
        (302, ari.AriResponseError),
        (500, ari.ServerError),
        (503, ari.ServerError),
    ],
)
async def test_each_refusal_has_its_type(status: int, kind: type[ari.AriResponseError]) -> None:
    async with FakeAri() as server, a_client(server) as client:
        server.answer = refuse(status, "Channel not found")
        with pytest.raises(ari.AriResponseError) as refusal:
            await client.channels.set_variable("c1", "X", "13800138000")
        assert type(refusal.value) is kind
        assert refusal.value.status == status
        assert str(refusal.value) == f"POST /channels/c1/variable: {status} Channel not found"
        assert len(server.seen) == 1


async def test_a_refusal_in_any_words_is_a_refusal() -> None:
    async def in_html(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500, body=b"\xff<html>")

    async with FakeAri() as server, a_client(server) as client:
        server.answer = in_html
        with pytest.raises(ari.ServerError, match="500 Internal Server Error"):
            await client.asterisk.ping()


@pytest.mark.parametrize("text", [b"<html>", b"", b"\xff", b"[]", b'{"name": "no id"}'])
async def test_a_success_that_is_not_understood_is_its_own_error(text: bytes) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(body=text)

    async with FakeAri() as server, a_client(server) as client:
        server.answer = reply
        with pytest.raises(ari.UnexpectedAnswer):
            await client.channels.get("c1")


async def test_more_requests_than_connections_all_pass() -> None:
    at_once = most = 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        at_once -= 1
        return web.Response(status=204)

    async with FakeAri() as server, a_client(server) as client:
        server.answer = slow
        await asyncio.gather(*(client.channels.answer(f"c{number}") for number in range(300)))
        assert len(server.seen) == 300
        assert most <= 32


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_an_empty_id_is_not_another_request(name: str) -> None:
    """``DELETE /channels/`` with nothing behind it would be something else."""
    async with FakeAri() as server, a_client(server) as client:
        with pytest.raises(ValueError):
            await client.channels.hangup(name)
        with pytest.raises(ValueError):
            await client.channels.play("c1", "p1", "sound:hello")
        assert server.seen == []
