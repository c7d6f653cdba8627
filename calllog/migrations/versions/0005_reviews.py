"""Grades, the forms they were given by, comments in recordings, and the lists that graders get."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE review (
        call_id TEXT NOT NULL, n INTEGER NOT NULL, review_id TEXT NOT NULL, form TEXT NOT NULL, version TEXT NOT NULL,
        grader TEXT NOT NULL, agent TEXT NOT NULL, given_at INTEGER NOT NULL, score INTEGER NOT NULL,
        passed INTEGER NOT NULL, fatal INTEGER NOT NULL, corrects TEXT NOT NULL, standing INTEGER NOT NULL,
        appealed INTEGER NOT NULL, appeal TEXT NOT NULL, appeal_by TEXT NOT NULL, appeal_at INTEGER NOT NULL,
        decided_by TEXT NOT NULL, decided_at INTEGER NOT NULL,
        PRIMARY KEY (call_id, n)
    ) STRICT
    """,
    "CREATE INDEX review_by_id ON review (review_id)",
    "CREATE INDEX review_by_time ON review (given_at, call_id)",
    "CREATE INDEX review_by_agent ON review (agent, given_at)",
    "CREATE INDEX review_by_form ON review (form, given_at)",
    "CREATE INDEX review_appealed ON review (appeal_at, call_id) WHERE appeal = 'open'",
    """
    CREATE TABLE reviewed (
        call_id TEXT NOT NULL PRIMARY KEY, score INTEGER NOT NULL, grades INTEGER NOT NULL, fatal INTEGER NOT NULL,
        open_appeals INTEGER NOT NULL, exemplary INTEGER NOT NULL, comments INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX reviewed_by_score ON reviewed (score, call_id) WHERE score >= 0",
    "CREATE INDEX reviewed_exemplary ON reviewed (call_id) WHERE exemplary = 1",
    """
    CREATE TABLE review_comment (
        call_id TEXT NOT NULL, comment_id TEXT NOT NULL, author TEXT NOT NULL, at_ms INTEGER NOT NULL,
        made_at INTEGER NOT NULL, removed INTEGER NOT NULL,
        PRIMARY KEY (call_id, comment_id)
    ) STRICT
    """,
    """
    CREATE TABLE review_form (
        published_as TEXT NOT NULL PRIMARY KEY, form TEXT NOT NULL, version TEXT NOT NULL,
        published_at INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE review_list (
        drawing_id TEXT NOT NULL, n INTEGER NOT NULL, call_id TEXT NOT NULL, agent TEXT NOT NULL, grader TEXT NOT NULL,
        rule TEXT NOT NULL, plan TEXT NOT NULL, form TEXT NOT NULL, week TEXT NOT NULL, drawn_at INTEGER NOT NULL,
        PRIMARY KEY (drawing_id, n)
    ) STRICT
    """,
    "CREATE INDEX review_list_by_grader ON review_list (grader, drawn_at)",
    "CREATE INDEX review_list_by_plan ON review_list (plan, week)",
    "CREATE INDEX review_list_by_call ON review_list (call_id)",
)


def upgrade() -> None:
    """Nothing of what is there changes."""
    for statement in STATEMENTS:
        op.execute(statement)
