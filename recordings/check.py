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
from recordings.keys import BadKey, key_folder, load_ring, loose_keys

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
    problems += _keys(settings, state_dir, folders)
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


def _keys(settings: Settings, state_dir: Path, folders: Folders) -> list[Problem]:
    """What is wrong with the keys. Warnings alone: without a key recordings wait in the spool, and calls go on."""
    recording = settings.hotline.recording
    folder = key_folder(recording, state_dir)
    place = Place("hotline.yaml", key="recording.keys" if recording.keys else "recording.encrypt")
    if not recording.encrypt and not folder.exists():
        return []
    found = []
    try:
        ring = load_ring(folder)
        for error in ring.damaged.values():
            fix = _("Bring it back from your copy of the keys: what it sealed cannot be heard without it.")
            found.append(Problem("recordings-bad-key", place, str(error), fix, warning=True))
        if recording.encrypt and ring.current is None and not ring.damaged:
            found.append(Problem(
                "recordings-no-key", place,
                _("Recordings are to be encrypted, but {folder} holds no key: they wait unfinished in the spool.")
                .format(folder=folder),
                _("Run 'hotline recordings keys new', and keep a copy of the key elsewhere."), warning=True,
            ))  # fmt: skip
    except BadKey as error:
        fix = _("Make it readable for Hotline. Until then recordings wait unfinished in the spool.")
        found.append(Problem("recordings-bad-key", place, str(error), fix, warning=True))
    if folder.resolve().is_relative_to(folders.archive.resolve()):
        found.append(Problem(
            "recordings-keys-inside", place,
            _("The keys in {folder} lie within the recordings that they protect.").format(folder=folder),
            _("Choose a folder outside of it, best on another disk."), warning=True,
        ))  # fmt: skip
    if loose := loose_keys(folder):
        found.append(Problem(
            "recordings-keys-open", place,
            _("Others may read or write {path}.").format(path=loose[0]),
            _("Take their rights away: chmod 700 for the folder, chmod 600 for its files."), warning=True,
        ))  # fmt: skip
    return found


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
