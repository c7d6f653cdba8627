"""Deleting what has been kept long enough (``recordings.retention``): by night, or by command.

Theory of operation. A plan is made from the store; a manifest of it is written and synced; then, a hundred at a time:
look once more for holds, write ``RecordingPurged`` into the journal, and only when that is safe delete the files. A
process that is killed leaves at worst files that the journal says are gone: its manifest is still marked as unfinished,
and the next purge deletes them. Two purges at once: the second says so and does nothing. A plan that would take more
than a set share of all recordings is refused: a wrong clock or a slip in a setting must not empty the archive. Nor is
anything taken for gone whose folder is missing: then the archive is not mounted.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import structlog

from calllog import erasing, keep_queries, spool_erasing
from calllog.keep_events import RecordingPurged
from config.catalogue import _
from config.keep import Keep
from config.masking import masked_text
from recordings import manifest as manifests
from recordings.folders import Folders
from recordings.ledger import Entry, Ledger
from recordings.manifest import Manifest
from recordings.removing import Found, look, remove
from recordings.retention import DAY, Due, Kept, due, shortest, too_many
from recordings.turns import KEEP, POLL, PURGE, turn

log = structlog.get_logger(__name__)
T = TypeVar("T")

PIECE = 100
"""Recordings journalled and deleted at a time: a hold waits no longer than for these."""

BREATH = 3 * POLL
"""Seconds between two pieces, in which a hold gets its turn."""

Progress = Callable[[int, int], None]
"""Called with recordings done and recordings in all."""


class PurgeRefused(Exception):
    """Nothing was deleted; the text is one line for the operator."""


class TooMany(PurgeRefused):
    """It would take too large a share."""

    def __init__(self, going: int, of: int, most: int) -> None:
        text = _("{going} of {of} recordings would go, more than {most} %: is the clock right, and recording.keep?")
        super().__init__(text.format(going=going, of=of, most=most))
        self.going, self.of = going, of


@dataclass(frozen=True, slots=True)
class Going:
    """A recording that a plan takes, what is on the disk of it, and its size in bytes."""

    due: Due
    found: Found
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge would take: ``going``; ``odd`` it leaves, since there is no plain file, or not even its folder;
    ``held`` would be over but for a hold. ``of``: all finished recordings."""

    going: tuple[Going, ...]
    odd: tuple[Going, ...]
    held: int
    of: int

    @property
    def size(self) -> int:
        """Bytes of what would go."""
        return sum(each.size for each in self.going)


@dataclass(slots=True)
class Purged:
    """What a purge did. ``left``: held since the plan was made; ``failed``: (file, why) that could not be deleted."""

    plan: Plan
    manifest: Manifest | None = None
    gone: int = 0
    freed: int = 0
    left: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def plan(store: Path, folders: Folders, keep: Keep, now: int) -> Plan:
    """What may go at ``now`` (µs). Synchronous. Raises StoreError, OSError."""
    days = shortest(keep)
    of = keep_queries.count_finished(store)
    if days is None:
        return Plan((), (), 0, of)
    rows = keep_queries.finished_before(store, now - days * DAY)
    kept = [
        Kept(row.call_id, row.category, row.began_at, row.file, row.sha256, row.about, row.held) for row in rows
    ]
    free = _by_their_past(store, [each.kept for each in due([replace(one, held=False) for one in kept], keep, now)])
    held = {(one.call_id, one.category) for one in kept if one.held}
    may_go = due(free, keep, now)
    over = [
        Going(each, *look(folders.archive, each.kept.file))
        for each in may_go if (each.kept.call_id, each.kept.category) not in held
    ]  # fmt: skip
    return Plan(
        tuple(each for each in over if each.found in ("there", "gone")),
        tuple(each for each in over if each.found not in ("there", "gone")),
        len(may_go) - len(over), of,
    )  # fmt: skip


def _by_their_past(store: Path, kept: Sequence[Kept]) -> list[Kept]:
    """With all that each has ever been about: a complaint stays one, whoever it was passed on to, and whatever its
    record was changed to. Asked only of those that would go, since it takes their events."""
    found: list[Kept] = []
    for piece in pieces(kept, 1000):
        past = keep_queries.ever_about(store, {one.call_id for one in piece})
        found += [replace(one, about=tuple({*one.about, *past.get(one.call_id, ())})) for one in piece]
    return found


