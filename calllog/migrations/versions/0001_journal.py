"""The journal, the persons beside it, and the folded rows."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE event (
        seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, stream TEXT NOT NULL,
        stream_id TEXT NOT NULL, kind TEXT NOT NULL, v INTEGER NOT NULL, data TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX event_by_stream ON event (stream, stream_id, seq)",
    """
    CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TABLE party (
        party_id TEXT NOT NULL PRIMARY KEY, raw TEXT NOT NULL, e164 TEXT NOT NULL, name TEXT NOT NULL,
        first_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX party_by_e164 ON party (e164) WHERE e164 != ''",
    "CREATE UNIQUE INDEX party_by_raw ON party (raw) WHERE e164 = '' AND raw != ''",
    """
    CREATE TABLE call (
        call_id TEXT NOT NULL PRIMARY KEY, leg TEXT NOT NULL, direction TEXT NOT NULL, did TEXT NOT NULL,
        trunk TEXT NOT NULL, party_id TEXT NOT NULL, stage TEXT NOT NULL, arrived_at INTEGER NOT NULL,
        answered_at INTEGER NOT NULL, greeted_at INTEGER NOT NULL, notice_version TEXT NOT NULL, menu TEXT NOT NULL,
        menu_tries INTEGER NOT NULL, asked_at INTEGER NOT NULL, queue TEXT NOT NULL, label TEXT NOT NULL,
        priority INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, told_at INTEGER NOT NULL, offered_why TEXT NOT NULL,
        voicemail_file TEXT NOT NULL, voicemail_started_at INTEGER NOT NULL, voicemail_seconds REAL NOT NULL,
        voicemail_kept INTEGER NOT NULL, hung_up_at INTEGER NOT NULL, hung_up_by TEXT NOT NULL,
        faults INTEGER NOT NULL, adopted INTEGER NOT NULL, ended_at INTEGER NOT NULL, outcome TEXT NOT NULL,
        reason TEXT NOT NULL, first_talk_at INTEGER NOT NULL, talk_us INTEGER NOT NULL, held_us INTEGER NOT NULL,
        rings INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX call_by_arrival ON call (arrived_at, call_id)",
    "CREATE INDEX call_by_outcome ON call (outcome, arrived_at, call_id)",
    "CREATE INDEX call_by_party ON call (party_id, arrived_at)",
    "CREATE INDEX call_open ON call (call_id) WHERE ended_at = 0",
    """
    CREATE TABLE talk (
        call_id TEXT NOT NULL, n INTEGER NOT NULL, talk_id TEXT NOT NULL, agent TEXT NOT NULL, device TEXT NOT NULL,
        leg TEXT NOT NULL, rung_at INTEGER NOT NULL, ring_result TEXT NOT NULL, ring_ended_at INTEGER NOT NULL,
        bridge TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, ended_by TEXT NOT NULL,
        held_since INTEGER NOT NULL, held_us INTEGER NOT NULL, parts INTEGER NOT NULL,
        recording_failed TEXT NOT NULL, first_frame INTEGER NOT NULL, end_frame INTEGER NOT NULL,
        verified INTEGER NOT NULL, note TEXT NOT NULL,
        PRIMARY KEY (call_id, n)
    ) STRICT
    """,
    "CREATE INDEX talk_by_agent ON talk (agent, rung_at)",
    """
    CREATE TABLE recording (
        call_id TEXT NOT NULL, category TEXT NOT NULL, state TEXT NOT NULL, begun_at INTEGER NOT NULL,
        file TEXT NOT NULL, sha256 TEXT NOT NULL, frames INTEGER NOT NULL, rate INTEGER NOT NULL,
        channels INTEGER NOT NULL, parts INTEGER NOT NULL, archive_failed TEXT NOT NULL,
        PRIMARY KEY (call_id, category)
    ) STRICT
    """,
    "CREATE INDEX recording_unfinished ON recording (state, call_id) WHERE state IN ('due', 'failed')",
    "CREATE INDEX recording_by_begin ON recording (begun_at, call_id)",
    """
    CREATE TABLE agent_state (
        agent TEXT NOT NULL PRIMARY KEY, mode TEXT NOT NULL, reason TEXT NOT NULL, call_id TEXT NOT NULL,
        talk_id TEXT NOT NULL, missed INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT
    """,
    "PRAGMA application_id = 0x484F544C",
)


def upgrade() -> None:
    """From an empty file."""
    for statement in STATEMENTS:
        op.execute(statement)
