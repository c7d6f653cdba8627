"""Graders' lists page by page, and how far the graders are: read by an index, however many calls were drawn.

Times in µs, scores in tenths. Plain SQL, since the choice of the index is ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any

from calllog.blind import OPEN_OF
from calllog.paging import Page, Statement, Way, cut, dicts, reading


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One call on a grader's list; ``place`` names it. ``review_id``, ``score``: this grader's grade by the form, once
    it is given; -1."""

    place: str
    call_id: str
    agent: str
    grader: str
    rule: str
    plan: str
    form: str
    week: str
    drawn_at: int
    arrived_at: int
    talk_us: int
    queue: str
    label: str
    review_id: str
    score: int


@dataclass(frozen=True, slots=True)
class ListFigures:
    """How far a grader is: ``overdue`` of those left were drawn before their plan's days were over."""

    grader: str
    done: int
    left: int
    overdue: int


@dataclass(frozen=True, slots=True)
class ListWish:
    """Which calls on lists: of this grader (None: everybody's), for this week; those that are done, or still due."""

    grader: str | None = None
    week: str | None = None
    done: bool = False
    call_id: str | None = None


_GIVEN = """
    coalesce((SELECT {what} FROM review WHERE review.call_id = review_list.call_id
        AND +review.grader = review_list.grader AND +review.form = review_list.form AND review.appealed = 0
        ORDER BY review.n DESC LIMIT 1), {none}) AS {what}
"""
_LISTED = f"""
    SELECT review_list.drawing_id || '.' || review_list.n AS place, review_list.call_id, review_list.agent,
        review_list.grader, review_list.rule, review_list.plan, review_list.form, review_list.week,
        review_list.drawn_at, call.arrived_at, call.talk_us, call.queue, call.label,
        {_GIVEN.format(what="review_id", none="''")}, {_GIVEN.format(what="score", none="-1")}
    FROM json_each(:keys) AS key
        CROSS JOIN review_list ON review_list.drawing_id = key.value ->> 0 AND review_list.n = key.value ->> 1
        CROSS JOIN call ON call.call_id = review_list.call_id
    ORDER BY key.key
"""
_FIGURES = """
    SELECT grader, sum(done), sum(1 - done), sum(CASE WHEN done THEN 0 ELSE drawn_at < {due} END)
    FROM review_due INDEXED BY review_due_by_grader {where} GROUP BY grader ORDER BY grader
"""
_ON = "week, drawing_id, n"
_BACK = "week DESC, drawing_id DESC, n DESC"


def list_statement(wish: ListWish, limit: int, way: Way = "") -> Statement:
    """The keys of a page of lists (``drawing_id``, ``n``): what is due the oldest first, what is done the newest."""
    values: dict[str, Any] = {"done": int(wish.done), "limit": limit}
    where, index = ["done = :done"], "review_due_by_week"
    for name in ("grader", "week"):
        if getattr(wish, name) is not None:
            values[name] = getattr(wish, name)
            where.append(f"{name} = :{name}")
    if wish.grader is not None:
        index = "review_due_by_grader"
    source = f"review_due INDEXED BY {index}"
    if wish.call_id is not None:
        values["call"] = wish.call_id
        source = "review_due"
        where.append("(drawing_id, n) IN (SELECT drawing_id, n FROM review_list WHERE call_id = :call)")
    forwards = wish.done is (way == "back")
    if way:
        where.append(f"({_ON}) {'>' if forwards else '<'} (:at_week, :at_drawing, :at_n)")
    order = _ON if forwards else _BACK
    return f"SELECT drawing_id, n FROM {source} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT :limit", values


async def find_listed(
    path: Path, wish: ListWish, *, limit: int = 50, after: str | None = None, before: str | None = None
) -> Page[ListedRow]:
    """Calls on graders' lists: what is due the oldest first, what is done the newest first; those behind the place
    ``after``, or before the place ``before``. A place that is nowhere: an empty page. Raises StoreError."""
    return await reading(path, lambda run: _listed(run, wish, limit, after, before))


