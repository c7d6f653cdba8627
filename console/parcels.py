"""Files that somebody may fetch for a short while: by an address that cannot be guessed, in their own session alone."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from uuid_utils import uuid7

from console.permits import Who

FOLDER = "console-parcels"
"""Below the state folder (0700). What an ended console left there goes when the next one opens."""

CALLS = "calls"
"""In each folder beside the file: the calls that it tells of, one a line. A command that erases somebody reads it."""

VALID_FOR = 1800
"""Seconds for which a file can be fetched; then it is deleted."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file for one session; ``until`` in µs."""

    token: str
    path: Path
    name: str
    media_type: str
    user_id: str
    key: str
    until: int
    calls: frozenset[str] = frozenset()
    """The calls that it tells of."""


class Parcels:
    """All of them. Belongs to the daemon's loop, but for :meth:`new`; ``now`` gives µs."""

    def __init__(self, state_dir: Path, now: Callable[[], int]) -> None:
        self._folder, self._now = state_dir / FOLDER, now
        self._known: dict[str, Parcel] = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def new(self, calls: Iterable[str]) -> Path:
        """A folder to make one in that tells of these calls. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        made = self._folder / str(uuid7())
        made.mkdir(mode=0o700)
        (made / CALLS).write_text("".join(f"{call_id}\n" for call_id in calls))
        return made

    def offer(
        self, who: Who, path: Path, name: str, media_type: str, calls: frozenset[str] = frozenset()
    ) -> Parcel:
        """This file, in a folder of :meth:`new`, may be fetched from now on."""
        until = self._now() + VALID_FOR * 1_000_000
        parcel = Parcel(secrets.token_urlsafe(32), path, name, media_type, who.user_id, who.key, until, calls)
        self._known[parcel.token] = parcel
        asyncio.get_running_loop().call_later(VALID_FOR, self._drop, parcel)
        return parcel

    def get(self, who: Who, token: str) -> Parcel:
        """The parcel of this address.

        Raises LookupError, also for somebody else, when its time is over, and when a command took the file away.
        """
        parcel = self._known.get(token)
        if parcel is None or (parcel.user_id, parcel.key) != (who.user_id, who.key) or parcel.until <= self._now():
            raise LookupError(token[:8])
        if not parcel.path.exists():
            raise LookupError(token[:8])
        return parcel

    def forget(self, calls: frozenset[str]) -> None:
        """What these calls are about is erased: no parcel tells of them any more."""
        for parcel in [one for one in self._known.values() if one.calls & calls]:
            self._drop(parcel)

    def _drop(self, parcel: Parcel) -> None:
        if self._known.pop(parcel.token, None) is not None:
            self.remove(parcel.path.parent)

    def remove(self, folder: Path) -> None:
        """Delete a folder of :meth:`new` in a thread: files of gigabytes take a moment to go."""
        with suppress(RuntimeError):
            asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(folder, ignore_errors=True))

    def close(self) -> None:
        """Delete all of them."""
        self._known.clear()
        if self._folder.exists():
            self.remove(self._folder)


def forget_beside(state_dir: Path, calls: Iterable[str]) -> None:
    """As :meth:`Parcels.forget`, by a command, whatever process has the console. Raises OSError."""
    wanted = set(calls)
    for listed in (state_dir / FOLDER).glob(f"*/{CALLS}"):
        if wanted & set(listed.read_text().split()):
            shutil.rmtree(listed.parent)
