"""When the daemon's side works had their last turn, remembered over restarts.

``turns.json`` in the state folder, mode 0600, is written anew and synced after each turn that was done. It holds no
truth, only spares work: where it is gone or damaged, a work is done once more than it had to be.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from pathlib import Path

import structlog

log = structlog.get_logger()

FILE = "turns.json"


class LastTurns:
    """Of one state folder; reads it when made. Belongs to the daemon's loop."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path.read_bytes())
            if isinstance(found, dict):
                self._known = {str(work): text for work, text in found.items() if isinstance(text, str)}

    def day(self, work: str) -> dt.date | None:
        """The day of its last turn; None where none is known."""
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(self.last(work))
        return None

    def last(self, work: str) -> str:
        """What was noted of its last turn; empty where nothing was."""
        return self._known.get(work, "")

    def note(self, **turns: str) -> None:
        """These turns were done. Blocks for a disk's moment; a disk that takes nothing is no fault of the work."""
        self._known |= turns
        draft = self._path.with_name(f"{FILE}.part")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                json.dump(self._known, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as fault:
            log.warning("a turn could not be noted; a restart may do it once more", turns=turns, why=str(fault))
