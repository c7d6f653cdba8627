"""The journal when a write fails half way, the disk hangs or fills, or the daemon is killed.

The faults are real ones where a process without root can make them: another program's lock, a file size limit, a
killed process. The others are made in the writer's own connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from calllog import events as ev, writer
from calllog.database import Database
from calllog.envelope import seal
from calllog.errors import StoreLost
from calllog.verify import verify
from tests.pure.journal_faults_play import C, kinds, locked, note, notes, of_calls, put, until
from tests.pure.journal_play import (
    folded,
    journalled,
    new_store,
    open_journal,
    short_call,
    stored,
    tamper,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait of the writer short, so that the tests are."""
    for name in ("BUSY_TIMEOUT", "RETRY_BUSY_TIMEOUT", "RETRY_FIRST", "RETRY_LONGEST"):
        monkeypatch.setattr(writer, name, 0.02)


async def test_a_commit_that_fails_after_all_was_written_doubles_nothing(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    statement = journal._database._run
    broken = 0

    def deceiving(sql: str) -> None:
        nonlocal broken
        statement(sql)
        if sql == "COMMIT" and broken < 3:
            broken += 1
            raise sqlite3.OperationalError("disk I/O error")

    journal._database._run = deceiving  # type: ignore[method-assign]
    entries = short_call(C, party=ev.Party())
    put(journal, entries[:8])
    await journal.flush()
    put(journal, entries[8:])
    await journal.flush()
    await until(lambda: not journal.degraded)
    await journal.close()
    assert broken == 3
    assert not (tmp_path / "spool.jsonl.refused").exists()
    assert of_calls(path) == kinds(entries)
    assert stored(path, "SELECT count(*) FROM party") == [(1,)]
    assert verify(path) == []


async def test_a_transaction_that_breaks_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    many = journal._database._many
    broken = 0

    def breaking(sql: str, rows: Any) -> None:
        nonlocal broken
        if "INTO call" in sql and broken < 2:
            broken += 1
            raise sqlite3.OperationalError("disk I/O error")
        many(sql, rows)

    journal._database._many = breaking  # type: ignore[method-assign]
    put(journal, [*short_call(C), ("call", C, ev.Fault(where="x", what="y"), None)])
    await journal.flush()
    await until(lambda: not journal.degraded)
    await journal.close()
    assert stored(path, "SELECT faults FROM call") == [(1,)]
    assert stored(path, "SELECT count(*) FROM party") == [(1,)]
    assert verify(path) == []


async def test_a_failed_write_leaves_no_trace_in_memory_either(tmp_path: Path) -> None:
    database = Database(new_store(tmp_path))
    await database.open()
    rows = database._many
    arrived = seal(1, 1, "call", C, ev.Arrived(leg=C))
    fault, agent = (
        seal(2, 2, "call", C, ev.Fault(where="x", what="y")),
        seal(3, 3, "agent", "8001", ev.AgentChanged(mode="ready")),
    )

    def breaking(sql: str, values: Any) -> None:
        if "INTO agent_state" in sql:
            raise sqlite3.OperationalError("disk I/O error")
        rows(sql, values)

    await database.write([arrived], doubtful=False)
    database._many = breaking  # type: ignore[method-assign]
    for _try in range(3):
        with pytest.raises(sqlite3.OperationalError):
            await database.write([fault, agent], doubtful=False)
    database._many = rows  # type: ignore[method-assign]
    await database.write([fault, agent], doubtful=False)
    await database.close()
    assert stored(tmp_path / "calls.db", "SELECT faults FROM call") == [(1,)]
    assert verify(tmp_path / "calls.db") == []


# --- the disk hangs, the spool fails too --------------------------------------------------------------------------


async def test_a_hanging_disk_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "STALL", 0.05)
    path = new_store(tmp_path)
    journal = await open_journal(path)
    write, thaw = journal._database.write, asyncio.Event()

    async def frozen(items: Any, **options: Any) -> None:
        await thaw.wait()
        await write(items, **options)

    journal._database.write = frozen  # type: ignore[method-assign]
    put(journal, short_call(C))
    await journal.commit("system", "x", note(1))
    assert journal.degraded
    await journal.commit("system", "x", note(2))
    thaw.set()
    await until(lambda: not journal.degraded)
    await journal.close()
    assert of_calls(path) == kinds(short_call(C))
    assert notes(path) == [1, 2]
    assert verify(path) == []


