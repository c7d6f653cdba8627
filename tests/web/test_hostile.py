"""Somebody with an account of their own, a program, or a script, who wants more than they may have."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, strategies as st
from starlette.routing import Route

from console import live as streams, passwords, server
from console.app import API_ROOMS, ROOMS
from console.languages import preferred
from console.permits import Role, verbs_of
from console.rooms import ANYONE, declared
from tests.web.conftest import Person
from tests.web.filled import CALLS, Full, filled
from tests.web.plain_site import PASSWORD, USERS, Web
from tests.web.test_attacks import connections, cookie

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


class Program:
    """Somebody's program: their token, and what it gets."""

    def __init__(self, web: Web, client: aiohttp.ClientSession) -> None:
        self.web, self.client, self.secret = web, client, ""

    async def enter(self, name: str, scopes: Sequence[str] | None = None) -> None:
        wanted = {"name": name, "password": PASSWORD, "label": "x", **({"scopes": scopes} if scopes else {})}
        self.secret = json.loads((await self.ask("POST", "/sign-in", wanted))[1])["secret"]

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        whole = {"Authorization": f"Bearer {self.secret}", **headers} if self.secret else headers
        more: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.client.request(method, f"{self.web.url}/api/v1{path}", headers=whole, **more) as answer:
            assert answer.headers["Cache-Control"] in ("no-store", "private, no-store"), path
            assert answer.headers["Referrer-Policy"] == "same-origin"
            return answer.status, (await answer.read()).decode("utf-8", "replace")


@asynccontextmanager
async def program(web: Web, name: str = "", scopes: Sequence[str] | None = None) -> AsyncIterator[Program]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        made = Program(web, client)
        if name:
            await made.enter(name, scopes)
        yield made


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
        for path in (f"/calls/{FIRST}", f"/calls/{FIRST}/record", "/calls", f"/calls/{FIRST}/reviews"):
            text = (await quality.ask("GET", path))[1]
            assert "13912345678" not in text and "13800001111" not in text, path
        assert "139****5678" in (await quality.ask("GET", f"/calls/{FIRST}/record"))[1]
        for part in ("1380000", "0001111", "8000011", "%2B86138000"):
            status, text = await quality.ask("GET", f"/calls?number={part}")
            assert status == 422 or json.loads(text)["calls"] == [], part
        for whole in ("13800001111", "%2B8613800001111", "138 0000 1111", "1111"):  # and what the mask shows
            assert len(json.loads((await quality.ask("GET", f"/calls?number={whole}"))[1])["calls"]) == len(CALLS) + 1


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


# --- rights that change ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["disable", "roles", "agent", "end", "password"])
async def test_whoever_is_out_is_out_of_their_stream_at_once(web: Web, admin: Person, way: str) -> None:
    assert streams.ALIVE > 10, "or the test would prove nothing"
    user, _hash = web.office.accounts.named("agent") or pytest.fail()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        agent, page = Person(web, client), f"/users/{user.user_id}"
        await agent.sign_in("agent")
        key = web.office.book.read("SELECT key FROM session WHERE user_id = ?", user.user_id)[0]["key"]
        async with client.get(f"{web.url}/live?topics=desk") as answer:
            assert await answer.content.readline() == b"retry: 5000\n"
            await admin.get(page)
            form = {"shown": "x", "role": "agent", "agent": "8001"}
            match way:
                case "disable":
                    await admin.post(f"{page}/disable", {"on": "true"})
                case "roles":
                    await admin.post(page, form | {"role": "auditor"})
                case "agent":
                    await admin.post(page, form | {"agent": "8002"})
                case "password":
                    await admin.post(f"{page}/reset", status=200)
                case _:
                    await agent.get("/account")
                    await agent.post("/account/sessions/end", {"key": key})
            async with asyncio.timeout(streams.ALIVE - 5):
                assert b"data" not in await answer.read()
        await agent.get("/account", 303)


async def test_a_token_is_worth_what_its_owner_may_now(web: Web, admin: Person) -> None:
    user, _hash = web.office.accounts.named("supervisor") or pytest.fail()
    async with program(web, "supervisor", ["calls.read", "status.read", "self"]) as one:
        assert (await one.ask("GET", "/calls"))[0] == 200
        assert (await one.ask("GET", "/reviews"))[0] == 403
        assert (await one.ask("POST", "/me/tokens", {"label": "y", "scopes": ["self"]}))[0] == 403
        await admin.get(f"/users/{user.user_id}")
        await admin.post(f"/users/{user.user_id}", {"shown": "x", "role": "agent", "agent": "8001"})
        assert (await one.ask("GET", "/status"))[0] == 403
        assert (await one.ask("GET", "/calls"))[0] == 200, "their own alone, from now on"
        await admin.post(f"/users/{user.user_id}/disable", {"on": "true"})
        assert (await one.ask("GET", "/me"))[0] == 401


