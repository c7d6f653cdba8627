"""Everything about one caller, for that caller: calls, what was written about them, and recordings, in a folder.

::

    calls.csv calls.txt calls.json   each call in a line, as its story, and whole for a program
    notes.csv                        what was written about them: call records, comments
    recordings/                      the recordings and messages, with a manifest of their own
    manifest.json                    every file with its SHA-256
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calllog import erasing, keep_queries, queries
from calllog.erasing import Person
from calllog.queries import CallDetail
from calllog.wording import Names, outcome_word
from config.cells import plain_cell
from config.lengths import iso
from config.settings import Settings
from console.book import Book
from console.filters import Filters
from console.whole import plain_course, whole
from phone.numbers import e164
from recordings.export import Exported, Opener, Progress, to_folder
from recordings.export_names import Item, item_of
from recordings.folders import Folders

FORMAT = "hotline-person-1"


async def details(store: Path, call_ids: Sequence[str]) -> list[CallDetail]:
    """The calls whole. Raises StoreError."""
    found = [await queries.get_call(store, call_id) for call_id in call_ids]
    return [one for one in found if one is not None]


def items_of(store: Path, calls: Sequence[CallDetail], settings: Settings) -> list[Item]:
    """The finished recordings of these calls. Raises StoreError."""
    rows = keep_queries.exportable(store, keep_queries.Wanted([one.row.call_id for one in calls]))
    return [item_of(row, settings, whole=True) for row in rows]


def write(
    people: Sequence[Person], calls: Sequence[CallDetail], items: Sequence[Item], settings: Settings, state: Path,
    target: Path, opener: Opener, about: Mapping[str, Any], progress: Progress,
) -> Exported:  # fmt: skip
    """Write the folder, with these recordings (:func:`items_of`) as ``opener`` gives them. What is there of an earlier
    try is made anew; recordings that are whole are kept.

    Raises OSError, ``export.ExportStopped``, StoreError.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    names, zone, folders = Names.of(settings), settings.hotline.zone, Folders(state)
    store = state / "hotline.sqlite"
    done = Exported(target / "recordings")
    if items:
        done = to_folder(items, target / "recordings", opener, zone, about, progress=progress)
    stories = [whole(one, names, zone, folders) for one in calls]
    body = {"persons": [{"raw": one.raw, "e164": one.e164, "name": one.name} for one in people], "calls": stories}
    notes = keep_queries.notes_of(store, [one.row.call_id for one in calls])
    for name, data in (
        ("calls.csv", _sheet(_CALLS, ([column(one, settings) for _title, column in _CALL_CELLS] for one in calls))),
        ("calls.txt", "".join(_told(calls, names, settings)).encode()),
        ("calls.json", json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"),
        ("notes.csv", _sheet(("call_id", "at", "kind", "field", "text"),
                             ([one.call_id, iso(one.at, zone), one.kind, one.field, one.text] for one in notes))),
    ):  # fmt: skip
        _put(target / name, data)
    files = sorted(path for path in target.rglob("*") if path.is_file() and path.name != "manifest.json")
    files += sorted(path for path in target.rglob("manifest.json") if path.parent != target)
    listed = [
        {"name": str(path.relative_to(target)), "bytes": path.stat().st_size, "sha256": _digest(path)} for path in files
    ]
    made = dt.datetime.now(zone).isoformat(timespec="seconds")
    manifest = {"format": FORMAT, "made_at": made, **about, "calls": len(calls), "files": listed}
    _put(target / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n")
    return done


def parties(store: Path, number: str, settings: Settings) -> list[Person]:
    """Who has this number, as the operator wrote it. Raises StoreError."""
    return erasing.persons(store, e164(number, settings.hotline.country), number.strip())


def pack(folder: Path, target: Path, progress: Progress = lambda done, of: None) -> None:
    """The folder as one zip file; each file of it goes as soon as it is in there, so that little room is needed twice.

    Raises OSError.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with os.fdopen(
        os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
    ) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, path in enumerate(files, 1):
            archive.write(path, str(path.relative_to(folder)))
            path.unlink()
            progress(number, len(files))


def forget_filters(book: Book, number: str, country: str) -> None:
    """Take saved filters away that ask for this number, however it was written there. Raises BookFault."""
    full, filters = e164(number, country), Filters(book)
    for written in {number.strip(), full, full.removeprefix("+86") if country == "CN" else ""}:
        filters.forget(written)


_Cell = Callable[[CallDetail, Settings], Any]
_CALL_CELLS: tuple[tuple[str, _Cell], ...] = (
    ("call_id", lambda one, settings: one.row.call_id),
    ("arrived_at", lambda one, settings: iso(one.row.arrived_at, settings.hotline.zone)),
    ("number", lambda one, settings: one.row.number),
    ("name", lambda one, settings: one.row.name),
    ("dialled", lambda one, settings: one.row.did),
    ("about", lambda one, settings: one.row.label or one.row.queue),
    ("agents", lambda one, settings: list(one.row.agents)),
    ("talked_s", lambda one, settings: round(one.row.talk_us / 1e6, 3)),
    ("outcome", lambda one, settings: outcome_word(one.row.outcome)),
    ("recorded", lambda one, settings: one.row.recorded),
)
_CALLS = tuple(title for title, _column in _CALL_CELLS)


def _told(calls: Iterable[CallDetail], names: Names, settings: Settings) -> Iterator[str]:
    for one in calls:
        yield f"{one.row.call_id}  {one.row.number} {one.row.name}\n"
        for line in plain_course(one, names, settings.hotline.zone):
            yield f"{line}\n"
        yield "\n"


def _sheet(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(titles)
    writer.writerows([plain_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _put(path: Path, data: bytes) -> None:
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb"
    ) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
