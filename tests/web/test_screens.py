"""Every room of the navigation before there is anything in it: nothing fails, axe finds nothing, it fits a phone.

Every page with something on it: tests/screens (make screens).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.browser import DESK, HEAVIEST, PHONE, Visitor, browser, visitor
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
    await here.picture(f"empty-{here.name}{path.replace('/', '-')}-{language}-{width}")
    heavy = [f"{path}: {here.weight:.0f} bytes"] if here.weight > HEAVIEST else []
    return heavy + await here.findings()


@pytest.mark.parametrize("name", ["admin", "agent"])
async def test_every_room_is_sound(house: Web, opened: Browser, name: str) -> None:
    found: list[str] = []
    async with visitor(opened, house.url, name, PASSWORD) as here:
        rooms = [*await here.rooms(), "/account"]
        for number, path in enumerate(rooms):
            for look in LOOKS[number % 2 * 2 :][:2]:  # each language, width and theme in its turn
                found += await seen(here, path, look)
    assert not found, "\n".join(found)
