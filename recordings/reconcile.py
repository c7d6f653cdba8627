"""Do files, rows and calls agree? Looks at all of them and tells what it finds; changes and deletes nothing.

Each finished recording must have its file, of the size that the journal knows; those that are read whole (all, or a
sample) must have its SHA-256, and a sealed one must open. Each file must belong to a recording. Recordings must not
stay unfinished, nor calls open, nor files in the spool. Imports ``cryptography``: for workers and commands only.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from calllog.events import Category, RecordingFault
from calllog.store import connect_to_read
from recordings.errors import Damaged, NoKey, Unreadable
from recordings.findings import Checked, CheckJob, Finding, FindingKind, Report
from recordings.folders import Folders
from recordings.keys import BadKey, Ring, load_ring
from recordings.measures import measure_file
from recordings.sealed import HEAD, digest_of, is_sealed, open_stored
from recordings.stored import belongs_to, stored_files

MOST_FINDINGS = 1000
"""Findings that are named; the others are counted."""
MOST_UNMEASURED = 10_000
MOST_CHANGED = 10_000
"""Recordings whose state one check changes: each is an event. The check after it finds the others."""
SETTLED = 86_400
"""Seconds: what is unfinished for a shorter time may still be going on."""
YOUNG = 3600
"""Seconds: a younger file's row may not be written yet."""
MANY_GONE, SHARE_GONE = 100, 0.05
"""More files than this many and this share of all gone at once are no lost files, but a disk that is not there."""
_STEP = 200
_SECOND = 1_000_000

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[FindingKind] = field(default_factory=Counter)
    plain: int = 0

    def add(self, kind: FindingKind, file: str = "", call_id: str = "", category: str = "", detail: str = "") -> None:
        self.counts[kind] += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, file, call_id, category, detail))


def reconcile(job: CheckJob, progress: Progress = lambda done, total: None) -> Report:
    """Look at everything. Raises StoreError; sqlite3.Error where the store breaks under it."""
    folders = Folders(Path(job.state_dir))
    found = _Found()
    try:
        ring = load_ring(Path(job.keys))
    except BadKey as error:
        ring = Ring({})
        found.add("bad_key", detail=str(error))
    for damaged in ring.damaged.values():
        found.add("bad_key", detail=str(damaged))
    with closing(connect_to_read(Path(job.store))) as store:
        where, values = _period(job)
        (rows,) = store.execute(f"SELECT count(*) FROM recording {where}", values).fetchone()
        if not folders.archive.is_dir():
            found.add("archive_gone", str(folders.archive))
            return Report(rows, 0, 0, tuple(found.findings), dict(found.counts), (), ())
        whole = job.since is None and job.until is None
        # A recording has two files, so that looking at the files is two thirds of a whole check.
        total = 3 * rows if whole else rows
        checked, unmeasured, read, gone = _rows(
            job, store, folders, ring, found, rows, lambda done: progress(done, total)
        )
        if gone > MANY_GONE and gone > SHARE_GONE * rows:
            found = _Found([each for each in found.findings if each.kind != "gone"], found.counts, found.plain)
            del found.counts["gone"]
            found.add("archive_gone", str(folders.archive), detail=str(gone))
            checked = [each for each in checked if each.fault != "gone"]
        files = 0
        if whole:
            for name in stored_files(folders.archive):
                files += 1
                _file(job, store, folders, name, found)
                if files % _STEP == 0:
                    progress(min(rows + files, total), total)
            _unfinished(job, store, folders, found)
            progress(total, total)
    return Report(
        rows, files, read, tuple(found.findings), dict(found.counts), tuple(checked), tuple(unmeasured), found.plain
    )


def _period(job: CheckJob) -> tuple[str, list[int]]:
    parts, values = [], []
    for text, value in (("begun_at >= ?", job.since), ("begun_at < ?", job.until)):
        if value is not None:
            parts.append(text)
            values.append(value)
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), values


