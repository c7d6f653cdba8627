"""What is measured of a recording; its size; and what a check found wrong with its file."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE measure (
        call_id TEXT NOT NULL, category TEXT NOT NULL, measured_by INTEGER NOT NULL, seconds REAL NOT NULL,
        caller_loudness REAL NOT NULL, agent_loudness REAL NOT NULL, caller_speech REAL NOT NULL,
        agent_speech REAL NOT NULL, caller_share REAL NOT NULL, silences INTEGER NOT NULL, silence REAL NOT NULL,
        longest_silence REAL NOT NULL, talk_overs INTEGER NOT NULL, talk_over REAL NOT NULL,
        longest_talk_over REAL NOT NULL, silence_from REAL NOT NULL, talk_over_from REAL NOT NULL,
        PRIMARY KEY (call_id, category)
    ) STRICT
    """,
    "ALTER TABLE recording ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE recording ADD COLUMN fault TEXT NOT NULL DEFAULT ''",
)


def upgrade() -> None:
    """From the step before."""
    for statement in STATEMENTS:
        op.execute(statement)
