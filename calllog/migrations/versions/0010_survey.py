"""Whether the caller was asked to rate a talk, and what they said; and calls found by it."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE talk ADD COLUMN invited_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE talk ADD COLUMN rating INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE card ADD COLUMN rating INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX talk_invited ON talk (call_id, agent, rating) WHERE invited_at > 0",
    "CREATE INDEX card_rated ON card (place, rating) WHERE rating > 0",
)


def upgrade() -> None:
    """Nobody was asked before."""
    for statement in STATEMENTS:
        op.execute(statement)
