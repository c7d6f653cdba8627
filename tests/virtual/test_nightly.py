"""What the daemon does once a day, over days of virtual time: by the clock on the wall, whatever that does."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calllog.errors import StoreError
from config.load import load_settings
from hotline import drawing as drawing_module, keep_on as keep_on_module, keeping as keeping_module
from hotline.drawing import Drawing
from hotline.keep_on import Daily, keep_on
from hotline.keeping import Keeping
from hotline.upkeep import Upkeep
from recordings.purge import Plan, Purged
from tests.virtual.virtual_time import virtual_loop

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
DAY = 86_400.0


class World:
    """As much of a daemon as the three need; ``done``: what was begun, and when on the wall."""

    def __init__(self, folder: Path, begins: dt.datetime, monkeypatch: pytest.MonkeyPatch, *, at: dt.time) -> None:
        self.zone = begins.tzinfo
        base = load_settings(Path("config"))
        recording = base.hotline.recording.model_copy(update={
            "check_at": at, "keep": base.hotline.recording.keep.model_copy(update={"purge_at": at}), "free_warning": 0,
        })  # fmt: skip
        hotline = base.hotline.model_copy(update={"recording": recording, "timezone": str(self.zone)})
        self.settings = base.model_copy(update={"hotline": hotline})
        assert self.settings.hotline.zone == self.zone
        self.state_dir, self.folders = folder, SimpleNamespace(archive=folder, spool=folder)
        self.journal, self.access = SimpleNamespace(), SimpleNamespace(anchor=self.anchor)
        self.clock = SimpleNamespace(now=lambda: int(self.wall().timestamp() * 1e6))
        self.shelf, self.away = SimpleNamespace(retry=self.nothing), SimpleNamespace(calls=list)
        self.calls = SimpleNamespace(running=list)
        self.alerts = SimpleNamespace(alert=lambda *told, **params: None)
        self.begins, self.slept = begins.astimezone(dt.UTC), dt.timedelta()
        self.done: dict[str, list[dt.datetime]] = {"check": [], "purge": [], "draw": [], "anchor": []}
        self.fails: dict[str, Exception] = {}
        self.tasks: list[asyncio.Task[Any]] = []
        monkeypatch.setattr(keeping_module, "purge", self.purge)
        reviewing = SimpleNamespace(
            users=lambda state: [], with_graders=lambda settings, users: settings,
            last_week=lambda now, settings: "", bound=lambda users: {}, draw=self.draw,
        )  # fmt: skip
        monkeypatch.setattr(drawing_module, "importlib", SimpleNamespace(import_module=lambda name: reviewing))
        monkeypatch.setattr(asyncio, "to_thread", self.at_once)  # a thread has no virtual time
        monkeypatch.setattr(Upkeep, "check", lambda upkeep: self.note("check"))
        monkeypatch.setattr("hotline.upkeep.unmeasured", self.unmeasured)

    def wall(self) -> dt.datetime:
        return self.begins + dt.timedelta(seconds=virtual_loop().time()) + self.slept

    def how_kept(self) -> Any:
        return SimpleNamespace(keys="")

    async def note(self, what: str) -> Any:
        self.done[what].append(self.wall().astimezone(self.zone))
        if what in self.fails:
            raise self.fails[what]
        return None

    async def anchor(self) -> Any:
        await self.note("anchor")
        return SimpleNamespace(n=1, digest="")

    async def purge(self, *about: Any, **more: Any) -> Purged:
        await self.note("purge")
        return Purged(Plan((), (), 0, 0))

    async def draw(self, *about: Any) -> Any:
        await self.note("draw")
        return {"drew": []}

    async def nothing(self, *about: Any) -> None:
        return None

    async def unmeasured(self, *about: Any) -> Any:
        return [], 0

    async def at_once(self, work: Callable[..., Any], *about: Any) -> Any:
        return work(*about)

    async def start(self) -> None:
        daemon: Any = self
        upkeep, keeping, drawing = Upkeep(daemon), Keeping(daemon), Drawing(daemon)
        self.tasks = [asyncio.create_task(keep_on(work, course)) for work, course in
                      (("upkeep", upkeep.run), ("keeping", keeping.run), ("drawing", drawing.run))]  # fmt: skip

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def times(self, what: str) -> list[str]:
        return [f"{one:%d %H:%M}" for one in self.done[what]]


async def over(world: World, days: float) -> None:
    """So many days of it."""
    await world.start()
    await asyncio.sleep(days * DAY)
    await world.stop()


def within(times: list[dt.datetime], days: list[int], at: dt.time, minutes: float) -> None:
    """Once on each of these days of the month, at this time or so many minutes later by the wall."""
    assert [one.day for one in times] == days
    for one in times:
        late = dt.datetime.combine(one.date(), one.time()) - dt.datetime.combine(one.date(), at)
        assert dt.timedelta() <= late <= dt.timedelta(minutes=minutes), one


async def test_each_has_its_turn_once_a_day_in_the_hotline_s_own_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 11, 2, 12, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    await over(world, 3)
    within(world.done["check"][1:], [3, 4, 5], dt.time(3, 30), 1)
    assert world.times("check")[0] == "02 12:02", "and one a while after the start"
    within(world.done["purge"][1:], [3, 4, 5], dt.time(3, 30), 1)
    assert world.times("purge")[0] == "02 12:01", "the start was later than today's hour"
    within(world.done["draw"][1:], [3, 4, 5], dt.time(6), 11)
    assert len(world.done["anchor"]) == 4


TWICE, NEVER = dt.datetime(2026, 10, 24, 12), dt.datetime(2026, 3, 28, 12)
"""Before a night in which half past two comes so often."""


@pytest.mark.parametrize("begins", [TWICE, NEVER], ids=["twice", "never"])
async def test_an_hour_that_comes_twice_or_not_at_all_makes_no_turn_more_or_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: dt.datetime
) -> None:
    world = World(tmp_path, begins.replace(tzinfo=BERLIN), monkeypatch, at=dt.time(2, 30))
    await over(world, 1.9)
    days = [begins.day + 1, begins.day + 2]
    for what in ("check", "purge"):
        within(world.done[what][1:], days, dt.time(2, 30), 31)


async def test_a_machine_that_slept_over_the_time_makes_up_for_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 11, 2, 22, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    await world.start()
    await asyncio.sleep(3600)
    world.slept = dt.timedelta(hours=34)  # 09:00 of the day after the next
    await asyncio.sleep(6 * 3600)
    await world.stop()
    assert world.times("purge")[1:] == ["04 09:00"] and world.times("check")[1:] == ["04 09:00"]
    assert len(world.done["draw"]) == 2


async def test_a_restart_just_after_the_time_does_it_once_more_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 11, 3, 3, 29, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    await over(world, 300 / DAY)
    await over(world, 0.9)
    assert world.times("purge") == ["03 03:30", "03 03:35"]
    assert world.times("check") == ["03 03:31", "03 03:36"]
    assert world.times("draw") == ["03 06:04"]


@pytest.mark.parametrize("fault", [RuntimeError("a fault of ours"), StoreError("gone")], ids=["ours", "store"])
@pytest.mark.parametrize("failing", ["check", "purge", "draw", "anchor"])
async def test_one_that_fails_stops_no_other_and_is_not_tried_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, fault: Exception
) -> None:
    told: list[str] = []
    monkeypatch.setattr(keep_on_module, "log", SimpleNamespace(exception=lambda text, work: told.append(work)))
    world = World(tmp_path, dt.datetime(2026, 11, 2, 12, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    world.fails[failing] = fault
    await over(world, 1)
    for what in {"check", "purge", "draw"} - {failing}:
        assert len(world.done[what]) == 2, what
    often = {"check": 2, "purge": 2, "draw": 144, "anchor": 1440}[failing]  # a list, and a mark, are tried soon again
    assert 2 <= len(world.done[failing]) <= often + 1
    assert isinstance(fault, StoreError) or told


def test_a_turn_is_taken_once_a_day() -> None:
    daily, at = Daily(), dt.time(4)
    assert [daily.takes(dt.datetime(2026, 1, day, hour, tzinfo=SHANGHAI), at)
            for day, hour in ((1, 3), (1, 4), (1, 23), (2, 0), (2, 3), (2, 9), (2, 9))] == [
        False, True, False, False, False, True, False,
    ]  # fmt: skip
