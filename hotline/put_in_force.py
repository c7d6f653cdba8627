"""How a command changes a settings file: proved, written whole by one writer at a time, and waited for.

Whoever edits works on what they have read. Before it is written it is looked at once more: where the file is no longer
what was read, somebody else was quicker, and nothing is written. The daemon's watch does the rest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calllog.wording import GOOD
from config import write
from config.catalogue import _
from config.problems import Place, Problem, Refused
from config.snapshot import Snapshot, being_written, look
from config.versions import History, How, Note, Version
from hotline.cli_options import refuse, status_of, tell
from hotline.in_force import in_our_words, pending_line
from hotline.show import console

if TYPE_CHECKING:
    from config.settings import Settings
    from hotline.preflight import Ready

TAKEN_WITHIN = 180.0
"""Seconds until a running daemon must have said what became of files that were written: it may build prompts."""


class ChangedMeanwhile(Exception):
    """Somebody else changed the file since it was read. ``now`` is what stands there."""

    def __init__(self, now: bytes, author: str, at: dt.datetime) -> None:
        super().__init__(author)
        self.now, self.author, self.at = now, author, at


# --- proving ----------------------------------------------------------------------------------------------------------


def prove(config: Path, state: Path, name: str, content: bytes, before: Settings | None) -> Ready:
    """The settings as they would be with this content of this file, checked as a start would. Raises Refused.

    ``before`` is what is in force: what is wrong with that already is told, and refuses nothing.
    """
    from tempfile import TemporaryDirectory

    from hotline.preflight import Asked, prepare
    from ivr.versions import draft_folder, forget, lay

    draft = draft_folder(state)
    history = History(state)
    history.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lay(state, draft)
        with TemporaryDirectory(dir=history.folder, prefix=".prove-") as scratch:
            seen, folder = look(config), Path(scratch)
            for each, text in seen.texts.items():
                (folder / each).write_bytes(content if each == name else text)
            if (config / "sounds").is_dir():
                (folder / "sounds").symlink_to((config / "sounds").resolve())
            return prepare(folder, sounds=draft, roster=Asked(before=before))
    finally:
        forget(draft)


# --- writing ----------------------------------------------------------------------------------------------------------


def put(
    config: Path, state: Path, name: str, was: bytes, becomes: bytes, *, author: str, how: How, restores: int = 0
) -> str:
    """Write the file, and leave the daemon a note of whose it is; returns the folder's digest then.

    Raises ChangedMeanwhile when the file is no longer ``was``, Refused while an editor writes it, config.write's Busy,
    OSError. In each case nothing is written.
    """
    history, path = History(state), config / name
    with write.alone(history.folder / "edit.lock"):
        now = path.read_bytes()
        if now != was:
            raise ChangedMeanwhile(now, *_writer(history, config, path))
        if being_written(config, [name]):
            what = _("Another program has the file open and writes it.")
            raise Refused([Problem("being-written", Place(name), what, _("Save and close it there, then try again."))])
        seen = look(config)
        digest = digest_with(seen, name, becomes)
        history.leave_note(Note(digest, author, how, restores, seen.digest))
        write.replace(path, becomes)
    return digest


def digest_with(seen: Snapshot, name: str, content: bytes) -> str:
    """The digest of the same folder with this content of one file."""
    return replace(seen, files={**seen.files, name: hashlib.sha256(content).hexdigest()}).digest


def _writer(history: History, config: Path, path: Path) -> tuple[str, dt.datetime]:
    """Who wrote the file as it is, and when."""
    about, digest = path.stat(), look(config).digest
    note, last = history.note(digest), history.last()
    author = note.author if note else last.author if last and last.digest == digest else ""
    return author or write.user_name(about.st_uid), dt.datetime.fromtimestamp(about.st_mtime, dt.UTC)


def who() -> str:
    """The user who gives this command; behind sudo, the one who called it."""
    behind = os.environ.get("SUDO_USER")
    return behind if os.geteuid() == 0 and behind else write.user_name(os.getuid())


def version_of(history: History, number: int | None) -> Version:
    """This version, or the newest; exits where there is none."""
    versions = history.versions()
    found = next((one for one in reversed(versions) if number in (None, one.version)), None)
    if not versions:
        refuse(_("No version has taken effect yet: the daemon notes the first at its start."))
    if found is None:
        first, last = versions[0].version, versions[-1].version
        refuse(_("There is no version {n}; there are {first} to {last}.").format(n=number, first=first, last=last))
    return found


# --- waiting ----------------------------------------------------------------------------------------------------------


def wait(state: Path, digest: str, config: Path, after: int) -> None:
    """Until the daemon says that the folder with this digest is in force, and say so; exits with its errors else.

    ``after`` is the last version before the files were written.
    """
    if status_of(state) is None:
        console().print(_("The hotline is not running: it takes effect at the next start."))
        return
    history, until = History(state), time.monotonic() + TAKEN_WITHIN
    while time.monotonic() < until:
        about: Mapping[str, Any] = (status_of(state) or {}).get("config", {})
        if about.get("digest") == digest or any(
            one.version > after and one.digest == digest for one in history.versions()[-3:]
        ):
            console().print(_("It is in force."), style=GOOD)
            for key, whose in about.get("pending", {}).items():
                tell(pending_line(str(key), str(whose)))
            return
        if about.get("refused") == digest:
            refuse(*in_our_words(about, config).get("errors", []))
        there = look(config).digest
        if there != digest:  # somebody edits on: their content has ours in it
            digest = there
        time.sleep(0.2)
    refuse(_("The hotline has not said yet that it is in force: see 'hotline config history'."))
