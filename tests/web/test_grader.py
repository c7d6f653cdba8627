"""A grader at a real browser: from the list to the sound, by keys alone through the form, and on to the next call."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

from playwright.async_api import expect

from calllog import access_queries
from tests.web.browser import DESK, PHONE, browser, visitor
from tests.web.plain_site import PASSWORD, plain_web
from tests.web.recorded import drawn, fill, graders

LIMIT = 60_000.0
"""ms for what a busy machine may take; nothing here waits for time itself."""

DRAWN = """() => {
  const all = [...document.querySelector("#wave").firstElementChild.shadowRoot.querySelectorAll(".canvases canvas")];
  return all.filter((one) => {
    const pixels = one.getContext("2d").getImageData(0, 0, one.width, one.height).data;
    return pixels.some((value, index) => index % 4 === 3 && value > 0);
  }).length;
}"""
"""Canvases of the waveform in which something is drawn: one for each side."""


async def test_a_grader_works_through_their_list_by_keys(tmp_path: Path) -> None:
    async with plain_web(tmp_path) as web:
        graders(web, "quality")
        await asyncio.to_thread(fill, web, 4, 4.0)
        await web.site.journal.flush()
        assert await drawn(web) == 4
        form = web.site.settings.reviews.forms["service"]
        async with browser() as opened, visitor(opened, web.url, "quality", PASSWORD) as here:
            page = here.page
            page.set_default_timeout(LIMIT)
            expect.set_options(timeout=LIMIT)
            await here.shows(language="zh", width=DESK, theme="light")
            await here.look("/quality")
            assert not (found := await here.findings()), found
            await here.picture("grader-list")
            await page.click("#next")
            await page.wait_for_function(f"() => document.querySelector('#wave').firstElementChild && ({DRAWN})() >= 2")
            first = page.url
            await expect(page.locator(".turn")).to_contain_text("1 / 4")

            await page.keyboard.press("k")
            await expect(page.locator("#play")).to_have_attribute("aria-pressed", "true")
            await page.wait_for_function("() => document.querySelector('#clock').textContent !== '0:00'")
            await page.keyboard.press("k")
            await expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")
            (noted,) = await access_queries.list_accesses(web.site.store)
            assert (noted.entry.who, noted.entry.verb, noted.entry.why) == ("quality", "recording.hear", "grading")

            await page.keyboard.press(">")
            await expect(page.locator("#speed")).to_have_value("1.25")
            await page.keyboard.press("s")
            await expect(page.locator("#skip")).to_be_checked()
            await page.keyboard.press(".")
            await expect(page.locator("#clock")).to_have_text("0:04")  # the mark at the talk's end
            await page.keyboard.press("j")
            await page.keyboard.press("ArrowRight")
            await page.keyboard.press("Shift+ArrowLeft")
            await expect(page.locator("#clock")).to_have_text("0:03")

            await page.keyboard.press("c")
            await page.keyboard.type("k 这里语速快")
            await page.keyboard.press("Enter")
            await expect(page.locator("[data-comment]")).to_have_count(1)
            assert 2.9 < float(await page.locator("[data-comment]").get_attribute("data-comment") or 0) < 3.2
            await expect(page.locator("#player")).to_be_focused()

            await page.keyboard.press("g")
            for point in form.points.values():
                await page.keyboard.press(str(point.steps))
            await expect(page.locator("#total")).to_have_text("100.0")
            await expect(page.locator("#draft-state")).to_have_text(
                await page.locator("#draft-state").get_attribute("data-kept") or "")  # fmt: skip
            assert not (found := await here.findings()), found
            await here.picture("grader-recording")
            await page.keyboard.press("Control+Enter")
            await page.wait_for_url(lambda url: url != first and "/calls/" in url)
            await expect(page.locator(".said.good")).to_contain_text("100.0")
            await expect(page.locator(".turn")).to_contain_text("1 / 3")
            await expect(page.locator("#speed")).to_have_value("1.25")
            await expect(page.locator("#skip")).to_be_checked()
            await page.keyboard.press("n")
            await expect(page.locator(".turn")).to_contain_text("2 / 3")

            await here.look("/quality/grades")
            await page.fill("#f-score", "90")
            await page.click("#wish button[type=submit]")
            await page.wait_for_url("**score=90*")
            await expect(page.locator("#found tbody tr")).to_have_count(1)
            assert not (found := await here.findings()), found
            await here.picture("grades")
            await page.check("#found input[name=call]")
            await page.click(".take-bar button:not([name])")
            await page.wait_for_selector("form[action$='/address']")  # it follows by itself
            assert not (found := await here.findings()), found
            await here.picture("exports")
            async with page.expect_download() as download:
                await page.click("form[action$='/address'] button")
            with zipfile.ZipFile(await (await download.value).path()) as taken:
                assert taken.testzip() is None and len(taken.namelist()) == 3
            await here.shows(language="en", width=PHONE, theme="dark")
            paths = ["/quality/lists", "/quality/exports", first.removeprefix(web.url)]
            for path in paths:
                await here.look(path)
                assert not (found := await here.findings()), found
                await here.picture(f"grader-phone{path.replace('/', '-').partition('?')[0]}")
            # Whoever leaves a page ends what it was still fetching of the sound; and axe, where it meets a shadow tree,
            # tries a style of its own, which the console forbids.
            here.wrong = [one for one in here.wrong if "ERR_ABORTED" not in one and "inline style" not in one]
