"""Every room that is in the navigation, in a real browser: nothing fails on it, axe finds nothing, it fits a phone.

A new room is looked at here as soon as it is in the navigation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.browser import DESK, HEAVIEST, PHONE, Visitor, browser, visitor, weight_of
from tests.web.plain_site import PASSWORD, Web, plain_web

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKS = (("zh", DESK, "light"), ("en", PHONE, "dark"), ("zh", PHONE, "light"), ("en", DESK, "dark"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    async with plain_web(tmp_path_factory.mktemp("screens")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


async def seen(here: Visitor, path: str, look: tuple[str, int, str]) -> list[str]:
    """What is wrong with this page, looked at so."""
    language, width, theme = look
    await here.shows(theme=theme, width=width, language=language)  # type: ignore[arg-type]
    await here.look(path)
    await here.picture(f"{here.name}{path.replace('/', '-')}-{width}-{language}")
    return await here.findings()


@pytest.mark.parametrize("name", ["admin", "agent"])
async def test_every_room_is_sound(house: Web, opened: Browser, name: str) -> None:
    found: list[str] = []
    async with visitor(opened, house.url, name, PASSWORD) as here:
        rooms = [*await here.rooms(), "/account"]
        for number, path in enumerate(rooms):
            for look in LOOKS[number % 2 * 2 :][:2]:  # each language, width and theme in its turn
                found += await seen(here, path, look)
    assert not found, "\n".join(found)


async def test_before_the_sign_in_the_page_is_sound_and_light(house: Web, opened: Browser) -> None:
    context = await opened.new_context()
    here = Visitor(house.url, context, await context.new_page(), "nobody")
    found = [one for look in LOOKS[:2] for one in await seen(here, "/sign-in", look)]
    await context.close()
    assert not found + here.wrong, "\n".join(found + here.wrong)
    assert 2_000 < await weight_of(opened, f"{house.url}/sign-in") < HEAVIEST


async def test_the_first_load_of_every_room_is_light(house: Web, opened: Browser) -> None:
    async with visitor(opened, house.url, "admin", PASSWORD) as here:
        weights = {path: await weight_of(opened, house.url + path, here.context) for path in await here.rooms()}
    assert weights and max(weights.values()) < HEAVIEST, weights
