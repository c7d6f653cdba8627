"""A console on a real store, without an Asterisk, and browsers' requests without a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.web.plain_site import PASSWORD, Web, plain_web


@dataclass
class Person:
    """Somebody at a browser: follows forms as one would, cookies and CSRF token included."""

    web: Web
    client: aiohttp.ClientSession
    csrf: str = ""
    last: str = field(default="", repr=False)

    async def get(self, path: str, status: int = 200, **more: Any) -> str:
        """Look at a page."""
        async with self.client.get(self.web.url + path, allow_redirects=False, **more) as answer:
            return await self._read(answer, status)

    async def post(self, path: str, data: Any = None, status: int = 303, **more: Any) -> str:
        """Send a form with this page's CSRF token; returns where it leads to, or the page that comes back."""
        form = [("csrf", self.csrf), *(data.items() if isinstance(data, dict) else data or ())]
        async with self.client.post(self.web.url + path, data=form, allow_redirects=False, **more) as answer:
            text = await self._read(answer, status)
            return answer.headers["Location"] if status == 303 else text

    async def _read(self, answer: aiohttp.ClientResponse, status: int) -> str:
        self.last = await answer.text()
        assert answer.status == status, f"{answer.status} {answer.headers.get('Location', '')}\n{self.last[:2000]}"
        found = re.search(r'name="csrf" value="([^"]*)"', self.last)
        if found:
            self.csrf = found[1]
        return self.last

    async def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """Sign in by the form; returns where that leads to."""
        await self.get("/sign-in")
        return await self.post("/sign-in", {"name": name, "password": password})


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with plain_web(tmp_path) as made:
        yield made


@pytest.fixture
async def nobody(web: Web) -> AsyncIterator[Person]:
    """Somebody who has not signed in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield Person(web, client)


@pytest.fixture
async def admin(nobody: Person) -> Person:
    """An administrator, supervisor and quality person."""
    await nobody.sign_in("admin")
    await nobody.get("/account")
    return nobody
