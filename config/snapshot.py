"""What lies in a configuration folder at one instant, byte for byte: what is watched, kept as a version, taken back.

Belonging to it are the YAML files and the company's own recordings in ``sounds/<language>/``. Names that begin with a
dot are editors' own; nothing reads them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from config.tree import LARGEST

LARGEST_SOUND = 200_000_000
"""Bytes of an own recording that are read; ``ivr.build`` refuses more."""

RACY = 3.0
"""Seconds. A file whose time is younger is read again although it looks unchanged: file systems keep times as coarsely
as 1 s (NFS v2, ext3) or 2 s (FAT), so a second write of the same length in that span leaves no other trace."""

UNREADABLE = "!"
"""Begins the place of a digest where there is none: the rest says why."""


class Stamp(NamedTuple):
    """How a file looks from outside; times in ns."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """By path below the folder: each file's SHA-256 (or ``UNREADABLE`` and why), and the YAML files' bytes."""

    files: Mapping[str, str]
    texts: Mapping[str, bytes] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One SHA-256 over names and contents: equal for equal folders."""
        lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def whole(self) -> bool:
        """Whether everything in it could be read."""
        return not any(digest.startswith(UNREADABLE) for digest in self.files.values())

    def differing(self, other: Snapshot) -> list[str]:
        """The paths whose content is not the same in both, sorted."""
        names = self.files.keys() | other.files.keys()
        return sorted(name for name in names if self.files.get(name) != other.files.get(name))


class Eye:
    """Looks at a folder again and again, and reads only what may have changed since the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Stamp, str, bytes]] = {}

    def look(self) -> Snapshot:
        """What is there now. Blocks for the reading; raises nothing for what may be wrong with the folder."""
        now = time.time()
        known: dict[str, tuple[Stamp, str, bytes]] = {}
        odd: dict[str, str] = {}
        for name in _names(self._folder):
            path = self._folder / name
            try:
                about = path.stat()
                if not stat.S_ISREG(about.st_mode):
                    odd[name] = f"{UNREADABLE}not a file"
                    continue
                stamp = Stamp(about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
                before = self._known.get(name)
                young = abs(now - max(about.st_mtime, about.st_ctime)) < RACY
                known[name] = before if before is not None and before[0] == stamp and not young else _read(path, stamp)
            except (OSError, ValueError) as error:
                odd[name] = f"{UNREADABLE}{getattr(error, 'strerror', None) or error}"
        self._known = known
        return Snapshot(
            odd | {name: digest for name, (_stamp, digest, _text) in known.items()},
            {name: text for name, (_stamp, _digest, text) in known.items() if is_text(name)},
            {name: stamp for name, (stamp, _digest, _text) in known.items()},
        )


def look(folder: Path) -> Snapshot:
    """What is in this folder now."""
    return Eye(folder).look()


def is_text(name: str) -> bool:
    """Whether this file of the folder is one of the YAML files."""
    return "/" not in name


def being_written(folder: Path, names: Iterator[str] | list[str]) -> str:
    """The first of these files that some program has open for writing; empty when none is, or it cannot be told.

    Told by asking for a read lease, which the kernel grants only where nobody writes (fcntl(2), F_SETLEASE); it is
    given back at once. Only for files that are ours, on a local file system, on Linux; elsewhere a file's rest alone
    tells.
    """
    for name in names:
        try:
            handle = os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            continue
        try:
            # A writer who opens it meanwhile has the kernel signal us: by one that nobody minds.
            fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # type: ignore[attr-defined,unused-ignore]
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)  # type: ignore[attr-defined,unused-ignore]
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)  # type: ignore[attr-defined,unused-ignore]
        except BlockingIOError:
            return name
        except (OSError, AttributeError):
            continue
        finally:
            os.close(handle)
    return ""


def _names(folder: Path) -> Iterator[str]:
    for entry in _listed(folder):
        if re.search(r"\.ya?ml$", entry, re.IGNORECASE):
            yield entry
    for language in _listed(folder / "sounds"):
        for entry in _listed(folder / "sounds" / language):
            if not entry.startswith("README"):
                yield f"sounds/{language}/{entry}"


def _listed(folder: Path) -> list[str]:
    # A name that is no text (of a machine that writes GBK) is none that is read, and could not be written down.
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith(".") and name.isprintable())
    except OSError:
        return []


def _read(path: Path, stamp: Stamp) -> tuple[Stamp, str, bytes]:
    """The stamp, the digest, and a YAML file's bytes (of one that is far too large, its beginning)."""
    if "sounds" in path.parts[-3:-2]:
        if stamp.size > LARGEST_SOUND:
            return stamp, f"{UNREADABLE}too large", b""
        with path.open("rb") as file:
            return stamp, hashlib.file_digest(file, "sha256").hexdigest(), b""
    with path.open("rb") as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        return stamp, f"{UNREADABLE}too large, {stamp.size} bytes, {stamp.mtime}", text
    return stamp, hashlib.sha256(text).hexdigest(), text
