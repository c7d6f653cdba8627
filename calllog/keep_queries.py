"""Questions about what is kept: holds, what may go, what is gone. Synchronous, for threads; times in µs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any

from calllog.store import reading

_FINISHED = """
    SELECT recording.call_id, recording.category, max(recording.begun_at, 0), call.arrived_at, recording.file,
        recording.sha256, EXISTS (SELECT 1 FROM hold WHERE hold.call_id = recording.call_id AND hold.lifted_at = 0),
        call.queue, call.label, coalesce(call_record.subject, '')
    FROM recording JOIN call ON call.call_id = recording.call_id
        LEFT JOIN call_record ON call_record.call_id = recording.call_id
    WHERE recording.state = 'finished' AND recording.begun_at < ?
    ORDER BY recording.begun_at, recording.call_id, recording.category
"""


@dataclass(frozen=True, slots=True)
class FinishedRow:
    """A finished recording: when it began (the call's arrival, where that is not known), and what the call was about.
    """

    call_id: str
    category: str
    began_at: int
    file: str
    sha256: str
    about: tuple[str, ...]
    held: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recordings: of these calls (``calllog.search`` finds them), of this category (None: whichever)."""

    call_ids: Sequence[str]
    category: str | None = None


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A finished recording that can be handed out. ``number`` is E.164, else as the trunk gave it."""

    call_id: str
    category: str
    file: str
    sha256: str
    began_at: int
    seconds: float
    channels: int
    queue: str
    label: str
    agents: tuple[str, ...]
    number: str
    outcome: str


_EXPORT = """
    SELECT recording.call_id, recording.category, recording.file, recording.sha256,
        CASE WHEN recording.begun_at > 0 THEN recording.begun_at ELSE call.arrived_at END,
        CASE WHEN recording.rate > 0 THEN recording.frames * 1.0 / recording.rate ELSE 0.0 END,
        recording.channels, call.queue, call.label,
        (SELECT group_concat(agent, ',') FROM (
            SELECT agent FROM talk WHERE talk.call_id = call.call_id AND started_at > 0 GROUP BY agent ORDER BY min(n)
        )),
        coalesce(nullif(party.e164, ''), party.raw, ''), call.outcome
    FROM recording JOIN call ON call.call_id = recording.call_id LEFT JOIN party ON party.party_id = call.party_id
    WHERE recording.state = 'finished' AND call.call_id IN (SELECT value FROM json_each(:call_ids))
        AND (:category IS NULL OR recording.category = :category)
    ORDER BY call.arrived_at, call.call_id, recording.category
"""


def export_question(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The statement and its values."""
    return _EXPORT, {"call_ids": dumps(list(wanted.call_ids)), "category": wanted.category}


def exportable(path: Path, wanted: Wanted) -> list[ExportRow]:
    """The finished recordings that are wanted, in order of arrival. Raises StoreError."""
    question, values = export_question(wanted)
    with reading(path) as connection:
        rows = connection.execute(question, values).fetchall()
    return [
        ExportRow(*(*fixed, tuple(agents.split(",")) if agents else (), number, outcome))
        for *fixed, agents, number, outcome in rows
    ]


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold in force or lifted; ``reason`` is its text, empty where it was erased."""

    call_id: str
    hold_id: str
    set_by: str
    set_at: int
    reason: str
    lifted_by: str
    lifted_at: int


def finished_before(path: Path, before: int) -> list[FinishedRow]:
    """Finished recordings that began before this moment, the oldest first. Raises StoreError."""
    with reading(path) as connection:
        return [
            FinishedRow(call_id, category, begun or arrived, file, sha256, tuple(filter(None, about)), bool(held))
            for call_id, category, begun, arrived, file, sha256, held, *about in connection.execute(
                _FINISHED, (before,)
            )
        ]


def ever_about(path: Path, call_ids: Iterable[str]) -> dict[str, set[str]]:
    """Everything that these calls have ever been about, by call: each queue that they waited in, each label of the
    menu, each subject of their record's versions. Raises StoreError."""
    query = """
        SELECT stream_id, json_extract(data, '$.queue'), json_extract(data, '$.label'), json_extract(data, '$.subject')
        FROM event WHERE stream = 'call' AND stream_id IN (SELECT value FROM json_each(?))
            AND kind IN ('asked', 'enqueued', 'record_written')
    """
    found: dict[str, set[str]] = {}
    with reading(path) as connection:
        for call_id, *about in connection.execute(query, (dumps(list(call_ids)),)):
            found.setdefault(call_id, set()).update(each for each in about if each)
    return found


def finished_files(path: Path) -> list[tuple[str, str]]:
    """File and SHA-256 of every finished recording, the newest first. Raises StoreError."""
    query = "SELECT file, sha256 FROM recording WHERE state = 'finished' AND file != '' ORDER BY begun_at DESC"
    with reading(path) as connection:
        return [(file, sha256) for file, sha256 in connection.execute(query)]


def count_finished(path: Path) -> int:
    """How many finished recordings there are. Raises StoreError."""
    with reading(path) as connection:
        return int(connection.execute("SELECT count(*) FROM recording WHERE state = 'finished'").fetchone()[0])


def held_among(path: Path, call_ids: Iterable[str]) -> set[str]:
    """Those of these calls on which a hold is in force. Raises StoreError."""
    query = "SELECT DISTINCT call_id FROM hold WHERE lifted_at = 0 AND call_id IN (SELECT value FROM json_each(?))"
    with reading(path) as connection:
        return {call_id for (call_id,) in connection.execute(query, (dumps(list(call_ids)),))}


def purged_among(path: Path, recordings: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these recordings (call_id, category) that the journal says are purged. Raises StoreError."""
    query = """
        SELECT call_id, category FROM recording
        WHERE state = 'purged' AND call_id IN (SELECT value FROM json_each(?))
    """
    with reading(path) as connection:
        found = set(connection.execute(query, (dumps([call_id for call_id, _category in recordings]),)))
    return found & set(recordings)


def erased_by(path: Path, manifest: str) -> set[str]:
    """The calls that were erased by this manifest. Raises StoreError."""
    query = "SELECT call_id FROM removal WHERE what = 'erased' AND manifest = ?"
    with reading(path) as connection:
        return {call_id for (call_id,) in connection.execute(query, (manifest,))}


def erased_among(path: Path, call_ids: Iterable[str]) -> set[str]:
    """Those of these calls that were erased. Raises StoreError."""
    query = "SELECT DISTINCT call_id FROM removal WHERE what = 'erased' AND call_id IN (SELECT value FROM json_each(?))"
    with reading(path) as connection:
        return {call_id for (call_id,) in connection.execute(query, (dumps(list(call_ids)),))}


def list_holds(
    path: Path, *, call_id: str | None = None, lifted: bool = False, limit: int = -1, offset: int = 0
) -> list[HoldRow]:
    """Holds in force (with ``lifted`` also those that are over), the newest first. Raises StoreError."""
    query = """
        SELECT hold.call_id, hold_id, set_by, set_at, coalesce(note.text, ''), lifted_by, lifted_at
        FROM hold LEFT JOIN note ON note.note_id = hold.reason
        WHERE (? OR lifted_at = 0) AND (? IS NULL OR hold.call_id = ?) ORDER BY set_at DESC, hold_id DESC
        LIMIT ? OFFSET ?
    """
    with reading(path) as connection:
        return [HoldRow(*row) for row in connection.execute(query, (lifted, call_id, call_id, limit, offset))]


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What somebody wrote about a call (``calllog.notes``)."""

    call_id: str
    at: int
    kind: str
    field: str
    text: str


def notes_of(path: Path, call_ids: Iterable[str]) -> list[NoteRow]:
    """What was written about these calls and not erased, in order. Raises StoreError."""
    query = """
        SELECT call_id, at, kind, field, text FROM note
        WHERE call_id IN (SELECT value FROM json_each(?)) AND kind IN ('record', 'comment') AND text != ''
        ORDER BY call_id, at, note_id
    """
    with reading(path) as connection:
        return [NoteRow(*row) for row in connection.execute(query, (dumps(list(call_ids)),))]
