"""Grades, lists, comments and hearings, for programs. Scores are 0 to 100 with one decimal."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from calllog.review_queries import ListedRow, ReviewRow
from console import grading, hearing
from console.ask import Asked
from console.grading import Graded, Sheet
from console.permits import Verb
from console.rooms import ApiRoom
from recordings.agreement import Kappa
from recordings.reviews import LONGEST_REMARK, Filled

room = ApiRoom("reviews")

Short = Annotated[str, Field(max_length=200)]
Remark = Annotated[str, Field(max_length=LONGEST_REMARK)]
Since = Annotated[int | None, Query(ge=0, le=2**62, description="µs since 1970 UTC")]
MOST_POINTS = 200


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


class Listed(BaseModel):
    """A call on a grader's list; ``score`` is null until it is graded."""

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


class WholeGrade(BaseModel):
    """A grade with its answers and texts; ``standing``: neither corrected nor changed on appeal."""

    review_id: str
    form: str
    version: str
    grader: str
    agent: str
    given_at: int
    score: float
    passed: bool
    fatal: list[str]
    answers: dict[str, int]
    remarks: dict[str, str]
    standing: bool
    corrects: str
    appeal: str
    appeal_why: str
    decided_by: str
    decision_why: str


class Comment(BaseModel):
    """A comment, ``at`` seconds into the recording."""

    comment_id: str
    by: str
    at: float
    text: str


class CallReviews(BaseModel):
    """What quality has said of one call. ``hidden`` grades are shown once the own one is given."""

    call_id: str
    score: float | None
    exemplary: bool
    hidden: int
    grades: list[WholeGrade]
    comments: list[Comment]


class NewGrade(BaseModel):
    """A form filled in: an answer for each point (0 to its steps, -1: does not apply), the fatal points that were hit,
    remarks by point ("" for the call). ``agent``: whom it grades, where several talked."""

    answers: Annotated[dict[Short, Annotated[int, Field(ge=-1, le=100)]], Field(max_length=MOST_POINTS)]
    fatal: Annotated[list[Short], Field(max_length=MOST_POINTS)] = []
    remarks: Annotated[dict[Short, Remark], Field(max_length=MOST_POINTS)] = {}
    agent: Short = ""

    @property
    def filled(self) -> Filled:
        """As the desk of reviews takes it."""
        return Filled(self.answers, self.fatal, self.remarks, self.agent)


class FirstGrade(NewGrade):
    """By this form, as it is now."""

    form: Short


class Given(BaseModel):
    """The grade that was given."""

    review_id: str
    version: str
    score: float
    passed: bool


class Why(BaseModel):
    """A reason in words."""

    why: Remark = ""


class NewComment(BaseModel):
    """A comment ``at`` seconds into the recording."""

    at: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
    text: Remark


class Made(BaseModel):
    """The id of what was made."""

    comment_id: str


class Hearing(BaseModel):
    """Why it is heard; ``words`` where the reason is ``other``."""

    reason: hearing.Reason
    words: Short = ""


class Opened(BaseModel):
    """Where the sound is (ranges are served), for whoever asked, until ``until``."""

    path: str
    until: int


class Draw(BaseModel):
    """Draw this week (``2026-W48``), by one plan or all."""

    week: Annotated[str, Field(pattern="^20[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$")]
    plan: Annotated[str | None, Field(max_length=60)] = None


class Drawn(BaseModel):
    """What a plan added, and the calls that nobody may grade."""

    plan: str
    week: str
    added: int
    nobody: list[str]


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
    ask: Asked, since: Since = None, until: Since = None, agent: Annotated[str | None, Query(max_length=20)] = None,
    grader: Annotated[str | None, Query(max_length=64)] = None,
    appeal: Annotated[str | None, Query(max_length=10)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Grade]:  # fmt: skip
    """Grades that count, the newest first; an agent gets their own alone."""
    rows = await grading.grades(ask.site, ask.who, since=since, until=until, agent=agent, grader=grader, appeal=appeal,
                                limit=limit)  # fmt: skip
    return [_grade(row) for row in rows]


@room.read("/reviews/list", Verb.REVIEW_GRADE)
async def own_list(ask: Asked, done: bool = False) -> list[Listed]:
    """The own list: what is to be graded, or what of it is done."""
    return [_listed(row) for row in await grading.todo(ask.site, ask.who, done=done)]


@room.read("/reviews/lists", Verb.REVIEW_PLAN)
async def lists(ask: Asked, done: bool = False) -> list[Listed]:
    """Everybody's lists."""
    return [_listed(row) for row in await grading.todo(ask.site, ask.who, done=done, everybody=True)]


@room.do("POST", "/reviews/draws", Verb.REVIEW_PLAN)
async def draw(ask: Asked, wanted: Draw) -> list[Drawn]:
    """Fill the lists for a week; what is drawn stays, only what is missing is added."""
    users = await ask.thread(ask.office.accounts.users, grading.draws_as())
    bound = {user.name: user.agent for user in users if user.agent}
    drew = await grading.draw(ask.site, ask.who, wanted.week, bound, wanted.plan)
    return [Drawn(plan=one.plan, week=one.week, added=len(one.drawing.picks), nobody=list(one.drawing.nobody))
            for one in drew]  # fmt: skip


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


@room.read("/calls/{call_id}/reviews", Verb.REVIEW_READ)
async def of_call(ask: Asked, call_id: str) -> CallReviews:
    """Grades, appeals and comments of one call."""
    return _call(await grading.sheet(ask.site, ask.who, call_id))


