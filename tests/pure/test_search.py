"""Finding calls: the same whatever index the search sets out from, page by page, with words, fast by its plan."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings, strategies as st
from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

import calllog.migrate
from calllog import events as ev, words
from calllog.notes import new_note
from calllog.rows import CARD_COLUMNS
from calllog.search import Span, Wanted, count, find
from calllog.search_plan import WALK, best, counts, found, wishes_of
from calllog.verify import rebuild, verify
from tests.pure.journal_play import UNHURRIED, new_store, open_journal, stored, tamper

S = 1_000_000
NUMBERS = ("13800001111", "13912345678", "02112345678", "0075583", "alice", "")
SAID = ("客户要求退款，订单 A12", "询问发票", "退货，不退款", "Refund of order a123", "投诉", "")
OUTCOMES = ("answered", "abandoned", "voicemail", "menu")


def e164(raw: str) -> str:
    return f"+86{raw.removeprefix('0')}" if raw.isdecimal() and len(raw) > 9 else ""


async def _made(path: Path) -> None:
    journal = await open_journal(path)
    for n in range(60):
        raw, call_id, at = NUMBERS[n * 7 % 6], f"c{n:02}", (1_000 + n * 37 % 50) * S
        party = ev.Party(raw, e164(raw), "")
        agents = ("8001", "8002", "8003")[n % 4 :][: 1 + n % 2] if n % 4 < 3 else ()
        journal.append("call", call_id, ev.Arrived(leg=call_id), party=party, at=at)
        if n % 5:
            journal.append("call", call_id, ev.Asked(queue=("a", "b")[n % 2], label=""), at=at)
        for m, agent in enumerate(agents):
            talk, begun = f"{call_id}-{m}", at + m * 90 * S
            for each, later in (
                (ev.RingStarted(talk_id=talk, agent=agent, device="d", leg=f"{talk}-l"), 0),
                (ev.RingEnded(talk_id=talk, agent=agent, result="answered"), 1),
                (ev.TalkStarted(talk_id=talk, agent=agent, bridge="b"), 1),
                (ev.RecordingRequested(talk_id=talk, part=0, file="x"), 1),
                (ev.RecordingStarted(talk_id=talk, part=0), 1),
                (ev.Held(talk_id=talk, by="agent"), 1),
                (ev.Unheld(talk_id=talk, by="agent"), 1 + n % 3),
                (ev.TalkEnded(talk_id=talk, agent=agent, by="agent"), 3 + n),
                *([(ev.SurveyInvited(talk_id=talk), 3 + n)] if n % 3 else []),
                *([(ev.Rated(talk_id=talk, rating=1 + (n + m) // 3 % 5), 4 + n)] if n % 3 == 1 else []),
            ):
                journal.append("call", call_id, each, at=begun + later * S)
        if n % 7 == 3:
            journal.append("call", call_id, ev.VoicemailStarted(file="v"), at=at + S)
            journal.append("call", call_id, ev.VoicemailKept(file="v", seconds=2.5 + n), at=at + S)
        if agents and n % 2:
            measured = ev.Measured(
                category="call", by=1, seconds=9.0, loudness=(-20.0, -20.0), speech=(1.0, 1.0), silence_from=5.0,
                longest_silence=float(n), talk_over=n / 4, talk_over_from=0.5,
            )  # fmt: skip
            journal.append("call", call_id, measured, at=at + 250 * S)
        if agents and n % 4:
            graded = ev.ReviewGiven(
                review_id=f"g{n}", form="f", version="1", by="q", agent=agents[0], answers={}, score=n * 20 % 1_000,
                passed=True,
            )  # fmt: skip
            journal.append("review", call_id, graded, at=at + 260 * S)
        if n % 3:
            notes = [new_note("record", "problem", SAID[n % 6]), new_note("record", "name", "王芳" if n % 2 else "李")]
            written = ev.RecordWritten(
                record_id=f"r{n}", version=1, by="x", subject=("refund", "other", "")[n % 3],
                notes={note.field: note.note_id for note in notes},
            )  # fmt: skip
            journal.append("call", call_id, written, notes=notes, at=at + 200 * S)
        if n != 59:
            outcome = "answered" if agents else OUTCOMES[1 + n % 3]
            journal.append("call", call_id, ev.Ended(outcome=outcome), at=at + 300 * S)  # type: ignore[arg-type]
    await journal.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty calls of every kind."""
    path = new_store(tmp_path_factory.mktemp("search"))
    asyncio.run(_made(path))
    return path


