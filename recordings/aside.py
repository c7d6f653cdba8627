"""Raw files of ended calls that wait beside the recordings' folder while that is not the archive (``recordings.mark``).

The spool lies within it: what Asterisk writes there while the disk is not mounted would be hidden by it later. So it is
moved into ``recordings-aside`` of the state folder as soon as its call has ended, and back before it is archived.
Blocking.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

from recordings.folders import Folders

log = structlog.get_logger(__name__)

FOLDER = "recordings-aside"


def put_aside(folders: Folders, files: Iterable[str]) -> None:
    """Move these files of the spool there; what is not there is passed over, and what cannot be moved is told."""
    for file in files:
        source, target = folders.spool / file, folders.state_dir / FOLDER / file
        if Path(file).name != file or source.is_symlink() or not source.is_file() or target.exists():
            continue
        try:
            target.parent.mkdir(mode=0o750, exist_ok=True)
            _move(source, target)
            log.warning("the archive is not there: a recording waits beside it", file=file)
        except OSError as error:
            log.error("the archive is not there, and a recording cannot be put beside it", file=file, why=str(error))


def bring_back(folders: Folders) -> int:
    """Move all of them back into the spool; returns how many."""
    many = 0
    for source in sorted((folders.state_dir / FOLDER).glob("[!.]*")):
        target = folders.spool / source.name
        if target.exists():
            log.error("a recording that waits beside the archive is in the spool too: both are kept", file=source.name)
            continue
        try:
            _move(source, target)
            many += 1
        except OSError as error:
            log.error("a recording that waits beside the archive cannot be brought back yet", file=source.name,
                      why=str(error))  # fmt: skip
    return many


def forget(state_dir: Path, files: Iterable[str]) -> None:
    """Delete these. Raises OSError."""
    for file in files:
        if Path(file).name == file:
            (state_dir / FOLDER / file).unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Whole or not at all, from one disk to another too."""
    draft = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, draft)
    with open(draft, "rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    source.unlink()
