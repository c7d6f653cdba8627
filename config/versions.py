"""Every version of the configuration that took effect, kept so that it can be shown, compared and taken back.

Below the state folder: ``config/versions.jsonl``, one line a version, and ``config/files/``, each content once under
its SHA-256. The daemon alone adds versions. A command that writes the files leaves a note of who it was and why beside
them; the daemon puts it with the version that the note is about.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import msgspec

from config.difference import Difference
from config.duty_change import DutyChange
from config.load import Loaded, load
from config.snapshot import UNREADABLE, Snapshot, is_text, look
from config.write import replace

How = Literal["start", "edit", "command", "import", "undo"]
"""``start``: found in the files when the daemon started; ``edit``: taken while it ran; ``command``, ``import``: written
by a command, or from a sheet; ``undo``: taken back."""

MOST_NOTES = 50
"""Notes of edits that have not taken effect yet; of more the oldest are forgotten."""

MOST_CHANGES = 200
"""Changes of one version that are kept in words, and as many of people's duty; the texts are kept whole."""


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A :class:`config.difference.Difference` as it is kept."""

    file: str
    key: str
    old: str
    new: str

    def __str__(self) -> str:
        return str(Difference(self.file, self.key, self.old, self.new))


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version that took effect at ``at`` (µs since 1970 UTC). ``author`` is empty for an edited file.

    ``files`` is path to SHA-256; ``more`` and ``more_duty`` count what is beyond ``changes`` and ``duty``; of an undo,
    ``restores`` is the version whose content it has.
    """

    version: Annotated[int, msgspec.Meta(ge=1)]
    at: Annotated[int, msgspec.Meta(ge=0, lt=250_000_000_000_000_000)]  # what a calendar can say: to the year 9892
    how: How
    files: dict[str, str]
    author: str = ""
    restores: int = 0
    changes: tuple[Change, ...] = ()
    more: int = 0
    duty: tuple[DutyChange, ...] = ()
    more_duty: int = 0

    @property
    def digest(self) -> str:
        """That of the folder's content."""
        return Snapshot(self.files).digest


class Note(msgspec.Struct, frozen=True):
    """Who wrote the content of this digest into the files, and why; ``before`` is the digest that was there."""

    digest: str
    author: str
    how: How
    restores: int = 0
    before: str = ""


class Damaged(Exception):
    """What was kept cannot be read; the text says which file and why."""


