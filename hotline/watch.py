"""When a change of the files is ready to be looked at: once it has lain still, whole, for a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LOOK_EVERY = 0.5
"""Seconds between two looks at the folder; a look costs some 0.2 ms, in a thread."""

SETTLE = 1.0
"""Seconds for which the files must be as they are: several that are saved together make one change, and an editor that
empties a file before it writes it is done by then."""

RETRY = 300.0
"""Seconds after which files that were refused are looked at again: what was wrong may have been a full disk."""


@dataclass(slots=True)
class Settling:
    """Waits for changes to settle. ``in_force`` is the digest of what is in force; times are of any steady clock."""

    in_force: str
    refused: str = ""
    refused_at: float = 0.0
    seen: str = ""
    since: float = 0.0

    def step(self, now: float, digest: str, being_written: bool = False) -> bool:
        """Whether what is there should be looked at now: it is new and has settled."""
        if digest == self.in_force or (digest == self.refused and now - self.refused_at < RETRY):
            self.seen = ""
            return False
        if digest != self.seen or being_written:
            self.seen, self.since = digest, now
            return False
        return now - self.since >= SETTLE

    def unsettle(self) -> None:
        """It changed while it was looked at: wait anew."""
        self.seen = ""

    def refuse(self, now: float, digest: str) -> None:
        """This has errors: not again before it changes, or RETRY seconds are over."""
        self.refused, self.refused_at = digest, now

    def take(self, digest: str) -> None:
        """This is in force now."""
        self.in_force, self.refused, self.seen = digest, "", ""
