"""A call on the real Asterisk whose agent writes its record at the desk, and is ready when it is whole, not before."""

from __future__ import annotations

import asyncio
import re
import time

import aiohttp
import pytest

from calllog import queries
from calllog.verify import rebuild, verify
from console.accounts import Accounts, Wanted
from console.book import Book
from console.passwords import hashed
from console.permits import Role, command_line
from hotline import control
from hotline.outside.ports import free_ports
from hotline.trial import Trial
from tests.real.verbs import asks

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse battery"
PORT = free_ports(1)[0]
AGENTS = ["8001"]
CHANGES = {"hotline": {
    "console": {"enabled": True, "port": PORT},
    "times": {"ring": 60},
    "record": {"required": True, "time_limit": 300, "extend_by": 60, "extensions": 1},
}}  # fmt: skip
LIMIT = 60.0
"""Seconds that a busy machine may take to show what has happened."""


class Desk:
    """The agent's browser."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.client, self.csrf = client, ""

    async def get(self, path: str) -> str:
        async with self.client.get(f"http://127.0.0.1:{PORT}{path}") as answer:
            return await self._read(answer)

    async def post(self, path: str, **form: str) -> str:
        async with self.client.post(f"http://127.0.0.1:{PORT}{path}", data={"csrf": self.csrf, **form}) as answer:
            return await self._read(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> str:
        text = await answer.text()
        assert answer.status == 200, text[:2000]
        found = re.search(r'name="csrf" value="([^"]*)"', text)
        self.csrf = found[1] if found else self.csrf
        return text

    async def shows(self, *words: str) -> str:
        """Look until the desk says all of this."""
        async with asyncio.timeout(LIMIT):
            while True:
                page = await self.get("/desk")
                if all(word in page for word in words):
                    return page
                await asyncio.sleep(0.1)


async def signed_in(hotline: Trial, client: aiohttp.ClientSession) -> Desk:
    book = Book(hotline.state)
    wanted = Wanted("zhangmin", "张敏", frozenset({Role.AGENT}), "8001")
    user = Accounts(book, lambda: 0).create(command_line("test"), wanted, hashed(PASSWORD, (1, 8, 1)))
    book.do(lambda run: run("UPDATE user SET must_change = 0, password_until = 0 WHERE user_id = ?", (user.user_id,)))
    book.close()
    desk = Desk(client)
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                await desk.get("/sign-in")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    await desk.post("/sign-in", name="zhangmin", password=PASSWORD)
    return desk


async def mode(hotline: Trial, wanted: str) -> None:
    """Wait until the agent is so."""
    until = time.monotonic() + LIMIT
    while (now := await asyncio.to_thread(control.ask, hotline.state, "status"))["agents"]["8001"]["mode"] != wanted:
        assert time.monotonic() < until, now["agents"]
        await asyncio.sleep(0.05)


async def test_the_record_is_written_at_the_desk_and_readiness_follows(hotline: Trial) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        desk = await signed_in(hotline, client)
        caller, number = await asks(hotline)
        ring = await hotline.world.handsets["8001"].rings(LIMIT)
        page = await desk.shows("正在振铃", number, "咨询")
        call_id = re.search(r'action="/records/([^"]+)"', page)
        assert call_id is not None
        await ring.answer()
        await desk.shows("通话中", "暂停录音")
        form = {"version": "0", "subject": "consult-order", "problem": "订单没有发货"}
        await desk.post(f"/records/{call_id[1]}/draft", **form)
        await caller.hang_up()
        await mode(hotline, "wrap_up")
        await desk.shows("来电登记剩余时间", "订单没有发货", "尚未保存")
        await asyncio.sleep(1)  # the ordinary wrap-up lasts 0.3 s
        assert "登记填写完整后即生效" in await desk.post("/desk/ready")
        await mode(hotline, "wrap_up")
        await desk.post("/desk/extend")
        assert "还缺：是否解决" in await desk.post(f"/records/{call_id[1]}", **form)
        await mode(hotline, "wrap_up")
        await desk.post(f"/records/{call_id[1]}", **{**form, "version": "1", "solved": "yes"})
        await mode(hotline, "ready")
        second, _number = await asks(hotline, number=number)
        ring = await hotline.world.handsets["8001"].rings(LIMIT)
        page = await desk.shows("正在振铃", number, "归属地", "已等候", "此号码此前来电 1 次", "进行中")
        ringing = re.search(r'data-call="([^"]+)"', page)
        assert ringing is not None and f'<a href="/records/{ringing[1]}">' in page, "it stands in today's list"
        assert f'href="/calls/{ringing[1]}' in await desk.get("/calls")
        await second.hang_up()
        await hotline.ended(number)
        detail = await queries.get_call(hotline.state / "hotline.sqlite", call_id[1])
        assert detail is not None and detail.state.record is not None
        record = detail.state.record
        assert (record.version, record.by, record.agent, record.complete) == (2, "8001", "8001", True)
    assert await asyncio.to_thread(verify, hotline.state / "hotline.sqlite") == []
    assert (await asyncio.to_thread(rebuild, hotline.state / "hotline.sqlite")).changed == 0
