"""``make screenshots``: the pictures of the console in docs/screenshots/, of a real hotline with real calls.

They show the day of ``tests.real.workday``: all names and numbers are invented, and each run has them at the same time
of the same day. Every picture is made in both languages.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import expect

from tests.real.visits import call
from tests.real.workday import PASSWORD, Workday, workday
from tests.web.browser import DESK, PHONE, browser, visitor

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"

LARGEST = 150_000
"""Bytes of a picture."""

SPEED = 150
"""Words a minute: as fast as people talk."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: who looks at which page, and what must be seen on it; pixels."""

    name: str
    who: str
    path: str
    shows: str
    width: int = DESK
    height: int = 800


SHOTS = (
    Shot("desk", "zhangmin", "/desk", ".desk-mode.ringing", height=948),
    Shot("phone", "zhangmin", "/desk", ".desk-mode.ringing", width=PHONE, height=844),
    Shot("duty", "banzhang", "/duty", ".week rect.shift", height=1000),
    Shot("calls", "banzhang", "/calls", "#found tbody tr:nth-child(7)", height=800),
    Shot("call", "banzhang", "/calls/order", ".course li:nth-child(10)", height=1080),
    Shot("recording", "quality1", "/quality/calls/refund", "#wave > div", height=900),
)


async def pictures(day: Workday, folder: Path) -> list[str]:
    """Make them all; returns those that are too large."""
    large: list[str] = []
    async with browser() as opened:
        for shot in SHOTS:
            page_of, _slash, name = shot.path.rpartition("/")
            path = call(name, page_of + "/{}")(day) if name in day.calls else shot.path
            async with visitor(opened, day.url, shot.who, PASSWORD) as here:
                for language in ("zh", "en"):
                    await here.shows(language=language, width=shot.width, theme="light")
                    await here.page.set_viewport_size({"width": shot.width, "height": shot.height})
                    await here.look(path)
                    await expect(here.page.locator(shot.shows).first).to_be_attached()
                    file = folder / f"{shot.name}.{language}.png"
                    data = await here.page.screenshot(path=file, animations="disabled", caret="hide")
                    print(f"{file.relative_to(folder.parent.parent)}  {len(data) // 1000} kB")
                    large += [file.name] if len(data) > LARGEST else []
    return large


async def main() -> int:
    """Into docs/screenshots/."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hotline-screenshots-") as folder:
        async with workday(Path(folder), speed=SPEED) as day:
            large = await pictures(day, FOLDER)
    if large:
        print(f"larger than {LARGEST // 1000} kB: {', '.join(large)}", file=sys.stderr)
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
