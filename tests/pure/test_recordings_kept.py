"""Are the recordings there, whole and measured? Files against rows, coverage with reasons, measuring later."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.dialects.sqlite import dialect

from calllog import events as ev
from calllog.folds import CallState
from calllog.journal import Journal
from calllog.measure_queries import unmeasured
from calllog.queries import get_call
from calllog.recording_coverage import Coverage, coverage, questions
from calllog.verify import rebuild, verify
from hotline.archive_watch import ArchiveWatch
from hotline.shelf import Shelf
from hotline.upkeep import Measurer, note_checked
from recordings import aside, worker
from recordings.archive import finalise
from recordings.findings import CheckJob, FindingKind, Report, say_finding
from recordings.folders import RATE, Folders
from recordings.jobs import How, jobs_of
from recordings.keys import make_key
from recordings.mark import MARK, is_marked, recognise
from recordings.measures import measure_file
from recordings.notes import say
from recordings.reconcile import reconcile
from tests.pure.journal_play import new_store, open_journal, stored

UTC = dt.UTC
DAY = 86_400 * 1_000_000
NOW = 1_790_000_000_000_000


@dataclass
class House:
    """A store with finished calls on a folder of its own; ``calls`` by number."""

    state: Path
    how: How

    @property
    def store(self) -> Path:
        return self.state / "calls.db"

    @property
    def folders(self) -> Folders:
        return Folders(self.state)

    def file(self, number: int) -> Path:
        return next(self.folders.archive.glob(f"????/??/??/hotline-{number}.flac"))

    async def call(
        self, journal: Journal, number: int, seconds: float = 5.0, *, raw: bool = True, measured: bool = True,
        **how: str,
    ) -> None:  # fmt: skip
        """One talk of so many seconds, two days ago, archived. ``how``: ``off`` and ``failed`` (why): it was not
        recorded; ``due``: it is not finished."""
        call_id, at = f"hotline-{number}", NOW - 2 * DAY + number * 60_000_000
        talk, end = f"{call_id}-1", at + round(seconds * 1e6)
        told: list[tuple[int, ev.CallEvent]] = [
            (at, ev.Arrived(leg=call_id)), (at, ev.Asked(queue="service")),
            (at, ev.RingStarted(talk_id=talk, agent="8001", device="desk", leg="l")),
            (at, ev.RingEnded(talk_id=talk, agent="8001", result="answered")),
            (at, ev.TalkStarted(talk_id=talk, agent="8001", bridge="b")),
        ]  # fmt: skip
        if not how.get("off"):
            told.append((at, ev.RecordingRequested(talk_id=talk, part=1, file=f"{talk}.1.raw")))
            if why := how.get("failed"):
                told.append((at, ev.RecordingFailed(talk_id=talk, part=1, why=why)))
            else:
                told.append((at, ev.RecordingStarted(talk_id=talk, part=1)))
        told += [(end, ev.TalkEnded(talk_id=talk, agent="8001", by="caller")), (end, ev.HungUp(by="caller")),
                 (end, ev.Ended(outcome="answered"))]  # fmt: skip
        for when, event in told:
            journal.append("call", call_id, event, at=when)
        if raw and not how:
            t = np.arange(round(seconds * RATE)) / RATE
            sound = np.stack([9000 * np.sin(2 * np.pi * (300 + number) * t)] * 2, axis=1).astype("<i2")
            self.folders.raw(f"{talk}.1.raw").write_bytes(sound.tobytes())
        if not how.get("due"):
            state = CallState.of(call_id, await journal.events_of(call_id))
            for job in jobs_of(state, self.folders, UTC, self.how):  # type: ignore[arg-type]
                result = finalise(job)
                if result.why != "unrecorded":
                    journal.append("call", call_id, result.event("call"), at=end + 1_000_000)
                if result.measured and measured:
                    journal.append("call", call_id, result.measured, at=end + 1_000_000)
            self.folders.raw(f"{talk}.1.raw").unlink(missing_ok=True)
        for path in self.folders.archive.rglob("*"):
            os.utime(path, (NOW / 1e6 - 2 * 86_400,) * 2)

    def check(self, **how: object) -> Report:
        job = CheckJob(str(self.store), str(self.state), self.how.keys, NOW)
        return reconcile(replace(job, **how))  # type: ignore[arg-type]

    def found(self, **how: object) -> dict[FindingKind, int]:
        report = self.check(**how)
        assert all(say_finding(each) for each in report.findings)
        return report.counts


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Eleven calls: some whole, and one for each way in which a talk has no recording."""
    state = tmp_path_factory.mktemp("house")
    new_store(state)
    make_key(state / "keys", dt.datetime.fromtimestamp(NOW / 1e6, UTC))
    house = House(state, How(keys=str(state / "keys"), seal=True))
    house.folders.make()

    async def build() -> None:
        journal = await open_journal(house.store)
        for number in (1, 2, 3, 4):
            await house.call(journal, number)
        house.how = replace(house.how, seal=False)
        await house.call(journal, 5)
        await house.call(journal, 6, 2.9)  # too short to count
        await house.call(journal, 7, off="yes")
        await house.call(journal, 8, failed="declined")
        await house.call(journal, 9, failed="AMI did not answer")
        await house.call(journal, 10, raw=False)  # its raw file is missing
        await house.call(journal, 11, due="yes")
        await journal.close()

    asyncio.run(build())
    return house


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    state = tmp_path / "house"
    shutil.copytree(built.state, state)
    return House(state, replace(built.how, keys=str(state / "keys")))


