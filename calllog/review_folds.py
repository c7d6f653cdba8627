"""What a call's reviews are now, folded from the events of stream ``review``; and the rows of quality's tables. Pure.

A call's thread holds its grades, appeals, comments and its mark, so that every row follows from the events of one
stream_id, as the rows of a call do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from calllog.events import Recorded
from calllog.review_events import (
    AppealDecided,
    AppealMade,
    Commented,
    CommentRemoved,
    ExemplaryMarked,
    FormPublished,
    ListDrawn,
    ReviewGiven,
)

Appeal = Literal["", "open", "kept", "changed"]
"""What became of a grade's appeal; empty: the agent made none."""

Value = int | float | str
Row = tuple[Value, ...]

REVIEW_COLUMNS = (
    "call_id", "n", "review_id", "form", "version", "grader", "agent", "given_at", "score", "passed", "fatal",
    "corrects", "standing", "appealed", "appeal", "appeal_by", "appeal_at", "decided_by", "decided_at",
)  # fmt: skip
REVIEWED_COLUMNS = (
    "call_id", "score", "grades", "fatal", "open_appeals", "exemplary", "comments", "changed_at", "exemplary_at",
)  # fmt: skip
COMMENT_COLUMNS = ("call_id", "comment_id", "author", "at_ms", "made_at", "removed")
FORM_COLUMNS = ("published_as", "form", "version", "published_at", "text")
LIST_COLUMNS = ("drawing_id", "n", "call_id", "agent", "grader", "rule", "plan", "form", "week", "drawn_at")

FOLDED: dict[str, tuple[tuple[str, ...], int]] = {
    "review": (REVIEW_COLUMNS, 2),
    "reviewed": (REVIEWED_COLUMNS, 1),
    "review_comment": (COMMENT_COLUMNS, 2),
    "review_form": (FORM_COLUMNS, 1),
    "review_list": (LIST_COLUMNS, 2),
}
"""Each table's columns, and how many of the first of them are its key; the first of all is the stream_id."""

TABLES_OF = {
    "review": ("review", "reviewed", "review_comment"),
    "form": ("review_form",),
    "drawing": ("review_list",),
}
"""By stream, the tables that its events fill."""


@dataclass(slots=True)
class Review:
    """One grade. ``standing``: neither corrected nor changed by an appeal, so it counts. Times in µs."""

    given: ReviewGiven
    at: int
    standing: bool = True
    appeal: Appeal = ""
    appeal_by: str = ""
    appeal_at: int = 0
    appeal_notes: Mapping[str, str] = field(default_factory=dict)
    decided_by: str = ""
    decided_at: int = 0
    decision_notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Comment:
    """A comment at a moment of the recording."""

    comment_id: str
    by: str
    at_ms: int
    made_at: int
    notes: Mapping[str, str] = field(default_factory=dict)
    removed: bool = False


