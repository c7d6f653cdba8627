"""A real browser at the console: signed-in pages, what a page may not do, accessibility, and pictures for looking at.

Set ``HOTLINE_SCREENS`` to a folder, and every page that a test looks at is written there as a picture.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from hotline.asterisk.install import cache_folder
from tests.web import chromium

DESK, PHONE = 1280, 390
"""Widths in pixels."""

HEAVIEST = 500_000
"""Bytes of a first load, as they come over the wire."""

PATIENCE = 90_000
"""Milliseconds for anything in the browser, on a machine that is busy with other tests."""

NO_SANDBOX = "--no-sandbox"
"""Chromium refuses its sandbox to root, and a container may have no user namespaces."""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium. Raises chromium.NoChromium: a machine that has none fails its tests, it does not skip them."""
    found = chromium.find()
    if found is None:
        raise chromium.NoChromium("There is no browser: run 'python scripts/setup.py --web'.")
    async with async_playwright() as play:
        environment: dict[str, str | float | bool] = {**os.environ, **found.environment}
        opened = await play.chromium.launch(executable_path=found.path, env=environment, args=[NO_SANDBOX])
        try:
            yield opened
        finally:
            await opened.close()


class Visitor:
    """Somebody at the console in a browser of their own. What a page does wrong is kept in ``wrong``."""

    def __init__(self, url: str, context: BrowserContext, page: Page, name: str) -> None:
        self.url, self.context, self.page, self.name = url, context, page, name
        self.wrong: list[str] = []
        self.weight = 0
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self._wrong(f"{error}"))
        page.on("requestfailed", lambda asked: self._failed(asked.url, asked.failure))
        page.on("response", lambda got: self._wrong(f"{got.status} {got.url}") if got.status >= 400 else None)

    def _wrong(self, what: str) -> None:
        self.wrong.append(f"{self.page.url}: {what}")

    def _said(self, kind: str, text: str) -> None:
        # htmx complains of a request that its page took along when it was left; what else failed, _failed tells.
        if kind in ("error", "warning") and not text.startswith(("htmx:sendError", "htmx:sendAbort")):
            self._wrong(text)

    def _failed(self, url: str, why: str | None) -> None:
        # A stream ends with its page, and so does whatever else is under way when the page is left.
        if "/live" not in url and why != "net::ERR_ABORTED":
            self._wrong(f"{url}: {why}")

    async def look(self, path: str) -> None:
        """Go to a page and see it whole."""
        await self.page.goto(self.url + path, wait_until="load")

    async def sign_in(self, password: str) -> None:
        """By the form, as a person does."""
        await self.look("/sign-in")
        await self.page.fill("input[name=name]", self.name)
        await self.page.fill("input[name=password]", password)
        await self.page.click("main button[type=submit]")
        await self.page.wait_for_url(re.compile(r"^(?!.*sign-in)"))

    async def rooms(self) -> list[str]:
        """The paths in the navigation."""
        links = await self.page.locator("#nav a").all()
        return [str(await link.get_attribute("href")) for link in links]

    async def shows(self, *, language: str, width: int, theme: Literal["light", "dark"]) -> None:
        """From now on in this theme, width and language."""
        await self.context.add_cookies([
            {"name": "hotline-theme", "value": theme, "url": self.url},
            {"name": "hotline-language", "value": language, "url": self.url},
        ])  # fmt: skip
        await self.page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})

    async def findings(self) -> list[str]:
        """What axe finds on this page (WCAG 2.1 AA and its best practices), and whether it scrolls sideways."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(_axe())
        found = await self.page.evaluate("() => axe.run().then(result => result.violations)")
        said = [
            f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for one in found
            for node in one["nodes"]
        ]
        over = await self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            said.append(f"the page is {over} px wider than the window")
        return [f"{self.page.url}: {one}" for one in said]

    async def picture(self, name: str) -> None:
        """Keep what is seen, where somebody asked for pictures."""
        if folder := os.environ.get("HOTLINE_SCREENS"):
            await self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@asynccontextmanager
async def visitor(opened: Browser, url: str, name: str, password: str) -> AsyncIterator[Visitor]:
    """Somebody who has signed in; on leaving, what any page did wrong is a failure."""
    context = await opened.new_context(viewport={"width": DESK, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    try:
        here = Visitor(url, context, await context.new_page(), name)
        await here.sign_in(password)
        yield here
        assert not here.wrong, "\n".join(here.wrong)
    finally:
        await context.close()


async def weight_of(opened: Browser, url: str, cookies: BrowserContext | None = None) -> int:
    """Bytes over the wire of a first load with nothing kept."""
    context = await opened.new_context()
    try:
        if cookies is not None:
            await context.add_cookies(await cookies.cookies())  # type: ignore[arg-type]
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        await page.goto(url, wait_until="load")
        return round(sum(sizes))
    finally:
        await context.close()


def _axe() -> str:
    return (cache_folder() / "web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
