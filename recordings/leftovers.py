"""What a killed daemon left unfinished, by the journal's calls and the files of the spool. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from calllog.events import Archived, Category
from calllog.folds import CallState
from recordings.folders import archived_of, files_of


@dataclass(frozen=True, slots=True)
class ToArchive:
    """An ended call and what of it is to be archived: one category, or (None) all it has."""

    call: CallState
    only: Category | None = None


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``to_archive``: ended calls, in order of arrival. ``to_discard``: archived, but raw files remain.

    ``orphans``: spool files that belong to no given call's recording: kept, for a person to look at.
    """

    to_archive: tuple[ToArchive, ...]
    to_discard: tuple[tuple[CallState, Archived], ...]
    orphans: tuple[str, ...]


def leftovers(calls: Iterable[CallState], files: Collection[str]) -> Leftovers:
    """Sort the calls and the spool's ``files`` (``recordings.folders.spool_files``) into what must be done.

    ``calls`` must hold every live call, every ended call with ``archives_due``, and every call that owns a
    file of the spool (``talk_id_of`` tells the talk of a file). An archiving that failed is tried again while
    its raw files are there.
    """
    spool = set(files)
    to_archive: list[ToArchive] = []
    to_discard: list[tuple[CallState, Archived]] = []
    claimed: set[str] = set()
    for call in sorted(calls, key=lambda call: (call.arrived_at, call.call_id)):
        if not call.ended_at:
            claimed.update(files_of(call))
            continue
        wanted: list[Category] = []
        for category in _categories(call):
            mine = set(files_of(call, category))
            claimed |= mine
            there = bool(mine & spool)
            if archived := archived_of(call, category):
                if there:
                    to_discard.append((call, archived))
            elif there or category in call.archives_due:
                wanted.append(category)
        if wanted:
            to_archive.append(ToArchive(call, wanted[0] if len(wanted) == 1 else None))
    return Leftovers(tuple(to_archive), tuple(to_discard), tuple(sorted(spool - claimed)))


def _categories(call: CallState) -> list[Category]:
    found: list[Category] = []
    if call.parts:
        found.append("call")
    if call.voicemail_kept and call.voicemail_file:
        found.append("voicemail")
    return found
