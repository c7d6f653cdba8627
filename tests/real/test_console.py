"""The console in a real browser, on the real daemon and Asterisk, while a call comes and goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from calllog.wording import mode_word
from console import passwords
from console.accounts import Accounts, Wanted
from console.book import Book
from console.permits import Role, command_line
from hotline.outside.ports import free_ports
from hotline.trial import Trial, trial
from tests.real.conftest import profile
from tests.real.verbs import asks, connected, either
from tests.web.browser import DESK, Visitor, browser, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
PASSWORD = "correct horse battery"
CHEAP = (1, 8, 1)
"""Argon2 for tests: passes, KiB, lanes."""

SOON = 60_000
"""Milliseconds within which a page has what happened; on a quiet machine it takes one or two seconds."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """One whose console listens."""
    (port,) = free_ports(1)
    changes = profile(AGENTS, hotline={"console": {"enabled": True, "port": port}})
    async with trial(tmp_path_factory.mktemp("console"), changes) as it:
        await asyncio.gather(*(it.handset(agent) for agent in AGENTS))
        await it.reachable(*AGENTS)
        yield it


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chief(hotline: Trial) -> AsyncIterator[Visitor]:
    """The supervisor, in a browser."""
    book = Book(hotline.state)
    wanted = Wanted("chief", "王班长", frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}))
    user = Accounts(book, lambda: time.time_ns() // 1000).create(
        command_line("test"), wanted, passwords.hashed(PASSWORD, CHEAP)
    )
    book.do(lambda run: run("UPDATE user SET must_change = 0, password_until = 0 WHERE user_id = ?", (user.user_id,)))
    book.close()
    url = f"http://127.0.0.1:{hotline.settings.hotline.console.port}"
    async with browser() as opened, visitor(opened, url, "chief", PASSWORD) as here:
        await here.shows(language="zh", width=DESK, theme="light")
        yield here


async def test_the_duty_room_follows_a_call_by_itself(hotline: Trial, chief: Visitor) -> None:
    await chief.look("/duty")
    states = {agent: chief.page.locator("#duty-now tr", has_text=agent).first for agent in AGENTS}
    for state in states.values():
        await expect(state).to_contain_text(mode_word("ready"), timeout=SOON)
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    await connected(hotline, number)
    agent = next(agent for agent in AGENTS if ring in hotline.world.handsets[agent].history)
    await expect(states[agent]).to_contain_text(mode_word("talking"), timeout=SOON)
    assert await chief.findings() == []
    await caller.hang_up()
    await expect(states[agent]).to_contain_text(mode_word("ready"), timeout=SOON)
    assert (await hotline.ended(number)).state.outcome == "answered"
    await hotline.nothing_left()


async def test_the_week_and_the_map_of_the_running_hotline_are_shown(hotline: Trial, chief: Visitor) -> None:
    await chief.look("/duty")
    await expect(chief.page.locator(".week .shift").nth(2 * 7 - 1)).to_be_attached(timeout=SOON)
    seen = "() => document.querySelector('img.map')?.naturalWidth > 0"  # the picture may come late
    await chief.page.wait_for_function(seen, timeout=SOON)
    await chief.page.click("text=后一周")
    await expect(chief.page.locator(".week .now")).to_have_count(0, timeout=SOON)
