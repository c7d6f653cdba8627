"""Every screen with something on it, on the real daemon and Asterisk while calls go on; and each person at their work.

Looked at in Chinese and English, as wide as a desk's screen and as a phone's, light and dark: nothing fails, axe finds
nothing, nothing scrolls sideways, no load is heavy. ``HOTLINE_SCREENS=FOLDER`` keeps the pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.real import people
from tests.real.visits import PLACES, Visit
from tests.real.workday import PASSWORD, USERS, Workday, workday
from tests.web.browser import DESK, HEAVIEST, PHONE, Theme, Visitor, browser, stranger, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKS: dict[str, tuple[tuple[int, Theme], ...]] = {
    "zh": ((DESK, "light"), (PHONE, "dark")),
    "en": ((DESK, "dark"), (PHONE, "light")),
}
"""By language: widths and themes."""

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workday]:
    async with workday(tmp_path_factory.mktemp("screens")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seats(day: Workday, opened: Browser) -> AsyncIterator[dict[str, Visitor]]:
    """Everybody at their screen, and nobody at the sign-in."""
    async with AsyncExitStack() as stack:
        names = [name for name, (_shown, _role, _agent, here) in USERS.items() if here]
        sitting = {"": await stack.enter_async_context(stranger(opened, day.url))}
        for name in names:
            sitting[name] = await stack.enter_async_context(visitor(opened, day.url, name, PASSWORD))
        yield sitting


async def looked_at(
    here: Visitor, path: str, shows: tuple[str, ...], name: str, languages: tuple[str, ...] = ("zh", "en")
) -> list[str]:
    """What is wrong with this page, in these languages and at both widths."""
    found: list[str] = []
    for language in languages:
        await here.reads(language)
        for number, (width, theme) in enumerate(LOOKS[language]):
            await here.adapts(width=width, theme=theme)
            if not number:
                await here.look(path)
                if not 2_000 < here.weight < HEAVIEST:
                    found.append(f"{path}: {here.weight:.0f} bytes")
            for selector in shows:
                await expect(here.page.locator(selector).first, f"{path}: {selector}").to_be_attached()
            found += [f"{language} {width} {theme} {one}" for one in await here.findings()]
            await here.picture(f"{name}-{language}-{width}")
    await here.reads("zh")
    return found


async def walks_round(here: Visitor, day: Workday, visits: list[Visit]) -> list[str]:
    found: list[str] = []
    for visit in visits:
        path = visit.at(day)
        name = path.partition("?")[0]
        for what, call_id in (*day.calls.items(), *day.users.items()):
            name = name.replace(call_id, what)
        name = f"{visit.who or 'nobody'}{name.replace('/', '-')}"
        found += await looked_at(here, path, visit.shows, name, visit.languages)
    return found


async def test_every_screen_is_sound(day: Workday, seats: dict[str, Visitor]) -> None:
    by_person = {who: [visit for visit in PLACES if visit.who == who] for who in seats}
    found = await asyncio.gather(*(walks_round(seats[who], day, visits) for who, visits in by_person.items() if visits))
    said = [one for each in found for one in each]
    assert not said, "\n".join(said)
    for here in seats.values():
        here.all_was_right()


@pytest.mark.parametrize("walk", people.WALKS, ids=lambda walk: walk.__name__)
async def test_each_person_at_their_work(
    day: Workday, seats: dict[str, Visitor], opened: Browser, walk: people.Walk
) -> None:
    found = await walk(people.Floor(day, seats, opened, looked_at))
    assert not found, "\n".join(found)
    for here in seats.values():
        here.all_was_right()
