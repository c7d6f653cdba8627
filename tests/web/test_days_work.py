"""What people do all day, at a real browser: nothing that they typed or ticked is lost, and little must be clicked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import expect

from calllog import access_queries
from tests.web.browser import browser, visitor
from tests.web.plain_site import PASSWORD, plain_web
from tests.web.recorded import fill


async def test_nothing_typed_or_ticked_is_lost(tmp_path: Path) -> None:
    async with plain_web(tmp_path) as web:
        calls = await asyncio.to_thread(fill, web, 3, 2.0, ("8001",))
        await web.site.journal.flush()
        found = web.office.accounts.named("quality")
        assert found is not None
        me = found[0].user_id
        form = web.site.settings.reviews.forms["service"]
        async with browser() as opened:
            async with visitor(opened, web.url, "quality", PASSWORD) as here:
                page = here.page
                await here.look(f"/quality/calls/{calls[0]}")
                await page.select_option("#reason", "other")
                await page.keyboard.press("Tab")  # the field for words had the focus: away, and back by the refusal
                await page.click("#play")
                await expect(page.locator("#words")).to_be_focused()
                await page.keyboard.type("监管抽查")
                await page.keyboard.press("Enter")
                await expect(page.locator("#play")).to_have_attribute("aria-pressed", "true")
                (noted,) = await access_queries.list_accesses(web.site.store, who="quality", verb="recording.hear")
                assert noted.entry.why == "监管抽查"

                await page.fill("#hold-why", "仲裁 2026-31")
                await page.fill("#comment-text", "语速快")
                await page.reload()
                await expect(page.locator("#hold-why")).to_have_value("仲裁 2026-31")
                await page.press("#comment-text", "Enter")
                await expect(page.locator("[data-comment]")).to_have_count(1)
                await page.press("#hold-why", "Enter")
                await expect(page.locator(".said.good")).to_be_visible()
                await page.wait_for_load_state("load")
                await expect(page.locator("#hold-why")).to_have_value("")
                await expect(page.locator("#comment-text")).to_have_value("")

                await page.keyboard.press("Escape")
                await page.keyboard.press("g")
                await page.keyboard.press("Control+Enter")
                await expect(page.locator(".point .when-missing:visible")).to_have_count(len(form.points))
                for point in form.points.values():
                    await page.keyboard.press(str(point.steps))
                await page.keyboard.press("Control+Enter")
                await page.click("a[href^='?correct=']")
                await page.wait_for_url("**correct=*")
                await page.fill("#g-remark", "更正：语气")
                correction = page.url
                await here.look("/calls")  # at once: the draft goes by itself
                for _try in range(1200):
                    if await asyncio.to_thread(web.office.drafts.of, me):
                        break
                    await asyncio.sleep(0.05)
                await page.goto(correction)
                await expect(page.locator("#g-remark")).to_have_value("更正：语气")

                await here.look("/calls")
                await page.check("[data-all]")
                await page.select_option(".take-bar select", "other")
                await expect(page.locator(".take-bar [name=words]")).to_be_focused()
                await page.click(".take-bar button:not([name])")  # the browser itself asks for the words
                await expect(page.locator("input[name=call]:checked")).to_have_count(len(calls))
                await page.fill(".take-bar [name=words]", "抽查")
                await page.keyboard.press("Enter")
                await page.wait_for_url("**/exports")
                here.wrong.clear()  # sound that was still being fetched ended with its page
            async with visitor(opened, web.url, "agent", PASSWORD) as here:
                page = here.page
                await here.look(f"/records/{calls[1]}")
                await page.fill("#r-problem", "退款")
                await page.click("#record-form button[value='']")
                await page.wait_for_selector("#record .said.good")
                sent: list[str] = []
                page.on("request", lambda asked: sent.append(asked.url))
                await page.evaluate("() => { dispatchEvent(new Event('pagehide')); return fetch('/account'); }")
                assert [url.rpartition("/")[2] for url in sent] == ["account"], "what is saved is no draft any more"
