"""Somebody with an account of their own, a program, or a script, who wants more than they may have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, strategies as st
from starlette.routing import Route

from console import server
from console.app import API_ROOMS, ROOMS
from console.languages import preferred
from console.permits import Role, verbs_of
from console.rooms import ANYONE, declared
from tests.web.conftest import Person
from tests.web.filled import CALLS, Full, filled
from tests.web.plain_site import USERS, Web
from tests.web.program import program
from tests.web.test_attacks import connections

FIRST, BOTH, THEIRS = CALLS

BODIES: dict[str, dict[str, Any]] = {
    "holds": {"why": "x"}, "lift": {"why": "x"}, "appeal": {"why": "x"}, "keep": {"why": "x"},
    "exemplary": {"why": "x"}, "end": {"why": "x"},
    "comments": {"at": 0.1, "text": "x"}, "hearings": {"reason": "training"}, "download": {"reason": "training"},
    "exports": {"call_ids": [FIRST], "reason": "training"}, "record": {"name": "x"}, "draft": {"fields": {}},
    "correct": {"answers": {}}, "change": {"answers": {}}, "reviews": {"form": "service", "answers": {}},
}  # fmt: skip
"""What is sent where something is wanted, by the end of the path."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Full]:
    """One for all tests here that leave it as it is."""
    async with filled(tmp_path_factory.mktemp("full")) as made:
        yield made


shared = pytest.mark.asyncio(loop_scope="module")


def asked(full: Full, path: str, call_id: str) -> str:
    """The path with ids that are there."""
    for name, known in full.ids.items():
        path = path.replace(f"{{{name}}}", call_id if name == "call_id" else known[0])
    return path.removeprefix("/api/v1")


def operations() -> list[tuple[str, Route]]:
    routes = [route for room in API_ROOMS for route in room.routes]
    return [(min(route.methods or ()), route) for route in routes if isinstance(route, Route)]


# --- what is not theirs -----------------------------------------------------------------------------------------------


@shared
async def test_every_operation_refuses_whoever_may_not_and_nobody_else(full: Full) -> None:
    for name, (roles, _agent) in USERS.items():
        may = verbs_of(roles)
        async with program(full.web, name) as somebody:
            for method, route in operations():
                verb = declared(route)
                if verb is ANYONE or verb in may:
                    continue
                status, text = await somebody.ask(method, asked(full, route.path, FIRST))
                assert status == 403, (name, method, route.path, text)
    async with program(full.web) as nobody:
        for method, route in operations():
            if declared(route) is not ANYONE:
                assert (await nobody.ask(method, asked(full, route.path, FIRST)))[0] == 401, route.path


@shared
async def test_an_agent_gets_nothing_of_anothers_call(full: Full) -> None:
    seen = 0
    async with program(full.web, "agent") as agent:
        for method, route in operations():
            verb = declared(route)
            if "{call_id}" not in route.path or verb not in verbs_of([Role.AGENT]):
                continue
            body = BODIES.get(route.path.rpartition("/")[2]) if method in ("POST", "PUT", "PATCH") else None
            if route.path.endswith("record/draft") and method == "PUT":
                body = {"name": "x"}
            seen += 1
            status, text = await agent.ask(method, asked(full, route.path, THEIRS), body)
            assert status == 404, (method, route.path, text)
        assert seen > 10
        for path in ("/calls", "/reviews", "/desk/calls", "/reviews/exemplary"):
            assert THEIRS not in (await agent.ask("GET", path))[1], path
        everywhere = "agent=8002&words=退款&since=2020-01-01"
        found = json.loads((await agent.ask("GET", f"/calls?{everywhere}"))[1])["calls"]
        assert [call["call_id"] for call in found] == [BOTH]
        for path in ("/reviews", "/reviews?agent=8002"):
            mine = json.loads((await agent.ask("GET", path))[1])["grades"]
            assert {grade["agent"] for grade in mine} <= {"8001"}
        status, _text = await agent.ask("DELETE", f"/calls/filters/{full.ids['filter_id'][0]}")
        assert status == 404
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        person = Person(full.web, client)
        await person.sign_in("agent")
        await person.get("/account")
        for route in (route for room in ROOMS for route in room.routes):
            path = getattr(route, "path", "")
            if "{call_id}" not in path or declared(route) not in verbs_of([Role.AGENT]):
                continue
            path = asked(full, path, THEIRS)
            if "GET" in route.methods:  # type: ignore[attr-defined]
                await person.get(path, 404)
            elif not path.endswith("draft/drop"):  # of one's own draft alone, whatever the call
                form = {"why": "x", "text": "x", "at": "0.1", "form": "service"}
                assert await person.post(path, form, 403 if path.endswith("/grade") else 404)


