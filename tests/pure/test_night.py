"""The daemon's watch over the night, with a real journal and the roster of the files."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hotline.night
from calllog.clock import Clock
from calllog.folds import AgentState
from calllog.journal import Journal
from config.load import load_settings
from config.settings import RosterFile, Settings
from hotline.alerts import STREAM_ID, Alerts
from hotline.night import Night
from routing.roster import Roster
from routing.warnings import Warned
from tests.pure.journal_play import new_store

NIGHTS = RosterFile.model_validate({
    "shifts": {"早班": {"from": "06:00", "to": "14:00"}, "晚班": {"from": "14:00", "to": "06:00"}},
    "rules": [{"shift": "早班", "agents": [8001]}, {"shift": "晚班", "not_on": ["sat"], "agents": [8001]}],
})  # fmt: skip
FRIDAY = dt.datetime(2027, 3, 5, 15, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
"""23 h before a gap of sixteen hours."""


class Desk:
    def __init__(self) -> None:
        self.mode: Any = "ready"

    def agents(self) -> list[AgentState]:
        return [AgentState("8001", self.mode)]

    def waiting(self) -> list[Any]:
        return []


class World:
    """As much of a daemon as the watch asks of it."""

    def __init__(self, journal: Journal, settings: Settings, now: dt.datetime) -> None:
        self.journal, self.settings, self.now = journal, settings, now
        self.desk, self.adopted = Desk(), True
        self.duty = SimpleNamespace(roster=Roster.of(settings))
        self.alerts = Alerts(journal, lambda: self.settings, self.wall)
        self.night = Night(self)  # type: ignore[arg-type]

    def wall(self) -> dt.datetime:
        return self.now

    def can_reach(self, agent: str) -> bool:
        return True

    async def told(self) -> list[str]:
        await self.night._look()
        await self.journal.flush()
        return [one.event.what for one in await self.journal.last_events("system", STREAM_ID, 100)]  # type: ignore[union-attr]


@pytest.fixture
def settings() -> Settings:
    return load_settings(Path("config")).model_copy(update={"roster": NIGHTS})


async def opened(store: Path) -> Journal:
    return await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))


async def test_a_gap_is_told_once_over_a_restart_and_again_when_it_is_near(tmp_path: Path, settings: Settings) -> None:
    store = new_store(tmp_path / "store")
    journal = await opened(store)
    world = World(journal, settings, FRIDAY)
    first = await world.told()
    queues = len(settings.queues.queues)
    assert len(first) == queues and all("begins 2027-03-06T06:00:00+00:00" in what for what in first)
    assert await world.told() == first
    await journal.close()
    journal = await opened(store)
    try:
        world = World(journal, settings, FRIDAY)
        assert await world.told() == first
        world.now += dt.timedelta(hours=21, minutes=30)  # the clock is stepped, or time has passed
        near = await world.told()
        assert len(near) == 2 * queues and "hours 1.5" in near[-1]
        world.now -= dt.timedelta(hours=20)
        assert await world.told() == near
    finally:
        await journal.close()


async def test_a_store_that_cannot_be_read_silences_nothing(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calllog.errors import StoreError

    journal = await opened(new_store(tmp_path / "store"))
    try:
        world = World(journal, settings, FRIDAY)

        async def broken(*_args: object) -> list[Any]:
            raise StoreError("broken")

        with monkeypatch.context() as patched:
            patched.setattr(journal, "last_events", broken)
            await world.night._look()
        assert len(await world.told()) == len(settings.queues.queues)
    finally:
        await journal.close()


async def test_callers_are_served_between_a_thousand_warnings(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, seen = 0, list[int]()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    journal = await opened(new_store(tmp_path / "store"))
    task = asyncio.create_task(others())
    try:
        world = World(journal, settings, FRIDAY)
        monkeypatch.setattr(hotline.night, "due", lambda *_facts: [Warned("x", str(n), {}) for n in range(10)])
        monkeypatch.setattr(world.alerts, "alert", lambda *_warning: seen.append(turns))
        await world.night._look()
    finally:
        task.cancel()
        await journal.close()
    assert len(set(seen)) == 10
