"""The journal when things fail: nothing promised is lost, nothing is doubled, the order stays.

The faults are real ones where a process without root can make them: another program's lock, a file size limit, a
killed process. The others (a commit of uncertain end, a disk that hangs) are made in the writer's own connection.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from calllog import events as ev, writer
from calllog.codec import stream_of
from calllog.envelope import Item, seal, to_line
from calllog.errors import StoreLost
from calllog.recall import Recall
from calllog.spool import Spool
from calllog.verify import rebuild, verify
from tests.pure.journal_faults_play import C, ev_kind, kinds, locked, note, notes, of_calls, put, until
from tests.pure.journal_play import (
    UNHURRIED,
    WANG,
    Entry,
    histories,
    journalled,
    new_store,
    open_journal,
    run,
    short_call,
    stored,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait of the writer short, so that the tests are."""
    for name in ("BUSY_TIMEOUT", "RETRY_BUSY_TIMEOUT", "RETRY_FIRST", "RETRY_LONGEST"):
        monkeypatch.setattr(writer, name, 0.02)


async def test_an_event_in_the_spool_and_in_the_store_at_once_is_recalled_once(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    for event in (ev.Arrived(leg=C), ev.Fault(where="x", what="y")):
        await journal.commit("call", C, event)
    await journal.commit("agent", "8001", ev.AgentChanged(mode="ready"))
    await journal.close()

    async def pending() -> list[Item]:
        events = [ev.Arrived(leg=C), ev.Fault(where="x", what="y"), ev.DaemonStopped(reason=""), ev.Answered()]
        return [seal(n, n, stream_of(event), C, event) for n, event in enumerate(events, 1)]

    recall = Recall(path, pending)
    (call,) = await recall.open_calls()
    assert (call.faults, call.stage) == (1, "greeting")
    assert [each.seq for each in await recall.events_of(C)] == [1, 2, 4]
    await recall.close()


# --- the store is locked ------------------------------------------------------------------------------------------


async def test_while_the_store_is_locked_events_go_to_the_spool_and_come_back_in_order(tmp_path: Path) -> None:
    path, told = new_store(tmp_path), list[tuple[bool, str]]()
    journal = await open_journal(path, on_degraded=lambda on, why: told.append((on, why)))
    entries = short_call(C) + short_call("hotline-2.1")
    put(journal, entries[:5])
    await journal.flush()
    with locked(path):
        put(journal, entries[5:9])
        await journal.flush()
        assert journal.degraded
        assert told == [(True, "database is locked")]
        put(journal, entries[9:30])
        await journal.flush()
        assert (tmp_path / "spool.jsonl").stat().st_mode & 0o777 == 0o600
        assert [call.call_id for call in await journal.open_calls()] == ["hotline-2.1"]
        assert len(await journal.events_of(C)) == 17
        assert len(of_calls(path)) == 5
    put(journal, entries[30:])
    await until(lambda: not journal.degraded)
    await journal.close()
    assert of_calls(path) == kinds(entries)
    assert not (tmp_path / "spool.jsonl").exists()
    assert told == [(True, "database is locked"), (False, "")]
    degraded = stored(path, "SELECT json_extract(data, '$.on') FROM event WHERE kind = 'degraded' ORDER BY seq")
    assert degraded == [(1,), (0,)]
    assert verify(path) == []
    assert rebuild(path).changed == 0


async def test_those_who_call_in_while_it_is_locked_are_known_again_afterwards(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    await journal.commit("call", "a", ev.Arrived(leg="a"), party=WANG)
    with locked(path):
        await journal.commit("call", "b", ev.Arrived(leg="b"), party=WANG)
        await journal.commit("call", "c", ev.Arrived(leg="c"))
    await until(lambda: not journal.degraded)
    await journal.close()
    a, b, c = (party for (party,) in stored(path, "SELECT party_id FROM call ORDER BY call_id"))
    assert a == b != c
    assert stored(path, "SELECT count(*) FROM party") == [(2,)]
    assert verify(path) == []


async def test_a_store_locked_from_the_start_is_opened_all_the_same(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    with locked(path):
        await journal.commit("call", C, ev.Arrived(leg=C), party=WANG)
        await journal.close()
        journal = await open_journal(path)
        assert journal.degraded
        assert [call.call_id for call in await journal.open_calls()] == [C]
        await journal.commit("call", C, ev.Answered())
        await journal.close()
    journal = await open_journal(path)
    assert not journal.degraded
    await journal.close()
    assert of_calls(path) == [(C, "arrived"), (C, "answered")]
    assert verify(path) == []


@settings(UNHURRIED, max_examples=15)
@given(histories(most=3), st.data())
def test_locks_and_restarts_at_any_time_change_nothing(history: list[Entry], data: st.DataObject) -> None:
    moments = st.dictionaries(st.integers(0, len(history)), st.sampled_from(["lock", "unlock", "restart"]), max_size=5)
    what = data.draw(moments)

    async def play(path: Path) -> None:
        journal = await open_journal(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            for n, (stream, stream_id, event, party) in enumerate(history):
                match what.get(n):
                    case "lock" if not other.in_transaction:
                        other.execute("BEGIN IMMEDIATE")
                    case "unlock" if other.in_transaction:
                        other.execute("ROLLBACK")
                    case "restart":
                        await journal.close()
                        journal = await open_journal(path)
                if n in what:
                    await journal.commit(stream, stream_id, event, party=party, at=1_000 + n)
                else:
                    journal.append(stream, stream_id, event, party=party, at=1_000 + n)
            if other.in_transaction:
                other.execute("ROLLBACK")
        await until(lambda: not journal.degraded)
        await journal.close()

    with tempfile.TemporaryDirectory() as folder:
        path = new_store(Path(folder))
        run(play(path))
        got = [row for row in journalled(path) if row[0] != "system"]
        assert got == [(stream, name, ev_kind(event)) for stream, name, event, _party in history]
        assert verify(path) == []


# --- a disk that does not even answer ------------------------------------------------------------------------------


async def test_when_a_disk_hangs_one_waits_in_vain_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither store nor spool returns: the first barrier finds out, all others are told at once until one is safe."""
    monkeypatch.setattr(writer, "BARRIER_TIMEOUT", 0.3)
    path, thaw = new_store(tmp_path), threading.Event()
    journal = await open_journal(path)
    add = journal._writer._spool.add
    monkeypatch.setattr(journal._writer._spool, "add", lambda items: (thaw.wait(60), add(items)))
    with locked(path):
        put(journal, short_call(C))
        waiting = [asyncio.create_task(journal.flush()) for _each in range(20)]
        assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [StoreLost] * 20
        monkeypatch.setattr(writer, "BARRIER_TIMEOUT", 3_600.0)
        async with asyncio.timeout(30):
            for n in range(50):
                with pytest.raises(StoreLost):
                    await journal.commit("system", "x", note(n))
        thaw.set()
        await until(lambda: not journal._writer._spool_trouble)
        async with asyncio.timeout(30):  # what is safe is waited for again
            await journal.commit("system", "x", note(50))
    await until(lambda: not journal.degraded)
    await journal.close()
    assert of_calls(path) == kinds(short_call(C)) and notes(path) == list(range(51))
    assert verify(path) == []


# --- exactly once -------------------------------------------------------------------------------------------------


async def test_a_spool_that_was_taken_in_but_not_removed_doubles_nothing(tmp_path: Path) -> None:
    path, spool, kept = new_store(tmp_path), tmp_path / "spool.jsonl", tmp_path / "kept"
    journal = await open_journal(path)
    with locked(path):
        put(journal, short_call(C))
        await journal.flush()
        await journal.close()
        shutil.copy(spool, kept)
    for _start in range(2):
        await (await open_journal(path)).close()
        assert not spool.exists()
        shutil.copy(kept, spool)  # as if the daemon had died before it could remove it
    journal = await open_journal(path)
    await journal.commit("system", "x", note(1))
    await journal.close()
    assert of_calls(path) == kinds(short_call(C))
    assert stored(path, "SELECT count(*) FROM party") == [(1,)]
    assert not (tmp_path / "spool.jsonl.refused").exists()
    assert verify(path) == []


async def test_a_torn_last_line_of_the_spool_is_no_event(tmp_path: Path) -> None:
    path, spool = new_store(tmp_path), tmp_path / "spool.jsonl"
    journal = await open_journal(path)
    with locked(path):
        put(journal, short_call(C))
        await journal.flush()
        await journal.close()
    whole = spool.read_bytes()
    spool.write_bytes(whole[:-7])
    with locked(path):
        journal = await open_journal(path)
        await journal.commit("system", "x", note(1))  # goes where the torn line was
        await journal.close()
    await (await open_journal(path)).close()
    lines = [json.loads(line) for line in whole.splitlines()]
    assert [stream_id for stream_id, _kind in of_calls(path)] == [
        line["stream_id"] for line in lines[:-1] if line["stream"] == "call"
    ]
    assert notes(path) == [1]
    assert verify(path) == []


def test_what_a_failed_write_left_behind_the_spools_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    first, second, third = (seal(n, n, "system", "x", note(n)) for n in (1, 2, 3))
    spool = Spool(path)
    spool.add([first])
    with path.open("ab") as file:
        file.write(to_line(third) * 3)
    spool.add([second])
    fresh = Spool(path)
    assert fresh.open() == 2
    assert [item.seq for item in fresh.peek()] == [1, 2]


async def test_an_unreadable_line_within_the_spool_is_set_aside(tmp_path: Path) -> None:
    path, spool = new_store(tmp_path), tmp_path / "spool.jsonl"
    journal = await open_journal(path)
    with locked(path):
        await journal.commit("system", "x", note(1))
        await journal.commit("system", "x", note(2))
        await journal.commit("system", "x", note(3))
        await journal.close()
    lines = spool.read_bytes().splitlines()
    (damaged,) = [n for n, line in enumerate(lines) if b'"2"' in line]
    lines[damaged] = b"\x00" * len(lines[damaged])
    spool.write_bytes(b"\n".join(lines) + b"\n")
    await (await open_journal(path)).close()
    assert notes(path) == [1, 3]
    assert (tmp_path / "spool.jsonl.refused").read_bytes() == lines[damaged] + b"\n"
    assert len(verify(path)) == 1