class History:
    """The versions kept below this state folder. Methods block for file access and raise OSError."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "config"
        self.lines = self.folder / "versions.jsonl"
        self._notes = self.folder / "notes"

    # --- asking -------------------------------------------------------------------------------------------------

    def versions(self) -> list[Version]:
        """All, the oldest first. A line that a crash left half is passed over."""
        try:
            lines = self.lines.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            with contextlib.suppress(msgspec.DecodeError):
                version = msgspec.json.decode(line, type=Version)
                if all(_belongs(name) and _is_digest(digest) for name, digest in version.files.items()):
                    found.append(version)
        return found

    def last(self) -> Version | None:
        """The version in force, as far as the daemon has said."""
        return next(reversed(self.versions()), None)

    def content(self, digest: str) -> bytes:
        """What was kept under this SHA-256. Raises Damaged, also where it is no longer that."""
        try:
            content = self._file(digest).read_bytes()
        except OSError as error:
            raise Damaged(f"{self._file(digest)}: {error.strerror}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise Damaged(f"{self._file(digest)}: its content has changed")
        return content

    def lay_out(self, version: Version, folder: Path) -> None:
        """Write this version's files into an empty folder; recordings are linked where that can be. Raises Damaged."""
        for name, digest in version.files.items():
            if digest.startswith(UNREADABLE):
                continue
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if is_text(name):
                target.write_bytes(self.content(digest))
            else:
                try:
                    _link(self._file(digest), target)
                except OSError as error:
                    raise Damaged(f"{self._file(digest)}: {error.strerror}") from None

    def settings(self, version: Version) -> Loaded:
        """This version's settings. Raises config's Refused where they are no longer good, Damaged."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.folder, prefix=".read-") as scratch:
            self.lay_out(version, Path(scratch))
            return load(Path(scratch))

    # --- adding -------------------------------------------------------------------------------------------------

    def keep(self, snapshot: Snapshot, folder: Path) -> None:
        """Keep the content of this snapshot of ``folder``; what is kept already stays. What could not be read is left
        out: settings that need it would not be good. Raises OSError, Damaged when a recording is not what it was."""
        files = self.folder / "files"
        files.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, digest in snapshot.files.items():
            target = files / digest
            if digest.startswith(UNREADABLE) or target.exists():
                continue
            draft = files / f".{digest}.{os.getpid()}"
            try:
                with open(draft, "wb", opener=_private) as out:
                    if is_text(name):
                        out.write(snapshot.texts[name])
                    else:
                        with (folder / name).open("rb") as source:
                            shutil.copyfileobj(source, out)
                    out.flush()
                    with draft.open("rb") as written:
                        if hashlib.file_digest(written, "sha256").hexdigest() != digest:
                            raise Damaged(f"{folder / name}: it changed while it was kept")
                    os.fsync(out.fileno())
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)

    def add(
        self, snapshot: Snapshot, at: int, how: How, changes: Iterable[Difference], duty: Sequence[DutyChange] = (),
        author: str = "",
    ) -> Version:  # fmt: skip
        """Write down that this snapshot, which is kept, took effect at ``at`` (µs). Raises OSError.

        ``how`` and ``author`` are those of the notes that lead from the last version to this one, where there are any.
        """
        last, told = self.last(), list(changes)
        notes = self._led_to(snapshot.digest, last.digest if last else "")
        version = Version(
            version=last.version + 1 if last else 1,
            at=at,
            how=notes[-1].how if notes else how,
            files=dict(snapshot.files),
            author=", ".join(dict.fromkeys(note.author for note in notes)) or author,
            restores=notes[-1].restores if notes else 0,
            changes=tuple(Change(one.file, one.key, one.old, one.new) for one in told[:MOST_CHANGES]),
            more=max(0, len(told) - MOST_CHANGES),
            duty=tuple(duty[:MOST_CHANGES]),
            more_duty=max(0, len(duty) - MOST_CHANGES),
        )
        with open(self.lines, "ab", opener=_private) as out:
            # A line that a crash left half must not swallow this one.
            out.write((b"\n" if _ends_open(self.lines) else b"") + msgspec.json.encode(version) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        self._forget_notes(notes)
        return version

    def leave_note(self, note: Note) -> None:
        """For the daemon: who is about to write what."""
        self._notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._notes / f".{note.digest}.{os.getpid()}"
        with open(draft, "wb", opener=_private) as out:
            out.write(msgspec.json.encode(note))
        draft.replace(self._notes / note.digest)

    def note(self, digest: str) -> Note | None:
        """Who wrote the content of this digest, where it has not taken effect yet."""
        try:
            note = msgspec.json.decode((self._notes / digest).read_bytes(), type=Note)
        except (OSError, msgspec.DecodeError):
            return None
        return note if note.digest == digest else None

    def _led_to(self, digest: str, begins: str) -> list[Note]:
        """The notes of the edits that made the content of ``begins`` that of ``digest``; as far back as they go."""
        found = list[Note]()
        while digest != begins and (note := self.note(digest)) is not None and note not in found:
            found.insert(0, note)
            digest = note.before
        return found

    def _forget_notes(self, used: Iterable[Note]) -> None:
        with contextlib.suppress(OSError):
            for note in used:
                (self._notes / note.digest).unlink(missing_ok=True)
            left = list(self._notes.iterdir()) if self._notes.exists() else []
            for path in sorted(left, key=lambda path: path.lstat().st_mtime_ns)[:-MOST_NOTES]:
                path.unlink(missing_ok=True)

    def _file(self, digest: str) -> Path:
        return self.folder / "files" / digest


# --- taking back ------------------------------------------------------------------------------------------------------


def write_back(history: History, version: Version, folder: Path) -> list[str]:
    """Make ``folder`` hold exactly this version's files; returns the paths that were written or removed.

    Each file is replaced in one step and keeps its mode and owner (:func:`config.write.replace`). Files that differ
    from the last version in force are set aside first, below the history's ``set-aside``: nothing is lost.
    Raises OSError, Damaged.
    """
    there, last = look(folder), history.last()
    known = set(last.files.values()) if last else set()
    wanted = Snapshot(version.files)
    contents = {name: history.content(version.files[name]) for name in there.differing(wanted) if _has(version, name)}
    for name in there.differing(wanted):
        if name in there.files and there.files[name] not in known:
            set_aside(history, folder, name)
    for name in there.differing(wanted):
        path = Path(os.path.realpath(folder / name))
        if name in contents:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, contents[name])
        else:
            (folder / name).unlink(missing_ok=True)
    return there.differing(wanted)


def _belongs(name: str) -> bool:
    """Whether a version may have a file of this name: a line that was tampered with must not lead out of the folder."""
    parts = name.split("/")
    return len(parts) in (1, 3) and (len(parts) == 1 or parts[0] == "sounds") and not {"", ".", ".."} & {*parts}


def _is_digest(digest: str) -> bool:
    return digest.startswith(UNREADABLE) or re.fullmatch(r"[0-9a-f]{64}", digest) is not None


def _has(version: Version, name: str) -> bool:
    return name in version.files and not version.files[name].startswith(UNREADABLE)


def aside(history: History) -> Path:
    """Where edits that never took effect are put before they are overwritten."""
    return history.folder / "set-aside"


def set_aside(history: History, folder: Path, name: str) -> None:
    """Keep a copy of this file, which is about to be overwritten. Raises OSError."""
    source = folder / name
    if not source.is_file():
        return
    stamp = source.stat().st_mtime_ns // 1_000_000_000
    target = aside(history) / str(stamp) / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy2(source, target)


def changed_files(version: Version, snapshot: Snapshot) -> list[str]:
    """The files that are not as this version has them."""
    return snapshot.differing(Snapshot(version.files))


def texts_of(history: History, files: Mapping[str, str]) -> dict[str, str]:
    """The YAML texts among these files (path to SHA-256). Raises Damaged."""
    return {
        name: history.content(digest).decode("utf-8", "replace") for name, digest in files.items() if is_text(name)
    }


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _ends_open(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return False


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
