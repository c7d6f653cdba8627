"""The console as an attacker sees it. Each of these would be a way in, or a way to get at the calls."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given, strategies as st
from uuid_utils import uuid7
from yarl import URL

from console import delays, render, server
from console.ask import inside, loggable
from console.guard import known_host
from console.live import Live
from console.passwords import TooSlow, Worker
from console.permits import Role, Verb, Who, command_line, verbs_of
from recordings.signed import Grant, new_secret, sign
from tests.web.conftest import Person
from tests.web.plain_site import PASSWORD, Web

SECOND = 1_000_000


def cookie(person: Person, name: str = "hotline") -> str:
    return next((each.value for each in person.client.cookie_jar if each.key == name), "")


def plant(person: Person, value: str) -> None:
    person.client.cookie_jar.update_cookies({"hotline": value}, URL(person.web.url))


async def raw(web: Web, sent: bytes, *, until_closed: bool = True) -> bytes:
    """What comes back for these bytes, until the console ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(30):
            return await (reader.read() if until_closed else reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.close()


async def connections(web: Web, many: int) -> None:
    """Wait until the console has so many."""
    async with asyncio.timeout(30):
        while True:
            if web.listener.connections == many:
                return
            await asyncio.sleep(0.01)


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_session_is_never_taken_over_from_before(nobody: Person) -> None:
    plant(nobody, "planted")
    await nobody.sign_in("agent")
    first = cookie(nobody)
    assert first not in ("", "planted")
    await nobody.get("/account")
    await nobody.post("/sign-in", {"name": "admin", "password": PASSWORD})  # another person, at the same browser
    assert cookie(nobody) != first
    plant(nobody, first)
    await nobody.get("/account", 303)


async def test_sessions_end_by_themselves_and_with_their_user(nobody: Person) -> None:
    office, start = nobody.web.office, nobody.web.site.now()
    await nobody.sign_in("agent")
    later = start

    def now() -> int:
        return later

    office.sessions._now = now
    for minutes in range(50, 12 * 60, 50):
        later = start + minutes * 60 * SECOND
        await nobody.get("/account")
    later = start + 12 * 3600 * SECOND + 120 * SECOND
    await nobody.get("/account", 303)  # the longest is over, however busy
    later = start
    await nobody.sign_in("agent")
    later = start + 50 * 60 * SECOND
    await nobody.get("/account", headers={"X-Hotline-Live": "1"})  # a screen that looks by itself
    later = start + 61 * 60 * SECOND
    await nobody.get("/account", 303)
    later = start
    await nobody.sign_in("agent")
    found = office.accounts.named("agent")
    assert found is not None
    who = Who("1", "admin", "admin", frozenset(Role), verbs=frozenset(Verb))
    office.accounts.disable(who, found[0].user_id, True)
    await nobody.get("/account", 303)


async def test_nobody_ends_or_sees_what_is_anothers(web: Web, admin: Person) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        agent = Person(web, client)
        await agent.sign_in("agent")
        await agent.get("/account")
        mine = re.search(r'name="key" value="([0-9a-f]+)"', admin.last)
        sessions = web.office.book.read("SELECT key FROM session")
        assert len(sessions) == 2 and mine is None
        for row in sessions:
            await agent.post("/account/sessions/end", {"key": row["key"]})
        await admin.get("/account")
        await agent.get("/account", 303)  # only its own was ended
        await agent.sign_in("agent")
        for path in ("/users", "/users/new", "/status", "/users/log/all", "/metrics", "/api/v1/users"):
            await agent.get(path, 403)
        await agent.get("/users/00000000-0000-7000-8000-000000000000", 403)


async def test_a_one_time_password_opens_its_own_change_and_nothing_else(web: Web, admin: Person) -> None:
    await admin.get("/users/new")
    page = await admin.post("/users/new", {"name": "New", "role": "agent", "agent": "8001"}, status=200)
    password = re.search(r'id="password">([^<]+)<', page)
    assert password is not None
    await admin.get("/users")
    assert password[1] not in admin.last
    await admin.post("/sign-out")
    assert await admin.sign_in("new", password[1]) == "/account/password"
    for path in ("/account", "/live", "/api"):
        await admin.get(path, 303)
    await admin.get("/api/v1/me", 403)
    await admin.get("/account/password")
    await admin.post("/account/password", {"old": password[1], "new": "short", "again": "short"}, status=422)
    wanted = {"old": password[1], "new": "四个词 连在 一起 很好记", "again": "四个词 连在 一起 很好记"}
    assert await admin.post("/account/password", wanted) == "/"
    await admin.get("/account")


# --- forged requests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
])  # fmt: skip
async def test_another_site_changes_nothing(admin: Person, headers: dict[str, str]) -> None:
    await admin.post("/account/sessions/end", {}, status=403, headers=headers)


