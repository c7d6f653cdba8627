"""What each person does at their screens in a day: one function each, which returns what was wrong with a page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from playwright.async_api import Browser, Locator, Page, expect

from calllog.wording import mode_word
from tests.real.workday import REGULAR, Workday
from tests.web.browser import DESK, PHONE, Visitor, stranger


class Looks(Protocol):
    """Looks at a page in both languages and at both widths; returns what is wrong with it."""

    async def __call__(self, here: Visitor, path: str, shows: tuple[str, ...], name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Floor:
    """Where they work."""

    day: Workday
    seats: Mapping[str, Visitor]
    opened: Browser
    look: Looks

    async def at(self, who: str, *, language: str, width: int) -> tuple[Visitor, Page]:
        """This person, who reads this language on a screen of this width."""
        here = self.seats[who]
        await here.reads(language)
        await here.adapts(width=width, theme="light")
        return here, here.page


Walk = Callable[[Floor], Awaitable[list[str]]]


async def there(where: Locator) -> None:
    """Wait until it is seen."""
    await expect(where.first).to_be_visible()


async def presses(here: Visitor, selector: str, key: str = "Enter") -> None:
    """Go there by Tab, and press a key."""
    await here.tab_to(selector)
    await here.page.keyboard.press(key)


async def writes(here: Visitor, selector: str, text: str) -> None:
    """Go there by Tab, and type."""
    await here.tab_to(selector)
    await here.page.keyboard.insert_text(text)


async def by_menu(page: Page, path: str) -> None:
    """On a phone: open the menu, choose a room."""
    room = page.locator(f"#nav a[href='{path}']")
    async with asyncio.timeout(60):
        while not await room.is_visible():
            await page.click("[data-menu]")
            await asyncio.sleep(0.3)
    await room.click()
    await page.wait_for_url(f"**{path}")


# --- who is not the agent first: the calls of now end at the desk -----------------------------------------------------


async def supervisor(floor: Floor) -> list[str]:
    """On a phone, in English: who is on duty, the calls of now, an appeal."""
    here, page = await floor.at("banzhang", language="en", width=PHONE)
    await here.look("/duty")
    for agent, state in (("8001", "ringing"), ("8002", "talking"), ("8011", "unreachable")):
        await there(page.locator("#duty-now tr", has_text=agent).filter(has_text=state))
    seen = "() => [...document.querySelectorAll('img.map')].some((image) => image.naturalWidth > 0)"
    await page.wait_for_function(seen)  # the picture may come late
    await page.locator("nav a[href*='from=']").last.click()
    await expect(page.locator(".week .now")).to_have_count(0)
    await by_menu(page, "/calls")
    await page.locator(f"#found a[href='/calls/{floor.day.calls['talks']}']").click()
    await there(page.locator(".course li", has_text="Connected with 8002"))
    await by_menu(page, "/quality")
    await page.click(".tabs a[href='/quality/appeals']")
    await page.locator("tbody th a").first.click()
    await there(page.locator(".appeal-text"))
    await page.fill("textarea[name=why] >> nth=0", "订单号报过，但没有复述确认，维持原评分。")
    await page.locator("form[action$='/keep'] button").first.click()
    await there(page.locator(".said.good"))
    return await here.findings()


async def grader(floor: Floor) -> list[str]:
    """With the mouse, in Chinese: find, hear, comment, grade with a fatal point, take along, the next one."""
    here, page = await floor.at("quality1", language="zh", width=DESK)
    await here.look("/calls")
    await page.fill("#f-words", "退款")
    await page.click("#wish button[type=submit]")
    await expect(page.locator("#found tbody tr")).to_have_count(1)
    await page.click("#found tbody td a")
    await page.click("#play")
    await expect(page.locator("#clock")).not_to_have_text("0:00")
    await page.keyboard.press("k")
    await expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")
    await page.select_option("#speed", "2")
    await page.check("#skip")
    assert await page.evaluate("() => document.getElementById('wave').clientWidth") > 300
    await page.locator(".marks [data-seek]").last.click()
    await page.fill("#comment-text", "退款时限讲清楚了")
    await page.click("#comment-form button")
    await there(page.locator("#comments", has_text="退款时限讲清楚了"))
    form = page.locator("#grade")
    for point in await form.locator(".point").all():
        await point.locator(".segments label").nth(0).click()
    await form.locator("[name='f.false_promise']").check()
    await expect(page.locator("#total")).to_have_text("0.0")
    await expect(page.locator("#draft-state")).not_to_be_empty()
    await page.reload()
    await expect(form.locator("[name='f.false_promise']")).to_be_checked()
    found = await here.findings()
    await form.locator("button[type=submit]").click()
    await there(page.locator(".said.good"))
    await there(page.locator(".empty"))  # it was the last one of the list
    await page.click(".switch a[href*=done]")
    await expect(page.locator("tbody tr")).to_have_count(2)
    found += await here.findings()
    await page.click(f"tbody a[href*='{floor.day.calls['refund']}']")
    await there(page.locator(".graded .badge.bad"))
    async with page.expect_download() as taken:
        await page.click("form[action$='/download'] button")
    assert (await taken.value).suggested_filename.endswith(".flac")
    await page.click(".crumbs a[href='/quality']")
    await page.click(".tabs a[href='/quality/exports']")
    async with page.expect_download() as taken:
        await page.click("form[action$='/address'] button")
    assert (await taken.value).suggested_filename.endswith(".zip")
    return found + await here.findings()


async def second_grader(floor: Floor) -> list[str]:
    """By the keyboard alone, in English: the next call of the list, heard and graded."""
    here, page = await floor.at("quality2", language="en", width=DESK)
    await here.look("/quality")
    await presses(here, "#next")
    await there(page.locator("#grade"))
    await here.tab_to("#player")
    await page.keyboard.press("Space")
    await expect(page.locator("#clock")).not_to_have_text("0:00")
    await page.keyboard.press("Space")
    await expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press(">")
    await expect(page.locator("#speed")).to_have_value("1.25")
    await page.keyboard.press("s")
    await expect(page.locator("#skip")).to_be_checked()
    await page.keyboard.press("c")
    await page.keyboard.insert_text("Good: apologised at once")
    await page.keyboard.press("Enter")
    await there(page.locator("#comments", has_text="apologised"))
    await page.keyboard.press("g")
    points = await page.locator("#grade .point input[type=radio]").evaluate_all(
        "all => [...new Set(all.map((one) => one.name))]"
    )
    for number, name in enumerate(points):
        if number:
            await here.tab_to(f"input[name='{name}']")
        await page.keyboard.press("Space")
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("#total")).not_to_have_text("–")
    await writes(here, "#g-remark", "Calm and clear.")
    await presses(here, "#grade button[type=submit]")
    await there(page.locator(".said.good"))
    return await here.findings()


async def auditor(floor: Floor) -> list[str]:
    """On a phone, in English: hears nothing; holds a call, and lifts the hold."""
    here, page = await floor.at("shenji", language="en", width=PHONE)
    await here.look(f"/quality/calls/{floor.day.calls['order']}")
    await expect(page.locator("#play")).to_be_disabled()
    await expect(page.locator(".strip")).to_contain_text("138****8000")
    for deed in ("hold", "release"):
        await page.fill("#hold-why", "Inspection 2026-11")
        await page.click(f"form[action$='/{deed}'] button")
        await there(page.locator(".said.good"))
    await expect(page.locator(".hold-text")).to_have_count(0)
    return await here.findings()


async def administrator(floor: Floor) -> list[str]:
    """On a phone, in Chinese: a new user, who signs in once and is disabled; what is wrong with the roster."""
    here, page = await floor.at("admin", language="zh", width=PHONE)
    await here.look("/duty")
    await there(page.locator(".problems li"))
    await by_menu(page, "/status")
    await there(page.locator(".tile"))
    await by_menu(page, "/users")
    await page.click("a[href='/users/new']")
    await page.fill("#f-name", "sunlei")
    await page.fill("#f-shown", "孙磊")
    await page.select_option("#f-agent", "8007")
    await page.click("main form button[type=submit]")
    once = (await page.locator("#password").inner_text()).strip()
    found = await here.findings()
    await here.picture("admin-users-once-zh-390")
    async with stranger(floor.opened, floor.day.url) as new:
        await new.look("/sign-in")
        await new.fill_in("sunlei", once)
        await there(new.page.locator("input[name=again]"))
        await new.page.fill("input[name=old]", once)
        for field in ("new", "again"):
            await new.page.fill(f"input[name={field}]", "夜里三点也要接电话的人")
        await new.page.click("main button[type=submit]")
        await there(new.page.locator(".desk-mode"))
        page.once("dialog", lambda dialog: dialog.accept())
        await page.click("form[action$='/disable'] button")
        await there(page.locator(".said.good"))
        await new.page.goto(new.url + "/desk")
        await there(new.page.locator("input[name=password]"))
    return found + await here.findings()


async def department(floor: Floor) -> list[str]:
    """Has an account, and as yet no room; what is not theirs says so."""
    here = floor.seats["caiwu"]
    await here.look("/")
    assert here.page.url.endswith("/account"), here.page.url
    found = await floor.look(here, "/calls", (".trouble-page",), "caiwu-forbidden")
    here.wrong = [one for one in here.wrong if "403" not in one]
    return found


async def agent(floor: Floor) -> list[str]:
    """By the keyboard alone, in Chinese: take the call, pause the recording, write the record, be ready again; the
    supervisor's duty room follows by itself."""
    day = floor.day
    here, page = await floor.at("zhangmin", language="zh", width=DESK)
    await here.look("/desk")
    card = page.locator("#desk-now")
    await expect(card).to_contain_text(REGULAR)
    await expect(card).to_contain_text("北京")
    await expect(card.locator(".desk-earlier li")).to_have_count(1)
    chief, watched = await floor.at("banzhang", language="zh", width=DESK)
    await chief.look("/duty")
    state = watched.locator("#duty-now tr", has_text="8001").first
    await expect(state).to_contain_text(mode_word("ringing"))
    await day.rings["8001"].answer()
    await expect(state).to_contain_text(mode_word("talking"))
    await there(page.locator(".desk-mode.talking"))
    await presses(here, "#do-recording_pause")
    await there(page.locator("#do-recording_resume"))
    found = await floor.look(here, "/desk", (".desk-mode.talking", "#do-recording_resume"), "zhangmin-desk-talking")
    await here.adapts(width=DESK, theme="light")
    await here.look("/desk")
    await presses(here, "#do-recording_resume")
    await there(page.locator("#do-recording_pause"))
    await writes(here, "#r-name", "王先生")
    await presses(here, "#r-subject", "ArrowDown")
    await writes(here, "#r-problem", "订单还是没有到，要求退款")
    await expect(page.locator("#draft-kept")).not_to_be_empty()
    await page.reload()
    await expect(page.locator("#r-problem")).to_have_value("订单还是没有到，要求退款")
    await day.callers["rings"].hang_up()
    await there(page.locator(".desk-mode.wrap_up"))
    found += await floor.look(here, "/desk", (".desk-mode.wrap_up", "[data-down]"), "zhangmin-desk-wrap-up")
    await here.adapts(width=DESK, theme="light")
    await here.look("/desk")
    await writes(here, "#r-solution", "已联系仓库加急")
    await presses(here, "input[name=solved]", "Space")
    await presses(here, "button[name=then][value=ready]")
    await there(page.locator(".desk-mode.ringing"))  # the one who waited
    await expect(state).to_contain_text(mode_word("ringing"))
    own = f"a[href='/records/{day.calls['rings']}']"
    await there(page.locator("#today tr", has=page.locator(own)).filter(has_text=REGULAR))
    await presses(here, f"#today {own}")
    await expect(page.locator("#r-problem")).to_have_value("订单还是没有到，要求退款")
    return found + await here.findings()


WALKS: tuple[Walk, ...] = (supervisor, grader, second_grader, auditor, administrator, department, agent)
"""In this order: the agent takes the call that rings."""
