"""How long versions of the configuration are kept: for more than a year, and some of them however old they are."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

import msgspec

from config.versions import History, Version, aside

KEPT_FOR = 400 * 86_400 * 1_000_000
"""µs that a version is kept after another has taken its place: a year, and time to ask about it."""

LEAST = 100
"""The newest versions, which are kept however old they are: a hotline whose files hardly change keeps its past."""

MOST = 5_000
"""Versions that are kept at most: some 20 MB of lines, which each ``hotline config`` reads."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def to_keep(versions: list[Version], now: int) -> list[Version]:
    """Those of ``versions`` (the oldest first) that are kept at ``now`` (µs since 1970 UTC). Pure.

    A version counts from when it was replaced, so that whatever was in force within ``KEPT_FOR`` is there; the newest
    one, which is in force, always is.
    """
    first = max(0, len(versions) - MOST)
    enough = max(0, len(versions) - LEAST)
    while first < enough and versions[first + 1].at + KEPT_FOR <= now:
        first += 1
    return versions[first:]


def forget_old(history: History, now: int) -> int:
    """Forget the versions that need not be kept at ``now`` (µs), and the contents that no other has; returns how many.

    For the daemon alone, right after it has added one. Edits that an undo set aside go at the same age. A crash at any
    point leaves at most contents that nobody names, which the next time takes. Raises OSError.
    """
    versions = history.versions()
    kept = to_keep(versions, now)
    _forget_aside(history, now)
    if len(kept) == len(versions):
        return 0
    draft = history.folder / f".versions.{os.getpid()}"
    try:
        with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.writelines(msgspec.json.encode(version) + b"\n" for version in kept)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(history.lines)
    finally:
        draft.unlink(missing_ok=True)
    named = {digest for version in kept for digest in version.files.values()}
    for file in (history.folder / "files").iterdir():
        if _DIGEST.fullmatch(file.name) and file.name not in named:
            file.unlink(missing_ok=True)
    return len(versions) - len(kept)


def _forget_aside(history: History, now: int) -> None:
    folder: Path = aside(history)
    if not folder.is_dir():
        return
    for one in folder.iterdir():
        with contextlib.suppress(OSError):
            if one.stat().st_mtime * 1e6 + KEPT_FOR <= now:
                shutil.rmtree(one, ignore_errors=True)
