"""Are there recordings from before ``recording.encrypt`` was set? For ``hotline check`` alone: it reads file heads."""

from __future__ import annotations

import time
from pathlib import Path

from calllog.errors import StoreError
from config.catalogue import _, ngettext
from config.problems import Place, Problem
from config.settings import Settings
from recordings.folders import Folders

LOOK_FOR = 5.0
"""Seconds; then it is told how many were found so far."""


def check_plain(settings: Settings, state_dir: Path, store: Path) -> list[Problem]:
    """How many recordings are still to be sealed: a warning."""
    if not settings.hotline.recording.encrypt or not store.exists():
        return []
    from recordings.sealing import plain_files

    until, n, more = time.monotonic() + LOOK_FOR, 0, False
    try:
        for plain in plain_files(store, Folders(state_dir)):
            n += plain
            if more := time.monotonic() > until:
                break
    except StoreError:
        return []  # told by the check of the store
    if not n:
        return []
    text = _("At least {n} recordings are not encrypted: they are from before 'encrypt' was set.") if more else (
        ngettext("{n} recording is not encrypted: it is from before 'encrypt' was set.",
                 "{n} recordings are not encrypted: they are from before 'encrypt' was set.", n))  # fmt: skip
    fix = _("Run 'hotline recordings seal': it can be stopped and started again, beside a running hotline.")
    place = Place("hotline.yaml", key="recording.encrypt")
    return [Problem("recordings-plain", place, text.format(n=f"{n:,}"), fix, warning=True)]