QUIET: dict[FindingKind, int] = {"failed": 1, "due": 1}
"""What the calls of the house say by themselves."""


def test_what_is_there_is_right_and_what_is_unfinished_is_told(house: House) -> None:
    report = house.check()
    assert report.counts == QUIET and report.checked == () and report.unmeasured == ()
    assert (report.recordings, report.read, report.files) == (10, 6, 12)
    assert house.check(sample=0).read == 0
    assert house.check(since=NOW - 2 * DAY, until=NOW - 2 * DAY + 150_000_000).read == 2
    assert house.check(live=frozenset({"hotline-11"})).counts == {"failed": 1}


def test_each_damage_is_found_by_its_name_and_nothing_is_deleted(house: House) -> None:
    house.file(1).unlink()
    house.file(2).write_bytes(house.file(2).read_bytes()[:-100])
    data = bytearray(house.file(3).read_bytes())
    data[len(data) // 2] ^= 1
    house.file(3).write_bytes(data)
    shutil.copy(house.file(4), house.file(5))  # another call's file in its place
    day = house.file(6).parent
    measure = day / measure_file("hotline-6.flac")
    measure.unlink()
    for stray in ("hotline-99.flac", "hotline-6.flac.bak", ".hotline-6.flac.7.part", "hotline-99.flac.measure"):
        (day / stray).write_bytes(b"x")
        os.utime(day / stray, (NOW / 1e6 - 2 * 86_400,) * 2)
    (day / "hotline-98.flac").write_bytes(b"so young that its row may come yet")
    os.utime(day / "hotline-98.flac", (NOW / 1e6,) * 2)
    before = sorted(path.name for path in house.state.rglob("*"))
    report = house.check()
    assert report.counts == QUIET | {
        "gone": 1, "damaged": 3, "no_row": 2, "foreign": 1, "unfinished": 1,
    }  # fmt: skip
    assert report.unmeasured == (("hotline-6", "call"),)
    faults = {each.call_id: each.fault for each in report.checked}
    assert faults == {"hotline-1": "gone", "hotline-2": "damaged", "hotline-3": "damaged", "hotline-5": "damaged"}
    assert sorted(path.name for path in house.state.rglob("*")) == before
    by_size = {each.call_id: each.fault for each in house.check(sample=0).checked}
    assert by_size == faults  # a small sealed file is opened, and so proved, when its size is asked for


async def test_a_plain_file_is_held_against_size_and_digest(house: House) -> None:
    whole = house.file(5).read_bytes()
    house.file(5).write_bytes(whole[:-1])
    assert [each.fault for each in house.check(sample=0).checked] == ["size"]
    assert [each.fault for each in house.check().checked] == ["digest"]
    house.file(5).write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    assert house.check(sample=0).checked == ()
    assert [each.fault for each in house.check().checked] == ["digest"]
    journal = await open_journal(house.store)
    note_checked(journal, house.check().checked)
    await journal.close()
    assert house.check(sample=0).checked == ()  # its size alone does not make it right again


async def test_what_a_check_finds_stands_in_the_journal_until_it_is_right_again(house: House) -> None:
    aside = house.file(1).rename(house.state / "aside")
    key = next((house.state / "keys").iterdir())
    journal = await open_journal(house.store)
    note_checked(journal, house.check().checked)
    await journal.flush()
    assert (await coverage(house.store)).verified == 4
    assert house.check().checked == () and house.found()["gone"] == 1
    aside.rename(house.folders.archive / "2026" / "09" / "19" / "hotline-1.flac")
    hidden = key.rename(house.state / "hidden")
    note_checked(journal, house.check().checked)
    await journal.flush()
    assert house.found() == QUIET | {"no_key": 4}
    hidden.rename(key)
    note_checked(journal, house.check(sample=0).checked)
    await journal.close()
    assert house.found() == QUIET and (await coverage(house.store)).verified == 5
    assert verify(house.store) == [] and rebuild(house.store).changed == 0


def test_however_much_is_lost_the_answer_stays_small_and_a_worker_says_how_far_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        house.file(number).unlink()
    monkeypatch.setattr("recordings.reconcile.MOST_CHANGED", 2)
    monkeypatch.setattr("recordings.reconcile._STEP", 1)
    seen: list[tuple[int, int]] = []
    job = CheckJob(str(house.store), str(house.state), house.how.keys, NOW)
    report = reconcile(job, lambda done, total: seen.append((done, total)))
    assert report.counts["gone"] == 3 and len(report.checked) == 2
    assert seen == sorted(seen) and seen[-1] == (30, 30)
    course, told = house.state / "check.course", set[str]()
    monkeypatch.setattr(
        "recordings.reconcile._file", lambda *about: told.add(course.read_text(encoding="ascii").strip())
    )
    assert worker.check(replace(job, course=str(course))).counts["gone"] == 3 and not course.exists()
    assert told and all(0 < int(each) < 100 for each in told)


def test_an_archive_that_is_not_mounted_is_one_finding_and_no_recording_is_called_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordings.reconcile.MANY_GONE", 3)
    away = house.folders.archive.rename(house.state / "elsewhere")
    report = house.check()
    assert report.counts == {"archive_gone": 1} and report.checked == ()
    house.folders.make()  # as Asterisk would, for its spool
    report = house.check()
    assert report.counts == QUIET | {"archive_gone": 1} and report.checked == ()
    shutil.rmtree(house.folders.archive)
    away.rename(house.folders.archive)
    assert house.found() == QUIET


async def test_an_empty_mount_point_is_not_the_archive_and_what_is_recorded_meanwhile_waits_beside_it(
    house: House, tmp_path: Path
) -> None:
    folders, watch = house.folders, ArchiveWatch(house.folders)
    await watch.begin(house.store)
    assert watch.known and not watch.missing and is_marked(folders.archive), "one from before there were marks"
    journal = await open_journal(house.store)
    await house.call(journal, 7, due="yes")
    away = folders.archive.rename(tmp_path / "away")
    folders.make()  # below the mount point, as a start or Asterisk does
    assert recognise(folders, house.store) == "elsewhere"
    assert not await watch.look() and watch.missing == str(folders.archive)
    raw, beside = folders.raw("hotline-7-1.1.raw"), house.state / aside.FOLDER / "hotline-7-1.1.raw"
    raw.write_bytes(np.full((5 * RATE, 2), 900, "<i2").tobytes())
    async with Shelf(folders, UTC, journal, lambda: How(marked=True)) as shelf:

        async def idle() -> None:
            async with asyncio.timeout(120):
                while shelf.waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        shelf.ended(CallState.of("hotline-7", await journal.events_of("hotline-7")))
        await idle()
        assert beside.stat().st_size == 5 * RATE * 4 and not raw.exists()
        assert {path.name for path in folders.archive.iterdir()} == {"spool", "away"}, "nothing that would be hidden"
        await shelf.retry()
        await idle()
        assert beside.exists() and len(await failures_of(journal, "hotline-7")) == 1
        shutil.rmtree(folders.archive)
        away.rename(folders.archive)
        assert await watch.look() and not watch.missing and not await watch.look()
        await shelf.retry()
        await idle()
    state = CallState.of("hotline-7", await journal.events_of("hotline-7"))
    await journal.close()
    assert state.recordings["call"].file and not beside.exists() and not raw.exists()
    beside.write_bytes(b"x")
    aside.forget(house.state, ["../x", "hotline-7-1.1.raw"])
    assert not beside.exists()


def test_a_new_archive_is_marked_and_one_that_cannot_be_is_told_from_none(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.make()
    assert recognise(folders, tmp_path / "none.sqlite") == "there" and is_marked(folders.archive)
    (folders.archive / MARK).unlink()
    (folders.archive / MARK).mkdir()
    assert recognise(folders, tmp_path / "none.sqlite") == "unmarked"


async def failures_of(journal: Journal, call_id: str) -> list[str]:
    events = [each.event for each in await journal.events_of(call_id)]
    return [event.why for event in events if isinstance(event, ev.ArchiveFailed)]


async def test_what_could_not_be_archived_is_tried_again_and_told_once(tmp_path: Path) -> None:
    house = House(tmp_path, How())
    new_store(tmp_path)
    house.folders.make()
    journal = await open_journal(house.store)
    await house.call(journal, 1, due="yes")
    t = np.arange(5 * RATE) / RATE
    sound = np.stack([np.sin(t * 3000) * 9000] * 2, axis=1).astype("<i2")
    house.folders.raw("hotline-1-1.1.raw").write_bytes(sound.tobytes())

    async def failures() -> list[str]:
        events = [each.event for each in await journal.events_of("hotline-1")]
        return [event.why for event in events if isinstance(event, ev.ArchiveFailed)]

    async with Shelf(house.folders, UTC, journal) as shelf:  # type: ignore[arg-type]
        away = house.folders.archive.rename(tmp_path / "away")
        shelf.ended(CallState.of("hotline-1", await journal.events_of("hotline-1")))
        async with asyncio.timeout(120):
            while shelf.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert await failures() == ["archive_gone"]
            await shelf.retry()  # nothing is there to try
            away.rename(house.folders.archive)
            await shelf.retry()
            while shelf.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    state = CallState.of("hotline-1", await journal.events_of("hotline-1"))
    await journal.close()
    assert state.recordings["call"].file and state.recordings["call"].spans[0].verified
    assert list(house.folders.spool.iterdir()) == []


async def test_coverage_has_its_figure_and_a_reason_for_each_gap(house: House) -> None:
    found = await coverage(house.store)
    assert (found.talks, found.verified, found.share) == (10, 5, 0.5)
    assert {gap.call_id: gap.why for gap in found.gaps} == {
        "hotline-7": "off", "hotline-8": "declined", "hotline-9": "refused=AMI\u00a0did\u00a0not\u00a0answer",
        "hotline-10": "missing", "hotline-11": "due",
    }  # fmt: skip
    assert all("=" not in sentence for gap in found.gaps for sentence in say(gap.why))
    assert await coverage(house.store, since=NOW) == Coverage(0, 0, ())
    assert (await coverage(house.store, until=NOW - 2 * DAY + 90_000_000, gaps=0)).verified == 1
    assert Coverage(0, 0, ()).share is None


def test_what_lacks_a_recording_is_found_without_reading_what_has_one(house: House) -> None:
    how: Any = {"dialect": dialect(), "compile_kwargs": {"literal_binds": True}}
    plans = []
    for question in questions(NOW - 2 * DAY, NOW, 10):
        rows = stored(house.store, f"EXPLAIN QUERY PLAN {question.compile(**how)}")
        plans.append([str(row[-1]) for row in rows])
    for plan in plans[1:]:
        assert "SCAN talk USING INDEX talk_unverified" in plan and "SCAN recording USING INDEX recording_faulty" in plan
        assert all("INDEX" in step for step in plan if step.startswith(("SCAN", "SEARCH")) and "lacking" not in step)
    assert plans[0][0].startswith("SEARCH call USING COVERING INDEX call_by_arrival")


async def test_what_is_not_measured_is_measured_later_and_rebuild_agrees(house: House) -> None:
    journal = await open_journal(house.store)
    for number in (12, 13, 14):
        await house.call(journal, number, measured=False)
    await journal.flush()
    house.file(14).write_bytes(b"no sound at all")
    house.file(1).with_name("hotline-1.flac.measure").unlink()
    measurer = Measurer(journal, house.store, house.folders, lambda: house.how)
    measurer.also((("hotline-1", "call"), ("hotline-12", "call")))
    assert (await unmeasured(house.store, 2)) == ([("hotline-14", "call"), ("hotline-13", "call")], 3)
    told = []
    await measurer.all(lambda: told.append(measurer.course.left) or 0.0)
    await measurer.close()
    await journal.close()
    assert (measurer.course.done, measurer.course.failed, told) == (3, 1, [3, 2, 1, 0])
    assert house.file(1).with_name("hotline-1.flac.measure").is_file()
    assert await unmeasured(house.store, 10) == ([("hotline-14", "call")], 1)
    detail = await get_call(house.store, "hotline-13")
    assert detail is not None and detail.state.measures["call"].seconds == 5.0
    assert verify(house.store) == [] and rebuild(house.store).changed == 0
