"""Call records, and what people write, kept beside the journal."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE note (
        note_id TEXT NOT NULL PRIMARY KEY, call_id TEXT NOT NULL, kind TEXT NOT NULL, field TEXT NOT NULL,
        at INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX note_by_call ON note (call_id)",
    """
    CREATE TABLE call_record (
        call_id TEXT NOT NULL PRIMARY KEY, record_id TEXT NOT NULL, version INTEGER NOT NULL, agent TEXT NOT NULL,
        written_by TEXT NOT NULL, subject TEXT NOT NULL, solved TEXT NOT NULL, identity_checked INTEGER NOT NULL,
        complete INTEGER NOT NULL, first_at INTEGER NOT NULL, written_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX call_record_by_subject ON call_record (subject, written_at)",
    "ALTER TABLE agent_state ADD COLUMN free_from INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE agent_state ADD COLUMN extended INTEGER NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    """Nothing of what is there changes."""
    for statement in STATEMENTS:
        op.execute(statement)