@room.do("POST", "/calls/{call_id}/reviews", Verb.REVIEW_GRADE, status_code=201)
async def give(ask: Asked, call_id: str, grade: FirstGrade) -> Given:
    """Grade the call."""
    given = await grading.give(ask.site, ask.who, call_id, grade.form, grade.filled)
    return Given(review_id=given.review_id, version=given.version, score=given.score / 10, passed=given.passed)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/correct", Verb.REVIEW_GRADE, status_code=201)
async def correct(ask: Asked, call_id: str, review_id: str, grade: NewGrade) -> Given:
    """Another grade in the place of an own one."""
    given = await grading.correct(ask.site, ask.who, call_id, review_id, grade.filled)
    return Given(review_id=given.review_id, version=given.version, score=given.score / 10, passed=given.passed)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/appeal", Verb.REVIEW_APPEAL, status_code=204)
async def appeal(ask: Asked, call_id: str, review_id: str, why: Why) -> None:
    """The agent who was graded appeals."""
    await grading.appeal(ask.site, ask.who, call_id, review_id, why.why)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/keep", Verb.REVIEW_DECIDE, status_code=204)
async def keep(ask: Asked, call_id: str, review_id: str, why: Why) -> None:
    """The appeal is decided: the grade stays."""
    await grading.keep(ask.site, ask.who, call_id, review_id, why.why)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/change", Verb.REVIEW_DECIDE, status_code=201)
async def change(ask: Asked, call_id: str, review_id: str, grade: NewGrade) -> Given:
    """The appeal is decided: this grade takes the other's place."""
    given = await grading.change(ask.site, ask.who, call_id, review_id, grade.filled)
    return Given(review_id=given.review_id, version=given.version, score=given.score / 10, passed=given.passed)


@room.do("PUT", "/calls/{call_id}/exemplary", Verb.REVIEW_GRADE, status_code=204)
async def mark(ask: Asked, call_id: str, why: Why) -> None:
    """Others can learn from this call."""
    await grading.mark(ask.site, ask.who, call_id, True, why.why)


@room.do("DELETE", "/calls/{call_id}/exemplary", Verb.REVIEW_GRADE, status_code=204)
async def unmark(ask: Asked, call_id: str) -> None:
    """No longer."""
    await grading.mark(ask.site, ask.who, call_id, False)


@room.do("POST", "/calls/{call_id}/comments", Verb.COMMENT_WRITE, status_code=201)
async def comment(ask: Asked, call_id: str, said: NewComment) -> Made:
    """A comment at a moment of the recording."""
    return Made(comment_id=await grading.comment(ask.site, ask.who, call_id, said.at, said.text))


@room.do("DELETE", "/calls/{call_id}/comments/{comment_id}", Verb.COMMENT_WRITE, status_code=204)
async def uncomment(ask: Asked, call_id: str, comment_id: str) -> None:
    """Take an own comment back."""
    await grading.uncomment(ask.site, ask.who, call_id, comment_id)


@room.do("POST", "/calls/{call_id}/hearings", Verb.RECORDING_HEAR, status_code=201)
async def hear(ask: Asked, call_id: str, why: Hearing) -> Opened:
    """An address for the sound, once the access log says who hears it and why."""
    found = await hearing.hear(ask.site, ask.who, call_id, why.reason, why.words)
    return Opened(path=found.path, until=found.until)


def _grade(row: ReviewRow) -> Grade:
    return Grade(
        call_id=row.call_id, review_id=row.review_id, form=row.form, version=row.version, grader=row.grader,
        agent=row.agent, given_at=row.given_at, score=row.score / 10, passed=row.passed, fatal=row.fatal,
        appeal=row.appeal, decided_by=row.decided_by,
    )  # fmt: skip


def _listed(row: ListedRow) -> Listed:
    return Listed(
        call_id=row.call_id, agent=row.agent, grader=row.grader, rule=row.rule, plan=row.plan, form=row.form,
        week=row.week, arrived_at=row.arrived_at, talk_seconds=row.talk_us / 1e6, review_id=row.review_id,
        score=row.score / 10 if row.score >= 0 else None,
    )  # fmt: skip


def _whole(graded: Graded) -> WholeGrade:
    review, given = graded.review, graded.review.given
    return WholeGrade(
        review_id=given.review_id, form=given.form, version=given.version, grader=given.by, agent=given.agent,
        given_at=review.at, score=given.score / 10, passed=given.passed, fatal=list(given.fatal), answers=given.answers,
        remarks=dict(graded.remarks), standing=review.standing, corrects=given.corrects, appeal=review.appeal,
        appeal_why=graded.why, decided_by=review.decided_by, decision_why=graded.decision,
    )  # fmt: skip


def _call(sheet: Sheet) -> CallReviews:
    return CallReviews(
        call_id=sheet.detail.row.call_id, score=sheet.score / 10 if sheet.score >= 0 else None,
        exemplary=sheet.exemplary, hidden=sheet.hidden, grades=[_whole(each) for each in sheet.grades],
        comments=[Comment(comment_id=one.comment.comment_id, by=one.comment.by, at=one.comment.at_ms / 1000,
                          text=one.text) for one in sheet.comments],
    )  # fmt: skip


def _point(name: str, plain: Kappa, weighted: Kappa | None = None) -> Point:
    def number(value: object) -> float | None:
        return None if value is None else round(float(value), 6)  # type: ignore[arg-type]

    return Point(
        point=name, n=plain.n, observed=number(plain.observed), chance=number(plain.chance), kappa=number(plain.value),
        undefined=plain.undefined, weighted_kappa=number(weighted.value) if weighted is not None else None,
    )  # fmt: skip
