"""Grades and examples, page by page: with 200,000 of them each page is read by an index.

Scores are in tenths, times in µs. Plain SQL, since the choice of the index is ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from typing import Any, Literal

from calllog.blind import OPEN_OF
from calllog.paging import Page, Statement, Way, cut, dicts, reading


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One grade. ``appeal``: empty, ``open``, ``kept`` or ``changed``; ``standing``: it counts."""

    call_id: str
    arrived_at: int
    review_id: str
    form: str
    version: str
    grader: str
    agent: str
    given_at: int
    score: int
    passed: bool
    fatal: int
    standing: bool
    appeal: str
    appeal_at: int
    decided_by: str


@dataclass(frozen=True, slots=True)
class GradeWish:
    """Which grades: all of it at once. ``least`` to ``most``: the score; ``given`` in [since, until); ``result``:
    passed, failed or fatal; ``appeal``: open, kept, changed, decided (kept or changed) or any; ``standing``: only
    those that count."""

    agent: str | None = None
    grader: str | None = None
    form: str | None = None
    least: int | None = None
    most: int | None = None
    result: Literal["passed", "failed", "fatal"] | None = None
    since: int | None = None
    until: int | None = None
    appeal: Literal["open", "kept", "changed", "decided", "any"] | None = None
    standing: bool = True
    blind: str | None = None
    """This grader, who sees no others' grades of the calls that they have still to grade."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all grades that are wished: how many, the sum of their scores, passed, fatal, with an open appeal."""

    n: int = 0
    total: int = 0
    passed: int = 0
    fatal: int = 0
    appeals: int = 0

    @property
    def mean(self) -> int:
        """The mean score, rounded half up; -1 where there is none."""
        return (2 * self.total + self.n) // (2 * self.n) if self.n else -1


_RESULTS = {"passed": "passed = 1", "failed": "passed = 0", "fatal": "fatal > 0"}
_APPEALS = {
    "open": "appeal = 'open'", "kept": "appeal = 'kept'", "changed": "appeal = 'changed'",
    "decided": "appeal IN ('kept', 'changed')", "any": "appeal IN ('open', 'kept', 'changed')",
}  # fmt: skip
_VALUES = {
    "agent": "agent = :agent", "grader": "grader = :grader", "form": "form = :form", "least": "score >= :least",
    "most": "score <= :most", "since": "given_at >= :since", "until": "given_at < :until",
}  # fmt: skip
_BACKWARDS = "given_at DESC, call_id DESC, n DESC"
_ORDER = "given_at, call_id, n"


def _from(wish: GradeWish) -> Statement:
    """FROM and WHERE: by the index of the narrowest wish, else along time, where the index holds all that is asked."""
    values = {name: getattr(wish, name) for name in _VALUES if getattr(wish, name) is not None}
    where = [_VALUES[name] for name in values]
    if wish.standing:
        where.append("standing = 1")
    if wish.result is not None:
        where.append(_RESULTS[wish.result])
    if wish.appeal is not None:
        where += [_APPEALS[wish.appeal], "appeal != ''"]
    if wish.blind is not None:
        values["blind"] = wish.blind
        where.append(f"(grader = :blind OR call_id NOT IN ({OPEN_OF.format(grader=':blind')}))")
    index = (
        "review_appealed" if wish.appeal is not None else "review_by_agent" if wish.agent is not None
        else "review_by_grader" if wish.grader is not None else "review_by_time"
    )  # fmt: skip
    return f"FROM review INDEXED BY {index} WHERE {' AND '.join(where) or '1'}", values


def page_statement(wish: GradeWish, limit: int, way: Way = "") -> Statement:
    """The keys of a page (``call_id``, ``n``), from its beginning on or from a grade (:at, :call, :number)."""
    source, values = _from(wish)
    sign, order = (">", _ORDER) if way == "back" else ("<", _BACKWARDS)
    beyond = f"AND ({_ORDER}) {sign} (:at, :call, :number)" if way else ""
    return f"SELECT call_id, n {source} {beyond} ORDER BY {order} LIMIT :limit", {**values, "limit": limit}


def figures_statement(wish: GradeWish) -> Statement:
    """Counts and sums of all of them."""
    source, values = _from(wish)
    what = "count(*), sum(score), sum(passed), sum(fatal > 0), sum(appeal = 'open')"
    return f"SELECT {what} {source}", values


_NAMES = ", ".join(f"review.{name}" for name in ReviewRow.__dataclass_fields__ if name != "arrived_at")
_WHOLE = f"""
    SELECT {_NAMES}, call.arrived_at
    FROM json_each(:keys) AS key
        CROSS JOIN review ON review.call_id = key.value ->> 0 AND review.n = key.value ->> 1
        CROSS JOIN call ON call.call_id = review.call_id
    ORDER BY key.key
"""


async def find_grades(
    path: Path, wish: GradeWish, *, limit: int = 50, after: str | None = None, before: str | None = None
) -> Page[ReviewRow]:
    """The newest grades that are as wished; those older than the grade ``after``, or newer than ``before``.

    A page after a grade that is not in the store is empty. Raises StoreError.
    """
    return await reading(path, lambda run: _grades(run, wish, limit, after, before))


