"""What people did with the many calls of the bench: graders' lists, grades, appeals, comments, examples, holds, and the
log of who heard what. Events and rows both, by the product's own folds, so that every page has what it shows.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calllog.access import Access, Anchor, linked
from calllog.envelope import seal
from calllog.events import (
    AnyEvent,
    AppealDecided,
    AppealMade,
    Commented,
    Drawn,
    ExemplaryMarked,
    FormPublished,
    ListDrawn,
    Recorded,
    ReviewGiven,
    Stream,
)
from calllog.review_folds import thread_rows
from calllog.rows import UPSERTS, Row
from config.load import load_settings
from recordings.forms import content, version
from recordings.review_desk import published_as

GRADERS = tuple(f"quality{number}" for number in range(1, 21))
FORM, PLAN = "service", "weekly"
LISTED = 8
"""One call in so many of those with a talk is on a list."""
HELD = 400
"""One in so many has, or had, a hold."""
HEARD = 1
"""Entries of the access log for each call."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_BATCH = 20_000
_CONFIG = Path(__file__).resolve().parents[2] / "config"
_WHY = ("质检评分", "复核申诉", "客户投诉核查", "典范录音挑选", "班长抽查")
_SAID = ("开场规范", "此处打断了来电人", "未核实身份", "解释清楚", "等待前未征得同意", "语速偏快")


@dataclass(slots=True)
class _Book:
    """Events and rows on their way into the store."""

    connection: sqlite3.Connection
    seq: int = 0
    events: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    notes: list[Row] = field(default_factory=list)

    def add(self, stream: Stream, name: str, happened: Iterable[tuple[int, AnyEvent]]) -> None:
        """Everything that happened to one thread."""
        thread = []
        for at, event in happened:
            self.seq += 1
            item = seal(self.seq, at, stream, name, event)
            self.events.append((item.seq, item.at, item.stream, item.stream_id, item.kind, item.v, item.data))
            thread.append(Recorded(self.seq, at, stream, name, event))
        if stream != "access":
            for table, some in thread_rows(stream, name, thread)[0].items():
                self.rows.setdefault(table, []).extend(some)
        if len(self.events) >= _BATCH:
            self.write()

    def note(self, call_id: str, kind: str, about: str, at: int, text: str) -> str:
        """A text; returns its id."""
        note_id = f"{call_id}/{kind}/{about}/{len(self.notes)}"
        self.notes.append((note_id, call_id, kind, about, at, text))
        return note_id

    def write(self) -> None:
        """What is waiting."""
        run = self.connection.executemany
        run("INSERT INTO event (seq, at, stream, stream_id, kind, v, data) VALUES (?, ?, ?, ?, ?, ?, ?)", self.events)
        for table, some in self.rows.items():
            run(UPSERTS[table], some)
        run("INSERT INTO note (note_id, call_id, kind, field, at, text) VALUES (?, ?, ?, ?, ?, ?)", self.notes)
        self.events, self.rows, self.notes = [], {}, []


