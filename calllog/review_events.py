"""The events of grading (质检评分): forms, grades, appeals, comments, and the lists that graders get.

Answers are numbers; what somebody wrote stands in notes (``calllog.notes``), named in the field ``notes``: field to
note_id. Users are named by the name with which they sign in.
"""

from __future__ import annotations

import msgspec

from calllog.house_events import Event

# --- stream "form", stream_id = name@version ------------------------------------------------------------------------


class FormPublished(Event, frozen=True, kw_only=True, tag="form_published"):
    """This version of the form was first used; ``text`` is the form as canonical JSON, so that grades keep it."""

    form: str
    version: str
    text: str


# --- stream "review", stream_id = call_id ---------------------------------------------------------------------------


class ReviewGiven(Event, frozen=True, kw_only=True, tag="review_given"):
    """质检评分: this grader's grade of the call. Never edited: a correction is another that ``corrects`` it.

    ``answers`` by point: 0 to its steps, -1 for 不适用; ``score`` in tenths, 0 to 1000, 0 with a ``fatal`` point.
    ``notes``: by point ("" for the call), the note with the remark. ``appealed``: it decides the appeal against the
    grade that it corrects, which is changed by it.
    """

    review_id: str
    form: str
    version: str
    by: str
    agent: str
    answers: dict[str, int]
    score: int
    passed: bool
    fatal: tuple[str, ...] = ()
    corrects: str = ""
    appealed: bool = False
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class AppealMade(Event, frozen=True, kw_only=True, tag="appeal_made"):
    """申诉: the agent who was graded does not agree; the note ``why`` says why."""

    review_id: str
    by: str
    agent: str
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class AppealDecided(Event, frozen=True, kw_only=True, tag="appeal_decided"):
    """Somebody other than the grader looked again, and the grade stays as it is."""

    review_id: str
    by: str
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class ExemplaryMarked(Event, frozen=True, kw_only=True, tag="exemplary_marked"):
    """典范录音: others can learn from this call; ``on`` false takes the mark away."""

    by: str
    on: bool = True
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class Commented(Event, frozen=True, kw_only=True, tag="commented"):
    """A comment at a moment of the recording, ``at_ms`` from its beginning; its note ``text`` says what."""

    comment_id: str
    by: str
    at_ms: int
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class CommentRemoved(Event, frozen=True, kw_only=True, tag="comment_removed"):
    """The comment was taken back."""

    comment_id: str
    by: str


# --- stream "drawing", stream_id = an id of its own -----------------------------------------------------------------


class Drawn(msgspec.Struct, frozen=True):
    """One call on one grader's list, and the rule that put it there."""

    call_id: str
    agent: str
    grader: str
    rule: str


class ListDrawn(Event, frozen=True, kw_only=True, tag="list_drawn"):
    """A sampling plan was drawn for a week (``2026-W48``): what it added to the lists, with which seed, by whom."""

    plan: str
    form: str
    week: str
    seed: str
    by: str
    calls: tuple[Drawn, ...]


ReviewEvent = ReviewGiven | AppealMade | AppealDecided | ExemplaryMarked | Commented | CommentRemoved
