"""The check of changed settings in its worker: one that hangs ends, as an error that is shown."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.catalogue import answering
from config.load import load_settings
from config.snapshot import Snapshot
from hotline import examine
from hotline.reload import Reload
from tests.pure.cli_play import config_folder

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
SETTINGS = load_settings(Path(__file__).resolve().parents[2] / "config")


async def test_a_check_that_hangs_is_an_error_and_its_worker_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine, "LONGEST", 0.01)  # no process starts so soon
    with pytest.raises(TimeoutError):
        await examine.in_worker(time.sleep, 3600)
    found = await examine.examined(tmp_path, tmp_path, tmp_path / "draft", SETTINGS, Snapshot({}), NOW)
    assert [problem.code for problem in found.errors] == ["check-failed"] and found.settings is None
    for _ in range(3000):  # the pool's own thread may be the one that reaps it, and tells of it a moment later
        if not multiprocessing.active_children():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(multiprocessing.active_children())


def test_errors_are_told_to_each_reader_in_their_own_language(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    with (config / "menu.yaml").open("a", encoding="utf-8") as file:
        file.write("\nnonsense: 1\n")
    ready: Any = SimpleNamespace(
        config_dir=config, state_dir=tmp_path, settings=SETTINGS, seen=Snapshot({}), refused=[]
    )  # fmt: skip
    daemon: Any = None
    with answering("zh"):
        reload = Reload(ready, daemon)
        found = examine.examine(config, tmp_path, tmp_path / "draft", SETTINGS, Snapshot({}), NOW)
    reload._errors, reload._abroad = found.errors, found.abroad
    for language, word in (("zh", "请删去。"), ("en", "Remove it.")):
        with answering(language):
            about = reload.status()
        assert about["language"] == language
        (told,) = about["errors"]
        assert told.startswith("menu.yaml:") and word in told
