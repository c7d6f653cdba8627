"""来电登记: the call record as its events say it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from calllog.quality_events import RecordWritten, Solved


@dataclass(slots=True)
class Record:
    """The latest version. ``notes`` is field to note_id; ``first_at`` and ``at`` (µs) are its first and latest
    version's."""

    record_id: str
    version: int
    by: str
    agent: str
    subject: str
    solved: Solved
    identity_checked: bool
    complete: bool
    first_at: int
    at: int
    notes: dict[str, str] = field(default_factory=dict)


def written(before: Record | None, at: int, event: RecordWritten) -> Record:
    """The record after this event."""
    return Record(
        event.record_id, event.version, event.by, event.agent, event.subject, event.solved, event.identity_checked,
        event.complete, before.first_at if before is not None else at, at, dict(event.notes),
    )  # fmt: skip
