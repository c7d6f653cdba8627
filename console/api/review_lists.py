"""Grades, graders' lists, examples and agreement, for programs. Scores are 0 to 100 with one decimal."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from calllog.list_pages import ListedRow, ListFigures
from calllog.paging import Page
from calllog.review_pages import ReviewRow
from console import grade_lists, grading
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import ApiRoom
from console.site import Refusal
from recordings.agreement import Kappa

room = ApiRoom("reviews")

Since = Annotated[int | None, Query(ge=0, le=2**62, description="µs since 1970 UTC")]
Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=grade_lists.MOST)]


class Grade(BaseModel):
    """A grade in a list. ``appeal``: empty, open, kept or changed."""

    call_id: str
    review_id: str
    form: str
    version: str
    grader: str
    agent: str
    given_at: int
    score: float
    passed: bool
    fatal: int
    appeal: str
    decided_by: str


class GradeFigures(BaseModel):
    """Of all grades that are wished."""

    grades: int
    mean: float | None
    passed: int
    fatal: int
    open_appeals: int


class Grades(BaseModel):
    """One page of grades, the newest first. The next one: ``after`` the last grade of this one. ``figures`` is null on
    later pages."""

    grades: list[Grade]
    older: bool
    newer: bool
    figures: GradeFigures | None


class Listed(BaseModel):
    """A call on a grader's list, by its ``place``; overdue from ``due_at`` on. ``score`` is null until it is graded."""

    place: str
    due_at: int
    call_id: str
    agent: str
    grader: str
    rule: str
    plan: str
    form: str
    week: str
    arrived_at: int
    talk_seconds: float
    review_id: str
    score: float | None


class Progress(BaseModel):
    """How far a grader is."""

    grader: str
    done: int
    left: int
    overdue: int


class Lists(BaseModel):
    """One page of lists: what is due the oldest first, what is done the newest. The next one: ``after`` the last place
    of this one."""

    calls: list[Listed]
    on: bool
    back: bool
    progress: list[Progress]


class Example(BaseModel):
    """A call that others can learn from, and ``why``; empty where that was erased."""

    call_id: str
    arrived_at: int
    agents: list[str]
    talk_seconds: float
    label: str
    score: float | None
    marked_at: int
    by: str
    why: str


class Examples(BaseModel):
    """One page of them, the last one marked first. The next one: ``after`` the last call of this one."""

    calls: list[Example]
    older: bool
    newer: bool


class Draw(BaseModel):
    """Draw this week (``2026-W48``), by one plan or all."""

    week: Annotated[str, Field(pattern="^20[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$")]
    plan: Annotated[str | None, Field(max_length=60)] = None


class Drawn(BaseModel):
    """What a plan added, the calls that nobody may grade, and its graders who cannot grade."""

    plan: str
    week: str
    added: int
    nobody: list[str]
    absent: list[str]


class Point(BaseModel):
    """How far two graders agree on one point; "" is the verdict. ``undefined`` says why there is no kappa."""

    point: str
    n: int
    observed: float | None
    chance: float | None
    kappa: float | None
    undefined: str
    weighted_kappa: float | None = None


class Pair(BaseModel):
    """Two graders who graded the same calls by the same version of a form."""

    form: str
    version: str
    graders: list[str]
    calls: int
    points: list[Point]


@room.read("/reviews", Verb.REVIEW_READ)
async def reviews(
    ask: Asked, request: Request, agent: Text = "", grader: Text = "", form: Text = "", score: Text = "",
    result: Text = "", appeal: Text = "", period: Text = "", since: Text = "", until: Text = "",
    limit: Limit = grade_lists.PAGE, after: Text = "", before: Text = "",
) -> Grades:  # fmt: skip
    """Grades that count and are all of this, the newest first; an agent gets their own alone. ``score`` is 0-59, or 90
    for at least that; ``result`` passed, failed or fatal; ``appeal`` open, kept, changed, decided or any."""
    fields = {name: request.query_params.get(name, "") for name in grade_lists.FIELDS}
    found = await grade_lists.grades(ask.site, ask.who, fields, limit=limit, after=after or None, before=before or None)
    for name, why in found.faults.items():
        raise Refusal(f"{name}: {why}", status=422)
    figures = found.figures
    return Grades(
        grades=[_grade(row) for row in found.page.rows], older=found.page.on, newer=found.page.back,
        figures=None if figures is None else GradeFigures(
            grades=figures.n, mean=figures.mean / 10 if figures.n else None, passed=figures.passed,
            fatal=figures.fatal, open_appeals=figures.appeals,
        ),
    )  # fmt: skip


