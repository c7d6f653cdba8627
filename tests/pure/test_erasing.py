"""Erasing a caller: their bytes are gone from the store, their recordings from the disk, and every figure stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from calllog import erasing as rows, events as ev, queries
from calllog.envelope import from_line, seal, to_line
from calllog.folds import CallState
from calllog.notes import new_note
from calllog.verify import rebuild, verify
from hotline.ledger import Own
from recordings import erasing
from recordings.erasing import ErasedReport, erase, plan
from recordings.holds import hold, release
from recordings.manifest import unfinished
from recordings.purge import finish
from tests.pure.journal_play import folded, stored
from tests.pure.keep_play import LI, NOW, WANG, House

NUMBER, RAW = "+8613800001111", "13800001111"
SECRET = "请寄到和平路十二号"


async def calls(house: House, call_ids: list[str]) -> list[CallState]:
    found = [await queries.get_call(house.store, call_id) for call_id in call_ids]
    return [one.state for one in found if one is not None]


async def erased(house: House, ledger: Own) -> ErasedReport:
    made = await plan(house.store, house.folders, NUMBER, RAW, lambda ids: calls(house, ids))
    return await erase(house.store, house.folders, made, NOW, ledger, by="os:test", why="本人要求 13800001111")


async def write_note(house: House, call_id: str) -> None:
    async with house.open() as journal:
        note = new_note("record", "problem", SECRET, call_id)
        event = ev.RecordWritten(record_id="r", version=1, by="8001", notes={"problem": note.note_id})
        journal.append("call", call_id, event, notes=(note,))


def bytes_of(house: House) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(house.state.rglob("*")) if path.is_file())


async def test_everything_that_names_them_is_gone_and_every_figure_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    monkeypatch.setattr(rows, "rewrite", lambda path: pytest.fail("the store was made anew for nothing"))
    first, second = await house.record(3, 2, party=WANG, name="w")
    (message,) = await house.record(1, party=WANG, category="voicemail", name="m")
    (failed,) = await house.record(1, party=WANG, name="f", archived=False)
    (other,) = await house.record(1, party=LI, name="o")
    await write_note(house, first)
    async with house.open() as journal:
        journal.append("call", failed, ev.ArchiveFailed(why="differs", category="call"))
    (house.folders.spool / f"{failed}-1.1.raw").write_bytes(b"raw")
    (house.folders.spool / f"{other}-1.1.raw").write_bytes(b"raw")
    assert RAW.encode() in bytes_of(house) and SECRET.encode() in bytes_of(house)
    figures = folded(house.store)
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
        again = await erased(house, ledger)
        assert RAW.encode() not in bytes_of(house)  # nor in the write-ahead log, which is still there
    assert (done.left, done.failed, done.remains, again.manifest) == ({}, [], [], None)
    left = bytes_of(house)
    assert RAW.encode() not in left and SECRET.encode() not in left and "王芳".encode() not in left
    assert LI.e164.encode() in left
    assert house.files() == {f"{other}.flac", f"{other}.flac.measure"}
    assert {path.name for path in house.folders.spool.iterdir()} == {f"{other}-1.1.raw"}
    after = folded(house.store)
    assert {table: after[table] for table in ("call", "talk")} == {table: figures[table] for table in ("call", "talk")}
    assert {row[0]: row[2] for row in after["recording"]} == {
        first: "purged", second: "purged", message: "purged", failed: "purged", other: "finished"}  # fmt: skip
    assert verify(house.store) == [] and rebuild(house.store).changed == 0
    listed = await queries.list_calls(house.store)
    assert {row.call_id: row.number for row in listed}[first] == "" and len(listed) == 5
    assert done.manifest is not None and RAW not in done.manifest.path.read_text()
    # The same person, later: somebody new.
    await house.record(0, party=WANG, name="new")
    assert len(await asyncio.to_thread(rows.persons, house.store, NUMBER, RAW)) == 1


async def test_what_is_held_or_goes_on_stays_whole_and_the_number_with_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    free, held = await house.record(3, 2, party=WANG, name="w")
    (live,) = await house.record(0, party=WANG, name="l", ended=False)
    (due,) = await house.record(0, party=WANG, name="d", archived=False)
    for call_id in (free, held):
        await write_note(house, call_id)
    async with house.ledger() as ledger:
        await hold(house.state, ledger, [held], "仲裁", by="os:test")
        done = await erased(house, ledger)
        assert done.left == {held: "held", live: "open", due: "due"}
        assert [one.e164 for one in done.plan.kept] == [NUMBER] and done.plan.people == ()
        assert house.files() == {f"{held}.flac", f"{held}.flac.measure"}
        texts = dict(stored(house.store, "SELECT call_id, text FROM note WHERE kind = 'record'"))
        assert texts == {free: "", held: SECRET}
        await release(house.store, ledger, [held], "结案", by="os:test")
    async with house.open() as journal:
        journal.append("call", live, ev.Ended(outcome="abandoned"))
        for call_id in (live, due):
            journal.append("call", call_id, ev.ArchiveFailed(why="missing", category="call"))
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
    assert done.left == {} and RAW.encode() not in bytes_of(house)
    assert verify(house.store) == []


async def test_a_trace_elsewhere_in_the_state_folder_is_named(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(3, party=WANG)
    backup = house.state / "hotline.sqlite.before-0099"
    backup.write_bytes(b"..." + WANG.e164.encode() + b"...")
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
    assert done.remains == [backup]


async def test_a_page_that_sqlite_had_moved_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    await house.record(3, party=WANG)
    seen: list[Path] = []
    stands_in = rows.stands_in

    def once(files: list[Path], wanted: list[bytes]) -> list[Path]:
        if files == [house.store] and not seen:
            seen.append(house.store)
            return [house.store]
        return stands_in(files, wanted)

    monkeypatch.setattr(rows, "stands_in", once)
    async with house.ledger() as ledger:  # another connection is open: VACUUM must do beside a daemon
        done = await erased(house, ledger)
        assert seen and done.remains == []
    assert verify(house.store) == []


class Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("where", ["_take", "_empty"])
async def test_an_erasure_that_was_killed_is_finished_by_the_night_or_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    house = House(tmp_path)
    (call,) = await house.record(3, party=WANG)
    await write_note(house, call)
    async with house.ledger() as ledger:
        with monkeypatch.context() as patched:

            def dies(*given: object) -> None:
                raise Killed

            patched.setattr(erasing, "remove" if where == "_take" else "_empty", dies)
            with pytest.raises(Killed):
                await erased(house, ledger)
        assert len(unfinished(house.folders.archive)) == 1
        await asyncio.to_thread(finish, house.store, house.folders)
        assert unfinished(house.folders.archive) == [] and house.files() == set()
        assert RAW.encode() not in bytes_of(house) and SECRET.encode() not in bytes_of(house)
    assert verify(house.store) == []


def refused(house: House, *lines: bytes) -> Path:
    path = house.state / "spool.jsonl.refused"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


async def test_lines_that_the_store_refused_are_emptied_where_they_stand(tmp_path: Path) -> None:
    house = House(tmp_path)
    (call,) = await house.record(3, party=WANG, name="w")
    await house.record(3, party=LI, name="o")
    arrived = to_line(seal(90, 1, "call", "only-there", ev.Arrived(leg="l"), WANG)).rstrip()
    note = new_note("record", "problem", SECRET, call)
    written = ev.RecordWritten(record_id="r", version=1, by="8001", notes={"problem": note.note_id})
    noted = to_line(seal(91, 2, "call", call, written, notes=[note])).rstrip()
    others = to_line(seal(92, 3, "call", "o-0", ev.Arrived(leg="l"), LI)).rstrip()
    torn, odd = noted[: len(noted) - 9], b"\xff{ not ours"
    path = refused(house, arrived, noted, others, torn, odd)
    before = path.read_bytes()
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
    after = path.read_bytes()
    assert (done.lines, done.plan.refused, done.remains) == (3, ("only-there",), [])
    assert SECRET.encode() not in after and RAW.encode() not in after and "王芳".encode() not in after
    lines = after.splitlines()
    assert [len(line) for line in lines] == [len(line) for line in before.splitlines()], "nothing moves"
    assert lines[2] == others and lines[4] == odd and from_line(lines[1]).event == written
    assert from_line(lines[0]).party is None and lines[3].strip() == b"erased"
    path.write_bytes(after + arrived + b"\n")  # as a daemon adds one meanwhile
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
    assert done.lines == 1 and RAW.encode() not in path.read_bytes(), "of whom only a refused line tells"


async def test_what_waits_in_the_spool_is_taken_in_and_erased_too(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.record(3, party=WANG, name="w")
    (last,) = (row[0] for row in stored(house.store, "SELECT max(seq) FROM event"))
    events = [ev.Arrived(leg="s"), ev.Ended(outcome="abandoned")]
    (house.state / "spool.jsonl").write_bytes(b"".join(
        to_line(seal(int(last) + n, NOW, "call", "s-0", event, WANG if n == 1 else None))
        for n, event in enumerate(events, 1)
    ))  # fmt: skip
    waits = await plan(house.store, house.folders, NUMBER, RAW, lambda ids: calls(house, ids))
    assert waits.waiting and len(waits.calls) == 1
    async with house.ledger() as ledger:
        done = await erased(house, ledger)
        assert len(done.plan.calls) == 2 and not done.plan.waiting
    assert RAW.encode() not in bytes_of(house) and verify(house.store) == []
