"""Cards to find calls by, and the indexes of numbers and of words."""

from __future__ import annotations

from collections.abc import Iterator

from alembic import op
from sqlalchemy import text

from calllog.words import KINDS, terms

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PER_MS = 64
_KINDS = ", ".join(f"'{kind}'" for kind in KINDS)

TABLES = (
    """
    CREATE TABLE card (
        call_id TEXT NOT NULL, arrived_at INTEGER NOT NULL, party_id TEXT NOT NULL, outcome TEXT NOT NULL,
        queue TEXT NOT NULL, subject TEXT NOT NULL, agents TEXT NOT NULL, length_us INTEGER NOT NULL,
        held_us INTEGER NOT NULL, talks INTEGER NOT NULL, messages INTEGER NOT NULL,
        place INTEGER NOT NULL PRIMARY KEY
    ) STRICT
    """,
    """
    CREATE TABLE card_agent (
        agent TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (agent, place)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE number (n INTEGER NOT NULL PRIMARY KEY, party_id TEXT NOT NULL, number TEXT NOT NULL) STRICT",
    """
    CREATE VIRTUAL TABLE number_parts USING fts5(
        number, content='number', content_rowid='n', tokenize='trigram', detail='none'
    )
    """,
    "CREATE VIRTUAL TABLE card_words USING fts5(words, content='', tokenize='ascii', detail='none')",
)

FILL = """
    SELECT call.call_id, arrived_at, party_id, outcome, queue, coalesce(call_record.subject, ''),
        (SELECT json_group_array(agent) FROM (
            SELECT agent FROM talk WHERE talk.call_id = call.call_id AND started_at > 0 GROUP BY agent ORDER BY min(n)
        )),
        CASE WHEN talk_us != 0 OR NOT voicemail_kept THEN talk_us
        ELSE CAST(min(voicemail_seconds, 1e9) * 1e6 AS INTEGER) END,
        held_us,
        EXISTS (SELECT 1 FROM recording WHERE call_id = call.call_id AND category = 'call' AND state != 'nothing'),
        EXISTS (SELECT 1 FROM recording WHERE call_id = call.call_id AND category = 'voicemail' AND state != 'nothing')
    FROM call LEFT JOIN call_record ON call_record.call_id = call.call_id
    ORDER BY arrived_at / 1000, call.rowid
"""

FILLED = (
    "INSERT INTO card_agent SELECT value, place FROM card, json_each(card.agents)",
    """
    INSERT INTO number (party_id, number) SELECT party_id, e164 || ' ' || raw FROM party WHERE e164 != '' OR raw != ''
    """,
    "INSERT INTO number_parts (number_parts) VALUES ('rebuild')",
    "CREATE UNIQUE INDEX card_by_call ON card (call_id)",
    "CREATE INDEX card_by_party ON card (party_id)",
    "CREATE INDEX card_by_outcome ON card (outcome)",
    "CREATE INDEX card_by_queue ON card (queue) WHERE queue != ''",
    "CREATE INDEX card_by_subject ON card (subject) WHERE subject != ''",
    "CREATE INDEX card_by_length ON card (length_us) WHERE length_us > 0",
    "CREATE INDEX card_by_hold ON card (held_us) WHERE held_us > 0",
    "CREATE INDEX card_with_message ON card (messages) WHERE messages = 1",
    """
    CREATE INDEX measure_by_silence ON measure (longest_silence, call_id)
    WHERE category = 'call' AND longest_silence > 0
    """,
    "CREATE INDEX measure_by_talk_over ON measure (talk_over, call_id) WHERE category = 'call' AND talk_over > 0",
    "CREATE UNIQUE INDEX number_by_party ON number (party_id)",
    "CREATE INDEX party_hidden ON party (party_id) WHERE e164 = '' AND raw = ''",
)

WORDS = f"""
    SELECT card.place, group_concat(note.text, char(10)) FROM note JOIN card ON card.call_id = note.call_id
    WHERE note.kind IN ({_KINDS}) GROUP BY card.place ORDER BY card.place
"""


def _words(of: str, place: str) -> tuple[str, str]:
    """Statements for a trigger: take the words of a call's notes, ``of``, out of the index, and put them in."""
    texts = f"(SELECT group_concat(text, char(10)) FROM ({of}))"
    return (
        f"INSERT INTO card_words (card_words, rowid, words) SELECT 'delete', place, words_of({texts}) FROM {place}",
        f"INSERT INTO card_words (rowid, words) SELECT place, words_of({texts}) FROM {place}",
    )


_OTHERS = f"SELECT text FROM note WHERE call_id = new.call_id AND kind IN ({_KINDS}) AND note_id != new.note_id"
_PLACE = "card WHERE call_id = new.call_id"
_SOME = f"{_PLACE} AND EXISTS ({_OTHERS})"

TRIGGERS = (
    """
    CREATE TRIGGER card_made AFTER INSERT ON card WHEN new.agents != '[]'
    BEGIN INSERT INTO card_agent SELECT value, new.place FROM json_each(new.agents); END
    """,
    """
    CREATE TRIGGER card_changed AFTER UPDATE OF agents ON card WHEN new.agents != old.agents
    BEGIN
        DELETE FROM card_agent WHERE place = old.place AND agent IN (SELECT value FROM json_each(old.agents));
        INSERT INTO card_agent SELECT value, new.place FROM json_each(new.agents);
    END
    """,
    """
    CREATE TRIGGER card_gone AFTER DELETE ON card
    BEGIN DELETE FROM card_agent WHERE place = old.place AND agent IN (SELECT value FROM json_each(old.agents)); END
    """,
    """
    CREATE TRIGGER number_made AFTER INSERT ON number
    BEGIN INSERT INTO number_parts (rowid, number) VALUES (new.n, new.number); END
    """,
    """
    CREATE TRIGGER number_gone AFTER DELETE ON number
    BEGIN INSERT INTO number_parts (number_parts, rowid, number) VALUES ('delete', old.n, old.number); END
    """,
    """
    CREATE TRIGGER party_made AFTER INSERT ON party WHEN new.e164 != '' OR new.raw != ''
    BEGIN INSERT INTO number (party_id, number) VALUES (new.party_id, new.e164 || ' ' || new.raw); END
    """,
    """
    CREATE TRIGGER party_changed AFTER UPDATE OF raw, e164 ON party WHEN new.raw != old.raw OR new.e164 != old.e164
    BEGIN
        DELETE FROM number WHERE party_id = old.party_id;
        INSERT INTO number (party_id, number)
        SELECT new.party_id, new.e164 || ' ' || new.raw WHERE new.e164 != '' OR new.raw != '';
    END
    """,
    """
    CREATE TRIGGER party_gone AFTER DELETE ON party
    BEGIN DELETE FROM number WHERE party_id = old.party_id; END
    """,
    f"""
    CREATE TRIGGER note_made AFTER INSERT ON note WHEN new.kind IN ({_KINDS})
    BEGIN
        {_words(_OTHERS, _SOME)[0]};
        {_words(f"{_OTHERS} UNION ALL SELECT new.text", _PLACE)[1]};
    END
    """,
    f"""
    CREATE TRIGGER note_changed AFTER UPDATE OF text ON note WHEN new.kind IN ({_KINDS})
    BEGIN
        {_words(f"{_OTHERS} UNION ALL SELECT old.text", _PLACE)[0]};
        {_words(f"{_OTHERS} UNION ALL SELECT new.text", _PLACE)[1]};
    END
    """,
    f"""
    CREATE TRIGGER note_gone AFTER DELETE ON note WHEN old.kind IN ({_KINDS})
    BEGIN
        {_words(f"{_OTHERS} UNION ALL SELECT old.text", _PLACE)[0].replace("new.", "old.")};
        {_words(_OTHERS, _SOME)[1].replace("new.", "old.")};
    END
    """,
)


def upgrade() -> None:
    """Every call gets its card, by the calls' own order."""
    connection = op.get_bind()
    for statement in TABLES:
        op.execute(statement)

    def placed() -> Iterator[dict[str, object]]:
        last = None
        for row in connection.execute(text(FILL)).yield_per(1000):
            place = _first_place(row[1])
            last = place if last is None else max(place, last + 1)
            yield {**{f"v{n}": value for n, value in enumerate(row)}, "place": last}

    _many("INSERT INTO card VALUES (:v0, :v1, :v2, :v3, :v4, :v5, :v6, :v7, :v8, :v9, :v10, :place)", placed())
    for statement in FILLED:
        op.execute(statement)
    notes = connection.execute(text(WORDS)).yield_per(1000)
    _many(
        "INSERT INTO card_words (rowid, words) VALUES (:place, :words)",
        ({"place": place, "words": " ".join(terms(written or ""))} for place, written in notes),
    )
    for statement in TRIGGERS:
        op.execute(statement)


def _first_place(arrived_at: int) -> int:
    """As SQLite divides: towards 0."""
    ms = abs(arrived_at) // 1000
    return (ms if arrived_at >= 0 else -ms) * PER_MS


def _many(statement: str, rows: Iterator[dict[str, object]]) -> None:
    connection, some = op.get_bind(), []
    for row in rows:
        some.append(row)
        if len(some) == 1000:
            connection.execute(text(statement), some)
            some = []
    if some:
        connection.execute(text(statement), some)
