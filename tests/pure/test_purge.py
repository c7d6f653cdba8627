"""Deleting what is over: journal first, then the file; killed, raced, misled by links and clocks, or without a disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from calllog import events as ev, queries
from calllog.keep_queries import list_holds
from calllog.verify import rebuild, verify
from config.keep import Keep
from hotline.ledger import Own
from recordings import purge as purging
from recordings.folders import Folders
from recordings.holds import hold, release
from recordings.ledger import Entry
from recordings.manifest import unfinished
from recordings.purge import TooMany, plan, purge
from recordings.removing import look, remove
from recordings.retention import DAY
from recordings.turns import PURGE, Busy, turn
from tests.pure.journal_play import stored, tamper
from tests.pure.keep_play import NOW, House

KEEP = Keep(purge_most=100)


async def states(house: House) -> dict[str, str]:
    return {row.call_id: row.state for row in await queries.list_recordings(house.store)}


async def test_what_is_over_goes_by_its_rule_and_the_rest_stays(tmp_path: Path) -> None:
    house = House(tmp_path)
    old, _young = await house.record(181, 179)
    (complaint,) = await house.record(200, queue="complaint", name="complaint")
    (message,) = await house.record(91, category="voicemail", name="v")
    (held,) = await house.record(300, name="held")
    async with house.ledger() as ledger:
        await hold(house.state, ledger, [held], "案件 12 号", by="os:test")
        made = plan(house.store, house.folders, KEEP, NOW)
        assert (made.held, made.of, {each.due.kept.call_id for each in made.going}) == (1, 5, {old, message})
        done = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test", why="夜间")
        again = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
    assert (done.gone, done.failed, again.manifest) == (2, [], None) and done.freed > 1000
    assert house.files() == {f"{call}.flac{end}" for call in ("c-1", complaint, held) for end in ("", ".measure")}
    found = await states(house)
    assert (found[old], found[message], found[complaint], found[held]) == ("purged", "purged", "finished", "finished")
    assert done.manifest is not None and not done.manifest.mark.exists()
    body = json.loads(done.manifest.path.read_bytes())
    assert {(item["call_id"], item["kind"], item["days"]) for item in body["items"]} == {
        (old, "call", 180), (message, "voicemail", 90)}  # fmt: skip
    digest = hashlib.sha256(done.manifest.path.read_bytes()).hexdigest()
    assert set(stored(house.store, "SELECT json_extract(data, '$.manifest_sha256') FROM event"
                                   " WHERE kind = 'recording_purged'")) == {(digest,)}  # fmt: skip
    assert verify(house.store) == [] and rebuild(house.store).changed == 0
    async with house.ledger() as ledger:
        assert [row.reason for row in list_holds(house.store)] == ["案件 12 号"]
        assert await release(house.store, ledger, [held], "结案", by="os:test") == 1
        assert (await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")).gone == 1
    assert list_holds(house.store) == [] and len(list_holds(house.store, lifted=True)) == 1


async def test_what_was_a_complaint_once_stays_one(tmp_path: Path) -> None:
    house = House(tmp_path)
    passed_on, rewritten, plain = await house.record(200, 200, 200)
    async with house.open() as journal:
        for queue in ("complaint", "inquiry"):
            journal.append("call", passed_on, ev.Enqueued(queue=queue, priority=5), at=NOW)
        for version, subject in enumerate(("complaint", "consult-order"), 1):
            written = ev.RecordWritten(record_id="r", version=version, by="8001", agent="8001", subject=subject,
                                       complete=True)  # fmt: skip
            journal.append("call", rewritten, written, at=NOW)
    made = plan(house.store, house.folders, KEEP, NOW)
    assert {each.due.kept.call_id for each in made.going} == {plain}
    made = plan(house.store, house.folders, KEEP, NOW + 1000 * DAY)
    assert {each.due.kind for each in made.going} == {"call", "complaint"} and len(made.going) == 3


async def test_a_clock_years_ahead_or_behind_takes_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(*range(20))
    async with house.ledger() as ledger:
        with pytest.raises(TooMany):
            await purge(house.store, house.folders, Keep(), NOW + 10 * 365 * DAY, ledger, by="hotline")
        for wrong in (NOW - 10 * 365 * DAY, 0, -NOW):
            assert (await purge(house.store, house.folders, Keep(), wrong, ledger, by="hotline")).manifest is None
    assert len(house.files()) == 40 and not list(house.folders.archive.glob("manifests/*"))


class Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("when", ["before the journal", "before the files", "in the files"])
async def test_a_kill_in_the_middle_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    house = House(tmp_path)
    await house.record(*[200] * 6)
    async with house.ledger() as ledger:
        with monkeypatch.context() as patched:
            if when == "before the journal":

                async def never(self: Own, entries: Sequence[Entry]) -> None:
                    raise Killed

                patched.setattr(Own, "write", never)
            else:
                left = 2 if when == "in the files" else 0

                def some(archive: Path, file: str) -> int:
                    nonlocal left
                    if not left:
                        raise Killed
                    left -= 1
                    return remove(archive, file)

                patched.setattr(purging, "remove", some)
            with pytest.raises(Killed):
                await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
        assert len(unfinished(house.folders.archive)) == 1
        done = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
    assert done.gone == (6 if when == "before the journal" else 0)
    assert house.files() == set() and unfinished(house.folders.archive) == []
    assert set((await states(house)).values()) == {"purged"}
    assert verify(house.store) == []


async def test_two_at_once_and_a_hold_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    calls = await house.record(*[200] * 6)
    monkeypatch.setattr(purging, "PIECE", 2)
    write, begun, on = Own.write, asyncio.Event(), asyncio.Event()
    async with house.ledger() as ledger:

        async def slow(self: Own, entries: Sequence[Entry]) -> None:
            begun.set()
            await on.wait()
            await write(self, entries)

        monkeypatch.setattr(Own, "write", slow)
        first = asyncio.create_task(purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test"))
        await begun.wait()
        with pytest.raises(Busy, match=str(os.getpid())):
            await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
        held = asyncio.create_task(hold(house.state, ledger, calls, "诉讼", by="os:test"))
        await asyncio.sleep(0.1)  # it waits for its turn by now, or takes it a little later
        on.set()
        await held
        done = await first
    found = await states(house)
    assert done.left and done.gone + done.left == 6
    assert {f"{call}.flac" for call, state in found.items() if state == "finished"} == {
        name for name in house.files() if name.endswith(".flac")}  # fmt: skip
    assert sum(state == "finished" for state in found.values()) == done.left
    async with turn(house.state, PURGE, 0.0):
        pass


async def test_an_archive_that_is_not_mounted_and_files_that_are_none(tmp_path: Path) -> None:
    house = House(tmp_path)
    calls = await house.record(*[200] * 4)
    outside = tmp_path / "precious.flac"
    outside.write_bytes(b"precious")
    linked = house.folders.finished("2026/01/01/c-0.flac")
    linked.unlink()
    linked.symlink_to(outside)
    house.folders.finished("2026/01/02/c-1.flac").unlink()  # gone already: fine
    away = house.folders.archive / "2026/01/03"
    away.rename(tmp_path / "elsewhere")
    away.symlink_to(tmp_path / "elsewhere")  # a folder that leads out of the archive
    async with house.ledger() as ledger:
        done = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
        assert {each.due.kept.call_id: each.found for each in done.plan.odd} == {"c-0": "odd", "c-2": "odd"}
        assert done.gone == 2 and outside.read_bytes() == b"precious"
        assert (tmp_path / "elsewhere" / "c-2.flac").exists()
        house.folders.archive.rename(tmp_path / "unmounted")
        made = plan(house.store, house.folders, KEEP, NOW)
        assert {each.found for each in made.odd} == {"no_folder"} and made.going == ()
    found = await states(house)
    assert [found[call] for call in calls] == ["finished", "purged", "finished", "purged"]


@pytest.mark.parametrize("file", ["../x", "/etc/passwd", "", "2026/../../x", "."])
def test_no_name_leads_out_of_the_archive(tmp_path: Path, file: str) -> None:
    folders = Folders(tmp_path / "var")
    folders.make()
    (tmp_path / "x").write_text("x")
    (tmp_path / "var" / "x").write_text("x")
    assert look(folders.archive, file)[0] in ("odd", "gone")
    remove(folders.archive, file)
    assert (tmp_path / "x").exists() and (tmp_path / "var" / "x").exists() and folders.spool.is_dir()


async def test_a_journal_that_names_a_file_elsewhere_deletes_nothing_there(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(200)
    precious = tmp_path / "precious"
    precious.write_text("x")
    tamper(house.store, "UPDATE recording SET file = '../../precious'")
    async with house.ledger() as ledger:
        done = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
    assert precious.exists() and [each.found for each in done.plan.odd] == ["odd"]


async def test_a_disk_that_is_full_before_the_manifest_is_safe_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    await house.record(200)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("recordings.manifest._write", full)
    async with house.ledger() as ledger:
        with pytest.raises(OSError):
            await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
    assert len(house.files()) == 2 and (await states(house)) == {"c-0": "finished"}


async def test_files_that_cannot_be_deleted_are_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    await house.record(200, 200)

    def refused(archive: Path, file: str) -> Any:
        raise PermissionError(13, "Permission denied", file)

    async with house.ledger() as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(purging, "remove", refused)
            done = await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
        assert len(done.failed) == 2 and len(unfinished(house.folders.archive)) == 1
        await purge(house.store, house.folders, KEEP, NOW, ledger, by="os:test")
    assert house.files() == set() and unfinished(house.folders.archive) == []
