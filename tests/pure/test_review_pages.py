"""However many grades: each page of each list is read by an index, and pages join without gap or repetition."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from calllog import list_pages, review_pages
from calllog.list_pages import ListWish, find_listed, list_figures, turn
from calllog.paging import Page
from calllog.review_pages import Figures, GradeWish, find_examples, find_grades, grade_figures
from tests.pure.journal_play import new_store

GRADES = 240
AGENTS, GRADERS, FORMS = ("8001", "8002", "8003"), ("ann", "ben"), ("service", "sales")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grades, lists and examples as rows; what folds them is tried elsewhere."""
    path = new_store(tmp_path_factory.mktemp("reviews"))
    chance = random.Random(7)
    with closing(sqlite3.connect(path)) as run:
        columns = [row[1] for row in run.execute("PRAGMA table_info(call)")]
        types = {row[1]: row[2] for row in run.execute("PRAGMA table_info(call)")}
        blank = {name: "" if types[name] == "TEXT" else 0 for name in columns}
        for n in range(GRADES):
            call = {**blank, "call_id": f"c{n:03}", "arrived_at": n}
            run.execute(f"INSERT INTO call VALUES ({', '.join('?' * len(columns))})", list(call.values()))
            run.execute("INSERT INTO review_list VALUES (?, ?, ?, ?, ?, 'random', ?, 'service', ?, ?)",
                        (f"d{n % 7}", n, f"c{n:03}", "8001", GRADERS[n % 2], "weekly" if n % 3 else "old",
                         f"2026-W{40 + n % 7}", 100 * (n % 7)))  # fmt: skip
            fatal = int(chance.random() < 0.1)
            score = 0 if fatal else chance.randrange(0, 1001)
            values = (
                f"c{n:03}", 0, f"r{n:03}", FORMS[n % 5 == 0], "v", GRADERS[chance.random() < 0.4],
                chance.choice(AGENTS), chance.randrange(40), score, int(score >= 800), fatal, "",
                int(chance.random() < 0.8), 0, chance.choice(("", "", "open", "kept", "changed")), "", 0, "", 0,
            )  # fmt: skip
            run.execute(f"INSERT INTO review VALUES ({', '.join('?' * len(values))})", values)
            run.execute("INSERT INTO reviewed VALUES (?, ?, 1, 0, 0, ?, 0, 1, ?)",
                        (f"c{n:03}", score, int(n % 3 == 0), chance.randrange(30) if n % 3 == 0 else 0))  # fmt: skip
        run.commit()
    return path


def rows_of(store: Path, wish: GradeWish) -> list[Any]:
    """The answer of somebody who reads everything."""
    with closing(sqlite3.connect(store)) as run:
        run.row_factory = sqlite3.Row
        rows = run.execute("SELECT * FROM review ORDER BY given_at DESC, call_id DESC, n DESC").fetchall()
    appeals = {"decided": ("kept", "changed"), "any": ("open", "kept", "changed")}
    good = {"passed": lambda row: row["passed"], "failed": lambda row: not row["passed"],
            "fatal": lambda row: row["fatal"]}  # fmt: skip
    open_of = asyncio.run(list_pages.open_of(store, wish.blind)) if wish.blind else set[str]()
    return [
        row for row in rows
        if (row["grader"] == wish.blind or row["call_id"] not in open_of)
        and all(getattr(wish, name) in (None, row[name]) for name in ("agent", "grader", "form"))
        and (wish.least is None or row["score"] >= wish.least) and (wish.most is None or row["score"] <= wish.most)
        and (wish.since is None or row["given_at"] >= wish.since)
        and (wish.until is None or row["given_at"] < wish.until)
        and (wish.appeal is None or row["appeal"] in appeals.get(wish.appeal, (wish.appeal,)))
        and (wish.result is None or good[wish.result](row)) and (row["standing"] or not wish.standing)
    ]  # fmt: skip


def maybe(*values: Any) -> Any:
    return st.sampled_from((None, *values))


wishes = st.builds(
    GradeWish, agent=maybe(*AGENTS), grader=maybe(*GRADERS), form=maybe(*FORMS), least=maybe(0, 500),
    most=maybe(799, 1000), result=maybe("passed", "failed", "fatal"), since=maybe(5), until=maybe(30),
    appeal=maybe("open", "kept", "changed", "decided", "any"), standing=st.booleans(),
)  # fmt: skip


@given(wish=wishes, limit=st.integers(15, 90), blind=maybe(*GRADERS))
@settings(max_examples=15)
def test_pages_of_grades_join_both_ways(store: Path, wish: GradeWish, limit: int, blind: str | None) -> None:
    wish = replace(wish, blind=blind)

    async def walked() -> None:
        expected = [row["review_id"] for row in await asyncio.to_thread(rows_of, store, wish)]
        page = await find_grades(store, wish, limit=limit)
        assert not page.back
        pages: list[Page[Any]] = [page]
        while page.on:
            page = await find_grades(store, wish, limit=limit, after=page.rows[-1].review_id)
            assert page.back
            pages.append(page)
        assert [row.review_id for page in pages for row in page.rows] == expected
        for before, page in itertools.pairwise(pages):
            again = await find_grades(store, wish, limit=limit, before=page.rows[0].review_id)
            assert again.rows == before.rows and again.on
        scores = [row["score"] for row in await asyncio.to_thread(rows_of, store, wish)]
        figures = await grade_figures(store, wish)
        assert (figures.n, figures.total) == (len(scores), sum(scores))

    asyncio.run(walked())


