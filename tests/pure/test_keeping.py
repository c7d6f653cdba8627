"""What the daemon does for the archive by the clock: the night's purge, the room that is left, the log's anchor."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.keep import Keep
from config.load import load_settings
from hotline import keeping as module
from hotline.archive_watch import ArchiveWatch
from hotline.keeping import Keeping, free_bytes
from hotline.last_turns import LastTurns
from recordings.turns import PURGE, turn
from tests.pure.keep_play import NOW, House

ROOT = Path(__file__).parents[2]
NIGHT = dt.datetime.fromtimestamp(NOW / 1e6, dt.UTC)
"""16:00 in Shanghai."""


class Daemon:
    """As much of the daemon as keeping needs. ``told``: the codes of its warnings."""

    def __init__(self, house: House, journal: Any, keep: Keep, free: int = 0) -> None:
        base = load_settings(ROOT / "config")
        recording = base.hotline.recording.model_copy(update={"keep": keep, "free_warning": free})
        self.settings = base.model_copy(
            update={"hotline": base.hotline.model_copy(update={"recording": recording})}
        )
        self.state_dir, self.folders, self.journal = house.state, house.folders, journal
        self.access = module.AccessLog(journal, lambda: NOW, house.state)
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.turns, self.archive = LastTurns(house.state), ArchiveWatch(house.folders)
        self.told: list[str] = []
        self.alerts = SimpleNamespace(alert=lambda code, once="", **params: self.told.append(code))
        self.time = NIGHT

    def wall(self) -> dt.datetime:
        return self.time


async def test_the_night_s_purge_once_a_day_by_its_hour_and_never_by_a_clock_that_was_stepped(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(200, 10, 10, 10, 10, 10)
    async with house.open() as journal:
        daemon = Daemon(house, journal, Keep(purge_at=dt.time(16, 30)))
        keeping = Keeping(cast(Any, daemon))
        await keeping._night()  # half past four has not come
        assert len(house.files()) == 12
        daemon.time = NIGHT + dt.timedelta(days=4000, hours=1)  # stepped: what the steady clock says holds
        await keeping._night()
        assert "c-0.flac" not in house.files() and len(house.files()) == 10 and daemon.told == []
        daemon.time = NIGHT + dt.timedelta(hours=1)
        await keeping._night()
        await keeping._night()
        assert len(house.files()) == 10


async def test_a_purge_that_is_refused_or_fails_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(*[200] * 8)
    async with house.open() as journal:
        daemon = Daemon(house, journal, Keep(purge_at=dt.time(0, 0)))
        await Keeping(cast(Any, daemon))._night()
        assert daemon.told == ["purge_refused"] and len(house.files()) == 16
        async with turn(house.state, PURGE):
            await Keeping(cast(Any, daemon))._night()
        assert daemon.told[1:] == ["purge_failed"]
        never = Daemon(house, journal, Keep(purge_at=None))
        await Keeping(cast(Any, never))._night()
        assert never.told == [] and len(house.files()) == 16


async def test_too_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    async with house.open() as journal:
        for free, wanted, told in ((9, 10, ["disk_low"]), (11, 10, []), (0, 0, [])):
            monkeypatch.setattr(module, "free_bytes", lambda folders, free=free: {folders[0]: free * 10**9})
            daemon = Daemon(house, journal, Keep(), wanted)
            await Keeping(cast(Any, daemon))._room(NIGHT.date())
            assert daemon.told == told
    assert len(free_bytes([tmp_path, tmp_path, tmp_path / "gone"])) == 1