def plainly(path: Path, wanted: Wanted) -> list[str]:
    """The calls by looking at every one."""
    numbers = {row[0]: row[1:] for row in stored(path, "SELECT party_id, e164, raw FROM party")}
    said: dict[str, list[str]] = {}
    for call_id, text in stored(path, "SELECT call_id, text FROM note"):
        said.setdefault(call_id, []).append(text)
    measured = {row[0]: row[1:] for row in stored(path, "SELECT call_id, longest_silence, talk_over FROM measure")}
    scores = dict(stored(path, "SELECT call_id, score FROM reviewed"))
    hits = []
    for row in stored(path, f"SELECT {', '.join(CARD_COLUMNS)}, place FROM card ORDER BY place DESC"):
        card = dict(zip(CARD_COLUMNS, row, strict=False))
        agents = json.loads(card["agents"])
        e164, raw = numbers[card["party_id"]]
        home = f"0{e164[3:]}" if e164 else ""
        if (
            (wanted.since is None or card["arrived_at"] >= wanted.since)
            and (wanted.until is None or card["arrived_at"] < wanted.until)
            and (wanted.outcome is None or card["outcome"] == wanted.outcome)
            and (wanted.queue is None or card["queue"] == wanted.queue)
            and (wanted.agent is None or wanted.agent in agents)
            and (wanted.own is None or wanted.own in agents)
            and (wanted.subjects is None or card["subject"] in wanted.subjects)
            and (wanted.length is None or fits(card["length_us"], wanted.length))
            and (wanted.hold is None or fits(card["held_us"], wanted.hold))
            and (wanted.silence is None or fits(measured.get(card["call_id"], (0, 0))[0] * S, wanted.silence))
            and (wanted.talk_over is None or fits(measured.get(card["call_id"], (0, 0))[1] * S, wanted.talk_over))
            and (
                wanted.score is None
                or wanted.score.least <= scores.get(card["call_id"], -1) <= (wanted.score.most or 1_000)
            )
            and (wanted.ratings is None or card["rating"] in wanted.ratings)
            and (not wanted.recorded or card["talks"] or card["messages"])
            and (wanted.category is None or card["talks" if wanted.category == "call" else "messages"])
            and (
                wanted.number is None
                or (not wanted.number and not e164 and not raw)
                or (wanted.number and number_fits(wanted, e164, (raw, home)))
            )
            and (
                wanted.words is None
                or all(
                    any(words.holds(text, word) for text in said.get(card["call_id"], ()))
                    for word in words.asked(wanted.words).all
                )
            )
        ):
            hits.append(card["call_id"])
    return hits


def number_fits(wanted: Wanted, e164: str, others: tuple[str, ...]) -> bool:
    number = wanted.number or ""
    if wanted.by == "whole":
        return e164 == number
    if wanted.by == "end":
        return len(e164) >= 13 and e164.endswith(number)
    return any(number in each for each in (e164, *others))


def fits(length: float, span: Span) -> bool:
    return length > 0 and length >= span.least and (span.most is None or length <= span.most)


spans = st.builds(Span, st.integers(0, 70).map(lambda s: s * S), st.none() | st.integers(0, 90).map(lambda s: s * S))
some = st.builds(
    Wanted,
    since=st.none() | st.integers(995 * S, 1055 * S),
    until=st.none() | st.integers(995 * S, 1055 * S),
    number=st.none() | st.sampled_from(["138", "1", "00001111", "021", "0211", "+8613", "86139", "ali", "", "0075"]),
    agent=st.none() | st.sampled_from(["8001", "8002", "9999"]),
    own=st.none() | st.just("8001"),
    queue=st.none() | st.sampled_from(["a", "b", "z"]),
    subjects=st.none() | st.sampled_from([("refund",), ("refund", "other"), ("none",)]),
    outcome=st.none() | st.sampled_from([*OUTCOMES, ""]),
    length=st.none() | spans,
    hold=st.none() | spans,
    silence=st.none() | spans,
    talk_over=st.none() | spans,
    score=st.none() | st.sampled_from([Span(0), Span(0, 599), Span(900), Span(400, 400)]),
    ratings=st.none() | st.sampled_from([(1, 2, 3, 4, 5), (4, 5), (3,), (1, 5)]),
    recorded=st.booleans(),
    category=st.none() | st.sampled_from(["call", "voicemail"]),
    words=st.none() | st.sampled_from(["退款", "退", "要求退款", "A12", "a1", "退款 王芳", "不退款", "票", "x y"]),
)  # fmt: skip


by_mask = st.builds(
    lambda wanted, number: replace(wanted, number=number[0], by=number[1]), some,
    st.sampled_from([("1111", "end"), ("5678", "end"), ("8888", "end"), ("+8613800001111", "whole"), ("138", "whole")]),
)  # fmt: skip


