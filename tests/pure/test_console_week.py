"""The roster for the console's duty room: kept while it is right, and made beside the loop that takes calls."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from config.load import load_settings
from config.settings import Settings
from console.week import PEOPLE, Bar, WeekRow, packed
from hotline import console_week as module
from hotline.console_week import RosterLooks, week_of

NOW = dt.datetime(2026, 11, 26, 7, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
TODAY = NOW.date()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(Path("config"))


def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is made, one after the other."""
    made: list[str] = []

    async def here(job: Any, *about: Any) -> Any:
        made.append(job.__name__)
        return job(*about)

    monkeypatch.setattr(module, "in_worker", here)
    monkeypatch.setattr(module, "is_small", lambda settings: False)
    return made


async def test_a_week_is_made_once_until_the_settings_change(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, looks = count(monkeypatch), RosterLooks()
    both = await asyncio.gather(looks.week(settings, TODAY, NOW), looks.week(settings, TODAY, NOW))
    assert made == ["week_of"] and both[0] is both[1]
    await looks.checked(settings, NOW)
    changed = settings.model_copy()
    assert await looks.week(changed, TODAY, NOW) is not both[0]
    assert made == ["week_of", "checked", "week_of"]


async def test_an_old_answer_is_given_at_once_while_another_is_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, looks = count(monkeypatch), RosterLooks()
    first = await looks.week(settings, TODAY, NOW)
    monkeypatch.setattr(module, "KEPT", -1.0)
    assert await looks.week(settings, TODAY, NOW) is first
    await asyncio.gather(*looks._anew)
    monkeypatch.setattr(module, "KEPT", 300.0)
    assert await looks.week(settings, TODAY, NOW) is not first and made == ["week_of"] * 2

    async def broken(*_about: Any) -> Any:
        raise OSError("no process")

    monkeypatch.setattr(module, "KEPT", -1.0)
    monkeypatch.setattr(module, "in_worker", broken)
    assert (await looks.week(settings, TODAY, NOW)).people == first.people
    await asyncio.gather(*looks._anew)


async def test_an_instant_holds_for_its_minute(settings: Settings) -> None:
    looks = RosterLooks()
    seen = await looks.instant(settings, NOW)
    assert [one.agent for one in seen.there][:2] == ["8001", "8002"] and seen.at.second == 0
    assert await looks.instant(settings, NOW + dt.timedelta(seconds=20)) is seen
    later = await looks.instant(settings, NOW + dt.timedelta(hours=8))
    assert [one.agent for one in later.there][:2] == ["8003", "8004"]
    assert await looks.instant(settings.model_copy(), NOW + dt.timedelta(hours=8)) is not later


def test_people_come_page_by_page(settings: Settings) -> None:
    bar = Bar(0, 0.0, 0.1, "早班", "早", 1, "06:00–14:00", False, "cover", "8002")
    rows = [WeekRow(str(n), "名", "甲班", 40.0, 2, (bar,), {3: "年假"}) for n in range(2 * PEOPLE + 1)]
    week = week_of(settings, TODAY, NOW)
    assert [row.agent for row in week.page(1)] == [row.agent for row in week.rows()] and week.page(2) == ()
    assert [len(page) > 0 for page in packed(rows)] == [True] * 3
    whole = type(week)(week.days, len(rows), packed(rows), week.shifts, week.holes, week.picture, week.now)
    assert list(whole.rows()) == rows and whole.page(3) == (rows[-1],) and whole.page(4) == whole.page(0) == ()
