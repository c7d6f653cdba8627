"""A call's and an agent's state as rows of the store, and the statements that write them.

The writer, ``verify`` and ``rebuild`` all make rows here, so a row can only differ from its events by a fault. The
order of each ``*_COLUMNS`` is that of the tuples. Pure: no SQL library, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from calllog.card import CARD_COLUMNS, UPSERT as CARD_UPSERT, card_row
from calllog.events import Category
from calllog.folds import AgentState, CallState
from calllog.review_folds import FOLDED as REVIEW_TABLES

Value = int | float | str
Row = tuple[Value, ...]
NO_SOUND = -70.0
"""LUFS: the loudness of a side that is not there (``recordings.measures.QUIETEST``)."""
RecordingState = Literal["open", "due", "finished", "failed", "nothing", "purged"]

CALL_COLUMNS = (
    "call_id", "leg", "direction", "did", "trunk", "party_id", "stage", "arrived_at", "answered_at", "greeted_at",
    "notice_version", "menu", "menu_tries", "asked_at", "queue", "label", "priority", "enqueued_at", "told_at",
    "offered_why", "voicemail_file", "voicemail_started_at", "voicemail_seconds", "voicemail_kept", "hung_up_at",
    "hung_up_by", "faults", "adopted", "ended_at", "outcome", "reason", "first_talk_at", "talk_us", "held_us", "rings",
)  # fmt: skip
TALK_COLUMNS = (
    "call_id", "n", "talk_id", "agent", "device", "leg", "rung_at", "ring_result", "ring_ended_at", "bridge",
    "started_at", "ended_at", "ended_by", "held_since", "held_us", "parts", "recording_failed", "first_frame",
    "end_frame", "verified", "note", "invited_at", "rating",
)  # fmt: skip
RECORDING_COLUMNS = (
    "call_id", "category", "state", "begun_at", "file", "sha256", "frames", "rate", "channels", "parts",
    "archive_failed", "size", "fault",
)  # fmt: skip
MEASURE_COLUMNS = (
    "call_id", "category", "measured_by", "seconds", "caller_loudness", "agent_loudness", "caller_speech",
    "agent_speech", "caller_share", "silences", "silence", "longest_silence", "talk_overs", "talk_over",
    "longest_talk_over", "silence_from", "talk_over_from",
)  # fmt: skip
RECORD_COLUMNS = (
    "call_id", "record_id", "version", "agent", "written_by", "subject", "solved", "identity_checked", "complete",
    "first_at", "written_at",
)  # fmt: skip
AGENT_COLUMNS = ("agent", "mode", "reason", "call_id", "talk_id", "missed", "since", "until", "changed_at", "free_from",
                 "extended")  # fmt: skip
HOLD_COLUMNS = ("call_id", "hold_id", "set_by", "set_at", "reason", "lifted_by", "lifted_at")
REMOVAL_COLUMNS = (
    "call_id", "n", "at", "what", "category", "file", "sha256", "kind", "days", "removed_by", "manifest",
)  # fmt: skip

FOLDED: dict[str, tuple[tuple[str, ...], int]] = {
    "call": (CALL_COLUMNS, 1),
    "talk": (TALK_COLUMNS, 2),
    "recording": (RECORDING_COLUMNS, 2),
    "measure": (MEASURE_COLUMNS, 2),
    "call_record": (RECORD_COLUMNS, 1),
    "card": (CARD_COLUMNS, 1),
    "hold": (HOLD_COLUMNS, 2),
    "removal": (REMOVAL_COLUMNS, 2),
    "agent_state": (AGENT_COLUMNS, 1),
    **REVIEW_TABLES,
}
"""Every folded table: its columns, and how many of the first of them are its key."""


def upsert(table: str) -> str:
    """The statement that writes one row of a folded table whole, whether it is there or not."""
    columns, keys = FOLDED[table]
    marks = ", ".join("?" * len(columns))
    rest = ", ".join(f"{column} = excluded.{column}" for column in columns[keys:])
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {rest}"
    )


UPSERTS = {table: upsert(table) for table in FOLDED} | {"card": CARD_UPSERT}


def call_rows(state: CallState) -> dict[str, list[Row]]:
    """Every row of one call, by table. Rows of a call are only ever added or changed, never taken away."""
    recordings = _recordings(state)
    kept = [str(row[1]) for row in recordings if row[2] != "nothing"]
    return {
        "call": [_call(state)], "talk": _talks(state), "recording": recordings, "measure": _measures(state),
        "call_record": _record(state), "card": [card_row(state, kept)], "hold": _holds(state),
        "removal": _removals(state),
    }  # fmt: skip


def agent_row(state: AgentState) -> Row:
    """The row of one agent."""
    return (
        state.agent, state.mode, state.reason, state.call_id, state.talk_id, state.missed, state.since, state.until,
        state.changed_at, state.free_from, state.extended,
    )  # fmt: skip


def agent_of(row: Sequence[Value]) -> AgentState:
    """The agent's state again, from its row."""
    return AgentState(*row)  # type: ignore[arg-type]


