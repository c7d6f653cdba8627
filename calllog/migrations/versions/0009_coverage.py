"""Which talks have no verified recording, without reading those that have."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX talk_unverified ON talk (call_id, n) WHERE verified = 0 AND started_at > 0",
    "CREATE INDEX recording_faulty ON recording (call_id) WHERE fault != ''",
)


def upgrade() -> None:
    """Nothing of what is there changes."""
    for statement in STATEMENTS:
        op.execute(statement)