@shared
async def test_of_a_call_of_two_an_agent_sees_their_own_grade(full: Full) -> None:
    async with program(full.web, "other") as other:
        status, text = await other.ask("GET", f"/calls/{BOTH}/reviews")
        assert status == 200 and json.loads(text)["grades"] == [] and json.loads(text)["score"] is None
        assert json.loads(text)["hidden"] == 0
    async with program(full.web, "agent") as agent:
        assert len(json.loads((await agent.ask("GET", f"/calls/{BOTH}/reviews"))[1])["grades"]) == 1


@shared
async def test_whoever_sees_numbers_masked_finds_them_nowhere(full: Full) -> None:
    async with program(full.web, "quality") as quality:
        for path in (f"/calls/{FIRST}", "/calls"):
            text = (await quality.ask("GET", path))[1]
            assert "13912345678" not in text and "13800001111" not in text, path
        for path in (f"/calls/{FIRST}/record", f"/calls/{FIRST}/reviews", f"/calls/{FIRST}/holds", "/holds",
                     "/reviews/exemplary"):  # fmt: skip
            text = (await quality.ask("GET", path))[1]
            assert "13912345678" not in text and "139****5678" in text, path
        for part in ("1380000", "0001111", "8000011", "%2B86138000"):
            status, text = await quality.ask("GET", f"/calls?number={part}")
            assert status == 422 or json.loads(text)["calls"] == [], part
        for whole in ("13800001111", "%2B8613800001111", "138 0000 1111", "1111"):  # and what the mask shows
            assert len(json.loads((await quality.ask("GET", f"/calls?number={whole}"))[1])["calls"]) == len(CALLS) + 1


@shared
async def test_no_act_is_done_without_the_token_of_its_form_and_no_page_shown_to_whoever_may_not(full: Full) -> None:
    routes = [route for room in (*ROOMS, *API_ROOMS) for route in room.routes if isinstance(route, Route)]
    tried: set[str] = set()
    for name, (roles, _agent) in USERS.items():
        may = verbs_of(roles)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            person = Person(full.web, client)
            await person.sign_in(name)
            await person.get("/account")
            for route in routes:
                method, verb, is_api = min(route.methods or ()), declared(route), route.path.startswith("/api/")
                path = ("/api/v1" if is_api else "") + asked(full, route.path, FIRST)
                if method == "GET":
                    if verb is not ANYONE and verb not in may and name in ("agent", "department") and not is_api:
                        await person.get(path, 403)
                elif f"{method} {path}" not in tried and (verb in may or (verb is ANYONE and not is_api)):
                    tried.add(f"{method} {path}")
                    form = {"csrf": "x", "why": "x"}
                    async with client.request(method, full.web.url + path, data=form, allow_redirects=False) as answer:
                        assert answer.status == 403, (method, path, await answer.text())
    acts = {f"{min(route.methods or ())} {route.path}" for route in routes if "GET" not in (route.methods or ())}
    assert len(tried) == len(acts - {"POST /api/v1/sign-in"}) > 60, "which takes nothing of a browser"


@shared
async def test_an_address_of_a_sound_is_for_the_program_it_was_given_to(full: Full) -> None:
    async with program(full.web, "quality") as quality, program(full.web, "supervisor") as supervisor:
        opened = json.loads((await quality.ask("POST", f"/calls/{FIRST}/hearings", {"reason": "training"}))[1])
        path = opened["path"].removeprefix("/api/v1")
        assert (await quality.ask("GET", path))[0] == 200
        assert (await quality.ask("GET", path, Range="bytes=0-9"))[0] == 206
        assert (await supervisor.ask("GET", path))[0] == 404
        (token,) = [one for one in json.loads((await quality.ask("GET", "/me/tokens"))[1]) if one["this"]]
        assert (await quality.ask("DELETE", f"/me/tokens/{token['token_id']}"))[0] == 204
        assert (await quality.ask("GET", path))[0] == 401


# --- languages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("header", "language"), [
    ("", None), ("en", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,en;q=0.9,zh;q=0.8", "en"),
    ("fr,en;q=0.2", "en"),
    ("en;q=0.1, zh;q=0.2", "zh"), ("zh;q=0", None), ("*", None), ("en;q=x, zh;q=nan", None), ("EN-us", "en"),
])  # fmt: skip
def test_the_language_that_is_wanted_most(header: str, language: str | None) -> None:
    assert preferred(header) == language


@given(st.text(max_size=60))
def test_no_header_of_languages_breaks_anything(header: str) -> None:
    assert preferred(header) in (None, "zh", "en")


