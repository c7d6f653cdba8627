"""The agent's desk: one's own state and calls alone, the record with its draft, and whatever somebody types."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from calllog import events as ev
from calllog.folds import AgentState
from cases.record import LONGEST
from console.site import CallNow
from tests.pure.journal_play import short_call
from tests.web.conftest import Person
from tests.web.plain_site import Web

OLD, NOW = "hotline-1.1", "hotline-1.2"
WHOLE = {"subject": "nothing-wrong", "problem": "打错", "solved": "yes"}


@pytest.fixture
async def agent(web: Web, nobody: Person) -> Person:
    """8001, who has talked in one call and has another before them."""
    site = web.site
    for call_id, many in ((OLD, 99), (NOW, 8)):
        for stream, name, event, party in short_call(call_id)[:many]:
            known = ev.Party("13800001111", "+8613800001111", "王芳") if party is not None else None
            site.journal.append(stream, name, event, party=known, at=site.now())
    await site.journal.flush()
    site.states = {"8001": AgentState("8001", "ringing", "", NOW, f"{NOW}-1", changed_at=site.now())}
    site.calls = {NOW: CallNow(NOW, "13800001111", "", "咨询", "en", site.now(), frozenset({"8001"}), "")}
    await nobody.sign_in("agent")
    return nobody


@pytest.fixture
async def other(web: Web) -> AsyncIterator[Person]:
    """8002, who has to do with neither."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        person = Person(web, client)
        await person.sign_in("other")
        yield person


async def test_the_desk_shows_who_rings_and_the_calls_of_today(agent: Person) -> None:
    page = await agent.get("/desk")
    for text in ("8001", "正在振铃", "13800001111", "咨询", "王芳", "英语", "此号码此前来电 1 次", "我今天的通话"):
        assert text in page
    assert f'action="/records/{NOW}"' in page
    assert OLD in await agent.get("/desk/today")
    assert "正在振铃" in await agent.get("/desk/now", headers={"HX-Request": "true"})


async def test_a_state_is_changed_and_a_refusal_says_why(web: Web, agent: Person) -> None:
    await agent.get("/desk")
    assert await agent.post("/desk/pause", {"reason": "meal"}) == "/desk"
    assert web.site.states["8001"].mode == "paused"
    await agent.post("/desk/pause", {"reason": "missed"})
    assert "另取" in await agent.get("/desk") or "missed" in agent.last
    await agent.post("/desk/eat", status=422)
    web.site.states = {}
    await agent.post("/desk/ready")
    assert "不在班" in await agent.get("/desk")


async def test_a_draft_is_kept_as_typed_and_survives_everything(web: Web, agent: Person, other: Person) -> None:
    await agent.get(f"/records/{OLD}")
    typed = {"name": "王<b>", "problem": "第一行\r\n第二行 \" & '", "subject": "consult-order", "version": "0"}
    assert "草稿" in await agent.post(f"/records/{OLD}/draft", typed, status=200)
    page = await agent.get(f"/records/{OLD}")
    assert "王&lt;b&gt;" in page and "第一行\n第二行 &#34; &amp; &#39;" in page and "尚未保存" in page
    assert (web.site.state_dir / "drafts.sqlite").stat().st_mode & 0o777 == 0o600
    await agent.post("/sign-out")
    await agent.sign_in("agent")
    assert "王&lt;b&gt;" in await agent.get(f"/records/{OLD}"), "another session of the same user"
    await other.get(f"/records/{OLD}", status=404)
    assert await agent.post(f"/records/{OLD}", {**WHOLE, "version": "0"}) == f"/records/{OLD}"
    assert "尚未保存" not in await agent.get(f"/records/{OLD}")