def _listed(
    run: sqlite3.Connection, wish: ListWish, limit: int, after: str | None, before: str | None
) -> Page[ListedRow]:
    here: dict[str, Any] = {}
    if (named := after if after is not None else before) is not None:
        drawing, _dot, number = named.rpartition(".")
        place = (drawing, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1)
        found = run.execute("SELECT week, drawing_id, n FROM review_due WHERE drawing_id = ? AND n = ?", place)
        if (at := found.fetchone()) is None:
            return Page(())
        here = dict(zip(("at_week", "at_drawing", "at_n"), at, strict=True))

    def keys(many: int, way: Way) -> list[Any]:
        statement, values = list_statement(wish, many, way)
        return run.execute(statement, {**values, **here}).fetchall()

    way: Way = "" if not here else "on" if after is not None else "back"
    rows, on, back = cut(keys(limit + 1, way), limit, way, lambda: bool(keys(1, "back")))
    return Page(tuple(ListedRow(**row) for row in dicts(run, _LISTED, {"keys": dumps(rows)})), on, back)


async def open_of(path: Path, grader: str) -> set[str]:
    """The calls that this grader has still to grade. Raises StoreError."""
    return await reading(path, lambda run: {one for (one,) in run.execute(OPEN_OF.format(grader="?"), (grader,))})


async def list_figures(
    path: Path, due: Mapping[str, int], other: int, grader: str | None = None
) -> list[ListFigures]:
    """How far each grader is, or this one. ``due``: by plan, the moment before which a draw is overdue by now;
    ``other``: for plans that are no more. Raises StoreError."""
    values: dict[str, Any] = {"other": other, "grader": grader}
    cases = ""
    for n, (plan, moment) in enumerate(due.items()):
        values |= {f"plan{n}": plan, f"due{n}": moment}
        cases += f" WHEN :plan{n} THEN :due{n}"
    statement = _FIGURES.format(
        where="" if grader is None else "WHERE grader = :grader",
        due=f"CASE plan{cases} ELSE :other END" if cases else ":other",
    )
    return await reading(path, lambda run: [ListFigures(*row) for row in run.execute(statement, values)])


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a call stands among those that a grader has still to grade: ``place``th of ``left``, and the calls before
    and behind it; empty: there is none. ``place`` 0: it is not on the list, or graded already. ``form``: by which."""

    place: int
    left: int
    previous: str = ""
    next: str = ""
    form: str = ""


_COUNT = "SELECT count(*) FROM review_due INDEXED BY review_due_by_grader WHERE grader = :grader AND done = 0"


async def turn(path: Path, grader: str, call_id: str) -> Turn:
    """Where this grader is in their list, at this call. Behind the last comes the first again. Raises StoreError."""
    return await reading(path, lambda run: _turn(run, grader, call_id))


def _turn(run: sqlite3.Connection, grader: str, call_id: str) -> Turn:
    (left,) = run.execute(_COUNT, {"grader": grader}).fetchone()
    wish = ListWish(grader)
    here = _listed(run, ListWish(grader, call_id=call_id), 1, None, None).rows
    first = [row.call_id for row in _listed(run, wish, 2, None, None).rows]
    others = [one for one in first if one != call_id]
    if not here:
        return Turn(0, left, "", others[0] if others else "")
    week, drawing_id, n = run.execute(
        "SELECT week, drawing_id, n FROM review_due WHERE drawing_id || '.' || n = ? AND drawing_id = ?",
        (here[0].place, here[0].place.rpartition(".")[0]),
    ).fetchone()
    values = {"grader": grader, "week": week, "drawing": drawing_id, "n": n}
    (before,) = run.execute(f"{_COUNT} AND ({_ON}) < (:week, :drawing, :n)", values).fetchone()
    behind = _listed(run, wish, 1, here[0].place, None).rows
    ahead = _listed(run, wish, 1, None, here[0].place).rows
    following = behind[0].call_id if behind else others[0] if others else ""
    return Turn(before + 1, left, ahead[0].call_id if ahead else "", following, here[0].form)