@room.read("/reviews/list", Verb.REVIEW_GRADE)
async def own_list(
    ask: Asked, done: bool = False, limit: Limit = grade_lists.PAGE, after: Text = "", before: Text = ""
) -> Lists:
    """The own list: what is to be graded, or what of it is done."""
    page = await grade_lists.todo(ask.site, ask.who, done=done, limit=limit, after=after or None, before=before or None)
    return _lists(ask, page, await grade_lists.figures(ask.site, ask.who))


@room.read("/reviews/lists", Verb.REVIEW_PLAN)
async def lists(
    ask: Asked, done: bool = False, grader: Text = "", week: Text = "", limit: Limit = grade_lists.PAGE,
    after: Text = "", before: Text = "",
) -> Lists:  # fmt: skip
    """Everybody's lists, or those of one grader or week."""
    page = await grade_lists.todo(
        ask.site, ask.who, everybody=True, done=done, grader=grader or None, week=week or None, limit=limit,
        after=after or None, before=before or None,
    )  # fmt: skip
    return _lists(ask, page, await grade_lists.figures(ask.site, ask.who, everybody=True))


@room.read("/reviews/exemplary", Verb.REVIEW_READ)
async def examples(
    ask: Asked, limit: Limit = grade_lists.PAGE, after: Text = "", before: Text = ""
) -> Examples:
    """Calls that others can learn from; an agent gets their own alone."""
    page = await grade_lists.examples(ask.site, ask.who, limit=limit, after=after or None, before=before or None)
    return Examples(
        calls=[
            Example(call_id=row.call_id, arrived_at=row.arrived_at, agents=list(row.agents),
                    talk_seconds=row.talk_us / 1e6, label=row.label, score=row.score / 10 if row.score >= 0 else None,
                    marked_at=row.marked_at, by=row.by, why=row.why)
            for row in page.rows
        ],
        older=page.on, newer=page.back,
    )  # fmt: skip


@room.do("POST", "/reviews/draws", Verb.REVIEW_PLAN)
async def draw(ask: Asked, wanted: Draw) -> list[Drawn]:
    """Fill the lists for a week; what is drawn stays, only what is missing is added. ``absent`` graders are no users
    who can grade: nothing is drawn for them."""
    users = await grade_lists.users(ask.office)
    drew, gone = await grade_lists.draw(ask.site, ask.who, wanted.week, users, wanted.plan)
    return [
        Drawn(plan=one.plan, week=one.week, added=len(one.drawing.picks), nobody=list(one.drawing.nobody),
              absent=[each.grader for each in gone if each.plan == one.plan])
        for one in drew
    ]  # fmt: skip


@room.read("/reviews/agreement", Verb.REVIEW_PLAN)
async def agreement(ask: Asked, since: Since = None, until: Since = None) -> list[Pair]:
    """How far every two graders agree: Cohen's kappa by point."""
    found = await grading.agreement(ask.site, ask.who, since=since, until=until)
    return [
        Pair(
            form=name, version=grading.version_of(form), graders=[pair.first, pair.second], calls=pair.n,
            points=[_point("", pair.verdict), *(_point(one.point, one.plain, one.weighted) for one in pair.points)],
        )
        for name, form, pair in found
    ]  # fmt: skip


def _grade(row: ReviewRow) -> Grade:
    return Grade(
        call_id=row.call_id, review_id=row.review_id, form=row.form, version=row.version, grader=row.grader,
        agent=row.agent, given_at=row.given_at, score=row.score / 10, passed=row.passed, fatal=row.fatal,
        appeal=row.appeal, decided_by=row.decided_by,
    )  # fmt: skip


def _lists(ask: Ask, page: Page[ListedRow], progress: list[ListFigures]) -> Lists:
    return Lists(
        calls=[_listed(row, grade_lists.due_at(ask.site, row)) for row in page.rows], on=page.on, back=page.back,
        progress=[Progress(grader=one.grader, done=one.done, left=one.left, overdue=one.overdue) for one in progress],
    )  # fmt: skip


def _listed(row: ListedRow, due_at: int) -> Listed:
    return Listed(
        place=row.place, due_at=due_at, call_id=row.call_id,
        agent=row.agent, grader=row.grader, rule=row.rule, plan=row.plan, form=row.form,
        week=row.week, arrived_at=row.arrived_at, talk_seconds=row.talk_us / 1e6, review_id=row.review_id,
        score=row.score / 10 if row.score >= 0 else None,
    )  # fmt: skip


def _point(name: str, plain: Kappa, weighted: Kappa | None = None) -> Point:
    def number(value: object) -> float | None:
        return None if value is None else round(float(value), 6)  # type: ignore[arg-type]

    return Point(
        point=name, n=plain.n, observed=number(plain.observed), chance=number(plain.chance), kappa=number(plain.value),
        undefined=plain.undefined, weighted_kappa=number(weighted.value) if weighted is not None else None,
    )  # fmt: skip
