"""Words of records and remarks: found as they stand, and gone when they are erased."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from calllog import events as ev, words
from calllog.notes import new_note
from calllog.search import Wanted, find
from calllog.verify import verify
from tests.pure.journal_play import new_store, open_journal, short_call, stored

texts = st.text(st.sampled_from("退款要求AbＣ12３ é，。 -'\"*😀한かﾎ"), max_size=30)


@given(texts, texts)
def test_what_stands_in_a_text_is_found_in_it(before: str, word: str) -> None:
    try:
        question = words.asked(word)
    except words.Unsearchable:
        return
    text = f"{before} {word} {before}"
    assert all(words.holds(text, phrase) for phrase in question.all)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE w USING fts5(t, content='', tokenize='ascii', detail='none')")
        connection.execute("INSERT INTO w (rowid, t) VALUES (1, ?)", (" ".join(words.terms(text)),))
        assert connection.execute("SELECT rowid FROM w WHERE w MATCH ?", (question.match,)).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("text", "word", "there"),
    [
        ("客户要求退款。", "退款", True),
        ("客户要求退款。", "求款", False),
        ("退掉，货款", "退款", False),
        ("订单Ａ１２", "a12", True),
        ("订单A123", "a12", False),
        ("Ａ１２退款", "12退", False),
        ("Straße", "STRASSE", True),
        ("退 款", "退款", False),
    ],
)
def test_a_word_is_held_as_it_stands(text: str, word: str, there: bool) -> None:
    (phrase,) = words.asked(word).all
    assert words.holds(text, phrase) is there


def test_a_question_that_is_too_long_is_refused() -> None:
    with pytest.raises(words.Unsearchable) as refused:
        words.asked("退" * 201)
    assert refused.value.too_long


async def test_what_is_erased_is_found_no_more_and_is_gone_from_the_pages(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    for stream, call_id, each, party in short_call("c1"):
        journal.append(stream, call_id, each, party=party)
    note = new_note("record", "problem", "独角兽退款")
    written = ev.RecordWritten(record_id="r", version=1, by="x", notes={"problem": note.note_id})
    journal.append("call", "c1", written, notes=[note])
    remark = new_note("comment", "text", "退款说明")
    written = ev.RecordWritten(record_id="r", version=2, by="x", notes={"problem": note.note_id, "x": remark.note_id})
    journal.append("call", "c1", written, notes=[remark])
    await journal.close()
    for question in (Wanted(words="独角兽"), Wanted(words="说明 独角"), Wanted(number="0000111")):
        assert (await find(path, question)).call_ids == ("c1",)
    with closing(sqlite3.connect(path)) as connection, connection:
        words.teach(connection)
        connection.execute("UPDATE note SET text = '' WHERE note_id = ?", (note.note_id,))
        connection.execute("UPDATE party SET raw = '', e164 = '', name = ''")
    with closing(sqlite3.connect(path)) as connection, connection:
        words.scrub(connection)
    assert (await find(path, Wanted(words="独角兽"))).call_ids == ()
    assert (await find(path, Wanted(words="退款"))).call_ids == ("c1",)
    assert (await find(path, Wanted(number="0000111"))).call_ids == ()
    assert (await find(path, Wanted(number=""))).call_ids == ("c1",)
    for table in ("card_words", "number_parts"):
        pages = b"".join(block for (block,) in stored(path, f"SELECT block FROM {table}_data"))
        assert "独角".encode() not in pages
        assert b"138" not in pages
    assert verify(path) == []


async def test_a_note_that_is_taken_away_or_comes_back_is_followed(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    journal.append("call", "c1", ev.Arrived(leg="l"))
    await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        words.teach(connection)
        for n, text in enumerate(("退款", "退款 发票", "hold")):
            kind = "hold" if n == 2 else "record"
            connection.execute("INSERT INTO note VALUES (?, 'c1', ?, 'f', 0, ?)", (str(n), kind, text))
        for word, there in (("退款", True), ("发票", True), ("hold", False)):
            assert hit(connection, word) is there
        connection.execute("DELETE FROM note WHERE note_id = '1'")
        assert (hit(connection, "发票"), hit(connection, "退款")) == (False, True)
        connection.execute("UPDATE note SET text = '发票' WHERE note_id = '0'")
        assert (hit(connection, "发票"), hit(connection, "退款")) == (True, False)
        words.relearn(connection)
        assert (hit(connection, "发票"), hit(connection, "退款")) == (True, False)
        connection.execute("DELETE FROM note")
        assert not hit(connection, "发票")


def hit(connection: sqlite3.Connection, word: str) -> bool:
    found = connection.execute("SELECT 1 FROM card_words WHERE card_words MATCH ?", (words.asked(word).match,))
    return found.fetchone() is not None
