"""Opening files that somebody else may have laid where we read: none that would hold us up or lead elsewhere.

A named pipe without a writer never opens, a device never ends, and a symbolic link in a folder that others may write
into leads to what only we may read. So a file is opened without waiting (open(2): O_NONBLOCK), and used only if it is
a regular one.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from config.catalogue import _


def open_plain(path: Path | str, *, links: bool) -> int:
    """A descriptor to read this regular file by. ``links``: whether a symbolic link may lead to it.

    Raises OSError; its ``strerror`` says so where it is none, with ``errno`` ELOOP for a link and EINVAL else.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        file = os.open(path, flags | (0 if links else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ELOOP and not links:
            raise OSError(errno.ELOOP, _("it is a symbolic link"), os.fspath(path)) from None
        if error.errno == errno.ENXIO:  # a socket
            raise OSError(errno.EINVAL, _("it is no plain file"), os.fspath(path)) from None
        raise
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, _("it is no plain file"), os.fspath(path))
    except BaseException:
        os.close(file)
        raise
    return file


def sync_folder(folder: Path | str) -> None:
    """See to it that the names in this folder outlive a power cut (fsync(2)). Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bytes_of(path: Path | str, most: int = 1 << 20) -> bytes:
    """The first ``most`` bytes of a file of the operator's, who may have laid it as a link. Raises OSError."""
    with os.fdopen(open_plain(path, links=True), "rb") as file:
        return file.read(most)