async def test_account_then_cookie_then_header_then_the_house(web: Web, nobody: Person) -> None:
    english = {"Accept-Language": "en-GB,zh;q=0.5"}
    assert "Sign in" in await nobody.get("/sign-in", headers=english) and "登录" in await nobody.get("/sign-in")
    async with program(web) as one:
        assert "Not signed in" in (await one.ask("GET", "/me", **english))[1]
        await one.enter("agent")
        status, text = await one.ask("PUT", "/me/language", {"language": "x"}, **english)
        assert status == 422 and "language: one of" in text
        assert "Not permitted" in (await one.ask("GET", "/users", **english))[1]
        assert (await one.ask("PUT", "/me/language", {"language": "zh"}))[0] == 204
        assert "Not permitted" not in (await one.ask("GET", "/users", **english))[1]
        assert json.loads((await one.ask("GET", "/me"))[1])["language"] == "zh"
    await nobody.sign_in("agent")
    assert "我的账号" in await nobody.get("/account", headers=english)


# --- what nobody should send ------------------------------------------------------------------------------------------


@shared
@pytest.mark.parametrize("body", [
    b"[" * 30_000, b'{"why": "\\ud800"}', b'{"why": NaN}', b'{"at": 1e999, "text": "x"}',
    b'{"at": ' + b"9" * 5000 + b"}",
    b"\xff\xfe", b"", b"null", b'{"why": "x", "why": {"a": 1}}', b'{"text": "x", "at": NaN}',
])  # fmt: skip
async def test_json_that_is_none_or_too_deep_is_refused_in_words(full: Full, body: bytes) -> None:
    async with program(full.web, "quality") as quality:
        for path in (f"/calls/{FIRST}/comments", f"/calls/{FIRST}/holds"):
            status, text = await quality.ask("POST", path, body, **{"Content-Type": "application/json"})
            assert 400 <= status < 500 and json.loads(text)["detail"], (path, text)


@shared
async def test_drafts_are_bounded_and_whatever_a_page_kept_a_program_can_read(full: Full) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        agent = Person(full.web, client)
        await agent.sign_in("agent")
        await agent.get("/account")
        nothing = aiohttp.FormData({"csrf": agent.csrf, "a.x": "\x01" * 40_000})
        nothing.add_field("remark", "x", content_type="text/plain")  # as multipart, where it stays as short as it is
        async with client.post(f"{full.web.url}/quality/calls/{FIRST}/draft", data=nothing) as answer:
            assert answer.status == 413
        long = {"name": "x" * 20_000, "solved": "perhaps", "subject": "s" * 300, "version": "0"}
        await agent.post(f"/records/{FIRST}/draft", long, 200)
    async with program(full.web, "agent") as one:
        status, text = await one.ask("GET", f"/calls/{FIRST}/record/draft")
        assert status == 200 and json.loads(text)["record"]["solved"] == "perhaps"
        assert (await one.ask("DELETE", f"/calls/{FIRST}/record/draft"))[0] == 204
        assert json.loads((await one.ask("GET", f"/calls/{FIRST}/record/draft"))[1])["at"] == 0


@shared
async def test_a_file_where_a_text_is_wanted_is_no_text(full: Full) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        supervisor = Person(full.web, client)
        await supervisor.sign_in("supervisor")
        await supervisor.get("/account")
        for path, field, status in (
            (f"/quality/calls/{FIRST}/hold", "why", 422), (f"/records/{FIRST}", "problem", 422),
            ("/calls/filters", "words", 303), ("/quality/exports", "call", 422),
        ):  # fmt: skip
            form = aiohttp.FormData({"csrf": supervisor.csrf, "name": "zip"})
            form.add_field(field, b"PK\x03\x04\xff\x00" * 100, filename="../../a.zip", content_type="application/zip")
            async with client.post(full.web.url + path, data=form, allow_redirects=False) as answer:
                assert answer.status == status, (path, await answer.text())
        assert "UploadFile" not in await supervisor.get("/calls")


@shared
async def test_no_header_is_made_of_what_somebody_sends(full: Full) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        quality = Person(full.web, client)
        await quality.sign_in("quality")
        await quality.get("/account")
        path = "/quality/calls/%0d%0aSet-Cookie:%20x=1%E9%80%80/draft/drop"
        sent, headers = {"csrf": quality.csrf}, {"HX-Request": "true"}
        async with client.post(full.web.url + path, data=sent, headers=headers) as answer:
            assert answer.status == 204 and "x" not in answer.cookies
            assert answer.headers["HX-Redirect"].startswith("/quality/calls/%0D%0ASet-Cookie")


async def test_a_request_that_is_answered_does_not_last_for_ever(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LINGER", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n")

    async def drip() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(30):
            assert b"200" in await reader.readline()
        await connections(web, 0)
    finally:
        dripping.cancel()
        writer.close()
