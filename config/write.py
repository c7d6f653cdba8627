"""Writing a settings file as a whole: in one step, so that no reader ever sees half of it, and by one writer at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import time
from collections.abc import Iterable, Iterator
from pathlib import Path


class NotOurs(Exception):
    """The file is another user's, and would not be theirs any more: the daemon might not be able to read it then."""


class Busy(Exception):
    """Another command is writing, for longer than it can take."""


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of this file, in one step; what a link leads to, where it is one.

    Mode, owner, group and access lists stay. Raises OSError, and NotOurs where they cannot; then nothing has changed.
    """
    path = Path(os.path.realpath(path))
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            if path.exists():
                _look_like(path, draft)
            os.fsync(out.fileno())
        draft.replace(path)
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def user_name(uid: int) -> str:
    """The name of a user of this machine, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def owner(folder: Path, names: Iterable[str]) -> str:
    """Whose these edited files are, where they are not ours: an editor that writes a file anew makes it its user's."""
    found = set[int]()
    for name in names:
        with contextlib.suppress(OSError):
            found.add((folder / name).stat().st_uid)
    return ", ".join(sorted(user_name(uid) for uid in found - {os.geteuid()}))


def _look_like(path: Path, draft: Path) -> None:
    wanted, made = path.stat(), draft.stat()
    if (wanted.st_uid, wanted.st_gid) != (made.st_uid, made.st_gid):
        try:
            os.chown(draft, wanted.st_uid, wanted.st_gid)
        except PermissionError:
            raise NotOurs(str(path)) from None
    draft.chmod(wanted.st_mode & 0o7777)
    with contextlib.suppress(OSError, AttributeError):  # a file system without them
        for name in os.listxattr(path):
            with contextlib.suppress(OSError):
                os.setxattr(draft, name, os.getxattr(path, name))


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems know no sync of folders
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def alone(lock: Path, longest: float = 10.0) -> Iterator[None]:
    """Holds this lock file, which the commands that write settings share. Raises Busy after ``longest`` seconds.

    It is the kernel's lock on the open file: one who dies holds it no longer.
    """
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(lock, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        until = time.monotonic() + longest
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise Busy(str(lock)) from None
                time.sleep(0.05)
        yield