async def test_a_form_without_its_token_changes_nothing(admin: Person) -> None:
    for token in ("", "wrong", "令牌"):
        admin.csrf = token
        await admin.post("/account/sessions/end", {}, status=403)
    async with admin.client.post(f"{admin.web.url}/api/v1/users", json={"name": "x", "roles": ["agent"]}) as answer:
        assert answer.status == 403


@given(st.text(max_size=30) | st.sampled_from(
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)",
     "/a\r\nSet-Cookie: x=1", "/%0d%0a", "///x", "\\\\evil", "/sign-out", "/／evil.example"]
))  # fmt: skip
def test_after_the_sign_in_one_stays_inside(path: str) -> None:
    found = inside(path)
    assert found.startswith("/") and not found.startswith(("//", "/\\", "/sign-"))
    assert found.isascii() and found.isprintable() and "\\" not in found


@pytest.mark.parametrize(("host", "ours"), [
    ("127.0.0.1:8400", True), ("localhost", True), ("[::1]:8400", True), ("192.168.1.9", True),
    ("hotline.example", True), ("HOTLINE.example.:443", True),
    ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
    ("a b", False), ("127.0.0.1@evil.example", False), ("hotline.example/x", False), ("127.0.0.1:x", False),
])  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(host: str, ours: bool) -> None:
    assert known_host(host, ("hotline.example",)) is ours


async def test_a_foreign_host_sees_nothing(web: Web) -> None:
    sent = b"GET /sign-in HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert (await raw(web, sent)).startswith(b"HTTP/1.1 400")


# --- floods -----------------------------------------------------------------------------------------------------------


async def test_a_giant_body_is_refused_before_it_is_read(web: Web) -> None:
    head = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    assert (await raw(web, head + b"Content-Length: 99999999999999999999\r\n\r\n")).startswith(b"HTTP/1.1 4")
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    more = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    assert b"413" in (await raw(web, head + chunks + more * 4)).split(b"\r\n", 1)[0]


