"""The access log is found by who and by what they did without reading its entries, however long it is."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# An entry that somebody has broken must not keep the store from being brought up to date: it has neither.
_WHO = "json_extract(CASE WHEN json_valid(data) THEN data END, '$.who')"
_VERB = "json_extract(CASE WHEN json_valid(data) THEN data END, '$.verb')"

STATEMENTS = (
    "DROP INDEX event_of_access",
    "CREATE INDEX event_of_access ON event (stream, seq, at) WHERE stream = 'access'",
    f"CREATE INDEX access_by_who ON event ({_WHO}, seq, at, {_VERB}) WHERE stream = 'access'",
    f"CREATE INDEX access_by_verb ON event ({_VERB}, seq, at) WHERE stream = 'access'",
)


def upgrade() -> None:
    """Nothing of what is there changes."""
    for statement in STATEMENTS:
        op.execute(statement)
