"""The grades of one call, comments and hearings, for programs. Scores are 0 to 100 with one decimal."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from console import grading, hearing
from console.ask import Asked
from console.grading import Graded, Sheet
from console.permits import Verb
from console.rooms import ApiRoom
from console.said import SEEN, WHOLE, Why
from recordings.reviews import LONGEST_REMARK, Filled

room = ApiRoom("reviews")

Short = Annotated[str, Field(max_length=200)]
Remark = Annotated[str, Field(max_length=LONGEST_REMARK)]
MOST_POINTS = 200


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
    exemplary_by: str
    exemplary_why: str
    hidden: int
    grades: list[WholeGrade]
    comments: list[Comment]


class NewGrade(BaseModel):
    """A form filled in: an answer for each point (0 to its steps, -1: does not apply), the fatal points that were hit,
    remarks by point ("" for the call). ``agent``: whom it grades, where several talked."""

    answers: Annotated[dict[Short, Annotated[int, Field(ge=-1, le=100), WHOLE]], Field(max_length=MOST_POINTS)]
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


class Stated(BaseModel):
    """A reason in words."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, Field(max_length=LONGEST_REMARK, pattern=SEEN)]


class NewComment(BaseModel):
    """A comment ``at`` seconds into the recording."""

    model_config = ConfigDict(extra="forbid")

    at: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False, strict=True)]
    text: Annotated[str, Field(max_length=LONGEST_REMARK, pattern=SEEN)]


class Made(BaseModel):
    """The id of what was made."""

    comment_id: str


class Opened(BaseModel):
    """Where the sound is (ranges are served), for whoever asked, until ``until``."""

    path: str
    until: int


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
async def appeal(ask: Asked, call_id: str, review_id: str, why: Stated) -> None:
    """The agent who was graded appeals."""
    await grading.appeal(ask.site, ask.who, call_id, review_id, why.why)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/keep", Verb.REVIEW_DECIDE, status_code=204)
async def keep(ask: Asked, call_id: str, review_id: str, why: Stated) -> None:
    """The appeal is decided: the grade stays."""
    await grading.keep(ask.site, ask.who, call_id, review_id, why.why)


@room.do("POST", "/calls/{call_id}/reviews/{review_id}/change", Verb.REVIEW_DECIDE, status_code=201)
async def change(ask: Asked, call_id: str, review_id: str, grade: NewGrade) -> Given:
    """The appeal is decided: this grade takes the other's place."""
    given = await grading.change(ask.site, ask.who, call_id, review_id, grade.filled)
    return Given(review_id=given.review_id, version=given.version, score=given.score / 10, passed=given.passed)


@room.do("PUT", "/calls/{call_id}/exemplary", Verb.REVIEW_GRADE, status_code=204)
async def mark(ask: Asked, call_id: str, why: Stated) -> None:
    """Others can learn from this call."""
    await grading.mark(ask.site, ask.who, call_id, True, why.why)


@room.do("POST", "/calls/{call_id}/exemplary/end", Verb.REVIEW_GRADE, status_code=204)
async def unmark(ask: Asked, call_id: str, why: Stated) -> None:
    """No longer."""
    await grading.mark(ask.site, ask.who, call_id, False, why.why)


@room.do("POST", "/calls/{call_id}/comments", Verb.COMMENT_WRITE, status_code=201)
async def comment(ask: Asked, call_id: str, said: NewComment) -> Made:
    """A comment at a moment of the recording."""
    return Made(comment_id=await grading.comment(ask.site, ask.who, call_id, said.at, said.text))


@room.do("DELETE", "/calls/{call_id}/comments/{comment_id}", Verb.COMMENT_WRITE, status_code=204)
async def uncomment(ask: Asked, call_id: str, comment_id: str) -> None:
    """Take an own comment back."""
    await grading.uncomment(ask.site, ask.who, call_id, comment_id)


@room.do("POST", "/calls/{call_id}/hearings", Verb.RECORDING_HEAR, status_code=201)
async def hear(ask: Asked, call_id: str, why: Why) -> Opened:
    """An address for the sound, once the access log says who hears it and why."""
    found = await hearing.hear(ask.site, ask.who, call_id, why.reason, why.words)
    return Opened(path=f"/api/v1/sound/{found.token}", until=found.until)


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
        exemplary=sheet.exemplary, exemplary_by=sheet.exemplary_by, exemplary_why=sheet.exemplary_why,
        hidden=sheet.hidden, grades=[_whole(each) for each in sheet.grades],
        comments=[Comment(comment_id=one.comment.comment_id, by=one.comment.by, at=one.comment.at_ms / 1000,
                          text=one.text) for one in sheet.comments],
    )  # fmt: skip
