"""Exports as files, so that a restart forgets none: what was ordered, what of it is proved, and how it stands.

``exports/ID.order`` in the state folder is written once and synced; ``ID.proved`` grows by a line for each recording;
``ID.state`` says that it is ready, or was stopped. No sound lies here (``recordings.bundle``). Numbers stand in names,
as whoever ordered may see them: an erasure takes every export away that has the call in it (:meth:`Shelf.forget`).
Mode 0600. Synchronous: for the console's threads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from config.lengths import at
from recordings.bundle import Key, Proof
from recordings.export_names import Item

FOLDER = "exports"

How = Literal["ready", "stopped", "full"]
"""Ready to be downloaded; stopped by its person; the disk was full."""


class Order(msgspec.Struct, frozen=True):
    """What was ordered, by whom and why. ``batch`` is its entries' in the access log; times in µs."""

    export_id: str
    user_id: str
    by: str
    made_at: int
    why: str
    batch: str
    items: list[Item]

    def about(self, zone: ZoneInfo) -> dict[str, Any]:
        """What the manifest says of it."""
        made = at(self.made_at, zone).isoformat(timespec="seconds")
        return {"made_at": made, "why": self.why, "access_log_batch": self.batch, "by": self.by,
                "made_at_us": self.made_at}  # fmt: skip


class State(msgspec.Struct, frozen=True):
    """How it stands, and since when (µs)."""

    how: How
    since: int


class _Line(msgspec.Struct, frozen=True, array_like=True):
    call_id: str
    category: str
    size: int
    crc: int
    fault: str


class Shelf:
    """The exports of this state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER

    def put(self, order: Order) -> None:
        """Keep an order. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(order.export_id, "order", msgspec.json.encode(order))

    def orders(self) -> list[Order]:
        """All that are there, the oldest first. One that cannot be read is left out: it can be ordered again."""
        found = []
        for path in sorted(self._folder.glob("*.order")):
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                found.append(msgspec.json.decode(path.read_bytes(), type=Order))
        return found

    def there(self, export_id: str) -> bool:
        """Whether nothing has taken it away."""
        return self._path(export_id, "order").exists()

    def proofs(self, export_id: str) -> dict[Key, Proof]:
        """What is proved; a line that was torn is not."""
        found: dict[Key, Proof] = {}
        with contextlib.suppress(FileNotFoundError):
            for text in self._path(export_id, "proved").read_bytes().split(b"\n"):
                with contextlib.suppress(msgspec.MsgspecError):
                    line = msgspec.json.decode(text, type=_Line)
                    found[line.call_id, line.category] = Proof(line.size, line.crc, line.fault)
        return found

    def proved(self, export_id: str, key: Key, proof: Proof) -> None:
        """One more is proved. Raises OSError."""
        line = msgspec.json.encode(_Line(*key, proof.size, proof.crc, proof.fault)) + b"\n"
        path = self._path(export_id, "proved")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab") as file:
            if file.tell() and not _ends_well(path):
                line = b"\n" + line
            file.write(line)

    def anew(self, export_id: str) -> None:
        """Nothing is proved, and it is not ready. Raises OSError."""
        for what in ("state", "proved"):
            self._path(export_id, what).unlink(missing_ok=True)

    def state(self, export_id: str) -> State | None:
        """How it stands; None while it is at work."""
        try:
            return msgspec.json.decode(self._path(export_id, "state").read_bytes(), type=State)
        except (OSError, msgspec.MsgspecError):
            return None

    def set(self, export_id: str, state: State | None) -> None:
        """It stands so; None: it goes on. Raises OSError."""
        if state is None:
            self._path(export_id, "state").unlink(missing_ok=True)
        else:
            self._write(export_id, "state", msgspec.json.encode(state))

    def remove(self, export_id: str) -> None:
        """Take it away. Raises OSError."""
        for what in ("order", "state", "proved"):
            self._path(export_id, what).unlink(missing_ok=True)

    def forget(self, call_ids: Iterable[str]) -> int:
        """Take away every export that has one of these calls in it; returns how many. Raises OSError."""
        gone, wanted = 0, set(call_ids)
        for order in self.orders():
            if any(item.call_id in wanted for item in order.items):
                self.remove(order.export_id)
                gone += 1
        return gone

    def _path(self, export_id: str, what: str) -> Path:
        return self._folder / f"{export_id}.{what}"

    def _write(self, export_id: str, what: str, data: bytes) -> None:
        path, draft = self._path(export_id, what), self._path(export_id, f"{what}.part")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()


def _ends_well(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
