"""Grades, graders' lists and examples page by page, however many there are."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The + keeps SQLite from going by a grader or a form, which have very many rows, instead of by the call.
_DONE = """
    EXISTS (SELECT 1 FROM review WHERE call_id = {of}.call_id AND +grader = {of}.grader AND +form = {of}.form
        AND appealed = 0)
"""
_THEIRS = """
    (drawing_id, n) IN (SELECT drawing_id, n FROM review_list WHERE call_id = {of}.call_id AND +grader = {of}.grader
        AND +form = {of}.form)
"""
_MADE = f"""
    INSERT INTO review_due SELECT new.drawing_id, new.n, new.grader, new.plan, new.week, new.drawn_at,
        {_DONE.format(of="new")}
"""
_AGAIN = f"""
    UPDATE review_due SET done = (SELECT {_DONE.format(of="review_list")} FROM review_list
        WHERE review_list.drawing_id = review_due.drawing_id AND review_list.n = review_due.n)
    WHERE {_THEIRS}
"""

STATEMENTS = (
    "DROP INDEX review_by_time",
    "DROP INDEX review_by_agent",
    "DROP INDEX review_appealed",
    """
    CREATE INDEX review_by_time
    ON review (given_at, call_id, n, agent, grader, form, score, passed, fatal, standing, appeal)
    """,
    "CREATE INDEX review_by_agent ON review (agent, given_at, call_id, n)",
    "CREATE INDEX review_by_grader ON review (grader, given_at, call_id, n)",
    "CREATE INDEX review_appealed ON review (appeal, given_at, call_id, n) WHERE appeal != ''",
    "DROP INDEX reviewed_exemplary",
    "ALTER TABLE reviewed ADD COLUMN exemplary_at INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE reviewed SET exemplary_at = (
        SELECT max(at) FROM event
        WHERE stream = 'review' AND stream_id = reviewed.call_id AND kind = 'exemplary_marked'
    ) WHERE exemplary = 1
    """,
    "CREATE INDEX reviewed_exemplary ON reviewed (exemplary_at, call_id) WHERE exemplary = 1",
    """
    CREATE TABLE review_due (
        drawing_id TEXT NOT NULL, n INTEGER NOT NULL, grader TEXT NOT NULL, plan TEXT NOT NULL, week TEXT NOT NULL,
        drawn_at INTEGER NOT NULL, done INTEGER NOT NULL,
        PRIMARY KEY (drawing_id, n)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    INSERT INTO review_due SELECT drawing_id, n, grader, plan, week, drawn_at, {_DONE.format(of="review_list")}
    FROM review_list
    """,
    "CREATE INDEX review_due_by_grader ON review_due (grader, done, week, drawing_id, n, plan, drawn_at)",
    "CREATE INDEX review_due_by_week ON review_due (done, week, drawing_id, n)",
    f"CREATE TRIGGER review_list_made AFTER INSERT ON review_list BEGIN {_MADE}; END",
    f"""
    CREATE TRIGGER review_list_changed AFTER UPDATE ON review_list
    BEGIN
        DELETE FROM review_due WHERE drawing_id = old.drawing_id AND n = old.n;
        {_MADE};
    END
    """,
    """
    CREATE TRIGGER review_list_gone AFTER DELETE ON review_list
    BEGIN DELETE FROM review_due WHERE drawing_id = old.drawing_id AND n = old.n; END
    """,
    f"CREATE TRIGGER review_made AFTER INSERT ON review BEGIN {_AGAIN.format(of='new')}; END",
    f"""
    CREATE TRIGGER review_changed AFTER UPDATE OF call_id, grader, form, appealed ON review
    WHEN (new.call_id, new.grader, new.form, new.appealed) != (old.call_id, old.grader, old.form, old.appealed)
    BEGIN {_AGAIN.format(of='old')}; {_AGAIN.format(of='new')}; END
    """,
    f"CREATE TRIGGER review_gone AFTER DELETE ON review BEGIN {_AGAIN.format(of='old')}; END",
)


def upgrade() -> None:
    """Every call that was drawn is done or not; every example was marked at some time."""
    for statement in STATEMENTS:
        op.execute(statement)
