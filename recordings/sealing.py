"""Sealing recordings that were archived before ``recording.encrypt`` was set, and opening them again after it.

One file after the other is written anew beside its place, read back, proved by the SHA-256 that the journal knows, and
put in the old one's place; the old one is untouched until then. So it can be killed at any moment and begun again. Only
files of finished recordings are touched, and only while no purge, erasure or hold has its turn: a recording that goes
meanwhile does not come back. Imports ``cryptography``: for commands and workers only.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from calllog import keep_queries
from config.catalogue import _
from config.plain import sync_folder
from recordings.errors import NoKey, Unreadable
from recordings.folders import Folders
from recordings.keys import Ring
from recordings.measures import measure_file
from recordings.sealed import MAGIC, Sealer, digest_of, is_sealed, open_stored
from recordings.turns import KEEP, turn

SEAL = "seal.lock"
"""Held by whoever seals or opens."""
BLOCK = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

Progress = Callable[[int, int], None]
"""Called with files done and files in all."""


class SealingStopped(Exception):
    """It cannot go on; what is done stays, and the same command goes on from there. The text is one line."""


@dataclass(slots=True)
class Sealing:
    """What was done. ``done`` files now are as wanted, ``before`` were already; ``left``: (file, why) untouched."""

    done: int = 0
    before: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a recording: its name in the archive, and what its content must be (empty: whatever it is)."""

    name: str
    sha256: str = ""


def plain_files(store: Path, folders: Folders) -> Iterator[bool]:
    """For every finished recording whether its file is there and not sealed. Raises StoreError."""
    for file, _sha256 in keep_queries.finished_files(store):
        try:
            yield not is_sealed(folders.finished(file))
        except (OSError, ValueError):
            yield False


async def seal_all(
    store: Path, folders: Folders, ring: Ring, *, seal: bool = True, progress: Progress = lambda done, of: None
) -> Sealing:
    """Seal every finished recording, with its measures; or open them, without ``seal``.

    Raises ``turns.Busy``, NoKey (there is none to seal with), SealingStopped, StoreError.
    """
    if seal and ring.current is None:
        raise NoKey(_("There is no key to seal recordings with: run 'hotline recordings keys new'."))
    done = Sealing()
    async with turn(folders.state_dir, SEAL, patience=0.0):
        files = await asyncio.to_thread(_files, store)
        for number, each in enumerate(files, 1):
            try:
                await _one(each, folders, ring, seal, done)
            except FileNotFoundError:
                if each.sha256:  # purged meanwhile, or lost: 'recordings verify' tells
                    done.left.append((each.name, _("it is not there")))
            except (Unreadable, ValueError) as error:
                done.left.append((each.name, str(error)))
            except OSError as error:
                if error.errno in _FULL:
                    text = _("The disk is full. {done} files are done; make room, and the same command goes on.")
                    raise SealingStopped(text.format(done=done.done)) from error
                done.left.append((each.name, error.strerror or str(error)))
            progress(number, len(files))
    return done


def _files(store: Path) -> list[_File]:
    return [
        each for file, sha256 in keep_queries.finished_files(store)
        for each in (_File(file, sha256), _File(measure_file(file)))
    ]  # fmt: skip


async def _one(each: _File, folders: Folders, ring: Ring, seal: bool, done: Sealing) -> None:
    path = folders.finished(each.name)
    if await asyncio.to_thread(is_sealed, path) == seal:
        done.before += 1
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stamp = await asyncio.to_thread(_write, path, draft, each, ring, seal)
        async with turn(folders.state_dir, KEEP):
            if _stamp(os.stat(path, follow_symlinks=False)) != stamp:
                raise ValueError(_("it has changed just now: the next time"))
            os.replace(draft, path)
            await asyncio.to_thread(sync_folder, path.parent)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    done.done += 1


def _write(path: Path, draft: Path, each: _File, ring: Ring, seal: bool) -> Sequence[int]:
    """Write the other kind of the file, and prove it; returns the stamp of what was read."""
    with open_stored(path, each.name, ring) as source:
        known = os.stat(path, follow_symlinks=False)
        with os.fdopen(
            os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "w+b"
        ) as target:
            read = _copy(source, target, each.name, ring if seal else None)
            if each.sha256 and read != each.sha256:
                raise ValueError(_("it is damaged: its SHA-256 is not the one in the journal"))
            os.fchmod(target.fileno(), known.st_mode & 0o777)
            os.utime(target.fileno(), ns=(known.st_atime_ns, known.st_mtime_ns))
            os.fsync(target.fileno())
    if digest_of(draft, each.name, ring)[0] != read or is_sealed(draft) != seal:
        raise OSError(errno.EIO, _("what was written does not read back"), str(draft))
    return _stamp(known)


def _copy(source: IO[bytes], target: IO[bytes], name: str, ring: Ring | None) -> str:
    """Copy the content, sealed where there is a ring; returns its digest."""
    digest = hashlib.sha256()
    taking = Sealer(target, name, ring) if ring is not None else target
    first = True
    while block := source.read(BLOCK):
        if first and ring is None and block.startswith(MAGIC):
            raise ValueError(_("it is sealed twice"))
        first = False
        digest.update(block)
        taking.write(block)
    if isinstance(taking, Sealer):
        taking.finish()
    target.flush()
    return digest.hexdigest()


def _stamp(known: os.stat_result) -> Sequence[int]:
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns
