"""The list of what a purge or an erasure takes away: written and synced before anything goes, and kept for good.

``<archive>/manifests/NAME.json``, and beside it ``NAME.unfinished`` until all of it is done. It names calls and files,
never a person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from config.plain import bytes_of, sync_folder

FOLDER = "manifests"
FORMAT = "hotline-manifest-1"
MOST = 1 << 30
"""Bytes of one that is read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One that was written: its file, and that file's SHA-256."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """As events have it."""
        return self.path.name

    @property
    def mark(self) -> Path:
        """There while it is unfinished."""
        return self.path.with_suffix(".unfinished")

    def finished(self) -> None:
        """All of it is done. Raises OSError."""
        self.mark.unlink(missing_ok=True)
        sync_folder(self.path.parent)


def write(archive: Path, what: str, about: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> Manifest:
    """Write a manifest of this kind (``purge``, ``erase``). Raises OSError; then there is none."""
    folder = archive / FOLDER
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    path = folder / f"{what}-{uuid7()}.json"
    body = {"format": FORMAT, "what": what, **about, "items": list(items)}
    data = json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"
    made = Manifest(path, hashlib.sha256(data).hexdigest())
    _write(made.mark, b"")
    try:
        _write(path, data)
    except OSError:
        path.unlink(missing_ok=True)
        made.mark.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    return made


def unfinished(archive: Path) -> list[Manifest]:
    """Those that a killed process left, the oldest first. One that is no manifest of ours is left alone."""
    found = []
    for mark in sorted((archive / FOLDER).glob("*.unfinished")):
        path = mark.with_suffix(".json")
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            mark.unlink(missing_ok=True)  # killed before it was written: nothing was done
            continue
        found.append(Manifest(path, hashlib.sha256(data).hexdigest()))
    return found


_NAME = re.compile(r"(?P<what>purge|erase)-(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a manifest says in short. ``made_at`` in µs; ``left``: calls that an erasure had to leave; ``finished``:
    all of it is done; ``torn``: it cannot be read."""

    name: str
    what: str
    made_at: int
    by: str
    why: str
    recordings: int
    size: int
    calls: int
    left: int
    finished: bool
    sha256: str
    torn: bool = False


def names(archive: Path) -> list[str]:
    """Every manifest, the newest first: ids of version 7 are in order of time. Raises OSError."""
    try:
        found = [match for name in os.listdir(archive / FOLDER) if (match := _NAME.fullmatch(name))]
    except FileNotFoundError:
        return []
    return [match[0] for match in sorted(found, key=lambda match: match["id"], reverse=True)]


def of_name(archive: Path, name: str) -> bytes:
    """The manifest of this name, whole. Raises LookupError where there is none, OSError."""
    if not _NAME.fullmatch(name):
        raise LookupError(name[:60])
    try:
        return bytes_of(archive / FOLDER / name, MOST)
    except FileNotFoundError:
        raise LookupError(name) from None


def summary(archive: Path, name: str) -> Summary:
    """A manifest in short. Raises LookupError, OSError."""
    data = of_name(archive, name)
    finished = not (archive / FOLDER / name).with_suffix(".unfinished").exists()
    digest = hashlib.sha256(data).hexdigest()
    what = name.partition("-")[0]
    try:
        body = json.loads(data)
        items = [item for item in body["items"] if isinstance(item, dict)]
        made = dt.datetime.fromisoformat(body["made_at"])
        return Summary(
            name, what, round(made.timestamp() * 1e6), str(body.get("by", "")), str(body.get("why", "")), len(items),
            sum(int(item.get("bytes", 0)) for item in items), len(body.get("calls", ())), len(body.get("left", ())),
            finished, digest,
        )  # fmt: skip
    except (ValueError, LookupError, TypeError):
        return Summary(name, what, 0, "", "", 0, 0, 0, 0, finished, digest, torn=True)


def read(manifest: Manifest) -> dict[str, Any]:
    """What it says; empty where it is torn: then nothing was done by it. Raises OSError."""
    try:
        body = json.loads(manifest.path.read_bytes())
    except ValueError:
        return {}
    return body if isinstance(body, dict) and body.get("format") == FORMAT else {}


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
