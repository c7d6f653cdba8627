"""What must stay, and what is gone."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE hold (
        call_id TEXT NOT NULL, hold_id TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL,
        reason TEXT NOT NULL, lifted_by TEXT NOT NULL, lifted_at INTEGER NOT NULL,
        PRIMARY KEY (call_id, hold_id)
    ) STRICT
    """,
    "CREATE INDEX hold_in_force ON hold (call_id) WHERE lifted_at = 0",
    """
    CREATE TABLE removal (
        call_id TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL, category TEXT NOT NULL,
        file TEXT NOT NULL, sha256 TEXT NOT NULL, kind TEXT NOT NULL, days INTEGER NOT NULL, removed_by TEXT NOT NULL,
        manifest TEXT NOT NULL,
        PRIMARY KEY (call_id, n)
    ) STRICT
    """,
    "CREATE INDEX removal_by_time ON removal (at)",
)


def upgrade() -> None:
    """Nothing of what is there changes."""
    for statement in STATEMENTS:
        op.execute(statement)