def _rows(
    job: CheckJob, store: sqlite3.Connection, folders: Folders, ring: Ring, found: _Found, total: int,
    progress: Callable[[int], None],
) -> tuple[list[Checked], list[tuple[str, Category]], int, int]:  # fmt: skip
    """Every recording: what is changed by this check, what is not measured, how many were read whole, and how many
    have gone since the check before."""
    lots = random.Random(job.seed)
    share = 1.0 if job.sample is None else job.sample / total if total else 0.0
    where, values = _period(job)
    changed: list[Checked] = []
    unmeasured: list[tuple[str, Category]] = []
    read = gone = 0
    columns = "call_id, category, state, begun_at, file, sha256, size, archive_failed, fault"
    query = f"SELECT {columns} FROM recording {where}"
    for number, row in enumerate(_each(store, query, values), 1):
        call_id, category, state, begun_at, file, sha256, size, archive_failed, fault = row
        if state == "finished":
            # What was found wrong inside of a file is found right only by reading it whole again.
            whole = lots.random() < share or fault in ("digest", "damaged", "no_key", "unreadable")
            read += whole
            now = _fault(folders, ring, file, sha256, size, whole=whole)
            found.plain += not now and _plain(folders, file, size)
            if now:
                found.add(now, file, call_id, category)
            elif len(unmeasured) < MOST_UNMEASURED and not os.path.exists(folders.archive / measure_file(file)):
                unmeasured.append((call_id, category))
            gone += now == "gone" != fault
            if now != fault and len(changed) < MOST_CHANGED:
                changed.append(Checked(call_id, category, now))
        elif state in ("due", "failed") and begun_at < job.now - SETTLED * _SECOND and call_id not in job.live:
            found.add(cast(FindingKind, state), call_id=call_id, category=category, detail=archive_failed)
        if number % _STEP == 0:
            progress(number)
    progress(total)
    return changed, unmeasured, read, gone


def _each(store: sqlite3.Connection, query: str, values: list[int]) -> Iterator[tuple[Any, ...]]:
    """The rows in pieces, so that no long read holds up SQLite's checkpoints."""
    order, after = "ORDER BY begun_at, call_id, category LIMIT 1000", ""
    glue = "AND" if values else "WHERE"
    last: tuple[object, ...] = ()
    while True:
        rows = store.execute(f"{query} {after} {order}", [*values, *last]).fetchall()
        yield from rows
        if len(rows) < 1000:
            return
        after, last = f"{glue} (begun_at, call_id, category) > (?, ?, ?)", (rows[-1][3], rows[-1][0], rows[-1][1])


def _fault(folders: Folders, ring: Ring, file: str, sha256: str, size: int, *, whole: bool) -> RecordingFault:
    """What is wrong with a finished recording's file."""
    try:
        path = folders.finished(file)
        if whole:
            digest, _size = digest_of(path, file, ring)
            return "" if digest == sha256 else "digest"
        stat = os.stat(path, follow_symlinks=False)
        if not size or stat.st_size == size:
            return ""
        if stat.st_size < HEAD:
            return "size"
        with open_stored(path, file, ring) as source:
            return "" if source.seek(0, os.SEEK_END) == size else "size"
    except (FileNotFoundError, ValueError):
        return "gone"
    except NoKey:
        return "no_key"
    except Damaged:
        return "damaged"
    except (OSError, Unreadable):
        return "unreadable"


def _plain(folders: Folders, file: str, size: int) -> bool:
    """Whether a sound file lies there as it is, not sealed: then it is as large as its content."""
    path = folders.finished(file)
    try:
        return os.stat(path).st_size == size if size else not is_sealed(path)
    except OSError:
        return False


def _file(job: CheckJob, store: sqlite3.Connection, folders: Folders, name: str, found: _Found) -> None:
    """A file that no recording has."""
    try:
        age = job.now / _SECOND - os.stat(folders.archive / name, follow_symlinks=False).st_mtime
    except OSError:
        return  # it has gone while we looked: a temporary one
    owner = belongs_to(name)
    if owner is None:
        if age > SETTLED:
            base = name.rpartition("/")[2]
            found.add("unfinished" if base.startswith(".") and base.endswith(".part") else "foreign", name)
        return
    call_id, category, is_measure = owner
    row = store.execute(
        "SELECT file, state FROM recording WHERE call_id = ? AND category = ?", (call_id, category)
    ).fetchone()
    wanted = "" if row is None else measure_file(row[0]) if is_measure else row[0]
    if age > YOUNG and (wanted != name or (row is not None and row[1] != "finished")):
        found.add("no_row", name, call_id, category)


def _unfinished(job: CheckJob, store: sqlite3.Connection, folders: Folders, found: _Found) -> None:
    """Calls that never ended, and files that stay in the spool."""
    for (call_id,) in store.execute(
        "SELECT call_id FROM call WHERE ended_at = 0 AND arrived_at < ?", (job.now - SETTLED * _SECOND,)
    ):
        if call_id not in job.live:
            found.add("open", call_id=call_id)
    try:
        with os.scandir(folders.spool) as entries:
            for entry in entries:
                old = entry.stat(follow_symlinks=False).st_mtime < job.now / _SECOND - SETTLED
                if old and not entry.name.startswith(".") and entry.name.isprintable():
                    found.add("spool", f"spool/{entry.name}")
    except OSError:
        return