@settings(UNHURRIED, max_examples=60)
@given(some | by_mask)
def test_every_way_through_the_indexes_finds_the_same_calls(path: Path, wanted: Wanted) -> None:
    expected, search = plainly(path, wanted), wishes_of(wanted)
    with closing(sqlite3.connect(path)) as connection:
        words.teach(connection)
        counted = {name: connection.execute(*parts(each)).fetchone()[0] for name, each in counts(search).items()}
        assert best(search, counted) in (*search.wishes, WALK)
        for out in (WALK, *(wish for wish in search.wishes if wish.source)):
            rows = connection.execute(*parts(found(search, out, 100))).fetchall()
            assert [row[1] for row in rows] == expected, out.name
            assert out is WALK or len(rows) <= counted[out.name]


def parts(statement: Any) -> tuple[str, Any]:
    return statement.sql, statement.values


@settings(UNHURRIED, max_examples=15)
@given(some, st.integers(1, 20))
def test_pages_and_counts_agree(path: Path, wanted: Wanted, limit: int) -> None:
    expected = plainly(path, wanted)
    seen: list[str] = []
    page = asyncio.run(find(path, wanted, limit=limit))
    pages = [page]
    while page.older:
        page = asyncio.run(find(path, wanted, limit=limit, after=page.call_ids[-1]))
        assert page.newer
        pages.append(page)
    for page in pages:
        seen += page.call_ids
    assert seen == expected
    for newer, older in pairwise(pages):
        assert asyncio.run(find(path, wanted, limit=limit, before=older.call_ids[0])) == replace(newer, older=True)
    assert asyncio.run(count(path, wanted)).n == len(expected)
    few = asyncio.run(count(path, wanted, most=3))
    assert (few.n, few.more) == (min(3, len(expected)), len(expected) > 3)


async def test_no_page_repeats_or_skips_a_call_when_calls_come_in(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    for n in range(6):
        journal.append("call", f"c{n}", ev.Arrived(leg="l"), at=1_000 * S + n // 3)  # three in one microsecond
    await journal.flush()
    first = await find(path, Wanted(), limit=3)
    for late, at in (("new", 2_000 * S), ("old", 1), ("same", 1_000 * S)):
        journal.append("call", late, ev.Arrived(leg="l"), at=at)
    await journal.close()
    rest = await find(path, Wanted(), limit=9, after=first.call_ids[-1])
    assert first.call_ids + rest.call_ids == ("c5", "c4", "c3", "c2", "c1", "c0", "old")
    assert (await find(path, Wanted(), limit=9, before="c4")).call_ids == ("new", "same", "c5")
    assert (await find(path, Wanted(), after="no such call")).call_ids == ()


# --- plans --------------------------------------------------------------------------------------------------------

INDEXES = {
    "words": "VIRTUAL TABLE",
    "agent": "SEARCH a USING PRIMARY KEY (agent=? AND place>? AND place<?)",
    "number": "card_by_party",
    "outcome": "card_by_outcome",
    "queue": "card_by_queue", "subject": "card_by_subject", "length": "card_by_length", "hold": "card_by_hold",
    "silence": "measure_by_silence", "score": "reviewed_by_score",
    "rating": "card_rated (place>? AND place<?)", "talk_over": "measure_by_talk_over",
    "category": "card_with_message", "": "INTEGER PRIMARY KEY",
}  # fmt: skip
EVERYTHING = Wanted(
    since=S, until=2 * S, number="1380", agent="1", own="2", queue="a", subjects=("x",), outcome="answered",
    length=Span(S), hold=Span(S), silence=Span(S), talk_over=Span(S), score=Span(1), ratings=(4, 5),
    category="voicemail", words="要求退款",
)  # fmt: skip


def plan_of(connection: sqlite3.Connection, statement: Any) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)]


@pytest.mark.parametrize("hidden", [False, True])
def test_no_search_and_no_count_reads_what_it_need_not(path: Path, hidden: bool) -> None:
    search = wishes_of(replace(EVERYTHING, number="" if hidden else "1380"))
    with closing(sqlite3.connect(path)) as connection:
        words.teach(connection)
        ways = {wish.name: wish for wish in search.wishes if wish.source}
        assert ways.keys() | {""} == INDEXES.keys()
        for name, statement in counts(search).items():
            check_plan(plan_of(connection, statement), name, hidden)
        for name, out in {**ways, "": WALK}.items():
            for bound in ({}, {"below": 5}, {"above": 5}):
                plan = plan_of(connection, found(search, out, 9, **bound))
                check_plan(plan, name, hidden)
                assert ("USE TEMP B-TREE FOR ORDER BY" in plan) is not out.ordered, (name, plan)


