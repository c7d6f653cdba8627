"""By which the archive is known: an empty mount point, below which a disk should lie, must not be taken for it.

The mark is an empty file in the archive's root. A new archive gets one, and one from before there were marks, by its
folders of years; what holds neither, though the store knows of finished recordings, is another place. Nothing is
archived there, where the disk would hide it as soon as it is mounted again. Blocking.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from recordings.folders import Folders

MARK = ".hotline-archive"

Found = Literal["there", "elsewhere", "unmarked"]
"""``unmarked``: it is the archive, and the mark could not be written: nobody can tell one place from another."""


def is_marked(archive: Path) -> bool:
    """Whether this is the archive."""
    return os.path.isfile(archive / MARK)


def recognise(folders: Folders, store: Path) -> Found:
    """Look, and mark what is the archive and has no mark yet."""
    if is_marked(folders.archive):
        return "there"
    if not _has_years(folders.archive) and _finished(store):
        return "elsewhere"
    try:
        os.close(os.open(folders.archive / MARK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640))
    except OSError:
        return "unmarked"
    return "there"


def _has_years(archive: Path) -> bool:
    try:
        with os.scandir(archive) as entries:
            return any(len(one.name) == 4 and one.name.isdecimal() and one.is_dir() for one in entries)
    except OSError:
        return False


def _finished(store: Path) -> bool:
    """Whether any recording should lie in the archive. A store that cannot be asked knows of none."""
    try:
        with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT 1 FROM recording WHERE state = 'finished' LIMIT 1"
            return connection.execute(query).fetchone() is not None
    except sqlite3.Error:
        return False
