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
from hotline.last_turns import FILE, LastTurns
from hotline.upkeep import Upkeep
from recordings.purge import Plan, Purged
from recordings.sampling import weeks_after
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
        self.turns, self.archive = LastTurns(folder), SimpleNamespace(look=self.nothing, missing="")
        self.begins, self.slept = begins.astimezone(dt.UTC), dt.timedelta()
        self.done: dict[str, list[dt.datetime]] = {"check": [], "purge": [], "draw": [], "anchor": []}
        self.weeks: list[str] = []
        self.reads: list[bool] = []
        self.fails: dict[str, Exception] = {}
        self.tasks: list[asyncio.Task[Any]] = []
        monkeypatch.setattr(keeping_module, "purge", self.purge)
        reviewing = SimpleNamespace(users=lambda state: [], said_absent=lambda done: [], draw=self.draw)
        monkeypatch.setattr(drawing_module, "importlib", SimpleNamespace(import_module=lambda name: reviewing))
        monkeypatch.setattr(asyncio, "to_thread", self.at_once)  # a thread has no virtual time
        monkeypatch.setattr(Upkeep, "check", self.check)
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

    async def draw(self, journal: Any, store: Any, settings: Any, request: dict[str, str], users: Any) -> Any:
        self.weeks.append(request["week"])
        await self.note("draw")
        return {"drew": []}

    async def check(self, *, reads: bool = True) -> None:
        self.reads.append(reads)
        await self.note("check")
        if reads:
            self.turns.note(check=self.wall().astimezone(self.zone).date().isoformat())

    async def nothing(self, *about: Any) -> None:
        return None

    async def unmeasured(self, *about: Any) -> Any:
        return [], 0

    async def at_once(self, work: Callable[..., Any], *about: Any, **named: Any) -> Any:
        return work(*about, **named)

    async def start(self) -> None:
        daemon: Any = self
        self.turns = LastTurns(self.state_dir)
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


async def test_a_restart_after_the_time_does_nothing_of_the_day_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 11, 3, 3, 29, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    await over(world, 300 / DAY)
    await over(world, 4 / 24)
    await over(world, 0.95)
    assert world.times("purge") == ["03 03:30", "04 03:30"]
    assert world.times("check")[:3] == ["03 03:31", "03 03:36", "03 07:36"], "each start compares"
    assert world.reads == [True, False, False, True], "and reads no more than once a day"
    assert world.times("draw") == ["03 06:04", "04 06:04"]
    world.fails["purge"] = StoreError("gone")
    await over(world, 1)
    world.fails.clear()
    await over(world, 0.01)
    assert len(world.times("purge")) == 4, "what failed was not done: the next start does it"


async def test_weeks_without_a_daemon_are_drawn_by_the_next_start_each_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 12, 14, 5, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    await over(world, 1.5)
    assert world.weeks == ["2026-W50", "2026-W50"], "where nothing is known before, the last week alone"
    world.slept = dt.timedelta(days=31)
    world.fails["draw"] = StoreError("busy")
    await over(world, 0.2)
    world.fails.clear()
    world.weeks.clear()
    await over(world, 0.2)
    assert world.weeks == ["2026-W51", "2026-W52", "2026-W53", "2027-W01"]
    world.weeks.clear()
    await over(world, 1)
    assert world.weeks == ["2027-W01"]


async def test_a_plan_that_is_made_later_begins_with_the_week_in_which_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, dt.datetime(2026, 11, 2, 5, tzinfo=SHANGHAI), monkeypatch, at=dt.time(3, 30))
    planned = world.settings
    await over(world, 0.5)
    world.settings = planned.model_copy(update={"reviews": planned.reviews.model_copy(update={"plans": {}})})
    for days in (7, 14, 20):
        world.slept = dt.timedelta(days=days)
        await over(world, 0.5)
    world.settings = planned
    world.weeks.clear()
    await over(world, 1)
    assert world.weeks == ["2026-W47"]


@pytest.mark.parametrize("text", [b"", b"[1]", b"{\"purge\": 3, \"week\": \"soon\", \"draw\": \"\"}", b"\xff\x00"])
def test_a_damaged_memory_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE).write_bytes(text)
    turns = LastTurns(tmp_path)
    assert turns.day("purge") is turns.day("draw") is None and weeks_after(turns.last("week"), "2026-W48", 9) == [
        "2026-W48"
    ]
    turns.note(purge="2026-11-26")
    assert LastTurns(tmp_path).day("purge") == dt.date(2026, 11, 26)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_weeks_between() -> None:
    assert weeks_after("2026-W52", "2027-W02", 9) == ["2026-W53", "2027-W01", "2027-W02"]
    assert weeks_after("2020-W01", "2026-W48", 3) == ["2026-W46", "2026-W47", "2026-W48"]
    assert weeks_after("2027-W02", "2026-W48", 9) == weeks_after("2026-W48", "2026-W48", 9) == ["2026-W48"]


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
