"""The access log is found by an index of its own."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing of what is there changes."""
    op.execute("CREATE INDEX event_of_access ON event (stream, seq) WHERE stream = 'access'")
