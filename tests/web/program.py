"""Somebody's program: a token, and what it gets by it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.web.plain_site import PASSWORD, Web


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
