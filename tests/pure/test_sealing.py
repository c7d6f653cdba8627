"""Sealing recordings from before ``encrypt`` was set: proved before anything is replaced, and safe to be broken off."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import os
from pathlib import Path

import pytest

from config.load import load_settings
from recordings import sealing
from recordings.check_plain import check_plain
from recordings.errors import NoKey
from recordings.findings import CheckJob
from recordings.keys import NO_KEYS, Ring, load_ring, make_key
from recordings.reconcile import reconcile
from recordings.sealed import is_sealed, open_stored
from recordings.sealing import SealingStopped, plain_files, seal_all
from tests.pure.cli_play import ROOT, config_folder, hotline
from tests.pure.keep_play import NOW, House, sound


def key(house: House) -> Ring:
    make_key(house.state / "keys", dt.datetime.now(dt.UTC))
    return load_ring(house.state / "keys")


def content(house: House, name: str, ring: Ring) -> bytes:
    (path,) = house.folders.archive.rglob(name)
    with open_stored(path, str(path.relative_to(house.folders.archive)), ring) as file:
        return file.read()


def parts(house: House) -> list[Path]:
    return list(house.folders.archive.rglob(".*.part"))


async def test_what_was_plain_is_sealed_and_opened_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(3, 2, 1, name="c")
    ring = key(house)
    (damaged,) = house.folders.archive.rglob("c-1.flac")
    damaged.write_bytes(b"not what was archived")
    (gone,) = house.folders.archive.rglob("c-2.flac")
    gone.rename(tmp_path / "elsewhere")
    gone.symlink_to(tmp_path / "elsewhere")
    foreign = house.lay("2026/01/01/foreign.flac", b"of somebody else")
    steps: list[tuple[int, int]] = []
    done = await seal_all(house.store, house.folders, ring, progress=lambda n, of: steps.append((n, of)))
    assert (done.done, done.before, len(done.left)) == (4, 0, 2) and steps[-1] == (6, 6)
    assert {file.rpartition("/")[2] for file, _why in done.left} == {"c-1.flac", "c-2.flac"}
    assert damaged.read_bytes() == b"not what was archived" and not is_sealed(foreign) and parts(house) == []
    (path,) = house.folders.archive.rglob("c-0.flac")
    assert is_sealed(path) and sound("c-0")[:20] not in path.read_bytes()
    assert content(house, "c-0.flac", ring) == sound("c-0") and content(house, "c-0.flac.measure", ring) == b"{}"
    again = await seal_all(house.store, house.folders, ring)
    assert (again.done, again.before) == (0, 4)
    back = await seal_all(house.store, house.folders, ring, seal=False)
    assert back.done == 4 and path.read_bytes() == sound("c-0")


async def test_without_a_key_nothing_is_touched(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(3, name="c")
    with pytest.raises(NoKey):
        await seal_all(house.store, house.folders, NO_KEYS)
    assert content(house, "c-0.flac", NO_KEYS) == sound("c-0")


async def test_a_full_disk_a_kill_and_a_purge_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    await house.record(3, 2, name="c")
    ring = key(house)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "_copy", full)
        with pytest.raises(SealingStopped):
            await seal_all(house.store, house.folders, ring)
    assert sum(plain_files(house.store, house.folders)) == 2 and parts(house) == []
    write = sealing._write

    def purged(path: Path, *rest: object) -> object:
        stamp = write(path, *rest)  # type: ignore[arg-type]
        path.unlink()
        return stamp

    def changed(path: Path, *rest: object) -> object:
        stamp = write(path, *rest)  # type: ignore[arg-type]
        os.utime(path, (1, 1))
        return stamp

    for other in (changed, purged):
        with monkeypatch.context() as patched:
            patched.setattr(sealing, "_write", other)
            done = await seal_all(house.store, house.folders, ring)
        assert done.done == 0 and parts(house) == []
    assert house.files() == set(), "what was purged does not come back"


async def test_how_many_are_left_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(3, 2, 1, name="c")
    key(house)
    settings = load_settings(ROOT / "config")
    recording = settings.hotline.recording.model_copy(update={"encrypt": True})
    wanted = settings.model_copy(update={"hotline": settings.hotline.model_copy(update={"recording": recording})})
    assert check_plain(settings, house.state, house.store) == []
    (told,) = check_plain(wanted, house.state, house.store)
    assert told.warning and "3" in told.what
    job = CheckJob(str(house.store), str(house.state), str(house.state / "keys"), NOW)
    assert reconcile(job).plain == 3
    await seal_all(house.store, house.folders, load_ring(house.state / "keys"))
    assert reconcile(job).plain == 0 and check_plain(wanted, house.state, house.store) == []


def test_the_command(tmp_path: Path) -> None:
    house = House(tmp_path)
    asyncio.run(house.record(3, name="c"))
    config = config_folder(tmp_path)
    assert hotline("recordings", "seal", config=config).exit_code == 1, "encrypt is off"
    text = (config / "hotline.yaml").read_text(encoding="utf-8")
    sealed = text.replace("\nrecording:\n", "\nrecording:\n  encrypt: true\n")
    (config / "hotline.yaml").write_text(sealed, encoding="utf-8")
    assert hotline("recordings", "seal", config=config).exit_code == 1, "there is no key"
    assert hotline("recordings", "keys", "new", config=config).exit_code == 0
    done = hotline("recordings", "seal", config=config, language="en")
    assert done.exit_code == 0 and "2 files are encrypted now" in done.stdout, done.output
    assert hotline("recordings", "seal", "--open", config=config).exit_code == 1
