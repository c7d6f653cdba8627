"""The console of the demo: where it is, and who may enter it."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from config.catalogue import _
from hotline.asterisk.ports import cannot_bind
from hotline.outside.ports import free_ports

if TYPE_CHECKING:
    from config.settings import Settings
    from console.permits import Role

PORT = 8400
"""Where it is as long as nobody else has it: easier to remember."""

OPENS = 30.0
"""Seconds until it must answer."""


def port(once: bool) -> int:
    """The console's usual port where it is free and somebody is to look; else any free one."""
    return free_ports(1)[0] if once or cannot_bind("127.0.0.1", PORT, "tcp") else PORT


def address(settings: Settings) -> str:
    """Where the browser finds it."""
    console = settings.hotline.console
    return f"http://{console.address}:{console.port}"


async def answers(settings: Settings) -> bool:
    """Whether it is open and says that calls are taken, within ``OPENS``."""
    until = asyncio.get_running_loop().time() + OPENS
    while True:
        if await asyncio.to_thread(_ready, f"{address(settings)}/readyz"):
            return True
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(0.2)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def people(settings: Settings, state: Path) -> Iterator[tuple[str, str, str]]:
    """Make the demo's users: name, what they are, and the one-time password of each."""
    from console.accounts import Accounts, Wanted
    from console.book import Book
    from console.passwords import hashed, one_time
    from console.people import FIRST
    from console.permits import Role, command_line

    agents = settings.agents.agents
    number = "8001" if "8001" in agents else next(iter(agents))
    users: tuple[tuple[str, frozenset[Role], str, str, str], ...] = (
        ("admin", FIRST, "", "", _("administrator and supervisor: everything")),
        ("agent", frozenset({Role.AGENT}), number, agents[number].name, _("agent {agent}: desk and own calls").format(
            agent=f"{number} {agents[number].name}")),
        ("quality", frozenset({Role.QUALITY}), "", "", _("quality: hear and grade recordings")),
    )  # fmt: skip
    book = Book(state)
    try:
        accounts, who = Accounts(book, lambda: time.time_ns() // 1000), command_line("demo")
        for name, roles, agent, shown, about in users:
            password = one_time()
            accounts.create(who, Wanted(name, shown or name, roles, agent), hashed(password))
            yield name, about, password
    finally:
        book.close()
