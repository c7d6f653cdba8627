"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def save(files: Mapping[Path, bytes]) -> None:
    """Write these files: all drafts first, synced, then each in one step into its place. Raises OSError, and then what
    was not yet put in its place is as it was."""
    drafts: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            drafts[draft] = path
            with draft.open("xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
        for draft, path in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
