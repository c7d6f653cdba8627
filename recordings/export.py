"""Handing out many recordings: readable names, a manifest with checksums, into a folder or a zip file.

Each copy is proved by the SHA-256 that the journal knows. Into a folder every file is written beside its place, synced
and renamed, so what has its name is whole; into a zip file the entries are stored one behind the other in
``.NAME.part``. Either can be killed at any moment and begun again: what is whole is proved and kept. A recording that
is missing or damaged is left out, and the manifest says so. Synchronous: run it in a thread. Whoever calls this has
written the access log before.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from config.catalogue import _
from config.lengths import at
from recordings.export_names import Item, manifest_csv, manifest_json, names

BLOCK = 1 << 20
"""Bytes copied at a time."""

Opener = Callable[[str], IO[bytes]]
"""Opens a recording by its ``Archived.file``: its bytes as they are handed out, decrypted. Raises OSError, and any
exception of its own for one that is damaged."""

Progress = Callable[[int, int], None]
"""Called with recordings done and recordings in all."""

_HEADER = struct.Struct("<4s5H3I2H")
"""A local file header (PKWARE APPNOTE 4.3.7)."""
_LARGE, _ELSEWHERE = struct.Struct("<2H2Q"), 0xFFFFFFFF
"""Its extra field of zip64, which has the sizes of more than 2 GB, and what stands in their place (4.5.3)."""
_UTF8 = 0x800
"""Its flag for a name in UTF-8."""


class ExportStopped(Exception):
    """It could not go on: what is whole stays, and the same command goes on from there. The text is one line."""


@dataclass(slots=True)
class Exported:
    """What an export did. ``kept``: whole from an earlier try; ``faults``: why a recording is not in it."""

    path: Path | None = None
    written: int = 0
    kept: int = 0
    size: int = 0
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Recordings that were dealt with."""
        return self.written + self.kept + len(self.faults)


def to_folder(
    items: Sequence[Item], target: Path, opener: Opener, zone: ZoneInfo, about: Mapping[str, Any], *,
    replace: bool = False, progress: Progress = lambda done, of: None,
) -> Exported:  # fmt: skip
    """Copy them into a folder, which is made where it is missing. A file of that name with other content is left, and
    told, unless ``replace``. Raises ExportStopped."""
    done = Exported(target)
    with _stopping(target, done, len(items)):
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _alone(folder, target)
            named = names(items, zone)
            for item in items:
                path = target / named[item.key]
                if _digest_of(path) == item.sha256:
                    done.kept += 1
                elif path.exists() and not replace:
                    done.faults[item.key] = _("another file of this name is there")
                elif why := _copy(item, opener, path):
                    done.faults[item.key] = why
                else:
                    done.written += 1
                done.size += path.stat().st_size if item.key not in done.faults else 0
                progress(done.done, len(items))
            for name, data in _manifests(items, named, done, about, zone):
                _put(target / name, data)
            os.fsync(folder)
        finally:
            os.close(folder)
    return done


def to_zip(
    items: Sequence[Item], target: Path, opener: Opener, zone: ZoneInfo, about: Mapping[str, Any], *,
    replace: bool = False, progress: Progress = lambda done, of: None,
) -> Exported:  # fmt: skip
    """Put them into a zip file (stored, since sound does not shrink any more). Raises ExportStopped."""
    done = Exported(target)
    draft = target.with_name(f".{target.name}.part")
    with _stopping(target, done, len(items)):
        if target.exists() and not replace:
            raise ExportStopped(_("{path} is there already: name another, or add --replace.").format(path=target))
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "r+b") as file:
            _alone(file.fileno(), target)
            named = names(items, zone)
            by_name = {named[item.key]: item for item in items}
            whole = {info.filename: info for info in _whole_entries(file, by_name)}
            file.truncate()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.infolist().extend(whole.values())
                done.kept = len(whole)
                for item in items:
                    if named[item.key] not in whole:
                        _into(archive, item, named[item.key], opener, zone, done)
                        file.flush()
                    progress(done.done, len(items))
                for name, data in _manifests(items, named, done, about, zone):
                    archive.writestr(name, data)
            done.size = file.tell()
            file.flush()
            os.fsync(file.fileno())
            os.replace(draft, target)
    return done


def plain(archive: Path) -> Opener:
    """Opens the files of an archive that is not encrypted."""

    def opened(file: str) -> IO[bytes]:
        path = Path(os.path.normpath(archive / file))
        if not path.is_relative_to(os.path.normpath(archive)):
            raise FileNotFoundError(file)
        return open(path, "rb")

    return opened


# --- one recording ----------------------------------------------------------------------------------------------------


