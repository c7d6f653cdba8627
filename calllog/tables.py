"""The tables of the store, for questions (SQLAlchemy Core); ``migrations/`` makes them, ``rows`` fills them.

Times are µs since 1970 UTC as 64-bit integers, 0 for "not yet"; texts are never NULL. Tables are STRICT, so that
SQLite refuses a value of another type (sqlite.org/stricttables.html). ``event`` is append-only.
"""

from __future__ import annotations

from sqlalchemy import REAL, BigInteger, Column, Index, Integer, MetaData, Table, Text, text

metadata = MetaData()


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _real(name: str) -> Column[float]:
    return Column(name, REAL, nullable=False)


def _key_int(name: str) -> Column[int]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, nullable=False)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True, nullable=False)


event = Table(
    "event", metadata,
    _key_int("seq"), _int("at"), _text("stream"), _text("stream_id"), _text("kind"), _int("v"), _text("data"),
    Index("event_by_stream", "stream", "stream_id", "seq"),
    Index("event_of_access", "stream", "seq", "at", sqlite_where=text("stream = 'access'")),
    sqlite_autoincrement=True, sqlite_strict=True,
)  # fmt: skip

party = Table(
    "party", metadata,
    _key("party_id"), _text("raw"), _text("e164"), _text("name"), _int("first_at"),
    Index("party_by_e164", "e164", unique=True, sqlite_where=text("e164 != ''")),
    Index("party_hidden", "party_id", sqlite_where=text("e164 = '' AND raw = ''")),
    Index("party_by_raw", "raw", unique=True, sqlite_where=text("e164 = '' AND raw != ''")),
    sqlite_strict=True,
)  # fmt: skip

call = Table(
    "call", metadata,
    _key("call_id"), _text("leg"), _text("direction"), _text("did"), _text("trunk"), _text("party_id"), _text("stage"),
    _int("arrived_at"), _int("answered_at"), _int("greeted_at"), _text("notice_version"), _text("menu"),
    _int("menu_tries"), _int("asked_at"), _text("queue"), _text("label"), _int("priority"), _int("enqueued_at"),
    _int("told_at"), _text("offered_why"), _text("voicemail_file"), _int("voicemail_started_at"),
    Column("voicemail_seconds", REAL, nullable=False), _int("voicemail_kept"), _int("hung_up_at"),
    _text("hung_up_by"), _int("faults"), _int("adopted"), _int("ended_at"), _text("outcome"), _text("reason"),
    _int("first_talk_at"), _int("talk_us"), _int("held_us"), _int("rings"),
    Index("call_by_arrival", "arrived_at", "call_id"),
    Index("call_by_outcome", "outcome", "arrived_at", "call_id"),
    Index("call_by_party", "party_id", "arrived_at"),
    Index("call_open", "call_id", sqlite_where=text("ended_at = 0")),
    sqlite_strict=True,
)  # fmt: skip

talk = Table(
    "talk", metadata,
    _key("call_id"), _key_int("n"), _text("talk_id"), _text("agent"), _text("device"), _text("leg"), _int("rung_at"),
    _text("ring_result"), _int("ring_ended_at"), _text("bridge"), _int("started_at"), _int("ended_at"),
    _text("ended_by"), _int("held_since"), _int("held_us"), _int("parts"), _text("recording_failed"),
    _int("first_frame"), _int("end_frame"), _int("verified"), _text("note"), _int("invited_at"), _int("rating"),
    Index("talk_by_agent", "agent", "rung_at"),
    Index("talk_invited", "call_id", "agent", "rating", sqlite_where=text("invited_at > 0")),
    Index("talk_unverified", "call_id", "n", sqlite_where=text("verified = 0 AND started_at > 0")),
    sqlite_strict=True,
)  # fmt: skip

recording = Table(
    "recording", metadata,
    _key("call_id"), _key("category"), _text("state"), _int("begun_at"), _text("file"), _text("sha256"),
    _int("frames"), _int("rate"), _int("channels"), _int("parts"), _text("archive_failed"),
    _int("size"), _text("fault"),
    Index("recording_unfinished", "state", "call_id", sqlite_where=text("state IN ('due', 'failed')")),
    Index("recording_by_begin", "begun_at", "call_id"),
    Index("recording_faulty", "call_id", sqlite_where=text("fault != ''")),
    sqlite_strict=True,
)  # fmt: skip

measure = Table(
    "measure", metadata,
    _key("call_id"), _key("category"), _int("measured_by"), _real("seconds"), _real("caller_loudness"),
    _real("agent_loudness"), _real("caller_speech"), _real("agent_speech"), _real("caller_share"), _int("silences"),
    _real("silence"), _real("longest_silence"), _int("talk_overs"), _real("talk_over"), _real("longest_talk_over"),
    _real("silence_from"), _real("talk_over_from"),
    Index("measure_by_silence", "longest_silence", "call_id",
          sqlite_where=text("category = 'call' AND longest_silence > 0")),
    Index("measure_by_talk_over", "talk_over", "call_id", sqlite_where=text("category = 'call' AND talk_over > 0")),
    sqlite_strict=True,
)  # fmt: skip
"""Seconds, and LUFS (``recordings.measures``); ``caller_share``: the caller's part of all that was said, 0 to 1."""

note = Table(
    "note", metadata,
    _key("note_id"), _text("call_id"), _text("kind"), _text("field"), _int("at"), _text("text"),
    Index("note_by_call", "call_id"),
    sqlite_strict=True,
)  # fmt: skip

call_record = Table(
    "call_record", metadata,
    _key("call_id"), _text("record_id"), _int("version"), _text("agent"), _text("written_by"), _text("subject"),
    _text("solved"), _int("identity_checked"), _int("complete"), _int("first_at"), _int("written_at"),
    Index("call_record_by_subject", "subject", "written_at"),
    sqlite_strict=True,
)  # fmt: skip