async def test_who_never_comes_to_the_point_is_cut_off(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_PATIENCE", 0.2)
    assert await raw(web, b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") == b""
    assert await raw(web, b"") == b""
    assert b"400" in await raw(web, b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    await connections(web, 0)


async def test_one_address_has_only_so_many_connections(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_OF_ONE", 3)
    held = [await asyncio.open_connection("127.0.0.1", web.listener.port) for _ in range(3)]
    await connections(web, 3)
    assert await raw(web, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") == b""
    for _reader, writer in held:
        writer.close()
    await connections(web, 0)
    sent = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    assert (await raw(web, sent)).endswith(b"ok\n")


async def test_a_stop_does_not_wait_for_those_who_listen(admin: Person) -> None:
    async with admin.client.get(f"{admin.web.url}/live?topics=status,users,nothing") as answer:
        assert await answer.content.readline() == b"retry: 5000\n"
        admin.web.office.live.close()
        async with asyncio.timeout(30):
            await admin.web.listener.close()


@given(st.integers(0, 2000))
def test_waits_grow_and_have_an_end(failures: int) -> None:
    for rule in delays.RULES.values():
        assert 0 <= rule.wait(failures) <= rule.wait(failures + 1) <= rule.longest


async def test_the_owner_is_not_kept_out_by_others(web: Web) -> None:
    sessions = web.office.sessions
    now = web.site.now()
    sessions._now = lambda: now
    sessions.was_right("admin", "10.0.0.1")
    for number in range(60):
        sessions.may_try("admin", f"10.0.1.{number}")
    assert sessions.may_try("admin", "10.0.2.1") > 0
    assert sessions.may_try("admin", "10.0.0.1") == 0


# --- leaks ------------------------------------------------------------------------------------------------------------


async def test_a_stream_tells_only_what_its_person_may_know() -> None:
    live = Live()
    live.topics = {"desk": Verb.DESK_USE, "status": Verb.STATUS_READ}

    async def still() -> bool:
        return True

    who = Who("1", "agent", "Agent", frozenset({Role.AGENT}), "8001", verbs_of([Role.AGENT]))
    stream = await live.stream(who, frozenset({"desk", "status", "nothing"}), still)
    await anext(stream)
    live.tell("status")
    live.tell("desk", agent="8002")
    live.tell("desk", agent="8001")
    assert await anext(stream) == b"data: desk\n\n"


def test_no_key_of_an_address_stands_in_the_log() -> None:
    key = sign(new_secret(), Grant("hotline-1770321600.12", "call", "u", "s", 1))
    for secret in (key, secrets.token_urlsafe(32)):
        assert loggable(f"/keeping/parcels/{secret}") == f"/keeping/parcels/{secret[:8]}…"
    for path in ("/quality/calls/hotline-1770321600.12/hear", f"/keeping/manifests/purge-{uuid7()}.json"):
        assert loggable(path) == path


async def test_a_token_does_what_its_scopes_say(web: Web, admin: Person) -> None:
    await admin.post("/account/tokens", [("label", "one"), ("days", "1"), ("scope", "status.read")], status=200)
    found = re.search(r'id="token">([^<]+)<', admin.last)
    assert found is not None
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {found[1]}"}) as client:
        for path, status in (("/api/v1/status", 200), ("/api/v1/users", 403), ("/metrics", 403), ("/status", 303)):
            async with client.get(web.url + path, allow_redirects=False) as answer:
                assert answer.status == status, path
        assert "hl_" not in await admin.get("/account")
        token = re.search(r'name="token_id" value="([^"]+)"', admin.last)
        assert token is not None
        await admin.post("/account/tokens/end", {"token_id": token[1]})
        async with client.get(web.url + "/api/v1/status") as answer:
            assert answer.status == 401


async def test_what_people_type_is_shown_as_they_typed_it(admin: Person) -> None:
    await admin.get("/users/new")
    bad = '<script>alert("x")</script>'
    page = await admin.post("/users/new", {"name": bad, "shown": "=1+1", "role": "agent"}, status=422)
    assert "<script>alert" not in page and "&lt;script&gt;" in page


async def test_a_new_user_is_still_in_the_form_where_it_could_not_be_made(web: Web, admin: Person) -> None:
    async def slow(_password: str) -> str:
        raise TooSlow

    await admin.get("/users/new")
    page = await admin.post("/users/new", {"name": "Wang", "shown": "王芳", "role": "agent"}, status=422)
    assert 'value="王芳"' in page and "--agent 8001" in page, "the role agent needs a staff number"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web.office.passwords, "hash", slow)
        form = {"name": "Wang", "shown": "王芳", "role": "agent", "agent": "8001"}
        page = await admin.post("/users/new", form, status=503)
    assert 'value="王芳"' in page and re.search("较慢|slow just now", page)


async def test_a_machine_that_is_too_slow_is_told_where_the_person_stands(web: Web, admin: Person) -> None:
    async def slow(*_arguments: object) -> str:
        raise TooSlow

    (admin_id,) = [user.user_id for user in web.office.accounts.users(command_line("test")) if user.name == "admin"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web.office.passwords, "hash", slow)
        patch.setattr(web.office.passwords, "check", slow)
        await admin.get(f"/users/{admin_id}")
        assert await admin.post(f"/users/{admin_id}/reset") == f"/users/{admin_id}"
        assert re.search("较慢|slow just now", await admin.get(f"/users/{admin_id}"))
        form = {"old": PASSWORD, "new": "several words here", "again": "several words here"}
        for _try in range(8):
            page = await admin.post("/account/password", form, status=503)
    assert re.search("较慢|slow just now", page) and 'name="again"' in page
    await admin.get("/account/password")
    assert await admin.post("/account/password", form) == "/", "and none of it counted as a wrong password"


async def test_a_worker_that_was_killed_is_followed_by_another() -> None:
    worker = Worker(cost=(1, 8, 1))
    try:
        known = await worker.hash("several words here")
        assert worker._pool is not None
        (process,) = (worker._pool._processes or {}).values()
        process.kill()
        process.join()
        assert await worker.check(known, "several words here")
    finally:
        worker.close()


async def test_every_answer_says_what_a_browser_may_do_with_it(nobody: Person) -> None:
    for path in ("/sign-in", "/nothing", "/static/x/hotline.css", "/api/v1/users", "/healthz"):
        async with nobody.client.get(nobody.web.url + path, allow_redirects=False) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy and "frame-ancestors 'none'" in policy, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/static/x/../console.py", "/static/x/..%2f..%2fapp.py", "/static/x//etc/passwd"):
        await nobody.get(path, 404)


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    for page in sorted(Path(render.TEMPLATES).rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        data = re.sub(r'<script type="application/json" id="[a-z-]+">\{\{ \w+ \}\}</script>', "", text)  # runs nothing
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe", data), page