async def test_nobody_sees_or_writes_anothers_record(web: Web, agent: Person, other: Person) -> None:
    await other.get("/desk")
    for path in (f"/records/{OLD}", f"/records/{NOW}", "/records/no-such", f"/records/{OLD}/form"):
        await other.get(path, status=404)
    await other.post(f"/records/{OLD}", {**WHOLE, "version": "0"}, status=404)
    await other.post(f"/records/{OLD}/draft", {"name": "x"}, status=404)
    assert (await web.site.records.read(OLD)).version == 0
    async with other.client.get(f"{web.url}/api/v1/calls/{OLD}/record") as answer:
        assert answer.status == 404
    await agent.get("/desk")
    await agent.post(f"/records/{NOW}", {**WHOLE, "version": "0"})
    web.site.calls, web.site.states = {}, {"8001": replace(web.site.states["8001"], mode="ready", call_id="")}
    await agent.get(f"/records/{NOW}", status=404)


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script><img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "a\x01\x1b[31m\u202eb", "{{ 7*7 }}",
    "字" * LONGEST,
])  # fmt: skip
async def test_whatever_is_typed_is_stored_as_given_and_shown_escaped(web: Web, agent: Person, text: str) -> None:
    await agent.get(f"/records/{OLD}")
    everywhere = dict.fromkeys(("name", "contact", "problem", "solution"), text)
    await agent.post(f"/records/{OLD}", {**everywhere, "version": "0"})
    content = (await web.site.records.read(OLD)).content
    assert [content.name, content.contact, content.problem, content.solution] == [text] * 4
    page = await agent.get(f"/records/{OLD}")
    assert html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
    assert "<script>alert" not in page and "<img src=x" not in page and ">49<" not in page


async def test_what_cannot_be_saved_stays_on_the_page(web: Web, agent: Person) -> None:
    await agent.get(f"/records/{OLD}")
    long = {"name": "留下", "problem": "x" * (LONGEST + 1), "version": "0"}
    page = await agent.post(f"/records/{OLD}", long, status=422)
    assert "10001" in page and "留下" in page and "没有保存" in page
    await web.site.records.write(OLD, {"name": "李"}, by="8002")
    page = await agent.post(f"/records/{OLD}", {"name": "王", "version": "0"}, status=409)
    assert "8002" in page and 'value="王"' in page and 'name="version" value="1"' in page
    await agent.post(f"/records/{OLD}", {"name": "王", **WHOLE, "version": "1", "then": "ready"})
    card = await web.site.records.read(OLD)
    assert (card.content.name, card.version, card.complete, card.versions[-1].by) == ("王", 2, True, "8001")


async def test_the_api_is_the_same_desk(web: Web, agent: Person) -> None:
    await agent.get("/desk")
    found = re.search(r'"X-CSRF-Token": "([^"]+)"', agent.last)
    assert found is not None
    heads = {"X-CSRF-Token": found[1]}

    async def ask(method: str, path: str, body: object = None, status: int = 200) -> dict[str, object]:
        async with agent.client.request(method, f"{web.url}/api/v1{path}", json=body, headers=heads) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return dict(json.loads(text)) if text.startswith("{") else {"list": json.loads(text)}

    seen = await ask("GET", "/desk")
    assert (seen["mode"], seen["agent"]) == ("ringing", "8001")
    assert (await ask("POST", "/desk/state", {"do": "pause", "reason": "meal"}))["mode"] == "paused"
    await ask("POST", "/desk/state", {"do": "fly"}, status=422)
    assert len((await ask("GET", "/desk/calls"))["list"]) == 1  # type: ignore[arg-type]
    assert any(one["id"] == "complaint-refund" for one in (await ask("GET", "/subjects"))["list"])  # type: ignore[attr-defined]
    path = f"/calls/{OLD}/record"
    kept = await ask("PUT", f"{path}/draft", {"name": "草", "version": 0})
    assert kept["at"] and (await ask("GET", f"{path}/draft"))["record"]["name"] == "草"  # type: ignore[index]
    written = await ask("PATCH", path, {**WHOLE, "version": 0})
    assert (written["version"], written["complete"]) == (1, True)
    await ask("PATCH", path, {"name": "x", "version": 0}, status=409)
    await ask("PATCH", path, {"subject": "no-such"}, status=422)
    await ask("PATCH", path, {"unknown": 1}, status=422)
    assert (await ask("GET", path))["versions"][0]["by"] == "8001"  # type: ignore[index]


async def test_a_desk_is_told_of_its_own_agent_alone(web: Web, agent: Person) -> None:
    await agent.get("/desk")
    async with agent.client.get(f"{web.url}/live?topics=desk") as stream, asyncio.timeout(30):
        await asyncio.sleep(1.2)  # the first look knows what is there
        web.site.states["8002"] = AgentState("8002", "ready", changed_at=1)
        web.site.states["8001"] = replace(web.site.states["8001"], mode="talking", changed_at=2)
        async for line in stream.content:
            if line.startswith(b"data:"):
                assert line.strip() == b"data: desk"
                break
