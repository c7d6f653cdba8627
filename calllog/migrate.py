"""Bring a store to this version's shape: ``python -m calllog.migrate STORE``, a process of its own.

The daemon runs it only when the shape is not current, so that alembic never enters the daemon's process. All steps
run in one transaction: a store is either of the old shape or of the new one. An existing store is copied first, to
``<store>.before-<new shape>``, beside it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import structlog

from calllog.errors import MigrationFailed, StoreError
from calllog.store import OPEN_PATIENCE, SCHEMA, explain, shape, uri
from config.catalogue import _

log = structlog.get_logger("calllog")

STEPS = Path(__file__).parent / "migrations"
LONGEST = 1800.0
"""Seconds a migration may take; a store of several gigabytes is copied in minutes."""


async def bring_up_to_date(path: Path) -> None:
    """Migrate the store where that is needed. Raises StoreError."""
    if (before := shape(path)) == SCHEMA:
        return
    rooms = str(Path(__file__).parents[1])
    search = os.pathsep.join(filter(None, (rooms, os.environ.get("PYTHONPATH", ""))))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "calllog.migrate", str(path),
        env={**os.environ, "PYTHONPATH": search}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST):
            output, _nothing = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode:
        why = output.decode(errors="replace").strip().splitlines() or [f"exit status {process.returncode}"]
        text = _("The call store {path} could not be brought up to date and is as it was: {why}.")
        raise MigrationFailed(text.format(path=path, why=why[-1].rstrip(".")))
    if before:
        log.info("the store is brought up to date", was=before, now=SCHEMA, copy=copy_of(path).name)


def migrate(path: Path) -> None:
    """Copy the store where it is not empty, then run the steps that it lacks. Raises StoreError, sqlite3.Error."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    before = shape(path)
    if before == SCHEMA:
        return
    if before:
        back_up(path, copy_of(path))
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    config.set_main_option("path_separator", "os")
    with closing(sqlite3.connect(uri(path, "rw"), uri=True, timeout=OPEN_PATIENCE, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        # The driver begins no transaction of its own before DDL; see SQLAlchemy, "Serializable isolation, pysqlite".
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if connection.in_transaction():
                connection.commit()


def copy_of(path: Path) -> Path:
    """Where the store is copied to before it is changed."""
    return path.with_name(f"{path.name}.before-{SCHEMA}")


def back_up(path: Path, target: Path) -> None:
    """A complete, synced copy of the store (mode 0600), also beside a running writer. Raises OSError, sqlite3.Error."""
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(uri(path, "ro"), uri=True, timeout=OPEN_PATIENCE)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)
    _sync(draft)
    draft.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """The process's work; returns its exit status, and prints why it failed in one line."""
    (name,) = arguments
    path = Path(name)
    try:
        migrate(path)
    except StoreError as error:
        print(error)
        return 1
    except sqlite3.Error as error:
        print(explain(path, error))
        return 1
    except Exception as error:
        print(f"{type(error).__name__}: {error}".splitlines()[0])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