async def test_of_two_who_change_a_user_the_second_is_told(web: Web, admin: Person) -> None:
    user, _hash = web.office.accounts.named("agent") or pytest.fail()
    page = f"/users/{user.user_id}"
    await admin.get(page)
    stale = {"shown": "x", "role": "supervisor", "version": user.version}
    await admin.post(page, {"shown": "y", "role": "agent", "agent": "8001", "version": user.version})
    assert "role" in await admin.post(page, stale, 409)
    fresh = web.office.accounts.user(user.user_id)
    assert fresh is not None and fresh.roles == {Role.AGENT} and fresh.version in admin.last
    async with program(web, "admin") as one:
        body = {"roles": ["agent"], "agent": "8001"}
        assert (await one.ask("PUT", f"/users/{user.user_id}", body | {"version": user.version}))[0] == 409
        assert (await one.ask("PUT", f"/users/{user.user_id}", body | {"must_change": False}))[0] == 422
        assert (await one.ask("PUT", f"/users/{user.user_id}", body | {"version": fresh.version}))[0] == 200


# --- signing in -------------------------------------------------------------------------------------------------------


async def test_a_program_signs_in_like_a_person(web: Web) -> None:
    async with program(web) as one:
        wanted = {"name": "agent", "password": PASSWORD, "label": "x"}
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await one.ask("POST", "/sign-in", wanted, **headers))[0] == 403
        assert (await one.ask("POST", "/sign-in", wanted | {"scopes": ["users.edit"]}))[0] == 422
        web.user("new", frozenset({Role.AGENT}))
        web.office.book.do(lambda run: run("UPDATE user SET must_change = 1 WHERE name = 'new'"))
        assert (await one.ask("POST", "/sign-in", wanted | {"name": "new"}))[0] == 403
        for name in ("agent", "nobody-at-all"):
            answers = [await one.ask("POST", "/sign-in", {"name": name, "password": "x" * 12, "label": "x"})
                       for _try in range(4)]  # fmt: skip
            assert [status for status, _text in answers] == [401, 401, 401, 429]
            assert len({text for _status, text in answers[:3]}) == 1
        async with one.client.post(f"{web.url}/api/v1/sign-in", json=wanted) as answer:
            assert "Set-Cookie" not in answer.headers and answer.headers["Retry-After"]


async def test_a_flood_of_sign_ins_is_turned_away_and_costs_nobody_a_try(
    web: Web, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, began = asyncio.Event(), 0

    async def slow(*_arguments: object) -> object:
        nonlocal began
        began += 1
        await go.wait()
        return False

    monkeypatch.setattr(web.office.passwords, "_in_process", slow)
    async with program(web) as one:
        body = {"password": "x" * 12, "label": "x"}
        tries = [asyncio.create_task(one.ask("POST", "/sign-in", body | {"name": f"name{n}"}))
                 for n in range(passwords.MOST_WAITING)]  # fmt: skip
        async with asyncio.timeout(60):
            while True:
                if web.office.passwords._waiting == passwords.MOST_WAITING:
                    break
                await asyncio.sleep(0.01)
        assert (await one.ask("POST", "/sign-in", body | {"name": "admin"}))[0] == 503
        assert await nobody.get("/healthz") == "ok\n" and began == 1, "one at a time"
        assert not web.office.book.read("SELECT 1 FROM failure WHERE failures > 0 AND key LIKE 'pair:%' AND key LIKE ?",
                                        _key("admin") + "%")  # fmt: skip
        go.set()
        assert {status for status, _text in await asyncio.gather(*tries)} == {401}


def _key(name: str) -> str:
    from console.delays import keys

    return keys(name, "127.0.0.1")["pair"]


async def test_a_name_that_is_not_there_costs_as_much_as_one_that_is(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    worker = web.office.passwords
    real = worker._in_process

    async def counted(work: Any, *arguments: object) -> object:
        done.append(work.__name__)
        return await real(work, *arguments)

    monkeypatch.setattr(worker, "_in_process", counted)
    async with program(web) as one:
        costs = []
        for name in ("first-of-all", "agent", "nobody"):
            done.clear()
            await one.ask("POST", "/sign-in", {"name": name, "password": "x" * 12, "label": "x"})
            costs.append(list(done))
    assert costs[1:] == [["agrees"], ["agrees"]]


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


async def test_a_session_that_was_copied_ends_with_its_owner(web: Web, nobody: Person) -> None:
    await nobody.sign_in("quality")
    copied = cookie(nobody)
    async with aiohttp.ClientSession(cookies={"hotline": copied}) as thief:
        async with thief.get(f"{web.url}/account", allow_redirects=False) as answer:
            assert answer.status == 200, "whoever has the cookie is in"
        await nobody.get("/account")
        await nobody.post("/sign-out")
        async with thief.get(f"{web.url}/account", allow_redirects=False) as answer:
            assert answer.status == 303


async def test_passwords_are_checked_in_a_process_of_their_own() -> None:
    worker = passwords.Worker((1, 8, 1))
    try:
        known = await worker.hash("correct horse battery")
        assert [await worker.check(known, "correct horse battery"), await worker.check(None, "x")] == [True, False]
        (process,) = worker._pool._processes.values()  # type: ignore[union-attr]
        assert process.pid != os.getpid()
    finally:
        worker.close()