async def test_when_the_spool_fails_too_barriers_say_so_at_once_and_memory_keeps_the_events(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    (tmp_path / "file").touch()
    journal = await open_journal(path)
    journal._writer._spool._path = tmp_path / "file" / "spool.jsonl"
    with locked(path):
        put(journal, short_call(C))
        async with asyncio.timeout(writer.BARRIER_TIMEOUT - 1):
            for _try in range(5):
                with pytest.raises(StoreLost):
                    await journal.flush()
            with pytest.raises(StoreLost):
                await journal.commit("system", "x", note(1))
        assert len(await journal.events_of(C)) == 17
    await until(lambda: not journal.degraded)
    await journal.close()
    assert of_calls(path) == kinds(short_call(C))
    assert notes(path) == [1]
    assert verify(path) == []


async def test_a_full_spool_keeps_the_rest_in_memory_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BARRIER_TIMEOUT", 1.0)
    path, spool = new_store(tmp_path), tmp_path / "spool.jsonl"
    journal = await open_journal(path, spool_limit=2_000)
    with locked(path):
        with pytest.raises(StoreLost):
            for n in range(40):
                last = n
                await journal.commit("system", "x", note(n))
        for n in range(last + 1, 40):
            journal.append("system", "x", note(n))
        assert 0 < spool.stat().st_size <= 2_000
    await until(lambda: not journal.degraded)
    await journal.close()
    assert notes(path) == list(range(40))
    assert verify(path) == []


async def test_what_memory_cannot_hold_either_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BARRIER_TIMEOUT", 0.1)
    path = new_store(tmp_path)
    (tmp_path / "file").touch()
    journal = await open_journal(path)
    await journal.commit("system", "x", note(0))
    journal._writer._spool._path = tmp_path / "file" / "spool.jsonl"
    with locked(path):
        await until(lambda: journal.degraded or journal.append("system", "x", note(1)) is not None)
        monkeypatch.setattr(writer, "MEMORY_LIMIT", len(journal._writer._queue))
        for n in range(2, 6):
            journal.append("system", "x", note(n))
        with pytest.raises(StoreLost):
            await journal.commit("system", "x", note(6))
        monkeypatch.setattr(writer, "MEMORY_LIMIT", 1_000)
        journal.append("system", "x", note(7))
    await until(lambda: not journal.degraded)
    await journal.close()
    assert set(notes(path)) == {0, 1, 7}
    assert verify(path) == []
    tamper(path, "DELETE FROM event WHERE json_extract(data, '$.code') = 'events_lost'")
    assert len(verify(path)) == 2


async def test_a_listener_that_raises_harms_nobody(tmp_path: Path) -> None:
    def rude(on: bool, why: str) -> None:
        raise RuntimeError

    path = new_store(tmp_path)
    journal = await open_journal(path, on_degraded=rude)
    with locked(path):
        await journal.commit("call", C, ev.Arrived(leg=C))
    await until(lambda: not journal.degraded)
    await journal.close()
    assert verify(path) == []


async def test_one_who_stops_waiting_takes_nothing_with_them(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    waiting = [asyncio.create_task(journal.commit("system", "x", note(n))) for n in range(10)]
    await asyncio.sleep(0)
    with capture_logs() as logs:
        for task in waiting[::2]:
            task.cancel()
        await asyncio.wait(waiting)
        await journal.close()
    assert logs == []
    assert notes(path) == list(range(10))


# --- whole processes ----------------------------------------------------------------------------------------------

_CHILD = """
import asyncio, sys
from pathlib import Path
from calllog import events as ev, writer
from calllog.notes import new_note
from tests.pure.journal_play import WANG, open_journal
writer.BUSY_TIMEOUT = writer.RETRY_BUSY_TIMEOUT = writer.RETRY_FIRST = writer.RETRY_LONGEST = 0.02

async def caller(journal, name):
    for n in range(100_000):
        call = f"{name}-{n}"
        journal.append("call", call, ev.Arrived(leg=call), party=WANG)
        journal.append("call", call, ev.Answered())
        await journal.commit("call", call, ev.Asked(queue="advice"))
        print("promised", call, flush=True)
        await journal.commit("call", call, ev.Ended(outcome="abandoned"))
        text = new_note("record", "problem", "要退款" * 50)
        written = ev.RecordWritten(record_id=call, version=1, by="8001", notes={"problem": text.note_id})
        journal.append("call", call, written, notes=[text])

async def main():
    journal = await open_journal(Path(sys.argv[1]))
    await asyncio.gather(*(caller(journal, f"c{n}") for n in range(4)))

asyncio.run(main())
"""


def killed_after(path: Path, promises: int) -> list[str]:
    """Run a daemon that journals, kill it (SIGKILL) once it was promised so much; all that it was promised."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        promised: list[str] = []
        for line in child.stdout:
            word, _blank, call_id = line.rstrip().partition(" ")
            if word == "promised" and line.endswith("\n"):
                promised.append(call_id)
            if len(promised) == promises:
                child.kill()
        return promised


@pytest.mark.parametrize("promises", [1, 7, 60])
async def test_a_killed_daemon_has_kept_its_promises(tmp_path: Path, promises: int) -> None:
    path = new_store(tmp_path)
    promised = killed_after(path, promises)
    assert len(promised) >= promises
    assert verify(path) == []
    asked = {call_id for (call_id,) in stored(path, "SELECT call_id FROM call WHERE asked_at > 0")}
    assert set(promised) <= asked
    journal = await open_journal(path)
    assert {call.call_id for call in await journal.open_calls()} <= {
        c for (c,) in stored(path, "SELECT call_id FROM call")
    }
    await journal.close()


@pytest.mark.parametrize("promises", [1, 40])
async def test_a_daemon_killed_while_the_store_was_locked_has_kept_its_promises(tmp_path: Path, promises: int) -> None:
    path = new_store(tmp_path)
    with locked(path):
        promised = killed_after(path, promises)
    assert not journalled(path)
    await (await open_journal(path)).close()
    asked = {call_id for (call_id,) in stored(path, "SELECT call_id FROM call WHERE asked_at > 0")}
    assert set(promised) <= asked
    assert verify(path) == []
    assert not (tmp_path / "spool.jsonl").exists()


_FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from calllog import events as ev, writer
from tests.pure.journal_play import open_journal
writer.BUSY_TIMEOUT = writer.RETRY_BUSY_TIMEOUT = writer.RETRY_FIRST = writer.RETRY_LONGEST = 0.02
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def main():
    journal = await open_journal(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    n = 0
    while not journal.degraded:
        await journal.commit("system", "x", ev.Alarm(code="n", what=str(n)))
        n += 1
    for n in range(n, n + 50):
        await journal.commit("system", "x", ev.Alarm(code="n", what=str(n)))
    assert journal.degraded
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while journal.degraded:
        await asyncio.sleep(0.01)
    await journal.close()
    print(n + 1)

asyncio.run(main())
"""


def test_a_store_that_cannot_grow_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: SQLite's write fails half-way, as there."""
    path = new_store(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)], capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert notes(path) == list(range(int(ran.stdout.split()[-1])))
    assert verify(path) == []
    assert not any(folded(path).values())