def check_plan(plan: list[str], name: str, hidden: bool) -> None:
    """Only full-text tables and the list of hidden numbers are read from end to end; and the first step is right."""
    for line in plan:
        if line.startswith("SCAN"):
            assert "VIRTUAL TABLE" in line or "party_hidden" in line or line.endswith("(subquery-1)"), (name, plan)
    assert any(INDEXES[name] in line for line in plan), (name, plan)


HOSTILE = (
    '"', "' OR 1=1 --", "NEAR(a b)", "*", "a* -b", "col:a", "%", "_", "退款\x00", "😀", "a" * 200, "{", "^a", "AND",
    "()",
    "\ud800", "a\u202eb", "(((((", '""""', ";DROP TABLE call",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_a_search(path: Path, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    for wanted in (Wanted(number=text), Wanted(agent=text, queue=text, outcome=text, subjects=(text,))):
        asyncio.run(find(path, wanted))
        asyncio.run(count(path, wanted))
    try:
        wishes_of(Wanted(words=text))
    except words.Unsearchable as error:
        assert not error.too_long
    else:
        assert asyncio.run(find(path, Wanted(words=text))).call_ids == tuple(plainly(path, Wanted(words=text)))


# --- kept in step -------------------------------------------------------------------------------------------------


def test_cards_agree_with_the_journal_and_are_mended(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    asyncio.run(_made(path))
    assert verify(path) == []
    before = cards(path)
    wrong = "UPDATE card SET agents = '[\"9\"]', queue = 'x' WHERE call_id = 'c01'"
    tamper(path, wrong, "DELETE FROM card WHERE place % 3 = 0")
    assert rebuild(path).changed
    assert cards(path) == before
    assert asyncio.run(find(path, Wanted(words="退款"))).call_ids == tuple(plainly(path, Wanted(words="退款")))


def cards(path: Path) -> tuple[list[Any], list[Any]]:
    columns = ", ".join(CARD_COLUMNS)
    agents = "SELECT card.call_id, agent FROM card_agent JOIN card USING (place) ORDER BY 1, 2"
    return stored(path, f"SELECT {columns} FROM card ORDER BY call_id"), stored(path, agents)


def test_a_store_of_before_gets_its_cards_and_words(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with connected(old) as config:
        command.upgrade(config, _before("cards"))
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("ATTACH ? AS now", (str(path),))
        tables = "event party call talk recording note call_record measure review reviewed"
        for table in tables.split():
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    with connected(old) as config:
        command.upgrade(config, "head")
    with closing(sqlite3.connect(old)) as connection, connection:  # nobody could rate then: no migration fills that in
        connection.execute("ATTACH ? AS now", (str(path),))
        connection.execute("UPDATE card SET rating = (SELECT rating FROM now.card AS n WHERE n.call_id = card.call_id)")
        same = "SELECT invited_at, rating FROM now.talk AS t WHERE t.call_id = talk.call_id AND t.n = talk.n"
        connection.execute(f"UPDATE talk SET (invited_at, rating) = ({same})")
    assert cards(old) == cards(path)
    for wanted in (Wanted(words="退款"), Wanted(number="0211"), Wanted(agent="8001", words="王芳")):
        assert sorted(asyncio.run(find(old, wanted)).call_ids) == sorted(plainly(path, wanted))
    assert verify(old) == []


def _before(name: str) -> str:
    (step,) = calllog.migrate.STEPS.glob(f"versions/*_{name}.py")
    return f"{int(step.name[:4]) - 1:04}"


class connected:
    """Alembic on a store."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None)
        engine = create_engine("sqlite://", creator=lambda: self._raw, poolclass=StaticPool)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self._connection = engine.connect()

    def __enter__(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(calllog.migrate.STEPS))
        config.attributes["connection"] = self._connection
        return config

    def __exit__(self, *_error: object) -> None:
        if self._connection.in_transaction():
            self._connection.commit()
        self._connection.close()
        self._raw.close()


def test_more_calls_in_a_millisecond_than_places_are_all_found(tmp_path: Path) -> None:
    path = new_store(tmp_path)

    async def many() -> None:
        journal = await open_journal(path)
        for n in range(150):
            journal.append("call", f"c{n}", ev.Arrived(leg="l"), at=5 + 1_000 * (n % 2))
        await journal.close()

    asyncio.run(many())
    assert len(asyncio.run(find(path, Wanted(), limit=200)).call_ids) == 150
    assert verify(path) == []