async def purge(
    store: Path, folders: Folders, keep: Keep, now: int, ledger: Ledger, *, by: str, why: str = "",
    most: int | None = None, expected: int | None = None, progress: Progress = lambda done, of: None,
) -> Purged:  # fmt: skip
    """Delete what may go at ``now`` (µs). ``most`` per cent instead of the setting's; ``expected``: not more recordings
    than these, which somebody has looked at.

    Raises PurgeRefused, ``turns.Busy``, StoreError, OSError, and what the ledger raises; nothing is lost by any.
    """
    state = folders.state_dir
    async with turn(state, PURGE, patience=0.0):
        await asyncio.to_thread(finish, store, folders)
        made = await asyncio.to_thread(plan, store, folders, keep, now)
        if too_many(len(made.going), made.of, keep.purge_most if most is None else most):
            raise TooMany(len(made.going), made.of, keep.purge_most if most is None else most)
        if expected is not None and len(made.going) > expected:
            text = _("{going} recordings would go now, more than the {expected} that were shown: look at them again.")
            raise PurgeRefused(text.format(going=len(made.going), expected=expected))
        done = Purged(made)
        if not made.going:
            return done
        about = {"made_at": _iso(now), "by": by, "why": masked_text(why)}
        items = [_item(each) for each in made.going]
        done.manifest = await asyncio.to_thread(manifests.write, folders.archive, "purge", about, items)
        for piece in pieces(made.going, PIECE):
            async with turn(state, KEEP):
                await _take(piece, store, folders, ledger, by, done)
            await asyncio.sleep(BREATH)
            progress(done.gone + done.left, len(made.going))
        if not done.failed:
            await asyncio.to_thread(done.manifest.finished)
        return done


async def _take(
    piece: Sequence[Going], store: Path, folders: Folders, ledger: Ledger, by: str, done: Purged
) -> None:
    assert done.manifest is not None
    held = await asyncio.to_thread(keep_queries.held_among, store, [each.due.kept.call_id for each in piece])
    free = [each for each in piece if each.due.kept.call_id not in held]
    done.left += len(piece) - len(free)
    await ledger.write([_entry(each.due, done.manifest, by) for each in free])
    for file, freed, fault in await asyncio.to_thread(_delete, folders.archive, [each.due.kept.file for each in free]):
        done.gone += 1
        done.freed += freed
        if fault:
            done.failed.append((file, fault))


def _delete(archive: Path, files: Iterable[str]) -> list[tuple[str, int, str]]:
    """Each file, the bytes freed, and why it could not be deleted."""
    found = []
    for file in files:
        try:
            found.append((file, remove(archive, file), ""))
        except OSError as error:
            log.error("a purged recording's file cannot be deleted; the next purge tries again", file=file,
                      why=error.strerror)  # fmt: skip
            found.append((file, 0, error.strerror or str(error)))
    return found


def finish(store: Path, folders: Folders) -> int:
    """Delete what a killed purge or erasure had written down as gone; returns how many files. Synchronous.

    Raises StoreError, OSError.
    """
    many = 0
    for left in manifests.unfinished(folders.archive):
        body = manifests.read(left)
        items = [item for item in body.get("items", []) if isinstance(item, dict)]
        files = {(str(item.get("call_id")), str(item.get("category"))): str(item.get("file", "")) for item in items}
        failed = False
        for piece in pieces(list(files), 1000):
            for known in sorted(keep_queries.purged_among(store, piece)):
                if files[known]:
                    ((_file, freed, fault),) = _delete(folders.archive, [files[known]])
                    many += freed > 0
                    failed = failed or bool(fault)
        if body.get("what") == "erase":
            _finish_erasure(store, left.name, body)
        if not failed:
            left.finished()
    return many


def _finish_erasure(store: Path, name: str, body: Mapping[str, Any]) -> None:
    """Empty what a killed erasure had written down; the persons only where all of their calls had been."""
    calls = [str(call_id) for call_id in body.get("calls", [])]
    erased = keep_queries.erased_by(store, name)
    people = [str(party_id) for party_id in body.get("parties", [])] if erased and erased >= set(calls) else []
    if people:
        of = erasing.calls_of(store, people)
        people = [one for one in people if not any(each.held and each.party_id == one for each in of)]
    erasing.empty(store, people, erased)
    spool_erasing.empty(store.parent, [*erased, *map(str, body.get("refused", []))])
    erasing.cut_log(store)


def pieces(items: Sequence[T], most: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    each = iter(items)
    while piece := list(islice(each, most)):
        yield piece


def _entry(each: Due, manifest: Manifest, by: str) -> Entry:
    kept = each.kept
    return Entry(kept.call_id, RecordingPurged(
        category="voicemail" if kept.category == "voicemail" else "call", kind_of=each.kind, days=each.days,
        file=kept.file, sha256=kept.sha256, by=by, manifest=manifest.name, manifest_sha256=manifest.sha256,
    ))  # fmt: skip


def _item(each: Going) -> dict[str, Any]:
    kept = each.due.kept
    return {
        "call_id": kept.call_id, "category": kept.category, "began_at": _iso(kept.began_at), "file": kept.file,
        "sha256": kept.sha256, "bytes": each.size, "found": each.found, "kind": each.due.kind, "days": each.due.days,
    }  # fmt: skip


def _iso(micros: int) -> str:
    return dt.datetime.fromtimestamp(micros / 1e6, dt.UTC).isoformat(timespec="milliseconds")
