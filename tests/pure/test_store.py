"""The store as a file: its shape and migrations, what is refused, and what ``verify`` and ``rebuild`` find."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

import calllog.migrate
import calllog.store
from calllog import events as ev, queries
from calllog.errors import (
    MigrationFailed,
    NotAStore,
    StoreError,
    StoreInUse,
    StoreMissing,
    StoreNewer,
    StoreOutdated,
    StoreUnwritable,
)
from calllog.migrate import back_up, bring_up_to_date, migrate
from calllog.rows import FOLDED
from calllog.store import SCHEMA, make_file, shape
from calllog.tables import metadata
from calllog.verify import rebuild, verify
from tests.pure.journal_play import folded, journalled, new_store, open_journal, short_call, stored, tamper

C = "hotline-1.1"


async def a_call(path: Path) -> Path:
    journal = await open_journal(path)
    for at, (stream, stream_id, event, party) in enumerate(short_call(C), 1_000):
        journal.append(stream, stream_id, event, party=party, at=at)
    journal.append("agent", "8001", ev.AgentChanged(mode="ready", since=5))
    await journal.close()
    return path


# --- shape --------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_migrations_lead_to_the_tables_that_questions_expect(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{new_store(tmp_path)}")
    with engine.connect() as connection:
        virtual = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"  # full-text indexes
        indexes = set(connection.exec_driver_sql(virtual).scalars())
        options = {
            "compare_type": True, "target_metadata": metadata,
            "include_name": lambda name, kind, _parents: kind != "table" or name not in indexes,
        }  # fmt: skip
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        strict = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").all()
    engine.dispose()
    assert differences == []
    assert {name for name, is_strict in strict if is_strict} == set(metadata.tables)


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    scripts = ScriptDirectory(str(calllog.migrate.STEPS))
    assert scripts.get_heads() == [SCHEMA]


def test_rows_and_tables_have_the_same_columns() -> None:
    for table, (columns, keys) in FOLDED.items():
        known = metadata.tables[table]
        if table == "card":  # whose place is given by the store, as any rowid
            assert tuple(known.columns.keys()) == (*columns, "place")
            assert {tuple(index.columns.keys()) for index in known.indexes if index.unique} == {columns[:keys]}
            continue
        assert tuple(known.columns.keys()) == columns
        assert tuple(known.primary_key.columns.keys()) == columns[:keys]


def test_the_journal_cannot_be_edited(tmp_path: Path) -> None:
    path = asyncio.run(a_call(new_store(tmp_path)))
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE event SET at = 0", "DELETE FROM event WHERE seq = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


async def test_a_migration_that_breaks_off_leaves_the_store_as_it_was_with_a_copy_beside_it(tmp_path: Path) -> None:
    path = await a_call(new_store(tmp_path))
    tamper(path, "UPDATE alembic_version SET version_num = '0000'")  # an older shape, which no step leads away from
    before = folded(path), journalled(path)
    with pytest.raises(MigrationFailed) as failed:
        await open_journal(path)
    assert len(str(failed.value).splitlines()) == 1
    assert "0000" in str(failed.value)
    assert (folded(path), journalled(path)) == before
    copy = tmp_path / f"calls.db.before-{SCHEMA}"
    assert (folded(copy), journalled(copy)) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    tamper(path, f"UPDATE alembic_version SET version_num = '{SCHEMA}'")
    await (await open_journal(path)).close()  # the lock was given back


STEP = """
from alembic import op
revision, down_revision = "0900", "{before}"
def upgrade():
    op.execute("CREATE TABLE later (x INTEGER)")
    op.execute("UPDATE call SET label = 'moved'")
    op.execute({last!r})