def _call(state: CallState) -> Row:
    talked = [talk for talk in state.talks if talk.started_at]
    return (
        state.call_id, state.leg, state.direction, state.did, state.trunk, state.party_id, state.stage,
        state.arrived_at, state.answered_at, state.greeted_at, state.notice_version, state.menu, state.menu_tries,
        state.asked_at, state.queue, state.label, state.priority, state.enqueued_at, state.told_at, state.offered_why,
        state.voicemail_file, state.voicemail_started_at, float(state.voicemail_seconds), int(state.voicemail_kept),
        state.hung_up_at, state.hung_up_by, state.faults, state.adopted, state.ended_at, state.outcome, state.reason,
        min((talk.started_at for talk in talked), default=0),
        sum(talk.ended_at - talk.started_at for talk in talked if talk.ended_at),
        sum(talk.held_us for talk in state.talks),
        len(state.talks),
    )  # fmt: skip


def _record(state: CallState) -> list[Row]:
    known = state.record
    if known is None:
        return []
    return [(
        state.call_id, known.record_id, known.version, known.agent, known.by, known.subject, known.solved,
        int(known.identity_checked), int(known.complete), known.first_at, known.at,
    )]  # fmt: skip


def _talks(state: CallState) -> list[Row]:
    archived = state.recordings.get("call")
    spans = {span.talk_id: span for span in archived.spans} if archived else {}
    rows: list[Row] = []
    for n, talk in enumerate(state.talks):
        span = spans.get(talk.talk_id)
        rows.append((
            state.call_id, n, talk.talk_id, talk.agent, talk.device, talk.leg, talk.rung_at, talk.ring_result,
            talk.ring_ended_at, talk.bridge, talk.started_at, talk.ended_at, talk.ended_by, talk.held_since,
            talk.held_us, len(talk.parts), next((part.failed for part in talk.parts if part.failed), ""),
            span.first if span else 0, span.end if span else 0, int(span.verified) if span else 0,
            span.note if span else "", talk.invited_at, talk.rating,
        ))  # fmt: skip
    return rows


def _recordings(state: CallState) -> list[Row]:
    rows: list[Row] = []
    parts = state.parts
    if parts or "call" in state.recordings:
        rows.append(_recording(state, "call", parts[0].requested_at if parts else 0, len(parts)))
    if state.voicemail_file or state.voicemail_kept or "voicemail" in state.recordings:
        rows.append(_recording(state, "voicemail", state.voicemail_started_at, int(state.voicemail_kept)))
    return rows


def _recording(state: CallState, category: Category, begun_at: int, parts: int) -> Row:
    done = state.recordings.get(category)
    now = _recording_state(state, category)
    if done is None:
        return (state.call_id, category, now, begun_at, "", "", 0, 0, 0, parts, "", 0, "")
    return (
        state.call_id, category, now, begun_at, done.file, done.sha256, done.frames, done.rate, done.channels, parts,
        done.failed, done.size, done.fault,
    )  # fmt: skip


def _measures(state: CallState) -> list[Row]:
    return [
        (
            state.call_id, each.category, each.by, each.seconds, _side(each.loudness, 0, NO_SOUND),
            _side(each.loudness, 1, NO_SOUND), _side(each.speech, 0), _side(each.speech, 1),
            each.speech[0] / sum(each.speech) if any(each.speech) else 0.0, each.silences, each.silence,
            each.longest_silence, each.talk_overs, each.talk_over, each.longest_talk_over, each.silence_from,
            each.talk_over_from,
        )
        for each in state.measures.values()
    ]  # fmt: skip


def _side(values: Sequence[float], side: int, nobody: float = 0.0) -> float:
    return values[side] if side < len(values) else nobody


def _holds(state: CallState) -> list[Row]:
    return [
        (state.call_id, hold.hold_id, hold.set_by, hold.set_at, hold.reason, hold.lifted_by, hold.lifted_at)
        for hold in state.kept.holds.values()
    ]


def _removals(state: CallState) -> list[Row]:
    return [
        (
            state.call_id, n, one.at, one.what, one.category, one.file, one.sha256, one.kind, one.days, one.by,
            one.manifest,
        )
        for n, one in enumerate(state.kept.removals)
    ]  # fmt: skip


def _recording_state(state: CallState, category: Category) -> RecordingState:
    done = state.recordings.get(category)
    if done is not None:
        return "purged" if done.purged else "finished" if done.file else "failed"
    if not state.ended_at:
        return "open"
    return "due" if category in state.archives_due else "nothing"
