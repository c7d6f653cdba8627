"""``ari`` could be published as it is: its page's samples run, its docstrings are whole, it needs nothing of ours."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import test_ari_faults
from aiohttp import web
from ari_play import FakeAri, a_client, channel, next_of, running

import ari
from tests.ari_verbs import GROUPS

HOME = Path(ari.__file__).parent
PAGE = (HOME / "README.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MAY_IMPORT = {"ari", "aiohttp", "msgspec", "yarl", *sys.stdlib_module_names}
"""yarl is aiohttp's own type for addresses and comes with it."""


def sample(name: str, url: str = "") -> Callable[..., Any]:
    """The function of the page of this name, as a reader would paste it; with the address of a fake Asterisk."""
    (source,) = (each for each in SAMPLES if f"async def {name}(" in each)
    names: dict[str, Any] = {"__name__": "pasted", "ari": ari, "asyncio": asyncio}
    exec(compile(source.replace("http://127.0.0.1:8088/ari", url), f"README.md: {name}", "exec"), names)
    found: Callable[..., Any] = names[name]
    return found


def answers(by_path: dict[str, object]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        for part, found in by_path.items():
            if part in request.path:
                return found if isinstance(found, web.Response) else web.json_response(found)
        return web.Response(status=204)

    return answer


PLAYBACK = {"id": "p1", "media_uri": "sound:hello-world", "target_uri": "channel:c1", "state": "done"}


async def test_the_quick_start_answers_a_call() -> None:
    async with FakeAri() as server:
        server.answer = answers({"/play/": PLAYBACK})
        task = asyncio.create_task(sample("main", server.url)())
        await server.connections(1)
        await server.send("StasisStart", args=[], channel=channel("c1"))
        await server.requests(3)
        await server.send("PlaybackFinished", playback=PLAYBACK)
        await server.requests(4)
        await server.send("StasisEnd", channel=channel("c1"))
        assert [(r.method, r.path) for r in server.seen[1:]] == [
            ("POST", "/ari/channels/c1/answer"),
            ("POST", "/ari/channels/c1/play/c1-hello"),
            ("DELETE", "/ari/channels/c1"),
        ]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("end", ["done", "failed", "lost"])
async def test_announce(end: str) -> None:
    async with FakeAri() as server:
        server.answer = answers({"/play/": PLAYBACK})
        client = a_client(server)
        async with running(client):
            await client.wait_ready()
            task = asyncio.create_task(sample("announce")(client, "b1", "p1"))
            await server.requests(2)
            if end == "lost":
                server.abort()
            else:
                await server.send("PlaybackFinished", playback=PLAYBACK | {"state": end})
            assert await task == (end == "done")


async def test_take_stock() -> None:
    async with FakeAri() as server:
        application = {"name": "hotline", "channel_ids": ["c1", "c2"]}
        server.answer = answers({"/applications/": application, "/c1": web.json_response({}, status=404)})
        client = a_client(server)
        client.on_connect = sample("take_stock")
        async with running(client):
            await client.wait_ready()
        assert [r.method for r in server.seen] == ["GET", "PUT", "GET", "DELETE", "DELETE"]


@pytest.mark.parametrize(("pressed", "got"), [("12#4", "12"), ("12345", "123"), ("1", "1")])
async def test_digits(pressed: str, got: str) -> None:
    async with FakeAri() as server:
        client = a_client(server)
        inbox = client.inbox("c1")
        async with running(client):
            await client.wait_ready()
            for key in pressed:
                await server.send("ChannelDtmfReceived", channel=channel("c1"), digit=key)
            await server.send("StasisEnd", channel=channel("c1"))
            assert await sample("digits")(inbox, 3) == got


async def test_next_arrival() -> None:
    async with FakeAri() as server:
        server.answer = answers({"/channels": [channel("c9")]})
        client = a_client(server, inbox_size=1)
        other = client.inbox("c2", size=100)
        async with running(client):
            assert (await sample("next_arrival")(client)).kind == "Connected"
            for _ in range(30):
                await server.send("StasisStart", args=[], channel=channel("c1"))
            await server.send("StasisEnd", channel=channel("c2"))
            while (await next_of(other)).kind != "StasisEnd":
                pass
            for _ in range(10):
                assert (await sample("next_arrival")(client)).kind == "StasisStart"
            assert [each.id for each in await sample("next_arrival")(client)] == ["c9"]


@pytest.mark.parametrize(("answer", "ringing"), [("done", True), ("refused", False), ("lost", True)])
async def test_ring(answer: str, ringing: bool) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response([channel("c1")])
        if answer == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(channel("c1"), status=500 if answer == "refused" else 200)

    async with FakeAri() as server, a_client(server) as client:
        server.answer = reply
        assert await sample("ring")(client, "PJSIP/6001", "c1") == ringing


def test_every_sample_is_run() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    for source in SAMPLES:
        last = re.findall(r"^async def (\w+)", source, re.MULTILINE)[-1]
        assert f'sample("{last}"' in here, last


def test_the_table_of_faults_is_that_of_the_tests() -> None:
    table = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| `(test_\w+)` \|$", PAGE, re.MULTILINE))
    assert table == test_ari_faults.FAULTS


def test_the_table_of_errors_is_whole() -> None:
    part = PAGE.partition("## Errors")[2].partition("## When")[0]
    errors = {name for name in ari.__all__ if isinstance(t := getattr(ari, name), type) and issubclass(t, Exception)}
    assert errors == set(re.findall(r"`([A-Z]\w+)`", part)) & errors


def test_every_public_name_says_what_it_is() -> None:
    silent = []
    for name, thing in [(name, getattr(ari, name)) for name in ari.__all__] + [(g.__name__, g) for g in GROUPS]:
        members = [member for member in vars(thing) if not member.startswith("_")] if isinstance(thing, type) else []
        for member in (None, *members):
            found = thing if member is None else inspect.getattr_static(thing, member)
            found = found.fget if isinstance(found, property) else found
            told = inspect.getdoc(found if member is None else getattr(thing, member))
            if (inspect.isfunction(found) or isinstance(found, type)) and not told:
                silent.append(f"{name}.{member or ''}")
    assert silent == []


def test_it_needs_nothing_but_aiohttp_and_msgspec() -> None:
    for file in HOME.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= MAY_IMPORT, (file.name, names)


def test_it_works_in_a_folder_by_itself(tmp_path: Path) -> None:
    (tmp_path / "ari").symlink_to(HOME)
    code = "import sys, ari; print(sorted({n.partition('.')[0] for n in sys.modules} & set(sys.argv[1].split())))"
    rooms = "calllog config hotline ivr phone recordings routing structlog panoramisk"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, rooms], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