def keep(connection: sqlite3.Connection, size: int, now: int) -> None:
    """Write all of it into a store of so many calls; ``now`` is µs since 1970 UTC."""
    form = load_settings(_CONFIG).reviews.forms[FORM]
    known = version(form)
    book, dice = _Book(connection), random.Random(3)
    published = FormPublished(form=FORM, version=known, text=content(form))
    book.add("form", published_as(FORM, known), [(now - 3 * 365 * _DAY, published)])
    answers = {point: asked.steps for point, asked in form.points.items()}
    week: list[tuple[str, str, str]] = []
    name = ""
    for number, (call_id, at, agents) in enumerate(_talks(connection)):
        if number % HELD == 7:
            _hold(book, dice, call_id, at)
        if number % LISTED:
            continue
        this = _week(at)
        if this != name and week:
            _drawn(book, name, at, week)
            week = []
        name = this
        agent, grader = agents[0], GRADERS[number // LISTED % len(GRADERS)]
        week.append((call_id, agent, grader))
        # The lists of the last weeks are still being worked on.
        if dice.random() < (0.97 if at < now - 14 * _DAY else 0.3):
            book.add("review", call_id, _graded(book, dice, call_id, at + 9 * _DAY, agent, grader, known, answers))
    _drawn(book, name, now, week)
    _heard(book, dice, size * HEARD, now)
    book.write()


def _talks(connection: sqlite3.Connection) -> Iterator[tuple[str, int, list[str]]]:
    """Every call with a recorded talk, by arrival; who talked in it."""
    question = "SELECT call_id, arrived_at, agents FROM card WHERE talks = 1 ORDER BY place"
    for call_id, at, agents in connection.execute(question).fetchall():
        yield call_id, at, json.loads(agents)


def _week(at: int) -> str:
    year, week, _day = dt.datetime.fromtimestamp(at // _SECOND, dt.UTC).isocalendar()
    return f"{year}-W{week:02}"


def _drawn(book: _Book, week: str, at: int, picks: list[tuple[str, str, str]]) -> None:
    calls = tuple(Drawn(call_id, agent, grader, "random") for call_id, agent, grader in picks)
    event = ListDrawn(plan=PLAN, form=FORM, week=week, seed="bench", by="hotline", calls=calls)
    book.add("drawing", f"drawing-{week}", [(at, event)])


def _graded(
    book: _Book, dice: random.Random, call_id: str, at: int, agent: str, grader: str, known: str,
    answers: dict[str, int],
) -> Iterator[tuple[int, AnyEvent]]:  # fmt: skip
    """A grade, and what came of it now and then."""
    review, score = f"{call_id}/review", min(1_000, round(dice.gauss(860, 90)))
    yield at, ReviewGiven(
        review_id=review, form=FORM, version=known, by=grader, agent=agent, answers=answers, score=score,
        passed=score >= 800,
    )  # fmt: skip
    if dice.random() < 0.3:
        said = book.note(call_id, "comment", "text", at, dice.choice(_SAID))
        yield at, Commented(comment_id=f"{review}/c", by=grader, at_ms=dice.randrange(60_000), notes={"text": said})
    if dice.random() < 0.02:
        yield at + _DAY, ExemplaryMarked(by=grader)
    if dice.random() < 0.03:
        why = book.note(call_id, "appeal", "why", at, "不同意扣分")
        yield at + _DAY, AppealMade(review_id=review, by=f"a{agent}", agent=agent, notes={"why": why})
        if dice.random() < 0.9:
            yield at + 2 * _DAY, AppealDecided(review_id=review, by="supervisor")


def _hold(book: _Book, dice: random.Random, call_id: str, at: int) -> None:
    why = book.note(call_id, "hold", "reason", at + _DAY, "客户投诉，法务要求保留")
    lifted = at + 200 * _DAY if dice.random() < 0.7 else 0
    row: Row = (call_id, f"{call_id}/hold", "auditor", at + _DAY, why, "auditor" if lifted else "", lifted)
    book.rows.setdefault("hold", []).append(row)


def _heard(book: _Book, dice: random.Random, many: int, now: int) -> None:
    """The access log, as a chain, of three years."""
    calls: list[Any] = book.connection.execute("SELECT call_id FROM card WHERE talks = 1 ORDER BY place").fetchall()
    last, step = Anchor(), 3 * 365 * _DAY // many
    for number in range(many):
        at = now - (many - number) * step
        grader = dice.choice(GRADERS)
        exported = dice.random() < 0.05
        access = Access(
            grader, "recording.export" if exported else "recording.hear", dice.choice(_WHY), role="quality",
            call_id=calls[number * len(calls) // many][0], category="call", address="10.0.0.7",
            batch=f"batch-{number // 50}" if exported else "",
        )  # fmt: skip
        event = linked(last, at, access)
        book.add("access", event.call_id, [(at, event)])
        last = Anchor(event.n, event.digest)