def _grades(
    run: sqlite3.Connection, wish: GradeWish, limit: int, after: str | None, before: str | None
) -> Page[ReviewRow]:
    here: dict[str, Any] = {}
    if (named := after if after is not None else before) is not None:
        found = run.execute("SELECT given_at, call_id, n FROM review WHERE review_id = ?", (named,)).fetchone()
        if found is None:
            return Page(())
        here = dict(zip(("at", "call", "number"), found, strict=True))

    def keys(many: int, way: Way) -> list[Any]:
        statement, values = page_statement(wish, many, way)
        return run.execute(statement, {**values, **here}).fetchall()

    way: Way = "" if not here else "on" if after is not None else "back"
    rows, on, back = cut(keys(limit + 1, way), limit, way, lambda: bool(keys(1, "back")))
    return Page(tuple(_review_row(row) for row in dicts(run, _WHOLE, {"keys": dumps(rows)})), on, back)


async def grade_figures(path: Path, wish: GradeWish) -> Figures:
    """Of all grades that are wished. Raises StoreError."""
    return await reading(path, lambda run: Figures(*(one or 0 for one in run.execute(*figures_statement(wish))
                                                      .fetchone())))  # fmt: skip


async def graded_calls(path: Path, wish: GradeWish, limit: int) -> list[str]:
    """The calls of these grades, the newest grade first, each once. Raises StoreError."""
    statement, values = page_statement(wish, limit)
    rows = await reading(path, lambda run: run.execute(statement, values).fetchall())
    return list(dict.fromkeys(call_id for call_id, _n in rows))


# --- examples -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExemplaryRow:
    """A call that others can learn from: since when, by whose word and why (empty where that was erased)."""

    call_id: str
    arrived_at: int
    agents: tuple[str, ...]
    talk_us: int
    label: str
    score: int
    marked_at: int
    by: str = field(default="", kw_only=True)
    why: str = field(default="", kw_only=True)


_EXAMPLES = """
    SELECT reviewed.call_id, call.arrived_at, (
            SELECT group_concat(agent, ',') FROM (SELECT agent FROM talk WHERE talk.call_id = call.call_id
                AND started_at > 0 GROUP BY agent ORDER BY min(n))
        ) AS agents, call.talk_us, call.label, reviewed.score, reviewed.exemplary_at AS marked_at
    FROM json_each(:keys) AS key CROSS JOIN reviewed ON reviewed.call_id = key.value
        CROSS JOIN call ON call.call_id = reviewed.call_id
    ORDER BY key.key
"""
_THEIRS = "EXISTS (SELECT 1 FROM talk WHERE talk.call_id = reviewed.call_id AND agent = :agent AND started_at > 0)"


def example_statement(agent: str | None, limit: int, way: Way = "") -> Statement:
    """The keys of a page of examples (``call_id``), the last one marked first."""
    where = ["exemplary = 1"]
    if agent is not None:
        where.append(_THEIRS)
    if way:
        where.append(f"(exemplary_at, call_id) {'>' if way == 'back' else '<'} (:at, :call)")
    order = "exemplary_at, call_id" if way == "back" else "exemplary_at DESC, call_id DESC"
    source = "FROM reviewed INDEXED BY reviewed_exemplary"
    statement = f"SELECT call_id {source} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT :limit"
    return statement, {"agent": agent, "limit": limit}


async def find_examples(
    path: Path, *, agent: str | None = None, limit: int = 50, after: str | None = None, before: str | None = None
) -> Page[ExemplaryRow]:
    """The calls that others can learn from (of this agent), the last one marked first, without who and why
    (``calllog.review_queries``). Raises StoreError."""
    return await reading(path, lambda run: _examples(run, agent, limit, after, before))


def _examples(
    run: sqlite3.Connection, agent: str | None, limit: int, after: str | None, before: str | None
) -> Page[ExemplaryRow]:
    here: dict[str, Any] = {}
    if (named := after if after is not None else before) is not None:
        query = "SELECT exemplary_at, call_id FROM reviewed WHERE call_id = ? AND exemplary = 1"
        if (at := run.execute(query, (named,)).fetchone()) is None:
            return Page(())
        here = dict(zip(("at", "call"), at, strict=True))

    def keys(many: int, way: Way) -> list[Any]:
        statement, values = example_statement(agent, many, way)
        return run.execute(statement, {**values, **here}).fetchall()

    way: Way = "" if not here else "on" if after is not None else "back"
    rows, on, back = cut(keys(limit + 1, way), limit, way, lambda: bool(keys(1, "back")))
    found = dicts(run, _EXAMPLES, {"keys": dumps([call_id for (call_id,) in rows])})
    made = [ExemplaryRow(**{**row, "agents": tuple(row["agents"].split(",")) if row["agents"] else ()})
            for row in found]  # fmt: skip
    return Page(tuple(made), on, back)


def _review_row(row: Mapping[str, Any]) -> ReviewRow:
    return ReviewRow(**{**row, "passed": bool(row["passed"]), "standing": bool(row["standing"])})