review = Table(
    "review", metadata,
    _key("call_id"), _key_int("n"), _text("review_id"), _text("form"), _text("version"), _text("grader"),
    _text("agent"), _int("given_at"), _int("score"), _int("passed"), _int("fatal"), _text("corrects"),
    _int("standing"), _int("appealed"), _text("appeal"), _text("appeal_by"), _int("appeal_at"), _text("decided_by"),
    _int("decided_at"),
    Index("review_by_id", "review_id"),
    Index(
        "review_by_time", "given_at", "call_id", "n", "agent", "grader", "form", "score", "passed", "fatal",
        "standing", "appeal",
    ),
    Index("review_by_agent", "agent", "given_at", "call_id", "n"),
    Index("review_by_grader", "grader", "given_at", "call_id", "n"),
    Index("review_by_form", "form", "given_at"),
    Index("review_appealed", "appeal", "given_at", "call_id", "n", sqlite_where=text("appeal != ''")),
    sqlite_strict=True,
)  # fmt: skip

reviewed = Table(
    "reviewed", metadata,
    _key("call_id"), _int("score"), _int("grades"), _int("fatal"), _int("open_appeals"), _int("exemplary"),
    _int("comments"), _int("changed_at"), _int("exemplary_at"),
    Index("reviewed_by_score", "score", "call_id", sqlite_where=text("score >= 0")),
    Index("reviewed_exemplary", "exemplary_at", "call_id", sqlite_where=text("exemplary = 1")),
    sqlite_strict=True,
)  # fmt: skip

review_comment = Table(
    "review_comment", metadata,
    _key("call_id"), _key("comment_id"), _text("author"), _int("at_ms"), _int("made_at"), _int("removed"),
    sqlite_strict=True,
)  # fmt: skip

review_form = Table(
    "review_form", metadata,
    _key("published_as"), _text("form"), _text("version"), _int("published_at"), _text("text"),
    sqlite_strict=True,
)  # fmt: skip

review_list = Table(
    "review_list", metadata,
    _key("drawing_id"), _key_int("n"), _text("call_id"), _text("agent"), _text("grader"), _text("rule"), _text("plan"),
    _text("form"), _text("week"), _int("drawn_at"),
    Index("review_list_by_grader", "grader", "drawn_at"),
    Index("review_list_by_plan", "plan", "week"),
    Index("review_list_by_call", "call_id"),
    sqlite_strict=True,
)  # fmt: skip

review_due = Table(
    "review_due", metadata,
    _key("drawing_id"), _key_int("n"), _text("grader"), _text("plan"), _text("week"), _int("drawn_at"), _int("done"),
    Index("review_due_by_grader", "grader", "done", "week", "drawing_id", "n", "plan", "drawn_at"),
    Index("review_due_by_week", "done", "week", "drawing_id", "n"),
    sqlite_strict=True, sqlite_with_rowid=False,
)  # fmt: skip
"""Which calls on graders' lists are graded; kept by triggers on ``review_list`` and ``review``."""

card = Table(
    "card", metadata,
    Column("call_id", Text, nullable=False), _int("arrived_at"), _text("party_id"), _text("outcome"), _text("queue"),
    _text("subject"), _text("agents"), _int("length_us"), _int("held_us"), _int("talks"), _int("messages"),
    _int("rating"), _key_int("place"),
    Index("card_by_call", "call_id", unique=True),
    Index("card_by_party", "party_id"),
    Index("card_by_outcome", "outcome"),
    Index("card_by_queue", "queue", sqlite_where=text("queue != ''")),
    Index("card_by_subject", "subject", sqlite_where=text("subject != ''")),
    Index("card_by_length", "length_us", sqlite_where=text("length_us > 0")),
    Index("card_by_hold", "held_us", sqlite_where=text("held_us > 0")),
    Index("card_rated", "place", "rating", sqlite_where=text("rating > 0")),
    Index("card_with_message", "messages", sqlite_where=text("messages = 1")),
    sqlite_strict=True,
)  # fmt: skip
"""What calls are found by (``calllog.card``). Every index is, within each of its values, in order of ``place``."""

card_agent = Table(
    "card_agent", metadata, _key("agent"), _key_int("place"), sqlite_strict=True, sqlite_with_rowid=False
)
"""Who talked in which call; kept by triggers on ``card``."""

number = Table(
    "number", metadata, _key_int("n"), _text("party_id"), _text("number"),
    Index("number_by_party", "party_id", unique=True),
    sqlite_strict=True,
)  # fmt: skip
"""Every party's number, both ways, for ``number_parts`` (FTS5, trigrams); kept by triggers on ``party``."""
hold = Table(
    "hold", metadata,
    _key("call_id"), _key("hold_id"), _text("set_by"), _int("set_at"), _text("reason"), _text("lifted_by"),
    _int("lifted_at"),
    Index("hold_in_force", "call_id", sqlite_where=text("lifted_at = 0")),
    sqlite_strict=True,
)  # fmt: skip

removal = Table(
    "removal", metadata,
    _key("call_id"), _key_int("n"), _int("at"), _text("what"), _text("category"), _text("file"), _text("sha256"),
    _text("kind"), _int("days"), _text("removed_by"), _text("manifest"),
    Index("removal_by_time", "at"),
    sqlite_strict=True,
)  # fmt: skip

agent_state = Table(
    "agent_state", metadata,
    _key("agent"), _text("mode"), _text("reason"), _text("call_id"), _text("talk_id"), _int("missed"), _int("since"),
    _int("until"), _int("changed_at"), _int("free_from"), _int("extended"),
    sqlite_strict=True,
)  # fmt: skip