"""


@pytest.mark.parametrize("last", ["INSERT INTO later VALUES (1)", "INSERT INTO nowhere VALUES (1)"])
def test_a_step_is_taken_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    path = asyncio.run(a_call(new_store(tmp_path)))
    before = folded(path)
    steps = tmp_path / "migrations"
    shutil.copytree(calllog.migrate.STEPS, steps)
    (steps / "versions" / "0900_later.py").write_text(STEP.format(last=last, before=SCHEMA))
    monkeypatch.setattr(calllog.migrate, "STEPS", steps)
    for room in (calllog.migrate, calllog.store):
        monkeypatch.setattr(room, "SCHEMA", "0900")
    if "nowhere" in last:
        with pytest.raises(OperationalError):
            migrate(path)
        assert shape(path) == SCHEMA
        assert folded(path) == before
        assert stored(path, "SELECT count(*) FROM sqlite_master WHERE name = 'later'") == [(0,)]
    else:
        migrate(path)
        assert shape(path) == "0900"
        assert stored(path, "SELECT label, (SELECT x FROM later) FROM call") == [("moved", 1)]
    assert folded(tmp_path / "calls.db.before-0900") == before


async def test_a_half_made_store_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    make_file(path)
    assert shape(path) == ""
    await bring_up_to_date(path)
    assert shape(path) == SCHEMA
    assert [name for name in os.listdir(tmp_path) if "before" in name] == []
    migrate(path)  # again: nothing to do


async def test_a_copy_beside_a_writer_is_whole(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    for n in range(50):
        await journal.commit("call", f"c{n}", ev.Arrived(leg="x"))
    back_up(path, tmp_path / "copy")
    await journal.close()
    assert len(journalled(tmp_path / "copy")) == 50
    assert verify(tmp_path / "copy") == []


# --- what is refused ----------------------------------------------------------------------------------------------


def text_file(path: Path) -> None:
    path.write_text("calls\n" * 1000)


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookkeeping (x)")


def newer_store(path: Path) -> None:
    tamper(new_store(path.parent), "UPDATE alembic_version SET version_num = '0999'")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (text_file, NotAStore),
        (foreign_database, NotAStore),
        (newer_store, StoreNewer),
        (folder, StoreUnwritable),
    ],
)
async def test_what_is_no_store_of_ours_is_refused_in_one_line(tmp_path: Path, make: object, refusal: type) -> None:
    path = tmp_path / "calls.db"
    make(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(refusal) as refused:
        await open_journal(path)
    line = str(refused.value)
    assert str(path) in line
    assert "\n" not in line
    assert not before or path.read_bytes() == before
    if make is not folder:
        for ask in (verify, rebuild):
            with pytest.raises(refusal):
                ask(path)  # type: ignore[operator]
        with pytest.raises(refusal):
            await queries.list_calls(path)


async def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnwritable) as refused:
        await open_journal(tmp_path / "file" / "calls.db")
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_may_not_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    path.chmod(0o400)
    with pytest.raises(StoreUnwritable):
        await open_journal(path)


async def test_a_store_that_is_locked_whole_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calllog.store.OPEN_PATIENCE", 0.05)
    path = new_store(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreInUse):
            await open_journal(path)


async def test_questions_to_a_store_that_is_not_there_make_none(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    for ask in (verify, rebuild):
        with pytest.raises(StoreMissing):
            ask(path)
    with pytest.raises(StoreMissing):
        await queries.get_call(path, C)
    assert not path.exists()


async def test_questions_to_an_older_store_wait_for_the_daemon(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    tamper(path, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(StoreOutdated):
        verify(path)


async def test_a_spool_that_is_a_folder_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        await open_journal(new_store(tmp_path), spool=tmp_path)
    assert str(tmp_path) in str(refused.value)
    await (await open_journal(tmp_path / "calls.db")).close()  # the lock was given back


# --- verify and rebuild -------------------------------------------------------------------------------------------

INSERT = "INSERT INTO event (at, stream, stream_id, kind, v, data) VALUES (9000, "

DAMAGES = {
    "a row changed": ("UPDATE call SET outcome = 'abandoned'",),
    "a talk changed": ("UPDATE talk SET started_at = 1",),
    "a recording gone": ("DELETE FROM recording",),
    "an agent changed": ("UPDATE agent_state SET mode = 'off'",),
    "a talk too many": ("CREATE TEMP TABLE t AS SELECT * FROM talk", "UPDATE t SET n = 1",
                        "INSERT INTO talk SELECT * FROM t"),
    "a call of no events": ("UPDATE call SET call_id = 'ghost'",),
    "an agent of no events": ("UPDATE agent_state SET agent = '9999'",),
}  # fmt: skip

FAULTS = {
    "an event gone": ("DELETE FROM event WHERE kind = 'answered'",),
    "the last events gone": ("DELETE FROM event WHERE seq > 16", "DELETE FROM agent_state"),
    "an unreadable event": ("UPDATE event SET data = '{' WHERE kind = 'answered'",),
    "an event of tomorrow": (INSERT + "'system', 'x', 'teleported', 1, '{}')",),
    "a newer event": (INSERT + "'system', 'x', 'daemon_stopped', 2, '{}')",),
    "a second outcome": (INSERT + f"'call', '{C}', 'ended', 1, '{{\"kind\":\"ended\",\"outcome\":\"failed\"}}')",),
    "no arrival": (INSERT + "'call', 'c2', 'answered', 1, '{\"kind\":\"answered\"}')",),
    "the wrong stream": (INSERT + "'system', 'x', 'answered', 1, '{\"kind\":\"answered\"}')",),
    "a person gone": ("DELETE FROM party",),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_row_is_found_and_mended(tmp_path: Path, damage: str) -> None:
    path = await a_call(new_store(tmp_path))
    before = folded(path)
    tamper(path, *DAMAGES[damage])
    assert folded(path) != before
    assert verify(path)
    report = rebuild(path)
    assert report.changed == len(report.differences) > 0
    assert report.events == 18
    assert folded(path) == before
    assert verify(path) == []
    assert rebuild(path).changed == 0


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_journal_itself_is_found(tmp_path: Path, fault: str) -> None:
    path = await a_call(new_store(tmp_path))
    tamper(path, *FAULTS[fault])
    found = verify(path)
    assert found
    assert all("\n" not in line for line in found)
    rebuild(path)
    assert verify(path)  # rows can be mended, events cannot


async def test_a_damaged_file_is_refused_or_reported(tmp_path: Path) -> None:
    path = await a_call(new_store(tmp_path))
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * len(content[8192:])
    path.write_bytes(content)
    with pytest.raises(NotAStore):
        assert verify(path) == []


async def test_both_are_safe_beside_a_daemon(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    stop = asyncio.Event()

    async def work() -> None:
        n = 0
        while not stop.is_set():
            for stream, stream_id, event, party in short_call(f"c{n}"):
                journal.append(stream, stream_id, event, party=party)
            await journal.flush()
            n += 1

    daemon = asyncio.create_task(work())
    for _look in range(5):
        assert await asyncio.to_thread(verify, path) == []
        report = await asyncio.to_thread(rebuild, path)
        assert report.differences == []
    stop.set()
    await daemon
    assert not journal.degraded
    await journal.close()
    assert verify(path) == []


async def test_progress_ends_at_the_end(tmp_path: Path) -> None:
    path = await a_call(new_store(tmp_path))
    for ask in (verify, rebuild):
        steps: list[tuple[int, int]] = []
        ask(path, lambda done, total, steps=steps: steps.append((done, total)))  # type: ignore[misc]
        assert steps[-1] == (18, 18)


async def test_an_erased_person_is_no_fault(tmp_path: Path) -> None:
    path = await a_call(new_store(tmp_path))
    tamper(path, "UPDATE party SET raw = '', e164 = '', name = ''")
    assert verify(path) == []
    assert stored(path, "SELECT count(*) FROM party WHERE party_id IN (SELECT party_id FROM call)") == [(1,)]
