"""Can recordings be written and kept here?"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from config.catalogue import _
from config.problems import Place, Problem
from config.settings import Settings
from recordings.folders import Folders

LITTLE_SPACE = 5 * 10**9
"""Bytes free; below it an operator is warned: 40 hours of talk in the spool."""


def check(settings: Settings, state_dir: Path) -> list[Problem]:
    """Every problem of the recordings' folders: not writable, little space, spool on another filesystem.

    Makes the folders where they are missing. Needed even with recording off, since voicemails lie there too.
    """
    folders = Folders(state_dir)
    place = Place("hotline.yaml", key="state_dir")
    problems = []
    for folder in (folders.archive, folders.spool, folders.away):
        if why := _not_writable(folder):
            problems.append(
                Problem(
                    "recordings-not-writable",
                    place,
                    _("Recordings cannot be written into {folder}: {why}.").format(folder=folder, why=why),
                    _("Let the user that runs Hotline write there, or choose another state_dir."),
                )
            )
            if folder == folders.archive:
                break  # the other two lie within it
    if problems:
        return problems
    free = shutil.disk_usage(folders.archive).free
    if free < LITTLE_SPACE:
        problems.append(
            Problem(
                "recordings-little-space",
                place,
                _("Only {free} GB are free for recordings.").format(free=f"{free / 1e9:.1f}"),
                _("Make room: an hour of talk takes 115 MB until it is archived, and less afterwards."),
                warning=True,
            )
        )
    if folders.spool.stat().st_dev != folders.archive.stat().st_dev:
        problems.append(
            Problem(
                "recordings-spool-elsewhere",
                place,
                _("{spool} is on another filesystem than {archive}.").format(
                    spool=folders.spool, archive=folders.archive
                ),
                _("Watch the free space of both: only that of the archive is checked."),
                warning=True,
            )
        )
    return problems


def _not_writable(folder: Path) -> str:
    """Why nothing can be written into the folder; empty when it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".check-") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""
