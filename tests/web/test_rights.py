"""Signing in, and rights that change while somebody is at it: whoever is out is out, at once and for good."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import aiohttp
import pytest

from console import delays, live as streams, passwords
from console.permits import Role, Verb, Who
from console.sessions import Lasting
from console.site import Refusal
from tests.web.conftest import Person
from tests.web.plain_site import PASSWORD, Web
from tests.web.program import program
from tests.web.test_attacks import SECOND, cookie

COMMAND = Who("0", "os:test", "os:test", frozenset(Role), verbs=frozenset(Verb), by="command")


# --- rights that change ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["disable", "roles", "agent", "end", "again", "password"])
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
                case "again":
                    await agent.get("/account")
                    await agent.post("/sign-in", {"name": "agent", "password": PASSWORD})
                case _:
                    await agent.get("/account")
                    await agent.post("/account/sessions/end", {"key": key})
            async with asyncio.timeout(streams.ALIVE - 5):
                assert b"data" not in await answer.read()
        await agent.get("/account", 200 if way == "again" else 303)


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


async def test_what_is_begun_by_an_old_password_in_the_moment_of_its_change_is_nothing(
    web: Web, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, worker = web.office.accounts, web.office.passwords
    user, known = accounts.named("agent") or pytest.fail()
    check, hashed, other = worker.check, worker.hash, await worker.hash("another horse battery")
    way = ""

    def faster() -> None:
        """An administrator is, or the owner elsewhere."""
        match way:
            case "reset":
                accounts.reset(COMMAND, user.user_id, other)
            case "disable":
                accounts.disable(COMMAND, user.user_id, True)
            case "own":
                accounts.own_password(Who(user.user_id, user.name, user.shown, user.roles), other, known)

    async def slow_check(*arguments: Any) -> bool:
        right = await check(*arguments)
        faster()
        return right

    async def slow_hash(password: str) -> str:
        faster()
        return await hashed(password)

    async with program(web) as one:
        for way in ("reset", "disable", "own"):
            for door in ("screen", "program", "change"):
                web.office.book.do(
                    lambda run: run("UPDATE user SET password = ?, disabled_at = 0, must_change = 0", (known,))
                )
                if door == "change":
                    await one.enter("agent")
                with monkeypatch.context() as patch:
                    patch.setattr(worker, *(("hash", slow_hash) if door == "change" else ("check", slow_check)))
                    if door == "screen":
                        await nobody.get("/sign-in")
                        page = await nobody.post("/sign-in", {"name": "agent", "password": PASSWORD}, status=409)
                        assert 'value="agent"' in page, "the form is there again"
                    elif door == "program":
                        wanted = {"name": "agent", "password": PASSWORD, "label": "x"}
                        assert (await one.ask("POST", "/sign-in", wanted))[0] == 409
                    else:
                        wanted = {"old": PASSWORD, "new": "a third horse battery"}
                        assert (await one.ask("PUT", "/me/password", wanted))[0] == 409
                kept = web.office.book.read("SELECT password, must_change FROM user WHERE name = 'agent'")[0]
                assert kept["password"] == (known if way == "disable" else other)
                assert kept["must_change"] == (way == "reset")
                assert not web.office.book.read("SELECT 1 FROM session")
                assert len(web.office.book.read("SELECT 1 FROM token")) == (way == "own" and door == "change")


async def test_whoever_changes_their_password_is_told_of_tokens_that_stay(web: Web, nobody: Person) -> None:
    async with program(web, "agent") as one:
        await nobody.sign_in("agent")
        await nobody.get("/account/password")
        form = {"old": PASSWORD, "new": "another horse battery", "again": "another horse battery"}
        assert await nobody.post("/account/password", form) == "/account"
        assert "1 个程序令牌仍然有效" in await nobody.get("/account")
        assert (await one.ask("GET", "/me"))[0] == 200


async def test_nothing_is_made_in_a_session_that_was_ended_meanwhile(web: Web) -> None:
    sessions = web.office.sessions
    secret = sessions.begin(*(web.office.accounts.named("agent") or pytest.fail()), "127.0.0.1", "x")
    who, _csrf, _language = sessions.whose(secret, "127.0.0.1", Lasting(60, 60)) or pytest.fail()
    sessions.issue(who, "before", [Verb.SELF], 1)
    assert sessions.end(who, who.key)
    with pytest.raises(Refusal):
        sessions.issue(who, "after", [Verb.SELF], 1)
    assert [one.label for one in sessions.tokens(who)] == ["before"]


async def test_a_clock_that_was_set_back_locks_nobody_out_and_makes_no_session_last(web: Web) -> None:
    """The machine stood in another year until somebody put that right, and Hotline was started anew."""
    sessions, lasting = web.office.sessions, Lasting(3600, 12 * 3600)
    right = web.site.now()
    wrong = right + 365 * 86_400 * SECOND
    now = wrong
    sessions._now = lambda: now
    secret = sessions.begin(*(web.office.accounts.named("agent") or pytest.fail()), "127.0.0.1", "x")
    while not sessions.may_try("admin", "10.0.0.1"):
        pass
    now = right
    longest = max(rule.longest for rule in delays.RULES.values())
    assert 0 < sessions.may_try("admin", "10.0.0.1") <= longest
    now = right + round(longest * SECOND)
    assert sessions.may_try("admin", "10.0.0.1") == 0
    now = right
    assert sessions.whose(secret, "127.0.0.1", lasting)
    now = right + 3601 * SECOND
    assert sessions.whose(secret, "127.0.0.1", lasting) is None, "idle for an hour"


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
