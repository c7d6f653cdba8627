"""Things in the spool that are no plain files: links, pipes, devices. None is ever read; each is set aside, and told.

Asterisk's group may write into the spool. A link there could lead to what is the daemon's alone, and a pipe would hold
up whoever opens it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from recordings.folders import Folders

log = structlog.get_logger(__name__)

FOLDER = "refused"
"""Below the recordings, where only the daemon writes."""


@dataclass(frozen=True, slots=True)
class Odd:
    """What was found under ``file`` (relative to the spool), and where it is now; it could not be moved: None."""

    file: str
    now_at: Path | None


def odd_files(folders: Folders, files: Iterable[str] | None = None) -> list[str]:
    """Of these files of the spool (None: of all in it) those that are there and are neither plain files nor folders."""
    if files is None:
        try:
            with os.scandir(folders.spool) as entries:
                return sorted(entry.name for entry in entries if _is_odd(Path(entry.path)))
        except FileNotFoundError:
            return []
    return [file for file in files if folders.has_place_for(file) and _is_odd(folders.raw(file))]


def set_aside(folders: Folders, files: Iterable[str] | None = None) -> list[Odd]:
    """Move what :func:`odd_files` finds out of the spool, unopened, and log each. Blocks; never raises OSError."""
    found = []
    for file in odd_files(folders, files):
        source, now_at = folders.raw(file), None
        target = folders.archive / FOLDER / Path(file).name
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = 1
            while os.path.lexists(target):
                number += 1
                target = target.with_name(f"{Path(file).name}.{number}")
            os.rename(source, target)
            now_at = target
            log.error("no plain file in the recordings' spool: not read, but set aside", file=file, now_at=str(target))
        except OSError as error:
            log.error("no plain file in the recordings' spool: not read, and it cannot be set aside", file=file,
                      why=error.strerror)  # fmt: skip
        found.append(Odd(file, now_at))
    return found


def _is_odd(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not (path.is_file() or path.is_dir()))
