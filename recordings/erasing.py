"""Erasing a caller: recordings and messages, what was written about their calls, their number and name.

It goes like a purge (``recordings.purge``): a plan, a manifest, then the journal, and only then the files and rows. The
manifest names calls and ``party_id``s, never the number, so that an erasure that was killed is finished by the next
purge. A call that is held, or still going on, is left whole, and then its caller's number and name too: it is said
which. Figures stay, since they are folded from events, which name nobody.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from calllog import erasing, keep_queries, spool_erasing
from calllog.erasing import CallOf, Person
from calllog.events import Category
from calllog.folds import CallState
from calllog.keep_events import Erased, RecordingPurged
from config.masking import masked_text
from recordings import aside, manifest as manifests
from recordings.folders import Folders, files_of
from recordings.ledger import Entry, Ledger
from recordings.manifest import Manifest
from recordings.purge import BREATH, PIECE, Progress, finish, pieces
from recordings.removing import look, remove, remove_raw
from recordings.turns import KEEP, PURGE, turn

REWRITE_UP_TO = 256 * 1024 * 1024
"""Bytes of a store that is made anew where a trace is left in it: a second or two. A larger one only when asked."""

_SOUND = (".flac", ".opus", ".wav", ".raw", ".measure")

Left = Literal["held", "open", "due"]
Also = Callable[[list[str]], None]
"""What else holds people's words about these calls empties them, too (drafts of the console); may be repeated."""

Calls = Callable[[list[str]], Awaitable[list[CallState]]]
"""Gives the state of calls by their ids."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One recording that goes: its call, category, file in the archive (empty: never finished), digest, raw files."""

    call_id: str
    category: Category
    file: str
    sha256: str
    size: int
    raw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasePlan:
    """Whom and what an erasure takes. ``left``: calls that stay whole, and why; ``kept``: persons who stay for them.

    ``refused``: calls of which only lines that no store would take are there; ``waiting``: events wait in the spool,
    and may name this person too. ``asked`` is the number as it was asked for."""

    asked: Person
    people: tuple[Person, ...]
    calls: tuple[str, ...]
    recordings: tuple[Taken, ...]
    left: dict[str, Left]
    kept: tuple[Person, ...]
    refused: tuple[str, ...] = ()
    waiting: bool = False

    @property
    def nobody(self) -> bool:
        """Whether there is no such person at all."""
        return not (self.people or self.kept or self.refused)

    @property
    def size(self) -> int:
        """Bytes of the recordings that would go."""
        return sum(each.size for each in self.recordings)


@dataclass(slots=True)
class ErasedReport:
    """What an erasure did. ``rows`` of the store were emptied, and ``lines`` that it had refused. ``remains``: files of
    the state folder in which the number still stands."""

    plan: ErasePlan
    manifest: Manifest | None = None
    rows: int = 0
    lines: int = 0
    freed: int = 0
    left: dict[str, Left] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    remains: list[Path] = field(default_factory=list)


async def plan(store: Path, folders: Folders, e164: str, raw: str, calls: Calls) -> ErasePlan:
    """What would go of this caller. Raises StoreError, OSError."""
    people = await asyncio.to_thread(erasing.persons, store, e164, raw)
    found = await asyncio.to_thread(erasing.calls_of, store, [one.party_id for one in people])
    left = {one.call_id: why for one in found if (why := _why_left(one))}
    free = [one for one in found if one.call_id not in left]
    stay = {one.party_id for one in found if one.call_id in left}
    states = [state for piece in pieces([one.call_id for one in free], PIECE) for state in await calls(piece)]
    taken = await asyncio.to_thread(lambda: [each for state in states for each in _recordings(state, folders)])
    named = await asyncio.to_thread(spool_erasing.calls_named, folders.state_dir, e164, raw)
    known = {one.call_id for one in found}
    return ErasePlan(
        Person("", "" if e164 else raw, e164, ""),
        tuple(one for one in people if one.party_id not in stay), tuple(one.call_id for one in free), tuple(taken),
        left, tuple(one for one in people if one.party_id in stay),
        tuple(call_id for call_id in named if call_id not in known), spool_erasing.waiting(folders.state_dir),
    )  # fmt: skip