async def test_an_unknown_place_is_an_empty_page(store: Path) -> None:
    assert (await find_grades(store, GradeWish(), after="nothing")).rows == ()
    for place in ("d0.9999", "d0", "", ".", "d0.x", "x'.1"):
        assert (await find_listed(store, ListWish(), after=place)).rows == ()
    assert (await find_examples(store, after="c001")).rows == ()
    assert Figures().mean == -1


async def test_lists_begin_with_what_is_due_longest_and_figures_agree(store: Path) -> None:
    seen = []
    for done in (False, True):
        places: list[str] = []
        after = None
        while True:
            page = await find_listed(store, ListWish("ann", done=done), limit=13, after=after)
            places += [row.place for row in page.rows]
            assert all((row.score >= 0) is done for row in page.rows)
            weeks = [row.week for row in page.rows]
            assert weeks == sorted(weeks, reverse=done)
            if not page.on:
                break
            after = page.rows[-1].place
        assert len(set(places)) == len(places)
        seen.append(places)
    (figures,) = await list_figures(store, {"weekly": 400, "old": 0}, 0, "ann")
    assert (figures.left, figures.done) == (len(seen[0]), len(seen[1])) and min(figures.left, figures.done) > 0
    due = (await find_listed(store, ListWish("ann"), limit=200)).rows
    assert figures.overdue == sum(row.plan == "weekly" and row.drawn_at < 400 for row in due) > 0
    here = await turn(store, "ann", due[4].call_id)
    assert (here.place, here.left, here.previous, here.next) == (5, len(due), due[3].call_id, due[5].call_id)
    last = await turn(store, "ann", due[-1].call_id)
    assert (last.next, last.form) == (due[0].call_id, "service")
    assert (await turn(store, "ann", "nothing")).place == 0
    assert (await turn(store, "nobody", due[0].call_id)).left == 0


async def test_grading_moves_a_call_and_taking_a_grade_away_moves_it_back(store: Path) -> None:
    def left() -> int:
        with closing(sqlite3.connect(store)) as run:
            return int(run.execute("SELECT count(*) FROM review_due WHERE done = 0").fetchone()[0])

    def change(statement: str) -> None:
        with closing(sqlite3.connect(store)) as run:
            run.execute(statement)
            run.commit()

    (row, *_others) = (await find_listed(store, ListWish("ben"))).rows
    before = left()
    columns = "'new', 'service', 'v', 'ben', '8001', 1, 500, 0, 0, '', 1, 0, '', '', 0, '', 0"
    change(f"INSERT INTO review VALUES ('{row.call_id}', 9, {columns})")
    assert left() == before - 1
    change("UPDATE review SET appealed = 1 WHERE review_id = 'new'")
    assert left() == before
    change("UPDATE review SET appealed = 0 WHERE review_id = 'new'")
    change("DELETE FROM review WHERE review_id = 'new'")
    assert left() == before


@given(wish=wishes, way=st.sampled_from(["", "on", "back"]))
@settings(max_examples=40)
def test_every_page_of_grades_is_searched_by_an_index_and_never_sorted(store: Path, wish: GradeWish, way: Any) -> None:
    statement, values = review_pages.page_statement(wish, 51, way)
    steps = plan(store, statement, {**values, "at": 1, "call": "c", "number": 0})
    (step,) = [line for line in steps if "review" in line]
    statement, values = review_pages.page_statement(replace(wish, blind="ann"), 51, way)
    more = plan(store, statement, {**values, "at": 1, "call": "c", "number": 0})
    assert more[0].replace("COVERING ", "") == step.replace("COVERING ", ""), more
    assert not [line for line in more[1:] if line.startswith("SCAN")], more
    assert "USING" in step and "INDEX" in step
    if wish.appeal not in ("decided", "any"):
        assert not [line for line in steps if "TEMP B-TREE" in line], steps
    if wish.agent is wish.grader is wish.appeal is None:
        for line in (step, more[0]):
            assert "COVERING INDEX review_by_time" in line, "along time nothing but the index is read"


@pytest.mark.parametrize("grader", [None, "ann"])
@pytest.mark.parametrize("way", ["", "on", "back"])
@pytest.mark.parametrize("done", [False, True])
def test_lists_and_examples_are_searched_by_an_index(store: Path, grader: str | None, way: Any, done: bool) -> None:
    statement, values = list_pages.list_statement(ListWish(grader, done=done), 51, way)
    steps = plan(store, statement, {**values, "at_week": "", "at_drawing": "", "at_n": 0})
    assert len(steps) == 1 and steps[0].startswith("SEARCH") and "COVERING INDEX" in steps[0], steps
    statement, values = review_pages.example_statement("8001" if grader else None, 51, way)
    steps = plan(store, statement, {**values, "at": 1, "call": "c"})
    assert "INDEX reviewed_exemplary" in steps[0] and not [line for line in steps if "TEMP B-TREE" in line], steps


def plan(store: Path, statement: str, values: dict[str, Any]) -> list[str]:
    with closing(sqlite3.connect(store)) as run:
        return [row[3] for row in run.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
