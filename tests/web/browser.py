"""A real browser at the console: signed-in pages, what a page may not do, accessibility, and pictures for looking at.

Set ``HOTLINE_SCREENS`` to a folder, and every page that a test looks at is written there as a picture.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Request, async_playwright, expect

from hotline.asterisk.install import cache_folder
from tests.web import chromium

DESK, PHONE = 1280, 390
"""Widths in pixels."""

HEAVIEST = 500_000
"""Bytes of a first load, as they come over the wire."""

PATIENCE = 90_000
"""Milliseconds for anything in the browser, on a machine that is busy with other tests."""

expect.set_options(timeout=PATIENCE)

Theme = Literal["light", "dark"]

LOOK_CLOSELY = """() => axe
    .run({ preload: false, resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })
    .then((result) => result.violations)"""
"""Without preload: to read styles it would put some of its own into the page, which the page's policy forbids."""

UNTRANSLATED = """() => {
    if (!document.documentElement.lang.startsWith("zh")) return [];
    const found = [];
    const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (all.nextNode()) {
        const within = all.currentNode.parentElement;
        const text = all.currentNode.textContent.trim();
        const told = within.closest("[lang=en], code, .mono, script");
        if (!told && /[A-Za-z]{2,} [a-z]+ [a-z]+/.test(text) && !/[\u4e00-\u9fff]/.test(text)) found.push(text);
    }
    return found;
}"""
"""Sentences in another language on a Chinese page."""

FOCUS = """(selector) => {
    const on = document.activeElement;
    return [on.matches(selector), on.id || on.getAttribute("href") || on.getAttribute("name") || on.tagName];
}"""

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
    """Somebody at the console in a browser of their own, which keeps nothing: each load is a first one.

    What a page does wrong is kept in ``wrong``; ``weight``: bytes over the wire since the last page was asked for.
    """

    def __init__(self, url: str, context: BrowserContext, page: Page, name: str) -> None:
        self.url, self.context, self.page, self.name = url, context, page, name
        self.wrong: list[str] = []
        self.weight = 0.0
        self._wire: CDPSession | None = None
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self._wrong(f"{error}"))
        page.on("requestfailed", self._failed)
        page.on("response", lambda got: self._wrong(f"{got.status} {got.url}") if got.status >= 400 else None)

    def _wrong(self, what: str) -> None:
        self.wrong.append(f"{self.page.url}: {what}")

    def _said(self, kind: str, text: str) -> None:
        # htmx complains of a request that its page took along when it was left; what else failed, _failed tells.
        if kind in ("error", "warning") and not text.startswith(("htmx:sendError", "htmx:sendAbort")):
            self._wrong(text)

    def _failed(self, asked: Request) -> None:
        # A stream ends with its page, and so does whatever else is under way when the page is left.
        if "/live" not in asked.url and asked.failure != "net::ERR_ABORTED":
            self._wrong(f"{asked.url}: {asked.failure}")

    def all_was_right(self) -> None:
        """Raises AssertionError with what any page did wrong until now, and forgets it."""
        wrong, self.wrong = self.wrong, []
        assert not wrong, "\n".join(wrong)

    async def weighs(self) -> None:
        """Keep nothing of what is loaded, and count it."""
        self._wire = await self.context.new_cdp_session(self.page)
        await self._wire.send("Network.enable")
        await self._wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self._wire.on("Network.loadingFinished", self._came)

    def _came(self, told: dict[str, float]) -> None:
        self.weight += told["encodedDataLength"]

    async def look(self, path: str) -> None:
        """Go to a page and see it whole."""
        self.weight = 0.0
        await self.page.goto(self.url + path, wait_until="load")

    async def adapts(self, *, width: int, theme: Theme) -> None:
        """This width and theme, without asking for the page anew: for one whose theme is the system's."""
        await self.page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})
        await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")

    async def tab_to(self, selector: str, most: int = 120) -> None:
        """Press Tab until the focus is there. Raises AssertionError: it cannot be reached by keyboard."""
        passed: list[str] = []
        for _press in range(most):
            await self.page.keyboard.press("Tab")
            there, where = await self.page.evaluate(FOCUS, selector)
            if there:
                return
            passed.append(where)
        raise AssertionError(f"{self.page.url}: {selector} was not reached by {most} tabs: {passed}")

    async def sign_in(self, password: str) -> None:
        """By the form, as a person does."""
        await self.look("/sign-in")
        await self.fill_in(self.name, password)
        await self.page.wait_for_url(re.compile(r"^(?!.*sign-in)"))

    async def fill_in(self, name: str, password: str) -> None:
        """Fill in the sign-in's form and send it."""
        await self.page.fill("input[name=name]", name)
        await self.page.fill("input[name=password]", password)
        await self.page.click("main button[type=submit]")

    async def rooms(self) -> list[str]:
        """The paths in the navigation."""
        links = await self.page.locator("#nav a").all()
        return [str(await link.get_attribute("href")) for link in links]

    async def reads(self, language: str) -> None:
        """From the next page on in this language."""
        await self.context.add_cookies([{"name": "hotline-language", "value": language, "url": self.url}])

    async def shows(self, *, language: str, width: int, theme: Theme) -> None:
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
        found = await self.page.evaluate(LOOK_CLOSELY)
        said = [
            f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for one in found
            for node in one["nodes"]
        ]
        said += [f"not Chinese: {text}" for text in await self.page.evaluate(UNTRANSLATED)]
        over = await self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            said.append(f"the page is {over} px wider than the window")
        return [f"{self.page.url}: {one}" for one in said]

    async def picture(self, name: str) -> None:
        """Keep what is seen, where somebody asked for pictures."""
        if folder := os.environ.get("HOTLINE_SCREENS"):
            await self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@asynccontextmanager
async def stranger(opened: Browser, url: str, name: str = "nobody") -> AsyncIterator[Visitor]:
    """Somebody who has not signed in; on leaving, what any page did wrong is a failure."""
    context = await opened.new_context(viewport={"width": DESK, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    try:
        here = Visitor(url, context, await context.new_page(), name)
        await here.weighs()
        yield here
        here.all_was_right()
    finally:
        await context.close()


@asynccontextmanager
async def visitor(opened: Browser, url: str, name: str, password: str) -> AsyncIterator[Visitor]:
    """Somebody who has signed in."""
    async with stranger(opened, url, name) as here:
        await here.sign_in(password)
        yield here


def _axe() -> str:
    return (cache_folder() / "web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
