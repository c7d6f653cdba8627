"""What the system says against a file, in the operator's language: libc's own sentences are English."""

from __future__ import annotations

import errno
import os

from config.catalogue import _


def reason(error: OSError) -> str:
    """Why it failed; what is rare, or was said by another than the system, as it is."""
    if error.errno is None or error.strerror != os.strerror(error.errno):
        return error.strerror or str(error)
    match error.errno:
        case errno.ENOENT:
            return _("there is no such file or folder")
        case errno.EACCES | errno.EPERM:
            return _("permission denied")
        case errno.EISDIR:
            return _("it is a folder")
        case errno.ENOTDIR:
            return _("a part of the path is no folder")
        case errno.ENOSPC:
            return _("the disk is full")
        case errno.EROFS:
            return _("the disk is read-only")
    return error.strerror or str(error)