@dataclass(slots=True)
class ReviewState:
    """All that quality has said of one call."""

    call_id: str
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    exemplary: bool = False
    exemplary_by: str = ""
    exemplary_at: int = 0
    exemplary_notes: Mapping[str, str] = field(default_factory=dict)
    changed_at: int = 0

    @classmethod
    def of(cls, call_id: str, events: Iterable[Recorded]) -> ReviewState:
        """The state after these events of one call's thread."""
        state = cls(call_id)
        for each in events:
            state.apply(each.at, each.event)
        return state

    def review(self, review_id: str) -> Review | None:
        """The grade of this id."""
        return next((each for each in self.reviews if each.given.review_id == review_id), None)

    @property
    def standing(self) -> list[Review]:
        """The grades that count."""
        return [each for each in self.reviews if each.standing]

    @property
    def score(self) -> int:
        """The call's score in tenths: the mean of the grades that count, rounded half up; -1 where there are none."""
        counted = [each.given.score for each in self.standing]
        return (2 * sum(counted) + len(counted)) // (2 * len(counted)) if counted else -1

    def apply(self, at: int, event: object) -> str:
        """Fold one event in; returns why it does not fit, empty when it does. What does not fit changes nothing."""
        match event:
            case ReviewGiven():
                corrected = self.review(event.corrects) if event.corrects else None
                if event.corrects and corrected is None:
                    return f"there is no grade {event.corrects}"
                if corrected is not None:
                    corrected.standing = False
                    if event.appealed:
                        _decide(corrected, "changed", at, event.by, event.notes)
                self.reviews.append(Review(event, at))
            case AppealMade():
                if (review := self.review(event.review_id)) is None:
                    return f"there is no grade {event.review_id}"
                review.appeal, review.appeal_by, review.appeal_at = "open", event.by, at
                review.appeal_notes = event.notes
            case AppealDecided():
                if (review := self.review(event.review_id)) is None or review.appeal != "open":
                    return f"there is no open appeal of {event.review_id}"
                _decide(review, "kept", at, event.by, event.notes)
            case ExemplaryMarked():
                self.exemplary, self.exemplary_by, self.exemplary_notes = event.on, event.by, event.notes
                self.exemplary_at = at if event.on else 0
            case Commented():
                self.comments.append(Comment(event.comment_id, event.by, event.at_ms, at, event.notes))
            case CommentRemoved():
                mine = [each for each in self.comments if each.comment_id == event.comment_id]
                if not mine:
                    return f"there is no comment {event.comment_id}"
                mine[0].removed = True
            case _:
                return "it is no event of a review"
        self.changed_at = at
        return ""


def _decide(review: Review, decision: Appeal, at: int, by: str, notes: Mapping[str, str]) -> None:
    review.appeal, review.decided_by, review.decided_at, review.decision_notes = decision, by, at, notes


def thread_rows(
    stream: str, name: str, events: Iterable[Recorded]
) -> tuple[dict[str, list[Row]], list[tuple[int, str]]]:
    """The rows of one thread of quality's streams, by table; and the events that did not fit (seq, why)."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES_OF[stream]}
    refused: list[tuple[int, str]] = []
    state = ReviewState(name)
    for each in events:
        event, why = each.event, ""
        if stream == "review":
            why = state.apply(each.at, event)
        elif stream == "form" and isinstance(event, FormPublished):
            rows["review_form"] = rows["review_form"] or [(name, event.form, event.version, each.at, event.text)]
        elif stream == "drawing" and isinstance(event, ListDrawn):
            rows["review_list"] += [
                (name, n, one.call_id, one.agent, one.grader, one.rule, event.plan, event.form, event.week, each.at)
                for n, one in enumerate(event.calls, len(rows["review_list"]))
            ]
        else:
            why = f"it is no event of stream {stream}"
        if why:
            refused.append((each.seq, why))
    if stream == "review" and state.changed_at:
        rows |= _review_rows(state)
    return rows, refused


def _review_rows(state: ReviewState) -> dict[str, list[Row]]:
    reviews: list[Row] = []
    for n, each in enumerate(state.reviews):
        given = each.given
        reviews.append((
            state.call_id, n, given.review_id, given.form, given.version, given.by, given.agent, each.at, given.score,
            int(given.passed), len(given.fatal), given.corrects, int(each.standing), int(given.appealed), each.appeal,
            each.appeal_by, each.appeal_at, each.decided_by, each.decided_at,
        ))  # fmt: skip
    comments: list[Row] = [
        (state.call_id, one.comment_id, one.by, one.at_ms, one.made_at, int(one.removed)) for one in state.comments
    ]
    standing = state.standing
    summary: Row = (
        state.call_id, state.score, len(standing), sum(bool(each.given.fatal) for each in standing),
        sum(each.appeal == "open" for each in standing), int(state.exemplary),
        sum(not one.removed for one in state.comments), state.changed_at, state.exemplary_at,
    )  # fmt: skip
    return {"review": reviews, "reviewed": [summary], "review_comment": comments}
