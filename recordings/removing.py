"""Deleting recordings' files, and nothing else: only plain files, only within the archive, through no link.

Each folder on the way is opened by its name in the one before, without following links (openat(2), O_NOFOLLOW), so that
nobody can lead us elsewhere between a look and the deletion. Synchronous: run it in a thread.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Literal

BESIDE = (".measure",)
"""What lies beside a recording and is made of its sound: the recording's name, and this behind it."""

Found = Literal["there", "gone", "no_folder", "odd"]
"""A plain file; not there, though its folder is; not even its folder (is the archive mounted?); a link, a folder, a
pipe, or a name that leads out of the archive."""


def look(archive: Path, file: str) -> tuple[Found, int]:
    """What is there under this name (``Archived.file``), and its size in bytes. Raises OSError."""
    try:
        with _folder(archive, file) as (folder, name):
            known = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except _Odd:
        return "odd", 0
    except _NoFolder:
        return "no_folder", 0
    except FileNotFoundError:
        return "gone", 0
    return ("there", known.st_size) if stat.S_ISREG(known.st_mode) else ("odd", 0)


def remove(archive: Path, file: str) -> int:
    """Delete the recording and what lies beside it; returns the bytes freed. One that is gone already is fine.

    Raises OSError where a file cannot be deleted; then the recording itself is there, or gone, but never half.
    """
    freed = 0
    try:
        with _folder(archive, file) as (folder, name):
            for each in (*(name + suffix for suffix in BESIDE), name):
                try:
                    known = os.stat(each, dir_fd=folder, follow_symlinks=False)
                    if stat.S_ISREG(known.st_mode):
                        os.unlink(each, dir_fd=folder)
                        freed += known.st_size
                except FileNotFoundError:
                    pass
            os.fsync(folder)
    except (_Odd, _NoFolder):
        pass
    return freed


def remove_raw(spool: Path, files: list[str]) -> int:
    """Delete what is left of these files in the spool (plain files alone); returns how many. Raises OSError."""
    many = 0
    for file in files:
        path = Path(os.path.normpath(spool / file))
        if path.parent == spool and path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):
                path.unlink()
                many += 1
    return many


class _Odd(Exception):
    """The name leads elsewhere."""


class _NoFolder(Exception):
    """A folder on the way is not there."""


@contextmanager
def _folder(archive: Path, file: str) -> Iterator[tuple[int, str]]:
    """The file's folder, opened, and its name in it. The archive itself may be a link of the operator's."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise _Odd
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        opened = os.open(archive, flags)
    except (FileNotFoundError, NotADirectoryError):
        raise _NoFolder from None
    try:
        for part in path.parts[:-1]:
            try:
                deeper = os.open(part, flags | os.O_NOFOLLOW, dir_fd=opened)
            except FileNotFoundError:
                raise _NoFolder from None
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise _Odd from None
                raise
            os.close(opened)
            opened = deeper
        yield opened, path.parts[-1]
    finally:
        os.close(opened)