async def erase(
    store: Path, folders: Folders, made: ErasePlan, now: int, ledger: Ledger, *, by: str, why: str,
    also: Also = lambda call_ids: None, rewrite: bool = False, progress: Progress = lambda done, of: None,
) -> ErasedReport:  # fmt: skip
    """Erase what the plan says. ``rewrite``: make a store of any size anew where a trace is left in it.

    Raises ``turns.Busy``, StoreError, OSError, and what the ledger raises; it may be repeated after any.
    """
    state = folders.state_dir
    done = ErasedReport(made, left=dict(made.left))
    wanted = erasing.needles(made.people or (() if made.kept else (made.asked,)))
    async with turn(state, PURGE, patience=0.0):
        await asyncio.to_thread(finish, store, folders)
        if not made.people and not made.calls and not made.refused:
            return done
        done.manifest = await asyncio.to_thread(_write, made, folders, now, by, why)
        of_call: dict[str, list[Taken]] = {call_id: [] for call_id in made.calls}
        for each in made.recordings:
            of_call[each.call_id].append(each)
        for piece in pieces(made.calls, PIECE):
            async with turn(state, KEEP):
                await _take(piece, of_call, store, folders, ledger, by, done)
            await asyncio.sleep(BREATH)
            progress(len(of_call) - len(done.left), len(of_call))
        async with turn(state, KEEP):
            await asyncio.to_thread(_empty, store, made, done, also, wanted)
        if not done.failed:
            await asyncio.to_thread(done.manifest.finished)
        await asyncio.to_thread(_look_after, store, state, wanted, rewrite, done)
    return done


async def _take(
    piece: list[str], of_call: dict[str, list[Taken]], store: Path, folders: Folders, ledger: Ledger, by: str,
    done: ErasedReport,
) -> None:  # fmt: skip
    assert done.manifest is not None
    held = await asyncio.to_thread(keep_queries.held_among, store, piece)
    done.left |= dict.fromkeys(sorted(held), "held")
    name, sha256 = done.manifest.name, done.manifest.sha256
    entries, taken = [], []
    for call_id in piece:
        if call_id in held:
            continue
        for each in of_call[call_id]:
            taken.append(each)
            entries.append(Entry(call_id, RecordingPurged(
                category=each.category, kind_of="erased", file=each.file, sha256=each.sha256, by=by, manifest=name,
                manifest_sha256=sha256,
            )))  # fmt: skip
        entries.append(Entry(call_id, Erased(by=by, manifest=name, manifest_sha256=sha256)))
    await ledger.write(entries)
    for each in taken:
        try:
            done.freed += await asyncio.to_thread(remove, folders.archive, each.file) if each.file else 0
            await asyncio.to_thread(remove_raw, folders.spool, list(each.raw))
            await asyncio.to_thread(aside.forget, folders.state_dir, list(each.raw))
        except OSError as error:
            done.failed.append((each.file, error.strerror or str(error)))


def _empty(store: Path, made: ErasePlan, done: ErasedReport, also: Also, wanted: list[bytes]) -> None:
    """The rows, of whatever no hold has come upon meanwhile."""
    calls = [call_id for call_id in made.calls if call_id not in done.left]
    also(calls)
    people = made.people
    if set(made.calls) & set(done.left):
        still = {one.party_id for one in erasing.calls_of(store, [one.party_id for one in people]) if one.held}
        people = tuple(one for one in people if one.party_id not in still)
    done.rows = erasing.empty(store, [one.party_id for one in people], calls)
    done.lines = spool_erasing.empty(store.parent, [*calls, *made.refused], [] if done.left else wanted)


def _look_after(store: Path, state: Path, wanted: list[bytes], rewrite: bool, done: ErasedReport) -> None:
    """Make sure that the bytes are gone, and say where they are not."""
    erasing.cut_log(store)
    if erasing.stands_in([store], wanted) and (rewrite or store.stat().st_size <= REWRITE_UP_TO):
        erasing.rewrite(store)
    done.remains = erasing.stands_in(_files(state), wanted)


def _files(state: Path) -> list[Path]:
    """The state folder's files, but sound and what Asterisk runs from."""
    return [
        path for path in sorted(state.rglob("*"))
        if path.suffix not in _SOUND and path.is_file() and not path.is_symlink()
    ]  # fmt: skip


def _why_left(one: CallOf) -> Left | None:
    return "held" if one.held else "open" if not one.ended else "due" if one.due else None


def _recordings(state: CallState, folders: Folders) -> list[Taken]:
    found = []
    categories: tuple[Category, ...] = ("call", "voicemail")
    for category in categories:
        known = state.recordings.get(category)
        raw = tuple(files_of(state, category))
        if (known is None and not raw) or (known is not None and known.purged):
            continue
        file, sha256 = (known.file, known.sha256) if known is not None else ("", "")
        size = look(folders.archive, file)[1] if file else 0
        found.append(Taken(state.call_id, category, file, sha256, size, raw))
    return found


def _write(made: ErasePlan, folders: Folders, now: int, by: str, why: str) -> Manifest:
    about: dict[str, Any] = {
        "made_at": dt.datetime.fromtimestamp(now / 1e6, dt.UTC).isoformat(timespec="milliseconds"), "by": by,
        "why": masked_text(why), "parties": [one.party_id for one in made.people], "calls": list(made.calls),
        "left": dict(made.left), "refused": list(made.refused),
    }  # fmt: skip
    items = [
        {"call_id": one.call_id, "category": one.category, "file": one.file, "sha256": one.sha256, "bytes": one.size}
        for one in made.recordings
    ]
    return manifests.write(folders.archive, "erase", about, items)