def _copy(item: Item, opener: Opener, path: Path) -> str:
    """Copy it to this path; returns why it cannot be had, empty when it can. Raises OSError of the target alone."""
    draft = path.with_name(f".{path.name}.part")
    digest = hashlib.sha256()
    try:
        with _source(item, opener) as (giving, why):
            if giving is None:
                return why
            with open(draft, "wb", opener=_private) as taking:
                for block in _blocks(giving):
                    if isinstance(block, str):
                        return block
                    digest.update(block)
                    taking.write(block)
                taking.flush()
                os.fsync(taking.fileno())
        if digest.hexdigest() != item.sha256:
            return _("it is damaged: its SHA-256 is not the one in the journal")
        os.replace(draft, path)
        return ""
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _into(
    archive: zipfile.ZipFile, item: Item, name: str, opener: Opener, zone: ZoneInfo, done: Exported
) -> None:
    """Put one recording into the zip file. It is read once before, since nothing can be taken back."""
    size, why = _proved(item, opener)
    if why:
        done.faults[item.key] = why
        return
    info = zipfile.ZipInfo(name, at(item.began_at, zone).timetuple()[:6])
    info.external_attr, info.file_size = 0o640 << 16, size
    with _source(item, opener) as (giving, fault):
        if giving is None:
            done.faults[item.key] = fault
            return
        with archive.open(info, "w") as taking:
            for block in _blocks(giving):
                if isinstance(block, str):  # it was proved a moment ago: the archive is going away under us
                    raise ExportStopped(block)
                taking.write(block)
    done.written += 1
    done.size += size


def _proved(item: Item, opener: Opener) -> tuple[int, str]:
    """Its size, or why it cannot be had."""
    digest, size = hashlib.sha256(), 0
    with _source(item, opener) as (giving, why):
        if giving is None:
            return 0, why
        for block in _blocks(giving):
            if isinstance(block, str):
                return 0, block
            digest.update(block)
            size += len(block)
    if digest.hexdigest() != item.sha256:
        return 0, _("it is damaged: its SHA-256 is not the one in the journal")
    return size, ""


@contextlib.contextmanager
def _source(item: Item, opener: Opener) -> Iterator[tuple[IO[bytes] | None, str]]:
    """The recording, opened; or None, and why not."""
    giving, why = None, ""
    try:
        giving = opener(item.file)
    except FileNotFoundError:
        why = _("it is not there")
    except Exception as error:  # whatever is wrong with one recording must not keep the others back
        why = str(error) or type(error).__name__
    try:
        yield giving, why
    finally:
        if giving is not None:
            giving.close()


def _blocks(giving: IO[bytes]) -> Iterator[bytes | str]:
    """Its bytes; a text, at last, where it cannot be read to its end."""
    while True:
        try:
            block = giving.read(BLOCK)
        except Exception as error:
            yield str(error) or type(error).__name__
            return
        if not block:
            return
        yield block


def _whole_entries(file: IO[bytes], by_name: Mapping[str, Item]) -> Iterator[zipfile.ZipInfo]:
    """The recordings that an earlier try wrote whole, proved; leaves the file at the end of the last."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            break
        mark, _version, flags, method, _time, _date, crc, packed, size, name_size, extra = _HEADER.unpack(head)
        if mark != b"PK\x03\x04" or method or flags & ~_UTF8 or extra not in (0, _LARGE.size) or packed != size:
            break
        name = file.read(name_size).decode("utf-8" if flags else "cp437", "replace")
        if extra:
            more = file.read(extra)
            if len(more) < extra or size != _ELSEWHERE:
                break
            what, length, size, packed = _LARGE.unpack(more)
            if (what, length) != (1, _LARGE.size - 4) or packed != size:
                break
        item, first = by_name.get(name), file.tell()
        digest, left, sum_ = hashlib.sha256(), size, 0
        while item is not None and left and (block := file.read(min(BLOCK, left))):
            digest.update(block)
            sum_ = zlib.crc32(block, sum_)
            left -= len(block)
        if item is None or left or sum_ != crc or digest.hexdigest() != item.sha256:
            break
        info = zipfile.ZipInfo(name)
        info.header_offset, info.CRC, info.file_size, info.compress_size = end, crc, size, size
        info.external_attr, info.flag_bits = 0o640 << 16, flags
        end = first + size
        yield info
    file.seek(end)


# --- around -----------------------------------------------------------------------------------------------------------


def _manifests(
    items: Sequence[Item], named: Mapping[tuple[str, str], str], done: Exported, about: Mapping[str, Any],
    zone: ZoneInfo,
) -> Iterator[tuple[str, bytes]]:  # fmt: skip
    yield "manifest.json", manifest_json(items, named, done.faults, about, zone)
    yield "manifest.csv", manifest_csv(items, named, done.faults, zone)


def _put(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        with open(draft, "wb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _digest_of(path: Path) -> str:
    """The SHA-256 of a plain file; empty where there is none."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _alone(descriptor: int, target: Path) -> None:
    """Two exports into one place would take each other's files for unfinished."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExportStopped(_("Another export writes into {path}.").format(path=target)) from None


@contextlib.contextmanager
def _stopping(target: Path, done: Exported, of: int) -> Iterator[None]:
    """A full disk, a folder that is gone: one line that says how far it came."""
    try:
        yield
    except OSError as error:
        text = _("{path} cannot be written: {why}. {done} of {of} are done; the same command goes on from there.")
        raise ExportStopped(
            text.format(path=target, why=error.strerror or error, done=done.written + done.kept, of=of)
        ) from error
